package sim_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// The four kinds of stop and the graceful one, at the disk and at a peer that waits for an answer.
func TestKindsOfStop(t *testing.T) {
	for _, c := range []struct {
		name   string
		stop   func(*sim.World, *sim.Node)
		learnt string
		least  int // records on the disk afterwards, of 1 durable and 3 volatile ones
		note   string
	}{
		{"kill", func(_ *sim.World, n *sim.Node) { n.Kill(0) }, "connection reset", 4, "kill"},
		{"power loss", func(_ *sim.World, n *sim.Node) { n.PowerLoss(0) }, "timeout", 1, "power-loss"},
		{"pause", func(w *sim.World, n *sim.Node) {
			n.Pause()
			w.At(w.Now().Add(5*sim.Second), sim.PhaseFault, n.Resume)
		}, "timeout", 4, ""},
		{"partition", func(w *sim.World, n *sim.Node) { n.Cut(w.Node("client-1")) }, "timeout", 4, ""},
		{"graceful", func(w *sim.World, n *sim.Node) {
			n.AskStop(0)
			require.True(t, n.Stopping())
			w.At(w.Now().Add(3*sim.Second), sim.PhaseFault, func() { n.Finish() })
		}, "reply", 4, "graceful"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sim.New(sim.Config{Seed: 1, Latency: constant(ms)})
			defer w.Close()
			server := w.Role("server", func(n *sim.Node) sim.Handler {
				return handler(func(r *sim.Request) {
					n.Append("log", "durable", r.Action, nil)
					n.Fsync("log", r.Action, nil)
					for i := range 3 {
						n.Append("log", fmt.Sprintf("volatile %d", i), r.Action, nil)
					}
					n.After(sim.Second, func() { r.Reply(nil, 0) })
				})
			})
			learnt := "nothing"
			w.Role("client", func(n *sim.Node) sim.Handler {
				n.Go("main", func(p *sim.Proc) {
					_, _, err := p.Call(server, w.Op("server.x"), w.Act("e", "s", "server.x"), nil, 0, 2*sim.Second)
					learnt = "reply"
					if err != nil {
						learnt = err.Error()
					}
				})
				return sim.NoHandler()
			})
			server.Boot()
			w.Node("client-1").Boot()
			w.At(sim.Time(500*ms), sim.PhaseFault, func() { c.stop(w, server) })
			w.Run(sim.Time(sim.Minute))
			require.Equal(t, c.learnt, learnt)
			require.GreaterOrEqual(t, len(server.Disk().Read("log")), c.least)
			if stopped := facts(w, history.KindStopped); c.note == "" {
				require.Empty(t, stopped)
			} else {
				require.Equal(t, c.note, stopped[0].Note)
			}
		})
	}
}

// A power loss keeps what was fsynced and a drawn part of the rest; a torn record is there until the boot cuts it
// off. Over the seeds every outcome occurs.
func TestTornSuffix(t *testing.T) {
	survived, torn := map[int]int{}, 0
	for seed := range uint64(200) {
		w := sim.New(sim.Config{Seed: seed})
		var booted []string
		n := w.Role("n", func(n *sim.Node) sim.Handler {
			booted = n.Disk().Read("log")
			return sim.NoHandler()
		})
		n.Boot()
		n.Append("log", "first", sim.Action{}, nil)
		n.Fsync("log", sim.Action{}, nil)
		w.Run(sim.Time(sim.Second))
		n.Append("log", "second", sim.Action{}, nil)
		n.Append("log", "third", sim.Action{}, nil)
		held := n.Disk().Read("log")
		n.PowerLoss(0)
		dark := n.Disk().Read("log")
		n.Boot()
		n.Append("log", "fourth", sim.Action{}, nil)
		require.Equal(t, []string{"first", "second", "third"}, held, "what a dead instance held does not change under it")
		require.Equal(t, []string{"first", "second", "third"}[:len(booted)], booted)
		survived[len(booted)]++
		if len(dark) > len(booted) {
			torn++
			require.Contains(t, facts(w, history.KindBooted)[1].Note, "1 torn records")
		}
		w.Close()
	}
	require.Len(t, survived, 3, "1, 2 or 3 records survive: %v", survived)
	require.Greater(t, torn, 30)
}

