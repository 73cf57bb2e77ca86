package sim_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// duo is a world of two nodes; what its handlers do is said by each test.
type duo struct {
	*sim.World
	client, server *sim.Node
	heard          []string // what the client's calls came to
}

func newDuo(t *testing.T, serve func(n *sim.Node, r *sim.Request), begin func(d *duo)) *duo {
	return newDuoWith(t, sim.Config{Latency: constant(ms)}, serve, begin)
}

func newDuoWith(t *testing.T, c sim.Config, serve func(n *sim.Node, r *sim.Request), begin func(d *duo)) *duo {
	c.Seed = 1
	d := &duo{World: sim.New(c)}
	t.Cleanup(d.Close)
	d.server = d.Role("server", func(n *sim.Node) sim.Handler {
		return handler(func(r *sim.Request) { serve(n, r) })
	})
	d.client = d.Role("client", func(n *sim.Node) sim.Handler {
		n.After(0, func() { begin(d) })
		return sim.NoHandler()
	})
	d.server.Boot()
	d.client.Boot()
	return d
}

// ask calls the server from a handler and notes what comes of it.
func (d *duo) ask(what string, timeout sim.Duration) {
	d.client.Call(d.server, d.Op("server.ask"), sim.Action{}, what, 0, timeout, func(reply any, _ int64, err error) {
		if err != nil {
			reply = err
		}
		d.note(what, reply)
	})
}

func (d *duo) note(what string, came any) {
	switch came := came.(type) {
	case error:
		d.heard = append(d.heard, what+": "+came.Error()+" at "+d.Now().String())
	default:
		d.heard = append(d.heard, what+": "+came.(string)+" at "+d.Now().String())
	}
}

// A handler goes on while its calls are open, and hears of each once: of a late reply never, also when its slot is
// another call's by then.
func TestHandlersCallsAreHeardOnce(t *testing.T) {
	refusal := errors.New("not now")
	d := newDuo(t, func(n *sim.Node, r *sim.Request) {
		switch r.Body {
		case "slow":
			n.After(sim.Second, func() { r.Reply("late", 0) })
		case "bad":
			r.Fail(refusal, 0)
		default:
			r.Reply("ok", 0)
		}
	}, func(d *duo) {
		d.ask("slow", 500*ms)
		d.ask("bad", sim.Second)
		d.ask("good", sim.Second)
		d.client.After(600*ms, func() { d.ask("again", sim.Second) })
	})
	require.Equal(t, sim.StopDrained, d.Run(sim.Time(sim.Minute)).Kind)
	require.Equal(t, []string{"bad: not now at 2ms", "good: ok at 2ms", "slow: timeout at 500ms", "again: ok at 602ms"}, d.heard)
	require.Panics(t, func() { d.ask("past", -1) })
	d.client.Kill(0)
	require.Panics(t, func() { d.ask("dead", sim.Second) })
}

// Nothing of a call outlives the incarnation that made it, but for its request.
func TestHandlersCallsEndWithIt(t *testing.T) {
	served := 0
	d := newDuo(t, func(n *sim.Node, r *sim.Request) {
		served++
		n.After(sim.Second, func() { r.Reply("ok", 0) })
	}, func(d *duo) {
		if d.client.Incarnation() == 1 {
			d.ask("first", sim.Minute)
		}
	})
	d.At(sim.Time(500*sim.Microsecond), sim.PhaseFault, func() {
		d.client.Kill(0)
		require.Equal(t, 1, d.Pending(), "the request is under way, and no timeout waits for it")
		d.client.Boot()
	})
	require.Equal(t, sim.StopDrained, d.Run(sim.Time(sim.Hour)).Kind)
	require.Equal(t, 1, served)
	require.Empty(t, d.heard)
	require.Equal(t, sim.Time(1001*ms), d.Now())
}

// What a node does in the background calls in the background: a fetch that is parked keeps no run from being
// quiescent. A reply with work in it is foreground, and so is what follows from it.
func TestHandlersCallsInTheBackground(t *testing.T) {
	var parked *sim.Request
	var during, after int
	d := newDuo(t, func(n *sim.Node, r *sim.Request) {
		parked = r
		n.After(sim.Second, func() { r.ReplyForeground("records", 0) })
	}, func(d *duo) {
		d.client.AfterBackground(ms, func() {
			d.client.Call(d.server, d.Op("server.ask"), sim.Action{}, "", 0, sim.Minute, func(any, int64, error) {
				d.client.After(sim.Hour, func() {})
				after = d.Foreground()
			})
		})
	})
	d.At(sim.Time(500*ms), sim.PhaseFault, func() { during = d.Foreground() })
	d.Run(sim.Time(2 * sim.Second))
	require.True(t, parked.Background())
	require.Equal(t, 0, during, "the timer that will answer is background, too")
	require.Equal(t, 1, after)
}

