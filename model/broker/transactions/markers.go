package transactions

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Markers is how the coordinators of a broker have markers written by the leaders of partitions: one request at a time to
// each broker, with all that waits for it; what a leader does not take is sent again until somebody does, to whoever leads
// by then. There is one for each incarnation of a broker: it knows no partition of the topic of transactions, so what comes
// back for a coordinator that has ended meets its successor's (TransactionMarkerChannelManager).
type Markers struct {
	n       *sim.Node
	cfg     Config
	op      sim.Op
	pending map[string]*completion // by transactional id; looked up only
	queues  []*queue               // in the order in which they were first needed
	again   []entry                // wait for the backoff
	backoff bool                   // its timer is set
}

// NewMarkers makes that of a broker's incarnation.
func NewMarkers(n *sim.Node, cfg Config) *Markers {
	return &Markers{n: n, cfg: cfg.filled(), op: n.World().Op(wire.Broker + "." + wire.OpMarkers), pending: map[string]*completion{}}
}

// completion is a decision on its way to the partitions.
type completion struct {
	t        *transaction
	next     metadata // when they have it
	epoch    int32    // of the coordinator
	left     []wire.TopicPartition
	answered sim.Time // the last answer of a leader, on the node's monotonic clock
}

// entry is the markers of one transaction for one broker.
type entry struct {
	of         *completion
	partitions []wire.TopicPartition
}

// queue is what waits for one broker.
type queue struct {
	to      *sim.Node
	waiting []entry
	busy    bool // a request is under way
}

// add begins to send the markers of a decision.
func (m *Markers) add(d *completion) {
	m.pending[d.t.name] = d
	if len(d.left) == 0 {
		m.maybeComplete(d)
		return
	}
	m.sort(entry{d, d.left})
	m.flush()
}

// sort puts partitions into the queues of their leaders.
func (m *Markers) sort(e entry) {
	for _, p := range e.partitions {
		leader := e.of.t.c.host.Leader(p.Topic, p.Partition)
		if leader == nil {
			m.later(entry{e.of, []wire.TopicPartition{p}})
			continue
		}
		q := m.queue(leader)
		if k := len(q.waiting) - 1; k >= 0 && q.waiting[k].of == e.of {
			q.waiting[k].partitions = append(slices.Clip(q.waiting[k].partitions), p)
		} else {
			q.waiting = append(q.waiting, entry{e.of, []wire.TopicPartition{p}})
		}
	}
}

func (m *Markers) queue(to *sim.Node) *queue {
	for _, q := range m.queues {
		if q.to == to {
			return q
		}
	}
	q := &queue{to: to}
	m.queues = append(m.queues, q)
	return q
}

// flush sends what waits for brokers that nothing is under way to. Its hooks may end the broker.
func (m *Markers) flush() {
	inc := m.n.Incarnation()
	for _, q := range m.queues {
		if q.busy || len(q.waiting) == 0 {
			continue
		}
		if !m.n.Up() || m.n.Incarnation() != inc {
			return
		}
		m.send(q)
	}
}

func (m *Markers) send(q *queue) {
	sent := q.waiting
	q.waiting, q.busy = nil, true
	req := wire.MarkersRequest{Markers: make([]wire.Marker, len(sent))}
	for i, e := range sent {
		t := e.of.t
		req.Markers[i] = wire.Marker{
			Producer: t.producer, Commit: t.state == PrepareCommit, CoordinatorEpoch: e.of.epoch, Partitions: e.partitions, Fact: t.fact,
		}
	}
	m.n.Call(q.to, m.op, sim.Action{}, req, sent[0].of.t.fact, m.cfg.RequestTimeout, func(body any, _ int64, err error) {
		q.busy = false
		reply, _ := body.(wire.MarkersReply)
		for i, e := range sent {
			if err != nil {
				m.unanswered(e)
			} else {
				m.answered(e, reply.Errs[i])
			}
		}
		m.flush()
	})
}

// unanswered sends all of an entry again, for it may or may not have been written.
func (m *Markers) unanswered(e entry) {
	if !e.of.t.c.live() {
		m.forget(e.of)
		return
	}
	m.later(e)
}

