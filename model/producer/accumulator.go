package producer

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// partition is what waits for one partition, and what is under way to it.
type partition struct {
	topic  *topic
	index  int
	queue  []*batch // waiting, oldest first but for retries; the last one may take more
	flying []*batch // on the wire
	seq    sequences
	in     membership // in the transaction
}

func (p *partition) name() string { return model.PartitionName(p.topic.name, p.index) }

// batch is records of one partition that go together. Once it was sent its messages are the wire's too, and nothing is
// added.
type batch struct {
	part     *partition
	messages []model.Message
	records  []delivery
	bytes    int
	charged  int // of the buffer
	order    int64
	created  sim.Time // of its first record; the delivery timeout counts from it
	notYet   sim.Time // not to be tried again before
	retries  int
	sent     bool // at least once: it takes no more records
	flying   bool
	done     bool // answered
	maybe    bool // some try may have been written
	last     error

	id       wire.ProducerID // zero = none
	sequence int64           // of the first record; -1 = none
	renewed  bool            // its sequence was given anew since it was sent
}

// delivery is what belongs to a record beside its message.
type delivery struct {
	done func(Result)
	at   sim.Time // hand-over
}

// waiter is a record without room or without metadata: a thread that stands in send, or a place in the queue of what has
// no partition yet.
type waiter struct {
	topic    *topic
	message  model.Message
	handed   delivery
	deadline sim.Time
	over     bool
	more     sim.Signal
}

// hand takes a record in, has it wait, or refuses it.
func (c *Client) hand(name string, m model.Message, done func(Result)) *waiter {
	t := c.topic(name)
	h := delivery{done, c.n.Now()}
	if c.txn != nil {
		if err := c.txn.refuses(); err != nil {
			done(Result{Err: err, Offset: -1})
			return nil
		}
	}
	if len(c.waiting) == 0 && c.admit(t, &m, h) {
		return nil
	}
	if err := c.refusesAtOnce(t); err != nil {
		c.notTaken(err)
		done(Result{Err: err, Offset: -1})
		return nil
	}
	return c.wait(t, m, h)
}

// refusesAtOnce is why a record that has no place now does not wait for one; nil = it waits. librdkafka's queue takes
// records without metadata, and none beyond its bounds.
func (c *Client) refusesAtOnce(t *topic) error {
	if !c.cfg.Unassigned {
		if c.cfg.MaxBlock == 0 {
			return ErrBlocked
		}
		return nil
	}
	noRoom := len(c.waiting) == 0 && c.cluster.Partitions(t.name) > 0
	if noRoom || c.records+len(c.waiting) >= c.cfg.BufferRecords {
		return ErrQueueFull
	}
	return nil
}

// notTaken follows from a record that found no place: a transaction that lacks it must not be committed (KafkaProducer.doSend).
func (c *Client) notTaken(err error) {
	if c.txn != nil {
		c.txn.batchFailed(err)
	}
}

// wait puts a record where it waits for room or metadata.
func (c *Client) wait(t *topic, m model.Message, h delivery) *waiter {
	within := c.cfg.MaxBlock
	if c.cfg.Unassigned {
		within = c.cfg.DeliveryTimeout
	}
	w := &waiter{topic: t, message: m, handed: h, deadline: h.at.Add(within)}
	c.waiting = append(c.waiting, w)
	c.wake(w.deadline)
	if first := c.waiting[0].topic; first != t && c.cluster.Partitions(first.name) == 0 {
		c.wake(h.at) // it stands behind one that waits for other metadata
	}
	return w
}

func (c *Client) topic(name string) *topic {
	for _, t := range c.topics {
		if t.name == name {
			return t
		}
	}
	t := &topic{name: name, act: wire.OpProduce + " " + name}
	c.topics = append(c.topics, t)
	return t
}

// admit puts a record into a batch if its topic is known and there is room.
func (c *Client) admit(t *topic, m *model.Message, h delivery) bool {
	n := c.cluster.Partitions(t.name)
	if n == 0 {
		c.refresh(t)
		return false
	}
	p := c.partition(t, int(rng.Below(rng.Hash(m.Key), uint64(n))))
	size := c.cfg.RecordBytes
	if size == 0 {
		size = RecordSize(m)
	}
	b := c.open(p, size)
	if b == nil {
		if b = c.begin(p, size, h.at); b == nil {
			return false
		}
	} else if !c.charge(b, size) {
		return false
	}
	b.messages, b.records = append(b.messages, *m), append(b.records, h)
	b.bytes += size
	c.records++
	if c.txn != nil {
		c.txn.uses(p)
	}
	return true
}

