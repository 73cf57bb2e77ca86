package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// tornTransactions judges, at the end:
//
//	∀ transaction with two records or more:  all of them are committed, or none is
//
// What a producer sends again is the same record, whichever of its copies stands: one that a log lost before anybody was told, or that
// was taken back, is no record. A record of a transaction is committed if its log holds it (or a compaction took it away) and the first marker of its
// producer behind it there is a commit. So a decision that is delayed and meets a later transaction of the same producer
// counts as what it does: it ends that one. A transaction that nobody has ended in any partition has committed nothing.
// Assumes that KindSequenced names the transaction, KindMarked for each marker, and that the run was drained.
//
// Cost: linear, a map entry per transaction and per producer of a log. Exercised: the transactions with two records.
func tornTransactions() Checker {
	return overLedger(Checker{
		Name:       "torn-transactions",
		Doc:        "of a transaction's records all are committed or none",
		Properties: []history.Property{history.PropTorn},
		Weight:     history.Guaranteed,
	}, judgeTornTransactions)
}

// transacted is what became of the records of one transaction.
type transacted struct {
	name                 string
	records              int
	committed, uncounted *history.Fact // the first such record's sequenced fact
	lost                 bool          // the first uncounted one is no longer in its log
}

func judgeTornTransactions(l *ledger) Report {
	r := newReport()
	var list []*transacted
	byName := map[string]*transacted{}
	for _, w := range l.written() {
		t := byName[w.number.Op]
		if t == nil {
			t = &transacted{name: w.number.Op}
			byName[w.number.Op] = t
			list = append(list, t)
		}
		t.count(&w)
	}
	for _, t := range list {
		if t.records < 2 {
			continue
		}
		r.Exercised[history.PropTorn]++
		if t.committed != nil && t.uncounted != nil {
			r.find(l.torn(t))
		}
	}
	return r
}

func (t *transacted) count(w *written) {
	t.records++
	switch {
	case w.committed:
		if t.committed == nil {
			t.committed = w.number
		}
	case t.uncounted == nil:
		t.uncounted, t.lost = w.number, !w.held
	}
}

// written is one record of a transaction: of its copies the one that is committed, or else the first.
type written struct {
	number          *history.Fact // sequenced
	held, committed bool
}

// copyOf is what the copies of a record have in common: what the producer did it for, and where.
type copyOf struct {
	transaction, partition string
	cause                  int64
}

// written are the records of transactions, in the order of their first copies.
func (l *ledger) written() (list []written) {
	var ends map[producerAt][]marker
	taken := l.compacted()
	first := map[copyOf]int{}
	for f := range l.kinds(history.KindSequenced) {
		record := l.record(f.Cause)
		if f.Op == "" || record == nil {
			continue
		}
		if ends == nil {
			ends = l.endings()
		}
		held := l.log(record.Resource).keeps(record) || taken[record.ID]
		w := written{f, held, held && committedBy(ends[producerAt{record.Resource, f.Value}], record.Offset)}
		of := copyOf{f.Op, record.Resource, record.Cause}
		if i, again := first[of]; again && record.Cause != 0 {
			if w.committed && !list[i].committed {
				list[i] = w
			}
			continue
		}
		first[of] = len(list)
		list = append(list, w)
	}
	return list
}

type producerAt struct{ partition, producer string }

// marker is the end of a transaction as it stands in a log.
type marker struct {
	offset int64
	commit bool
}

// endings are the standing markers of each producer in each log, ascending.
func (l *ledger) endings() map[producerAt][]marker {
	ends := map[producerAt][]marker{}
	for _, p := range l.logs() {
		for _, e := range p.standing().records {
			if f := l.at(e.origin); f.Kind == history.KindMarked {
				at := producerAt{p.name, f.Value}
				ends[at] = append(ends[at], marker{e.offset, f.Op == opCommitTx})
			}
		}
	}
	return ends
}

// committedBy says whether the first marker behind an offset is a commit.
func committedBy(ends []marker, offset int64) bool {
	lo, hi := 0, len(ends)
	for lo < hi {
		if mid := (lo + hi) / 2; ends[mid].offset > offset {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo < len(ends) && ends[lo].commit
}

func (l *ledger) torn(t *transacted) history.Finding {
	label := history.LabelMarkersDiffer
	if t.lost {
		label = history.LabelTruncated
	}
	var ev evidence
	ev.add(t.committed.Cause, t.committed.ID, t.uncounted.Cause, t.uncounted.ID)
	n := 0
	for f := range l.kinds(history.KindMarked) {
		if f.Value == t.committed.Value && n < maxEvidence {
			n++
			ev.add(f.Cause, f.ID)
		}
	}
	in, out := l.at(t.committed.Cause), l.at(t.uncounted.Cause)
	return history.Finding{
		Property: history.PropTorn,
		Event:    out.Event,
		Label:    label,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("transaction %s: its record at offset %d of %s is committed, that at offset %d of %s is not",
			t.name, in.Offset, in.Resource, out.Offset, out.Resource),
	}
}
