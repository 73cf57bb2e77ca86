package checker

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/sim/history"
)

// linearizable judges the dedup store: for each record dedup/<event>/<stage> there is one order of its operations
// that respects real time and in which each gives the result it gave, by the table of linear.DedupObject.
//
// The facts are KindInvoke (Resource the record, Op, Value the token), KindComplete (Cause the invoke, Value the
// result) and KindDecided (Cause the invoke, Value the result): the point at which the store says that it took effect.
// The clock is the position in the history, so the order of facts at one instant counts.
//
// The points are a witness: an operation took effect if and only if it has one. So nothing is left to guess of those whose
// caller heard nothing, or was told that they had failed: with a point they gave what the store says, at the latest then;
// without one they never took place. If the order of the points explains every result, the record is linearizable. If it
// does not, some other order still may: two copies of a store that each take themselves for the primary answer out of
// order, and their callers cannot tell. So a search over the same operations has the last word, and its first completion
// that no order explains ends the evidence. A search also holds the witness of a sample of records to account: no order may
// be denied that is known, so if it is, one of the two algorithms is wrong, and that panics.
//
// A record that lacks a point of an answer, as all do in histories that state none, is judged by search alone, of what
// its callers saw: an operation without a completion, or with an indeterminate one, may take place at any time after its
// invoke or never, with any result; one that failed did not take place.
//
// A store that forgets by design (a window, a fail-over) is not linearizable by this table: that is what its finding says,
// with the label dedup-record-expired or dedup-record-lost. It is found even where nobody was told what is forgotten.
//
// Cost: with points n log n. A search is linear where operations do not overlap, else exponential in how many do, so each
// has a budget of steps, the same on every machine. Beyond it the record is undecided. Exercised: decided records with at
// least two operations, and every violation; a single claim that was granted tells nothing.
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
	name       string
	operations []operation
	judged     []linear.Operation // what took place; positions are ids of facts
}

// operation is what the facts say of one; they are ids, 0 = there is none.
type operation struct {
	f, by, answer, decided string
	call, ret, point       int64
	outcome                history.Outcome
}

func checkLinearizable(h *history.History) Report { return judgeStore(h, sampled) }

// judgeStore judges all records; a search holds the witness of those to account that are to be audited.
func judgeStore(h *history.History, audited func(record string) bool) Report {
	r := newReport()
	object := linear.DedupObject()
	for _, rec := range records(h) {
		switch result := rec.judge(&object, audited(rec.name)); {
		case result.Verdict == linear.Unknown:
			r.Undecided[history.PropLinearizable]++
		case result.Verdict == linear.Violated:
			r.find(rec.finding(h, result))
			r.Exercised[history.PropLinearizable]++
		case len(rec.judged) >= 2:
			r.Exercised[history.PropLinearizable]++
		}
	}
	return r
}

// sampled takes one record in sixteen, by its name: the same in every run.
func sampled(record string) bool {
	name := fnv.New32a()
	name.Write([]byte(record)) //nolint:errcheck // never fails
	return name.Sum32()%16 == 0
}

// records gathers the operations by record, in order of first appearance.
func records(h *history.History) []*record {
	var list []*record
	byName := map[string]*record{}
	type where struct {
		rec *record
		i   int
	}
	asked := map[int64]where{}
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
			asked[f.ID] = where{rec, len(rec.operations)}
			rec.operations = append(rec.operations, operation{f: f.Op, by: f.Value, call: f.ID})
		case history.KindDecided:
			if at, ok := asked[f.Cause]; ok {
				at.rec.operations[at.i].decides(f)
			}
		case history.KindComplete:
			if at, ok := asked[f.Cause]; ok {
				at.rec.operations[at.i].completes(f)
			}
		}
	}
	return list
}

// decides notes the point, the first if there are several.
func (o *operation) decides(f *history.Fact) {
	if o.point == 0 {
		o.point, o.decided = f.ID, f.Value
	}
}

// completes notes the completion, the first if there are several.
func (o *operation) completes(f *history.Fact) {
	if o.ret == 0 {
		o.ret, o.answer, o.outcome = f.ID, f.Value, f.Outcome
	}
}

// answered says that its caller knows what it gave.
func (o *operation) answered() bool {
	return o.ret != 0 && o.outcome != history.Failed && o.outcome != history.Indeterminate
}

// judge sets what is judged, and judges it.
func (r *record) judge(object *linear.Object, audited bool) linear.Result {
	if !r.pointed() {
		r.judged = r.seen()
		return object.Search(r.judged, stepBudget)
	}
	took := r.took()
	r.judged = make([]linear.Operation, len(took))
	for i := range took {
		r.judged[i] = took[i].Operation
	}
	witness := object.Witness(took)
	if explained := witness.Verdict == linear.Linearizable; explained && !audited {
		return witness
	}
	search := object.Search(r.judged, stepBudget)
	if witness.Verdict != linear.Linearizable {
		return search
	}
	if search.Verdict == linear.Violated {
		panic(fmt.Sprintf("checker: the points of %s explain it, and yet a search says: %s", r.name, search.Because))
	}
	return witness
}

// pointed says that every answer has its point, between its call and its return.
func (r *record) pointed() bool {
	for i := range r.operations {
		if o := &r.operations[i]; o.answered() && (o.point == 0 || o.point > o.ret) {
			return false
		}
	}
	return slices.ContainsFunc(r.operations, func(o operation) bool { return o.point != 0 })
}

// took are the operations that took effect.
func (r *record) took() []linear.Witnessed {
	list := make([]linear.Witnessed, 0, len(r.operations))
	for i := range r.operations {
		o := &r.operations[i]
		if o.point == 0 {
			continue
		}
		w := linear.Witnessed{Point: o.point, Operation: linear.Operation{
			Span: linear.Span{Call: o.call, Return: o.point}, Action: linear.Action{F: o.f, By: o.by, Result: o.decided}}}
		if o.answered() {
			w.Return, w.Result = o.ret, o.answer
		}
		list = append(list, w)
	}
	return list
}

// seen are the operations that may have taken effect, as far as their callers know.
func (r *record) seen() []linear.Operation {
	list := make([]linear.Operation, 0, len(r.operations))
	for i := range r.operations {
		o := &r.operations[i]
		if o.outcome == history.Failed {
			continue
		}
		op := linear.Operation{Span: linear.Span{Call: o.call, Return: linear.Never}, Action: linear.Action{F: o.f, By: o.by}}
		if o.answered() {
			op.Return, op.Result = o.ret, o.answer
		}
		list = append(list, op)
	}
	return list
}

// finding shows the first completion that no order explains, and the operations around it.
func (r *record) finding(h *history.History, result linear.Result) history.Finding {
	wrong := h.At(r.judged[result.Culprit].Return)
	points := r.points()
	var ev evidence
	for _, i := range result.Involved {
		o := &r.judged[i]
		ev.add(o.Call)
		for _, id := range [...]int64{points[o.Call], o.Return} {
			if id <= wrong.ID {
				ev.add(id)
			}
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

// points are those of the operations, by their calls.
func (r *record) points() map[int64]int64 {
	points := map[int64]int64{}
	for i := range r.operations {
		points[r.operations[i].call] = r.operations[i].point
	}
	return points
}

// label says what became of the record: a claim that is granted after it was done means it is gone.
func (r *record) label(h *history.History, wrong *history.Fact) history.Label {
	var done *history.Fact
	for i := range r.judged {
		if o := &r.judged[i]; o.F == opDone && o.Result == resultOK && o.Return < wrong.ID {
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
