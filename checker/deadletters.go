package checker

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// deadLetters judges:
//
//	∀ offered e that is parked:  a log has a record of e in the place that it is parked at, taken before, and that
//	record bears the business key of e
//
// Without the id nobody can say what is parked; without the key the event cannot be put back into the partition of its
// key, nor in order. Assumes that KindParked names the topic (Resource) and that its record is an appended fact of the
// event there; a parked fact that names no topic is left out. Cost: linear. Exercised: parked events.
func deadLetters() Checker {
	return overLedger(Checker{
		Name:       "dead-letters",
		Doc:        "what is parked can be taken up again: its record bears the event's id and business key",
		Properties: []history.Property{history.PropDeadLetter},
		Weight:     history.Guaranteed,
	}, judgeDeadLetters)
}

func judgeDeadLetters(l *ledger) Report {
	r := newReport()
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.offered == 0 || a.parked == 0 {
			continue
		}
		parked := l.at(a.parked)
		if parked.Kind != history.KindParked || parked.Resource == "" {
			continue
		}
		r.Exercised[history.PropDeadLetter]++
		record := l.deadLetter(a, parked)
		switch {
		case record == nil:
			r.find(l.incomplete(a, parked, nil, "no record there names it"))
		case record.Key != a.key:
			r.find(l.incomplete(a, parked, record, fmt.Sprintf("its record there has the business key %q, not %q", record.Key, a.key)))
		}
	}
	return r
}

// deadLetter is the event's last record in the topic before it was stated to be parked; nil = none.
func (l *ledger) deadLetter(a *account, parked *history.Fact) (record *history.Fact) {
	for _, id := range l.of(a) {
		f := l.at(int64(id))
		if f.ID < parked.ID && f.Kind == history.KindAppended && strings.HasPrefix(f.Resource, parked.Resource+"/") {
			record = f
		}
	}
	return record
}

func (l *ledger) incomplete(a *account, parked, record *history.Fact, why string) history.Finding {
	var ev evidence
	ev.add(a.offered)
	ev.causes(l, parked.ID)
	if record != nil {
		ev.add(record.ID)
	}
	return history.Finding{
		Property: history.PropDeadLetter,
		Event:    a.event,
		Label:    history.LabelRecordIncomplete,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s is parked in %s, but %s", a.event, parked.Resource, why),
	}
}
