package partition

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// never is before any time.
const never = -sim.Time(1 << 61)

// producer is what a partition knows of one producer id.
type producer struct {
	id               int64
	epoch            int32
	coordinatorEpoch int32    // of its last marker; -1 = none yet
	last             sim.Time // of what was appended last
	since            int64    // first offset of its open transaction; none = there is none
	behind           int64    // the offset behind its last record
	recent           []span   // its last batches in this epoch, oldest first
}

// span is one batch as the sequence check remembers it.
type span struct {
	first, last int64 // sequences
	base        int64 // offset; none = it is not in the log (see Check on SequenceBeforePersist)
}

// Verdict is what the leader's check says of a batch: append it, or answer what was answered before, or an error.
type Verdict struct {
	Err       error
	Duplicate bool    // the log has had this batch: answer that it went well, and append nothing
	Base      int64   // of a duplicate: the offset of its first record; -1 = not known
	Stored    []int64 // of a duplicate: the facts of the appends of its records; nil = retention took them
}

// Check is the leader's, of a batch from a client, before it is appended (Kafka's ProducerAppendInfo). Errors are those
// of protocol: ErrInvalidProducer of an epoch that has passed, ErrOutOfOrderSequence, ErrUnknownProducer. A batch without
// an identity is always taken; one without a sequence, of a coordinator, is judged by its epoch only. Now is the
// broker's wall clock.
//
// With the defect SequenceBeforePersist the sequence counts as had from here on, though the leader refuses the batch for
// another reason or dies before it appends it; a broker with that defect asks before it looks for other reasons.
func (l *Log) Check(pb *wire.ProduceBatch, now sim.Time) Verdict {
	if pb.Producer.ID == 0 {
		return Verdict{Base: none}
	}
	p := l.producer(pb.Producer.ID)
	if p != nil {
		if p.epoch > pb.Producer.Epoch {
			return Verdict{Err: wire.ErrInvalidProducer, Base: none}
		}
		if s, ok := p.had(pb); ok {
			return l.duplicate(s)
		}
	}
	if err := l.sequence(p, pb); err != nil {
		return Verdict{Err: err, Base: none}
	}
	if l.cfg.Defects.Has(model.SequenceBeforePersist) && pb.Sequence >= 0 {
		p = l.producerOf(pb.Producer.ID)
		p.last = now
		p.remember(pb.Producer.Epoch, span{pb.Sequence, lastSequence(pb.Sequence, len(pb.Messages)), none}, l.cfg.CachedBatches)
	}
	return Verdict{Base: none}
}

// had finds a batch by its exact boundaries: one that was split otherwise before it was sent again is another batch.
func (p *producer) had(pb *wire.ProduceBatch) (span, bool) {
	last := lastSequence(pb.Sequence, len(pb.Messages))
	if p.epoch != pb.Producer.Epoch || pb.Sequence < 0 {
		return span{}, false
	}
	for _, s := range p.recent {
		if s.first == pb.Sequence && s.last == last {
			return s, true
		}
	}
	return span{}, false
}

func (l *Log) duplicate(s span) Verdict {
	if l.cfg.Defects.Has(model.OutOfOrderOnDuplicate) {
		return Verdict{Err: wire.ErrOutOfOrderSequence, Base: none}
	}
	v := Verdict{Duplicate: true, Base: s.base}
	if s.base >= l.start {
		b := &l.batches[l.at(s.base)]
		v.Stored = make([]int64, len(b.Messages))
		for i := range b.Messages {
			v.Stored[i] = b.Messages[i].Stored
		}
	}
	return v
}

// sequence judges the first sequence of a batch that is no duplicate, by the last one that is known.
func (l *Log) sequence(p *producer, pb *wire.ProduceBatch) error {
	known := p != nil && len(p.recent) > 0
	switch {
	case pb.Sequence < 0:
		return nil
	case l.cfg.RefuseUnknown && !known && pb.Sequence != 0 && (p == nil || p.epoch == pb.Producer.Epoch):
		return wire.ErrUnknownProducer
	case p == nil:
		return nil // its records are gone: any sequence may be the next
	case p.epoch != pb.Producer.Epoch || !known: // a new epoch, or one that was begun by a marker
		if pb.Sequence != 0 {
			return wire.ErrOutOfOrderSequence
		}
	case pb.Sequence != nextSequence(p.recent[len(p.recent)-1].last):
		return wire.ErrOutOfOrderSequence
	}
	return nil
}

func nextSequence(last int64) int64 { return (last + 1) & wire.MaxSequence }
func lastSequence(first int64, records int) int64 {
	return (first + int64(records) - 1) & wire.MaxSequence
}

// producer finds what is known of an id; nil = nothing.
func (l *Log) producer(id int64) *producer {
	if i, ok := l.search(id); ok {
		return l.producers[i]
	}
	return nil
}

func (l *Log) search(id int64) (int, bool) {
	return slices.BinarySearchFunc(l.producers, id, func(p *producer, id int64) int {
		switch {
		case p.id < id:
			return -1
		case p.id > id:
			return 1
		}
		return 0
	})
}

// producerOf is what is known of an id, from now on.
func (l *Log) producerOf(id int64) *producer {
	i, ok := l.search(id)
	if !ok {
		p := &producer{id: id, epoch: -1, coordinatorEpoch: -1, last: never, since: none, behind: none}
		l.producers = slices.Insert(l.producers, i, p)
	}
	return l.producers[i]
}

// noteData follows records. They may be of an epoch that was fenced, on a follower: its leader knew no better.
func (l *Log) noteData(p *producer, b *wire.Batch) {
	p.last, p.behind = b.Time, b.Next()
	if b.Sequence >= 0 {
		p.remember(b.Producer.Epoch, span{b.Sequence, lastSequence(b.Sequence, len(b.Messages)), b.Base}, l.cfg.CachedBatches)
	} else {
		p.enter(b.Producer.Epoch)
	}
	if b.Transactional && p.since == none {
		l.begin(p, b.Base)
	}
}

// enter begins another epoch: what was remembered of the one before is no use.
func (p *producer) enter(epoch int32) {
	if p.epoch != epoch {
		p.epoch, p.recent = epoch, p.recent[:0]
	}
}

// remember keeps a batch, and as many of those before it as are to be kept.
func (p *producer) remember(epoch int32, s span, most int) {
	p.enter(epoch)
	if k := len(p.recent); k > 0 && p.recent[k-1] == (span{s.first, s.last, none}) {
		p.recent[k-1] = s // it was remembered before it was appended
		return
	}
	if p.recent == nil {
		p.recent = make([]span, 0, most)
	}
	if len(p.recent) == most {
		copy(p.recent, p.recent[1:])
		p.recent = p.recent[:most-1]
	}
	p.recent = append(p.recent, s)
}

// evict forgets producers whose last record is before the log start, with the transactions that they have open.
func (l *Log) evict() {
	l.producers = slices.DeleteFunc(l.producers, func(p *producer) bool { return p.behind <= l.start })
	l.open = slices.DeleteFunc(l.open, func(t transaction) bool { return l.producer(t.producer) == nil })
	for _, p := range l.producers {
		p.recent = slices.DeleteFunc(p.recent, func(s span) bool { return s.base < l.start })
	}
	l.unstable = l.firstUnstable()
}
