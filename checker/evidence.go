package checker

import (
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// maxEvidence is how many facts of one sort a finding names. A finding is read by people: it shows how it began.
const maxEvidence = 8

// evidence gathers fact ids.
type evidence struct{ ids []int64 }

func (e *evidence) add(ids ...int64) {
	for _, id := range ids {
		if id != 0 {
			e.ids = append(e.ids, id)
		}
	}
}

// sorted are the ids in order, each once.
func (e *evidence) sorted() []int64 {
	slices.Sort(e.ids)
	return slices.Compact(e.ids)
}

// facts adds the account's facts of a kind that are wanted, at most maxEvidence.
func (e *evidence) facts(l *ledger, a *account, wanted func(*history.Fact) bool) {
	n := 0
	for _, id := range l.of(a) {
		if f := l.at(int64(id)); wanted(f) {
			if n++; n > maxEvidence {
				return
			}
			e.add(f.ID)
		}
	}
}

// kind wants the facts of one kind.
func kind(k history.Kind) func(*history.Fact) bool {
	return func(f *history.Fact) bool { return f.Kind == k }
}

// around adds what happened to the positions of the event's partition and the faults between two facts.
func (e *evidence) around(l *ledger, a *account, from, to int64) {
	if a.delivered != 0 {
		e.add(l.commitsBetween(l.at(a.delivered), from, to, maxEvidence)...)
	}
	e.add(between(l.faults, from, to, maxEvidence)...)
}

// causes adds the way from a fact back to the event's offer.
func (e *evidence) causes(l *ledger, id int64) {
	for n := 0; id != 0 && n < maxEvidence; id, n = l.at(id).Cause, n+1 {
		e.add(id)
	}
}

// last is the latest fact so far.
func (e *evidence) last() int64 { return slices.Max(append(e.ids, 0)) }
