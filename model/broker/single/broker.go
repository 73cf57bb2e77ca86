package broker

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Config of a broker. The topics are fixed for the life of the world: a stack that needs its own (a dead letter
// topic) adds them before the world starts.
type Config struct {
	Topics         []Topic
	RebalanceDelay sim.Duration // the first join of an empty group waits this long for others; broker's monotonic clock
	Planted        model.Planted
}

// Topic is a name and a number of partitions.
type Topic struct {
	Name       string
	Partitions int
}

// Broker is one incarnation of the node: a partitioned log and the coordinator of its groups.
type Broker struct {
	n      *sim.Node
	inc    int32
	delay  sim.Duration
	bugs   model.Planted
	topics []*topic // in order of the configuration
	groups []*group // in order of their first join
	meta   journal
	turn   int // rotates which partition a fetch begins with

	recovering int            // files whose fsync at boot is not complete
	early      []*sim.Request // came before the recovery was over
}

// New is the factory of the node: each boot makes its instance from the disk alone.
func New(cfg Config) func(*sim.Node) sim.Handler {
	topics := append([]Topic(nil), cfg.Topics...)
	return func(n *sim.Node) sim.Handler {
		b := &Broker{n: n, inc: n.Incarnation(), delay: cfg.RebalanceDelay, bugs: cfg.Planted, meta: journal{n: n, file: metaFile}}
		b.boot(topics)
		return b
	}
}

// Of returns the present instance on the node; nil while the node is down.
func Of(n *sim.Node) *Broker {
	if n == nil || !n.Up() {
		return nil
	}
	b, _ := n.Handler().(*Broker)
	return b
}

// boot reads what the disk holds. All of it counts, so all of it is made durable before the first request is
// served: after a kill, the page cache holds records that nobody fsynced, and a consumer must not see what a later
// power loss could take back.
func (b *Broker) boot(topics []Topic) {
	known := readCatalog(b.n.Disk())
	for _, t := range topics {
		b.topics = append(b.topics, bootTopic(b.n, t))
		if known.partitions(t.Name) == 0 {
			b.n.Append(metaFile, topicRecord(t), sim.Action{}, nil)
		}
	}
	for _, g := range known.groups {
		b.groups = append(b.groups, bootGroup(b, g.name, g.topic))
	}
	b.recover(&b.meta)
	for _, t := range b.topics {
		for _, p := range t.partitions {
			b.recover(&p.log)
		}
	}
	for _, g := range b.groups {
		b.recover(&g.file)
	}
}

// recover fsyncs a file that is not empty; the broker opens when the last one is done.
func (b *Broker) recover(j *journal) {
	if len(b.n.Disk().Read(j.file)) == 0 {
		return
	}
	b.recovering++
	j.durable(sim.Action{}, func(int) {
		if b.recovering--; b.recovering > 0 {
			return
		}
		early := b.early
		b.early = nil
		for _, r := range early {
			if b.alive() {
				b.serve(r)
			}
		}
	})
}

// alive says whether this incarnation still runs: a hook may have ended it in the middle of a handler.
func (b *Broker) alive() bool { return b.n.Up() && b.n.Incarnation() == b.inc }

// Receive handles one request; during recovery it waits its turn.
func (b *Broker) Receive(_ *sim.Node, r *sim.Request) {
	if b.recovering > 0 {
		b.early = append(b.early, r)
		return
	}
	b.serve(r)
}

func (b *Broker) serve(r *sim.Request) {
	switch req := r.Body.(type) {
	case model.ProduceRequest:
		b.produce(r, &req)
	case model.FetchRequest:
		b.fetch(r, req)
	case model.JoinRequest:
		b.join(r, &req)
	case model.SyncRequest:
		b.sync(r, &req)
	case model.HeartbeatRequest:
		b.heartbeat(r, &req)
	case model.LeaveRequest:
		b.leave(r, &req)
	case model.CommitRequest:
		b.commit(r, &req)
	case model.OffsetsRequest:
		b.offsets(r, &req)
	case model.EarliestRequest:
		b.earliest(r, req)
	case model.LatestRequest:
		b.latest(r, req)
	default:
		panic(fmt.Sprintf("broker: %s with a body of type %T", r.Op, r.Body))
	}
}

func (b *Broker) topic(name string) *topic {
	for _, t := range b.topics {
		if t.name == name {
			return t
		}
	}
	return nil
}

// partition finds a partition; nil when there is none.
func (b *Broker) partition(topic string, i int) *partition {
	t := b.topic(topic)
	if t == nil || i < 0 || i >= len(t.partitions) {
		return nil
	}
	return t.partitions[i]
}

func (b *Broker) group(name string) *group {
	for _, g := range b.groups {
		if g.name == name {
			return g
		}
	}
	return nil
}

// Lag is how many records the group has not committed: all that the log took, durable or not yet, of the topic
// that the group reads. A group that nobody has joined has none.
func (b *Broker) Lag(group string) int64 {
	g := b.group(group)
	if g == nil {
		return 0
	}
	return b.topic(g.topic).appended - g.positions
}

// Records is how many records the log took of a topic; 0 if there is no such topic.
func (b *Broker) Records(topic string) int64 {
	if t := b.topic(topic); t != nil {
		return t.appended
	}
	return 0
}

// Stable says whether the group is stable with that many members.
func (b *Broker) Stable(group string, members int) bool {
	g := b.group(group)
	return g != nil && g.state == Stable && len(g.members) == members
}

// State of a group: Empty when nobody has joined it yet.
func (b *Broker) State(group string) State {
	if g := b.group(group); g != nil {
		return g.state
	}
	return Empty
}

// Generation of a group's present membership; 0 = none yet.
func (b *Broker) Generation(group string) int64 {
	if g := b.group(group); g != nil {
		return g.generation
	}
	return 0
}

// Leader is the node of the group's leader; "" when the group has no members.
func (b *Broker) Leader(group string) string {
	if g := b.group(group); g != nil && len(g.members) > 0 {
		return g.members[0].client
	}
	return ""
}
