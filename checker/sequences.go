package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// sequences judges, along each log as it stands in the end, for each producer and epoch:
//
//	the sequence numbers of its records are 0, 1, 2, …
//
// A number that comes again is a record that the log took twice, one that is left out a record that it took before its
// predecessor. What was cut off does not count: a producer sends it again under its old number, and the log that no longer
// holds it takes it, rightly. Where an unclean election has discarded all of a producer, the log goes on with any number: that
// is noted. Records under an older epoch than one before them are zombie-writes and are left to that
// checker. Assumes KindSequenced for each record of an idempotent producer.
//
// Cost: linear, a map entry per sequenced record. Exercised: the standing records with a number; where no producer is
// idempotent none.
func sequences() Checker {
	return overLedger(Checker{
		Name:       "sequences",
		Doc:        "a log takes the records of an idempotent producer once each and in order",
		Properties: []history.Property{history.PropSequence},
		Weight:     history.Guaranteed,
	}, judgeSequences)
}

// progress is how far a log has come with one producer.
type progress struct {
	epoch int64
	last  *history.Fact // sequenced; nil = none in this epoch
}

func judgeSequences(l *ledger) Report {
	r := newReport()
	numbers := l.sequenced()
	if numbers == nil {
		return r
	}
	for _, p := range l.logs() {
		producers := map[string]*progress{}
		for _, e := range p.standing().records {
			n := numbers[e.origin]
			if n == nil {
				continue
			}
			r.Exercised[history.PropSequence]++
			at := producers[n.Value]
			if at == nil || n.Fence > at.epoch {
				at = &progress{epoch: n.Fence}
				producers[n.Value] = at
			}
			if n.Fence < at.epoch {
				continue
			}
			switch label := at.take(n); {
			case label == history.LabelSequenceGap && at.last == nil: // of a producer that the log does not know, Kafka takes any (KIP-360)
				p.file(&r, 0, l.outOfSequence(p, at, n, label))
			case label != "":
				r.find(l.outOfSequence(p, at, n, label))
			}
			if at.last == nil || n.Offset > at.last.Offset {
				at.last = n
			}
		}
	}
	return r
}

// take says what is wrong with the next number, "" = nothing.
func (at *progress) take(n *history.Fact) history.Label {
	next := int64(0)
	if at.last != nil {
		next = at.last.Offset + 1
	}
	switch {
	case n.Offset < next:
		return history.LabelSequenceAgain
	case n.Offset > next:
		return history.LabelSequenceGap
	}
	return ""
}

// sequenced are the numbers of the records by the appended fact; nil = there are none.
func (l *ledger) sequenced() map[int64]*history.Fact {
	ids := l.byKind[history.KindSequenced]
	if len(ids) == 0 {
		return nil
	}
	numbers := make(map[int64]*history.Fact, len(ids))
	for f := range l.kinds(history.KindSequenced) {
		numbers[f.Cause] = f
	}
	return numbers
}

func (l *ledger) outOfSequence(p *partitionLog, at *progress, n *history.Fact, label history.Label) history.Finding {
	var ev evidence
	ev.add(n.Cause, n.ID)
	after := "at its beginning"
	if at.last != nil {
		ev.add(at.last.Cause, at.last.ID)
		after = fmt.Sprintf("after %d", at.last.Offset)
	}
	return history.Finding{
		Property: history.PropSequence,
		Event:    n.Event,
		Label:    label,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s took sequence number %d of producer %s in epoch %d %s", p.name, n.Offset, n.Value, n.Fence, after),
	}
}
