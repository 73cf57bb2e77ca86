package broker_test

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker"
	"github.com/twiceless/twiceless/model/controller"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// setup is a cluster of brokers with one controller, and two clients that speak the protocol by hand.
type setup struct {
	w          *sim.World
	cluster    *broker.Cluster
	controller *sim.Node
	brokers    []*sim.Node
	clients    []*sim.Node
}

// plan says how a setup differs from the default: three brokers, one topic of one partition with min ISR 2.
type plan struct {
	seed       uint64
	brokers    int
	latency    rng.Dist
	broker     broker.Config
	controller controller.Config
	topics     []wire.Topic
	everyEvent bool
	unclean    bool
	fsync      sim.Duration // how long the brokers' disks take for one
}

func newSetup(p plan) *setup {
	if p.brokers == 0 {
		p.brokers = 3
	}
	if p.topics == nil {
		p.topics = []wire.Topic{{Name: "orders", Partitions: 1, MinInSync: 2}}
	}
	p.broker.Topics, p.controller.Topics = p.topics, p.topics
	s := &setup{w: sim.New(sim.Config{Seed: p.seed, Latency: p.latency, EveryEvent: p.everyEvent})}
	s.cluster = broker.New(p.broker)
	s.controller = s.w.Role(wire.Controller, controller.New(p.controller))
	for range p.brokers {
		n := s.w.Role(wire.Broker, s.cluster.Boot)
		n.Disk().Timing(rng.Constant(0), rng.Constant(int64(p.fsync)))
		s.brokers = append(s.brokers, n)
	}
	for range 2 {
		s.clients = append(s.clients, s.w.Role("client", func(*sim.Node) sim.Handler { return sim.NoHandler() }))
	}
	return s
}

func (s *setup) boot() {
	for _, n := range s.w.Nodes("") {
		n.Boot()
	}
}

// run lets time pass.
func (s *setup) run(d sim.Duration) {
	s.w.Run(s.w.Now().Add(d))
}

// call sends a request from a client and has then told what came of it.
func (s *setup) call(client int, to *sim.Node, op string, act sim.Action, body any, timeout sim.Duration, then func(any, int64, error)) {
	n := s.clients[client]
	n.After(0, func() { n.Call(to, s.w.Op(wire.Broker+"."+op), act, body, 0, timeout, then) })
}

// produce sends one batch of topic orders.
func (s *setup) produce(client int, to *sim.Node, partition, acks int, producer wire.ProducerID, sequence int64, events []string, then func(wire.ProduceResult, error)) {
	pb := wire.ProduceBatch{Topic: "orders", Partition: partition, Producer: producer, Sequence: sequence}
	for _, e := range events {
		pb.Messages = append(pb.Messages, model.Message{Intent: model.Intent{Event: e}, Payload: e})
	}
	req := wire.ProduceRequest{Acks: acks, Timeout: 30 * sim.Second, Batches: []wire.ProduceBatch{pb}}
	if acks == wire.AcksNone {
		n := s.clients[client]
		n.After(0, func() {
			n.Send(to, s.w.Op(wire.Broker+"."+wire.OpProduce), s.w.Act(events[0], "", wire.OpProduce), req, 0)
		})
		return
	}
	s.call(client, to, wire.OpProduce, s.w.Act(events[0], "", wire.OpProduce), req, 40*sim.Second, func(body any, _ int64, err error) {
		if err != nil {
			then(wire.ProduceResult{Base: -1}, err)
			return
		}
		then(body.(wire.ProduceReply).Results[0], nil)
	})
}
