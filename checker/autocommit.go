package checker

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// autoCommit notes every durable move of a position that a member asked for:
//
//	past a record that this member had been handed and had not finished with
//
// A member that ends now loses what it has in work: nobody will be handed it again. That is what a position that is
// committed by a timer, or before the work, can do, and why it promises at most once. It says nothing of effects: a record
// that consumer code has finished with may still lack them (commit-ahead-of-effect). Assumes that KindHandled ends a
// delivery (Cause), and that the cause of KindCommitted is the KindCommitting.
//
// Cost: linear in deliveries and commits times what a member has in work. Exercised: the moves that a member asked for.
func autoCommit() Checker {
	return overLedger(Checker{
		Name:       "auto-commit",
		Doc:        "a member moved its position past a record that it had in work",
		Properties: []history.Property{history.PropAutoCommit},
		Weight:     history.Noted,
	}, judgeAutoCommit)
}

func judgeAutoCommit(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindCommitted]) == 0 {
		return r
	}
	inWork := map[share][]*history.Fact{} // deliveries that are not finished
	for f := range l.kinds(history.KindDelivered, history.KindHandled, history.KindCommitted) {
		if f.Kind == history.KindDelivered {
			at := share{f.Node, f.Incarnation, f.Resource}
			inWork[at] = append(inWork[at], f)
			continue
		}
		if f.Cause == 0 {
			continue
		}
		by := l.at(f.Cause)
		at := share{by.Node, by.Incarnation, by.Resource}
		switch {
		case f.Kind == history.KindHandled && by.Kind == history.KindDelivered:
			if i := slices.Index(inWork[at], by); i >= 0 {
				inWork[at] = slices.Delete(inWork[at], i, i+1)
			}
		case f.Kind == history.KindCommitted && by.Kind == history.KindCommitting:
			r.Exercised[history.PropAutoCommit]++
			i := slices.IndexFunc(inWork[at], func(d *history.Fact) bool { return d.Offset < f.Offset && d.Op == f.Op })
			if i >= 0 {
				d := inWork[at][i]
				r.note(history.PropAutoCommit, func() history.Finding { return tooFar(d, by, f) })
			}
		}
	}
	return r
}

func tooFar(d, asked, moved *history.Fact) history.Finding {
	var ev evidence
	ev.add(d.ID, asked.ID, moved.ID)
	return history.Finding{
		Property: history.PropAutoCommit,
		Event:    d.Event,
		Label:    history.LabelInWork,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("the position of %s was moved to %d while %s, at offset %d, was in work",
			moved.Resource, moved.Offset, d.Event, d.Offset),
	}
}
