package downstream_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	dt "github.com/twiceless/twiceless/model/downstream/downstreamtest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
	"pgregory.net/rapid"
)

func kind(t require.TestingT, name string) downstream.Kind {
	k, ok := downstream.KindByName(name)
	require.True(t, ok)
	return k
}

// charge is a request under a key.
func charge(key string, amount int64) model.Message {
	m := dt.Message("order-1", amount)
	m.IdempotencyKey = key
	return m
}

func count(g *dt.Rig, k history.Kind) (n int) {
	for _, f := range g.World.History.Facts {
		if f.Kind == k {
			n++
		}
	}
	return n
}

// What happens between the first request, charge("k", 5), and a second one tells what the second meets.
func TestIdempotencyKey(t *testing.T) {
	day := 24 * sim.Hour
	kill := func(g *dt.Rig) { g.Stop(dt.Stop{Down: sim.Millisecond}) }
	powerLoss := func(g *dt.Rig) { g.Stop(dt.Stop{Down: sim.Millisecond, Power: true}) }
	for _, c := range []struct {
		name    string
		offer   *model.Offer
		between func(*dt.Rig)
		second  model.Message
		err     error
		applied int
	}{
		{"a repetition gets the first result", &model.Offer{Keys: true}, nil, charge("k", 5), nil, 1},
		{"another key is another request", &model.Offer{Keys: true}, nil, charge("k/attempt-2", 5), nil, 2},
		{"no key, no protection", &model.Offer{Keys: true}, nil, charge("", 5), nil, 2},
		{"a service that offers no keys ignores them", &model.Offer{}, nil, charge("k", 5), nil, 2},
		{"a service without an offer ignores them", nil, nil, charge("k", 5), nil, 2},
		{"other parameters are a mistake of the caller", &model.Offer{Keys: true}, nil, charge("k", 6), model.ErrMismatch, 1},
		{"a key survives a kill", &model.Offer{Keys: true}, kill, charge("k", 5), nil, 1},
		{"a key survives a power loss", &model.Offer{Keys: true}, powerLoss, charge("k", 5), nil, 1},
		{"just before its end a key still protects", &model.Offer{Keys: true, KeepKeys: day},
			func(g *dt.Rig) { g.Node.SkewWall(day - sim.Second) }, charge("k", 5), nil, 1},
		{"after its end the request is executed again", &model.Offer{Keys: true, KeepKeys: day},
			func(g *dt.Rig) { g.Node.SkewWall(day) }, charge("k", 5), nil, 2},
		{"an expired key takes other parameters", &model.Offer{Keys: true, KeepKeys: day},
			func(g *dt.Rig) { g.Node.SkewWall(day) }, charge("k", 6), nil, 2},
		{"a clock that jumps back keeps a key longer", &model.Offer{Keys: true, KeepKeys: sim.Minute},
			func(g *dt.Rig) { g.Node.SkewWall(-sim.Hour) }, charge("k", 5), nil, 1},
		{"age is counted from the first execution, not from a boot", &model.Offer{Keys: true, KeepKeys: day},
			func(g *dt.Rig) { kill(g); g.Node.SkewWall(day) }, charge("k", 5), nil, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := dt.NewRig(kind(t, "payments-api"), 1, downstream.Config{Offer: c.offer})
			defer g.World.Close()
			var first, second dt.Answer
			g.Task(func(ctx *model.Context) {
				first = dt.Call(ctx, charge("k", 5))
				if c.between != nil {
					g.World.At(g.World.Now(), sim.PhaseFault, func() { c.between(g) })
				}
				ctx.Sleep(100 * sim.Millisecond)
				second = dt.Call(ctx, c.second)
			})
			g.Run()
			require.NoError(t, first.Err)
			require.ErrorIs(t, second.Err, c.err)
			require.Equal(t, c.applied, g.OnDisk("order-1"))
			suppressed := c.err == nil && c.applied == 1
			require.Equal(t, suppressed, count(g, history.KindSuppressed) == 1)
			if c.err == nil {
				require.Equal(t, suppressed, first.Message.Payload == second.Message.Payload, "the first result")
			}
		})
	}
}

// A request under a key that is being executed is told so, also while its record is being flushed; when its turn
// never comes, because the node dies, the key is free again.
func TestKeyInProgress(t *testing.T) {
	for _, c := range []struct {
		name    string
		kill    string // at this step of the first request
		after   sim.Duration
		applied int
		errs    []error
	}{
		{"during the service time", "", 50 * sim.Millisecond, 1, []error{nil, model.ErrConflict}},
		{"during the flush", "", 150 * sim.Millisecond, 1, []error{nil, model.ErrConflict}},
		{"after the reply", "", 250 * sim.Millisecond, 1, []error{nil, nil}},
		{"killed before the write", "payments.disk.append/started", 150 * sim.Millisecond, 1, []error{sim.ErrReset, nil}},
		{"killed after the write", "payments.disk.fsync/started", 150 * sim.Millisecond, 1, []error{sim.ErrReset, nil}},
		{"killed after the effect", "payments.charge/applied", 250 * sim.Millisecond, 1, []error{sim.ErrReset, nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := dt.NewRig(kind(t, "payments-api"), 1, downstream.Config{Offer: &model.Offer{Keys: true},
				Latency: rng.Constant(int64(100 * sim.Millisecond)), Fsync: rng.Constant(int64(100 * sim.Millisecond))})
			defer g.World.Close()
			if c.kill != "" {
				done := false
				g.World.Watch(c.kill, func(*sim.Hit) {
					if !done {
						done = true
						g.Stop(dt.Stop{})
					}
				})
			}
			errs := make([]error, 2)
			g.Task(func(ctx *model.Context) { errs[0] = dt.Call(ctx, charge("k", 5)).Err })
			g.Task(func(ctx *model.Context) {
				ctx.Sleep(c.after)
				errs[1] = dt.Call(ctx, charge("k", 5)).Err
			})
			g.Run()
			require.Equal(t, c.errs, errs)
			require.Equal(t, c.applied, g.OnDisk("order-1"))
			facts, _ := g.Applied("order-1")
			require.Equal(t, c.applied, facts)
		})
	}
}

// A key for ever and a caller that repeats until it is answered: whatever stops the service, one application.
func TestKeyUnderStops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := dt.NewRig(kind(t, "payments-api"), rapid.Uint64().Draw(t, "seed"), downstream.Config{Offer: &model.Offer{Keys: true},
			Latency: rng.Uniform(0, int64(20*sim.Millisecond)), Fsync: rng.Uniform(0, int64(10*sim.Millisecond))})
		defer g.World.Close()
		g.Timeout(15 * sim.Millisecond)
		g.Schedule(dt.DrawStops(t))
		for i := range 5 {
			g.Task(func(c *model.Context) {
				m := dt.Message(dt.Event(i), 5)
				m.IdempotencyKey = m.Event
				for try := 0; try < 200 && dt.Call(c, m).Err != nil; try++ {
					c.Sleep(10 * sim.Millisecond)
				}
			})
		}
		g.Run()
		for i := range 5 {
			facts, _ := g.Applied(dt.Event(i))
			require.Equal(t, []int{1, 1}, []int{facts, g.OnDisk(dt.Event(i))})
		}
	})
}