// A request that its own answer asks again is background work also where foreground work began it: it would be foreground for
// ever, and no run with it ever quiescent.
func TestCallsThatAreAskedAgainAndAgain(t *testing.T) {
	answers := 0
	d := newDuo(t, func(n *sim.Node, r *sim.Request) {
		n.AfterBackground(100*ms, func() { r.Reply("", 0) })
	}, func(d *duo) {
		var ask func()
		ask = func() {
			d.client.CallBackground(d.server, d.Op("server.ask"), sim.Action{}, "", 0, sim.Minute, func(any, int64, error) {
				answers++
				ask()
			})
		}
		d.client.After(ms, ask)
	})
	d.At(sim.Time(500*ms), sim.PhaseFault, func() { require.Zero(t, d.Foreground()) })
	d.Run(sim.Time(sim.Second))
	require.Greater(t, answers, 5)
}

// A pause of the caller: what has arrived meanwhile comes before the timeout that has run out meanwhile, and what was to be
// sent at the hook where it stood still is sent when the pause ends, with all of its timeout before it.
func TestPausedHandlerCalls(t *testing.T) {
	for _, c := range []struct {
		name, hook string
		serve      sim.Duration
		want       []string
	}{
		{"at its own hook", "server.ask/sent", 900 * ms, []string{"a: ok at 5.902s", "b: ok at 5.902s"}},
		{"while the call is open", "server.ask/arrived", 900 * ms, []string{"a: ok at 5.001s", "b: ok at 5.001s"}},
		{"while a call is open that nobody answers", "server.ask/arrived", sim.Hour, []string{"a: timeout at 5.001s", "b: timeout at 5.001s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDuo(t, func(n *sim.Node, r *sim.Request) {
				n.After(c.serve, func() { r.Reply("ok", 0) })
			}, func(d *duo) {
				d.ask("a", sim.Second)
				d.ask("b", sim.Second)
			})
			d.Watch(c.hook, func(*sim.Hit) {
				if !d.client.Paused() {
					d.client.Pause()
					d.At(d.Now().Add(5*sim.Second), sim.PhaseFault, d.client.Resume)
				}
			})
			d.Run(sim.Time(2 * sim.Hour))
			require.Equal(t, c.want, d.heard)
		})
	}
}

// A handler that is killed at the hook of its own call unwinds there and has sent nothing; the next incarnation neither
// waits for that call nor hears of it.
func TestHandlerDiesAtItsCall(t *testing.T) {
	var served []any
	d := newDuo(t, func(_ *sim.Node, r *sim.Request) { served = append(served, r.Body); r.Reply("ok", 0) }, func(d *duo) {
		if d.client.Incarnation() > 1 {
			d.ask("second", sim.Second)
			return
		}
		d.client.Send(d.server, d.Op("server.tell"), sim.Action{}, "told", 0)
		d.ask("first", sim.Second)
		served = append(served, "never")
	})
	d.Watch("server.ask/sent", func(h *sim.Hit) {
		if h.Node.Incarnation() == 1 {
			h.Node.Kill(0)
			h.Node.Boot()
		}
	})
	d.Run(sim.Time(sim.Minute))
	require.Equal(t, []any{"told", "second"}, served)
	require.Equal(t, []string{"second: ok at 2ms"}, d.heard)
}

// A message that a fault holds back arrives although its connection and whoever sent it are no more; what was sent later
// overtakes it. Only the end of the incarnation that it was sent to takes it away.
func TestMessagesGoAstray(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(d *duo)
		served []any
	}{
		{"nothing else happens", func(*duo) {}, []any{"second", "third", "first"}},
		{"the caller is killed", func(d *duo) { d.client.Kill(0) }, []any{"second", "first"}},
		{"the link is cut", func(d *duo) { d.client.Cut(d.server) }, []any{"second", "first"}},
		{"the service is paused", func(d *duo) {
			d.server.Pause()
			d.At(sim.Time(sim.Minute), sim.PhaseFault, d.server.Resume)
		}, []any{"second", "third", "first"}},
		{"the service is killed and boots", func(d *duo) { d.server.Kill(0); d.server.Boot() }, []any{"second", "third"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var served []any
			d := newDuo(t, func(_ *sim.Node, r *sim.Request) { served = append(served, r.Body); r.Reply("ok", 0) }, func(d *duo) {
				if d.client.Incarnation() > 1 {
					return
				}
				d.ask("first", sim.Second)
				d.client.Send(d.server, d.Op("server.tell"), sim.Action{}, "second", 0)
				d.client.After(5*sim.Second, func() { d.client.Send(d.server, d.Op("server.tell"), sim.Action{}, "third", 0) })
			})
			d.Watch("server.ask/sent", func(h *sim.Hit) { h.Delay = 10 * sim.Second })
			d.At(sim.Time(2*sim.Second), sim.PhaseFault, func() { c.do(d) })
			require.Equal(t, sim.StopDrained, d.Run(sim.Time(sim.Hour)).Kind)
			require.Equal(t, c.served, served)
			require.Equal(t, []string{"first: timeout at 1s"}, d.heard)
		})
	}
	d := newDuo(t, func(*sim.Node, *sim.Request) {}, func(d *duo) { d.ask("", sim.Second) })
	d.Watch("server.ask/sent", func(h *sim.Hit) { h.Delay = -1 })
	require.Panics(t, func() { d.Run(sim.Time(sim.Second)) }, "a message cannot be early")
}

