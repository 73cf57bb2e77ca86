package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// commitRegress notes, for each group and partition:
//
//	a durable move of the position to an offset before the present one, which no operator asked for
//
// What lies between comes again. Usually a zombie, or a retry that came late, moved it. Assumes KindCommitted with the
// group as Op. Cost: linear in the commits. Exercised: the moves after the first.
func commitRegress() Checker {
	return overLedger(Checker{
		Name:       "commit-regress",
		Doc:        "a group's position went back although no operator had set it back",
		Properties: []history.Property{history.PropCommitRegress},
		Weight:     history.Noted,
	}, judgeCommitRegress)
}

func judgeCommitRegress(l *ledger) Report {
	r := newReport()
	for _, partition := range history.SortedKeys(l.commits) {
		for _, p := range l.commits[partition] {
			var last *history.Fact
			for _, id := range p.facts {
				f := l.at(id)
				if f.Kind != history.KindCommitted {
					continue
				}
				before := last
				last = f
				if before == nil {
					continue
				}
				r.Exercised[history.PropCommitRegress]++
				if f.Offset < before.Offset && !l.resetBy(f) {
					r.note(history.PropCommitRegress, func() history.Finding { return movedBack(before, f) })
				}
			}
		}
	}
	return r
}

// resetBy says whether an operator asked for a move.
func (l *ledger) resetBy(moved *history.Fact) bool {
	return moved.Cause != 0 && l.at(moved.Cause).Kind == history.KindOperated
}

func movedBack(before, f *history.Fact) history.Finding {
	label := history.LabelMovedBack
	if f.Fence < before.Fence {
		label = history.LabelNotFenced
	}
	var ev evidence
	ev.add(before.Cause, before.ID, f.Cause, f.ID)
	return history.Finding{
		Property: history.PropCommitRegress,
		Label:    label,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("the position of %s went from %d back to %d", f.Resource, before.Offset, f.Offset),
	}
}
