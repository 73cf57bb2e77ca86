package sim_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// oneProcess runs code as the only process of a node, which is killed after a second, on a goroutine of its own as a
// supervisor does: a Goexit ends that goroutine.
func oneProcess(code func(*sim.Proc)) (w *sim.World, r sim.StopReason) {
	w = sim.New(sim.Config{Seed: 1})
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.Close()
		n := w.Role("n", func(n *sim.Node) sim.Handler { n.Go("main", code); return sim.NoHandler() })
		n.Boot()
		w.At(sim.Time(sim.Second), sim.PhaseFault, func() { n.Kill(0) })
		w.Run(sim.Time(sim.Minute))
	}()
	<-done
	r, _ = w.Stopped()
	return w, r
}

func swallow(code func()) {
	defer func() { _ = recover() }()
	code()
}

func TestHowAProcessEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   func(*sim.Proc)
		kind   sim.StopKind
		detail string
	}{
		{"killed", func(p *sim.Proc) { p.Sleep(sim.Hour) }, sim.StopDrained, ""},
		{"recovers from its kill once", func(p *sim.Proc) { swallow(func() { p.Sleep(sim.Hour) }) }, sim.StopDrained, ""},
		{"recovers for ever", func(p *sim.Proc) {
			for {
				swallow(func() { p.Sleep(sim.Hour) })
			}
		}, sim.StopKillSwallowed, "process main on n-1 recovered from its kill 101 times"},
		{"ends its goroutine", func(*sim.Proc) { runtime.Goexit() }, sim.StopGoexit, "process main on n-1 ended its goroutine"},
		{"panics", func(*sim.Proc) { panic("boom") }, sim.StopPanic, `^boom at sim_test/kills_test\.go:\d+ \(process main on n-1\)$`},
		{"is used by another", func(p *sim.Proc) {
			p.Go("thief", func(*sim.Proc) { p.Sleep(1) })
			p.Sleep(sim.Hour)
		}, sim.StopPanic, `^sim: process main on n-1 was used from outside itself at sim_test/kills_test\.go:\d+ \(process thief on n-1\)$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r := oneProcess(c.code)
			require.Equal(t, c.kind, r.Kind, r.Detail)
			require.Regexp(t, c.detail, r.Detail)
		})
	}
}

func nothing() map[string]int { return nil }

func TestAPanicIsAFactWhereItIsRaised(t *testing.T) {
	line := 0
	w, _ := oneProcess(func(*sim.Proc) {
		m := nothing()
		_, _, line, _ = runtime.Caller(0)
		m["x"]++ // the line of the fact
	})
	f := facts(w, history.KindPanicked)
	require.Len(t, f, 1)
	require.Equal(t, fmt.Sprintf("sim_test/kills_test.go:%d", line+1), f[0].Note)
	require.Equal(t, "assignment to entry in nil map", f[0].Value)
}

// Deferred code of a killed process meets a dead context, whatever it touches: it cannot write, record, start,
// send or wait.
func TestDeferredCodeOfTheDead(t *testing.T) {
	tried, did := 0, 0
	w, r := oneProcess(func(p *sim.Proc) {
		n := p.Node()
		for _, touch := range []func(){
			func() { p.Sleep(1) },
			func() { p.Record(history.Fact{Kind: history.KindApplied}) },
			func() { n.Record(history.Fact{Kind: history.KindApplied}) },
			func() { p.World().Record(history.Fact{Kind: history.KindApplied}) },
			func() { n.Append("log", "x", sim.Action{}, nil) },
			func() { n.Fsync("log", sim.Action{}, nil) },
			func() { n.After(0, func() {}) },
			func() { n.Go("more", func(*sim.Proc) {}) },
			func() { p.Go("more", func(*sim.Proc) {}) },
			func() { p.Send(n, 0, sim.Action{}, nil, 0) },
			func() { n.Reached("unit/committing", sim.Action{}) },
			func() { p.World().At(p.World().Now(), sim.PhaseFault, func() {}) },
			func() { p.Write("log", "x", sim.Action{}) },
			p.Alive,
		} {
			defer swallow(func() { tried++; touch(); did++ })
		}
		p.Sleep(sim.Hour)
	})
	require.Equal(t, sim.StopDrained, r.Kind, r.Detail)
	require.Equal(t, 14, tried)
	require.Zero(t, did)
	require.Empty(t, facts(w, history.KindApplied))
	require.Empty(t, w.Node("n-1").Disk().Read("log"))
}

// A broadcast wakes what waits, a kill takes a waiting process out, a timeout says that nothing came.
func TestSignal(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1})
	defer w.Close()
	var s sim.Signal
	came := map[string]bool{}
	wait := func(role string, d sim.Duration) *sim.Node {
		n := w.Role(role, func(n *sim.Node) sim.Handler {
			n.Go("main", func(p *sim.Proc) { came[role] = p.Wait(&s, d) })
			return sim.NoHandler()
		})
		n.Boot()
		return n
	}
	wait("patient", -1)
	wait("hasty", 500*ms)
	dead := wait("dead", -1)
	late := wait("late", sim.Second) // its timeout and the broadcast fall on one instant: faults go first
	w.At(sim.Time(ms), sim.PhaseFault, func() { dead.Kill(0) })
	w.At(sim.Time(sim.Second), sim.PhaseFault, func() { s.Broadcast(); s.Broadcast() })
	w.Run(sim.Time(sim.Minute))
	require.Equal(t, map[string]bool{"patient": true, "hasty": false, "late": true}, came)
	require.Equal(t, int32(1), late.Incarnation())
}

// However its processes stand at the end, a world gives every goroutine back.
func TestGoroutinesAreGivenBack(t *testing.T) {
	steady := func() int {
		for range 100 {
			runtime.Gosched()
			time.Sleep(time.Millisecond)
		}
		return runtime.NumGoroutine()
	}
	before := steady()
	worlds := 1000
	if testing.Short() {
		worlds = 100
	}
	endings := []func(*sim.Proc){
		func(p *sim.Proc) { p.Sleep(sim.Hour) },
		func(p *sim.Proc) { p.Wait(&sim.Signal{}, -1) },
		func(*sim.Proc) { panic("boom") },
		func(*sim.Proc) { runtime.Goexit() },
		func(p *sim.Proc) {
			for {
				swallow(func() { p.Sleep(sim.Hour) })
			}
		},
	}
	for i := range worlds {
		w := sim.New(sim.Config{Seed: uint64(i)})
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer w.Close()
			defer func() { _ = recover() }() // of the handler below
			n := w.Role("n", func(n *sim.Node) sim.Handler {
				for range 3 { // several that swallow even the end of the world
					n.Go("main", endings[i%len(endings)])
					n.Go("waiting", endings[0])
				}
				return sim.NoHandler()
			})
			n.Boot()
			if i%2 == 0 {
				w.At(sim.Time(sim.Second), sim.PhaseFault, func() { n.Kill(0) })
			}
			if i%7 == 0 {
				n.After(500*ms, func() { panic("in a handler") })
			}
			w.Run(sim.Time(sim.Minute))
		}()
		<-done
	}
	require.InDelta(t, before, steady(), 2)
}

// What unwinds when a world is closed leaves no trace: the digest is that of the run.
func TestCloseChangesNothing(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1})
	n := w.Role("n", func(n *sim.Node) sim.Handler {
		n.Go("main", func(p *sim.Proc) {
			defer func() { panic("cleanup that cannot bear the end") }()
			p.Sleep(sim.Hour)
		})
		return sim.NoHandler()
	})
	n.Boot()
	w.Run(sim.Time(sim.Second))
	before, stop := w.Digest(), w.Run(sim.Time(sim.Second))
	w.Close()
	require.Equal(t, before, w.Digest())
	again, _ := w.Stopped()
	require.Equal(t, stop, again)
	require.Panics(t, func() { w.Step() })
}
