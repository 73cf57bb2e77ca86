package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// stuck judges:
//
//	∀ offered e with a missing deciding effect, not turned away, not parked:  no store holds e at the end where a
//	live component would take it up
//
// It is judged wherever loss is promised: an event that waits for ever is as good as lost. Assumes that the drain
// was long enough (the kernel's limit is derived from the longest chain of timeouts) and that every store names
// what it holds (KindHeld with Op queue or pending). Cost: linear. Exercised: as for loss.
func stuck() Checker {
	return overLedger(Checker{
		Name:       "stuck",
		Doc:        "after the drain no store still holds an unfinished event where a live component would take it up",
		Properties: []history.Property{history.PropStuck},
	}, judgeStuck)
}

func judgeStuck(l *ledger) Report {
	r := newReport()
	for i := range l.accounts {
		a := &l.accounts[i]
		switch l.fateOf(a) {
		case fateStuck:
			r.find(l.stuckFinding(a))
			fallthrough
		case fateWell, fateLost:
			r.Exercised[history.PropStuck]++
		}
	}
	return r
}

func (l *ledger) stuckFinding(a *account) history.Finding {
	e := l.missingEffect(a)
	held := l.at(a.held)
	var ev evidence
	ev.add(a.offered, a.accepted, a.appended, a.held)
	ev.facts(l, a, kind(history.KindDelivered))
	ev.around(l, a, a.offered, a.held)
	return history.Finding{
		Property: history.PropStuck,
		Event:    a.event,
		Stage:    e.stage,
		Label:    history.LabelStuckInStore,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s: %s at %s is missing and %s still holds it (%s)", a.event, e.stage, e.resource, held.Resource, held.Op),
	}
}