func (c *Client) partition(t *topic, index int) *partition {
	for _, p := range t.parts {
		if p.index == index {
			return p
		}
	}
	p := &partition{topic: t, index: index, seq: fresh(wire.ProducerID{})}
	t.parts = append(t.parts, p)
	c.parts = append(c.parts, p)
	return p
}

// open is the batch that takes one more record of that size; nil = none.
func (c *Client) open(p *partition, size int) *batch {
	if len(p.queue) == 0 {
		return nil
	}
	b := p.queue[len(p.queue)-1]
	if b.sent || b.sequence >= 0 {
		return nil
	}
	if len(b.messages) >= c.cfg.BatchRecords || b.bytes+size > c.cfg.BatchBytes {
		return nil
	}
	return b
}

// begin makes a new batch at the end of the queue, if there is room for it.
func (c *Client) begin(p *partition, size int, at sim.Time) *batch {
	if !c.cfg.Unassigned {
		at = c.n.Now() // Java's delivery timeout counts from when the record has got its room
	}
	b := &batch{part: p, created: at, bytes: batchOverhead, sequence: -1, order: c.batches}
	need := batchOverhead + size
	if c.cfg.Pooled {
		need = max(need, c.cfg.BatchBytes)
	}
	if c.records >= c.cfg.BufferRecords || c.buffered+need > c.cfg.BufferBytes {
		return nil
	}
	c.batches++
	b.charged = need
	c.buffered += need
	p.queue = append(p.queue, b)
	c.oldest = min(c.oldest, b.created.Add(c.cfg.DeliveryTimeout))
	if at := c.due(p, c.n.Now()); at != never {
		c.wake(at)
	} else {
		c.wake(c.n.Now()) // an identity, a transaction has to be asked for
	}
	return b
}

// charge takes the room for one more record of a batch, which has it already where room is given out in pieces.
func (c *Client) charge(b *batch, size int) bool {
	if c.records >= c.cfg.BufferRecords {
		return false
	}
	if c.cfg.Pooled {
		c.fill(b, size)
		return true
	}
	if c.buffered+size > c.cfg.BufferBytes {
		return false
	}
	b.charged += size
	c.buffered += size
	c.fill(b, size)
	return true
}

// fill has the sender look at a batch that is full with the record to come.
func (c *Client) fill(b *batch, size int) {
	if len(b.messages)+1 >= c.cfg.BatchRecords || b.bytes+size+recordOverhead >= c.cfg.BatchBytes {
		c.wake(c.n.Now())
	}
}

// full says whether a batch takes no more records, as far as one can say without seeing the next.
func (c *Client) full(b *batch) bool {
	return b.sent || len(b.messages) >= c.cfg.BatchRecords || b.bytes+recordOverhead >= c.cfg.BatchBytes
}

// letIn admits what waits, in order; behind a record without room nothing else gets any.
func (c *Client) letIn() {
	if len(c.waiting) == 0 {
		return
	}
	waiting := c.waiting
	c.waiting = nil
	var kept []*waiter
	for i, w := range waiting {
		if c.admit(w.topic, &w.message, w.handed) {
			w.leave()
			continue
		}
		kept = append(kept, w)
		if c.cluster.Partitions(w.topic.name) > 0 {
			kept = append(kept, waiting[i+1:]...)
			break
		}
	}
	c.waiting = append(kept, c.waiting...)
}

// leave ends the wait of a record.
func (w *waiter) leave() {
	if w.over {
		panic("producer: a record that waits no more left its place")
	}
	w.over = true
	w.more.Broadcast()
}

// turnAway refuses those of the waiting records that match.
func (c *Client) turnAway(err error, which func(*waiter) bool) {
	if len(c.waiting) == 0 || !slices.ContainsFunc(c.waiting, which) {
		return
	}
	waiting := c.waiting
	c.waiting = nil
	for _, w := range waiting {
		if !which(w) {
			c.waiting = append(c.waiting, w)
			continue
		}
		w.leave()
		w.handed.done(Result{Err: err, Offset: -1})
	}
}

// refresh asks for the metadata of a topic until it is known who leads what waits for it.
func (c *Client) refresh(t *topic) {
	if t.refreshing {
		return
	}
	t.refreshing = true
	c.cluster.Refresh(t.name, func(error) {
		t.refreshing = false
		c.drain()
	})
}

// answer ends a batch: each of its records learns what became of it.
func (c *Client) answer(b *batch, err error, stored []int64, base int64) {
	if b.done {
		panic("producer: a batch was answered twice")
	}
	b.done = true
	c.buffered -= b.charged
	c.records -= len(b.records)
	for i := range b.records {
		r := Result{Err: err, Offset: -1}
		if err == nil && stored != nil {
			r.Stored = stored[i]
		}
		if err == nil && base >= 0 {
			r.Offset = base + int64(i)
		}
		b.records[i].done(r)
	}
}
