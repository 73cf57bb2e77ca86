package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// charging is an effect that answers each application with the next error of a list, and nil after it.
type charging struct {
	errs    []error
	applied int
}

func (e *charging) call(_ model.Ctx, _ string, m model.Message) (model.Message, error) {
	e.applied++
	if e.applied <= len(e.errs) {
		return m, e.errs[e.applied-1]
	}
	return m, nil
}

// deliver hands one event to the stage as often as it is told, each time as a new attempt.
func deliver(t *testing.T, g *rig, stage model.Call, times int) (errs []error) {
	t.Helper()
	g.run(t, func(c *model.Context) {
		for i := range times {
			m := message("order-1")
			m.Attempt = i + 1
			_, err := stage(c.With(m.Intent), "charge", m)
			errs = append(errs, err)
		}
	})
	return errs
}

// asked lists the operations on the store, each with its answer.
func asked(g *rig) (ops []string) {
	for _, f := range g.facts(history.KindComplete) {
		ops = append(ops, f.Op+" "+f.Value)
	}
	return ops
}

func TestDedupStoreSuppressesARepetition(t *testing.T) {
	g, e := newRig(t), &charging{}
	errs := deliver(t, g, install(t, "dedup-store", nil).stages["charge"](e.call), 2)
	require.Equal(t, []error{nil, nil}, errs)
	require.Equal(t, 1, e.applied)
	require.Equal(t, []string{"claim granted", "done ok", "claim done"}, asked(g))
	require.Len(t, g.facts(history.KindSuppressed), 1)

	off := &charging{}
	deliver(t, newRig(t), off.call, 2)
	require.Equal(t, 2, off.applied, "without the layer the repetition is applied")
}

// Nobody can know whether an effect with an unknown result took place: a person must look, and nothing is applied
// again.
func TestDedupStoreParksWhatIsUndecided(t *testing.T) {
	g, e := newRig(t), &charging{errs: []error{sim.ErrTimeout}}
	errs := deliver(t, g, install(t, "dedup-store", nil).stages["charge"](e.call), 2)
	require.Equal(t, []error{model.ErrUndecided, model.ErrUndecided}, errs)
	require.Equal(t, 1, e.applied)
	require.Equal(t, []string{"claim granted", "claim pending"}, asked(g))
}

func TestDedupStoreReleasesAfterADefiniteError(t *testing.T) {
	g, e := newRig(t), &charging{errs: []error{model.ErrUnavailable}}
	errs := deliver(t, g, install(t, "dedup-store", nil).stages["charge"](e.call), 2)
	require.Equal(t, []error{model.ErrUnavailable, nil}, errs)
	require.Equal(t, 2, e.applied)
	require.Equal(t, []string{"claim granted", "release ok", "claim granted", "done ok"}, asked(g))
}

// Without a claim no effect: a store that is away delays, and its absence is not a permission.
func TestDedupStoreAppliesNothingWithoutAClaim(t *testing.T) {
	g, e := newRig(t), &charging{}
	g.store.Kill(0)
	errs := deliver(t, g, install(t, "dedup-store", nil).stages["charge"](e.call), 1)
	require.Error(t, errs[0])
	require.NotErrorIs(t, errs[0], model.ErrUndecided, "another try may claim it")
	require.Zero(t, e.applied)
	require.Len(t, g.facts(history.KindInvoke), 5, "it asks some times before it lets the message be retried")
}

// An error of the mark is no error of the effect. The record stays pending, and a repetition is parked.
func TestDedupStoreLosesItsMark(t *testing.T) {
	g, e := newRig(t), &charging{}
	stage := install(t, "dedup-store", nil).stages["charge"](func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		g.store.Kill(0)
		g.w.At(g.w.Now().Add(sim.Minute), sim.PhaseFault, g.store.Boot)
		return e.call(c, stage, m)
	})
	var errs []error
	g.run(t, func(c *model.Context) {
		for i := range 2 {
			m := message("order-1")
			m.Attempt = i + 1
			_, err := stage(c.With(m.Intent), "charge", m)
			errs = append(errs, err)
			c.Sleep(2 * sim.Minute)
		}
	})
	require.Equal(t, []error{nil, model.ErrUndecided}, errs)
	require.Equal(t, 1, e.applied)
}

