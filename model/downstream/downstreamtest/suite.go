package downstreamtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Run checks what every kind of service promises.
func Run(t *testing.T, k downstream.Kind) {
	for _, c := range []struct {
		promise string
		check   func(*testing.T, downstream.Kind)
	}{
		{"an answered call is applied exactly once", appliedOnce},
		{"a repetition without a key is applied again", repeated},
		{"a service that refuses has not acted", refuses},
		{"a poison pill is rejected for ever, and nothing else is", rejectsPoison},
		{"a stop at any step of a call loses nothing answered and hides nothing applied", stopAtEachStep},
		{"what a kill left unflushed is not stated and then lost", killThenPowerLoss},
		{"stops at any time lose nothing answered and hide nothing applied", stopAnytime},
		{"effects start no faster than the capacity, and a long queue is refused", capacity},
		{"an action meets the same service time whatever else is called", sameDraws},
		{"two runs are the same run", sameDigest},
	} {
		t.Run(c.promise, func(t *testing.T) { c.check(t, k) })
	}
}

// busy is a service with a slow disk, so that stops fall between its steps.
func busy() downstream.Config {
	return downstream.Config{Latency: rng.Uniform(0, int64(5*sim.Millisecond)),
		Append: rng.Constant(int64(100 * sim.Microsecond)), Fsync: rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond))}
}

func appliedOnce(t *testing.T, k downstream.Kind) {
	g := NewRig(k, 1, busy())
	defer g.World.Close()
	var got []Answer
	g.Task(func(c *model.Context) {
		for i := range 20 {
			got = append(got, Call(c, Message(Event(i), int64(i))))
		}
	})
	g.Run()
	require.Len(t, got, 20)
	for i, a := range got {
		require.NoError(t, a.Err)
		require.Equal(t, Event(i), a.Message.Event, "the reply speaks of the request's intent")
		fact := g.World.History.At(returnedFor(g, a.Event).Cause)
		require.Equal(t, history.KindCalled, fact.Kind)
		require.Equal(t, 1, g.OnDisk(a.Event))
		facts, total := g.Applied(a.Event)
		require.Equal(t, []int{1, 20}, []int{facts, total})
	}
	for _, f := range g.World.History.Facts {
		if f.Kind == history.KindApplied {
			require.Equal(t, history.KindCalled, g.World.History.At(f.Cause).Kind, "an application is caused by a call")
			require.Equal(t, []any{Service, Op, "pay", "k-" + f.Event, int32(1), int64(-1), int64(-1), true, history.Critical},
				[]any{f.Resource, f.Op, f.Stage, f.Key, f.Attempt, f.Fence, f.Offset, f.Changed, f.Class})
			require.NotZero(t, f.Hash)
		}
	}
}

func returnedFor(g *Rig, event string) (f history.Fact) {
	for _, f = range g.World.History.Facts {
		if f.Kind == history.KindReturned && f.Event == event {
			break
		}
	}
	return f
}

func repeated(t *testing.T, k downstream.Kind) {
	g := NewRig(k, 1, busy())
	defer g.World.Close()
	results := map[string]bool{}
	g.Task(func(c *model.Context) {
		for range 3 {
			results[Call(c, Message("order-1", 5)).Message.Payload] = true
		}
	})
	g.Run()
	require.Equal(t, 3, g.OnDisk("order-1"))
	require.Len(t, results, 3, "each application has a result of its own")
}

func refuses(t *testing.T, k downstream.Kind) {
	cfg := busy()
	outage := true
	cfg.Refusing = func() bool { return outage }
	g := NewRig(k, 1, cfg)
	defer g.World.Close()
	var got []Answer
	g.Task(func(c *model.Context) {
		got = append(got, Call(c, Message("order-1", 5)))
		outage = false
		got = append(got, Call(c, Message("order-2", 5)))
	})
	g.Run()
	require.ErrorIs(t, got[0].Err, model.ErrUnavailable)
	require.True(t, model.Definite(got[0].Err))
	require.Equal(t, 2*sim.Millisecond, got[0].Took, "refused at the door: two network hops")
	require.NoError(t, got[1].Err)
	require.Equal(t, []int{0, 1}, []int{g.OnDisk("order-1"), g.OnDisk("order-2")})
}

