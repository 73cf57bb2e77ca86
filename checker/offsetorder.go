package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// offsetOrder judges, within each partition:
//
//	send b began after send a was acknowledged as committed at offset m, and b was acknowledged  ⇒  offset of b > m
//
// An acknowledgement of a replica whose record is not committed yet promises no order, as it promises no durability. That is what linearizability of "append returns an offset" comes to. A send begins with the cause of its KindAppended,
// and is acknowledged by the KindAccepted whose cause that is. What comes of an unclean election is noted. Assumes that whoever acknowledges names the record.
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
	acked := map[*partitionLog]*tops{} // the acknowledged offsets of each log
	for f, record := range l.acknowledged() {
		p := l.log(record.Resource)
		if acked[p] == nil {
			acked[p] = &tops{}
		} else {
			r.Exercised[history.PropOffsetOrder]++
			if before := acked[p].before(record.Cause); before.fact != 0 && before.offset >= record.Offset && (p.disorder || len(p.replicas) > 1) {
				p.file(&r, before.fact, l.disordered(f, record, before))
			}
		}
		acked[p].take(record.Offset, f.ID)
	}
	return r
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
