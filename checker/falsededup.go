package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// falseDedup judges, at the end of a history:
//
//	∀ offered e and stage x that somebody took for a repetition:  x took place for e at least once
//
// A suppression that names no stage stands for the whole event: it is false if no effect of it took place at all. What
// still waits in a store or with a person is not decided by the suppression and left out, and so is a stage without
// effects. An effect that was applied and then reversed has taken place: the suppression was right.
//
// Where an event is lost as well the loss has the name, with its first cause (losscauses.go). It covers what loss leaves
// out: effects that decide no bucket. Labels: the record that
// said "done" was first made for another event (dedup-key-collision), or for this one although the effect never took
// place (dedup-record-before-effect); without such a record unexplained.
//
// Cost: linear in the suppressions and the facts of their events; a label costs one pass over the operations of dedup
// records. Noted. Exercised: events and stages with a suppression. One note per event and stage.
func falseDedup() Checker {
	return overLedger(Checker{
		Name:       "false-deduplication",
		Doc:        "nothing is taken for a repetition of what never took place",
		Properties: []history.Property{history.PropFalseDedup},
		Weight:     history.Noted,
	}, judgeFalseDedup)
}

func judgeFalseDedup(l *ledger) Report {
	r := newReport()
	type what struct {
		account int32
		stage   string
	}
	seen := map[what]bool{}
	for f := range l.kinds(history.KindSuppressed) {
		n := l.number[f.ID-1]
		if n < 0 || seen[what{n, f.Stage}] {
			continue
		}
		a := &l.accounts[n]
		if a.offered == 0 || a.held != 0 || a.waits() {
			continue
		}
		took, known := l.tookPlace(a, f.Stage)
		if !known || !took && l.fateOf(a) == fateLost {
			continue
		}
		seen[what{n, f.Stage}] = true
		r.Exercised[history.PropFalseDedup]++
		if !took {
			r.note(history.PropFalseDedup, func() history.Finding { return l.wronglySuppressed(a, f) })
		}
	}
	return r
}

// tookPlace says whether effects of a stage were ever applied for an event; known is false if it has none there. The
// empty stage is all of them.
func (l *ledger) tookPlace(a *account, stage string) (took, known bool) {
	for i := range a.slots {
		if s := &a.slots[i]; stage == "" || l.effects[s.effect].stage == stage {
			known = true
			took = took || s.applied > 0
		}
	}
	return took, known
}

func (l *ledger) wronglySuppressed(a *account, f *history.Fact) history.Finding {
	label, record := l.falseRecord(a, f)
	var ev evidence
	ev.add(a.offered, record)
	ev.causes(l, f.ID)
	what := f.Stage
	if what == "" {
		what = "the event"
	}
	return history.Finding{Property: history.PropFalseDedup, Event: a.event, Stage: f.Stage, Label: label, Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s: %s was taken for a repetition and never took place", a.event, what)}
}

// falseRecord is the operation that made the dedup record by which an event was taken for a repetition: the first one that
// noted as done the object that the event's last claim before was told to be done. 0 = none.
func (l *ledger) falseRecord(a *account, suppressed *history.Fact) (history.Label, int64) {
	object := ""
	for _, id := range l.of(a) {
		f := l.at(int64(id))
		if f.ID > suppressed.ID {
			break
		}
		if f.Kind == history.KindComplete && f.Cause != 0 && l.at(f.Cause).Op == opClaim && f.Value == resultDone {
			object = f.Resource
		}
	}
	if object == "" {
		return history.LabelUnexplained, 0
	}
	for f := range l.kinds(history.KindComplete) {
		if f.Resource != object || f.Cause == 0 || l.at(f.Cause).Op != opDone || f.Value != resultOK {
			continue
		}
		if f.Event == a.event {
			return history.LabelRecordBeforeEffect, f.ID
		}
		return history.LabelKeyCollision, f.ID
	}
	return history.LabelUnexplained, 0
}
