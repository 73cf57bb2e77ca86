package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// seen keeps the messages that reach the service.
type seen []model.Message

func (s *seen) call(_ model.Ctx, _ string, m model.Message) (model.Message, error) {
	*s = append(*s, m)
	return m, nil
}

func TestFenceByGenerationTellsTheServiceWhoCalls(t *testing.T) {
	a := install(t, "fence", nil)
	require.Empty(t, a.stores)
	require.Len(t, a.stages, 1, "only the critical effect")
	require.True(t, a.offers["payments"].Fences)
	var got seen
	deliver(t, newRig(t), a.stages["charge"](got.call), 1)
	require.Equal(t, "orders", got[0].Guard)
	require.Equal(t, int64(4), got[0].Fence)

	off := install(t, "fence", map[string]string{"variant": "none"})
	require.Empty(t, off.stages)
	require.Empty(t, off.offers)
}

// delivered is an event of partition 2, handed out under that generation.
func delivered(generation int64) model.Message {
	m := message("order-1")
	m.Generation = generation
	return m
}

// A lease is taken once in a generation and renewed by use; the token goes to the service only in the variant that
// has it checked there.
func TestFenceByLease(t *testing.T) {
	for _, variant := range []string{"lease", "token"} {
		g := newRig(t)
		a := install(t, "fence", map[string]string{"variant": variant})
		require.Equal(t, []model.StoreSpec{{Kind: "lease", Name: stack.LeaseService, Window: 10 * sim.Second}}, a.stores)
		var got seen
		stage := a.stages["charge"](got.call)
		g.run(t, func(c *model.Context) {
			for _, wait := range []sim.Duration{0, sim.Second, 10 * sim.Second, 0} {
				c.Sleep(wait)
				_, err := stage(c.With(message("order-1").Intent), "charge", delivered(4))
				require.NoError(t, err)
			}
			_, err := stage(c.With(message("order-1").Intent), "charge", delivered(6))
			require.NoError(t, err)
		})
		var ops []string
		for _, f := range g.facts(history.KindCalled) {
			ops = append(ops, f.Op)
		}
		require.Equal(t, []string{"acquire", "renew", "acquire"}, ops, "asked only when it must be")
		var tokens []int64
		for _, m := range got {
			tokens = append(tokens, m.Fence)
		}
		if variant == "token" {
			require.Equal(t, []int64{1, 1, 1, 1, 2}, tokens)
			require.Equal(t, "orders/2", got[0].Guard)
			require.True(t, a.offers["payments"].Fences)
		} else {
			require.Equal(t, []int64{0, 0, 0, 0, 0}, tokens)
			require.Nil(t, a.offers["payments"], "nothing is asked of the service")
		}
	}
}

// The successor waits until the lease of the first owner has run out. From then on the first owner is a zombie, and
// does not get the lease back in its generation, also when the successor has let it run out.
func TestFenceStopsAZombieAtItsOwnLease(t *testing.T) {
	g := newRig(t)
	stage := install(t, "fence", map[string]string{"variant": "token"}).stages["charge"](func(_ model.Ctx, _ string, m model.Message) (model.Message, error) {
		return m, nil
	})
	var waited sim.Duration
	var late []error
	other := func(fn func(*model.Context)) {
		dir := &model.Directory{Services: map[string]*sim.Node{stack.LeaseService: g.lease}, CallTimeout: 100 * sim.Millisecond}
		g.w.Role("successor", func(n *sim.Node) sim.Handler {
			n.Go("test", func(p *sim.Proc) { fn(model.NewContext(p, dir)) })
			return sim.NoHandler()
		}).Boot()
	}
	g.run(t, func(c *model.Context) {
		_, err := stage(c, "charge", delivered(4))
		require.NoError(t, err)
		other(func(c *model.Context) {
			began := c.Now()
			_, err := stage(c, "charge", delivered(5))
			require.NoError(t, err)
			waited = c.Now().Sub(began)
		})
		for _, pause := range []sim.Duration{15 * sim.Second, sim.Hour / 2} {
			c.Sleep(pause)
			_, err := stage(c, "charge", delivered(4))
			late = append(late, err)
		}
	})
	require.Equal(t, []error{model.ErrFenced, model.ErrFenced}, late)
	require.InDelta(t, int64(10*sim.Second), int64(waited), float64(sim.Second))
}

// A consumer that was paused before its first effect in its generation has no lease to lose. It gets none any more when
// its successor has had it, also when the successor has let it run out: its token would be the higher one.
func TestFenceStopsAZombieThatNeverHadALease(t *testing.T) {
	g := newRig(t)
	stage := install(t, "fence", map[string]string{"variant": "token"}).stages["charge"](func(_ model.Ctx, _ string, m model.Message) (model.Message, error) {
		return m, nil
	})
	g.run(t, func(c *model.Context) {
		_, err := stage(c, "charge", delivered(5))
		require.NoError(t, err)
	})
	g.run(t, func(c *model.Context) {
		c.Sleep(15 * sim.Second)
		_, err := stage(c, "charge", delivered(4))
		require.ErrorIs(t, err, model.ErrFenced)
		_, err = stage(c, "charge", delivered(4))
		require.ErrorIs(t, err, model.ErrFenced)
	})
}

// Without a lease no effect, and no doubt about it: the event may be tried again.
func TestFenceAppliesNothingWithoutALease(t *testing.T) {
	g, e := newRig(t), &charging{}
	g.lease.PowerLoss(0)
	errs := deliver(t, g, install(t, "fence", map[string]string{"variant": "token"}).stages["charge"](e.call), 1)
	require.ErrorIs(t, errs[0], model.ErrUnavailable)
	require.True(t, model.Definite(errs[0]))
	require.Zero(t, e.applied)
}

func TestFenceCheck(t *testing.T) {
	site := func(called ...stack.Service) stack.Site { return stack.Site{Engine: "commit-after", Called: called} }
	fences := stack.Service{Name: "payments", CanFence: true, OffersFence: true}
	could := stack.Service{Name: "payments", CanFence: true}
	cannot := stack.Service{Name: "bank"}
	for _, c := range []struct {
		site stack.Site
		with map[string]string
		want []stack.Flaw
	}{
		{site(fences), nil, nil},
		{site(cannot), map[string]string{"variant": "lease"}, nil},
		{site(cannot), map[string]string{"variant": "none"}, nil},
		{site(could), nil, []stack.Flaw{{"", "payments refuses nobody; set downstreams.payments.fencing: offered, or use the layer { idempotency-key: {} }"}}},
		{site(cannot), map[string]string{"variant": "token"}, []stack.Flaw{{"", "bank cannot refuse an earlier owner; use the layer { dedup-store: { variant: durable } }"}}},
		{site(fences), map[string]string{"lease": "5s"}, []stack.Flaw{{"lease", "generation takes no lease; leave it out, or use variant: token"}}},
	} {
		require.Equal(t, c.want, flaws(t, "fence", c.site, c.with))
	}
	found := flaws(t, "fence", stack.Site{Engine: "commit-before", Called: []stack.Service{fences}}, nil)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Message, "use engine: commit-after")
}
