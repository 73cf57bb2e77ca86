package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// redelivery notes:
//
//	every delivery of an event to a group, from one topic, beyond the first
//
// It is what an at-least-once log does, and the work of every strategy against duplicates. Each has the label of the
// first thing that failed, as if both deliveries had been effects. Cost: linear; the labels of the few that are told cost a
// walk over the facts of their event. Exercised: events that were delivered.
func redelivery() Checker {
	return overLedger(Checker{
		Name:       "redelivery",
		Doc:        "an event was handed to a group again",
		Properties: []history.Property{history.PropRedelivery},
		Weight:     history.Noted,
	}, judgeRedelivery)
}

func judgeRedelivery(l *ledger) Report {
	r := newReport()
	delivered := int64(0)
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.delivered == 0 {
			continue
		}
		delivered++
		for range a.redelivered {
			r.note(history.PropRedelivery, func() history.Finding { return l.again(a) })
		}
	}
	if delivered > 0 {
		r.Exercised[history.PropRedelivery] = delivered
	}
	return r
}

// again tells the first redelivery of an event.
func (l *ledger) again(a *account) history.Finding {
	var one, two *history.Fact
	var seen []*history.Fact
	for _, id := range l.of(a) {
		f := l.at(int64(id))
		if f.Kind != history.KindDelivered {
			continue
		}
		for _, s := range seen {
			if topicOf(s.Resource) == topicOf(f.Resource) && s.Op == f.Op && two == nil {
				one, two = s, f
			}
		}
		seen = append(seen, f)
	}
	var ev evidence
	ev.causes(l, one.ID)
	ev.causes(l, two.ID)
	ev.around(l, a, one.ID, two.ID)
	return history.Finding{
		Property: history.PropRedelivery,
		Event:    a.event,
		Label:    l.duplicateLabel(a, one.ID, two.ID),
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s was handed out %d times beyond the first", a.event, a.redelivered),
	}
}
