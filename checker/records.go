package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// logRecords judges what is at an offset:
//
//	∀ delivery d of a record r:  d is of r's partition and offset, and of its event, key and payload
//	∀ partition, offset:  one replica takes one record there, unless it was cut or stopped in between; and at most one
//	                      of all records at that offset was ever acknowledged as committed, or delivered
//
// Who acknowledges before a record is committed, as with acks=1, promises its offset to nobody; and what an unclean election
// discarded leaves its offsets to others, which is noted.
//
// The first is corrupted-record, and covers what no log ever took; the second inconsistent-offset. The record of a
// delivery is its cause; a delivery without a cause says nothing of a record. Keys and hashes are compared where both
// facts state one. Cost: linear; offsets that were given out twice are sorted. Exercised: deliveries with a cause, and
// records. Where no log takes a record and nothing is delivered, nothing is exercised.
func logRecords() Checker {
	return overLedger(Checker{
		Name:       "records",
		Doc:        "an offset names one record, and what is handed out is what the log took there",
		Properties: []history.Property{history.PropCorruptedRecord, history.PropInconsistentOffset},
		Weight:     history.Guaranteed,
	}, judgeRecords)
}

func judgeRecords(l *ledger) Report {
	r := newReport()
	for f := range l.kinds(history.KindDelivered) {
		if f.Cause == 0 {
			continue
		}
		r.Exercised[history.PropCorruptedRecord]++
		if why := altered(f, l.at(f.Cause)); why != "" {
			r.find(l.alteredRecord(f, why))
		}
	}
	doubtful := map[*partitionLog]map[int64]int64{} // by log and offset the record that was seen there first
	for _, p := range l.logs() {
		for _, c := range p.replicas {
			r.Exercised[history.PropInconsistentOffset] += int64(len(c.records))
		}
		for _, c := range p.conflicts {
			r.Exercised[history.PropInconsistentOffset]++
			r.find(l.sharedOffset(p, c.held.origin, c.taken.origin, "one replica took both"))
		}
		if p.disorder || len(p.replicas) > 1 {
			doubtful[p] = map[int64]int64{}
		}
	}
	if len(doubtful) > 0 {
		l.judgeSeen(&r, doubtful)
	}
	return r
}

// altered says in what a delivery differs from the record that it is of, "" = in nothing.
func altered(d, record *history.Fact) string {
	switch {
	case record.Kind != history.KindAppended:
		return "no log took it"
	case d.Resource != record.Resource || d.Offset != record.Offset:
		return fmt.Sprintf("the log took it at offset %d of %s", record.Offset, record.Resource)
	case d.Event != record.Event:
		return "the log took " + record.Event + " there"
	case d.Key != record.Key && d.Key != "" && record.Key != "":
		return fmt.Sprintf("the log took it under key %q", record.Key)
	case d.Hash != record.Hash && d.Hash != 0 && record.Hash != 0:
		return "the log took another payload"
	}
	return ""
}

func (l *ledger) alteredRecord(d *history.Fact, why string) history.Finding {
	var ev evidence
	ev.causes(l, d.ID)
	return history.Finding{
		Property: history.PropCorruptedRecord,
		Event:    d.Event,
		Label:    history.LabelRecordAltered,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s was handed out at offset %d of %s, but %s", d.Event, d.Offset, d.Resource, why),
	}
}

// shown stands for an offset of which a finding speaks already.
const shown = -1

// judgeSeen finds offsets at which two records of one log were acknowledged or delivered.
func (l *ledger) judgeSeen(r *Report, first map[*partitionLog]map[int64]int64) {
	//det:unordered each log has a map of its own
	for p, at := range first {
		for _, c := range p.conflicts {
			at[c.held.offset] = shown
		}
	}
	for f := range l.kinds(history.KindAccepted, history.KindDelivered) {
		record := l.record(f.Cause)
		if record == nil {
			continue
		}
		p := l.log(record.Resource)
		at, doubtful := first[p]
		if !doubtful || f.Kind == history.KindAccepted && !p.committed(record.Offset, f.ID) {
			continue
		}
		switch before, seen := at[record.Offset]; {
		case !seen:
			at[record.Offset] = record.ID
		case before != shown && before != record.ID:
			at[record.Offset] = shown
			p.file(r, before, l.sharedOffset(p, before, record.ID, "both were acknowledged or handed out"))
		}
	}
}

func (l *ledger) sharedOffset(p *partitionLog, a, b int64, why string) history.Finding {
	one, two := l.at(a), l.at(b)
	var ev evidence
	ev.add(one.Cause, a, two.Cause, b)
	return history.Finding{
		Property: history.PropInconsistentOffset,
		Event:    two.Event,
		Label:    history.LabelOffsetReused,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("offset %d of %s was given to %q and to %q: %s", two.Offset, p.name, one.Event, two.Event, why),
	}
}
