package producer

import (
	"errors"

	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// result is what became of one try of a batch: the i-th of its request.
func (c *Client) result(r *request, i int, b *batch, res wire.ProduceResult) {
	if moved(res.Err) {
		c.cluster.Stale(b.part.topic.name)
		c.refresh(b.part.topic)
	}
	if b.done {
		return // given up meanwhile
	}
	switch {
	case res.Err == nil || errors.Is(res.Err, wire.ErrDuplicateSequence):
		c.taken(b, res)
	case c.mayRetry(b, res.Err):
		c.retry(b, res.Err, c.n.World().Draw(rng.Jitter, r.act, uint32(i)))
	default:
		c.note(b, res.Err)
		c.fail(b, c.ending(b, res.Err))
	}
}

// moved says whether an error tells that metadata is out of date: Kafka's InvalidMetadataException, and the end of a
// connection.
func moved(err error) bool {
	for _, e := range []error{wire.ErrNotLeader, wire.ErrLeaderNotAvailable, wire.ErrUnknownTopic, wire.ErrFencedLeaderEpoch, wire.ErrUnknownLeaderEpoch} {
		if errors.Is(err, e) {
			return true
		}
	}
	return err != nil && client.Unreachable(err)
}

// taken ends a batch that the log has. One that it says it had before, without saying where, counts as taken.
func (c *Client) taken(b *batch, res wire.ProduceResult) {
	if b.sequence >= 0 {
		b.part.seq.settled(b)
		b.part.seq.forget(b)
	}
	if res.Err != nil {
		res.Base, res.Stored = -1, nil
	}
	c.answer(b, nil, res.Stored, res.Base)
}

// note remembers the end of a try.
func (c *Client) note(b *batch, err error) {
	b.last = err
	b.maybe = b.maybe || !wire.Definite(err)
}

// mayRetry says whether the batch is tried again after this error.
func (c *Client) mayRetry(b *batch, err error) bool {
	if c.n.Now() >= c.deadline(b) || b.retries >= c.cfg.Retries || c.txn != nil && c.txn.state == FatalError {
		return false
	}
	if c.cfg.Idempotence {
		switch {
		case errors.Is(err, wire.ErrOutOfOrderSequence):
			return c.mayRetrySequence(b, false)
		case errors.Is(err, wire.ErrUnknownProducer):
			return c.mayRetrySequence(b, true)
		}
	}
	return wire.Retriable(err)
}

// retry puts a batch back to be tried again after the backoff, drawn from u.
func (c *Client) retry(b *batch, err error, u uint64) {
	c.note(b, err)
	b.retries++
	b.notYet = c.n.Now().Add(client.Spread(c.cfg.Backoff, c.cfg.BackoffMax, b.retries, u))
	c.requeue(b, c.cfg.InOrder)
}

// ending is why a batch is not tried again.
type ending uint8

const (
	expired  ending = iota // the delivery timeout or the retries are over: nobody knows of its number
	refused                // its log has said no to it for good: its number is free
	unlinked               // its log misses what is before it
)

func (c *Client) ending(b *batch, err error) ending {
	switch {
	case errors.Is(err, wire.ErrOutOfOrderSequence):
		return unlinked
	case b.retries < c.cfg.Retries && wire.Definite(err):
		return refused
	}
	return expired
}

// fail ends a batch that is not tried again.
func (c *Client) fail(b *batch, why ending) {
	err := b.last
	if b.maybe {
		err = &Uncertain{err}
	}
	if c.txn != nil {
		c.txn.batchFailed(b.last)
	}
	if b.sequence >= 0 {
		b.part.seq.forget(b)
		c.gap(b, why)
	}
	c.answer(b, err, nil, -1)
}

// gap follows from a numbered batch that has failed.
func (c *Client) gap(b *batch, why ending) {
	switch {
	case c.txn != nil && c.txn.state == FatalError || b.id != b.part.seq.id:
	case why == unlinked && c.txn == nil:
		c.wantsEpoch(b.part)
	case why == refused && (c.txn == nil || !b.maybe):
		c.closeGap(b)
	default:
		b.part.seq.unresolved = max(b.part.seq.unresolved, b.end())
	}
}

// deadline is when the delivery timeout of a batch ends.
func (c *Client) deadline(b *batch) sim.Time { return b.created.Add(c.cfg.DeliveryTimeout) }

// expire ends what has not been answered within its delivery timeout: in the queue it was never sent, or nobody knows; on
// the wire nobody knows. It refuses what has waited too long for room.
func (c *Client) expire(now sim.Time) {
	if len(c.waiting) > 0 && c.waiting[0].deadline <= now {
		err := ErrBlocked
		if c.cfg.Unassigned {
			err = ErrExpired
		}
		c.turnAway(err, func(w *waiter) bool { return w.deadline <= now })
		c.notTaken(err)
	}
	if now < c.oldest {
		return
	}
	c.oldest = never
	for _, p := range c.parts {
		c.expireWire(p, now)
		c.expireQueue(p, now)
	}
}

func (c *Client) expireWire(p *partition, now sim.Time) {
	for i := 0; i < len(p.flying); {
		b := p.flying[i]
		if at := c.deadline(b); at > now {
			c.oldest = min(c.oldest, at)
			i++
			continue
		}
		b.lands()
		c.note(b, sim.ErrTimeout)
		c.fail(b, expired)
	}
}

func (c *Client) expireQueue(p *partition, now sim.Time) {
	for len(p.queue) > 0 {
		b := p.queue[0]
		if at := c.deadline(b); at > now {
			c.oldest = min(c.oldest, at)
			return
		}
		if c.cfg.PerRecord && !b.sent && c.expireRecords(b, now) {
			continue
		}
		p.take(b)
		if b.last == nil {
			b.last = ErrExpired
		}
		c.fail(b, expired)
	}
}

// expireRecords ends those records of a batch that are late, and says whether others remain.
func (c *Client) expireRecords(b *batch, now sim.Time) bool {
	late := 0
	for late < len(b.records) && b.records[late].at.Add(c.cfg.DeliveryTimeout) <= now {
		late++
	}
	if late == 0 || late == len(b.records) {
		return false
	}
	ended := *b
	ended.messages, ended.records = b.messages[:late], b.records[:late]
	ended.charged = b.charged / len(b.records) * late
	b.messages, b.records = b.messages[late:], b.records[late:]
	b.charged -= ended.charged
	b.bytes = batchOverhead + (b.bytes-batchOverhead)/(late+len(b.records))*len(b.records)
	b.created = b.records[0].at
	ended.last = ErrExpired
	if c.txn != nil {
		c.txn.batchFailed(ended.last)
	}
	c.answer(&ended, ErrExpired, nil, -1)
	return true
}
