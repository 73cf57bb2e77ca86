package broker

import (
	"slices"

	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Cluster is the brokers of one world as a harness sees them. No broker reads it.
type Cluster struct {
	cfg     Config
	witness witness
	w       *sim.World
	nodes   []*sim.Node // broker k at k-1
}

// New describes a cluster for one world. Boot is the factory of its nodes, which have the role wire.Broker; the world also
// has a node of role wire.Controller. Nodes must all be added before the first of them boots.
func New(cfg Config) *Cluster {
	return &Cluster{cfg: cfg.filled(), witness: witness{logs: map[wire.TopicPartition]*seen{}}}
}

// Boot makes the instance of a node from its disk.
func (c *Cluster) Boot(n *sim.Node) sim.Handler {
	if c.w == nil {
		c.w, c.nodes = n.World(), n.World().Nodes(wire.Broker)
	}
	if c.w != n.World() {
		panic("broker: a cluster for one world is used in another")
	}
	return newBroker(n, c)
}

// leader is the replica that leads in the newest epoch; nil = none does.
func (c *Cluster) leader(name string, index int) (found *replica) {
	for _, n := range c.nodes {
		b := Of(n)
		if b == nil {
			continue
		}
		if rep := b.find(name, index); rep != nil && rep.role == leading && (found == nil || rep.epoch > found.epoch) {
			found = rep
		}
	}
	return found
}

// Leader is the node that leads a partition; nil = none at the moment.
func (c *Cluster) Leader(name string, index int) *sim.Node {
	if rep := c.leader(name, index); rep != nil {
		return rep.b.n
	}
	return nil
}

// partitions of a topic: as many as some broker that is up knows; before that as many as the configuration says.
func (c *Cluster) partitions(t *wire.Topic) int {
	most := t.Partitions
	for _, n := range c.nodes {
		if b := Of(n); b != nil && b.topic(t.Name) != nil {
			most = max(most, len(b.topic(t.Name).replicas))
		}
	}
	return most
}

// Serving says whether every partition has a leader that answers for its end, and every coordinator that is configured is
// loaded.
func (c *Cluster) Serving() bool {
	if c.w == nil {
		return false
	}
	for i := range c.cfg.Topics {
		t := &c.cfg.Topics[i]
		for k := range c.partitions(t) {
			rep := c.leader(t.Name, k)
			if rep == nil || !rep.b.open || !rep.exposed() {
				return false
			}
			if rep.topic.internal && rep.b.factory(t.Name) != nil && rep.host.coord == nil {
				return false
			}
		}
	}
	return true
}

// InSync says whether every replica on a broker that is up follows the newest leader of its partition and is in its in-sync
// set: what faults have left behind in logs has been cut off by then, and what was missed has been fetched.
func (c *Cluster) InSync() bool {
	for i := range c.cfg.Topics {
		t := &c.cfg.Topics[i]
		for k := range c.partitions(t) {
			leader := c.leader(t.Name, k)
			if leader == nil || !c.follow(leader) {
				return false
			}
		}
	}
	return true
}

// follow says whether the replicas of brokers that are up follow a leader, and it counts on them.
func (c *Cluster) follow(leader *replica) bool {
	for _, id := range leader.state.Replicas {
		b := Of(c.nodes[id-1])
		if b == nil {
			continue
		}
		rep := b.find(leader.topic.cfg.Name, leader.index)
		if rep == nil || rep.epoch != leader.epoch || !slices.Contains(leader.state.ISR, id) {
			return false
		}
	}
	return true
}

// End is the log end offset at the leader; 0 without one.
func (c *Cluster) End(name string, index int) int64 {
	if rep := c.leader(name, index); rep != nil {
		return rep.log.End()
	}
	return 0
}

// High is the high watermark that the leader knows; 0 without one.
func (c *Cluster) High(name string, index int) int64 {
	if rep := c.leader(name, index); rep != nil {
		return rep.log.High()
	}
	return 0
}

// Records is how many offsets the logs of a topic have given out, markers too.
func (c *Cluster) Records(name string) (n int64) {
	for k := range c.partitions(c.cfg.topic(name)) {
		n += c.End(name, k)
	}
	return n
}

// GroupCoordinator is the coordinator of a group; nil = it has none at the moment.
func (c *Cluster) GroupCoordinator(group string) coordinator.Coordinator {
	return c.coordinator(wire.OffsetsTopic, group)
}

// TransactionCoordinator is the coordinator of a transaction; nil = it has none at the moment.
func (c *Cluster) TransactionCoordinator(name string) coordinator.Coordinator {
	return c.coordinator(wire.TransactionsTopic, name)
}

func (c *Cluster) coordinator(name, key string) coordinator.Coordinator {
	if c.w == nil {
		return nil
	}
	rep := c.leader(name, partitionOf(key, c.partitions(c.cfg.topic(name))))
	if rep == nil || rep.host == nil {
		return nil
	}
	return rep.host.coord
}
