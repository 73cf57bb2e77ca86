package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// positionBounds judges every durable move of a group's position:
//
//	position ≤ 1 + the highest offset that the partition ever took before
//
// A position past the end is one that records still to come will be missing from. A position is moved to the end of a log
// and the log may be cut afterwards; that is no matter of this property. Assumes KindAppended for each record; partitions
// of which none was stated are left out. Cost: linear. Exercised: the moves that are judged.
func positionBounds() Checker {
	return overLedger(Checker{
		Name:       "position-bounds",
		Doc:        "no position is moved past the end of its log",
		Properties: []history.Property{history.PropPosition},
		Weight:     history.Guaranteed,
	}, judgePositionBounds)
}

func judgePositionBounds(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindCommitted]) == 0 {
		return r
	}
	ends := map[string]*history.Fact{} // by partition the record at the highest offset so far
	for f := range l.kinds(history.KindAppended, history.KindMarked, history.KindCommitted) {
		last := ends[f.Resource]
		if f.Kind != history.KindCommitted {
			if last == nil || f.Offset > last.Offset {
				ends[f.Resource] = f
			}
			continue
		}
		if last == nil {
			continue
		}
		r.Exercised[history.PropPosition]++
		if f.Offset > last.Offset+1 {
			var ev evidence
			ev.causes(l, f.ID)
			ev.add(last.ID)
			r.find(history.Finding{
				Property: history.PropPosition,
				Label:    history.LabelBeyondEnd,
				Evidence: ev.sorted(),
				Detail:   fmt.Sprintf("the position of %s was moved to %d, where the log ended at %d", f.Resource, f.Offset, last.Offset+1),
			})
		}
	}
	return r
}