// Every timer, delivery, disk completion and wake-up of an incarnation leaves the queue when it ends, so that a
// run does not wait for the dead, and nothing of it reaches the next.
func TestNothingOfAnIncarnationOutlivesIt(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1, Latency: constant(ms)})
	defer w.Close()
	boots, after := 0, 0
	n := w.Role("n", func(n *sim.Node) sim.Handler {
		boots++
		if boots == 1 {
			n.After(sim.Hour, func() { after++ })
			n.Append("log", "x", sim.Action{}, func() { after++ })
			n.Go("sleeper", func(p *sim.Proc) { p.Sleep(sim.Hour); after++ })
			n.Go("never started", func(*sim.Proc) { after++ })
			n.Disk().Timing(constant(sim.Minute), constant(sim.Minute))
			n.Append("log", "y", sim.Action{}, func() { after++ })
		}
		return sim.NoHandler()
	})
	n.Boot()
	n.Pause() // also what a pause holds back
	w.Run(sim.Time(sim.Second))
	n.Kill(0)
	require.Zero(t, w.Foreground())
	require.Zero(t, w.Pending())
	n.Boot()
	r := w.Run(sim.Time(2 * sim.Hour))
	require.Equal(t, sim.StopDrained, r.Kind)
	require.Zero(t, after)
	require.Equal(t, int32(2), n.Incarnation())
}

// After a pause: what arrived, in order of arrival; then the overdue timers in due order; both before what is due
// at the instant of the resume. What was cancelled meanwhile does not happen.
func TestResumeOrder(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1})
	defer w.Close()
	var log []string
	var cancelled sim.Handle
	say := func(s string) func() { return func() { log = append(log, fmt.Sprintf("%v %s", w.Now(), s)) } }
	server := w.Role("server", func(n *sim.Node) sim.Handler {
		n.After(10*sim.Second, say("timer due at the resume"))
		n.After(4*sim.Second, say("timer due at 4s"))
		n.After(3*sim.Second, say("timer due at 3s"))
		cancelled = n.After(5*sim.Second, say("cancelled"))
		return handler(func(r *sim.Request) { say(r.Body.(string))() })
	})
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		for i, at := range []sim.Duration{6 * sim.Second, 10 * sim.Second} {
			n.Go("sender", func(p *sim.Proc) {
				n.Slow(server, at)
				p.Send(server, w.Op("server.tell"), sim.Action{}, fmt.Sprintf("message %d", i+1), 0)
			})
		}
		return sim.NoHandler()
	})
	server.Boot()
	client.Boot()
	w.At(sim.Time(sim.Second), sim.PhaseFault, server.Pause)
	w.At(sim.Time(7*sim.Second), sim.PhaseFault, func() {
		require.Equal(t, 3+1+1+1+1, w.Pending(), "held back, to come, and the resume")
		require.True(t, w.Cancel(cancelled))
		require.Equal(t, 3+1+1+1, w.Pending())
	})
	w.At(sim.Time(10*sim.Second), sim.PhaseFault, server.Resume)
	w.Run(sim.Time(sim.Minute))
	require.Equal(t, []string{"10s message 1", "10s message 2", "10s timer due at 3s", "10s timer due at 4s", "10s timer due at the resume"}, log)
}

// A node that pauses at its own hook stands still there: the commit is not sent before the pause ends.
func TestPauseAtOwnHook(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1})
	defer w.Close()
	var went sim.Time
	n := w.Role("n", func(n *sim.Node) sim.Handler {
		n.Go("main", func(p *sim.Proc) {
			n.Reached("unit/committing", sim.Action{})
			went = w.Now()
		})
		return sim.NoHandler()
	})
	w.Watch("unit/committing", func(h *sim.Hit) {
		h.Node.Pause()
		w.At(w.Now().Add(sim.Second), sim.PhaseFault, h.Node.Resume)
	})
	n.Boot()
	w.Run(sim.Time(sim.Minute))
	require.Equal(t, sim.Time(sim.Second), went)
}

// A handler killed at its own hook unwinds there: it writes nothing more, even if its node boots at once.
func TestHandlerDiesAtItsHook(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1})
	defer w.Close()
	server := w.Role("server", func(n *sim.Node) sim.Handler {
		if n.Incarnation() > 1 {
			n.Append("log", "booted", sim.Action{}, nil)
			return sim.NoHandler()
		}
		return handler(func(r *sim.Request) {
			n.Append("log", "before", r.Action, nil)
			r.Applied()
			n.Append("log", "never", r.Action, nil)
		})
	})
	w.Watch("server.x/applied", func(h *sim.Hit) { h.Node.Kill(0); h.Node.Boot() })
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("main", func(p *sim.Proc) { p.Send(server, w.Op("server.x"), sim.Action{}, nil, 0) })
		return sim.NoHandler()
	})
	server.Boot()
	client.Boot()
	require.Equal(t, sim.StopDrained, w.Run(sim.Time(sim.Minute)).Kind)
	require.Equal(t, []string{"before", "booted"}, server.Disk().Read("log"))
}

