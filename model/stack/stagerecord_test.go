package stack_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// pipeline runs charge and then present, each through the layer, and keeps what is applied. The errors are answered by
// present, one a call; then it succeeds.
type pipeline struct {
	charge, present model.Call
	fails           []error
	applied         []string
}

func newPipeline(a *assembly) *pipeline {
	p := &pipeline{}
	stage := func(name string, fails *[]error) model.Call {
		return a.stages[name](func(_ model.Ctx, _ string, m model.Message) (model.Message, error) {
			p.applied = append(p.applied, name+" "+m.Event)
			if fails != nil && len(*fails) > 0 {
				err := (*fails)[0]
				*fails = (*fails)[1:]
				return m, err
			}
			m.Payload = name + " says " + m.Event
			return m, nil
		})
	}
	p.charge, p.present = stage("charge", nil), stage("present", &p.fails)
	return p
}

// handle is one run of the flow over a delivery; it gives what the last stage returned.
func (p *pipeline) handle(c model.Ctx, event string, delivery int64) (string, error) {
	m := message(event)
	m.Cause = delivery
	m, err := p.charge(c.With(m.Intent), "charge", m)
	if err != nil {
		return "", err
	}
	m.Cause, m.Stage = delivery, "present"
	m, err = p.present(c.With(m.Intent), "present", m)
	return m.Payload, err
}

func TestStageRecordGoesOnAtTheFirstIncompleteStage(t *testing.T) {
	for _, variant := range []string{"memory", "durable"} {
		g := newRig(t)
		p := newPipeline(install(t, "stage-record", map[string]string{"variant": variant}))
		p.fails = []error{model.ErrUnavailable, sim.ErrTimeout}
		var last string
		g.run(t, func(c *model.Context) {
			delivery := c.Record(history.Fact{Kind: history.KindDelivered, Fence: -1, Offset: -1})
			for range 4 {
				last, _ = p.handle(c, "order-1", delivery)
			}
		})
		require.Equal(t, []string{"charge order-1", "present order-1", "present order-1", "present order-1"}, p.applied, variant)
		require.Equal(t, "present says order-1", last, "what is skipped gives its first result")
	}

	off := newPipeline(&assembly{stages: map[string]func(model.Call) model.Call{"charge": bare, "present": bare}})
	off.fails = []error{model.ErrUnavailable}
	newRig(t).run(t, func(c *model.Context) {
		for range 2 {
			_, _ = off.handle(c, "order-1", 0)
		}
	})
	require.Equal(t, []string{"charge order-1", "present order-1", "charge order-1", "present order-1"}, off.applied, "without the layer all runs again")
}

func bare(inner model.Call) model.Call { return inner }

// A redelivery to another consumer finds the record only in a store.
func TestStageRecordOfAnotherConsumer(t *testing.T) {
	for variant, want := range map[string]int{"memory": 4, "durable": 2} {
		g := newRig(t)
		p := newPipeline(install(t, "stage-record", map[string]string{"variant": variant}))
		for range 2 { // the rig adds a node for each run
			g.run(t, func(c *model.Context) {
				_, err := p.handle(c, "order-1", c.Record(history.Fact{Kind: history.KindDelivered, Fence: -1, Offset: -1}))
				require.NoError(t, err)
			})
		}
		require.Len(t, p.applied, want, variant)
	}
}

// One question for each delivery, one record for each stage that calls somebody.
func TestStageRecordAsksOnce(t *testing.T) {
	g := newRig(t)
	a := install(t, "stage-record", nil)
	require.Equal(t, []model.StoreSpec{{Kind: "stage-records", Name: stack.StagesService}}, a.stores)
	p := newPipeline(a)
	p.fails = []error{model.ErrUnavailable}
	g.run(t, func(c *model.Context) {
		first := c.Record(history.Fact{Kind: history.KindDelivered, Fence: -1, Offset: -1})
		for _, delivery := range []int64{first, first, first + 1} {
			_, _ = p.handle(c, "order-1", delivery)
		}
	})
	var ops []string
	for _, f := range g.facts(history.KindCalled) {
		ops = append(ops, f.Op)
	}
	require.Equal(t, []string{"recall", "complete", "complete", "recall"}, ops)
}

// Without an answer of the store it is not known what is done: nothing begins. A record that cannot be written does
// not undo its stage.
func TestStageRecordWithoutItsStore(t *testing.T) {
	g := newRig(t)
	p := newPipeline(install(t, "stage-record", nil))
	g.done.Kill(0)
	g.run(t, func(c *model.Context) {
		_, err := p.handle(c, "order-1", 1)
		require.ErrorIs(t, err, model.ErrUnavailable)
		require.True(t, model.Definite(err))
		require.Empty(t, p.applied)

		g.w.At(g.w.Now(), sim.PhaseFault, g.done.Boot)
		c.Sleep(sim.Second)
		p.fails = []error{model.ErrUnavailable}
		_, err = p.handle(c, "order-2", 1)
		require.Error(t, err)
		g.w.At(g.w.Now(), sim.PhaseFault, func() { g.done.Kill(0) })
		c.Sleep(sim.Second)
		_, err = p.handle(c, "order-2", 1)
		require.NoError(t, err, "the effect took place")
	})
	require.Equal(t, []string{"charge order-2", "present order-2", "present order-2"}, p.applied)
}

func TestStageRecordCheck(t *testing.T) {
	require.Empty(t, flaws(t, "stage-record", stack.Site{Engine: "commit-after"}, nil))
	found := flaws(t, "stage-record", stack.Site{Engine: "commit-before"}, nil)
	require.True(t, slices.ContainsFunc(found, func(f stack.Flaw) bool { return f.Field == "" }))
}
