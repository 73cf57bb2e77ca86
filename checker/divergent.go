package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// divergent judges that repeating is repeating the same:
//
//	divergent-duplicate  ∀ event e, effect x:   all applications of x for e that moved its state have one payload hash
//	divergent-answer     ∀ service r, key k:    all answers of r to requests that bear k have one hash
//
// The first holds also where one of the applications was reversed: a refund of 10 after charges of 10 and 12 leaves the
// wrong charge or the right one, and the count cannot tell which. A hash of 0 is unknown and compared with nothing.
//
// Cost: linear in the facts of events with a repeated effect and in the answers; one map entry per key. Noted. Exercised:
// effects with two applications, keys with two answers, whose hashes are stated. One note per effect and per key.
func divergent() Checker {
	return overLedger(Checker{
		Name:       "divergent",
		Doc:        "what is done or answered again for one event or idempotency key has the same contents",
		Properties: []history.Property{history.PropDivergentDuplicate, history.PropDivergentAnswer},
		Weight:     history.Noted,
	}, judgeDivergent)
}

func judgeDivergent(l *ledger) Report {
	r := newReport()
	for i := range l.accounts {
		a := &l.accounts[i]
		for j := range a.slots {
			if s := &a.slots[j]; s.applied > 1 {
				l.compareApplications(&r, a, s)
			}
		}
	}
	l.compareAnswers(&r)
	return r
}

// compareApplications compares each application of one effect with the first.
func (l *ledger) compareApplications(r *Report, a *account, s *slot) {
	e := &l.effects[s.effect]
	var first, other *history.Fact
	compared := false
	for _, id := range l.of(a) {
		f := l.at(int64(id))
		if f.Kind != history.KindApplied || !f.Changed || f.Hash == 0 || f.Stage != e.stage || f.Resource != e.resource {
			continue
		}
		switch {
		case first == nil:
			first = f
		case f.Hash != first.Hash && other == nil:
			other = f
			fallthrough
		default:
			compared = true
		}
	}
	if compared {
		r.Exercised[history.PropDivergentDuplicate]++
	}
	if other != nil {
		r.note(history.PropDivergentDuplicate, func() history.Finding {
			return l.differ(history.PropDivergentDuplicate, first, other,
				fmt.Sprintf("%s: %s took place at %s twice, with different contents", a.event, e.stage, e.resource))
		})
	}
}

// compareAnswers compares each answer under an idempotency key with the first.
func (l *ledger) compareAnswers(r *Report) {
	type bearer struct{ service, key string }
	type answers struct {
		first     *history.Fact
		n, differ int
	}
	given := map[bearer]*answers{}
	for f := range l.kinds(history.KindAnswered) {
		if f.Hash == 0 || f.Key == "" {
			continue
		}
		to := bearer{f.Resource, f.Key}
		g := given[to]
		if g == nil {
			given[to] = &answers{first: f}
			continue
		}
		if g.n++; g.n == 1 {
			r.Exercised[history.PropDivergentAnswer]++
		}
		if f.Hash == g.first.Hash {
			continue
		}
		if g.differ++; g.differ == 1 {
			r.note(history.PropDivergentAnswer, func() history.Finding {
				return l.differ(history.PropDivergentAnswer, g.first, f,
					fmt.Sprintf("%s answered the key %q in two different ways", f.Resource, f.Key))
			})
		}
	}
}

// differ tells of two facts whose hashes differ.
func (l *ledger) differ(p history.Property, first, other *history.Fact, text string) history.Finding {
	var ev evidence
	ev.causes(l, first.ID)
	ev.causes(l, other.ID)
	return history.Finding{Property: p, Event: other.Event, Stage: other.Stage, Label: history.LabelPayloadDiffers,
		Evidence: ev.sorted(), Detail: text}
}
