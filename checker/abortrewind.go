package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// abortRewind notes what a consumer reads next of a partition after a transaction in which it read records of it was
// aborted, by the first record then and the first and last record in the transaction:
//
//	the same first record   rewind: what was aborted is done again; this is how it should be, and is not noted
//	behind the last         advance (moved-forward): what was aborted is never read again: a loss
//	before the first        rewind further (moved-back): what was committed before comes again
//	between them            part of what was aborted is skipped (moved-forward)
//
// A rebalance in between, after which the member reads from the group's position, changes nothing of what is noted and is
// told. Assumes that KindTransaction began is stated by the node that reads, that its decision names it as its cause, and
// that what the incarnation is handed from the beginning up to the decision belongs to the transaction.
//
// Cost: linear, a map entry per reader and partition with a transaction under way. Exercised: the partitions read after an
// abort.
func abortRewind() Checker {
	return overLedger(Checker{
		Name:       "abort-rewind",
		Doc:        "after an aborted transaction a consumer read on elsewhere than where the transaction began to read",
		Properties: []history.Property{history.PropAbortRewind},
		Weight:     history.Noted,
	}, judgeAbortRewind)
}

// incarnation is one incarnation of a node.
type incarnation struct {
	node        string
	incarnation int32
}

// read is what a reader has read of a partition in a transaction.
type read struct {
	first, last *history.Fact
	abort       *history.Fact // nil = not decided
	reassigned  bool
}

func judgeAbortRewind(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindTransaction]) == 0 {
		return r
	}
	began := map[incarnation]int64{} // the transaction under way
	reads := map[share]*read{}
	for f := range l.kinds(history.KindTransaction, history.KindDelivered, history.KindAssigned) {
		who := incarnation{f.Node, f.Incarnation}
		at := share{f.Node, f.Incarnation, f.Resource}
		switch {
		case f.Kind == history.KindTransaction && f.Op == opBegan:
			began[who] = f.ID
		case f.Kind == history.KindTransaction:
			l.decided(f, began, reads)
		case f.Kind == history.KindAssigned:
			if t := reads[at]; t != nil {
				t.reassigned = true
			}
		default:
			t := reads[at]
			if t != nil && t.abort != nil {
				l.judgeNext(&r, t, f)
				t = nil
				delete(reads, at)
			}
			if t != nil {
				t.last = f
			} else if began[who] != 0 {
				reads[at] = &read{first: f, last: f}
			}
		}
	}
	return r
}

// decided closes the transaction of the reader that began it: what it read is aborted, or forgotten.
func (l *ledger) decided(f *history.Fact, began map[incarnation]int64, reads map[share]*read) {
	if f.Cause == 0 || f.Op != opCommitTx && f.Op != opAbort {
		return
	}
	by := l.at(f.Cause)
	who := incarnation{by.Node, by.Incarnation}
	if began[who] != by.ID {
		return
	}
	delete(began, who)
	//det:unordered each partition is closed by itself
	for at, t := range reads {
		if at.node != who.node || at.incarnation != who.incarnation || t.abort != nil {
			continue
		}
		if f.Op == opAbort {
			t.abort = f
		} else {
			delete(reads, at)
		}
	}
}

func (l *ledger) judgeNext(r *Report, t *read, next *history.Fact) {
	r.Exercised[history.PropAbortRewind]++
	switch {
	case next.Offset < t.first.Offset:
		r.note(history.PropAbortRewind, func() history.Finding { return readElsewhere(t, next, history.LabelMovedBack) })
	case next.Offset > t.first.Offset:
		r.note(history.PropAbortRewind, func() history.Finding { return readElsewhere(t, next, history.LabelMovedForward) })
	}
}

func readElsewhere(t *read, next *history.Fact, label history.Label) history.Finding {
	var ev evidence
	ev.add(t.abort.Cause, t.first.ID, t.last.ID, t.abort.ID, next.ID)
	text := ""
	if t.reassigned {
		text = ", after a rebalance"
	}
	return history.Finding{
		Property: history.PropAbortRewind,
		Event:    next.Event,
		Label:    label,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("the transaction that read offsets %d to %d of %s was aborted, and the next record read was that at %d%s",
			t.first.Offset, t.last.Offset, next.Resource, next.Offset, text),
	}
}
