package transactions

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// arm sets the timers of those scans that have something to look for: idle time costs nothing. A scan falls on whole
// intervals since the coordinator came to be, whenever it was armed.
func (c *Coordinator) arm() {
	if !c.live() {
		return
	}
	n := c.host.Node()
	if !c.scans && slices.ContainsFunc(c.order, func(t *transaction) bool { return t.state == Ongoing }) {
		c.scans = true
		c.scan = n.AfterBackground(c.untilTick(c.cfg.ScanInterval), c.abortOverdue)
	}
	if !c.expires && len(c.order) > 0 {
		c.expires = true
		c.expiry = n.AfterBackground(c.untilTick(c.cfg.IDScanInterval), c.expireIDs)
	}
}

func (c *Coordinator) untilTick(interval sim.Duration) sim.Duration {
	return interval - c.host.Node().Now().Sub(c.since)%interval
}

// abortOverdue aborts the transactions whose timeout is over, on the wall clock of this node: the beginning may have been
// noted by another. A transition under way is left alone until the next scan.
func (c *Coordinator) abortOverdue() {
	c.scans = false
	now := c.host.Node().Wall()
	for _, t := range slices.Clone(c.order) {
		if !c.live() {
			return
		}
		if t.state == Ongoing && !t.moving && now.Sub(t.began) > t.timeout {
			c.abortByTimeout(t)
		}
	}
	c.arm()
}

// abortByTimeout fences the producer, so that nothing comes of what it goes on to do (KAFKA-6119).
func (c *Coordinator) abortByTimeout(t *transaction) {
	if c.cfg.Defects.Has(model.TimeoutWithoutFence) {
		c.decide(t, ending{version: 1}, func(*completion, error) {})
		return
	}
	c.fence(t, sim.Action{}, func(error) {})
}

// expireIDs forgets the ids that nobody has used for long. Who comes back then is refused, and must begin as a new producer.
func (c *Coordinator) expireIDs() {
	c.expires = false
	now := c.host.Node().Wall()
	for _, t := range slices.Clone(c.order) {
		if !c.live() {
			return
		}
		if t.state.idle() && !t.moving && now.Sub(t.updated) >= c.cfg.IDExpiry {
			c.expire(t)
		}
	}
	c.arm()
}

// expire deletes the record of an id.
func (c *Coordinator) expire(t *transaction) {
	t.prepare(Dead, t.version)
	c.append(t.name, "", sim.Action{}, func(err error) {
		if err != nil {
			t.settle()
			return
		}
		t.state, t.moving = Dead, false
		c.forget(t)
	})
}
