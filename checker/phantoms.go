package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// phantoms judges:
//
//	∀ application with a class:  its event was offered before, and the producer was not told no
//
// An event counts as refused if its producer heard no and never success or doubt; then no effect of it may exist,
// before or after the answer. One finding per event and effect. Cost: linear. Exercised: events with an
// application, and refused ones. An empty history exercises nothing.
func phantoms() Checker {
	return overLedger(Checker{
		Name:       "phantoms",
		Doc:        "no effect takes place for an event that nobody offered or that its producer was told is not written",
		Properties: []history.Property{history.PropPhantom},
	}, judgePhantoms)
}

func judgePhantoms(l *ledger) Report {
	r := newReport()
	for i := range l.accounts {
		a := &l.accounts[i]
		decided := a.turnedAway() && a.offered != 0
		for j := range a.slots {
			s := &a.slots[j]
			if s.applied == 0 {
				continue
			}
			decided = true
			if why := a.phantom(s); why != "" {
				e := &l.effects[s.effect]
				var ev evidence
				ev.add(a.offered, a.refused)
				ev.causes(l, s.first)
				r.find(phantomFinding(a.event, &e.effectName, &ev, why))
			}
		}
		if decided {
			r.Exercised[history.PropPhantom]++
		}
	}
	for _, id := range l.stray {
		f := l.at(id)
		var ev evidence
		ev.causes(l, id)
		r.find(phantomFinding("", &effectName{f.Stage, f.Resource}, &ev, "it names no event"))
		r.Exercised[history.PropPhantom]++
	}
	return r
}

// phantom says why an effect should not exist, "" = it may.
func (a *account) phantom(s *slot) string {
	switch {
	case a.offered == 0:
		return "nobody offered this event"
	case s.first < a.offered:
		return "the event had not been offered yet"
	case a.turnedAway():
		return "the producer was told that it is not written"
	}
	return ""
}

func phantomFinding(event string, e *effectName, ev *evidence, why string) history.Finding {
	return history.Finding{
		Property: history.PropPhantom,
		Event:    event,
		Stage:    e.stage,
		Label:    history.LabelUnexplained,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s: %s took place at %s, but %s", event, e.stage, e.resource, why),
	}
}
