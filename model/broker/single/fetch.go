package broker

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// parkedFetch is a long poll that found nothing: one timer, cancelled when records come first.
type parkedFetch struct {
	r     *sim.Request
	req   model.FetchRequest
	timer sim.Handle
}

// fetch answers with records, or parks. A fetch whose requester has died times out like any other.
func (b *Broker) fetch(r *sim.Request, req model.FetchRequest) {
	t := b.topic(req.Topic)
	for _, from := range req.From {
		p := b.partition(req.Topic, from.Partition)
		if p == nil {
			t = nil
			break
		}
		if from.Offset < 0 || from.Offset > int64(len(p.messages)) {
			r.Fail(model.ErrOffsetOutOfRange, 0)
			return
		}
	}
	if t == nil {
		r.Fail(model.ErrUnknownTopic, 0)
		return
	}
	if ms := b.collect(t, &req); len(ms) > 0 {
		r.ReplyForeground(model.FetchReply{Messages: ms}, 0)
		return
	}
	f := &parkedFetch{r: r, req: req}
	f.timer = b.n.AfterBackground(req.MaxWait, func() {
		t.unpark(f)
		r.Reply(model.FetchReply{}, 0)
	})
	t.parked = append(t.parked, f)
}

func (t *topic) unpark(f *parkedFetch) {
	if i := slices.Index(t.parked, f); i >= 0 {
		t.parked = slices.Delete(t.parked, i, i+1)
	}
}

// wake answers the parked fetches that the partition now has records for.
func (b *Broker) wake(p *partition) {
	for _, f := range slices.Clone(p.topic.parked) {
		if !slices.ContainsFunc(f.req.From, func(o model.PartitionOffset) bool { return o.Partition == p.index && o.Offset < p.high }) {
			continue
		}
		p.topic.unpark(f)
		b.n.Cancel(f.timer)
		f.r.ReplyForeground(model.FetchReply{Messages: b.collect(p.topic, &f.req)}, 0)
		if !b.alive() {
			return
		}
	}
}

// collect takes up to MaxRecords: one of each partition in turn while there are any, so that no partition
// starves another; the first partition rotates from fetch to fetch.
func (b *Broker) collect(t *topic, req *model.FetchRequest) []model.Message {
	total := 0
	for _, o := range req.From {
		total += int(max(0, t.partitions[o.Partition].high-o.Offset))
	}
	if total == 0 || req.MaxRecords <= 0 {
		return nil
	}
	left := min(total, req.MaxRecords)
	ms := make([]model.Message, 0, left)
	n := len(req.From)
	b.turn++
	take := make([]int64, n)
	for i := b.turn; left > 0; i++ {
		if o := req.From[i%n]; o.Offset+take[i%n] < t.partitions[o.Partition].high {
			take[i%n]++
			left--
		}
	}
	for i := range n {
		k := (b.turn + i) % n
		o := req.From[k]
		ms = append(ms, t.partitions[o.Partition].messages[o.Offset:o.Offset+take[k]]...)
	}
	return ms
}
