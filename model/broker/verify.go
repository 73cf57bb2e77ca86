package broker

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Before the first record of a transaction in a partition its leader asks the coordinator whether the transaction is open
// and has the partition (KIP-890): a record that comes late, after the transaction was ended, would open one that nobody
// ends. A client of version 2 has not added the partition, and the leader does so for it. What the same producer sends
// meanwhile waits behind, in order.

// heldProducer is the requests of a producer that wait for the coordinator; the first asked.
type heldProducer struct {
	producer int64
	requests []heldRequest
}

type heldRequest struct {
	r     *sim.Request
	req   *wire.ProduceRequest
	asked []*partition.Verification
}

// mustVerify says whether a request begins a transaction in some partition, or comes behind one that does.
func (b *Broker) mustVerify(req *wire.ProduceRequest) bool {
	if !b.verifies(req) || len(req.Batches) == 0 {
		return false
	}
	return b.heldOf(req.Batches[0].Producer.ID) != nil || len(b.unverified(req)) > 0
}

// verifies says whether a request must belong to transactions that the coordinator knows.
func (b *Broker) verifies(req *wire.ProduceRequest) bool {
	return req.Transaction != "" && (!b.cfg.WithoutVerification || req.TxnVersion >= 2)
}

func (b *Broker) heldOf(producer int64) *heldProducer {
	for _, h := range b.held {
		if h.producer == producer {
			return h
		}
	}
	return nil
}

// unverified are the batches for partitions in which the producer has no transaction open in its epoch. One of the epoch before is another
// one, from version 2 on: its marker is still to come, and would stand for what is appended meanwhile.
func (b *Broker) unverified(req *wire.ProduceRequest) (out []*wire.ProduceBatch) {
	for i := range req.Batches {
		pb := &req.Batches[i]
		rep, err := b.led(pb.Topic, pb.Partition)
		if err != nil || rep.had(pb) {
			continue
		}
		if !rep.log.OpenIn(pb.Producer) {
			out = append(out, pb)
		}
	}
	return out
}

// had says whether a batch is a duplicate: that begins nothing.
func (rep *replica) had(pb *wire.ProduceBatch) bool {
	return rep.log.Check(pb, rep.b.n.Wall()).Duplicate
}

// verify holds a request until the coordinator has answered.
func (b *Broker) verify(r *sim.Request, req *wire.ProduceRequest) {
	id := req.Batches[0].Producer.ID
	h := b.heldOf(id)
	if h != nil {
		h.requests = append(h.requests, heldRequest{r: r, req: req})
		return
	}
	h = &heldProducer{producer: id, requests: []heldRequest{{r: r, req: req}}}
	b.held = append(b.held, h)
	b.askCoordinator(h)
}

// askCoordinator asks for the first request that is held.
func (b *Broker) askCoordinator(h *heldProducer) {
	first := &h.requests[0]
	begins := b.unverified(first.req)
	if len(begins) == 0 {
		b.verified(h, nil)
		return
	}
	ask := wire.AddPartitionsRequest{Transaction: first.req.Transaction, Producer: first.req.Batches[0].Producer,
		VerifyOnly: first.req.TxnVersion < 2}
	for _, pb := range begins {
		ask.Partitions = append(ask.Partitions, wire.TopicPartition{Topic: pb.Topic, Partition: pb.Partition})
		first.asked = append(first.asked, b.find(pb.Topic, pb.Partition).log.Verify(pb.Producer, pb.Sequence, b.n.Wall()))
	}
	to := b.coordinatorOf(wire.TransactionsTopic, first.req.Transaction)
	if to == nil {
		b.verified(h, wire.ErrNoCoordinator)
		return
	}
	b.n.Call(to, b.op.add, sim.Action{}, ask, 0, first.req.Timeout, func(_ any, _ int64, err error) { b.verified(h, err) })
}

// verified goes on with the first request that is held, and asks for the next.
func (b *Broker) verified(h *heldProducer, err error) {
	first := h.requests[0]
	h.requests = h.requests[1:]
	if len(h.requests) == 0 {
		i := slices.Index(b.held, h)
		b.held = slices.Delete(b.held, i, i+1)
	}
	if err == nil {
		partition.Granted(first.asked, func() { b.appendAll(first.r, first.req) })
	} else {
		b.refuse(first, unverifiable(err, first.req.TxnVersion))
	}
	if len(h.requests) > 0 {
		b.askCoordinator(h)
	}
}

// unverifiable is what the producer hears. Where the coordinator did not say no it may ask again: nothing was written.
func unverifiable(err error, version int) error {
	for _, final := range []error{wire.ErrTransactionAbort, wire.ErrInvalidTxnState, wire.ErrInvalidMapping} {
		if errors.Is(err, final) {
			return final
		}
	}
	switch {
	case errors.Is(err, wire.ErrProducerFenced), errors.Is(err, wire.ErrInvalidProducer):
		return wire.ErrInvalidProducer
	case errors.Is(err, wire.ErrConcurrentTxn) && version >= 2:
		return wire.ErrConcurrentTxn
	}
	return wire.ErrNotEnoughReplicas
}

func (b *Broker) refuse(h heldRequest, err error) {
	if h.req.Acks != wire.AcksNone {
		h.answer(err)
	}
	b.unmute(h.r, h.req)
}

func (h heldRequest) answer(err error) {
	reply := wire.ProduceReply{Results: make([]wire.ProduceResult, len(h.req.Batches))}
	for i := range reply.Results {
		reply.Results[i] = wire.ProduceResult{Err: err, Base: -1}
	}
	h.r.Reply(reply, 0)
}

// VerifyOffsets is how the group coordinator of a host asks whether the partition that it lives on belongs to a transaction,
// before it takes positions into it (KAFKA-15449); from version 2 on it has the partition taken in. Then is called once, in
// an event of the node or at once, with what the producer hears. Nil = nobody asks: a cluster without verification has no
// version 2.
func VerifyOffsets(of coordinator.Host) func(req *wire.TxnCommitRequest, index int, then func(error)) {
	h := of.(*host)
	b := h.rep.b
	if b.cfg.WithoutVerification {
		return nil
	}
	return func(req *wire.TxnCommitRequest, index int, then func(error)) {
		to := b.coordinatorOf(wire.TransactionsTopic, req.Transaction)
		if to == nil {
			then(wire.ErrNoCoordinator)
			return
		}
		ask := wire.AddPartitionsRequest{Transaction: req.Transaction, Producer: req.Producer, VerifyOnly: req.TxnVersion < 2,
			Partitions: []wire.TopicPartition{{Topic: wire.OffsetsTopic, Partition: index}}}
		asked := []*partition.Verification{h.rep.log.Verify(req.Producer, -1, b.n.Wall())}
		b.n.Call(to, b.op.add, sim.Action{}, ask, 0, b.cfg.AppendTimeout, func(_ any, _ int64, err error) {
			if err == nil {
				partition.Granted(asked, func() { then(nil) })
				return
			}
			err = unverifiable(err, req.TxnVersion)
			if errors.Is(err, wire.ErrNotEnoughReplicas) {
				err = wire.ErrNoCoordinator // so is that told to one who commits
			}
			then(err)
		})
	}
}
