package broker

import (
	"errors"

	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// host is what a coordinator lives on: the leadership of one partition of an internal topic. Its states: loading, until the high watermark
// has come to where the leadership began, so that all that a coordinator before has acknowledged is below it; loaded; ended.
type host struct {
	rep     *replica
	epoch   int32
	coord   coordinator.Coordinator // nil = not loaded
	markers []wire.Batch            // above the high watermark
	ended   bool
}

func newHost(rep *replica) *host { return &host{rep: rep, epoch: rep.epoch} }

// factory of the coordinators of a topic; nil = there are none.
func (b *Broker) factory(name string) Factory {
	if name == wire.OffsetsTopic {
		return b.groups
	}
	return b.transactions
}

// committed follows the high watermark: it loads the coordinator, and tells a loaded one of markers.
func (h *host) committed() {
	log := h.rep.log
	k := 0
	for k < len(h.markers) && h.markers[k].Next() <= log.High() {
		k++
	}
	due := h.markers[:k]
	h.markers = h.markers[k:]
	if h.coord != nil {
		for _, m := range due {
			h.coord.Marker(m)
		}
		return
	}
	if make := h.rep.b.factory(h.rep.topic.cfg.Name); make != nil && h.rep.exposed() {
		h.coord = make(h)
		h.coord.Load(log.Read(log.Start(), 0, log.High()))
	}
}

func (h *host) unload() {
	if !h.ended {
		panic("broker: a coordinator is unloaded before it has ended")
	}
	if h.coord != nil {
		h.coord.Unload()
	}
}

// Node is the broker's.
func (h *host) Node() *sim.Node { return h.rep.b.n }

// Alive says whether the broker still leads the partition in this epoch.
func (h *host) Alive() bool { return !h.ended && h.rep.b.alive() }

// Epoch is the leader epoch of the partition.
func (h *host) Epoch() int32 { return h.epoch }

// Append writes a batch as an acks=all producer does.
func (h *host) Append(batch wire.Batch, act sim.Action, then func(error)) {
	rep := h.rep
	if !h.Alive() {
		then(wire.ErrNotCoordinator)
		return
	}
	if err := rep.judgeOwn(&batch); err != nil {
		then(err)
		return
	}
	batch.Base, batch.LeaderEpoch, batch.Time, batch.Sequence = rep.log.End(), rep.epoch, rep.b.n.Wall(), -1
	batch.Messages = rep.place(batch.Messages)
	rep.seal(&batch)
	rep.take(batch, act, rep.written)
	rep.awaitOwn(batch.Next(), func(err error) {
		if errors.Is(err, wire.ErrNotLeaderAfter) {
			err = wire.ErrNotCoordinator
		}
		then(err)
	})
}

// judgeOwn refuses what a coordinator must not append now.
func (rep *replica) judgeOwn(batch *wire.Batch) error {
	if len(rep.state.ISR) < rep.minISR() {
		return wire.ErrNotEnoughReplicas
	}
	pb := wire.ProduceBatch{Producer: batch.Producer, Sequence: -1, Messages: batch.Messages}
	err := rep.log.Check(&pb, rep.b.n.Wall()).Err
	if err == nil && batch.Transactional && !rep.b.cfg.WithoutVerification {
		err = rep.log.CheckVerified(batch.Producer, -1)
	}
	return err
}

// awaitOwn waits for the high watermark to pass an offset, for as long as a broker waits for its own appends.
func (rep *replica) awaitOwn(upTo int64, then func(error)) {
	n, over := rep.b.n, false
	timer := n.AfterBackground(rep.b.cfg.AppendTimeout, func() {
		over = true
		then(wire.ErrRequestTimedOut)
	})
	rep.await(waiter{upTo: upTo, then: func(err error) {
		if !over {
			n.Cancel(timer)
			then(err)
		}
	}})
}

// Partitions of a topic; 0 = unknown.
func (h *host) Partitions(name string) int {
	if t := h.rep.b.topic(name); t != nil {
		return len(t.replicas)
	}
	return 0
}

// Leader of a partition; nil = none.
func (h *host) Leader(name string, index int) *sim.Node {
	if rep := h.rep.b.find(name, index); rep != nil {
		return h.rep.b.node(rep.state.Leader)
	}
	return nil
}

// OffsetsPartition is where a group lives.
func (h *host) OffsetsPartition(group string) int {
	return partitionOf(group, h.Partitions(wire.OffsetsTopic))
}

// ProducerID takes one from the broker's block.
func (h *host) ProducerID(then func(id int64, err error)) { h.rep.b.producerID(then) }

// partitionOf is where a key lives. It must not change while a cluster lives.
func partitionOf(key string, partitions int) int {
	return int(rng.Hash(key) % uint64(partitions))
}

// coordinated is the partition of an internal topic in which a key lives; nil = not known.
func (b *Broker) coordinated(name, key string) *replica {
	t := b.topic(name)
	if t == nil || len(t.replicas) == 0 {
		return nil
	}
	return t.replicas[partitionOf(key, len(t.replicas))]
}

// coordinatorOf is the node that coordinates a key; nil = none.
func (b *Broker) coordinatorOf(name, key string) *sim.Node {
	if rep := b.coordinated(name, key); rep != nil {
		return b.node(rep.state.Leader)
	}
	return nil
}

// route hands a request to the coordinator of its key.
func (b *Broker) route(r *sim.Request, name, key string) {
	rep := b.coordinated(name, key)
	switch {
	case b.factory(name) == nil:
		r.Fail(wire.ErrNoCoordinator, 0)
	case rep == nil || rep.role != leading:
		r.Fail(wire.ErrNotCoordinator, 0)
	case rep.host.coord == nil:
		r.Fail(wire.ErrCoordinatorLoading, 0)
	default:
		rep.host.coord.Receive(r)
	}
}

// findCoordinator tells where a key is coordinated, as far as this broker knows.
func (b *Broker) findCoordinator(r *sim.Request, req *wire.CoordinatorRequest) {
	name := wire.OffsetsTopic
	if req.Transaction {
		name = wire.TransactionsTopic
	}
	to := b.coordinatorOf(name, req.Key)
	if to == nil {
		r.Fail(wire.ErrNoCoordinator, 0)
		return
	}
	r.Reply(wire.CoordinatorReply{Node: to.Name()}, 0)
}

// idBlock is the producer ids that the broker may give out.
type idBlock struct {
	next, end int64
	waiting   []func(int64, error)
	asking    bool
}

// producerID takes one, from a new block of the controller's if need be.
func (b *Broker) producerID(then func(int64, error)) {
	if b.ids.next < b.ids.end {
		b.ids.next++
		then(b.ids.next-1, nil)
		return
	}
	b.ids.waiting = append(b.ids.waiting, then)
	if b.ids.asking {
		return
	}
	b.ids.asking = true
	req := wire.ProducerIDsRequest{Broker: b.id, Epoch: b.epoch}
	b.n.Call(b.controller, b.op.ids, sim.Action{}, req, 0, b.cfg.controlTimeout(), b.gotIDs)
}

func (b *Broker) gotIDs(reply any, _ int64, err error) {
	waiting := b.ids.waiting
	b.ids.waiting, b.ids.asking = nil, false
	if err == nil {
		block := reply.(wire.ProducerIDsReply)
		b.ids.next, b.ids.end = block.First, block.First+block.Count
	}
	for _, then := range waiting {
		if err != nil {
			then(0, wire.ErrCoordinatorLoading)
			continue
		}
		b.producerID(then)
	}
}

// initProducer gives an identity to a producer that has no transactions.
func (b *Broker) initProducer(r *sim.Request) {
	b.producerID(func(id int64, err error) {
		if err != nil {
			r.Fail(err, 0)
			return
		}
		r.Reply(wire.InitProducerReply{Producer: wire.ProducerID{ID: id}}, 0)
	})
}
