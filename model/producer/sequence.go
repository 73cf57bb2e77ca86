package producer

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// The client's half of idempotence (KIP-98, KIP-360). Each partition has its own sequence under an identity. A batch gets its
// number when it is sent first and keeps it, until the client takes a new epoch and numbers what is unanswered anew.
//
// Invariant, along the unanswered numbered batches of a partition: sequences follow each other without gap, up to next, as
// long as the partition has no unresolved sequence.

// identity is who the client is to the logs.
type identity struct {
	wire.ProducerID      // zero = not known yet
	asking          bool // an InitProducerId is under way
	notYet          sim.Time
	tries           int
	bump            bool         // a new epoch has to be taken
	renew           []*partition // whose batches are numbered anew with it
}

func (i identity) has() bool { return i.ID != 0 }

// String is id/epoch.
func (i identity) String() string { return fmt.Sprintf("%d/%d", i.ID, i.Epoch) }

// sequences is what the client knows of one partition's numbers.
type sequences struct {
	id         wire.ProducerID
	next       int64    // of the next record that is sent first
	acked      int64    // highest that the log is known to have; -1 = none
	open       []*batch // numbered and unanswered, by sequence
	unresolved int64    // the number behind a batch whose fate is not known; -1 = none
}

func fresh(id wire.ProducerID) sequences { return sequences{id: id, acked: -1, unresolved: -1} }

// end is the number behind the batch.
func (b *batch) end() int64 { return b.sequence + int64(len(b.messages)) }

// wireSequence is the sequence as logs have it: a client goes on counting where these begin at 0 again.
func (b *batch) wireSequence() int64 {
	if b.sequence < 0 {
		return b.sequence
	}
	return b.sequence & wire.MaxSequence
}

// number gives a batch its sequence when it is sent first.
func (c *Client) number(b *batch) {
	s := &b.part.seq
	if b.sequence >= 0 {
		return
	}
	if s.id != c.ids.ProducerID {
		if len(s.open) > 0 {
			panic("producer: a new identity beside batches of the old one")
		}
		*s = fresh(c.ids.ProducerID)
	}
	b.id, b.sequence = s.id, s.next
	s.next = b.end()
	s.open = append(s.open, b)
}

// blocks says whether a batch must not be sent for the sake of the sequence.
func (c *Client) blocks(b *batch) bool {
	s := &b.part.seq
	switch {
	case !c.ids.has():
		return true
	case b.sequence >= 0:
		return s.open[0] != b // retries one by one: each waits for what is before it
	case s.unresolved >= 0:
		return true // what would come next is not known
	}
	return s.id != c.ids.ProducerID && len(s.open) > 0
}

// settled notes a number that the log has.
func (s *sequences) settled(b *batch) { s.acked = max(s.acked, b.end()-1) }

// forget takes a batch out that is answered.
func (s *sequences) forget(b *batch) {
	if i := slices.Index(s.open, b); i >= 0 {
		s.open = slices.Delete(s.open, i, i+1)
	}
}

// isNext says whether a sequence follows what the log is known to have.
func (s *sequences) isNext(sequence int64) bool { return sequence == s.acked+1 }

// wantsEpoch has the client take a new epoch, with which what the partition has unanswered is numbered anew.
func (c *Client) wantsEpoch(p *partition) {
	c.ids.bump = true
	if !slices.Contains(c.ids.renew, p) {
		c.ids.renew = append(c.ids.renew, p)
	}
}

// identify takes a new epoch where one is wanted, and asks for an identity where there is none and records wait. The
// identity of a transactional client is its coordinator's to give.
func (c *Client) identify(now sim.Time) {
	if !c.cfg.Idempotence || c.txn != nil {
		return
	}
	if c.ids.bump && c.ids.has() {
		c.takeEpoch()
	}
	if c.ids.has() || c.ids.asking || c.records == 0 {
		return
	}
	if c.ids.notYet > now {
		c.wake(c.ids.notYet)
		return
	}
	c.ids.asking = true
	c.cluster.Any(wire.OpInitProducer, wire.InitProducerRequest{}, func(reply any, err error) {
		c.ids.asking = false
		if err != nil {
			c.ids.tries++
			c.ids.notYet = c.n.Now().Add(c.backoff.After(c.ids.tries))
		} else {
			c.ids.tries = 0
			c.becomes(reply.(wire.InitProducerReply).Producer)
		}
		c.drain()
	})
}

