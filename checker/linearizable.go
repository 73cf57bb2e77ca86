package checker

import (
	"fmt"
	"math"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/twiceless/twiceless/sim/history"
)

// linearizable judges the dedup store: for each record dedup/<event>/<stage> there is one order of its operations
// that respects real time and in which each gives the result it gave, by this table (t is the caller's token):
//
//	              claim t              done t             release t
//	absent        granted → pending t  not-owner          not-owner
//	pending t     mine                 ok → done t        ok → absent
//	pending u     pending              not-owner          not-owner
//	done t        done                 ok                 not-owner
//	done u        done                 not-owner          not-owner
//
// The facts are KindInvoke (Resource the record, Op, Value the token) and KindComplete (Cause the invoke, Value the
// result). An operation without a completion, or with an indeterminate one, may take place at any time after its
// invoke or never, with any result; one that failed did not take place and is left out. The clock is the position
// in the history, so the order of facts at one instant counts. A store that forgets by design (a window) is not
// linearizable by this table: that is what its finding says, with the label dedup-record-expired.
//
// Cost: porcupine, one call per record; exponential in its concurrency, so each call has a budget of steps, the
// same on every machine. Beyond it the record is undecided. A finding's evidence ends at the first completion that
// cannot be explained (binary search over the prefixes). Exercised: decided records with at least two operations,
// and every violation; a single claim that was granted tells nothing.
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
	dedupPrefix    = "dedup/"
	opClaim        = "claim"
	opDone         = "done"
	opRelease      = "release"
	resultGranted  = "granted"
	resultMine     = "mine"
	resultPending  = "pending"
	resultDone     = "done"
	resultOK       = "ok"
	resultNotOwner = "not-owner"
)

// stepBudget is how many steps of the model one search may take: a tenth of a second.
const stepBudget = 200_000

// record is one judged object with its operations.
type record struct {
	name string
	ops  []operation
}

// operation is one operation on it; ret is MaxInt64 when its result is unknown.
type operation struct {
	call, ret int64 // fact ids
	in        dedupCall
	result    string
	failed    bool
}

type dedupCall struct{ op, token string }

func checkLinearizable(h *history.History) Report {
	r := newReport()
	for _, rec := range records(h) {
		verdict := rec.judge(math.MaxInt64)
		switch {
		case verdict == Unknown:
			r.Undecided[history.PropLinearizable]++
		case verdict == Fail:
			r.find(rec.finding(h))
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
			rec.ops = append(rec.ops, operation{call: f.ID, ret: math.MaxInt64, in: dedupCall{f.Op, f.Value}})
		case history.KindComplete:
			at, ok := open[f.Cause]
			if !ok {
				continue
			}
			delete(open, f.Cause)
			op := &at.rec.ops[at.i]
			op.failed = f.Outcome == history.Failed
			if f.Outcome != history.Indeterminate {
				op.ret, op.result = f.ID, f.Value
			}
		}
	}
	return list
}

// judge decides the record's history up to and including a fact: Pass, Unknown or Fail.
func (r *record) judge(until int64) Verdict {
	var ops []porcupine.Operation
	for _, o := range r.ops {
		if o.failed || o.call > until {
			continue
		}
		p := porcupine.Operation{Input: o.in, Call: o.call, Output: o.result, Return: o.ret}
		if o.ret > until {
			p.Output, p.Return = "", math.MaxInt64
		}
		ops = append(ops, p)
	}
	steps := 0
	model := porcupine.Model{
		Init: func() any { return dedupState{} },
		Step: func(state, input, output any) (bool, any) {
			if steps++; steps > stepBudget {
				return false, state
			}
			next, result := state.(dedupState).step(input.(dedupCall))
			return output == "" || output == result, next
		},
	}
	switch {
	case porcupine.CheckOperations(model, ops):
		return Pass
	case steps > stepBudget:
		return Unknown
	}
	return Fail
}

// dedupState is the state of a record: the zero value is absent.
type dedupState struct{ phase, owner string }

// step is the table above.
func (s dedupState) step(c dedupCall) (next dedupState, result string) {
	owned := s.owner == c.token
	switch {
	case c.op == opClaim && s.phase == "":
		return dedupState{resultPending, c.token}, resultGranted
	case c.op == opClaim && s.phase == resultDone:
		return s, resultDone
	case c.op == opClaim && owned:
		return s, resultMine
	case c.op == opClaim:
		return s, resultPending
	case c.op == opDone && s.phase != "" && owned:
		return dedupState{resultDone, c.token}, resultOK
	case c.op == opRelease && s.phase == resultPending && owned:
		return dedupState{}, resultOK
	}
	return s, resultNotOwner
}

// finding shows the shortest prefix that no order explains.
func (r *record) finding(h *history.History) history.Finding {
	var ends []int64
	for _, o := range r.ops {
		if !o.failed && o.ret != math.MaxInt64 {
			ends = append(ends, o.ret)
		}
	}
	var ev evidence
	ev.add(ends...)
	ends = ev.sorted()
	lo, hi := 0, len(ends)-1
	for lo < hi {
		if mid := (lo + hi) / 2; r.judge(ends[mid]) == Fail {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	wrong := h.At(ends[lo])
	ev = evidence{}
	for i := len(r.ops) - 1; i >= 0 && len(ev.ids) < 2*maxEvidence; i-- {
		if o := &r.ops[i]; !o.failed && o.call < wrong.ID {
			ev.add(o.call)
			if o.ret <= wrong.ID {
				ev.add(o.ret)
			}
		}
	}
	ev.add(wrong.Cause, wrong.ID)
	invoke := h.At(wrong.Cause)
	return history.Finding{
		Property: history.PropLinearizable,
		Event:    invoke.Event,
		Stage:    invoke.Stage,
		Label:    r.label(h, wrong),
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s: no order of the operations explains that %s of %s gave %q", r.name, invoke.Op, invoke.Value, wrong.Value),
	}
}

// label says what became of the record: a claim that is granted after it was done means it is gone.
func (r *record) label(h *history.History, wrong *history.Fact) history.Label {
	var done *history.Fact
	for _, o := range r.ops {
		if o.in.op == opDone && o.result == resultOK && o.ret < wrong.ID {
			done = h.At(o.ret)
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
