package groups

import (
	"slices"
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// pendingOffset is a commit that waits for the marker of its producer's transaction.
type pendingOffset struct {
	wire.TopicPartition
	moved
	producer int64
	taken    sim.Time // when this coordinator took it in, of the world; 0 = a former one did
	place    int64    // how many records this coordinator had appended with it: by that a marker knows what lies before it in the log
}

// txnCommit takes positions into a transaction: they move when its commit marker comes.
func (c *Coordinator) txnCommit(r *sim.Request, req *wire.TxnCommitRequest) {
	if c.cfg.Verify == nil {
		c.txnVerified(r, req)
		return
	}
	c.cfg.Verify(req, c.h.OffsetsPartition(req.Group), func(err error) {
		switch {
		case !r.Alive():
		case c.over:
			r.Fail(wire.ErrNotCoordinator, 0)
		case err != nil:
			r.Fail(err, 0)
		default:
			c.txnVerified(r, req)
		}
	})
}

func (c *Coordinator) txnVerified(r *sim.Request, req *wire.TxnCommitRequest) {
	g := c.find(req.Group)
	if err := c.mayCommit(g, req.Member, req.Instance, req.Generation, true); err != nil {
		r.Fail(err, 0)
		return
	}
	if g == nil {
		g = c.create(req.Group)
	}
	reply := wire.CommitReply{Errs: make([]error, len(req.Offsets))}
	offsets := c.known(req.Offsets, reply.Errs)
	if len(offsets) == 0 {
		r.Reply(reply, 0)
		return
	}
	c.storePending(g, r, req, offsets, reply)
}

// storePending appends positions of a transaction. They are pending from the append on, so that nobody who requires stable
// positions is told the old ones meanwhile.
func (c *Coordinator) storePending(g *group, r *sim.Request, req *wire.TxnCommitRequest, offsets []wire.GroupOffset, reply wire.CommitReply) {
	b, said := c.batch(g, r, req.Generation, offsets)
	b.Producer, b.Transactional = req.Producer, true
	inMemory := c.cfg.Defects.Has(model.TransactionalOffsetsInMemory)
	place := c.own
	if !inMemory {
		place += int64(len(b.Messages))
	}
	for i := range offsets {
		at := wire.TopicPartition{Topic: offsets[i].Topic, Partition: offsets[i].Partition}
		g.pending = append(g.pending, pendingOffset{TopicPartition: at, moved: said[i], producer: req.Producer.ID, taken: c.n.World().Now(), place: place})
	}
	if inMemory {
		answerCommit(r, reply, 0, nil)
		return
	}
	seq := c.seq
	c.append(b, r.Action, &write{done: func(err error) {
		if err != nil {
			g.pending = slices.DeleteFunc(g.pending, func(p pendingOffset) bool { return p.seq == seq })
		}
	}, told: func(err error) { answerCommit(r, reply, 0, err) }})
}

// Marker ends a transaction in this partition: what it had pending takes effect, or is dropped.
func (c *Coordinator) Marker(b wire.Batch) {
	if b.Control == wire.Data {
		panic("groups: a batch of records is no marker")
	}
	c.seq++
	before := b.Base - c.foreign // what lies before it that is not of this coordinator: what was loaded, and markers
	c.foreign++
	for _, g := range c.groups {
		c.endPending(g, &b, before, true)
	}
}

// endPending moves a group's positions as the transaction says, those that lie before its marker: what the producer has sent
// since is of its next one. A commit that lies behind the transaction's in the log has
// the last word, although it took effect before (in Kafka, the higher offset of the two records).
func (c *Coordinator) endPending(g *group, marker *wire.Batch, before int64, live bool) {
	commit := marker.Control == wire.CommitMarker
	var ended []pendingOffset
	g.pending = slices.DeleteFunc(g.pending, func(p pendingOffset) bool {
		if p.producer != marker.Producer.ID || p.place > before {
			return false
		}
		ended = append(ended, p)
		return true
	})
	for i := range ended {
		p := &ended[i]
		if commit && g.take(p.Topic, p.Partition, p.moved) && live {
			c.committed(g, p.Topic, p.Partition, &p.moved, strconv.FormatInt(p.producer, 10), p.taken)
		}
	}
	if !live || len(ended) == 0 {
		return
	}
	c.expectExpiry()
	if commit && c.cfg.Defects.Has(model.TransactionalOffsetsInMemory) {
		c.writeLate(g, ended)
	}
}

// writeLate appends, as plain commits, what a transaction has moved that was never in the log: the defect
// transactional-offsets-in-memory.
func (c *Coordinator) writeLate(g *group, ended []pendingOffset) {
	b := wire.Batch{Sequence: -1}
	for i := range ended {
		b.Messages = append(b.Messages, message(offsetKey(g.name, ended[i].Topic, ended[i].Partition), ended[i].encode()))
	}
	c.append(b, sim.Action{}, &write{done: func(error) {}, told: func(error) {}})
}
