package transactions

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// addPartitions takes partitions into the transaction, all or none, and begins it with the first. It is the producer's
// request, or from version 2 on that of a leader to which the first records came.
func (c *Coordinator) addPartitions(r *sim.Request, req *wire.AddPartitionsRequest) {
	if req.VerifyOnly {
		c.verify(r, req)
		return
	}
	for _, p := range req.Partitions {
		if p.Partition < 0 || p.Partition >= c.host.Partitions(p.Topic) {
			r.Fail(wire.ErrUnknownTopic, 0)
			return
		}
	}
	c.include(r, req.Transaction, req.Producer, req.Partitions)
}

// addOffsets takes the partition of a group's positions into the transaction.
func (c *Coordinator) addOffsets(r *sim.Request, req *wire.AddOffsetsRequest) {
	where := wire.TopicPartition{Topic: wire.OffsetsTopic, Partition: c.host.OffsetsPartition(req.Group)}
	c.include(r, req.Transaction, req.Producer, []wire.TopicPartition{where})
}

// verify says whether all partitions belong to the open transaction: what a leader asks before the first append. A
// transition under way is not looked at, for the leader checks the epoch once more when it appends.
func (c *Coordinator) verify(r *sim.Request, req *wire.AddPartitionsRequest) {
	t := c.ids[req.Transaction]
	switch {
	case t == nil || t.producer.ID != req.Producer.ID:
		r.Fail(wire.ErrInvalidMapping, 0)
	case t.producer.Epoch != req.Producer.Epoch:
		r.Fail(wire.ErrProducerFenced, 0)
	case t.state.deciding():
		r.Fail(wire.ErrConcurrentTxn, 0)
	case !t.contains(req.Partitions):
		r.Fail(wire.ErrTransactionAbort, 0)
	default:
		r.Reply(nil, 0)
	}
}

// include checks the producer and adds what is not yet in the transaction. Whether a transition is under way comes before
// the identity: a completion may be about to change it, and a producer that already has the new one is no zombie
// (KAFKA-18660).
func (c *Coordinator) include(r *sim.Request, name string, by wire.ProducerID, ps []wire.TopicPartition) {
	t := c.ids[name]
	switch {
	case t == nil:
		r.Fail(wire.ErrInvalidMapping, 0)
	case c.cfg.Defects.Has(model.EndDuringTeardown) && t.tearingDown(by):
		r.Reply(nil, 0)
	case t.moving:
		r.Fail(wire.ErrConcurrentTxn, 0)
	case t.producer.ID != by.ID:
		r.Fail(wire.ErrInvalidMapping, 0)
	case t.producer.Epoch != by.Epoch:
		r.Fail(wire.ErrProducerFenced, 0)
	case t.contains(ps):
		r.Reply(nil, 0)
	default:
		c.begin(r, t, ps)
	}
}

// tearingDown says whether the markers of the producer's transaction are still on their way.
func (t *transaction) tearingDown(by wire.ProducerID) bool {
	return t.state.deciding() && t.producer == by
}

// begin writes the transaction with the partitions, and answers when the log has that.
func (c *Coordinator) begin(r *sim.Request, t *transaction, ps []wire.TopicPartition) {
	next := t.to(Ongoing)
	next.partitions = slices.Clip(t.partitions)
	for _, p := range ps {
		if !slices.Contains(next.partitions, p) {
			next.partitions = append(next.partitions, p)
		}
	}
	if t.state != Ongoing {
		next.began, next.cause = next.updated, r.Fact
	}
	c.park(r)
	t.prepare(Ongoing, next.version)
	t.append(next, r.Action, func(err error) {
		if err != nil {
			t.settle()
			c.refuse(r, err)
			return
		}
		if c.cfg.Defects.Has(model.StartTimeChecked) && t.began != never && t.began > next.began {
			c.unpark(r) // it fails in the thread of a follower's fetch: nobody answers, and the transition stays announced
			return
		}
		t.complete(next)
		c.arm()
		c.reply(r, nil, 0)
	})
}
