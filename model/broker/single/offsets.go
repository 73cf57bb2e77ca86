package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// commit moves positions and answers when that is durable.
func (b *Broker) commit(r *sim.Request, req *model.CommitRequest) {
	g, m := b.find(req.Group, req.Member)
	if t := b.topic(req.Topic); g == nil && t != nil && simple(req) {
		g = b.create(req.Group, t)
	}
	if err := b.mayCommit(g, m, req); err != nil {
		r.Fail(err, 0)
		return
	}
	if m != nil {
		g.touch(m)
	}
	b.n.Append(g.file.file, committedRecord(req.Offsets), r.Action, nil)
	if b.alive() {
		g.file.durable(r.Action, func(int) { g.moved(r, req) })
	}
}

// mayCommit is nil when member and generation are the group's. A member that has not yet joined the rebalance may
// still commit what it did; once the new generation is issued, not: it would move the positions of its successor. Who is
// no member may while nobody is.
func (b *Broker) mayCommit(g *group, m *member, req *model.CommitRequest) error {
	alone := g != nil && g.state == Empty && simple(req)
	unfenced := g != nil && b.bugs.Has(model.UnfencedZombie)
	switch {
	case alone, unfenced:
	case m == nil:
		return model.ErrUnknownMember
	case req.Generation != g.generation:
		return model.ErrIllegalGeneration
	case g.state == CompletingRebalance:
		g.touch(m)
		return model.ErrRebalance
	}
	if req.Topic != g.topic {
		return model.ErrUnknownTopic
	}
	for _, o := range req.Offsets {
		if p := b.partition(req.Topic, o.Partition); p == nil || o.Offset < 0 || o.Offset > int64(len(p.messages)) {
			return model.ErrOffsetOutOfRange
		}
	}
	return nil
}

// simple is a commit by somebody who is no member and does not claim to be one.
func simple(req *model.CommitRequest) bool {
	return req.Member == "" && req.Generation == model.NoGeneration
}

// moved is a commit that has become durable: the last writer wins.
func (g *group) moved(r *sim.Request, req *model.CommitRequest) {
	fact := int64(0)
	for i, o := range req.Offsets {
		g.positions += o.Offset - g.committed[o.Partition]
		g.committed[o.Partition] = o.Offset
		var cause int64
		if i < len(req.Facts) {
			cause = req.Facts[i]
		}
		fact = g.b.n.Record(history.Fact{Kind: history.KindCommitted, Event: r.Action.Event, Attempt: r.Action.Attempt, Resource: model.PartitionName(g.topic, o.Partition),
			Offset: o.Offset, Fence: req.Generation, Cause: cause, Op: g.name})
	}
	r.Applied()
	r.Reply(nil, fact)
}

// earliest answers with the first offset of each partition: 0, because topics keep everything.
func (b *Broker) earliest(r *sim.Request, req model.EarliestRequest) {
	b.answerOffsets(r, req.Topic, func(*partition) int64 { return 0 })
}

// latest answers with the high watermark of each partition.
func (b *Broker) latest(r *sim.Request, req model.LatestRequest) {
	b.answerOffsets(r, req.Topic, func(p *partition) int64 { return p.high })
}

// answerOffsets answers with one offset of each partition of a topic.
func (b *Broker) answerOffsets(r *sim.Request, name string, of func(*partition) int64) {
	t := b.topic(name)
	if t == nil {
		r.Fail(model.ErrUnknownTopic, 0)
		return
	}
	reply := model.OffsetsReply{Offsets: make([]model.PartitionOffset, len(t.partitions))}
	for i, p := range t.partitions {
		reply.Offsets[i] = model.PartitionOffset{Partition: i, Offset: of(p)}
	}
	r.Reply(reply, 0)
}

// offsets answers with the durable positions; what was never committed is 0. Commits that are on their way to the
// disk go first, so a member that gave up on its commit and asks again does not start behind it.
func (b *Broker) offsets(r *sim.Request, req *model.OffsetsRequest) {
	t := b.topic(req.Topic)
	if t == nil {
		r.Fail(model.ErrUnknownTopic, 0)
		return
	}
	for _, k := range req.Partitions {
		if k < 0 || k >= len(t.partitions) {
			r.Fail(model.ErrUnknownTopic, 0)
			return
		}
	}
	g := b.group(req.Group)
	if g == nil || !g.file.syncing {
		g.position(r, req)
		return
	}
	g.file.durable(r.Action, func(int) { g.position(r, req) })
}

// position is the answer to offsets; g is nil for a group that nobody has joined.
func (g *group) position(r *sim.Request, req *model.OffsetsRequest) {
	reply := model.OffsetsReply{Offsets: make([]model.PartitionOffset, len(req.Partitions))}
	for i, k := range req.Partitions {
		reply.Offsets[i].Partition = k
		if g != nil && g.topic == req.Topic {
			reply.Offsets[i].Offset = g.committed[k]
		}
	}
	r.Reply(reply, 0)
}
