package client

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// coordinator is who coordinates one group or transaction, as known.
type coordinator struct {
	transaction bool
	key         string
	node        *sim.Node // nil = not known
	waiting     []func(*sim.Node, error)
	asking      bool
	notYet      sim.Time
	tries       int
}

// Coordinator finds who coordinates a group, or the transactions of a name; then runs, once, in a later event. The error is that of the
// broker that was asked (wire.ErrNoCoordinator), or of the last of them if none has answered. What is found is
// remembered until ForgetCoordinator. Asking again after an error waits for the backoff.
func (c *Cluster) Coordinator(transaction bool, key string, then func(*sim.Node, error)) {
	k := c.coordinator(transaction, key)
	if found := k.node; found != nil {
		c.n.After(0, func() { then(found, nil) })
		return
	}
	k.waiting = append(k.waiting, then)
	if k.asking {
		return
	}
	k.asking = true
	if wait := k.notYet.Sub(c.n.Now()); wait > 0 {
		c.n.After(wait, func() { c.find(k) })
		return
	}
	c.find(k)
}

// Known is the coordinator as far as it is known; nil = not known.
func (c *Cluster) Known(transaction bool, key string) *sim.Node {
	return c.coordinator(transaction, key).node
}

// ForgetCoordinator notes that it answers no longer, or says that it is not the coordinator.
func (c *Cluster) ForgetCoordinator(transaction bool, key string) {
	c.coordinator(transaction, key).node = nil
}

func (c *Cluster) coordinator(transaction bool, key string) *coordinator {
	for _, k := range c.coordinators {
		if k.transaction == transaction && k.key == key {
			return k
		}
	}
	k := &coordinator{transaction: transaction, key: key}
	c.coordinators = append(c.coordinators, k)
	return k
}

func (c *Cluster) find(k *coordinator) {
	c.Any(wire.OpCoordinator, wire.CoordinatorRequest{Transaction: k.transaction, Key: k.key}, func(reply any, err error) {
		k.asking = false
		k.tries++
		if err == nil {
			k.node, k.tries = c.n.World().Node(reply.(wire.CoordinatorReply).Node), 0
		}
		k.notYet = c.n.Now().Add(c.backoff.After(k.tries))
		waiting := k.waiting
		k.waiting = nil
		for _, then := range waiting {
			then(k.node, err)
		}
	})
}
