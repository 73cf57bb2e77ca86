package groups

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// moved is what a commit says of one partition.
type moved struct {
	offset     int64
	epoch      int32    // of the leader of the last record consumed; -1 = not known
	time       sim.Time // wall clock of the coordinator that took the commit
	generation int64    // under which it was asked for
	fact       int64    // the consumer's committing fact; 0 = none
	event      string   // of the request; "" = none
	seq        int64    // of its batch: which commit is the last
}

// position is what a group has committed in one partition: replicated.
type position struct {
	wire.TopicPartition
	moved
	under   int  // commits on their way to the followers
	leaving bool // its deletion is
}

// at is the group's position in a partition; nil = none.
func (g *group) at(topic string, partition int) *position {
	if i, ok := g.place(topic, partition); ok && g.positions[i].seq > 0 {
		return &g.positions[i]
	}
	return nil
}

func (g *group) place(topic string, partition int) (int, bool) {
	return slices.BinarySearchFunc(g.positions, wire.TopicPartition{Topic: topic, Partition: partition}, func(p position, t wire.TopicPartition) int {
		return byPartition(p.TopicPartition, t)
	})
}

// slot is where the position of a partition goes: one with seq 0 is none yet.
func (g *group) slot(topic string, partition int) *position {
	i, ok := g.place(topic, partition)
	if !ok {
		g.positions = slices.Insert(g.positions, i, position{TopicPartition: wire.TopicPartition{Topic: topic, Partition: partition}})
	}
	return &g.positions[i]
}

// take moves a position, unless a later batch has moved it: the last in the log wins, not the last to take effect.
func (g *group) take(topic string, partition int, o moved) bool {
	p := g.slot(topic, partition)
	if o.seq < p.seq {
		return false
	}
	p.moved, p.leaving = o, false
	return true
}

// commit moves positions and answers when that is replicated.
func (c *Coordinator) commit(r *sim.Request, req *wire.CommitRequest) {
	g := c.find(req.Group)
	if err := c.mayCommit(g, req.Member, req.Instance, req.Generation, false); err != nil {
		r.Fail(err, 0)
		return
	}
	if g == nil {
		g = c.create(req.Group)
	}
	if m := g.member(req.Member); m != nil {
		g.touch(m)
	}
	reply := wire.CommitReply{Errs: make([]error, len(req.Offsets))}
	offsets := c.known(req.Offsets, reply.Errs)
	if len(offsets) == 0 {
		r.Reply(reply, 0)
		return
	}
	c.store(g, r, req.Generation, offsets, reply)
}

// known leaves out partitions of which the broker does not know.
func (c *Coordinator) known(offsets []wire.GroupOffset, errs []error) []wire.GroupOffset {
	unknown := false
	for i := range offsets {
		if o := &offsets[i]; o.Partition < 0 || o.Partition >= c.h.Partitions(o.Topic) {
			errs[i], unknown = wire.ErrUnknownTopic, true
		}
	}
	if !unknown {
		return offsets
	}
	var rest []wire.GroupOffset
	for i := range offsets {
		if errs[i] == nil {
			rest = append(rest, offsets[i])
		}
	}
	return rest
}

// mayCommit is nil when the group takes a commit. A member that has not yet joined the rebalance may still commit what it
// did; once the new generation is issued, not: it would move the positions of its successor. Who is no member may while nobody
// is, and so may whoever gives no generation, whatever member it names: that is the hole through which a zombie without a
// generation comes. A transactional commit is not held up by the sync barrier, and one that names no member at all, as before
// KIP-447, is checked against nothing: the producer's epoch alone fences it.
func (c *Coordinator) mayCommit(g *group, member, instance string, generation int64, transactional bool) error {
	named := generation >= 0 || member != "" || instance != ""
	switch {
	case g == nil && generation >= 0:
		return wire.ErrIllegalGeneration
	case g == nil, generation < 0 && !g.inhabited():
		return nil
	case c.cfg.Planted.Has(model.UnfencedZombie):
		return nil
	case !named && transactional:
		return nil
	case !named:
		return wire.ErrUnknownMember
	case g.server != nil:
		return g.server.mayCommit(member, instance, generation)
	}
	m, err := g.valid(member, instance)
	switch {
	case err != nil:
		return err
	case generation != g.generation:
		return wire.ErrIllegalGeneration
	case !transactional && g.state == CompletingRebalance:
		g.touch(m)
		return wire.ErrRebalance
	}
	return nil
}

