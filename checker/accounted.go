package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// accounted judges the invariant that all the others are parts of, the conservation of events: at the end every accepted
// event is in one of
//
//	effected      every required effect of it stands
//	disposed of   a record of it waits where a person finds it, or somebody was told that it is given up, with its
//	              effects compensated or not
//	in flight     a store holds it where a live component would take it up
//
// and never in the first two together. To be in none is a loss (loss.go), to be in flight for ever is stuck (stuck.go);
// both are judged there. Here it is judged that
//
//	∀ accepted e:  ¬ (effected(e) ∧ disposed of(e))
//
// Such an event looks well in every count: the work is done, and a person is asked to do it again. Buckets do not show it,
// for the first that applies hides the rest. That each intent is in exactly one bucket is how they are counted; a test
// holds them to a definition that does not know their order.
//
// Counterexamples to "disposed of, and some effect took place": the charge took place before the booking failed, and the
// letter is needed, for the booking is missing; a saga compensates, then tells. Parked and told as well is one
// disposal with two messengers.
//
// Cost: linear in the events. Noted. Exercised: accepted events that are in either. One note per event.
func accounted() Checker {
	return overLedger(Checker{
		Name:       "accounted",
		Doc:        "no accepted event is done and waits for a person as well, or was given up as well",
		Properties: []history.Property{history.PropAccountedTwice},
		Weight:     history.Noted,
	}, judgeAccounted)
}

func judgeAccounted(l *ledger) Report {
	r := newReport()
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.offered == 0 || a.accepted == 0 {
			continue
		}
		effected, disposed := l.effected(a), a.waits() || a.gaveUp != 0
		if effected || disposed {
			r.Exercised[history.PropAccountedTwice]++
		}
		if effected && disposed {
			r.note(history.PropAccountedTwice, func() history.Finding { return l.accountedTwice(a) })
		}
	}
	return r
}

// effected says whether an event has required effects and all of them stand, of whatever class.
func (l *ledger) effected(a *account) bool {
	standing := false
	for i := range a.slots {
		s := &a.slots[i]
		if !l.effects[s.effect].required {
			continue
		}
		if s.missing() {
			return false
		}
		standing = true
	}
	return standing
}

func (l *ledger) accountedTwice(a *account) history.Finding {
	var ev evidence
	ev.add(a.offered, a.gaveUp)
	text := "somebody was told that it is given up"
	if a.waits() {
		ev.add(a.letter)
		text = "it waits for a person"
	}
	for i := range a.slots {
		ev.add(a.slots[i].first)
	}
	return history.Finding{Property: history.PropAccountedTwice, Event: a.event, Label: history.LabelDoneAndParked, Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s: every effect of it stands, and %s", a.event, text)}
}