// answered sees which partitions have their marker. A leader that knows a later epoch of the producer, or of the
// coordinator, says that somebody else ends the transaction: nothing more is sent then.
func (m *Markers) answered(e entry, errs []error) {
	d := e.of
	if !d.t.c.live() {
		m.forget(d)
		return
	}
	before := d.answered
	d.answered = m.n.Now()
	var retry []wire.TopicPartition
	for i, err := range errs {
		switch p := e.partitions[i]; {
		case err == nil:
			d.mark(p)
		case errors.Is(err, wire.ErrInvalidProducer), errors.Is(err, wire.ErrCoordinatorFenced):
			m.forget(d)
			return
		default:
			retry = append(retry, p)
		}
	}
	if retry != nil {
		m.later(entry{d, retry})
		return
	}
	if m.maybeComplete(d) && before > 0 && d.answered.Sub(before) < raceWindow && d.t.c.cfg.Defects.Has(model.CompletionTwice) {
		m.n.After(preempted, func() { d.t.c.completeOnceMore(d) })
	}
}

// mark notes that a partition has its marker.
func (d *completion) mark(p wire.TopicPartition) {
	i := slices.Index(d.left, p)
	if i < 0 {
		panic("transactions: " + d.t.name + " has a marker twice")
	}
	d.left = slices.Concat(d.left[:i], d.left[i+1:])
}

// later keeps partitions for the end of the backoff, on the node's monotonic clock.
func (m *Markers) later(e entry) {
	m.again = append(m.again, e)
	if !m.backoff {
		m.backoff = true
		m.n.After(m.cfg.Backoff, m.retry)
	}
}

func (m *Markers) retry() {
	again := m.again
	m.again, m.backoff = nil, false
	for _, e := range again {
		m.sort(e)
	}
	m.flush()
}

// maybeComplete has the completion written when every partition has its marker, and says whether it was.
func (m *Markers) maybeComplete(d *completion) bool {
	c := d.t.c
	switch {
	case len(d.left) > 0 || m.pending[d.t.name] != d:
		return false
	case c.cfg.Defects.Has(model.CompletionLostToLock) && c.appends > 0: // the lock is another's, and nobody tries again
		return false
	}
	delete(m.pending, d.t.name)
	c.complete(d)
	return true
}

// forget ends what is on its way, but for what has taken its place (KAFKA-16352).
func (m *Markers) forget(d *completion) {
	if m.pending[d.t.name] == d || d.t.c.cfg.Defects.Has(model.CompletionForgotten) {
		delete(m.pending, d.t.name)
	}
}

// drop takes out what waits of a coordinator that ends. What is under way comes back and finds it gone.
func (m *Markers) drop(c *Coordinator) {
	ended := func(e entry) bool { return e.of.t.c == c }
	for _, q := range m.queues {
		q.waiting = slices.DeleteFunc(q.waiting, ended)
	}
	m.again = slices.DeleteFunc(m.again, ended)
	for _, t := range c.order {
		delete(m.pending, t.name)
	}
}

// complete writes the completion. The transition stays announced until the log has it: nothing else can happen to the id.
func (c *Coordinator) complete(d *completion) {
	next := d.next
	next.updated = c.host.Node().Wall()
	d.t.append(next, sim.Action{}, func(err error) {
		if err == nil {
			d.t.complete(next)
			return
		}
		c.host.Node().After(c.cfg.Backoff, func() {
			if c.live() {
				c.complete(d)
			}
		})
	})
}

// The race of KAFKA-10080, of which one world has one order: two threads that handle the answers of two leaders so close to
// each other both find every marker written, and the second is interrupted before it writes.
const (
	raceWindow = sim.Millisecond
	preempted  = 100 * sim.Millisecond
)

// completeOnceMore writes a completion that was written before. Nothing comes of it here, but who reads the log takes the
// transaction that has begun since for ended.
func (c *Coordinator) completeOnceMore(d *completion) {
	if c.live() {
		d.t.append(d.next, sim.Action{}, func(error) {})
	}
}
