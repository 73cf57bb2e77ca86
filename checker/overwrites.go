package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// overwrites judges the last writer of each key that a store states at the end:
//
//	∀ final state of key k at store s, written last by e:
//	    no e' with key k stands at s whose first record the log took after that of e
//
// In log order, as in order.go. A newer event whose effect was reversed left the older state on purpose; one that was
// applied elsewhere, or for another key, says nothing of this state; and copies are judged one by one, for each may be
// stale in its own way. Where no copy states who wrote last nothing is exercised: that the states differ is convergence's.
//
// Cost: linear in the effects and final facts. Noted. Exercised: final states whose last writer a log took. One note per state.
func overwrites() Checker {
	return overLedger(Checker{
		Name:       "overwrites",
		Doc:        "no store ends with an older event's state for a key that a newer event was applied to",
		Properties: []history.Property{history.PropStaleOverwrite},
		Weight:     history.Noted,
	}, judgeOverwrites)
}

func judgeOverwrites(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindFinal]) == 0 {
		return r
	}
	newest := l.newestApplied()
	for f := range l.kinds(history.KindFinal) {
		if f.Op == opReference || l.number[f.ID-1] < 0 {
			continue
		}
		writer := &l.accounts[l.number[f.ID-1]]
		if writer.appended == 0 {
			continue
		}
		r.Exercised[history.PropStaleOverwrite]++
		newer := newest[cell{f.Resource, f.Key}]
		if newer == nil || newer.appended <= writer.appended {
			continue
		}
		r.note(history.PropStaleOverwrite, func() history.Finding {
			var ev evidence
			ev.add(writer.appended, newer.appended, f.ID)
			for i := range newer.slots {
				if s := &newer.slots[i]; l.effects[s.effect].resource == f.Resource {
					ev.add(s.first)
				}
			}
			return history.Finding{Property: history.PropStaleOverwrite, Event: writer.event, Label: history.LabelOlderStateKept, Evidence: ev.sorted(),
				Detail: fmt.Sprintf("key %q of %s ends with the state of %s, although %s is newer and was applied", f.Key, f.Resource, writer.event, newer.event)}
		})
	}
	return r
}

// newestApplied is, for each key of each resource, the event that stands there and whose first record came last.
func (l *ledger) newestApplied() map[cell]*account {
	newest := map[cell]*account{}
	for i := range l.accounts {
		a := &l.accounts[i]
		for j := range a.slots {
			s := &a.slots[j]
			at := cell{l.effects[s.effect].resource, a.key}
			if last := newest[at]; !s.missing() && (last == nil || a.appended > last.appended) {
				newest[at] = a
			}
		}
	}
	return newest
}
