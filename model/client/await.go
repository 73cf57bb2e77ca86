package client

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// AwaitLeader is Leader for a process: it waits until one is known, at most for within on the node's monotonic clock, and
// then returns the last error, or wire.ErrLeaderNotAvailable.
func (c *Cluster) AwaitLeader(p *sim.Proc, topic string, partition int, within sim.Duration) (*sim.Node, int32, error) {
	deadline := c.n.Now().Add(within)
	last := wire.ErrLeaderNotAvailable
	for {
		if leader, epoch := c.Leader(topic, partition); leader != nil {
			return leader, epoch, nil
		}
		a := &answer{}
		c.Refresh(topic, func(err error) { a.come(nil, err) })
		if !a.await(p, deadline.Sub(c.n.Now())) {
			return nil, -1, last
		}
		if a.err != nil {
			last = a.err
		}
	}
}

// AwaitCoordinator is Coordinator for a process: it asks again until one is found, at most for within on the node's
// monotonic clock, and then returns the last error, or wire.ErrNoCoordinator.
func (c *Cluster) AwaitCoordinator(p *sim.Proc, transaction bool, key string, within sim.Duration) (*sim.Node, error) {
	deadline := c.n.Now().Add(within)
	last := wire.ErrNoCoordinator
	for {
		if node := c.Known(transaction, key); node != nil {
			return node, nil
		}
		a := &answer{}
		c.Coordinator(transaction, key, a.come)
		if !a.await(p, deadline.Sub(c.n.Now())) {
			return nil, last
		}
		if a.err != nil {
			last = a.err
		}
	}
}

// answer is what a process waits for.
type answer struct {
	more sim.Signal
	has  bool
	err  error
}

func (a *answer) come(_ *sim.Node, err error) {
	a.has, a.err = true, err
	a.more.Broadcast()
}

// await says whether the answer came in time.
func (a *answer) await(p *sim.Proc, within sim.Duration) bool {
	if !a.has && within > 0 {
		p.Wait(&a.more, within)
	}
	return a.has
}
