package stack

import (
	"errors"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// deadLetter puts what is given up into a topic, with origin, reason and attempts, where a person finds it. Its
// position moves only after the log has acknowledged the record: while the log is away it waits.
//
// The person may be an operator who publishes the letters again, once whatever made them fail is over:
//
//	none      nobody does
//	original  each to its topic, with its id, key and correlation, so that a repetition is known as one. What is parked
//	          may have taken place (a charge whose replies were lost until the budget was spent), so that a replay is
//	          safe only where something recognises it: an idempotency key, a dedup store
//	new-id    under an id of its own. That is wrong: no key and no store knows it, and whoever waits for the event by its
//	          id waits for ever
type deadLetter struct {
	topic  string // "" = that of the flow with .dlq
	replay string
	after  sim.Duration
	rate   int // letters a second
}

func (deadLetter) Name() string              { return "dead-letter" }
func (deadLetter) Needs() []model.Capability { return []model.Capability{model.EventID} }
func (deadLetter) Gives() []model.Capability { return nil }

// The words of replay.
const (
	replayNone     = "none"
	replayOriginal = "original"
	replayNewID    = "new-id"
)

// deadLetterPause is how long the layer waits before it tries to write a record again.
const deadLetterPause = sim.Second

// Install adds the topic and wraps the batch port: it must stand outside retry to see what retry gives up.
func (d deadLetter) Install(a model.Assembly, f model.Flow) {
	topic := d.topic
	if topic == "" {
		topic = f.Source + ".dlq"
	}
	a.Topic(topic, 1)
	if d.replay != replayNone {
		a.ReplayDeadLetters(model.DeadLetterReplay{Topic: topic, After: d.after, PerSecond: d.rate, NewIDs: d.replay == replayNewID})
	}
	a.OnBatch(func(inner model.Batch) model.Batch {
		return func(c model.Ctx, ms []model.Message) []model.Outcome {
			outcomes := inner(c, ms)
			for i := range outcomes {
				if outcomes[i].Is == model.Park || outcomes[i].Is == model.Retry {
					park(c, topic, ms[i], outcomes[i])
					outcomes[i] = model.Outcome{Is: model.Done, Why: errParked}
				}
			}
			return outcomes
		}
	})
}

// errParked is with the outcome of what is done because it is in the topic of letters.
var errParked = errors.New("parked")

// goesOn says whether what the stages have made of a message is there for those behind them. What was given up or parked is not.
func goesOn(o model.Outcome) bool { return o.Is == model.Done && o.Why == nil }

// park writes the record until the log has it.
func park(c model.Ctx, topic string, m model.Message, o model.Outcome) {
	reason := ""
	if o.Why != nil {
		reason = o.Why.Error()
	}
	m.Headers = model.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Attempts: max(1, o.Tries), At: c.Wall(), Reason: reason}.Header()
	record := m
	if c.Planted(model.DeadLetterWithoutKey) {
		record.Key = ""
	}
	for {
		err := c.With(m.Intent).Emit(topic, record)
		if err == nil {
			break
		}
		c.Sleep(deadLetterPause)
	}
	c.Record(history.Fact{Kind: history.KindParked, Event: m.Event, Key: m.Key, Cause: m.Cause, Resource: topic, Note: reason, Fence: -1, Offset: -1})
}

func deadLetterKind() LayerKind {
	return LayerKind{
		Name: deadLetter{}.Name(),
		Doc:  "what is given up goes to a topic with its reason and origin, from where an operator may publish it again (M25)",
		Params: []Param{
			{Name: "topic", Type: Topic, Doc: "Topic of parked events; by default that of the workload with .dlq."},
			{Name: "replay", Type: OneOf, Of: "new-id|none|original", Default: replayNone, Doc: "Whether an operator publishes the letters again after the first drain, and under which id; with new-id nothing recognises a repetition."},
			{Name: "after", Type: Duration, Min: "0s", Max: "8784h", Default: "10m", Doc: "From the end of the first drain to the operator."},
			{Name: "rate", Type: Count, Min: "1", Max: "1000", Unit: "letters a second", Default: "2", Doc: "How fast the operator publishes: at full speed they would meet the services all at once."},
		},
		Check: checkDeadLetter,
		New: func(v Values) model.Layer {
			return deadLetter{v.Word("topic"), v.Word("replay"), v.Duration("after"), v.Count("rate")}
		},
	}
}

func checkDeadLetter(s *Site, v Values) {
	around, within := s.around(retry{}.Name()), s.within(retry{}.Name())
	switch {
	case s.commitsBefore():
		s.Report("", "commit-before never sees an event twice, so none is given up after several tries; use engine: commit-after and a retry layer")
	case !around && !within:
		s.Report("", "parks events that were tried in vain, but nothing tries again; add a layer { retry: {} }")
	}
	if within {
		s.Report("", "stands inside retry, so it would park at the first failure: the first layer of the list is the outermost; put dead-letter before retry")
	}
	for _, field := range []string{"after", "rate"} {
		if v.Word("replay") == replayNone && v.Given(field) {
			s.Report(field, "nobody publishes the letters again; leave it out, or add replay: %s", replayOriginal)
		}
	}
	if topic := v.Word("topic"); v.Given("topic") && topic == s.Source {
		s.Report("topic", "%s is the topic of the workload: parked events would come back at once; want another, such as %s.dlq", topic, topic)
	}
}
