package controller

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// wish is why a partition's state is looked at again. The zero value: somebody may lead now who could not before.
type wish struct {
	isr        []int32 // what its leader asks for; nil = nothing
	without    int32   // this broker must not be in the in-sync set; 0 = none
	distrusted bool    // nor be eligible
	again      bool    // elect, though there is a leader
	preferred  bool    // the first replica is to lead if it may
}

// builder makes the next state of a partition, as Kafka's PartitionChangeBuilder does.
type builder struct {
	c    *Controller
	old  *wire.PartitionState
	next wire.PartitionState
	min  int // in sync, for the high watermark to move
	wish wish
}

// rebuild makes the next state of a partition, if it is another one, and marks it as to be committed.
func (c *Controller) rebuild(p *partition, w wish) {
	b := builder{c: c, old: &p.PartitionState, next: p.PartitionState, min: p.topic.MinISR(len(p.Replicas)), wish: w}
	b.build(p.topic.Unclean)
	if b.changed() {
		b.next.PartitionEpoch++
		p.PartitionState, p.dirty = b.next, true
	}
}

// build goes in this order: who is in sync, who leads of these, who is eligible beside them. The in-sync set is decided first
// because a leader that is no member of it knows nothing of what the others committed.
func (b *builder) build(unclean bool) {
	b.shrink()
	b.elect(unclean)
	b.keepLast()
	b.eligible()
	if b.next.Leader != b.old.Leader || b.wish.again {
		b.next.LeaderEpoch++
	}
}

// shrink is the in-sync set that is wished for.
func (b *builder) shrink() {
	switch {
	case b.wish.isr != nil:
		b.next.ISR = b.wish.isr
	case b.wish.without != 0:
		b.next.ISR = without(b.old.ISR, b.wish.without)
	}
}

// elect keeps the leader if it may stay. Else the first replica that is in sync leads, in order of assignment; if none is in sync
// the first that is eligible; else the last known leader, if nobody else is left who could know; else, if the topic would
// rather serve than keep what it has, the first that is alive.
func (b *builder) elect(unclean bool) {
	preferred := b.old.Replicas[0]
	switch {
	case b.wish.preferred && b.clean(preferred):
		b.lead(preferred, false)
	case b.old.Leader != wire.NoLeader && b.c.active(b.old.Leader) && contains(b.next.ISR, b.old.Leader) && !b.wish.again:
	case b.first(b.clean) != wire.NoLeader:
		b.lead(b.first(b.clean), false)
	case b.lastKnown() != wire.NoLeader:
		b.lead(b.lastKnown(), true)
	case unclean && b.first(b.c.active) != wire.NoLeader:
		b.lead(b.first(b.c.active), true)
	default:
		b.next.Leader = wire.NoLeader
	}
}

// clean says whether a replica is known to have all that was committed, and may lead: one of those that are in sync, and while
// there are such no other.
func (b *builder) clean(id int32) bool {
	return b.c.active(id) && (contains(b.next.ISR, id) || len(b.next.ISR) == 0 && contains(b.trusted(), id))
}

func (b *builder) first(may func(int32) bool) int32 {
	for _, id := range b.old.Replicas {
		if may(id) {
			return id
		}
	}
	return wire.NoLeader
}

// lastKnown is the leader that was the last to be in sync, when it is back and nobody is in sync or eligible.
func (b *builder) lastKnown() int32 {
	if b.c.cfg.WithoutELR || b.c.cfg.WithoutLastLeader || len(b.next.ISR) > 0 || len(b.trusted()) > 0 || len(b.old.LastKnownELR) != 1 || !b.c.active(b.old.LastKnownELR[0]) {
		return wire.NoLeader
	}
	return b.old.LastKnownELR[0]
}

// lead makes a replica the leader. One that was elected from outside the in-sync set is alone in it: what it has counts.
func (b *builder) lead(id int32, unclean bool) {
	b.next.Leader, b.next.Unclean = id, unclean
	switch {
	case unclean:
		b.next.ISR = []int32{id}
	case !contains(b.next.ISR, id):
		b.next.ISR = append(append([]int32(nil), b.next.ISR...), id)
	}
}