func TestDedupStoreGuardsCriticalEffectsOnly(t *testing.T) {
	a := install(t, "dedup-store", nil)
	require.Equal(t, []model.StoreSpec{{Kind: "durable", Name: stack.DedupService}}, a.stores)
	require.Len(t, a.stages, 1)
	require.Contains(t, a.stages, "charge")
}

// In the consumer's own process: it costs no call, recognises what this process has done, and a new process begins
// with nothing.
func TestDedupCacheLivesInOneProcess(t *testing.T) {
	cache := map[string]string{"variant": "cache"}
	a := install(t, "dedup-store", cache)
	require.Empty(t, a.stores)
	g, e := newRig(t), &charging{}
	stage := a.stages["charge"](e.call)
	require.Equal(t, []error{nil, nil}, deliver(t, g, stage, 2))
	require.Equal(t, 1, e.applied)
	require.Equal(t, []string{"claim granted", "done ok", "claim done"}, asked(g))
	require.Empty(t, g.facts(history.KindCalled))

	deliver(t, g, stage, 1) // another consumer: the rig adds a node for each run
	require.Equal(t, 2, e.applied)
}

func TestDedupCacheIsLostWithItsProcess(t *testing.T) {
	g, e := newRig(t), &charging{}
	stage := install(t, "dedup-store", map[string]string{"variant": "cache"}).stages["charge"](e.call)
	n := g.w.Role("consumer", func(n *sim.Node) sim.Handler {
		n.Go("test", func(p *sim.Proc) {
			m := message("order-1")
			_, err := stage(model.NewContext(p, &model.Directory{}).With(m.Intent), "charge", m)
			require.NoError(t, err)
		})
		return sim.NoHandler()
	})
	for range 2 {
		n.Boot()
		g.w.Run(g.w.Now().Add(sim.Second))
		n.Kill(0)
	}
	require.Equal(t, 2, e.applied)
}

// The cache parks as the store does: that an effect is undecided does not depend on where it is written down.
func TestDedupCacheParksAndReleases(t *testing.T) {
	e := &charging{errs: []error{model.ErrUnavailable, sim.ErrTimeout}}
	errs := deliver(t, newRig(t), install(t, "dedup-store", map[string]string{"variant": "cache"}).stages["charge"](e.call), 3)
	require.Equal(t, []error{model.ErrUnavailable, model.ErrUndecided, model.ErrUndecided}, errs)
	require.Equal(t, 2, e.applied)
}

// The cache in front saves the call, and only the call: another process is told by the store behind it.
func TestDedupCacheInFrontOfTheStore(t *testing.T) {
	g, e := newRig(t), &charging{}
	a := install(t, "dedup-store", map[string]string{"variant": "cached-durable", "window": "24h"})
	require.Equal(t, []model.StoreSpec{{Kind: "durable", Name: stack.DedupService, Window: 24 * sim.Hour}}, a.stores)
	stage := a.stages["charge"](e.call)
	deliver(t, g, stage, 2)
	require.Equal(t, []string{"claim granted", "done ok"}, asked(g), "the second is skipped without asking")
	deliver(t, g, stage, 2)
	require.Equal(t, []string{"claim granted", "done ok", "claim done"}, asked(g), "the other process asks once")
	require.Equal(t, 1, e.applied)
	require.Len(t, g.facts(history.KindSuppressed), 3)
}

func TestDedupStoreCheck(t *testing.T) {
	site := stack.Site{Engine: "commit-after"}
	require.Empty(t, flaws(t, "dedup-store", site, map[string]string{"variant": "cached-durable", "window": "1h"}))
	require.Equal(t, []stack.Flaw{{"window", "a cache lasts as long as its process and has no window; leave it out, or use variant: durable"}},
		flaws(t, "dedup-store", site, map[string]string{"variant": "cache", "window": "1h"}))
}
