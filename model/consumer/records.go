package consumer

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// filter leaves out of one fetch what its reader is not to see: markers, and for a reader of committed records those of
// transactions that ended in an abort. The broker names these; which records they are the client finds out.
type filter struct {
	committed bool
	aborted   []wire.AbortedTxn // not begun, by first offset
	inside    []int64           // producers in an aborted transaction
}

func newFilter(isolation wire.Isolation, aborted []wire.AbortedTxn) filter {
	f := filter{committed: isolation == wire.ReadCommitted}
	if f.committed && len(aborted) > 0 {
		f.aborted = slices.Clone(aborted)
		slices.SortFunc(f.aborted, func(a, b wire.AbortedTxn) int { return int(a.First - b.First) })
	}
	return f
}

// leavesOut judges the next batch; each is to be shown to it once, in order.
func (f *filter) leavesOut(b *wire.Batch) bool {
	for len(f.aborted) > 0 && f.aborted[0].First < b.Next() {
		f.inside = append(f.inside, f.aborted[0].Producer)
		f.aborted = f.aborted[1:]
	}
	switch {
	case b.Control == wire.AbortMarker:
		f.inside = slices.DeleteFunc(f.inside, func(id int64) bool { return id == b.Producer.ID })
		return true
	case b.Control != wire.Data:
		return true
	}
	return f.committed && b.Transactional && slices.Contains(f.inside, b.Producer.ID)
}

// collect hands over what was fetched, up to a limit, in the order in which it came. The positions move with it, also
// past what is left out. What is paused waits.
func (c *Consumer) collect(p *sim.Proc, most int) []model.Message {
	if len(c.queue) == 0 {
		return nil
	}
	if most <= 0 || most > c.opts.MaxPollRecords {
		most = c.opts.MaxPollRecords
	}
	var out []model.Message
	kept := 0
	for i := range c.queue {
		f := &c.queue[i]
		if c.outdated(f) {
			continue
		}
		if len(out) < most && (c.steering.Skip == nil || !c.steering.Skip(f.p.id)) {
			out = c.hand(p, f, out, most)
		}
		if f.batch < len(f.batches) {
			c.queue[kept] = *f
			kept++
		}
	}
	clear(c.queue[kept:])
	c.queue = c.queue[:kept]
	c.armAutoCommit()
	return out
}

// outdated says whether it was fetched for a position that the member has left.
func (c *Consumer) outdated(f *completed) bool { return f.p.gone || f.version != f.p.version }

// hand hands records of one fetch over until it is empty or there are enough.
func (c *Consumer) hand(p *sim.Proc, f *completed, out []model.Message, most int) []model.Message {
	for f.batch < len(f.batches) {
		b := &f.batches[f.batch]
		if f.record == 0 && f.leavesOut(b) {
			f.p.passed(max(f.p.position, b.Next()), b.LeaderEpoch)
			f.batch++
			continue
		}
		if out == nil {
			out = make([]model.Message, 0, c.expected(most))
		}
		for ; f.record < len(b.Messages); f.record++ {
			offset := b.Base + int64(f.record)
			if offset < f.p.position {
				continue // the batch began before it
			}
			if len(out) == most {
				return out
			}
			out = append(out, b.Messages[f.record])
			c.deliver(p, f.p, &out[len(out)-1], offset)
			f.p.passed(offset+1, b.LeaderEpoch)
		}
		f.batch, f.record = f.batch+1, 0
	}
	return out
}

// expected is how many records may come of the queue, at most so many.
func (c *Consumer) expected(most int) int {
	n := int64(0)
	for i := range c.queue {
		if f := &c.queue[i]; f.batch < len(f.batches) {
			n += f.batches[len(f.batches)-1].Next() - f.batches[f.batch].Base - int64(f.record)
		}
	}
	return int(min(n, int64(most)))
}

// deliver states the delivery of a record.
func (c *Consumer) deliver(p *sim.Proc, at *partition, m *model.Message, offset int64) {
	m.Topic, m.Partition, m.Offset, m.Generation = c.opts.Topic, at.id, offset, c.generation
	m.Cause = p.Record(history.Fact{Kind: history.KindDelivered, Event: m.Event, Key: m.Key, Cause: m.Stored,
		Resource: at.name, Offset: offset, Op: c.opts.Group, Fence: c.generation})
	at.last, at.lastEvent = m.Cause, m.Event
}
