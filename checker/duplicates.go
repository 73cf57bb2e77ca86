package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// duplicates judges, for each class c:
//
//	∀ offered e, ∀ effect x of class c:  applied(e, x) − reversed(e, x) ≤ 1
//
// Assumes that a resource records KindApplied with Changed exactly if its state moved, and KindReversed with
// Changed for a compensation, both under the stage and resource of the effect. One finding per event and effect,
// however large the excess. Cost: linear. Exercised for class c: the offered intents that require or had an effect
// of c and got as far as a delivery, a call or an application. An empty history exercises nothing.
func duplicates() Checker {
	return overLedger(Checker{
		Name: "duplicates",
		Doc:  "each effect of an event takes place at most once, compensations taken off; judged per class",
		Properties: []history.Property{
			history.PropDuplicateCritical, history.PropDuplicateState, history.PropDuplicateNotify, history.PropDuplicateDerived,
		},
	}, judgeDuplicates)
}

func judgeDuplicates(l *ledger) Report {
	r := newReport()
	var exercised [history.ClassCount]int64
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.offered == 0 {
			continue
		}
		met := a.delivered != 0 || a.called != 0
		var has [history.ClassCount]bool
		for j := range a.slots {
			s := &a.slots[j]
			has[l.effects[s.effect].class] = true
			met = met || s.applied > 0
			if s.excess() > 0 {
				r.find(l.duplicate(a, s))
			}
		}
		for c, is := range has {
			if is && met {
				exercised[c]++
			}
		}
	}
	for _, c := range history.Classes() {
		if n := exercised[c]; n > 0 {
			r.Exercised[history.DuplicateOf(c)] = n
		}
	}
	return r
}

// duplicate is the finding of one effect's excess.
func (l *ledger) duplicate(a *account, s *slot) history.Finding {
	e := &l.effects[s.effect]
	var ev evidence
	ev.add(a.offered)
	ev.facts(l, a, kind(history.KindDelivered))
	ev.facts(l, a, func(f *history.Fact) bool {
		return f.Kind == history.KindApplied && f.Changed && f.Stage == e.stage && f.Resource == e.resource
	})
	ev.causes(l, s.before)
	ev.causes(l, s.extra)
	ev.around(l, a, s.before, s.extra)
	return history.Finding{
		Property: history.DuplicateOf(e.class),
		Event:    a.event,
		Stage:    e.stage,
		Label:    l.duplicateLabel(a, s.before, s.extra),
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s: %s took place %d times at %s, %d reversed",
			a.event, e.stage, s.applied, e.resource, s.reversed),
	}
}
