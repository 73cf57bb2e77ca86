package stack

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// deadLetter puts what is given up into a topic, with origin, reason and attempts, where a person finds it. Its
// position moves only after the log has acknowledged the record: while the log is away it waits.
type deadLetter struct{ topic string }

func newDeadLetter(p Params) model.Layer { return deadLetter{p.Topic} }

func (deadLetter) Name() string              { return "dead-letter" }
func (deadLetter) Needs() []model.Capability { return []model.Capability{model.EventID} }
func (deadLetter) Gives() []model.Capability { return nil }

// deadLetterPause is how long the layer waits before it tries to write a record again.
const deadLetterPause = sim.Second

// Install adds the topic and wraps the batch port: it must stand outside retry to see what retry gives up.
func (d deadLetter) Install(a model.Assembly, f model.Flow) {
	topic := d.topic
	if topic == "" {
		topic = f.Source + ".dlq"
	}
	a.Topic(topic, 1)
	a.OnBatch(func(inner model.Batch) model.Batch {
		return func(c model.Ctx, ms []model.Message) []model.Outcome {
			outcomes := inner(c, ms)
			for i := range outcomes {
				if outcomes[i].Is == model.Park || outcomes[i].Is == model.Retry {
					park(c, topic, ms[i], outcomes[i].Why)
					outcomes[i] = model.Outcome{Is: model.Done}
				}
			}
			return outcomes
		}
	})
}

// park writes the record until the log has it.
func park(c model.Ctx, topic string, m model.Message, why error) {
	reason := ""
	if why != nil {
		reason = why.Error()
	}
	m.Headers = fmt.Sprintf("topic=%s partition=%d offset=%d attempts=%d at=%d reason=%q", m.Topic, m.Partition, m.Offset, m.Attempt, c.Wall(), reason)
	for {
		err := c.With(m.Intent).Emit(topic, m)
		if err == nil {
			break
		}
		c.Sleep(deadLetterPause)
	}
	c.Record(history.Fact{Kind: history.KindParked, Event: m.Event, Key: m.Key, Cause: m.Cause, Resource: topic, Note: reason, Fence: -1, Offset: -1})
}
