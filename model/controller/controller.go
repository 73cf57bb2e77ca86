package controller

import (
	"fmt"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Controller is one incarnation of the node. What it decides it decides on the newest state; what it tells is on the disk.
type Controller struct {
	n   *sim.Node
	cfg Config

	brokers    []*broker    // broker k at k-1
	partitions []*partition // in order of the topics, then as they were added
	nextID     int64        // of the next block of producer ids
	version    int64        // of the newest change

	journal journal
	told    int64   // version of what may be told
	polls   []*poll // parked, in order of arrival

	armed struct{ create, rebalance, retry bool }
}

// partition is the newest state and what of it may be told.
type partition struct {
	wire.PartitionState
	topic *wire.Topic
	told  wire.PartitionState
	since int64 // version in which told became what it is
	dirty bool  // changed since the last commit
}

// New is the factory of the node: each boot makes its instance from the disk alone, and the first from the
// configuration and the number of brokers that the world has then.
func New(cfg Config) func(*sim.Node) sim.Handler {
	cfg = cfg.filled()
	return func(n *sim.Node) sim.Handler {
		c := &Controller{n: n, cfg: cfg, nextID: 1}
		for k := range n.World().Nodes(wire.Broker) {
			c.brokers = append(c.brokers, &broker{id: int32(k + 1), fenced: true, epoch: -1})
		}
		c.boot()
		return c
	}
}

// Of returns the present instance on the node; nil while the node is down.
func Of(n *sim.Node) *Controller {
	if n == nil || !n.Up() {
		return nil
	}
	c, _ := n.Handler().(*Controller)
	return c
}

// boot replays the journal. Sessions are not in it: brokers that are not fenced get a whole one.
func (c *Controller) boot() {
	if c.replay() {
		c.settle()
	} else {
		c.format()
	}
	for _, p := range c.partitions {
		p.told, p.since = p.PartitionState, c.version
	}
	for _, b := range c.brokers {
		b.told = b.state()
		if !b.fenced {
			c.beginSession(b)
		}
	}
	c.armTimers()
}

// format is the first boot: partitions that are yet to be created, for nobody has registered.
func (c *Controller) format() {
	for i := range c.cfg.Topics {
		c.grow(i, c.cfg.Topics[i].Partitions)
	}
	c.commit(nil)
}

// grow adds partitions to a topic until it has so many. Replicas go round robin over the brokers; the first is preferred.
func (c *Controller) grow(topic, to int) {
	t := &c.cfg.Topics[topic]
	n := len(c.brokers)
	replicas := t.Replicas
	if replicas == 0 {
		replicas = 3
	}
	replicas = min(replicas, n)
	for k := c.count(t.Name); k < to; k++ {
		p := &partition{topic: t, PartitionState: wire.PartitionState{Topic: t.Name, Partition: k, Leader: wire.NoLeader, LeaderEpoch: -1}, dirty: true}
		for r := range replicas {
			p.Replicas = append(p.Replicas, int32((topic+k+r)%n)+1)
		}
		c.partitions = append(c.partitions, p)
	}
}

func (c *Controller) count(topic string) (n int) {
	for _, p := range c.partitions {
		if p.Topic == topic {
			n++
		}
	}
	return n
}

// createWait is how long partitions wait for all brokers before they are created with those that are there.
const createWait = sim.Second

// create gives the partitions that never had a leader their first: the in-sync set begins with the brokers that are active.
// Like an operator who makes topics when the cluster is up it waits for all of them; else the first would lead everything.
func (c *Controller) create() {
	for _, p := range c.partitions {
		if p.LeaderEpoch < 0 {
			c.begin(p)
		}
	}
}

func (c *Controller) begin(p *partition) {
	if p.LeaderEpoch >= 0 {
		panic("controller: " + p.Topic + " has begun")
	}
	for _, id := range p.Replicas {
		if c.active(id) {
			p.ISR = append(p.ISR, id)
		}
	}
	if len(p.ISR) > 0 {
		c.rebuild(p, wish{})
	}
}

// AddPartitions is an operator's: the topic has so many partitions from now on. Consumers learn of it when their metadata
// is old. A topic that the cluster does not have is a bug of the caller's. The node must be up.
func (c *Controller) AddPartitions(topic string, to int) {
	c.n.After(0, func() {
		for i := range c.cfg.Topics {
			if c.cfg.Topics[i].Name == topic {
				before := len(c.partitions)
				c.grow(i, to)
				for _, p := range c.partitions[before:] {
					c.begin(p)
				}
				c.commit(nil)
				return
			}
		}
		panic("controller: no topic " + topic)
	})
}

// Receive handles one request of a broker.
func (c *Controller) Receive(_ *sim.Node, r *sim.Request) {
	switch req := r.Body.(type) {
	case wire.BeatRequest:
		c.beat(r, &req)
	case wire.ImageRequest:
		c.image(r, &req)
	case wire.AlterPartitionRequest:
		c.alter(r, &req)
	case wire.RegisterRequest:
		c.register(r, &req)
	case wire.ProducerIDsRequest:
		c.producerIDs(r, &req)
	default:
		panic(fmt.Sprintf("controller: %s with a body of type %T", r.Op, r.Body))
	}
}

func (c *Controller) broker(id int32) *broker { return c.brokers[id-1] }

func (c *Controller) find(topic string, index int) *partition {
	for _, p := range c.partitions {
		if p.Partition == index && p.Topic == topic {
			return p
		}
	}
	return nil
}

// State of a partition as the controller has decided it, perhaps not told yet; ok is false if there is none.
func (c *Controller) State(topic string, index int) (s wire.PartitionState, ok bool) {
	if p := c.find(topic, index); p != nil {
		return p.PartitionState, true
	}
	return s, false
}

// Active says whether a broker may lead: it has a session, is not fenced and not about to stop.
func (c *Controller) Active(broker int32) bool { return c.active(broker) }

// idBlock is how many producer ids a broker is given at once (ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE).
const idBlock = 1000

// producerIDs gives out a block, once its end is on the disk: an id is given out once for ever.
func (c *Controller) producerIDs(r *sim.Request, req *wire.ProducerIDsRequest) {
	if c.broker(req.Broker).epoch != req.Epoch {
		r.Fail(wire.ErrStaleBrokerEpoch, 0)
		return
	}
	first := c.nextID
	c.nextID += idBlock
	c.journal.ids = true
	c.commit(func() { r.Reply(wire.ProducerIDsReply{First: first, Count: idBlock}, 0) })
}