// keepLast keeps the last member in the in-sync set where no eligible replicas are known: else nobody could lead again. With
// them the set may be empty, and the leader that there was last is remembered.
func (b *builder) keepLast() {
	if len(b.next.ISR) > 0 {
		return
	}
	if b.c.cfg.WithoutELR {
		b.next.ISR = b.old.ISR
		return
	}
	if b.old.Leader != wire.NoLeader {
		b.next.LastKnownELR = []int32{b.old.Leader}
	}
}

// eligible notes those who left the in-sync set since it fell below the minimum: from then on the high watermark stands
// still, so they have all that was committed. As soon as it can move again they may lack something (KIP-966), and so may
// whoever is not there when a leader is elected uncleanly. The last known leader is remembered while there is none.
func (b *builder) eligible() {
	b.next.ELR = nil
	if !b.c.cfg.WithoutELR && len(b.next.ISR) < b.min && !b.electedUncleanly() {
		b.next.ELR = b.trusted()
	}
	if b.c.cfg.WithoutELR || b.next.Leader != wire.NoLeader {
		b.next.LastKnownELR = nil
	}
}

// electedUncleanly says whether this is the change with which an unclean leadership begins.
func (b *builder) electedUncleanly() bool {
	return b.next.Unclean && b.next.Leader != wire.NoLeader && (b.next.Leader != b.old.Leader || b.wish.again)
}

// trusted are those who were in sync or eligible, less those who are in sync now.
func (b *builder) trusted() (elr []int32) {
	for _, id := range b.old.Replicas {
		distrusted := b.wish.distrusted && id == b.wish.without
		if (contains(b.old.ISR, id) || contains(b.old.ELR, id)) && !contains(b.next.ISR, id) && !distrusted {
			elr = append(elr, id)
		}
	}
	return elr
}

func (b *builder) changed() bool {
	return b.next.Leader != b.old.Leader || b.next.LeaderEpoch != b.old.LeaderEpoch || b.next.Unclean != b.old.Unclean ||
		!same(b.next.ISR, b.old.ISR) || !same(b.next.ELR, b.old.ELR) || !same(b.next.LastKnownELR, b.old.LastKnownELR)
}

func without(ids []int32, id int32) []int32 {
	out := []int32{}
	for _, x := range ids {
		if x != id {
			out = append(out, x)
		}
	}
	return out
}

func same(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// armTimers arms what is due some time because of the state as it is, and only then: idle time has none of them. They are due at
// whole periods of the clock, as a scan would be.
func (c *Controller) armTimers() {
	if !c.armed.create && c.any(unborn) {
		c.armed.create = true
		c.n.AfterBackground(createWait, func() {
			c.armed.create = false
			c.create()
			c.commit(nil)
			c.armTimers()
		})
	}
	if !c.armed.rebalance && c.cfg.Rebalance > 0 && c.any(c.imbalanced) {
		c.armed.rebalance = true
		c.n.AfterBackground(c.untilNext(c.cfg.Rebalance), func() {
			c.armed.rebalance = false
			c.each(c.imbalanced, wish{preferred: true})
			c.armTimers()
		})
	}
	if !c.armed.retry && c.any(c.waitsUnclean) {
		c.armed.retry = true
		c.n.AfterBackground(c.untilNext(c.cfg.UncleanRetry), func() {
			c.armed.retry = false
			c.each(c.waitsUnclean, wish{})
			c.armTimers()
		})
	}
}

func (c *Controller) untilNext(period sim.Duration) sim.Duration {
	return period - sim.Duration(c.n.Now())%period
}

func unborn(p *partition) bool { return p.LeaderEpoch < 0 }

func leaderless(p *partition) bool { return p.Leader == wire.NoLeader && !unborn(p) }

// imbalanced says whether another than the preferred replica leads, which could.
func (c *Controller) imbalanced(p *partition) bool {
	first := p.Replicas[0]
	return p.Leader != wire.NoLeader && p.Leader != first && c.active(first) && contains(p.ISR, first)
}

// waitsUnclean says whether a partition that would rather serve waits for anybody to lead it.
func (c *Controller) waitsUnclean(p *partition) bool {
	return leaderless(p) && p.topic.Unclean
}

func (c *Controller) any(of func(*partition) bool) bool {
	for _, p := range c.partitions {
		if of(p) {
			return true
		}
	}
	return false
}

// each looks again at the partitions of which something holds.
func (c *Controller) each(of func(*partition) bool, w wish) {
	for _, p := range c.partitions {
		if of(p) {
			c.rebuild(p, w)
		}
	}
	c.commit(nil)
}
