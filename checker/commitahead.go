package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// commitAhead notes, for each record of an offered event that a group was handed:
//
//	the group's position moved past it durably before the event was settled
//
// An event is settled when its last deciding effect is first applied, or one is suppressed; or at the first fact after
// the delivery by which it is parked, dropped, given up, or appended to another partition, from where it goes on. So the
// position was beyond the frontier up to which everything is settled, and an end of the process in this window loses what
// lies between: a loss, if it came to it, is the business of loss. This is stated per record and not per position, which
// comes to the same and counts what is in danger: a position is beyond the frontier exactly if some record before it is not
// settled. A counterexample: an event whose effects belong to several groups is settled by the last of them, so that the
// others look early; only flows that fan out have that.
//
// Cost: linear in the facts of an event, and a binary search per record. Seen: records. Exercised: the records that a
// group was handed and moved past; none where no effect is required.
func commitAhead() Checker {
	return overLedger(Checker{
		Name:       "commit-ahead",
		Doc:        "a group's position moved past a record whose effects had not taken place: a window of loss",
		Properties: []history.Property{history.PropCommitAhead},
		Weight:     history.Noted,
	}, judgeCommitAhead)
}

func judgeCommitAhead(l *ledger) Report {
	r := newReport()
	if len(l.commits) == 0 && len(l.byKind[history.KindSettled]) == 0 || l.required == 0 {
		return r
	}
	n := int64(0)
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.offered == 0 || a.delivered == 0 {
			continue
		}
		var before *history.Fact
		for _, id := range l.of(a) {
			f := l.at(int64(id))
			if f.Kind != history.KindDelivered || before != nil && sameReading(before, f) {
				continue
			}
			before = f
			passed := l.passed(f.Resource, f.Offset, f.Op)
			if passed == 0 {
				continue
			}
			n++
			if s := l.settled(a, f, passed); s == 0 || s > passed {
				r.note(history.PropCommitAhead, func() history.Finding { return l.ahead(a, f, passed, s) })
			}
		}
	}
	if n > 0 {
		r.Exercised[history.PropCommitAhead] = n
	}
	return r
}

// sameReading says whether two deliveries are of one record to one group.
func sameReading(a, b *history.Fact) bool {
	return a.Offset == b.Offset && a.Resource == b.Resource && a.Op == b.Op
}

// settled is the first fact that settles an event that was delivered; 0 = none. What comes after the given fact need not be
// looked for.
func (l *ledger) settled(a *account, d *history.Fact, enough int64) int64 {
	if done := l.completion(a); done != 0 && done < enough {
		return done
	}
	for _, id := range l.of(a) {
		f := l.at(int64(id))
		if f.ID < d.ID {
			continue
		}
		switch f.Kind {
		case history.KindParked, history.KindDropped, history.KindGaveUp, history.KindSuppressed:
			return f.ID
		case history.KindAppended:
			if f.Resource != d.Resource {
				return f.ID
			}
		}
	}
	return l.completion(a)
}

// completion is the fact of the last first application of a required deciding effect; 0 = one is missing.
func (l *ledger) completion(a *account) (last int64) {
	for i := range a.slots {
		s := &a.slots[i]
		if e := &l.effects[s.effect]; e.decides && e.required {
			if s.first == 0 {
				return 0
			}
			last = max(last, s.first)
		}
	}
	return last
}

func (l *ledger) ahead(a *account, d *history.Fact, passed, settled int64) history.Finding {
	var ev evidence
	ev.add(d.Cause, d.ID, l.at(passed).Cause, passed, settled)
	when := "never took place"
	if settled != 0 {
		when = "took place later"
	}
	return history.Finding{
		Property: history.PropCommitAhead,
		Event:    a.event,
		Label:    history.LabelCommittedBeforeEffect,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("the position of %s moved past %s at offset %d, whose effects %s", d.Resource, a.event, d.Offset, when),
	}
}
