package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// recovered notes:
//
//	an event of which the producer never learned whether it was written, and of which an effect took place
//
// It breaks nothing: an answer that is unknown may be either. Who sends such an event again under a new id makes a
// duplicate of it. Cost: linear. Exercised: the events whose producer gave up without knowing.
func recovered() Checker {
	return overLedger(Checker{
		Name:       "recovered",
		Doc:        "an event took effect although its producer never learned that it was written",
		Properties: []history.Property{history.PropRecovered},
		Weight:     history.Noted,
	}, judgeRecovered)
}

func judgeRecovered(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindUncertain]) == 0 {
		return r
	}
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.uncertain == 0 || a.accepted != 0 {
			continue
		}
		r.Exercised[history.PropRecovered]++
		for j := range a.slots {
			if s := &a.slots[j]; s.applied > s.reversed {
				r.note(history.PropRecovered, func() history.Finding { return l.recoveredEvent(a, s) })
				break
			}
		}
	}
	return r
}

func (l *ledger) recoveredEvent(a *account, s *slot) history.Finding {
	var ev evidence
	ev.add(a.offered, a.uncertain)
	ev.causes(l, s.first)
	return history.Finding{
		Property: history.PropRecovered,
		Event:    a.event,
		Stage:    l.effects[s.effect].stage,
		Label:    history.LabelAnswerUncertain,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s took effect, and its producer never learned that it was written", a.event),
	}
}
