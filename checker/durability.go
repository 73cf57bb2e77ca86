package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// durability judges, at the end:
//
//	∀ record that a log acknowledged, and that was committed then:  the log holds it, or a compaction took it away
//
// A log acknowledged a record if the cause of KindAccepted is the record's KindAppended. It was committed if a high
// watermark beyond it had been stated; a log that states no watermark commits what it acknowledges. So an acknowledgement
// from one replica of several promises nothing here: Kafka's acks=1. What an election lost that was stated as unclean is
// what its operator chose: it is noted and no finding. Assumes that the run was drained.
//
// Cost: linear; where a log was cut, or has several replicas, a binary search per acknowledged record. Exercised: the
// acknowledged and committed records. Where no log acknowledged anything nothing is exercised.
func durability() Checker {
	return overLedger(Checker{
		Name:       "durability",
		Doc:        "what a log acknowledged as committed it holds in the end",
		Properties: []history.Property{history.PropDurability},
		Weight:     history.Guaranteed,
	}, judgeDurability)
}

func judgeDurability(l *ledger) Report {
	r := newReport()
	taken := l.compacted()
	for f, record := range l.acknowledged() {
		p := l.log(record.Resource)
		r.Exercised[history.PropDurability]++
		if p.keeps(record) || taken[record.ID] {
			continue
		}
		p.file(&r, f.ID, l.notKept(f, record, p))
	}
	return r
}

// record is the appended fact of an id; nil if the id is another fact's, or none.
func (l *ledger) record(id int64) *history.Fact {
	if id == 0 || l.at(id).Kind != history.KindAppended || l.at(id).Offset < 0 {
		return nil
	}
	return l.at(id)
}

// keeps says whether the log holds a record in the end.
func (p *partitionLog) keeps(record *history.Fact) bool {
	r := p.standing()
	if len(p.replicas) == 1 && len(r.gone) == 0 {
		return true
	}
	return r.holds(record.Offset, record.ID)
}

func (l *ledger) notKept(accepted, record *history.Fact, p *partitionLog) history.Finding {
	var ev evidence
	ev.add(record.Cause, record.ID, accepted.ID)
	for _, r := range p.replicas {
		ev.add(r.goneBy(record.ID))
	}
	ev.add(between(l.faults, record.ID, ev.last(), maxEvidence)...)
	return history.Finding{
		Property: history.PropDurability,
		Event:    record.Event,
		Label:    history.LabelTruncated,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s: %s acknowledged it at offset %d and does not hold it there in the end", record.Event, p.name, record.Offset),
	}
}
