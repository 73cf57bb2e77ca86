package checker

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/sim/history"
)

// linearizable judges the dedup store: for each record dedup/<event>/<stage> there is one order of its operations
// that respects real time and in which each gives the result it gave, by the table of linear.DedupObject.
//
// The facts are KindInvoke (Resource the record, Op, Value the token) and KindComplete (Cause the invoke, Value the
// result). An operation without a completion, or with an indeterminate one, may take place at any time after its
// invoke or never, with any result; one that failed did not take place and is left out. The clock is the position
// in the history, so the order of facts at one instant counts. A store that forgets by design (a window) is not
// linearizable by this table: that is what its finding says, with the label dedup-record-expired.
//
// It is a search, not a witness: what facts there are is what clients saw, and none says when the store decided. The
// stores' own order is held against the same table in the tests of model/store.
//
// Cost: one search per record; linear where operations do not overlap, else exponential in how many do, so each record
// has a budget of steps, the same on every machine. Beyond it the record is undecided. A finding's evidence ends at the
// first completion that cannot be explained. Exercised: decided records with at least two operations, and every
// violation; a single claim that was granted tells nothing.
func linearizable() Checker {
	return Checker{
		Name:       "linearizable",
		Doc:        "the dedup store behaves as if its operations took place one at a time, each between its call and its return",
		Properties: []history.Property{history.PropLinearizable},
		Check:      checkLinearizable,
	}
}

// Operations and results of a dedup store.
const (
	dedupPrefix   = "dedup/"
	opClaim       = "claim"
	opDone        = "done"
	resultGranted = "granted"
	resultDone    = "done"
	resultOK      = "ok"
)

// stepBudget is how many steps one record may take: a tenth of a second.
const stepBudget = 200_000

// record is one judged object with its operations.
type record struct {
	name   string
	ops    []linear.Operation // positions are ids of facts
	failed []bool
}

func checkLinearizable(h *history.History) Report {
	r := newReport()
	object := linear.DedupObject()
	for _, rec := range records(h) {
		rec.withoutFailed()
		switch result := object.Search(rec.ops, stepBudget); {
		case result.Verdict == linear.Unknown:
			r.Undecided[history.PropLinearizable]++
		case result.Verdict == linear.Violated:
			r.find(rec.finding(h, result))
			r.Exercised[history.PropLinearizable]++
		case len(rec.ops) >= 2:
			r.Exercised[history.PropLinearizable]++
		}
	}
	return r
}

// records gathers the operations by record, in order of first appearance.
func records(h *history.History) []*record {
	var list []*record
	byName := map[string]*record{}
	type where struct {
		rec *record
		i   int
	}
	open := map[int64]where{}
	for i := range h.Facts {
		f := &h.Facts[i]
		switch f.Kind {
		case history.KindInvoke:
			if !strings.HasPrefix(f.Resource, dedupPrefix) {
				continue
			}
			rec := byName[f.Resource]
			if rec == nil {
				rec = &record{name: f.Resource}
				byName[f.Resource] = rec
				list = append(list, rec)
			}
			open[f.ID] = where{rec, len(rec.ops)}
			rec.ops = append(rec.ops, linear.Operation{Span: linear.Span{Call: f.ID, Return: linear.Never}, Action: linear.Action{F: f.Op, By: f.Value}})
			rec.failed = append(rec.failed, false)
		case history.KindComplete:
			at, ok := open[f.Cause]
			if !ok {
				continue
			}
			delete(open, f.Cause)
			op := &at.rec.ops[at.i]
			at.rec.failed[at.i] = f.Outcome == history.Failed
			if f.Outcome != history.Indeterminate {
				op.Return, op.Result = f.ID, f.Value
			}
		}
	}
	return list
}

// withoutFailed leaves out what did not take place.
func (r *record) withoutFailed() {
	kept := r.ops[:0]
	for i := range r.ops {
		if !r.failed[i] {
			kept = append(kept, r.ops[i])
		}
	}
	r.ops = kept
}

// finding shows the first completion that no order explains, and the operations around it.
func (r *record) finding(h *history.History, result linear.Result) history.Finding {
	wrong := h.At(r.ops[result.Culprit].Return)
	var ev evidence
	for _, i := range result.Involved {
		if ev.add(r.ops[i].Call); r.ops[i].Return <= wrong.ID {
			ev.add(r.ops[i].Return)
		}
	}
	invoke := h.At(wrong.Cause)
	return history.Finding{
		Property: history.PropLinearizable,
		Event:    invoke.Event,
		Stage:    invoke.Stage,
		Label:    r.label(h, wrong),
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s: %s", r.name, result.Because),
	}
}

// label says what became of the record: a claim that is granted after it was done means it is gone.
func (r *record) label(h *history.History, wrong *history.Fact) history.Label {
	var done *history.Fact
	for i := range r.ops {
		if o := &r.ops[i]; o.F == opDone && o.Result == resultOK && o.Return < wrong.ID {
			done = h.At(o.Return)
		}
	}
	if done == nil || h.At(wrong.Cause).Op != opClaim || wrong.Value != resultGranted {
		return history.LabelUnexplained
	}
	return gone(done, wrong)
}

// gone says whether a record that was done had expired when it was granted again, or was lost.
func gone(done, granted *history.Fact) history.Label {
	if done.Until != 0 && done.Until <= granted.Time || granted.Note == "expired" {
		return history.LabelDedupRecordExpired
	}
	return history.LabelDedupRecordLost
}
