package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// idlers is a world that idles as a messaging system does: members poll a coordinator, which parks each poll for a
// while, and keep a session there alive.
type idlers struct {
	w           *sim.World
	members     int
	poll, beat  sim.Duration
	session     sim.Duration
	hourly      sim.Duration // a timer of the coordinator that writes a fact; 0 = none
	wall, drift int64        // of the coordinator's clocks: ns, and parts per million
	quiet       sim.Duration
	polls       []*poller
	bells       []sim.Time // when what runs beside asks for something, sorted
}

// bells is what runs beside such a world. It comes along in leaps and never goes back.
type bells struct {
	c   *idlers
	due []sim.Time
	now sim.Time
}

func (b *bells) Reach(t sim.Time) (sim.Time, func()) {
	if t < b.now {
		panic(fmt.Sprintf("at %v, asked to go back to %v", b.now, t))
	}
	if len(b.due) == 0 || b.due[0] > t {
		b.now = t
		return t, nil
	}
	b.now, b.due = b.due[0], b.due[1:]
	return b.now, func() { note(b.c.w.Nodes("hub")[0], "a bell") }
}

type poller struct{ last sim.Time } // when the loop last polled, as a client library notes it

type coordinator struct {
	c        *idlers
	sessions map[string]sim.Handle
}

func (k *coordinator) Receive(n *sim.Node, r *sim.Request) {
	switch r.Op {
	case "hub.poll":
		n.AfterBackground(k.c.poll, func() { r.Reply(nil, 0) })
	case "hub.beat":
		n.Cancel(k.sessions[r.From])
		k.sessions[r.From] = n.AfterBackground(k.c.session, func() { note(n, "session of "+r.From+" is over") })
		r.Reply(nil, 0)
	default:
		n.After(ms, func() { r.Reply(fmt.Sprint("at ", n.Wall()), 0) })
	}
}

func note(n *sim.Node, what string) int64 {
	return n.Record(history.Fact{Kind: history.KindPhase, Note: what, Fence: -1, Offset: -1})
}

// play builds the world, has it idle from 5 s on, and then asks what is left: each member does something that draws.
func (c *idlers) play(everyEvent bool) *sim.World {
	w := sim.New(sim.Config{Seed: 3, Latency: rng.Uniform(int64(100*sim.Microsecond), int64(2*ms)), EveryEvent: everyEvent,
		Beside: &bells{c: c, due: c.bells}})
	defer w.Close()
	c.w, c.polls = w, nil
	hub := w.Role("hub", func(n *sim.Node) sim.Handler {
		var tick func()
		tick = func() { note(n, "an hour"); n.AfterBackground(c.hourly, tick) }
		if c.hourly > 0 {
			n.AfterBackground(c.hourly, tick)
		}
		return &coordinator{c: c, sessions: map[string]sim.Handle{}}
	})
	hub.SkewWall(sim.Duration(c.wall))
	hub.Drift(c.drift, 7*c.wall%1000)
	hub.Boot()
	for range c.members {
		c.member(hub).Boot()
	}
	w.At(sim.Time(5*sim.Second), sim.PhaseFault, func() {
		w.Quiet(c.quiet, func() {
			for _, n := range w.Nodes("member") {
				n.Go("work", func(p *sim.Proc) {
					for range 3 {
						reply, _, _ := p.Call(hub, w.Op("hub.work"), sim.Action{}, nil, 0, sim.Second)
						note(n, fmt.Sprint(reply))
					}
				})
			}
		})
	})
	w.Run(sim.Time(15 * sim.Second).Add(c.quiet))
	return w
}

func (c *idlers) member(hub *sim.Node) *sim.Node {
	return c.w.Role("member", func(n *sim.Node) sim.Handler {
		m := &poller{}
		c.polls = append(c.polls, m)
		n.OnLeap(func(since sim.Time, by sim.Duration) {
			if m.last >= since {
				m.last = m.last.Add(by)
			}
		})
		n.GoBackground("poll", func(p *sim.Proc) {
			for {
				m.last = n.Now()
				_, _, _ = p.Call(hub, c.w.Op("hub.poll"), sim.Action{}, nil, 0, c.poll+sim.Second)
			}
		})
		n.GoBackground("beat", func(p *sim.Proc) {
			for {
				p.Sleep(c.beat)
				if n.Now().Sub(m.last) > 2*c.poll+sim.Second {
					note(n, "the loop hangs")
				}
				_, _, _ = p.Call(hub, c.w.Op("hub.beat"), sim.Action{}, nil, 0, sim.Second)
			}
		})
		return sim.NoHandler()
	})
}

