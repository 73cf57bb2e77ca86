package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// starvation judges, for each record that a group has not been handed although it is still to come:
//
//	∀ group g, partition p, offset o not behind g's position, never delivered to g:
//	    no younger record of p was delivered to g
//
// in a run that has settled, and counts a record that came later than Header.Heal after the last fault, or after it was taken
// by the log if that was later, while a younger one had come before it. A record that the position has passed is not
// starving: it is lost, and loss says so. In a log read in order a record starves by a skipped poll; in a queue by
// priorities, or by a consumer that is always given the youngest. A record whose place another event has taken is gone.
//
// Cost: linear in records and deliveries, one map entry per record. Noted. Exercised: records a younger one of which was
// delivered; undecided: those still to come in a run that ended before it was settled.
func starvation() Checker {
	return overLedger(Checker{
		Name:       "starvation",
		Doc:        "no record waits for ever while younger ones of its partition are delivered",
		Properties: []history.Property{history.PropStarvation},
		Weight:     history.Noted,
	}, judgeStarvation)
}

// handed is what a group was handed of a partition: the first delivery of each offset, and the first one of a highest.
type handed struct {
	first map[int64]int64
	tops  tops // of the deliveries
}

func judgeStarvation(l *ledger) Report {
	r := newReport()
	e := l.ending()
	if !e.judged {
		return r
	}
	had := l.handedOut()
	readers := l.readers()
	for f := range l.kinds(history.KindAppended) {
		for _, group := range readers[topicOf(f.Resource)] {
			if h := had[reader{group, f.Resource}]; h != nil && f.Offset >= 0 {
				l.judgeStarving(&r, &e, h, group, f)
			}
		}
	}
	return r
}

// handedOut reads the deliveries.
func (l *ledger) handedOut() map[reader]*handed {
	had := map[reader]*handed{}
	for f := range l.kinds(history.KindDelivered) {
		if f.Offset < 0 {
			continue
		}
		at := reader{f.Op, f.Resource}
		h := had[at]
		if h == nil {
			h = &handed{first: map[int64]int64{}}
			had[at] = h
		}
		if h.first[f.Offset] == 0 {
			h.first[f.Offset] = f.ID
		}
		h.tops.take(f.Offset, f.ID)
	}
	return had
}

func (l *ledger) judgeStarving(r *Report, e *ending, h *handed, group string, f *history.Fact) {
	top := h.tops[len(h.tops)-1]
	if top.offset <= f.Offset {
		return
	}
	came := h.first[f.Offset]
	if came == 0 && (l.passed(f.Resource, f.Offset, group) != 0 || l.truncated(f)) {
		return
	}
	if came == 0 && !e.settled {
		r.Undecided[history.PropStarvation]++
		return
	}
	r.Exercised[history.PropStarvation]++
	younger := top.fact
	if came != 0 {
		if e.late == 0 || l.at(came).Time <= max(e.healed, f.Time)+l.h.Header.Heal {
			return
		}
		m, _ := h.tops.beyond(f.Offset) // there is one: top
		if younger = m.fact; younger > came {
			return
		}
	}
	label, text := history.LabelPassedOver, "was never delivered"
	if came != 0 {
		label, text = history.LabelTooLate, "was delivered late"
	}
	r.note(history.PropStarvation, func() history.Finding {
		var ev evidence
		ev.add(f.ID, came, younger, e.began)
		return history.Finding{Property: history.PropStarvation, Event: f.Event, Label: label, Evidence: ev.sorted(),
			Detail: fmt.Sprintf("%s at %s:%d %s to group %s, a younger record was", f.Event, f.Resource, f.Offset, text, group)}
	})
}
