package blackbox

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

const nonlinearizable = "nonlinearizable"

func nonlinearizableKind(doc string) []AnomalyKind {
	return []AnomalyKind{{Name: nonlinearizable, Doc: doc}}
}

// linearJudge gathers the operations of objects of one kind, and searches an order for each object. What it asks of a
// model is which object an operation is on, and what it means.
type linearJudge struct {
	object   linear.Object
	budget   int64
	problems *ops.Problems
	call     func(*ops.Operation) (key string, a linear.Action, problem string) // the problem lies in the value
	special  func([]linear.Operation) (r linear.Result, applies bool)           // a faster algorithm, nil = there is none
	keyed    bool                                                               // there are several objects, and messages name them
	parts    map[string]*linearPart
}

// linearPart are the operations on one object.
type linearPart struct {
	key        string
	operations []linear.Operation
	evidence   [][]int64
	pending    int
	result     linear.Result
}

func newLinearJudge(object linear.Object, o Options, p *ops.Problems, call func(*ops.Operation) (string, linear.Action, string)) *linearJudge {
	return &linearJudge{object: object, budget: o.Budget, problems: p, call: call, parts: map[string]*linearPart{}}
}

// Take keeps an operation, unless it definitely did not take place.
func (j *linearJudge) Take(o *ops.Operation) {
	key, action, problem := j.call(o)
	if problem == "" && j.states(o.F) && contradicts(o) {
		problem = fmt.Sprintf("%s of %s completes with %s: nobody knows what was asked", o.F, o.In, o.Out)
	}
	if problem == "" {
		problem = j.object.Problem(&action, o.Outcome == ops.OK)
	}
	if problem != "" {
		j.problems.Add(o.Line, "value", "%s", problem)
		return
	}
	if o.Outcome == ops.Fail {
		return
	}
	p := j.parts[key]
	if p == nil {
		p = &linearPart{key: key}
		j.parts[key] = p
	}
	if o.Outcome != ops.OK {
		p.pending++
	}
	p.operations = append(p.operations, linear.Operation{Span: linear.Span{Call: o.Call, Return: o.Return}, Action: action, Client: o.Process})
	p.evidence = append(p.evidence, o.Evidence())
}

// states says whether a function is told its value, and does not answer with one.
func (j *linearJudge) states(f string) bool {
	return slices.ContainsFunc(j.object.Functions, func(known linear.Function) bool { return known.Name == f && known.Args > 0 })
}

// contradicts says whether invoke and completion state two values.
func contradicts(o *ops.Operation) bool {
	return !o.In.IsNull() && !o.Out.IsNull() && !sameValue(o.In, o.Out)
}

func sameValue(a, b ops.Value) bool {
	return a.Kind == b.Kind && a.Int == b.Int && a.Text == b.Text && slices.EqualFunc(a.Items, b.Items, sameValue)
}

// Report judges each object.
func (j *linearJudge) Report() *ops.Report {
	r := &ops.Report{Numbers: map[string]int64{"operations": 0, "partitions": int64(len(j.parts)), "pending": 0, "steps": 0}}
	parts := j.judged()
	for _, p := range parts {
		r.Numbers["operations"] += int64(len(p.operations))
		r.Numbers["pending"] += int64(p.pending)
		r.Numbers["steps"] += p.result.Steps
		answered := int64(len(p.operations) - p.pending)
		switch {
		case p.result.Verdict == linear.Unknown:
			r.Undecided++
			r.Why = append(r.Why, fmt.Sprintf("%sundecided: %s", j.of(p), p.result.Because))
		case p.result.Verdict == linear.Violated || answered >= 2:
			r.Exercised += answered
		}
	}
	for _, p := range violated(parts) {
		r.Find(nonlinearizable, ops.SeverityFail, func(a *ops.Anomaly) { j.tell(a, p) })
		if r.Picture == nil {
			r.Picture = func(w io.Writer) error { return j.object.Picture(p.operations, j.budget, w) }
		}
	}
	if r.Exercised == 0 && r.Undecided == 0 {
		r.Why = append(r.Why, "no "+j.object.Name+" was asked twice with an answer: one answer alone cannot contradict")
	}
	r.Sort()
	return r
}

// judged are the objects with their results, sorted by name.
func (j *linearJudge) judged() []*linearPart {
	var parts, open []*linearPart
	var operations [][]linear.Operation
	for _, key := range slices.Sorted(maps.Keys(j.parts)) {
		p := j.parts[key]
		parts = append(parts, p)
		if !j.decided(p) {
			open = append(open, p)
			operations = append(operations, p.operations)
		}
	}
	for i, result := range j.object.Shared(operations, j.budget) {
		open[i].result = result
	}
	return parts
}

// tellingShare is the part of the budget that may be spent on a better account of what is known to be wrong.
const tellingShare = 25

// decided says whether the special algorithm has decided an object. Where it says that it is wrong, a search can often
// tell more: which states the culprit may have met.
func (j *linearJudge) decided(p *linearPart) bool {
	if j.special == nil {
		return false
	}
	r, applies := j.special(p.operations)
	if !applies {
		return false
	}
	p.result = r
	if r.Verdict == linear.Violated {
		switch told := j.object.Search(p.operations, j.budget/tellingShare); told.Verdict {
		case linear.Violated:
			p.result = told
		case linear.Linearizable:
			panic(fmt.Sprintf("blackbox: two algorithms disagree on %s %q: %s", j.object.Name, p.key, r.Because))
		case linear.Unknown:
		}
	}
	return true
}

// violated are the objects that are not linearizable, the one with the first wrong answer first.
func violated(parts []*linearPart) []*linearPart {
	var out []*linearPart
	for _, p := range parts {
		if p.result.Verdict == linear.Violated {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *linearPart) int {
		return cmp.Compare(a.operations[a.result.Culprit].Return, b.operations[b.result.Culprit].Return)
	})
	return out
}

func (j *linearJudge) of(p *linearPart) string {
	if !j.keyed {
		return ""
	}
	return fmt.Sprintf("key %q: ", p.key)
}

// tell says what is wrong with an object, and in which steps it came about.
func (j *linearJudge) tell(a *ops.Anomaly, p *linearPart) {
	a.Detail = fmt.Sprintf("%s%s (at %d)", j.of(p), p.result.Because, slices.Max(p.evidence[p.result.Culprit]))
	involved := slices.Clone(p.result.Involved)
	slices.SortFunc(involved, func(a, b int) int { return cmp.Compare(p.operations[a].Call, p.operations[b].Call) })
	for _, i := range involved {
		o := &p.operations[i]
		a.Evidence = append(a.Evidence, p.evidence[i]...)
		a.Story = append(a.Story, fmt.Sprintf("%v %s: %s", p.evidence[i], o.Client, j.object.Describe(&o.Action, !o.Pending())))
	}
}

// valueOf is a value of a history as one of an object; ok is false for what no object holds: lists, maps and others.
func valueOf(v ops.Value) (w linear.Value, ok bool) {
	switch v.Kind {
	case ops.Null:
		return linear.Value{}, true
	case ops.Bool:
		return linear.Truth(v.Int == 1), true
	case ops.Int:
		return linear.Number(v.Int), true
	case ops.Text:
		return linear.Text(v.Text), true
	}
	return linear.Value{}, false
}

// pair takes a list of two.
func pair(v ops.Value) (first, second ops.Value, ok bool) {
	if v.Kind != ops.List || len(v.Items) != 2 {
		return ops.Value{}, ops.Value{}, false
	}
	return v.Items[0], v.Items[1], true
}
