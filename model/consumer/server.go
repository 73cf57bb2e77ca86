package consumer

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// A group with server-side assignment (KIP-848) has one request: the heartbeat. It says what the member has, and its answer
// what the member is to have: what it is not to have it gives up, and says so; what it lacks it may take at once, for
// the coordinator gives nothing that another one has.

// joinServer begins with epoch 0.
func (c *Consumer) joinServer() {
	c.state, c.round = completing, 0
	if c.cluster.Partitions(c.opts.Topic) == 0 { // to be known by the time when there is a share
		c.cluster.Refresh(c.opts.Topic, nil)
	}
	c.interval = c.opts.Heartbeat // until the coordinator says
	c.lastBeat = c.n.Now()
	c.beats()
	c.beatServer()
}

// beatServer sends a heartbeat, unless one is under way: then another follows its answer.
func (c *Consumer) beatServer() {
	if c.ended || c.state != completing && c.state != stable {
		return
	}
	if c.inFlight {
		c.asking = true
		return
	}
	to := c.coordinator()
	if to == nil {
		return
	}
	c.asking, c.inFlight = false, true
	if owned := c.holds(); c.beat == nil || c.beatOf != c.round || !slices.Equal(owned, c.beat.(wire.GroupHeartbeatRequest).Owned) || c.beat.(wire.GroupHeartbeatRequest).Member != c.id {
		c.beat, c.beatOf = wire.GroupHeartbeatRequest{Group: c.opts.Group, Member: c.id, Instance: c.instance, Client: c.n.Name(), Epoch: c.round,
			RebalanceTimeout: c.opts.MaxPollInterval, Topics: []string{c.opts.Topic}, Owned: owned}, c.round
	}
	attempt := c.attempt
	c.n.Call(to, c.ops.groupHeartbeat, sim.Action{}, c.beat, 0, c.opts.RequestTimeout, func(reply any, _ int64, err error) {
		c.inFlight = false
		if c.ended || attempt != c.attempt { // another life of the member
			c.beatServer()
			return
		}
		if err != nil {
			c.beatFailed(err)
			return
		}
		c.lastBeat, c.failures = c.n.Now(), 0
		c.told(reply.(wire.GroupHeartbeatReply))
		if c.asking {
			c.beatServer()
		}
	})
}

func (c *Consumer) beatFailed(err error) {
	// The place of a static member that was killed is free when its session is over. A Java client gives up there, and
	// whoever supervises it starts it again.
	if c.lostCoordinator(err) || errors.Is(err, wire.ErrCoordinatorLoading) || errors.Is(err, wire.ErrUnreleasedInstance) {
		c.failures++
		c.n.AfterBackground(c.wait(c.failures), c.beatServer)
		return
	}
	c.heard(err)
}

// told is the coordinator's word: the member's epoch and its share.
func (c *Consumer) told(r wire.GroupHeartbeatReply) {
	c.id, c.round, c.state = r.Member, r.Epoch, stable
	if r.Interval > 0 {
		c.interval = r.Interval
	}
	c.enterGeneration(r.Epoch)
	target := make([]int, 0, len(r.Assignment))
	for _, tp := range r.Assignment {
		if tp.Topic == c.opts.Topic {
			target = append(target, tp.Partition)
		}
	}
	c.target, c.hasTarget = target, !c.has(target)
	if c.hasTarget {
		c.rouse(false)
	}
}

// leavingServer is the heartbeat by which the member leaves; a static one says that it will be back.
func (c *Consumer) leavingServer() wire.GroupHeartbeatRequest {
	epoch := int64(-1)
	if c.instance != "" {
		epoch = -2
	}
	return wire.GroupHeartbeatRequest{Group: c.opts.Group, Member: c.id, Instance: c.instance, Client: c.n.Name(), Epoch: epoch}
}
