package downstream_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	dt "github.com/twiceless/twiceless/model/downstream/downstreamtest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// under is a charge by the owner with that token.
func under(guard string, token int64) model.Message {
	m := dt.Message("order-1", 5)
	m.Guard, m.Fence = guard, token
	return m
}

// fencing runs a check for every kind that can refuse an earlier owner.
func fencing(t *testing.T, check func(t *testing.T, k downstream.Kind)) {
	for _, k := range downstream.Kinds() {
		if slices.Contains(k.Gives, model.ResourceFence) {
			t.Run(k.Name, func(t *testing.T) { check(t, k) })
		}
	}
}

// Two owners one after the other, and what the second request meets.
func TestFence(t *testing.T) {
	kill := func(g *dt.Rig) { g.Stop(dt.Stop{Down: sim.Millisecond}) }
	fencing(t, func(t *testing.T, k downstream.Kind) {
		for _, c := range []struct {
			name    string
			off     bool
			between func(*dt.Rig)
			second  model.Message
			err     error
		}{
			{name: "an earlier owner is refused", second: under("orders", 4), err: model.ErrFenced},
			{name: "the same owner goes on", second: under("orders", 5)},
			{name: "a later owner takes over", second: under("orders", 6)},
			{name: "another thing has other owners", second: under("invoices", 1)},
			{name: "who claims nothing is not fenced", second: under("", 0)},
			{name: "the highest token survives a stop", between: kill, second: under("orders", 4), err: model.ErrFenced},
			{name: "a service that does not fence serves everybody", off: true, second: under("orders", 4)},
		} {
			t.Run(c.name, func(t *testing.T) {
				g := dt.NewRig(k, 1, downstream.Config{Offer: &model.Offer{Fences: !c.off}})
				defer g.World.Close()
				var answers []dt.Answer
				g.Task(func(ctx *model.Context) {
					answers = append(answers, dt.Call(ctx, under("orders", 5)))
					if c.between != nil {
						g.World.At(g.World.Now(), sim.PhaseFault, func() { c.between(g) })
					}
					ctx.Sleep(100 * sim.Millisecond)
					answers = append(answers, dt.Call(ctx, c.second))
				})
				g.Run()
				require.NoError(t, answers[0].Err)
				require.ErrorIs(t, answers[1].Err, c.err)
				want := 2
				if c.err != nil {
					want = 1
					require.True(t, model.Definite(answers[1].Err))
				}
				require.Equal(t, want, g.OnDisk("order-1"))
				for _, f := range g.World.History.Facts {
					if f.Kind == history.KindCalled || f.Kind == history.KindApplied {
						require.Contains(t, []int64{5, c.second.Token()}, f.Fence)
					}
				}
			})
		}
	})
}

// A request that was let in is refused all the same if a later owner has come meanwhile, and its key is free again.
func TestFenceOvertakesARequestInWork(t *testing.T) {
	fencing(t, func(t *testing.T, k downstream.Kind) {
		g := dt.NewRig(k, 1, downstream.Config{Offer: &model.Offer{Fences: true, Keys: true}, Latency: rng.Constant(int64(100 * sim.Millisecond))})
		defer g.World.Close()
		var zombie, successor, again dt.Answer
		g.Task(func(c *model.Context) {
			m := under("orders", 4)
			m.IdempotencyKey = "k"
			zombie = dt.Call(c, m)
			m.Fence = 5
			again = dt.Call(c, m)
		})
		g.Task(func(c *model.Context) {
			c.Sleep(50 * sim.Millisecond)
			m := under("orders", 5)
			m.Event = "order-2"
			successor = dt.Call(c, m)
		})
		g.Run()
		require.ErrorIs(t, zombie.Err, model.ErrFenced)
		require.NoError(t, successor.Err)
		require.NoError(t, again.Err)
		require.Equal(t, 1, g.OnDisk("order-1"))
	})
}
