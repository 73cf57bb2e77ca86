package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// offsetOrder judges, within each partition:
//
//	send b began after send a was acknowledged as committed at offset m, and b was acknowledged  ⇒  offset of b > m
//
// An acknowledgement of a replica whose record is not committed yet promises no order, as it promises no durability. That is what linearizability of "append returns an offset" comes to. A send begins with the cause of its KindAppended,
// and is acknowledged by the KindAccepted whose cause that is. Assumes that whoever acknowledges names the record.
//
// Cost: linear. A log of one replica that took each record behind all others has them in order of their offsets, and there is
// nothing to look for: who began later was taken later. Else a binary search per acknowledgement. Exercised: the
// acknowledged records that another one of their partition was acknowledged before.
func offsetOrder() Checker {
	return overLedger(Checker{
		Name:       "offset-order",
		Doc:        "who sends after another one was told an offset is given a higher one",
		Properties: []history.Property{history.PropOffsetOrder},
		Weight:     history.Guaranteed,
	}, judgeOffsetOrder)
}

func judgeOffsetOrder(l *ledger) Report {
	r := newReport()
	acked := map[*partitionLog][]move{} // by log the highest acknowledged offset so far, ascending in both fields
	for f := range l.kinds(history.KindAccepted) {
		record := l.record(f.Cause)
		if record == nil {
			continue
		}
		p := l.log(record.Resource)
		if p == nil || !p.committed(record.Offset, f.ID) {
			continue
		}
		tops := acked[p]
		if len(tops) > 0 {
			r.Exercised[history.PropOffsetOrder]++
			if before := topBefore(tops, record.Cause); before.fact != 0 && before.offset >= record.Offset && (p.disorder || len(p.replicas) > 1) {
				r.find(l.disordered(f, record, before))
			}
		}
		if n := len(tops); n == 0 || record.Offset > tops[n-1].offset {
			acked[p] = append(tops, move{record.Offset, f.ID})
		}
	}
	return r
}

// topBefore is the highest offset that was acknowledged before a fact; the zero value = none.
func topBefore(tops []move, fact int64) move {
	i, _ := slices.BinarySearchFunc(tops, fact, func(m move, id int64) int { return cmp.Compare(m.fact, id) })
	if i == 0 {
		return move{}
	}
	return tops[i-1]
}

func (l *ledger) disordered(accepted, record *history.Fact, before move) history.Finding {
	var ev evidence
	ev.add(l.at(before.fact).Cause, before.fact, record.Cause, record.ID, accepted.ID)
	return history.Finding{
		Property: history.PropOffsetOrder,
		Event:    record.Event,
		Label:    history.LabelOffsetReused,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s was sent after offset %d of %s had been acknowledged, and was acknowledged at %d",
			record.Event, before.offset, record.Resource, record.Offset),
	}
}
