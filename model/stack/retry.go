package stack

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// retry runs a failed handler again, in place, after a delay that doubles from From up to To. It blocks its
// partition meanwhile and keeps the order. The sum of the delays is the longest outage survived without parking.
// It removes losses by passing errors and brings repetitions: the whole handler runs again, also the stages that
// had succeeded.
type retry struct{ p Params }

func newRetry(p Params) model.Layer { return retry{p} }

func (retry) Name() string              { return "retry" }
func (retry) Needs() []model.Capability { return nil }
func (retry) Gives() []model.Capability { return nil }

// Install wraps the batch port.
func (r retry) Install(a model.Assembly, _ model.Flow) {
	if r.p.Backoff == "none" {
		return
	}
	a.OnBatch(func(inner model.Batch) model.Batch {
		return func(c model.Ctx, ms []model.Message) []model.Outcome {
			outcomes := make([]model.Outcome, 0, len(ms))
			for i := range ms { // one by one: a later message must not overtake one that is being retried
				outcomes = append(outcomes, r.persist(c, inner, ms[i]))
			}
			return outcomes
		}
	})
}

// persist handles one message until it is no longer to be retried or the budget is spent.
func (r retry) persist(c model.Ctx, inner model.Batch, m model.Message) model.Outcome {
	delay := r.p.From
	for try := 0; ; try++ {
		m.Attempt = try + 1
		o := inner(c, []model.Message{m})[0]
		if o.Is != model.Retry {
			return o
		}
		if try == r.p.Budget {
			return model.Outcome{Is: model.Park, Why: o.Why}
		}
		c.Sleep(max(delay, o.After))
		delay = min(2*delay, r.p.To)
	}
}

// Delays is the sum of a retry layer's delays: the longest outage it survives without parking.
func Delays(p Params) sim.Duration {
	var sum sim.Duration
	d := p.From
	for range p.Budget {
		sum += d
		d = min(2*d, p.To)
	}
	return sum
}