func rejectsPoison(t *testing.T, k downstream.Kind) {
	cfg := busy()
	cfg.Poison = "order-1"
	g := NewRig(k, 1, cfg)
	defer g.World.Close()
	var got []Answer
	g.Task(func(c *model.Context) {
		for _, event := range []string{"order-1", "order-2", "order-1"} {
			got = append(got, Call(c, Message(event, 5)))
		}
	})
	g.Run()
	require.ErrorIs(t, got[0].Err, model.ErrRejected)
	require.True(t, model.Definite(got[0].Err))
	require.NoError(t, got[1].Err)
	require.ErrorIs(t, got[2].Err, model.ErrRejected, "trying again does not help")
	require.Equal(t, []int{0, 1}, []int{g.OnDisk("order-1"), g.OnDisk("order-2")})
}

// stopAtEachStep shows what the caller knows and what is on the disk after a stop at each step of a call. The caller
// calls again until it is answered, so a stop behind the write ends in two applications, both of them stated.
func stopAtEachStep(t *testing.T, k downstream.Kind) {
	for _, c := range []struct {
		step        string
		power       bool
		least, most int
	}{
		{step: "payments.charge/arrived", least: 1, most: 1},
		{step: "payments.disk.append/started", least: 1, most: 1},
		{step: "payments.disk.append/done", least: 2, most: 2},
		{step: "payments.disk.fsync/started", least: 2, most: 2},
		{step: "payments.disk.fsync/done", least: 2, most: 2},
		{step: "payments.charge/applied", least: 2, most: 2},
		{step: "payments.charge/replied", least: 2, most: 2},
		{step: "payments.charge/arrived", power: true, least: 1, most: 1},
		{step: "payments.disk.append/started", power: true, least: 1, most: 1},
		{step: "payments.disk.append/done", power: true, least: 1, most: 2},
		{step: "payments.disk.fsync/started", power: true, least: 1, most: 2},
		{step: "payments.disk.fsync/done", power: true, least: 1, most: 2},
		{step: "payments.charge/applied", power: true, least: 2, most: 2},
		{step: "payments.charge/replied", power: true, least: 2, most: 2},
	} {
		t.Run(fmt.Sprintf("%s power=%v", c.step, c.power), func(t *testing.T) {
			for seed := range uint64(20) {
				g := NewRig(k, seed, busy())
				g.Timeout(200 * sim.Millisecond)
				stopped := false
				g.World.Watch(c.step, func(*sim.Hit) {
					if !stopped {
						stopped = true
						g.Stop(Stop{Down: 50 * sim.Millisecond, Power: c.power})
					}
				})
				g.Task(func(c *model.Context) {
					for try := 0; try < 20 && Call(c, Message("order-1", 5)).Err != nil; try++ {
						c.Sleep(100 * sim.Millisecond)
					}
				})
				g.Run()
				facts, _ := g.Applied("order-1")
				g.World.Close()
				require.True(t, stopped)
				require.Equal(t, g.OnDisk("order-1"), facts, "every effect on the disk is stated, none twice")
				require.GreaterOrEqual(t, facts, c.least)
				require.LessOrEqual(t, facts, c.most)
			}
		})
	}
}

// killThenPowerLoss: an effect is written, not flushed; the process is killed; the next one finds it; the power goes.
// If that boot stated the effect from the page cache, a fact remains of an effect that is no more.
func killThenPowerLoss(t *testing.T, k downstream.Kind) {
	for seed := range uint64(40) {
		g := NewRig(k, seed, busy())
		killed := false
		g.World.Watch("payments.disk.fsync/started", func(*sim.Hit) {
			if !killed {
				killed = true
				g.Stop(Stop{})
				g.Schedule([]Stop{{At: sim.Duration(g.World.Now()) + sim.Duration(seed)*200*sim.Microsecond, Power: true}})
			}
		})
		g.Task(func(c *model.Context) { require.ErrorIs(t, Call(c, Message("order-1", 5)).Err, sim.ErrReset) })
		g.Run()
		facts, _ := g.Applied("order-1")
		g.World.Close()
		require.Equal(t, g.OnDisk("order-1"), facts)
	}
}