// batch is the records of a commit, and what they say.
func (c *Coordinator) batch(g *group, r *sim.Request, generation int64, offsets []wire.GroupOffset) (wire.Batch, []moved) {
	c.seq++
	b := wire.Batch{Sequence: -1, Messages: make([]model.Message, len(offsets))}
	said := make([]moved, len(offsets))
	for i := range offsets {
		o := &offsets[i]
		said[i] = moved{o.Offset, o.Epoch, c.n.Wall(), generation, o.Fact, r.Action.Event, c.seq}
		b.Messages[i] = message(offsetKey(g.name, o.Topic, o.Partition), said[i].encode())
	}
	return b, said
}

// store appends positions; they count when that is replicated.
func (c *Coordinator) store(g *group, r *sim.Request, generation int64, offsets []wire.GroupOffset, reply wire.CommitReply) {
	b, said := c.batch(g, r, generation, offsets)
	for i := range offsets {
		g.slot(offsets[i].Topic, offsets[i].Partition).under++
	}
	fact := int64(0)
	c.append(b, r.Action, &write{done: func(err error) {
		for i := range offsets {
			o := &offsets[i]
			g.slot(o.Topic, o.Partition).under--
			if err == nil && g.take(o.Topic, o.Partition, said[i]) {
				fact = c.committed(g, o.Topic, o.Partition, &said[i], "", 0)
			}
		}
		c.expectExpiryOfCommit(g)
	}, told: func(err error) { answerCommit(r, reply, fact, err) }})
}

// answerCommit tells what became of a commit. Where nobody can say, as where the leadership was lost with the record in the
// log, Kafka answers NOT_COORDINATOR or REQUEST_TIMED_OUT, on which clients act alike; only the second does not
// claim that nothing has happened.
func answerCommit(r *sim.Request, reply wire.CommitReply, fact int64, err error) {
	if errors.Is(err, wire.ErrNotCoordinator) {
		err = wire.ErrRequestTimedOut
	}
	if err != nil {
		r.Fail(err, 0)
		return
	}
	if r.Applied(); r.Alive() {
		r.Reply(reply, fact)
	}
}

// committed states that a position has moved. Of a transaction the producer's id is its Value.
func (c *Coordinator) committed(g *group, topic string, partition int, o *moved, producer string, taken sim.Time) int64 {
	return c.n.Record(history.Fact{Kind: history.KindCommitted, Event: o.event, Resource: model.PartitionName(topic, partition), Offset: o.offset,
		Fence: o.generation, Cause: o.fact, Op: g.name, Value: producer, Until: int64(taken)})
}

// offsets answers with the replicated positions.
func (c *Coordinator) offsets(r *sim.Request, req *wire.OffsetsRequest) {
	g := c.find(req.Group)
	stable := req.RequireStable && !c.cfg.Defects.Has(model.RequireStableIgnored)
	reply := wire.OffsetsReply{Offsets: make([]wire.CommittedOffset, len(req.Partitions))}
	for i, p := range req.Partitions {
		o := &reply.Offsets[i]
		o.Offset, o.Epoch = -1, -1
		if g == nil {
			continue
		}
		if stable && g.unstable(p) {
			o.Err = wire.ErrUnstableOffset
			continue
		}
		if at := g.at(p.Topic, p.Partition); at != nil {
			o.Offset, o.Epoch = at.offset, at.epoch
		}
	}
	r.Reply(reply, 0)
}

// unstable says whether a commit of the partition is under way: of a transaction that has not ended here, or on its way to the
// followers.
func (g *group) unstable(p wire.TopicPartition) bool {
	if i, ok := g.place(p.Topic, p.Partition); ok && g.positions[i].under > 0 {
		return true
	}
	return slices.ContainsFunc(g.pending, func(o pendingOffset) bool { return o.TopicPartition == p })
}
