package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// loss judges:
//
//	∀ offered e, not turned away, not parked, not held by a live store, not unknown to everybody:
//	    ∀ deciding effect x required of e:  applied(e, x) − reversed(e, x) ≥ 1
//
// So it covers the buckets lost_known and lost_silent, the missing half of a partial intent, and an effect that is
// missing beside another one's excess: a stack that may duplicate must not hide its losses behind duplicates. One
// finding per event; its detail says whether anybody was told.
//
// Assumes that the run was drained and that the stores' final facts (KindHeld) are there. Cost: linear; a label
// costs a binary search per record. Exercised: the offered intents that are neither refused nor unknown; the
// unknown ones are undecided. An empty history exercises nothing.
func loss() Checker {
	return overLedger(Checker{
		Name:       "loss",
		Doc:        "each required effect of an intent takes place unless the producer was told no or the intent is parked",
		Properties: []history.Property{history.PropLoss},
	}, judgeLoss)
}

func judgeLoss(l *ledger) Report {
	r := newReport()
	for i := range l.accounts {
		a := &l.accounts[i]
		switch l.fateOf(a) {
		case fateUnknown:
			r.Undecided[history.PropLoss]++
		case fateLost:
			r.find(l.lossFinding(a))
			fallthrough
		case fateWell, fateStuck:
			r.Exercised[history.PropLoss]++
		}
	}
	return r
}

// fate is what became of an intent in the end, as loss and stuck see it.
type fate uint8

const (
	fateNone    fate = iota // not offered, or refused: nothing is owed
	fateUnknown             // nobody knows whether anything is owed
	fateWell                // nothing is missing, or what is missing is parked
	fateStuck               // something is missing and a live component would take it up
	fateLost                // something is missing and nothing will bring it
)

func (l *ledger) fateOf(a *account) fate {
	if a.offered == 0 || a.turnedAway() {
		return fateNone
	}
	switch l.bucketOf(a) {
	case history.RefusedB:
		return fateNone
	case history.AbsentUnknown:
		return fateUnknown
	}
	switch {
	case l.weigh(a).missing == 0 || a.waits():
		return fateWell
	case a.held != 0:
		return fateStuck
	}
	return fateLost
}

// missingEffect is the first deciding effect that is missing.
func (l *ledger) missingEffect(a *account) *effect {
	for i := range a.slots {
		if e := &l.effects[a.slots[i].effect]; e.decides && e.required && a.slots[i].missing() {
			return e
		}
	}
	return &effect{}
}

func (l *ledger) lossFinding(a *account) history.Finding {
	e := l.missingEffect(a)
	told := "nobody was told"
	if a.gaveUp != 0 {
		told = "a give-up was reported"
	}
	var ev evidence
	ev.add(a.offered, a.accepted, a.uncertain, a.appended, a.dropped, a.gaveUp, a.suppressed)
	ev.facts(l, a, kind(history.KindDelivered))
	ev.facts(l, a, kind(history.KindHandled))
	if a.appended != 0 {
		records := l.lastRecords(a)
		ev.add(records...)
		ev.add(l.firstPassed(a, records))
	}
	ev.around(l, a, a.offered, ev.last())
	return history.Finding{
		Property: history.PropLoss,
		Event:    a.event,
		Stage:    e.stage,
		Label:    l.lossLabel(a),
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s: %s at %s never took place, %s", a.event, e.stage, e.resource, told),
	}
}
