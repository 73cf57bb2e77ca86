package transactions

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// View is what tests see of an id.
type View struct {
	Name     string
	State    State
	Version  int
	Producer wire.ProducerID
	Began    sim.Time
	Moving   bool

	Partitions []wire.TopicPartition
	text       string
}

// Views of all ids, in the order in which they became known.
func (c *Coordinator) Views() (out []View) {
	for _, t := range c.order {
		out = append(out, t.view(t.name, t.moving, t.pending))
	}
	return out
}

// Decode is the view of a record.
func Decode(name, payload string) View {
	m := decode(payload)
	return m.view(name, false, Empty)
}

// Encode is a record of an id without a transaction.
func Encode(s State, producer wire.ProducerID, timeout sim.Duration) string {
	m := metadata{state: s, version: 2, producer: producer, lastEpoch: noEpoch, timeout: timeout, began: never}
	return m.encode()
}

// RoundTrip is a record read and written again.
func RoundTrip(payload string) string {
	m := decode(payload)
	return m.encode()
}

func (m *metadata) view(name string, moving bool, pending State) View {
	text := fmt.Sprintf("%v %d/%d", m.state, m.producer.ID, m.producer.Epoch)
	if len(m.partitions) > 0 {
		var ps []string
		for _, p := range m.partitions {
			ps = append(ps, fmt.Sprintf("%s/%d", p.Topic, p.Partition))
		}
		text += " [" + strings.Join(ps, " ") + "]"
	}
	if m.next != 0 {
		text += fmt.Sprintf(", then %d/0", m.next)
	}
	if moving {
		text += ", pending " + pending.String()
	}
	return View{name, m.state, m.version, m.producer, m.began, moving, m.partitions, text}
}

// Waiting counts what is on its way or waits to be.
func (m *Markers) Waiting() int {
	n := len(m.pending) + len(m.again)
	for _, q := range m.queues {
		n += len(q.waiting)
	}
	return n
}

// String tells the state, the producer, the partitions and the pending state.
func (v View) String() string { return v.text }

// Follows is the table of transitions.
func (s State) Follows(before State, version int) bool { return s.follows(before, version) }