// takeEpoch is the bump by the client itself (KIP-360): an idempotent producer alone writes under its id, so it needs
// nobody's leave. Behind the last epoch comes a new id.
func (c *Client) takeEpoch() {
	if c.ids.Epoch == wire.MaxEpoch {
		c.ids.ProducerID = wire.ProducerID{} // what is to be numbered anew is when the new one comes
		return
	}
	c.becomes(wire.ProducerID{ID: c.ids.ID, Epoch: c.ids.Epoch + 1})
}

// becomes is a new identity. Partitions that want it number anew at once, others when nothing of them is unanswered.
func (c *Client) becomes(id wire.ProducerID) {
	c.ids.ProducerID = id
	for _, p := range c.ids.renew {
		p.renumber(id)
	}
	c.ids.bump, c.ids.renew = false, nil
}

// renumber begins the sequence of a partition at 0 under an identity. What is on the wire under the old numbers is answered
// for the batch all the same: if the log has taken it, what comes behind meets a gap and the client takes another
// epoch.
func (p *partition) renumber(id wire.ProducerID) {
	open := p.seq.open
	p.seq = fresh(id)
	for _, b := range open {
		b.id, b.sequence, b.renewed = id, p.seq.next, true
		p.seq.next = b.end()
	}
	p.seq.open = open
}

// resolve looks after partitions with a number whose fate was not known, once nothing of them is unanswered: if what came
// behind was taken, so was that; if not, the next number is not known, and only a new epoch helps.
func (c *Client) resolve() {
	if !c.cfg.Idempotence {
		return
	}
	for _, p := range c.parts {
		s := &p.seq
		if s.unresolved < 0 || len(s.open) > 0 {
			continue
		}
		if !s.isNext(s.next) {
			if c.txn != nil {
				c.txn.lost()
			} else {
				c.wantsEpoch(p)
			}
		}
		s.unresolved = -1
	}
}

// mayRetrySequence says whether a batch that its log refused for its number is tried again. A log that has lost a
// predecessor refuses all that comes behind: only the first of them tells of a gap.
func (c *Client) mayRetrySequence(b *batch, unknown bool) bool {
	s := &b.part.seq
	if unknown {
		if c.txn == nil && !b.renewed {
			c.wantsEpoch(b.part)
		}
		return c.txn == nil
	}
	if s.unresolved < 0 && (b.renewed || !s.isNext(b.sequence)) {
		return true
	}
	if c.txn != nil {
		if c.cfg.Defects.Has(model.EpochBumpInTransaction) {
			c.txn.bumpInside()
			return true
		}
		return false
	}
	if s.unresolved < 0 || b.sequence == s.unresolved {
		c.wantsEpoch(b.part)
	}
	return true
}

// closeGap follows from a batch that its log has refused for good: it has taken a number that the log will never have.
func (c *Client) closeGap(b *batch) {
	if c.txn == nil {
		c.wantsEpoch(b.part)
		return
	}
	s := &b.part.seq
	n := int64(len(b.messages))
	s.next -= n
	for _, later := range s.open {
		if later.sequence > b.sequence {
			later.sequence -= n
			later.renewed = true
		}
	}
}

// forgetSequences is a defect: what the client knew of a topic that a broker says is missing goes with it, so that the
// sequence begins again at 0 under the same epoch, and the log takes what comes for what it has.
func (c *Client) forgetSequences(name string) {
	for _, p := range c.topic(name).parts {
		open := p.seq.open
		p.seq = fresh(p.seq.id)
		for _, b := range open { // those go on under their numbers
			b.part.seq.open = append(b.part.seq.open, b)
		}
	}
}
