package broker

import (
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// parkedFetch is a consumer's long poll that found nothing: one timer, cancelled when records come first. It is listed at
// each partition that it reads.
type parkedFetch struct {
	r     *sim.Request
	req   *wire.FetchRequest
	parts []*replica // parallel to req.From
	timer sim.Handle
}

// fetch answers a consumer with records or errors, or parks. A fetch whose requester has died times out like any other.
func (b *Broker) fetch(r *sim.Request, req *wire.FetchRequest) {
	if out, records := b.collect(req, nil, 0); len(out) > 0 {
		answer(r, out, records)
		return
	}
	q := &parkedFetch{r: r, req: req}
	for _, from := range req.From {
		rep := b.find(from.Topic, from.Partition)
		q.parts = append(q.parts, rep)
		rep.parked = append(rep.parked, q)
	}
	q.timer = b.n.AfterBackground(req.MaxWait, func() {
		q.leave()
		r.Reply(wire.FetchReply{}, 0)
	})
}

func answer(r *sim.Request, out []wire.Fetched, records int) {
	if records > 0 {
		r.ReplyForeground(wire.FetchReply{Partitions: out}, 0)
		return
	}
	r.Reply(wire.FetchReply{Partitions: out}, 0)
}

// leave takes a parked fetch off the lists.
func (q *parkedFetch) leave() {
	for _, rep := range q.parts {
		if i := slices.Index(rep.parked, q); i >= 0 {
			rep.parked = slices.Delete(rep.parked, i, i+1)
		}
	}
}

// wakeConsumers answers the parked fetches that the partition now has records for.
func (rep *replica) wakeConsumers(was int64) {
	for i := 0; i < len(rep.parked); {
		q := rep.parked[i]
		k := slices.Index(q.parts, rep)
		if q.req.From[k].Offset >= rep.limit(q.req.Isolation, was) {
			i++
			continue
		}
		rep.b.answerFetch(q, rep, was)
	}
}

// answerFetch ends a parked fetch with what there is, now that the high watermark of one partition was raised (nil = of none).
func (b *Broker) answerFetch(q *parkedFetch, raised *replica, was int64) {
	q.leave()
	b.n.Cancel(q.timer)
	out, records := b.collect(q.req, raised, was)
	answer(q.r, out, records)
}

// limit is where a reader of that isolation must stop, who waited at a high watermark that was seen before.
func (rep *replica) limit(isolation wire.Isolation, seen int64) int64 {
	if isolation == wire.ReadCommitted {
		return rep.log.StableBound(seen)
	}
	return rep.log.High()
}

// collect is what a consumer's fetch is answered with: nothing means that it may park. The partition that it begins with
// rotates, so that none starves behind another.
func (b *Broker) collect(req *wire.FetchRequest, raised *replica, was int64) (out []wire.Fetched, records int) {
	n := len(req.From)
	for i := range n {
		from := &req.From[(b.turn+i)%n]
		rep, err := b.led(from.Topic, from.Partition)
		seen := was
		if err == nil && rep != raised {
			seen = rep.log.High()
		}
		f, some := rep.fetched(from, req, err, seen, max(1, req.MaxRecords)-records)
		if some && (f.Err != nil || records == 0 || records < req.MaxRecords) {
			if out == nil {
				out = make([]wire.Fetched, 0, n-i)
			}
			out = append(out, f)
			records += count(f.Batches, from.Offset)
		}
	}
	if records > 0 {
		b.turn++
	}
	return out, records
}

func count(batches []wire.Batch, from int64) (n int) {
	for i := range batches {
		n += int(batches[i].Next() - max(from, batches[i].Base))
	}
	return n
}

// fetched is one partition of the answer; some is false if there is nothing to say of it.
func (rep *replica) fetched(from *wire.FetchFrom, req *wire.FetchRequest, err error, seen int64, most int) (f wire.Fetched, some bool) {
	if err == nil {
		err = rep.fence(from.CurrentEpoch)
	}
	if err == nil && (from.Offset < rep.log.Start() || from.Offset > rep.log.End()) {
		err = wire.ErrOffsetOutOfRange
	}
	f = wire.Fetched{Topic: from.Topic, Partition: from.Partition, Err: err}
	if rep != nil && rep.role == leading {
		f.High, f.LastStable, f.LogStart = rep.log.High(), rep.log.LastStable(), rep.log.Start()
	}
	if err != nil {
		return f, true
	}
	if most <= 0 {
		return f, false
	}
	limit := rep.limit(req.Isolation, seen)
	if from.Offset >= limit {
		return f, false
	}
	f.Batches = rep.log.Read(from.Offset, most, limit)
	if req.Isolation == wire.ReadCommitted && len(f.Batches) > 0 {
		f.Aborted = rep.log.Aborted(from.Offset, f.Batches[len(f.Batches)-1].Next())
	}
	return f, len(f.Batches) > 0
}
