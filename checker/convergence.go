package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// convergence judges the copies of each store at the end, replicas, projections and caches:
//
//	∀ store s, key k, copies c, c' of s:  hash(c, k) = hash(c', k), and if s states what its log folds to, = that
//
// Two copies that agree on a wrong state have converged; the reference is what shows that it is wrong. A copy that
// states no key that the others have holds nothing for it, and differs if others do not. A store that states keys by
// ranges must do so in all copies.
//
// Cost: linear in the final facts. Noted. Exercised: keys of stores with two copies, or one and a reference; undecided: those that
// differ in a run that was cut short, where the last writes were still on the way.
func convergence() Checker {
	return overLedger(Checker{
		Name:       "convergence",
		Doc:        "at the end all copies of a store hold what its log folds to",
		Properties: []history.Property{history.PropConvergence},
		Weight:     history.Noted,
	}, judgeConvergence)
}

// opReference is the fold of a store's log beside its copies.
const opReference = "reference"

// cell is one key of a store.
type cell struct{ store, key string }

func judgeConvergence(l *ledger) Report {
	r := newReport()
	copies := map[string]int{} // of a store, by the nodes that state any key of it, the reference among them
	type copyOf struct{ store, node, op string }
	known := map[copyOf]bool{}
	states := map[cell][]*history.Fact{}
	var order []cell
	for f := range l.kinds(history.KindFinal) {
		if c := (copyOf{f.Resource, f.Node, f.Op}); !known[c] {
			known[c] = true
			copies[f.Resource]++
		}
		at := cell{f.Resource, f.Key}
		if states[at] == nil {
			order = append(order, at)
		}
		states[at] = append(states[at], f)
	}
	for _, at := range order {
		if copies[at.store] > 1 {
			l.compareCopies(&r, at, states[at], copies[at.store])
		}
	}
	return r
}

// compareCopies compares what the copies of a store hold for one key.
func (l *ledger) compareCopies(r *Report, at cell, states []*history.Fact, copies int) {
	first := states[0]
	for _, f := range states {
		if f.Op == opReference {
			first = f
		}
	}
	var other *history.Fact
	for _, f := range states {
		if f.Hash != first.Hash && other == nil {
			other = f
		}
	}
	differ := other != nil || len(states) < copies
	if differ && l.cutShort() {
		r.Undecided[history.PropConvergence]++
		return
	}
	r.Exercised[history.PropConvergence]++
	if !differ {
		return
	}
	r.note(history.PropConvergence, func() history.Finding {
		var ev evidence
		ev.add(first.ID)
		text := "a copy has nothing for it"
		if other != nil {
			ev.add(other.ID)
			text = "two copies hold different states"
			if first.Op == opReference {
				text = "a copy holds another state than the log folds to"
			}
		}
		return history.Finding{Property: history.PropConvergence, Event: first.Event, Label: history.LabelStatesDiffer, Evidence: ev.sorted(),
			Detail: fmt.Sprintf("key %q of %s: %s", at.key, at.store, text)}
	})
}
