package checker

import (
	"cmp"
	"fmt"
	"hash/fnv"
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
	return overLedger(Checker{
		Name:       "linearizable",
		Doc:        "the dedup store behaves as if its operations took place one at a time, each between its call and its return",
		Properties: []history.Property{history.PropLinearizable},
	}, judgeLinearizable)
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
	took       []linear.Witnessed // what took effect, for all that is known; positions are ids of facts
}

// operation is one with its facts: the first of each kind counts, nil = there is none.
type operation struct{ invoke, decided, complete *history.Fact }

func judgeLinearizable(l *ledger) Report { return judgeStore(l, sampled) }

// judgeStore judges all records; a search holds the witness of those to account that are to be audited.
func judgeStore(l *ledger, audited func(record string) bool) Report {
	r := newReport()
	object := linear.DedupObject()
	for _, rec := range l.records() {
		switch result := rec.judge(&object, audited(rec.name)); {
		case result.Verdict == linear.Unknown:
			r.Undecided[history.PropLinearizable]++
		case result.Verdict == linear.Violated:
			r.find(rec.finding(l.h, result))
			r.Exercised[history.PropLinearizable]++
		case len(rec.took) >= 2:
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
func (l *ledger) records() []*record {
	var list []*record
	byName := map[string]*record{}
	type where struct {
		rec *record
		i   int
	}
	asked := map[int64]where{}
	for f := range l.kinds(history.KindInvoke, history.KindDecided, history.KindComplete) {
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
			rec.operations = append(rec.operations, operation{invoke: f})
		case history.KindDecided:
			if at, ok := asked[f.Cause]; ok {
				o := &at.rec.operations[at.i]
				o.decided = cmp.Or(o.decided, f)
			}
		case history.KindComplete:
			if at, ok := asked[f.Cause]; ok {
				o := &at.rec.operations[at.i]
				o.complete = cmp.Or(o.complete, f)
			}
		}
	}
	return list
}

// answered says that its caller knows what it gave.
func (o *operation) answered() bool {
	return o.complete != nil && o.complete.Outcome != history.Failed && o.complete.Outcome != history.Indeterminate
}

// judge sets what took effect, and judges it.
func (r *record) judge(object *linear.Object, audited bool) linear.Result {
	if !r.pointed() {
		r.gather((*operation).seen)
		return r.search(object)
	}
	r.gather((*operation).stated)
	witness := object.Witness(r.took)
	if witness.Verdict != linear.Linearizable {
		return r.search(object)
	}
	if audited {
		if search := r.search(object); search.Verdict == linear.Violated {
			panic(fmt.Sprintf("checker: the points of %s explain it, and yet a search says: %s", r.name, search.Because))
		}
	}
	return witness
}

// pointed says that there are points, and that every answer has its own, between its call and its return.
func (r *record) pointed() bool {
	some := false
	for i := range r.operations {
		o := &r.operations[i]
		if o.answered() && (o.decided == nil || o.decided.ID > o.complete.ID) {
			return false
		}
		some = some || o.decided != nil
	}
	return some
}

// gather keeps those operations that took effect, or may have.
func (r *record) gather(of func(*operation) (linear.Witnessed, bool)) {
	r.took = make([]linear.Witnessed, 0, len(r.operations))
	for i := range r.operations {
		if w, ok := of(&r.operations[i]); ok {
			r.took = append(r.took, w)
		}
	}
}

// stated is the operation as the store states it: false if it did not take effect. Where its caller heard no answer the
// store's is the answer, given when it took effect.
func (o *operation) stated() (linear.Witnessed, bool) {
	switch {
	case o.decided == nil:
		return linear.Witnessed{}, false
	case o.answered():
		return o.witnessed(o.decided.ID, o.complete), true
	}
	return o.witnessed(o.decided.ID, o.decided), true
}

// seen is the operation as its caller knows it: false if it was told that nothing took place.
func (o *operation) seen() (linear.Witnessed, bool) {
	switch {
	case o.answered():
		return o.witnessed(linear.Never, o.complete), true
	case o.complete != nil && o.complete.Outcome == history.Failed:
		return linear.Witnessed{}, false
	}
	return o.witnessed(linear.Never, nil), true
}

// witnessed is the operation with its point, and the fact that answers it; nil = none does.
func (o *operation) witnessed(point int64, answer *history.Fact) linear.Witnessed {
	w := linear.Witnessed{Point: point}
	w.Call, w.F, w.By, w.Return = o.invoke.ID, o.invoke.Op, o.invoke.Value, linear.Never
	if answer != nil {
		w.Return, w.Result = answer.ID, answer.Value
	}
	return w
}

// search looks for any order of what took effect.
func (r *record) search(object *linear.Object) linear.Result {
	operations := make([]linear.Operation, len(r.took))
	for i := range r.took {
		operations[i] = r.took[i].Operation
	}
	return object.Search(operations, stepBudget)
}

// finding shows the first completion that no order explains, and the operations around it.
func (r *record) finding(h *history.History, result linear.Result) history.Finding {
	wrong := h.At(r.took[result.Culprit].Return)
	var ev evidence
	for _, i := range result.Involved {
		o := &r.took[i]
		ev.add(o.Call)
		for _, id := range [...]int64{o.Point, o.Return} {
			if id <= wrong.ID { // Never is not
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

// label says what became of the record: a claim that is granted after it was done means it is gone.
func (r *record) label(h *history.History, wrong *history.Fact) history.Label {
	var done *history.Fact
	for i := range r.took {
		if o := &r.took[i]; o.F == opDone && o.Result == resultOK && o.Return < wrong.ID {
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
