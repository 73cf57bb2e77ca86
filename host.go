package twiceless

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim"
)

// Host tests a handler of messages, unchanged code as production runs it: it may use its context, deadlines, goroutines,
// mutexes, an *http.Client, a *sql.DB. newHandler is called for each start of a consumer's process, on the simulated
// consumers that the scenario has; what a handler remembers between messages it keeps in what newHandler makes, or else it
// survives crashes that a real process would not survive.
//
// The engine of the stack polls, hands over one message after the other, and commits; each call to a service is the stage of
// the scenario's flow that calls this service.
//
// What it cannot do: time.Now is the simulated time, but clock skew does not reach it; a process dies at a call to the
// world, and a goroutine that waits for something of its own when its process dies ends at its next call; on a machine that
// stands still the code's own timers go on.
func Host(t *testing.T, scenario string, newHandler func(*Env) Handler, opts ...Option) {
	t.Helper()
	host(t, scenario, &hosted{handler: single(newHandler)}, opts)
}

// HostBatch is Host for a handler of several messages at once.
func HostBatch(t *testing.T, scenario string, newHandler func(*Env) BatchHandler, opts ...Option) {
	t.Helper()
	host(t, scenario, &hosted{handler: newHandler, batches: true}, opts)
}

// HostLoop is Host for code that owns its poll loop, by the client that Env.Client gives. The loop returns when its
// client says loop.ErrClosed; if it returns before, its process is started again, as a supervisor would.
func HostLoop(t *testing.T, scenario string, newLoop func(*Env) func(context.Context) error, opts ...Option) {
	t.Helper()
	host(t, scenario, &hosted{loop: newLoop}, opts)
}

func host(t *testing.T, scenario string, h *hosted, opts []Option) {
	t.Helper()
	h.t = t
	if calls := exits("."); len(calls) > 0 { // at once: a log of the test would go down with the program
		fmt.Printf("twiceless: if the program ends in the middle of %s, look at %s: nothing can be told after that\n", t.Name(), strings.Join(calls, ", "))
	}
	defer func() {
		h.survivors()
		for _, r := range h.remarks {
			t.Log("twiceless: " + r)
		}
	}()
	check(t, scenario, func(s *settings) *scenarios.Code {
		h.brought = &s.brought
		return h.code("")
	}, opts)
}

// Handler handles one message, as production code does. An error is what the stack around it deals with: at-least-once
// tries again.
type Handler func(ctx context.Context, m Message) error

// BatchHandler handles several messages and returns one error for each, nil = done. A slice that is nil says that all are
// done.
type BatchHandler func(ctx context.Context, ms []Message) []error

// hosted is what the three hosting functions have in common: code, and the services that it brings along.
type hosted struct {
	t       *testing.T
	handler func(*Env) BatchHandler
	batches bool // the handler takes several messages at once
	loop    func(*Env) func(context.Context) error
	brought *brought

	mu      sync.Mutex
	remarks []string        // each once
	asks    int             // that were looked at for where the code lies
	dirs    map[string]bool // where it lies
	kept    map[string]bool // labels of groups that ended in good order; looked up only
}

func (h *hosted) keep(label string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kept == nil {
		h.kept = map[string]bool{}
	}
	h.kept[label] = true
}

// asksLookedAt is how many asks are looked at for where the code lies.
const asksLookedAt = 200

// see notes the directories of the code that asks: those below the directory of its go.mod, so that no library counts.
func (h *hosted) see(a *bubble.Ask) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asks++; h.asks > asksLookedAt {
		return
	}
	if h.dirs == nil {
		h.dirs = map[string]bool{}
	}
	for _, file := range a.Files(drivers...) {
		if dir := filepath.Dir(file); !h.dirs[dir] && strings.HasPrefix(dir, moduleRoot()) {
			h.dirs[dir] = true
		}
	}
}

// moduleRoot is the directory of the go.mod of the running test; without one it is no prefix of any.
var moduleRoot = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, gone := os.Stat(filepath.Join(dir, "go.mod")); gone == nil {
			return dir + string(filepath.Separator)
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return "\x00"
})

// survivors are told of once the code has been seen.
func (h *hosted) survivors() {
	h.mu.Lock()
	dirs := slices.Sorted(maps.Keys(h.dirs))
	h.mu.Unlock()
	if text := survivorsRemark(dirs); text != "" {
		h.remark(text)
	}
}

// remarkLeft names the places of goroutines that code has left behind in processes that ended in good order, each once:
// every run leaves them again. Those of processes that were killed are nobody's fault: their process would have taken them
// along.
func (h *hosted) remarkLeft() {
	h.mu.Lock()
	left := bubble.Left(func(label string) bool { return h.kept[label] }, drivers...)
	h.mu.Unlock()
	for _, l := range left {
		_, place, _ := strings.Cut(l, " at ")
		h.remark("goroutines are left behind when the process ends, blocked for ever at " + place + "; end them with Env.Context")
	}
}

// remark notes what a person should know of the code and is no finding.
func (h *hosted) remark(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.remarks, text) {
		h.remarks = append(h.remarks, text)
	}
}

// code is the hosted code as scenarios bind it.
func (h *hosted) code(owner string) *scenarios.Code {
	return &scenarios.Code{Owner: owner, Host: func() scenarios.Guest {
		return &guest{h: h, b: bubble.New(), members: map[*sim.Node]*member{}, handed: map[string]int64{}}
	}, Around: h.around}
}

// around does a run in a synctest bubble. A panic of the run is raised again outside of it: inside it would end the
// program. Goroutines that the code has left behind stay where they are, blocked for ever, and are remarked.
func (h *hosted) around(run func()) {
	var raised any
	var trace []byte
	defer func() {
		if deadlock := recover(); deadlock != nil {
			if err, ok := deadlock.(error); ok && err.Error() == leftBehind {
				h.remarkLeft()
			} else {
				panic(deadlock)
			}
		}
		if raised != nil {
			panic(fmt.Sprintf("%v\n%s", raised, trace))
		}
	}()
	synctest.Test(h.t, func(*testing.T) {
		done := make(chan struct{})
		go func() { // a Goexit must not end the goroutine of the testing package
			defer close(done)
			defer func() {
				if raised = recover(); raised != nil {
					trace = debug.Stack()
				}
			}()
			run()
		}()
		<-done
	})
}

// leftBehind is what a bubble says whose code has ended but for goroutines that are blocked.
const leftBehind = "deadlock: main bubble goroutine has exited but blocked goroutines remain"
