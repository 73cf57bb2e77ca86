package storetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Run checks what every kind of store promises.
func Run(t *testing.T, k store.Kind) {
	for _, c := range []struct {
		promise string
		check   func(*testing.T, store.Kind)
	}{
		{"without faults it is its specification", sequential},
		{"every answer stays true through kills and power losses", underStops},
		{"of concurrent claims one is granted", oneGrant},
		{"what a kill left unflushed is not answered and then lost", killThenPowerLoss},
		{"the final state names what is undecided, also of a node that is down", finalState},
		{"with a window it forgets, by its own wall clock, and says so", windowed},
		{"two runs are the same run", sameDigest},
	} {
		t.Run(c.promise, func(t *testing.T) { c.check(t, k) })
	}
}

func drawSteps(t *rapid.T, n int) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			event: rapid.SampledFrom([]string{"order-1", "order-2"}).Draw(t, "event"),
			op:    rapid.SampledFrom([]string{store.OpClaim, store.OpClaim, store.OpDone, store.OpRelease}).Draw(t, "op"),
			token: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "token"),
		}
	}), 1, n).Draw(t, "steps")
}

func sequential(t *testing.T, k store.Kind) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRig(k, rapid.Uint64().Draw(t, "seed"))
		defer g.w.Close()
		g.dir.CallTimeout = sim.Second
		steps := drawSteps(t, 30)
		var got []string
		g.tasks = append(g.tasks, func(c *model.Context) {
			for _, s := range steps {
				result, err := s.ask(c)
				require.NoError(t, err)
				got = append(got, result)
			}
		})
		g.run()
		require.Len(t, got, len(steps))
		state := map[string]string{}
		for i, s := range steps {
			after, want := spec(state[s.event], s)
			require.Equal(t, want, got[i], "%d: %v in state %q", i, s, state[s.event])
			state[s.event] = after
		}
	})
}

// asked is a step with what its caller learned of it.
type asked struct {
	step
	result      string
	err         error
	incarnation int32 // of the store when it was asked
}

// underStops lets one client work through stops. An operation whose fate is unknown may take effect at once, later
// while the incarnation it was sent to lives, or never; so the specification is followed as a set of states.
func underStops(t *testing.T, k store.Kind) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRig(k, rapid.Uint64().Draw(t, "seed"))
		defer g.w.Close()
		for range rapid.IntRange(0, 5).Draw(t, "stops") {
			at := sim.Time(rapid.Int64Range(0, int64(200*sim.Millisecond)).Draw(t, "at"))
			power, down := rapid.Bool().Draw(t, "power"), sim.Duration(rapid.Int64Range(0, int64(15*sim.Millisecond)).Draw(t, "down"))
			g.w.At(at, sim.PhaseFault, func() { g.stop(power, down) })
		}
		var log []asked
		ask := func(c *model.Context, s step) {
			a := asked{step: s, incarnation: g.node.Incarnation()}
			a.result, a.err = s.ask(c)
			log = append(log, a)
		}
		steps := drawSteps(t, 30)
		g.tasks = append(g.tasks, func(c *model.Context) {
			for _, s := range steps {
				ask(c, s)
			}
			c.Sleep(sim.Minute)
			for _, event := range []string{"order-1", "order-2"} { // tells the states apart
				ask(c, step{event, store.OpClaim, "a"})
				ask(c, step{event, store.OpDone, "a"})
			}
		})
		g.run()
		require.Len(t, log, len(steps)+4)
		for _, event := range []string{"order-1", "order-2"} {
			possible(t, event, log)
		}
	})
}

// possible fails if no behaviour of the specification explains the answers about one record.
func possible(t *rapid.T, event string, log []asked) {
	states, floating := []string{""}, []asked(nil)
	for i, a := range log {
		if a.event != event {
			continue
		}
		for grown := true; grown; {
			grown = false
			for _, f := range floating {
				states, grown = withAfter(states, f.step, grown)
			}
		}
		floating = slices.DeleteFunc(floating, func(f asked) bool { return f.incarnation != a.incarnation })
		switch {
		case a.err == nil:
			var agree []string
			for _, s := range states {
				if after, result := spec(s, a.step); result == a.result && !slices.Contains(agree, after) {
					agree = append(agree, after)
				}
			}
			require.NotEmpty(t, agree, "answer %d of %v contradicts the states %q", i, log, states)
			states = agree
		case !model.Definite(a.err):
			states, _ = withAfter(states, a.step, false)
			floating = append(floating, a)
		}
	}
}

func withAfter(states []string, s step, grown bool) ([]string, bool) {
	for _, before := range states {
		if after, _ := spec(before, s); !slices.Contains(states, after) {
			states, grown = append(states, after), true
		}
	}
	return states, grown
}

func oneGrant(t *testing.T, k store.Kind) {
	for seed := range uint64(20) {
		g := newRig(k, seed)
		g.dir.CallTimeout = sim.Second
		got := map[string]int{}
		for i := range 8 {
			g.tasks = append(g.tasks, func(c *model.Context) {
				result, err := step{"order-1", store.OpClaim, string(rune('a' + i))}.ask(c)
				require.NoError(t, err)
				got[result]++
			})
		}
		g.run()
		g.w.Close()
		require.Equal(t, map[string]int{store.Granted: 1, store.Pending: 7}, got)
	}
}

