package scenarios

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Supervise does one run on a goroutine of its own, so that whatever happens to that goroutine ends the run and
// nothing else. A run that takes longer than patience is abandoned with its memory; patience 0 waits for ever.
func Supervise(c *Case, mem *Memory, patience time.Duration) (*Result, error) {
	return finished(c, mem, patience, func() (*Result, error) { return Run(c, mem) })
}

// finished is supervised for what ends in finish, and knows which code ended a goroutine.
func finished(c *Case, mem *Memory, patience time.Duration, run func() (*Result, error)) (*Result, error) {
	mem.ended = nil
	r, err := supervised(c.Intent.Scenario, patience, run)
	if crash, ok := errors.AsType[*Crash](err); ok && crash.How == Goexit && mem.ended != nil {
		return nil, crashOf(*mem.ended)
	}
	return r, err
}

// supervised is what Supervise does with the code of a run of that scenario.
func supervised[T any](sc *Scenario, patience time.Duration, run func() (T, error)) (T, error) {
	type answer struct {
		r   T
		err error
	}
	done := make(chan answer, 1)
	go func() {
		out := answer{err: &Crash{How: Goexit, Detail: "code of the run ended its goroutine"}}
		defer func() {
			if p := recover(); p != nil {
				out = answer{err: &Crash{How: Panic, Detail: fmt.Sprintf("%v\n%s", p, debug.Stack())}}
			}
			done <- out
		}()
		sc.around(func() {
			r, err := run()
			out = answer{r, err}
		})
	}()
	var alarm <-chan time.Time
	if patience > 0 {
		t := time.NewTimer(patience)
		defer t.Stop()
		alarm = t.C
	}
	select {
	case a := <-done:
		return a.r, a.err
	case <-alarm:
		var none T
		return none, &Crash{How: Hang, Detail: "no await for " + patience.String()}
	}
}
