package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// choreography is a throwaway spike of the composition contract: two services, a topic between them, each with
// a group of its own. The first runs every stage but the last and emits; the second runs the last.
type choreography struct{}

func (choreography) Name() string              { return "spike-choreography" }
func (choreography) Needs() []model.Capability { return nil }
func (choreography) Gives() []model.Capability { return nil }

func (choreography) Build(a model.Assembly, f model.Flow) {
	const between = "charged"
	a.Topic(between, 2)
	last := len(f.Stages) - 1
	a.Consume(f.Source, "charging", serving(a, f.Stages[:last], func(c model.Ctx, m model.Message) error {
		return c.With(m.Intent).Emit(between, m)
	}))
	a.Consume(between, "presenting", serving(a, f.Stages[last:], func(model.Ctx, model.Message) error { return nil }))
}

// service is one stage group: stages, then what follows, then commit.
func serving(a model.Assembly, stages []model.Stage, then func(model.Ctx, model.Message) error) func(model.Ctx, model.Consumer, model.Batch) {
	return func(c model.Ctx, in model.Consumer, _ model.Batch) {
		for {
			ms, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			for _, m := range ms {
				err := a.RunStages(c, m, stages)
				for err != nil { // a spike retries for ever
					c.Sleep(retryPause)
					err = a.RunStages(c, m, stages)
				}
				for then(c, m) != nil {
					c.Sleep(retryPause)
				}
				c.Record(history.Fact{Kind: history.KindHandled, Event: m.Event, Cause: m.Cause, Outcome: history.Acked, Fence: -1, Offset: -1})
			}
			_ = in.Commit(c, ms)
		}
	}
}

func TestSpikeChoreography(t *testing.T) {
	r := runSpike(t, choreography{}, nil)
	requireOnce(t, r)
	members := map[string]bool{}
	for _, f := range r.History.Facts {
		if f.Kind == history.KindDelivered {
			members[f.Node] = true
		}
	}
	require.True(t, members["consumer-1"] && members["presenting-1"], "both services took deliveries: %v", members)
}

// A kill of one service brings its events again; the other one goes on.
func TestSpikeChoreographyUnderKill(t *testing.T) {
	r := runSpike(t, choreography{}, []string{"when payments.charge/applied{event=order-5} #1 kill $caller for 1s"})
	require.Equal(t, int64(1), r.Row.FaultsFired)
	require.Positive(t, r.Row.Excess[history.Critical], "the charge of order-5 is applied again")
	require.Zero(t, r.Row.Losses())
}
