package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// order judges, within each business key and for each critical effect x:
//
//	first record of e before first record of e'  ⇒  first application of x for e before that for e'
//
// Log order is the order in which logs took the first record of each event; an event that no log took has no place
// in it. One finding per event that comes after a later one (it was overtaken). Repetitions are no reorder: only
// first applications count. Assumes that KindOffered names the key. A counterexample: an event whose first record
// was truncated and that was sent again keeps the place of its first record.
//
// Cost: linear, with one place per key and effect. Exercised: events that had a predecessor in their
// key at a critical effect. A history in which no key occurs twice exercises nothing.
func order() Checker {
	return overLedger(Checker{
		Name:       "order",
		Doc:        "critical effects of one key take place in the order in which the log took the events",
		Properties: []history.Property{history.PropOrder},
	}, judgeOrder)
}

// front is the latest event, in log order, that has been applied in a lane: one key at one effect. The zero value stands
// for a lane in which nothing was applied.
type front struct{ appended, applied int64 }

// fronts has one front per lane.
type fronts struct {
	l    *ledger
	list []front
}

func (l *ledger) newFronts() fronts { return fronts{l, make([]front, (len(l.keys)+1)*len(l.effects))} }

// of is the front of the lane that a slot of an account belongs to.
func (f *fronts) of(a *account, s *slot) *front {
	return &f.list[int(a.keyNumber)*len(f.l.effects)+int(s.effect)]
}

func judgeOrder(l *ledger) Report {
	r := newReport()
	fronts := l.newFronts()
	counted, found := make([]bool, len(l.accounts)), make([]bool, len(l.accounts))
	for f := range l.kinds(history.KindApplied) {
		n := l.number[f.ID-1]
		if n < 0 {
			continue
		}
		a := &l.accounts[n]
		s := l.firstOf(a, f.ID)
		if s == nil || a.appended == 0 || a.key == "" || l.effects[s.effect].class != history.Critical {
			continue
		}
		last := fronts.of(a, s)
		if last.applied != 0 && !counted[a.number] {
			counted[a.number] = true
			r.Exercised[history.PropOrder]++
		}
		if a.appended < last.appended {
			if !found[a.number] {
				found[a.number] = true
				r.find(l.overtaken(a, s, *last))
			}
			continue
		}
		*last = front{a.appended, f.ID}
	}
	return r
}

// firstOf is the slot whose first application a fact is, nil = none.
func (l *ledger) firstOf(a *account, id int64) *slot {
	for i := range a.slots {
		if a.slots[i].first == id {
			return &a.slots[i]
		}
	}
	return nil
}

func (l *ledger) overtaken(a *account, s *slot, by front) history.Finding {
	e := &l.effects[s.effect]
	var ev evidence
	ev.add(a.appended, s.first, by.appended, by.applied)
	ev.facts(l, a, kind(history.KindDelivered))
	ev.add(between(l.faults, a.appended, s.first, maxEvidence)...)
	return history.Finding{
		Property: history.PropOrder,
		Event:    a.event,
		Stage:    e.stage,
		Label:    history.LabelReordered,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s: %s at %s took place after that of %s, which came later under key %s",
			a.event, e.stage, e.resource, l.at(by.applied).Event, a.key),
	}
}