// A leap over idle cycles shows in nothing but the number of events: the same facts at the same times, the same draws
// afterwards, the same state of what idles, whatever the periods and the clocks are, and whatever is asked for beside it.
func TestALeapIsTheSameAsEveryEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := func(lo, hi int) *rapid.Generator[sim.Duration] {
			return rapid.Map(rapid.IntRange(lo, hi), func(n int) sim.Duration { return sim.Duration(n) * 100 * ms })
		}
		c := &idlers{members: rapid.IntRange(1, 3).Draw(t, "members"), poll: steps(3, 8).Draw(t, "poll"), beat: steps(5, 20).Draw(t, "beat"),
			session: steps(15, 40).Draw(t, "session"), hourly: rapid.SampledFrom([]sim.Duration{0, 17 * sim.Second, sim.Minute}).Draw(t, "hourly"),
			wall: rapid.Int64Range(-int64(sim.Second), int64(sim.Second)).Draw(t, "wall"), drift: rapid.SampledFrom([]int64{0, 0, 0, 40}).Draw(t, "drift"),
			quiet: rapid.SampledFrom([]sim.Duration{0, 10 * sim.Second, 3*sim.Minute + 7*ms}).Draw(t, "quiet")}
		for range rapid.IntRange(0, 3).Draw(t, "bells") {
			c.bells = append(c.bells, sim.Time(rapid.Int64Range(int64(sim.Second), int64(3*sim.Minute)).Draw(t, "bell")))
		}
		slices.Sort(c.bells)
		slow := c.play(true)
		polls := c.polls
		fast := c.play(false)
		require.Equal(t, slow.History.Facts, fast.History.Facts)
		require.Equal(t, polls, c.polls)
		require.Equal(t, slow.Now(), fast.Now())
		require.Equal(t, slow.Pending(), fast.Pending())
		act := sim.Action{}
		require.Equal(t, slow.Draw(rng.Background, act, 0), fast.Draw(rng.Background, act, 0))
		every, _ := slow.Executed()
		some, _ := fast.Executed()
		require.LessOrEqual(t, some, every)
	})
}

// kafka are the periods of a Kafka client's defaults, nearly.
func kafka() *idlers {
	return &idlers{members: 3, poll: 500 * ms, beat: 2 * sim.Second, session: 6 * sim.Second, quiet: 26 * sim.Hour}
}

// A day and two hours of three members cost a few hundred events in place of a million.
func TestALeapIsLong(t *testing.T) {
	w := kafka().play(false)
	require.Equal(t, 1+3+9, len(w.History.Facts), "the nodes boot and work: no session ended, no loop hangs")
	total, _ := w.Executed()
	require.Less(t, total, int64(2000))
	require.Equal(t, sim.Time(26*sim.Hour+15*sim.Second), w.Now())
}

// What reads a wall clock after a leap reads the true time: a day and two hours have passed on it.
func TestClocksGoOnInALeap(t *testing.T) {
	c := kafka()
	c.wall = -int64(sim.Minute)
	c.play(false)
	hub, beginning := c.w.Node("hub-1"), sim.Time(26*sim.Hour+15*sim.Second)
	require.InDelta(t, int64(beginning.Add(-sim.Minute)), int64(hub.Wall()), float64(sim.Second), "with the skew, and what it drifts")
	require.Equal(t, beginning, hub.Now())
	require.Greater(t, c.polls[0].last, beginning.Add(-sim.Second), "the loop has polled just now")
}

// Where cycles cannot be trusted every event is executed: a watched hook may be a trigger that counts, a clock that
// drifts rounds each timer anew, a foreground event is work.
func TestNoLeapWhereSomethingHappens(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(c *idlers, w *sim.World)
	}{
		{"a watched hook", func(_ *idlers, w *sim.World) { w.Watch("hub.beat/arrived", func(*sim.Hit) {}) }},
		{"a lossy link", func(_ *idlers, w *sim.World) {
			w.Node("member-1").Lossy(w.Node("hub-1"), rng.Ratio{Num: 1, Den: 10})
		}},
		{"a fact", func(_ *idlers, w *sim.World) {
			w.Node("hub-1").GoBackground("scan", func(p *sim.Proc) {
				for {
					p.Sleep(500 * ms)
					note(p.Node(), "scanned")
				}
			})
		}},
		{"a draw", func(_ *idlers, w *sim.World) {
			w.Node("hub-1").GoBackground("scan", func(p *sim.Proc) {
				for {
					p.Sleep(500 * ms)
					w.Draw(rng.Background, sim.Action{}, 0)
				}
			})
		}},
		{"work", func(_ *idlers, w *sim.World) {
			w.Node("hub-1").Go("work", func(p *sim.Proc) {
				for {
					p.Sleep(500 * ms)
				}
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := func(everyEvent bool) int64 {
				w := sim.New(sim.Config{Seed: 3, Latency: rng.Constant(int64(ms)), EveryEvent: everyEvent})
				defer w.Close()
				k := kafka()
				k.w = w
				hub := w.Role("hub", func(*sim.Node) sim.Handler { return &coordinator{c: k, sessions: map[string]sim.Handle{}} })
				hub.Boot()
				k.member(hub).Boot()
				c.spoil(k, w)
				w.Quiet(sim.Minute, func() {})
				w.Run(sim.Time(sim.Minute))
				total, _ := w.Executed()
				return total
			}
			require.Equal(t, events(true), events(false))
		})
	}
}

// BenchmarkQuietDay is what 26 idle hours of a small system cost.
func BenchmarkQuietDay(b *testing.B) {
	c := kafka()
	for b.Loop() {
		c.play(false)
	}
}
