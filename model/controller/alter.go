package controller

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// alter grants or refuses a leader's wish for another in-sync set. A leader of an earlier epoch is refused, and so is a wish
// that rests on an earlier state: it would put in what the controller took out since.
func (c *Controller) alter(r *sim.Request, req *wire.AlterPartitionRequest) {
	p := c.find(req.Topic, req.Partition)
	if err := c.alterable(p, req); err != nil {
		c.commit(func() { r.Fail(err, 0) }) // the asker may see by then why
		return
	}
	isr := make([]int32, len(req.ISR))
	for i, m := range req.ISR {
		isr[i] = m.Broker
	}
	c.rebuild(p, wish{isr: isr})
	state := p.PartitionState
	c.commit(func() { r.Reply(wire.AlterPartitionReply{State: state}, 0) })
}

func (c *Controller) alterable(p *partition, req *wire.AlterPartitionRequest) error {
	switch {
	case p == nil:
		return wire.ErrUnknownTopic
	case c.broker(req.Broker).epoch != req.BrokerEpoch && !c.cfg.WithoutBrokerEpochs:
		return wire.ErrStaleBrokerEpoch
	case req.LeaderEpoch < p.LeaderEpoch:
		return wire.ErrFencedLeaderEpoch
	case p.Leader != req.Broker || req.LeaderEpoch > p.LeaderEpoch:
		return wire.ErrNotLeader
	case req.PartitionEpoch != p.PartitionEpoch:
		return wire.ErrInvalidUpdate
	}
	if c.cfg.WithoutBrokerEpochs {
		return nil
	}
	for _, m := range req.ISR {
		if m.Broker != req.Broker && c.ineligible(m) {
			return wire.ErrIneligibleReplica
		}
	}
	return nil
}

// ineligible says whether a broker must not join, or stay in, an in-sync set: it is fenced or about to stop, or what the
// leader knows of it is of an earlier session, before which it may have lost what it had (KIP-841, KIP-903).
func (c *Controller) ineligible(m wire.InSync) bool {
	return !c.active(m.Broker) || m.Epoch >= 0 && m.Epoch != c.broker(m.Broker).epoch
}

// poll is a parked long poll for metadata.
type poll struct {
	r     *sim.Request
	since int64
	timer sim.Handle
}

// image answers with what has changed, or parks until something does.
func (c *Controller) image(r *sim.Request, req *wire.ImageRequest) {
	c.heard(c.broker(req.Broker), req.Since)
	if req.Since < c.told {
		r.Reply(c.changes(req.Since), 0)
		return
	}
	q := &poll{r: r, since: req.Since}
	q.timer = c.n.AfterBackground(req.MaxWait, func() {
		c.unpark(q)
		r.Reply(wire.ImageReply{Version: c.told, Brokers: nil}, 0)
	})
	c.polls = append(c.polls, q)
}

func (c *Controller) unpark(q *poll) {
	for i := range c.polls {
		if c.polls[i] == q {
			c.polls = append(c.polls[:i], c.polls[i+1:]...)
			return
		}
	}
}

// wake answers all that is parked: something has changed.
func (c *Controller) wake() {
	polls := c.polls
	c.polls = nil
	for _, q := range polls {
		c.n.Cancel(q.timer)
		q.r.Reply(c.changes(q.since), 0)
	}
}

func (c *Controller) changes(since int64) wire.ImageReply {
	reply := wire.ImageReply{Version: c.told}
	for _, b := range c.brokers {
		reply.Brokers = append(reply.Brokers, b.told)
	}
	for _, p := range c.partitions {
		if p.since > since && len(p.told.Replicas) > 0 {
			reply.Partitions = append(reply.Partitions, p.told)
		}
	}
	return reply
}
