package stack

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// retry runs a failed handler again, in place, after a delay that doubles from one bound up to the other. It blocks
// its partition meanwhile and keeps the order. It removes losses by passing errors and brings repetitions: the whole
// handler runs again, also the stages that had succeeded.
//
// Without a budget nothing is ever given up: the partition waits as long as the outage lasts, and what comes behind is
// late. A wait beyond the consumer's poll interval costs it its partitions, and the next owner waits at the same record.
type retry struct {
	backoff  string // exponential, or none: the layer does nothing
	from, to sim.Duration
	budget   int // tries after the first; 0 = no end
}

func (retry) Name() string              { return "retry" }
func (retry) Needs() []model.Capability { return nil }
func (retry) Gives() []model.Capability { return nil }

// Install wraps the batch port.
func (r retry) Install(a model.Assembly, _ model.Flow) {
	if r.backoff == "none" {
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
	event := m.Event
	for try, delay := 0, r.from; ; try++ {
		m.Attempt = try + 1
		if try > 0 && c.Planted(model.RetryChangesEventID) {
			m.Event = fmt.Sprintf("%s-try-%d", event, try+1)
		}
		o := inner(c, []model.Message{m})[0]
		o.Tries = try + 1
		if o.Is != model.Retry {
			return o
		}
		if r.budget > 0 && try == r.budget {
			return model.Outcome{Is: model.Park, Why: o.Why, Tries: o.Tries}
		}
		c.Sleep(max(delay, o.After))
		delay = min(2*delay, r.to)
	}
}

// delays is their sum: the longest outage that the layer survives without parking.
func (r retry) delays() (sum sim.Duration) {
	delay := r.from
	for range r.budget {
		sum += delay
		delay = min(2*delay, r.to)
	}
	return sum
}

func retryKind() LayerKind {
	return LayerKind{
		Name: retry{}.Name(),
		Doc:  "a failed handler runs again after a growing delay, in place (M23)",
		Params: []Param{
			{Name: "backoff", Type: OneOf, Of: "exponential|none", Default: "exponential", Doc: "How delays grow."},
			{Name: "from", Type: Duration, Min: "1ms", Max: "1h", Default: "100ms", Doc: "First delay."},
			{Name: "to", Type: Duration, Min: "1ms", Max: "24h", Default: "10s", Doc: "Longest delay."},
			{Name: "budget", Type: Count, Min: "0", Max: "1000", Unit: "tries", Default: "8", Doc: "Tries after the first. 0 = without end, so that nothing is given up."},
		},
		Check: checkRetry,
		Chain: func(v Values, run sim.Duration) sim.Duration {
			r := retryOf(v)
			switch {
			case r.backoff == "none":
				return run
			case r.budget == 0: // as long as the fault lasts; then the delay in which its end fell, and a run
				return r.to + 2*run
			}
			return r.delays() + sim.Duration(r.budget+1)*run
		},
		New: func(v Values) model.Layer { return retryOf(v) },
	}
}

func retryOf(v Values) retry {
	return retry{backoff: v.Word("backoff"), from: v.Duration("from"), to: v.Duration("to"), budget: v.Count("budget")}
}

func checkRetry(s *Site, v Values) {
	r := retryOf(v)
	if s.commitsBefore() {
		s.Report("", "commit-before moves the position on before the handler runs, so an event in work is gone with its consumer and nothing is left to try again; use engine: commit-after")
	}
	if r.backoff == "none" && (v.Given("from") || v.Given("to")) {
		s.Report("backoff", "none has no delays; leave out from and to, or use exponential")
	}
	if r.backoff != "none" && r.to < r.from {
		s.Report("to", "%s is shorter than from, %s", r.to, r.from)
	}
}
