package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// inversions counts, within each business key and for each effect x that is not critical:
//
//	first record of e before first record of e', and first application of x for e' before that for e
//
// each e once per effect, against the furthest e' that had been applied. Critical effects are those of order.go, which a
// contract can promise, and where e' overtook e at a critical effect all the rest follows from that: it is order's. The
// others are counted because a projection or a mail that is overtaken shows an old state. Log order and first applications
// are as there.
//
// Cost: linear, with one place per key and effect. Noted. Exercised: first applications that had a predecessor.
func inversions() Checker {
	return overLedger(Checker{
		Name:       "inversions",
		Doc:        "effects of one key that are not critical take place in the order in which the log took the events",
		Properties: []history.Property{history.PropInversion},
		Weight:     history.Noted,
	}, judgeInversions)
}

func judgeInversions(l *ledger) Report {
	r := newReport()
	fronts := l.newFronts()
	for f := range l.kinds(history.KindApplied) {
		if f.Class == history.Critical || f.Class == history.ClassNone || l.number[f.ID-1] < 0 {
			continue
		}
		a := &l.accounts[l.number[f.ID-1]]
		s := l.firstOf(a, f.ID)
		if s == nil || a.appended == 0 || a.key == "" {
			continue
		}
		last := fronts.of(a, s)
		if last.applied != 0 {
			r.Exercised[history.PropInversion]++
		}
		if a.appended >= last.appended {
			*last = front{a.appended, f.ID}
			continue
		}
		if l.overtook(&l.accounts[l.number[last.applied-1]], a) {
			continue
		}
		r.note(history.PropInversion, func() history.Finding {
			e := &l.effects[s.effect]
			var ev evidence
			ev.add(a.appended, s.first, last.appended, last.applied)
			return history.Finding{Property: history.PropInversion, Event: a.event, Stage: e.stage, Label: history.LabelReordered, Evidence: ev.sorted(),
				Detail: fmt.Sprintf("%s: %s at %s took place after that of %s, which came later under key %s",
					a.event, e.stage, e.resource, l.at(last.applied).Event, a.key)}
		})
	}
	return r
}

// overtook says whether a critical effect of one event was first applied before that of the other.
func (l *ledger) overtook(by, a *account) bool {
	for i := range a.slots {
		s := &a.slots[i]
		if l.effects[s.effect].class != history.Critical || s.first == 0 {
			continue
		}
		for j := range by.slots {
			if t := &by.slots[j]; t.effect == s.effect && t.first != 0 && t.first < s.first {
				return true
			}
		}
	}
	return false
}
