package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// duplicateRecords notes:
//
//	two records of one partition that stand in the end, are of one event and stage, and have one cause
//
// One cause means that one act of a producer, or of a relay, became two records: its retry. A handler that fails and
// forwards an event again has a delivery of its own behind each record, and an operator who publishes a dead letter again
// acts anew; neither is this. A log promises nothing here unless the producer is idempotent, and then sequences says so.
//
// Cost: linear in the facts of events that have several records. Seen: the records beyond the first. Exercised: events
// with a record.
func duplicateRecords() Checker {
	return overLedger(Checker{
		Name:       "duplicate-records",
		Doc:        "one act of a producer became two records of a log",
		Properties: []history.Property{history.PropDuplicateRecord},
		Weight:     history.Noted,
	}, judgeDuplicateRecords)
}

func judgeDuplicateRecords(l *ledger) Report {
	r := newReport()
	exercised := int64(0)
	for i := range l.accounts {
		a := &l.accounts[i]
		if a.appended == 0 {
			continue
		}
		exercised++
		if a.records > 1 {
			l.noteRecords(&r, a)
		}
	}
	if exercised > 0 {
		r.Exercised[history.PropDuplicateRecord] = exercised
	}
	return r
}

// noteRecords looks for records of an event that repeat one before them.
func (l *ledger) noteRecords(r *Report, a *account) {
	var before []*history.Fact
	for _, id := range l.of(a) {
		f := l.record(int64(id))
		if f == nil || !l.log(f.Resource).keeps(f) {
			continue
		}
		for _, b := range before {
			if b.Cause != 0 && b.Cause == f.Cause && b.Resource == f.Resource && b.Stage == f.Stage {
				r.note(history.PropDuplicateRecord, func() history.Finding { return l.recordTwice(b, f) })
				break
			}
		}
		before = append(before, f)
	}
}

func (l *ledger) recordTwice(one, two *history.Fact) history.Finding {
	var ev evidence
	ev.causes(l, one.ID)
	ev.add(two.ID)
	return history.Finding{
		Property: history.PropDuplicateRecord,
		Event:    two.Event,
		Stage:    two.Stage,
		Label:    history.LabelPublishedTwice,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s is in %s at offset %d and again at %d", two.Event, two.Resource, one.Offset, two.Offset),
	}
}