// replicas is a world that idles as a replicated log does: followers keep one fetch each parked at the leader, and ask
// again when it comes back or is given up; all is done by handlers.
type replicas struct {
	followers         int
	park, retry, scan sim.Duration
	timeout           sim.Duration
	cut               bool // the leader does not hear the last follower
	quiet             sim.Duration
}

func (c *replicas) play(everyEvent bool) *sim.World {
	w := sim.New(sim.Config{Seed: 3, Latency: rng.Uniform(int64(100*sim.Microsecond), int64(2*ms)), EveryEvent: everyEvent})
	defer w.Close()
	leader := w.Role("leader", func(n *sim.Node) sim.Handler {
		var scan func()
		scan = func() { n.AfterBackground(c.scan, scan) }
		scan()
		return handler(func(r *sim.Request) {
			if !r.Background() {
				r.Reply(nil, note(n, "work of "+r.From))
				return
			}
			n.AfterBackground(c.park, func() { r.Reply(nil, 0) })
		})
	})
	leader.Boot()
	for range c.followers {
		w.Role("follower", func(n *sim.Node) sim.Handler {
			var fetch func()
			fetch = func() {
				n.Call(leader, w.Op("leader.fetch"), sim.Action{}, nil, 0, c.timeout, func(_ any, _ int64, err error) {
					if err != nil {
						n.AfterBackground(c.retry, fetch)
						return
					}
					fetch()
				})
			}
			n.AfterBackground(0, fetch)
			return sim.NoHandler()
		}).Boot()
	}
	followers := w.Nodes("follower")
	if c.cut {
		followers[len(followers)-1].Cut(leader)
	}
	w.At(sim.Time(5*sim.Second), sim.PhaseFault, func() {
		w.Quiet(c.quiet, func() {
			for _, n := range followers {
				n.Call(leader, w.Op("leader.work"), sim.Action{}, nil, 0, sim.Second, func(_ any, _ int64, err error) { note(n, errText(err)) })
			}
		})
	})
	w.Run(sim.Time(15 * sim.Second).Add(c.quiet))
	return w
}

func errText(err error) string {
	if err != nil {
		return err.Error()
	}
	return "done"
}

// Quiet time passes by whole cycles over the calls of handlers, too, and shows in nothing but the number of events: also
// where nobody answers and each cycle is a timeout.
func TestALeapOverHandlersCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := func(lo, hi int, what string) sim.Duration {
			return sim.Duration(rapid.IntRange(lo, hi).Draw(t, what)) * 100 * ms
		}
		c := &replicas{followers: rapid.IntRange(1, 3).Draw(t, "followers"), park: steps(3, 8, "park"), retry: steps(0, 3, "retry"), scan: steps(5, 20, "scan"),
			timeout: steps(4, 30, "timeout"), cut: rapid.Bool().Draw(t, "cut"), quiet: rapid.SampledFrom([]sim.Duration{0, 10 * sim.Second, 3*sim.Minute + 7*ms}).Draw(t, "quiet")}
		slow, fast := c.play(true), c.play(false)
		require.Equal(t, slow.History.Facts, fast.History.Facts)
		require.Equal(t, slow.Pending(), fast.Pending())
		require.Equal(t, slow.Draw(rng.Background, sim.Action{}, 0), fast.Draw(rng.Background, sim.Action{}, 0))
		every, _ := slow.Executed()
		some, _ := fast.Executed()
		require.LessOrEqual(t, some, every)
	})
	day := &replicas{followers: 3, park: 500 * ms, retry: 100 * ms, scan: sim.Second, timeout: 2 * sim.Second, cut: true, quiet: 26 * sim.Hour}
	total, _ := day.play(false).Executed()
	require.Less(t, total, int64(2000), "a day and two hours")
}
