package broker

import (
	"fmt"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Broker is one incarnation of the node.
type Broker struct {
	n   *sim.Node
	inc int32
	c   *Cluster
	cfg *Config
	id  int32

	controller *sim.Node
	nodes      []*sim.Node // broker k at k-1
	op         ops

	// its life (lifecycle.go) and what the controller told it (image.go)
	epoch    int64 // of its session; 0 = not registered
	ended    int64 // the session that a controlled shutdown ended before this incarnation; 0 = none
	open     bool  // clients are answered
	stopping bool
	nextBeat sim.Handle
	version  int64
	brokers  []wire.BrokerState
	topics   []*topic

	// what it does as a follower (fetcher.go) and as a leader
	fetchers []*fetcher     // by leader, at id-1
	polls    []*replicaPoll // parked, by follower, at id-1
	turn     int            // rotates with which partition the answer to a consumer begins

	groups, transactions Factory

	checkpoints checkpoints
	scanning    bool // in-sync sets are looked at
	leading     int  // replicas that lead
	ids         idBlock
	held        []*heldProducer // producers whose transactions are being verified
	channels    []channel       // whose request is being handled
	handlers    *handlers       // nil = requests take no time
}

// ops are the interned names of what a broker asks others.
type ops struct{ register, beat, image, alter, ids, fetch, epochEnd, add sim.Op }

// topic is one topic as the metadata has it.
type topic struct {
	cfg      *wire.Topic
	internal bool
	replicas []*replica // by partition
}

func newBroker(n *sim.Node, c *Cluster) *Broker {
	w := n.World()
	b := &Broker{n: n, inc: n.Incarnation(), c: c, cfg: &c.cfg, nodes: c.nodes, controller: w.Node(wire.Controller + "-1")}
	for i, node := range b.nodes {
		if node == n {
			b.id = int32(i + 1)
		}
	}
	if b.controller == nil {
		panic("broker: the world has no controller")
	}
	b.op = ops{
		register: w.Op(wire.Controller + "." + wire.OpRegister), beat: w.Op(wire.Controller + "." + wire.OpBeat),
		image: w.Op(wire.Controller + "." + wire.OpImage), alter: w.Op(wire.Controller + "." + wire.OpAlterPartition),
		ids: w.Op(wire.Controller + "." + wire.OpProducerIDs), fetch: w.Op(wire.Broker + "." + wire.OpReplicaFetch),
		epochEnd: w.Op(wire.Broker + "." + wire.OpEpochEnd), add: w.Op(wire.Broker + "." + wire.OpAddPartitions),
	}
	for k := range b.nodes {
		b.fetchers = append(b.fetchers, newFetcher(b, int32(k+1)))
	}
	b.polls = make([]*replicaPoll, len(b.nodes))
	b.groups, b.transactions = c.cfg.Groups, c.cfg.Transactions
	if c.cfg.PerBroker != nil {
		b.groups, b.transactions = c.cfg.PerBroker(n)
	}
	if c.cfg.Work != nil {
		b.handlers = newHandlers(b)
	}
	n.OnLeap(b.leap)
	n.OnSkew(func() { b.each((*replica).retain) })
	b.boot()
	return b
}

// Of returns the present instance on the node; nil while the node is down.
func Of(n *sim.Node) *Broker {
	if n == nil || !n.Up() {
		return nil
	}
	b, _ := n.Handler().(*Broker)
	return b
}

func (b *Broker) alive() bool { return b.n.Up() && b.n.Incarnation() == b.inc }

// Receive takes one request. A broker that is not yet part of the cluster has no open port.
func (b *Broker) Receive(_ *sim.Node, r *sim.Request) {
	if !b.open && !b.cfg.EarlyListener {
		r.Fail(sim.ErrRefused, 0)
		return
	}
	if req, ok := r.Body.(wire.ProduceRequest); ok && !b.read(r, &req) {
		return
	}
	b.begin(r)
}

// begin has a request handled, as soon as somebody has time for it.
func (b *Broker) begin(r *sim.Request) {
	if b.handlers != nil {
		b.handlers.take(r)
		return
	}
	b.handle(r)
}

// handle does what a request asks for.
func (b *Broker) handle(r *sim.Request) {
	switch req := r.Body.(type) {
	case wire.ProduceRequest:
		b.produce(r, &req)
	case ReplicaFetchRequest:
		b.replicaFetch(r, &req)
	case wire.FetchRequest:
		b.fetch(r, &req)
	case wire.ListOffsetsRequest:
		b.listOffsets(r, &req)
	case wire.EpochEndRequest:
		b.epochEnd(r, &req)
	case wire.MetadataRequest:
		b.metadata(r, &req)
	case wire.CoordinatorRequest:
		b.findCoordinator(r, &req)
	case wire.MarkersRequest:
		b.markers(r, &req)
	case wire.InitProducerRequest:
		if req.Transaction == "" {
			b.initProducer(r)
			return
		}
		b.route(r, wire.TransactionsTopic, req.Transaction)
	default:
		b.coordinate(r)
	}
}

// coordinate hands a request to the coordinator that its group or transaction has here.
func (b *Broker) coordinate(r *sim.Request) {
	switch req := r.Body.(type) {
	case wire.HeartbeatRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.JoinRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.SyncRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.LeaveRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.GroupHeartbeatRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.CommitRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.OffsetsRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.TxnCommitRequest:
		b.route(r, wire.OffsetsTopic, req.Group)
	case wire.AddPartitionsRequest:
		b.route(r, wire.TransactionsTopic, req.Transaction)
	case wire.AddOffsetsRequest:
		b.route(r, wire.TransactionsTopic, req.Transaction)
	case wire.EndTxnRequest:
		b.route(r, wire.TransactionsTopic, req.Transaction)
	default:
		panic(fmt.Sprintf("broker: %s with a body of type %T", r.Op, r.Body))
	}
}

// node of a broker; nil of none.
func (b *Broker) node(id int32) *sim.Node {
	if id < 1 || int(id) > len(b.nodes) {
		return nil
	}
	return b.nodes[id-1]
}

func (b *Broker) topic(name string) *topic {
	for _, t := range b.topics {
		if t.cfg.Name == name {
			return t
		}
	}
	return nil
}

// find is a partition as the broker knows it, whether it has a replica of it or not; nil = it knows none.
func (b *Broker) find(name string, index int) *replica {
	t := b.topic(name)
	if t == nil || index < 0 || index >= len(t.replicas) {
		return nil
	}
	return t.replicas[index]
}

// led is a partition that the broker leads, or why it cannot serve it.
func (b *Broker) led(name string, index int) (*replica, error) {
	rep := b.find(name, index)
	switch {
	case rep == nil:
		return nil, wire.ErrUnknownTopic
	case rep.role != leading:
		return nil, wire.ErrNotLeader
	}
	return rep, nil
}

// each walks the partitions that the broker has a replica of.
func (b *Broker) each(do func(*replica)) {
	for _, t := range b.topics {
		for _, rep := range t.replicas {
			if rep.log != nil {
				do(rep)
			}
		}
	}
}

// leap moves what is noted again in each idle cycle: when followers fetched and had caught up.
func (b *Broker) leap(since sim.Time, by sim.Duration) {
	b.each(func(rep *replica) {
		for i := range rep.followers {
			f := &rep.followers[i]
			for _, at := range []*sim.Time{&f.caughtUp, &f.fetched} {
				if *at >= since {
					*at = at.Add(by)
				}
			}
		}
	})
}
