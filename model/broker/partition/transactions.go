package partition

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
)

// transaction is what one producer wrote into this partition between two of its markers. Before it is ended it is open,
// and nobody asks when: ending it is the coordinator's business, and if no coordinator knows of it it stays open.
type transaction struct {
	producer int64
	first    int64 // offset of its first record
	marker   int64 // offset of its marker; none = open
	stable   int64 // of the ended: no transaction that ends later has records below it
	aborted  bool
}

// begin opens a transaction. Any transactional record does, if the producer has none open here: also one that comes
// late, after the marker that it should have come before (KAFKA-14402).
func (l *Log) begin(p *producer, first int64) {
	p.since = first
	l.open = append(l.open, transaction{producer: p.id, first: first, marker: none})
	if l.unstable == none {
		l.unstable = first
	}
}

// noteMarker follows a marker. It may end no transaction: then nothing is left of it but what it says of epochs.
func (l *Log) noteMarker(p *producer, b *wire.Batch) {
	began := p.epoch != b.Producer.Epoch
	p.enter(b.Producer.Epoch)
	p.coordinatorEpoch = b.CoordinatorEpoch
	if !l.cfg.Defects.Has(model.EarlyProducerExpiry) {
		p.last = b.Time
	} else if began {
		p.last = never // the time is that of the last batch in the cache, which is empty now
	}
	if p.since == none {
		return
	}
	p.since = none
	i := slices.IndexFunc(l.open, func(t transaction) bool { return t.producer == p.id })
	t := l.open[i]
	l.open = slices.Delete(l.open, i, i+1)
	t.marker, t.stable, t.aborted = b.Base, b.Next(), b.Control == wire.AbortMarker
	if len(l.open) > 0 {
		t.stable = l.open[0].first
	}
	l.ended = append(l.ended, t)
}

// CheckTransaction is the leader's, of a batch that Check would have it append: whether it may be of a transaction, of a
// client that speaks version 1 or 2 of the protocol, or of none, version 0. ErrInvalidTxnState of a batch outside a
// transaction while the producer has one open here. ErrOutOfOrderSequence of a batch of version 2 that does not begin at 0
// though nothing is known of its producer: each transaction has an epoch of its own, so what came before it, in this
// transaction, cannot have been taken by retention.
func (l *Log) CheckTransaction(pb *wire.ProduceBatch, version int) error {
	p := l.producer(pb.Producer.ID)
	switch {
	case pb.Producer.ID == 0:
		return nil
	case version == 0 && p != nil && p.since != none:
		return wire.ErrInvalidTxnState
	case version >= 2 && p == nil && pb.Sequence > 0:
		return wire.ErrOutOfOrderSequence
	}
	return nil
}

// CheckMarker is the leader's, of a marker before it is appended: ErrInvalidProducer of an epoch of the producer that has
// passed, ErrCoordinatorFenced of a coordinator before the one of its last marker.
func (l *Log) CheckMarker(producer wire.ProducerID, coordinatorEpoch int32) error {
	p := l.producer(producer.ID)
	switch {
	case p == nil:
		return nil
	case producer.Epoch < p.epoch:
		return wire.ErrInvalidProducer
	case coordinatorEpoch < p.coordinatorEpoch:
		return wire.ErrCoordinatorFenced
	}
	return nil
}

// OpenSince is the offset of the first record of the producer's open transaction; ok is false if it has none here.
func (l *Log) OpenSince(producer int64) (first int64, ok bool) {
	if p := l.producer(producer); p != nil && p.since != none {
		return p.since, true
	}
	return none, false
}

// OpenIn says whether the producer has a transaction open here in that epoch.
func (l *Log) OpenIn(producer wire.ProducerID) bool {
	p := l.producer(producer.ID)
	return p != nil && p.since != none && p.epoch == producer.Epoch
}

// LastStable is the offset below which everything is decided, and known to be: below the high watermark, and before the
// first record of each transaction whose marker is not below it too.
func (l *Log) LastStable() int64 {
	if l.unstable == none || l.unstable >= l.high {
		return l.high
	}
	return max(l.unstable, l.start)
}

// StableBound is the last stable offset for a reader who saw a high watermark before, at the time when it moves to the
// present one: the same, but with the defect StableOffsetReadTwice (KAFKA-9807). Then undecided records are taken for lying
// above the watermark that was seen, and read below the one that is.
func (l *Log) StableBound(seen int64) int64 {
	if l.cfg.Defects.Has(model.StableOffsetReadTwice) && l.unstable >= seen {
		return l.high
	}
	return l.LastStable()
}

// firstUnstable is the first offset of all that is open, or ended by a marker that is not below the high watermark.
func (l *Log) firstUnstable() int64 {
	first := none
	if len(l.open) > 0 {
		first = l.open[0].first
	}
	for i := len(l.ended) - 1; i >= 0 && l.ended[i].marker >= l.high; i-- {
		if first == none || l.ended[i].first < first {
			first = l.ended[i].first
		}
	}
	return first
}

// Aborted lists the transactions that ended in an abort and have records or their marker between two offsets, the second
// exclusive, in the order of their markers: what a reader of these offsets must leave out. Nil = none.
func (l *Log) Aborted(from, to int64) (out []wire.AbortedTxn) {
	lo, _ := slices.BinarySearchFunc(l.ended, from, func(t transaction, from int64) int {
		if t.marker < from {
			return -1
		}
		return 1
	})
	for _, t := range l.ended[lo:] {
		if t.aborted && t.first < to {
			out = append(out, wire.AbortedTxn{Producer: t.producer, First: t.first})
		}
		if t.stable >= to {
			break
		}
	}
	return out
}

// dropEnded forgets transactions whose marker is before the log start.
func (l *Log) dropEnded() {
	k := 0
	for k < len(l.ended) && l.ended[k].marker < l.start {
		k++
	}
	l.ended = append(l.ended[:0], l.ended[k:]...)
}