// A factory must make a new instance for every incarnation: what it keeps across them is state that no crash
// could lose.
func TestBootReturnsAFreshInstance(t *testing.T) {
	w := sim.New(sim.Config{})
	defer w.Close()
	same := &journal{}
	planted := w.Role("planted", func(*sim.Node) sim.Handler { return same })
	planted.Boot()
	planted.Kill(0)
	require.PanicsWithValue(t, "sim: planted-1 booted an instance that lived before", planted.Boot)
	smuggler := w.Role("smuggler", func(*sim.Node) sim.Handler { return smuggling{} })
	require.Panics(t, smuggler.Boot, "a handler that is no pointer but has state")
	require.Panics(t, w.Role("nil", func(*sim.Node) sim.Handler { return nil }).Boot)
}

type smuggling struct{ m map[string]int }

func (s smuggling) Receive(*sim.Node, *sim.Request) { s.m["x"]++ }

func TestTransitionsAssertTheirPreconditions(t *testing.T) {
	w := sim.New(sim.Config{})
	defer w.Close()
	n := w.Role("n", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	for name, fn := range map[string]func(){
		"kill": func() { n.Kill(0) }, "power loss": func() { n.PowerLoss(0) }, "timer": func() { n.After(0, func() {}) },
		"process": func() { n.Go("p", func(*sim.Proc) {}) }, "append": func() { n.Append("f", "r", sim.Action{}, nil) },
		"await of its end": func() { n.OnStop(func(int64) {}) },
	} {
		require.Panics(t, fn, name+" on a node that is down")
	}
	n.Boot()
	require.Panics(t, n.Boot, "boot of a node that is up")
	require.Panics(t, func() { n.Finish() })
	require.Panics(t, func() { n.Drift(1_000_000, 0) })
	w.At(sim.Time(sim.Second), sim.PhaseFault, func() {
		require.Panics(t, func() { w.At(0, sim.PhaseFault, func() {}) }, "the past")
	})
	w.Run(sim.Time(sim.Minute))
}

// The monotonic clock has drift and nothing else: it never jumps, and timers follow it alone. The wall clock has
// offset, drift and jumps, backwards too.
func TestClocks(t *testing.T) {
	w := sim.New(sim.Config{})
	defer w.Close()
	var fired []sim.Time
	n := w.Role("n", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	n.Boot()
	n.Drift(100_000, -100_000) // mono 10 % fast, wall 10 % slow
	n.After(11*sim.Second, func() { fired = append(fired, w.Now(), n.Now(), n.Wall()) })
	w.At(sim.Time(5*sim.Second), sim.PhaseFault, func() { n.SkewWall(-sim.Hour) })
	w.At(sim.Time(20*sim.Second), sim.PhaseFault, func() {
		before := [2]sim.Time{n.Now(), n.Wall()}
		n.Drift(0, 0)
		require.Equal(t, before, [2]sim.Time{n.Now(), n.Wall()}, "a change of drift is a change of pace")
	})
	w.Run(sim.Time(30 * sim.Second))
	at := func(d sim.Duration) sim.Time { return sim.Time(d) }
	require.Equal(t, []sim.Time{at(10 * sim.Second), at(11 * sim.Second), at(9*sim.Second - sim.Hour)}, fired)
	require.Equal(t, at(22*sim.Second), n.Now(), "20 s at 10 % fast")
}

// A timer never fires before its node's clock says so, and at most one tick after: a loop that waits for a deadline
// ends, at any drift.
func TestTimersNeverFireEarly(t *testing.T) {
	for _, ppm := range []int64{-999_999, -500_000, -777, -1, 1, 13, 777, 333_333, 999_999} {
		w := sim.New(sim.Config{})
		n := w.Role("n", func(*sim.Node) sim.Handler { return sim.NoHandler() })
		n.Boot()
		n.Drift(ppm, 0)
		start := sim.Time(0)
		i := 0
		var again func()
		again = func() {
			want := sim.Duration(i * 7919 % 10_007)
			require.GreaterOrEqual(t, n.Now().Sub(start), want, ppm)
			require.LessOrEqual(t, n.Now().Sub(start), want+2, ppm)
			if i++; i < 100 {
				start = n.Now()
				n.After(sim.Duration(i*7919%10_007), again)
			}
		}
		n.After(0, again)
		require.Equal(t, sim.StopDrained, w.Run(sim.Time(sim.Hour)).Kind)
		require.Equal(t, 100, i)
		w.Close()
	}
}

// A slow clock shows one reading for several instants: what is due at once then is due now, and not when it first showed it.
func TestTimersAreNeverDueInThePast(t *testing.T) {
	w := sim.New(sim.Config{})
	defer w.Close()
	n := w.Role("n", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	n.Boot()
	n.Drift(-900_000, 0)
	fired := 0
	for at := range sim.Time(25) {
		w.At(at, sim.PhaseFault, func() { n.After(0, func() { fired++ }) })
	}
	require.Equal(t, sim.StopDrained, w.Run(sim.Time(sim.Second)).Kind)
	require.Equal(t, 25, fired)
}

// Whoever waits for the end of an incarnation hears of it at that instant, with its cause, when its processes are
// unwound: the node may boot there and then.
func TestOnStop(t *testing.T) {
	for _, how := range []string{"kill", "power-loss", "graceful"} {
		t.Run(how, func(t *testing.T) {
			w := sim.New(sim.Config{Seed: 1})
			defer w.Close()
			n := w.Role("n", func(n *sim.Node) sim.Handler {
				n.Go("work", func(p *sim.Proc) {
					for !n.Stopping() {
						p.Sleep(sim.Second)
					}
				})
				return sim.NoHandler()
			})
			n.Boot()
			var told []int64
			n.OnStop(func(cause int64) {
				told = append(told, cause)
				n.Boot()
			})
			w.At(sim.Time(1500*ms), sim.PhaseFault, func() {
				switch how {
				case "kill":
					n.Kill(1)
				case "power-loss":
					n.PowerLoss(1)
				default:
					n.AskStop(1) // the boot, as good a cause as any
				}
				require.Empty(t, told, "not within what ends it")
			})
			w.At(sim.Time(5*sim.Second), sim.PhaseFault, func() { n.Kill(0) })
			w.Run(sim.Time(sim.Minute))
			require.Equal(t, []int64{1}, told, "of one incarnation")
			stopped, booted := facts(w, history.KindStopped)[0], facts(w, history.KindBooted)[1]
			require.Equal(t, how, stopped.Note)
			require.Equal(t, stopped.Time, booted.Time)
			if unwound := facts(w, history.KindUnwound); how != "graceful" {
				require.Less(t, unwound[0].ID, booted.ID)
			}
		})
	}
}

// leaver is a handler that hands its work over before it ends.
type leaver struct {
	n     *sim.Node
	takes sim.Duration
	told  *[]string
}

func (*leaver) Receive(*sim.Node, *sim.Request) {}

func (l *leaver) Stop() {
	*l.told = append(*l.told, fmt.Sprintf("%v told %d", l.n.World().Now(), l.n.Incarnation()))
	l.n.After(l.takes, l.n.Finish)
}

// A handler is told once that its node is to stop, in an event of the node, and ends when it has handed over; whoever asked
// may kill it before that. The next incarnation was not asked.
func TestStopHandler(t *testing.T) {
	kill := func(n *sim.Node) { n.Kill(0) }
	for _, c := range []struct {
		name string
		do   func(n *sim.Node) // half a second after it is asked
		want []string
		end  string
	}{
		{"in peace", func(*sim.Node) {}, []string{"1s told 1"}, "2s graceful"},
		{"asked again", func(n *sim.Node) { n.AskStop(0) }, []string{"1s told 1"}, "2s graceful"},
		{"killed meanwhile", kill, []string{"1s told 1"}, "1.5s kill"},
		{"killed meanwhile, and asked again", func(n *sim.Node) { n.Kill(0); n.Boot(); n.AskStop(0) }, []string{"1s told 1", "1.5s told 2"}, "1.5s kill, 2.5s graceful"},
		{"booted meanwhile", func(n *sim.Node) { n.Kill(0); n.Boot() }, []string{"1s told 1"}, "1.5s kill"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sim.New(sim.Config{Seed: 1})
			defer w.Close()
			var told []string
			n := w.Role("n", func(n *sim.Node) sim.Handler { return &leaver{n: n, takes: sim.Second, told: &told} })
			n.Boot()
			w.At(sim.Time(sim.Second), sim.PhaseFault, func() {
				n.AskStop(0)
				require.Empty(t, told, "not within what asks it")
			})
			w.At(sim.Time(1500*ms), sim.PhaseFault, func() { c.do(n) })
			w.Run(sim.Time(sim.Minute))
			require.Equal(t, c.want, told)
			end := ""
			for i, f := range facts(w, history.KindStopped) {
				if i > 0 {
					end += ", "
				}
				end += sim.Time(f.Time).String() + " " + f.Note
			}
			require.Equal(t, c.end, end)
		})
	}
}

// One that stands still is told when it goes on.
func TestStopOfAPausedHandler(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1})
	defer w.Close()
	var told []string
	n := w.Role("n", func(n *sim.Node) sim.Handler { return &leaver{n: n, told: &told} })
	n.Boot()
	n.Pause()
	w.At(sim.Time(sim.Second), sim.PhaseFault, func() { n.AskStop(0) })
	w.At(sim.Time(5*sim.Second), sim.PhaseFault, n.Resume)
	w.Run(sim.Time(sim.Minute))
	require.Equal(t, []string{"5s told 1"}, told)
	require.False(t, n.Up())
}
