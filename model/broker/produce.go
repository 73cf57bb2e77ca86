package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// producing is one produce request under way: its batches are decided one by one, and it is answered when all are.
type producing struct {
	b         *Broker
	r         *sim.Request
	req       *wire.ProduceRequest
	results   []wire.ProduceResult
	undecided int
	timer     sim.Handle
	done      bool
}

// produce takes a request, once it is known that what it says of transactions is so.
func (b *Broker) produce(r *sim.Request, req *wire.ProduceRequest) {
	if b.mustVerify(req) {
		b.verify(r, req)
		return
	}
	b.appendAll(r, req)
}

// appendAll appends what it can of a request. acks=0 is never answered, acks=1 when all is in the page cache of the
// leaders, acks=all when the high watermarks have passed it, or after the request's timeout.
func (b *Broker) appendAll(r *sim.Request, req *wire.ProduceRequest) {
	p := &producing{b: b, r: r, req: req, results: make([]wire.ProduceResult, len(req.Batches)), undecided: len(req.Batches) + 1}
	for i := range req.Batches {
		p.results[i].Base = -1
		b.appendOne(p, i, req)
	}
	if p.undecided > 1 && req.Acks == wire.AcksAll {
		p.timer = b.n.AfterBackground(req.Timeout, p.expire)
	}
	p.undecided--
	p.finish()
}

// appendOne judges one batch and appends it.
func (b *Broker) appendOne(p *producing, i int, req *wire.ProduceRequest) {
	pb, res := &req.Batches[i], &p.results[i]
	rep, err := b.led(pb.Topic, pb.Partition)
	if err != nil {
		p.decided(i, err)
		return
	}
	upTo, err := rep.judge(pb, req, res)
	switch {
	case err != nil:
		p.decided(i, err)
	case upTo == 0: // a new one
		rep.takeRecords(p, i, pb, req)
	case req.Acks == wire.AcksAll:
		rep.await(waiter{upTo: upTo, p: p, i: i})
	default:
		p.decided(i, nil)
	}
}

// judge says whether a batch is to be appended (0), or had been (then up to where), or is refused.
func (rep *replica) judge(pb *wire.ProduceBatch, req *wire.ProduceRequest, res *wire.ProduceResult) (upTo int64, err error) {
	now := rep.b.n.Wall()
	rep.expireProducers(now)
	early := rep.b.cfg.Log.Defects.Has(model.SequenceBeforePersist)
	few := req.Acks == wire.AcksAll && len(rep.state.ISR) < rep.minISR()
	if few && !early {
		return 0, wire.ErrNotEnoughReplicas
	}
	v := rep.log.Check(pb, now)
	switch {
	case v.Err != nil:
		return 0, v.Err
	case v.Duplicate:
		res.Base, res.Stored = v.Base, v.Stored
		return max(1, v.Base+int64(len(pb.Messages))), nil
	case few:
		return 0, wire.ErrNotEnoughReplicas
	}
	err = rep.log.CheckTransaction(pb, transactionVersion(req))
	if err == nil && rep.b.verifies(req) {
		err = rep.log.CheckVerified(pb.Producer, pb.Sequence)
	}
	return 0, err
}

// transactionVersion is what the client speaks; 0 = the request belongs to no transaction.
func transactionVersion(req *wire.ProduceRequest) int {
	if req.Transaction == "" {
		return 0
	}
	return max(1, req.TxnVersion)
}

// takeRecords appends a client's batch on the leader.
func (rep *replica) takeRecords(p *producing, i int, pb *wire.ProduceBatch, req *wire.ProduceRequest) {
	res := &p.results[i]
	batch := wire.Batch{Base: rep.log.End(), LeaderEpoch: rep.epoch, Producer: pb.Producer, Sequence: pb.Sequence,
		Transactional: req.Transaction != "", Time: rep.b.n.Wall(), Messages: rep.place(pb.Messages)}
	if pb.Producer.ID == 0 {
		batch.Sequence = -1
	}
	res.Base, res.Stored = batch.Base, rep.b.c.witness.appended(rep, &batch, p.r.Action.Attempt, req.Name)
	act := p.r.Action
	if m := &batch.Messages[0]; act.Event == "" {
		act.Event, act.Stage = m.Event, m.Stage
	}
	acks, upTo, epoch := req.Acks, batch.Next(), rep.epoch
	rep.seal(&batch)
	rep.take(batch, act, func() {
		if acks == wire.AcksLeader {
			p.decided(i, nil)
		}
		rep.written()
		if acks == wire.AcksAll {
			rep.awaitIn(epoch, waiter{upTo: upTo, p: p, i: i})
		}
	})
	if acks == wire.AcksNone {
		p.decided(i, nil)
	}
}

// awaitIn waits for the high watermark with what was appended in an epoch and is written by now. It may have moved past that
// before: followers can be quicker than the leader's own disk.
func (rep *replica) awaitIn(epoch int32, w waiter) {
	if rep.role != leading || rep.epoch != epoch {
		w.decide(wire.ErrNotLeaderAfter)
		return
	}
	rep.await(w)
}

// place copies messages and says where in the log they are.
func (rep *replica) place(messages []model.Message) []model.Message {
	out := append([]model.Message(nil), messages...)
	for i := range out {
		out[i].Topic, out[i].Partition, out[i].Offset = rep.topic.cfg.Name, rep.index, rep.log.End()+int64(i)
	}
	return out
}

// decided notes what became of one batch; the last one answers.
func (p *producing) decided(i int, err error) {
	if p.done {
		return // the timeout came first
	}
	if err != nil {
		p.results[i] = wire.ProduceResult{Err: err, Base: -1}
	}
	p.undecided--
	p.finish()
}

// expire is the timeout of acks=all: what was appended stays, and may yet be committed.
func (p *producing) expire() {
	for i := range p.results {
		if p.results[i].Err == nil {
			p.results[i] = wire.ProduceResult{Err: wire.ErrRequestTimedOut, Base: -1}
		}
	}
	p.undecided = 0
	p.finish()
}

func (p *producing) finish() {
	if p.undecided > 0 || p.done {
		return
	}
	p.done = true
	p.b.n.Cancel(p.timer)
	p.r.Applied()
	if p.req.Acks != wire.AcksNone {
		p.answer()
	}
	p.b.unmute(p.r, p.req)
}

func (p *producing) answer() {
	var fact int64
	for i := range p.results {
		if s := p.results[i].Stored; len(s) > 0 {
			fact = s[len(s)-1]
		}
	}
	p.r.Reply(wire.ProduceReply{Results: p.results}, fact)
}
