package controller

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// broker is what the controller knows of one broker. Its states: fenced (at first, and when a session has ended), active,
// stopping (active or fenced, leads nothing any more).
type broker struct {
	id          int32
	epoch       int64 // of its last registration, which is the version that it came with; -1 = none yet
	incarnation int32
	fenced      bool
	told        wire.BrokerState
	dirty       bool

	// of the session, in memory only
	session  sim.Handle
	alive    bool  // the session runs
	image    int64 // version of the metadata that it has
	stopping bool
	stopAt   int64 // version with which it led nothing any more
}

func (b *broker) state() wire.BrokerState {
	return wire.BrokerState{Broker: b.id, Epoch: b.epoch, Fenced: b.fenced, Stopping: b.stopping}
}

// active says whether a broker may become or stay a leader.
func (c *Controller) active(id int32) bool {
	b := c.broker(id)
	return !b.fenced && !b.stopping
}

// register begins a session. While the last one of that broker has not ended, and it is not fenced, another process of it is
// refused: nobody can tell whether the old one still acts. A process has one session epoch for ever, however often and late it
// asks; what comes late of a process before it is refused, or else the present one, whose epoch it would end, were fenced for good.
// A process is trusted with what it had if the last session is the one that its disk says was shut down (KIP-966).
func (c *Controller) register(r *sim.Request, req *wire.RegisterRequest) {
	b := c.broker(req.Broker)
	switch {
	case b.incarnation == req.Incarnation: // asked again
		c.beginSession(b)
		epoch := b.epoch
		c.commit(func() { r.Reply(wire.RegisterReply{Epoch: epoch}, 0) })
		return
	case b.incarnation > req.Incarnation || b.alive && !b.fenced && !c.cfg.QuickRestart:
		r.Fail(wire.ErrDuplicateBroker, 0)
		return
	}
	restart, clean := b.alive && !b.fenced, req.LastEpoch == b.epoch
	b.epoch, b.incarnation, b.image, b.stopping, b.dirty = c.version+1, req.Incarnation, 0, false, true
	c.beginSession(b)
	if !clean && !c.cfg.WithoutELR {
		c.distrust(b.id)
	}
	if restart {
		c.electAnew(b.id)
	}
	epoch := b.epoch
	c.commit(func() { r.Reply(wire.RegisterReply{Epoch: epoch}, 0) })
}

// beat keeps a session, lets a broker that has caught up with the metadata take part, and one that wants to stop go.
func (c *Controller) beat(r *sim.Request, req *wire.BeatRequest) {
	b := c.broker(req.Broker)
	if b.epoch != req.Epoch {
		r.Fail(wire.ErrStaleBrokerEpoch, 0)
		return
	}
	c.beginSession(b)
	c.heard(b, req.Image)
	switch {
	case req.WantShutdown && !b.stopping:
		c.beginStop(b)
	case !req.WantShutdown && b.fenced && b.image >= b.epoch:
		c.unfence(b)
	}
	c.commit(func() {
		r.Reply(wire.BeatReply{Fenced: b.fenced, ShouldShutDown: b.stopping && c.mayGo(b)}, 0)
	})
}

// heard notes which metadata a broker has.
func (c *Controller) heard(b *broker, image int64) { b.image = max(b.image, image) }

// beginSession begins or prolongs it.
func (c *Controller) beginSession(b *broker) {
	c.n.Cancel(b.session)
	b.alive = true
	b.session = c.n.AfterBackground(c.cfg.Session, func() { c.expire(b) })
}

// expire ends a session: whatever became of the broker, it acts for nobody any more, and once the others know they refuse
// it.
func (c *Controller) expire(b *broker) {
	if !b.alive {
		panic("controller: a session ended twice")
	}
	b.alive, b.stopping = false, false
	if !b.fenced {
		c.fence(b)
		c.commit(nil)
	}
}

// fence takes a broker out of all in-sync sets and leaderships.
func (c *Controller) fence(b *broker) {
	b.fenced, b.dirty = true, true
	for _, p := range c.partitions {
		if p.Leader == b.id || contains(p.ISR, b.id) {
			c.rebuild(p, wish{without: b.id})
		}
	}
}

// unfence lets a broker lead again, and at once where nobody does.
func (c *Controller) unfence(b *broker) {
	b.fenced, b.dirty = false, true
	for _, p := range c.partitions {
		if leaderless(p) && contains(p.Replicas, b.id) {
			c.rebuild(p, wish{})
		}
	}
	if c.allActive() {
		c.create()
	}
}

func (c *Controller) allActive() bool {
	for _, b := range c.brokers {
		if !c.active(b.id) {
			return false
		}
	}
	return true
}

// distrust takes a broker that did not stop cleanly out of all sets from which leaders are elected: it may have lost what
// it had not fsynced, and can show that it has not only by catching up (KIP-966).
func (c *Controller) distrust(id int32) {
	for _, p := range c.partitions {
		if contains(p.ISR, id) || contains(p.ELR, id) {
			c.rebuild(p, wish{without: id, distrusted: true})
		}
	}
}

// electAnew has the partitions that a broker led before its quick restart elected again, perhaps it: under one epoch there
// must be one leader with one memory. So it has those that nobody leads since: the broker is not unfenced later, as others are.
func (c *Controller) electAnew(id int32) {
	for _, p := range c.partitions {
		if p.Leader == id || leaderless(p) && contains(p.Replicas, id) {
			c.rebuild(p, wish{again: p.Leader == id})
		}
	}
}

// beginStop takes the leaderships away from a broker that wants to stop; as it is not active it gets none back.
func (c *Controller) beginStop(b *broker) {
	b.stopping, b.dirty = true, true
	for _, p := range c.partitions {
		if p.Leader == b.id || contains(p.ISR, b.id) {
			c.rebuild(p, wish{without: b.id})
		}
	}
	b.stopAt = c.version + 1
}

// mayGo says whether all others know that the broker leads nothing. It is fenced then.
func (c *Controller) mayGo(b *broker) bool {
	for _, other := range c.brokers {
		if other != b && other.alive && !other.fenced && other.image < min(b.stopAt, c.version) {
			return false
		}
	}
	if !b.fenced {
		c.fence(b)
		c.commit(nil)
	}
	return true
}

func contains(ids []int32, id int32) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}
