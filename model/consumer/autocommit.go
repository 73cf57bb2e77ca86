package consumer

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// What the client commits by itself: positions behind what it has handed over. It does not ask whether the work was done. A
// position that has not moved since it was committed is not committed again; a real client does so every five seconds.

// autoCommit is the part of a poll: if the interval has passed, the positions as the polls before have left them.
func (c *Consumer) autoCommit() {
	if c.opts.AutoCommit != CommitsPolled || c.n.Now() < c.autoDue {
		return
	}
	if which := c.dirty(c.owned); len(which) > 0 {
		c.autoDue = c.n.Now().Add(c.opts.AutoCommitInterval)
		c.commitAsync(which)
		return
	}
	c.tick()
}

// tick moves the due time on by whole intervals: a client that had nothing to commit has looked all the same.
func (c *Consumer) tick() {
	if late := c.n.Now().Sub(c.autoDue); late >= 0 {
		c.autoDue = c.autoDue.Add((late/c.opts.AutoCommitInterval + 1) * c.opts.AutoCommitInterval)
	}
}

// armAutoCommit has the timer look when there will be something to commit.
func (c *Consumer) armAutoCommit() {
	if c.opts.AutoCommit == CommitsNothing || c.autoArmed || c.ended || len(c.dirty(c.owned)) == 0 {
		return
	}
	c.tick()
	c.autoArmed = true
	c.n.AfterBackground(c.autoDue.Sub(c.n.Now()), func() {
		c.autoArmed = false
		switch {
		case c.ended:
		case c.opts.AutoCommit == CommitsPolled && c.n.Now() < c.autoDue: // a new share has put it off
			c.armAutoCommit()
		case c.opts.AutoCommit == CommitsPolled:
			c.rouse(false) // a loop at work commits with its next poll
		default:
			c.tick()
			c.commitAsync(c.dirty(c.owned))
		}
	})
}

// dirty are the partitions whose positions differ from what was committed last.
func (c *Consumer) dirty(which []*partition) []*partition {
	var out []*partition
	for _, p := range which {
		stored := p.last != 0 || c.opts.AutoCommit == CommitsPolled // what was never handed over is not stored
		if p.announced && p.state != unreadable && stored && p.position != p.sent && p.position >= 0 {
			out = append(out, p)
		}
	}
	return out
}

// positions are those of the partitions, stated as asked for.
func (c *Consumer) positions(p *sim.Proc, which []*partition) (offsets []wire.GroupOffset, event string) {
	var cause int64
	for _, q := range which {
		offsets = append(offsets, wire.GroupOffset{Topic: c.opts.Topic, Partition: q.id, Offset: q.position, Epoch: q.epoch})
		if q.last > cause {
			cause, event = q.last, q.lastEvent
		}
		q.sent = q.position
	}
	for _, o := range c.untold {
		if c.partition(o.Partition) == nil {
			offsets = append(offsets, o)
		}
	}
	c.untold = nil
	c.open(p, offsets, event, cause)
	return offsets, event
}

// commitAsync commits without waiting. What fails for want of a coordinator is tried again after the backoff; what the
// group refuses, or cannot be asked for in the middle of a rebalance, at the next interval.
func (c *Consumer) commitAsync(which []*partition) {
	if len(which) == 0 {
		return
	}
	if c.lost || c.mayCommit() != nil {
		c.armAutoCommit()
		return
	}
	to := c.coordinator()
	if to == nil {
		c.commitSoon()
		return
	}
	offsets, event := c.positions(nil, which)
	req := c.request(offsets)
	c.n.Call(to, c.ops.commit, c.action(event), req, offsets[len(offsets)-1].Fact, c.opts.RequestTimeout, func(reply any, _ int64, err error) {
		if err = outcome(reply, err); err == nil {
			c.armAutoCommit()
			return
		}
		c.unmoved(req.Generation, failed(reply, offsets), err)
		if c.ended {
			return
		}
		if c.askAgain(err) {
			c.commitSoon()
			return
		}
		c.heardAs(req.Member, req.Generation, err)
		c.armAutoCommit()
	})
}

// commitSoon brings the next auto-commit forward.
func (c *Consumer) commitSoon() {
	c.autoDue = c.n.Now().Add(c.opts.Backoff)
	c.armAutoCommit()
}

// commitReturned commits what polls have returned, before a rebalance may take it away.
func (c *Consumer) commitReturned(p *sim.Proc) {
	if c.opts.AutoCommit == CommitsPolled && !c.opts.Planted.Has(model.CommitOfRevokedPartition) {
		c.commitNow(p, c.owned, c.opts.MaxPollInterval)
	}
}

// commitNow commits what has moved of these partitions and waits: before they may be somebody else's.
func (c *Consumer) commitNow(p *sim.Proc, which []*partition, within sim.Duration) {
	which = c.dirty(which)
	if len(which) == 0 || c.mayCommit() != nil {
		return
	}
	offsets, event := c.positions(p, which)
	_ = c.push(p, nil, event, offsets, within) // the facts say what became of it
}
