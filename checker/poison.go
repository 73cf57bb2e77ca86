package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// poison judges:
//
//	∀ offered e with a required effect, of any class, that is missing at the end, not parked, and of which nobody was told:
//	    the number of its deliveries after the last fault ≤ poisonDeliveries
//
// A consumer that neither finishes an event nor gives it up does it for ever, and what lies behind it waits. Deliveries during
// faults are left out: there a retry may succeed. A stack that promises to park what fails breaks that promise by this;
// one that promises to try for as long as it takes keeps its own. Assumes what ending.go does.
//
// Cost: linear in the unfinished events' facts. Noted. Exercised: events that were delivered after the last fault.
func poison() Checker {
	return overLedger(Checker{
		Name:       "poison",
		Doc:        "no event is delivered again and again without being finished or given up",
		Properties: []history.Property{history.PropPoisonLoop},
		Weight:     history.Noted,
	}, judgePoison)
}

// poisonDeliveries is how many fruitless deliveries are no loop: more than the retries of any policy in use, which are
// some ten.
const poisonDeliveries = 16

func judgePoison(l *ledger) Report {
	r := newReport()
	e := l.ending()
	if !e.judged {
		return r
	}
	from := l.since(e.healed)
	met := make([]bool, len(l.accounts))
	for f := range l.kinds(history.KindDelivered) {
		if n := l.number[f.ID-1]; f.ID >= from && n >= 0 && l.accounts[n].offered != 0 {
			met[n] = true
		}
	}
	for i, is := range met {
		if !is {
			continue
		}
		r.Exercised[history.PropPoisonLoop]++
		a := &l.accounts[i]
		if !l.owed(a) || a.waits() || a.dropped != 0 || a.gaveUp != 0 {
			continue
		}
		if n, first, last := l.deliveriesSince(a, from); n > poisonDeliveries {
			r.note(history.PropPoisonLoop, func() history.Finding {
				var ev evidence
				ev.add(a.offered, first, last, e.began)
				return history.Finding{Property: history.PropPoisonLoop, Event: a.event, Label: history.LabelWithoutProgress, Evidence: ev.sorted(),
					Detail: fmt.Sprintf("%s was delivered %d times after the last fault, and neither finished nor given up", a.event, n)}
			})
		}
	}
	return r
}

// owed says whether a required effect of an event is missing.
func (l *ledger) owed(a *account) bool {
	for i := range a.slots {
		if s := &a.slots[i]; l.effects[s.effect].required && s.missing() {
			return true
		}
	}
	return false
}

// deliveriesSince counts the deliveries of an event from a fact on, and is the first and the last of them.
func (l *ledger) deliveriesSince(a *account, from int64) (n int, first, last int64) {
	for _, id := range l.of(a) {
		if f := l.at(int64(id)); f.ID >= from && f.Kind == history.KindDelivered {
			n++
			once(&first, f.ID)
			last = f.ID
		}
	}
	return n, first, last
}
