package consumer

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// What the group wants of the application's process: it gives partitions up and takes them over, between two fetches of
// records.

// attend does the next thing of this sort; false = there is none.
func (c *Consumer) attend(ctx model.Ctx) bool {
	switch {
	case c.lost:
		c.revoke(ctx, c.owned, true)
		c.lost = false
	case c.repay(ctx.Process()):
	case c.hasTarget:
		c.reconcile(ctx)
	case c.rejoin:
		c.prepare(ctx)
	default:
		return c.announce(ctx)
	}
	return true
}

// prepare is what comes before the join (onJoinPrepare): the positions of what was returned are committed, and an eager
// member gives up all that it has, also what it will get back.
func (c *Consumer) prepare(ctx model.Ctx) {
	c.commitReturned(ctx.Process())
	if c.lost { // heard meanwhile
		return
	}
	if !c.cooperative {
		c.revoke(ctx, c.owned, false)
	}
	if !c.lost {
		c.joining()
	}
}

// reconcile takes over what the group has given the member (onJoinComplete). What it has and was not given goes first, and
// in a classic group another round hands it on. With server-side assignment no join has come before, and what polls have returned is
// committed here.
func (c *Consumer) reconcile(ctx model.Ctx) {
	if c.opts.Protocol == ServerSide {
		c.commitReturned(ctx.Process())
		if c.lost || !c.hasTarget { // heard meanwhile
			return
		}
	}
	target := c.target
	c.target, c.hasTarget = nil, false
	var gone []*partition
	for _, p := range c.owned {
		if !slices.Contains(target, p.id) {
			gone = append(gone, p)
		}
	}
	if len(gone) > 0 {
		c.revoke(ctx, gone, false)
		if c.lost {
			return
		}
		c.rejoin = c.rejoin || c.opts.Protocol == Classic
	}
	added := 0
	for _, id := range target {
		if c.partition(id) == nil {
			c.owned = append(c.owned, c.newPartition(id))
			added++
		}
	}
	slices.SortFunc(c.owned, func(a, b *partition) int { return a.id - b.id })
	c.autoDue = c.n.Now().Add(c.opts.AutoCommitInterval)
	c.armAutoCommit() // of what it has kept, if the last commit failed
	if added == 0 {
		c.n.Reached("group/assigned", sim.Action{})
	}
	c.reconciled(added > 0 || len(gone) > 0)
}

// announce tells the application of what it has got, once its positions are known; a partition whose leader cannot be
// asked for one does not hold up the others. Before that nothing of it is read.
func (c *Consumer) announce(ctx model.Ctx) bool {
	var news []model.PartitionOffset
	for _, p := range c.owned {
		if p.announced {
			continue
		}
		if !p.settled() && !p.tried {
			return false
		}
		if p.settled() {
			news = append(news, model.PartitionOffset{Partition: p.id, Offset: p.position})
		}
	}
	if len(news) == 0 {
		return false
	}
	for _, o := range news {
		p := c.partition(o.Partition)
		p.announced = true
		c.believe(p)
	}
	c.n.Reached("group/assigned", sim.Action{})
	if c.onAssign != nil {
		c.callback(func() { c.onAssign(ctx, news) })
	}
	return true
}

// believe states that the member owns the partition, in its present generation.
func (c *Consumer) believe(p *partition) {
	p.assigned = c.n.Record(history.Fact{Kind: history.KindAssigned, Resource: p.name, Offset: p.position, Fence: c.generation})
}

// enterGeneration is the member's belief from the answer of the group on: what it owns it owns in this generation, also
// what it is about to give up. Otherwise a commit between the answer and the next poll would be one of nobody's.
func (c *Consumer) enterGeneration(generation int64) {
	if c.generation == generation {
		return
	}
	c.generation = generation
	for _, p := range c.owned {
		if p.announced {
			c.believe(p)
		}
	}
}

// revoke ends the belief in these partitions. The application hears of it before, while it still may commit, unless the
// share is lost.
func (c *Consumer) revoke(ctx model.Ctx, which []*partition, lost bool) {
	var told []*partition
	for _, p := range which {
		if p.announced {
			told = append(told, p)
		}
	}
	c.losing, c.revoking = lost, told
	if len(told) > 0 && c.onRevoke != nil {
		c.callback(func() { c.onRevoke(ctx) })
	}
	if len(told) > 0 && c.opts.AutoCommit == CommitsStored && !lost {
		c.commitNow(ctx.Process(), told, c.opts.CommitTimeout)
	}
	c.losing, c.revoking = false, nil
	gone := slices.Clone(which)
	for _, p := range gone {
		p.gone = true
		if p.announced {
			c.n.Record(history.Fact{Kind: history.KindRevoked, Resource: p.name, Offset: p.position, Fence: c.generation, Cause: p.assigned})
		}
		if c.opts.Planted.Has(model.CommitOfRevokedPartition) && c.opts.AutoCommit != CommitsNothing && p.last != 0 {
			c.untold = append(c.untold, wire.GroupOffset{Topic: c.opts.Topic, Partition: p.id, Offset: p.position, Epoch: p.epoch})
		}
		if c.opts.Planted.Has(model.InMemoryCheckpoint) {
			c.former = append(c.former, model.PartitionOffset{Partition: p.id, Offset: p.position})
		}
	}
	c.owned = slices.DeleteFunc(c.owned, func(p *partition) bool { return p.gone })
	if len(told) > 0 {
		c.n.Reached("group/revoked", sim.Action{})
	}
}

// Lost says that the group has put the member out, as far as the member knows: others may have its share already.
func (c *Consumer) Lost() bool { return c.losing || c.lost }

// Revoking lists, while OnRevoke's function runs, the partitions that the member gives up.
func (c *Consumer) Revoking() []int {
	var ids []int
	for _, p := range c.revoking {
		ids = append(ids, p.id)
	}
	return ids
}
