package partition

import (
	"fmt"

	"github.com/twiceless/twiceless/model/wire"
)

// Invariants says what is wrong with the log, if anything is: a bug of ours, whatever faults there are. It walks all that
// the log holds: it is for tests, after every event.
func (l *Log) Invariants() error {
	for _, check := range []func(*Log) error{(*Log).watermarksOrdered, (*Log).batchesContiguous, (*Log).epochsMatch, (*Log).producersMatch, (*Log).transactionsMatch} {
		if err := check(l); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) watermarksOrdered() error {
	if s := l.LastStable(); l.start < 0 || l.start > s || s > l.high || l.high > l.end {
		return fmt.Errorf("partition: start %d ≤ last stable %d ≤ high watermark %d ≤ end %d does not hold", l.start, s, l.high, l.end)
	}
	if first := l.firstUnstable(); first != l.unstable {
		return fmt.Errorf("partition: the first unstable offset is %d and not %d", first, l.unstable)
	}
	return nil
}

func (l *Log) batchesContiguous() error {
	next := l.start
	for i := range l.batches {
		if b := &l.batches[i]; b.Base != next {
			return fmt.Errorf("partition: a batch at %d where %d was due", b.Base, next)
		}
		next = l.batches[i].Next()
	}
	if next != l.end {
		return fmt.Errorf("partition: the batches end at %d, the log at %d", next, l.end)
	}
	return nil
}

// epochsMatch holds the epoch cache against the records of a log that has not diverged: each epoch begins with its first
// record, and one without records, which must be the newest, at the end.
func (l *Log) epochsMatch() error {
	if _, diverged := l.Diverged(); diverged {
		return nil
	}
	k := -1
	for i := range l.batches {
		b := &l.batches[i]
		if i > 0 && b.LeaderEpoch == l.batches[i-1].LeaderEpoch {
			continue
		}
		if k++; k >= len(l.epochs) || l.epochs[k] != (epochStart{b.LeaderEpoch, b.Base}) {
			return fmt.Errorf("partition: epoch %d begins at %d, which the epoch cache %v does not know", b.LeaderEpoch, b.Base, l.epochs)
		}
	}
	for k++; k < len(l.epochs); k++ {
		if l.epochs[k].start != l.end || k < len(l.epochs)-1 || k > 0 && l.epochs[k].epoch <= l.epochs[k-1].epoch {
			return fmt.Errorf("partition: epoch %d without records begins at %d, not at the end %d", l.epochs[k].epoch, l.epochs[k].start, l.end)
		}
	}
	return nil
}

func (l *Log) producersMatch() error {
	for i, p := range l.producers {
		if i > 0 && l.producers[i-1].id >= p.id {
			return fmt.Errorf("partition: producer %d behind %d", p.id, l.producers[i-1].id)
		}
		if len(p.recent) > l.cfg.CachedBatches {
			return fmt.Errorf("partition: %d batches of producer %d are remembered", len(p.recent), p.id)
		}
		for k := 1; k < len(p.recent); k++ {
			if p.recent[k].base != none && p.recent[k-1].base >= p.recent[k].base {
				return fmt.Errorf("partition: batches of producer %d are remembered as %v", p.id, p.recent)
			}
		}
	}
	return nil
}

func (l *Log) transactionsMatch() error {
	for i, t := range l.open {
		p := l.producer(t.producer)
		if p == nil || p.since != t.first || i > 0 && l.open[i-1].first >= t.first {
			return fmt.Errorf("partition: the transactions %v are open, which the producers know otherwise", l.open)
		}
	}
	open := 0
	for _, p := range l.producers {
		if p.since != none {
			open++
		}
	}
	if open != len(l.open) {
		return fmt.Errorf("partition: %d producers are in transactions, %d are open", open, len(l.open))
	}
	for i, t := range l.ended {
		if t.marker < l.start || t.marker >= l.end || i > 0 && l.ended[i-1].marker >= t.marker {
			return fmt.Errorf("partition: the ended transactions %v of a log from %d to %d", l.ended, l.start, l.end)
		}
		if b := &l.batches[l.at(t.marker)]; b.Control == wire.Data || b.Producer.ID != t.producer || (b.Control == wire.AbortMarker) != t.aborted {
			return fmt.Errorf("partition: no marker at %d ends the transaction %v", t.marker, t)
		}
	}
	return nil
}