// killThenPowerLoss: a claim is written, not flushed; the process is killed; the next one answers "pending" to
// somebody; the power goes. If that answer rested on the page cache, the claim is gone and is granted to the third.
func killThenPowerLoss(t *testing.T, k store.Kind) {
	for seed := range uint64(30) {
		g := newRig(k, seed)
		g.dir.CallTimeout = sim.Second
		killed := false
		g.w.Watch("dedup.disk.fsync/started", func(*sim.Hit) {
			if !killed {
				killed = true
				g.stop(false, 0)
			}
		})
		var answers []string
		g.tasks = append(g.tasks, func(c *model.Context) {
			_, err := step{"order-1", store.OpClaim, "a"}.ask(c)
			require.ErrorIs(t, err, sim.ErrReset)
			for _, token := range []string{"b", "c"} {
				result, err := step{"order-1", store.OpClaim, token}.ask(c)
				require.NoError(t, err)
				answers = append(answers, result)
				g.w.At(g.w.Now(), sim.PhaseFault, func() { g.stop(true, 0) })
				c.Sleep(sim.Millisecond)
			}
		})
		g.run()
		g.w.Close()
		require.Equal(t, []string{store.Pending, store.Pending}, answers)
	}
}

func finalState(t *testing.T, k store.Kind) {
	for _, down := range []bool{false, true} {
		g := newRig(k, 1)
		g.dir.CallTimeout = sim.Second
		g.tasks = append(g.tasks, func(c *model.Context) {
			for _, s := range []step{
				{"order-3", store.OpClaim, "a"},
				{"order-1", store.OpClaim, "a"},
				{"order-2", store.OpClaim, "a"}, {"order-2", store.OpDone, "a"},
				{"order-4", store.OpClaim, "a"}, {"order-4", store.OpRelease, "a"},
				{"order-3", store.OpRelease, "a"}, {"order-3", store.OpClaim, "b"},
			} {
				_, err := s.ask(c)
				require.NoError(t, err)
			}
		})
		g.run()
		if down {
			g.node.PowerLoss(0)
		}
		store.FinalState(g.node)
		g.w.Close()
		var held []string
		for _, f := range g.w.History.Facts {
			if f.Kind == history.KindHeld {
				require.Equal(t, []string{"undecided", store.Service, "pay"}, []string{f.Op, f.Resource, f.Stage})
				held = append(held, f.Event)
			}
		}
		require.Equal(t, []string{"order-3", "order-1"}, held)
	}
}

// windowed: a record counts from its last change, and a clock that jumps ahead takes it away early.
func windowed(t *testing.T, k store.Kind) {
	day := 24 * sim.Hour
	for _, c := range []struct {
		why    string
		window sim.Duration
		wait   sim.Duration // true time between done and the repetition
		skew   sim.Duration // of the store's wall clock, in between
		want   string
		header string
	}{
		{"inside the window", day, day - sim.Second, 0, store.Done, ""},
		{"after the window", day, day, 0, store.Granted, store.Expired},
		{"a clock that jumps ahead", day, sim.Second, day, store.Granted, store.Expired},
		{"a clock that jumps back", sim.Minute, 2 * sim.Minute, -sim.Hour, store.Done, ""},
		{"no window", 0, 400 * day, 0, store.Done, ""},
	} {
		g := newRigWith(k, 1, c.window)
		g.dir.CallTimeout = sim.Second
		var got model.Message
		g.tasks = append(g.tasks, func(ctx *model.Context) {
			for _, s := range []step{{"order-1", store.OpClaim, "a"}, {"order-1", store.OpDone, "a"}} {
				_, err := s.ask(ctx)
				require.NoError(t, err)
			}
			ctx.Sleep(c.wait)
			for _, n := range g.w.Nodes(store.Service) {
				n.SkewWall(c.skew)
			}
			var err error
			got, err = ctx.With(model.Intent{Event: "order-1", Stage: "pay"}).Call(store.Service, store.OpClaim, model.Message{Payload: "b"})
			require.NoError(t, err)
		})
		g.runFor(500 * day)
		g.w.Close()
		require.Equal(t, []string{c.want, c.header}, []string{got.Payload, got.Headers}, c.why)
	}
}

func sameDigest(t *testing.T, k store.Kind) {
	run := func(seed uint64) uint64 {
		g := newRig(k, seed)
		defer g.w.Close()
		g.w.At(sim.Time(20*sim.Millisecond), sim.PhaseFault, func() { g.stop(true, sim.Millisecond) })
		for i := range 4 {
			g.tasks = append(g.tasks, func(c *model.Context) {
				for range 10 {
					for _, op := range []string{store.OpClaim, store.OpRelease} {
						_, _ = step{"order-1", op, string(rune('a' + i))}.ask(c)
					}
				}
			})
		}
		g.run()
		store.FinalState(g.node)
		return g.w.Digest()
	}
	require.Equal(t, run(3), run(3))
	require.NotEqual(t, run(3), run(4))
}