func stopAnytime(t *testing.T, k downstream.Kind) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewRig(k, rapid.Uint64().Draw(t, "seed"), busy())
		defer g.World.Close()
		g.Timeout(50 * sim.Millisecond)
		g.Schedule(DrawStops(t))
		acked := make([]int, 6)
		for i := range acked {
			g.Task(func(c *model.Context) {
				for range 10 {
					if Call(c, Message(Event(i), 5)).Err == nil {
						acked[i]++
					}
				}
			})
		}
		g.Run()
		for i, n := range acked {
			facts, _ := g.Applied(Event(i))
			require.GreaterOrEqual(t, g.OnDisk(Event(i)), n, "what was answered is on the disk")
			require.Equal(t, g.OnDisk(Event(i)), facts, "what is on the disk is stated")
		}
	})
}

// DrawStops draws up to six stops within the first 300 ms.
func DrawStops(t *rapid.T) []Stop {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Stop {
		return Stop{
			At:    sim.Duration(rapid.Int64Range(0, int64(300*sim.Millisecond)).Draw(t, "at")),
			Down:  sim.Duration(rapid.Int64Range(0, int64(20*sim.Millisecond)).Draw(t, "down")),
			Power: rapid.Bool().Draw(t, "power"),
		}
	}), 0, 6).Draw(t, "stops")
}

func capacity(t *testing.T, k downstream.Kind) {
	g := NewRig(k, 1, downstream.Config{CapacityPerSecond: 10})
	defer g.World.Close()
	var took []sim.Duration
	overloaded := 0
	for i := range 400 {
		g.Task(func(c *model.Context) {
			a := Call(c, Message(Event(i), 5))
			if a.Err != nil {
				require.ErrorIs(t, a.Err, model.ErrOverloaded)
				overloaded++
				return
			}
			took = append(took, a.Took)
		})
	}
	g.Run()
	require.Equal(t, 99, overloaded, "the 302nd would wait longer than 30 s")
	require.Len(t, took, 301)
	for i, d := range took {
		require.Equal(t, 2*sim.Millisecond+sim.Duration(i)*100*sim.Millisecond, d)
	}
	require.Len(t, downstream.Effects(g.Node), 301, "a refused request has not acted")
}

func sameDraws(t *testing.T, k downstream.Kind) {
	run := func(others int) (took []sim.Duration) {
		g := NewRig(k, 9, downstream.Config{Latency: rng.Uniform(0, int64(sim.Second))})
		defer g.World.Close()
		g.Task(func(c *model.Context) {
			for i := range others {
				Call(c, Message(Event(1000+i), 5))
			}
			for i := range 10 {
				took = append(took, Call(c, Message(Event(i), 5)).Took)
			}
		})
		g.Run()
		return took
	}
	alone := run(0)
	require.Equal(t, alone, run(25))
	require.NotEqual(t, alone[0], alone[1])
}

func sameDigest(t *testing.T, k downstream.Kind) {
	run := func(seed uint64) uint64 {
		g := NewRig(k, seed, busy())
		defer g.World.Close()
		g.Timeout(50 * sim.Millisecond)
		g.Schedule([]Stop{{At: 30 * sim.Millisecond, Down: 5 * sim.Millisecond}, {At: 80 * sim.Millisecond, Down: 5 * sim.Millisecond, Power: true}})
		for i := range 5 {
			g.Task(func(c *model.Context) {
				for range 10 {
					Call(c, Message(Event(i), 5))
				}
			})
		}
		g.Run()
		return g.World.Digest()
	}
	require.Equal(t, run(4), run(4))
	require.NotEqual(t, run(4), run(5))
}
