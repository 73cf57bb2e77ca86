package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// visibility judges:
//
//	∀ accepted e that a log took into a topic that somebody reads:
//	    the first delivery of e ≤ max(acknowledgement, last fault) + Header.Heal
//
// An event that is never delivered is late in a run that has settled, whatever became of it: a position that moved past it
// made a loss, and it is invisible as well. The latencies themselves are Visibility's. An event whose answer to the producer
// was lost is not judged: nobody may expect to see it.
//
// Cost: linear in records and deliveries. Noted. Exercised: the events of the formula; undecided: those not delivered in a
// run that ended before it was settled.
func visibility() Checker {
	return overLedger(Checker{
		Name:       "visibility",
		Doc:        "every acknowledged event is handed to a consumer in the end",
		Properties: []history.Property{history.PropVisibility},
		Weight:     history.Noted,
	}, judgeVisibility)
}

func judgeVisibility(l *ledger) Report {
	r := newReport()
	e := l.ending()
	if !e.judged {
		return r
	}
	readers := l.readers()
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.accepted == 0 || a.appended == 0 || len(readers[topicOf(l.at(a.appended).Resource)]) == 0 {
			continue
		}
		if a.delivered == 0 && !e.settled {
			r.Undecided[history.PropVisibility]++
			continue
		}
		r.Exercised[history.PropVisibility]++
		if a.delivered != 0 && (e.late == 0 || l.at(a.delivered).Time <= max(e.healed, l.at(a.accepted).Time)+l.h.Header.Heal) {
			continue
		}
		label, text := history.LabelNeverCame, "never"
		if a.delivered != 0 {
			label, text = history.LabelTooLate, "late"
		}
		r.note(history.PropVisibility, func() history.Finding {
			var ev evidence
			ev.add(a.accepted, a.appended, a.delivered, e.began)
			return history.Finding{Property: history.PropVisibility, Event: a.event, Label: label, Evidence: ev.sorted(),
				Detail: fmt.Sprintf("%s was acknowledged and %s delivered", a.event, text)}
		})
	}
	return r
}

// Visibility are the times from an event's acknowledgement to its first delivery, 0 where it was delivered first. Events
// that were never acknowledged, or never delivered, are in none.
func Visibility(h *history.History) history.Latencies {
	var times history.Latencies
	l := newLedger(h)
	for i := range l.accounts {
		if a := &l.accounts[i]; a.accepted != 0 && a.delivered != 0 {
			times[history.LatencyBucket(max(0, l.at(a.delivered).Time-l.at(a.accepted).Time))]++
		}
	}
	return times
}
