package blackbox

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

// log judges an append-only log that is empty at first:
//
//	∃ one order of the operations: each lies between its call and its return, append [v, t] is the t-th, an append with
//	required tail r stands where there are r values before it, read gives all values that were appended before it
//
// An append whose required tail is not there fails; a fail is left out, as it may have had other reasons and changed
// nothing. An operation of unknown outcome may have taken place at any time after its call, or never.
// If no two appends of unknown outcome have one value that a read shows, linear.Log decides, and the cost is linear but for
// sorting, in operations and values read. Else a search does, with the budget. Exercised: reads, and
// appends that were acknowledged; without any, vacuous.
func log() Model {
	return Model{
		Name: "log",
		Doc:  "an append-only log has one order, and every read shows all of it up to some tail",
		Functions: []Function{
			{"append", "[value], then [value, tail after]; with a third element, the tail that is required before, both times"},
			{"read", "null, then [values]"},
		},
		Anomalies: []AnomalyKind{{Name: "nonlinearizable", Doc: "no order of the operations explains every answer"}},
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			j := &logJudge{problems: p}
			j.words, j.general, j.spanOf = j.describe, j.action, j.when
			j.object, j.budget = linear.LogObject(), o.Budget
			return j
		},
	}
}

type logJudge struct {
	specialCase
	problems    *ops.Problems
	ops         []linear.LogOp
	longest     []int32 // read so far
	acked, read int64
}

// Take notes an operation that took place, or may have.
func (j *logJudge) Take(o *ops.Operation) {
	op, ok := linear.LogOp{Kind: linear.LogRead}, true
	switch {
	case o.F == "append":
		op, ok = j.append(o)
	case o.Outcome == ops.OK:
		op.Values, ok = j.values(o)
	}
	if ok && o.Outcome != ops.Fail {
		op.Span = j.span(o)
		j.ops = append(j.ops, op)
	}
}

// appended is the value of an append as a file states it.
type appended struct {
	value          ops.Atom
	tail, required int64 // linear.NoRequired = not stated
}

// append reads invoke and completion, which may not contradict each other.
func (j *logJudge) append(o *ops.Operation) (linear.LogOp, bool) {
	asked, heard, ok := appended{tail: linear.NoRequired, required: linear.NoRequired}, appended{}, true
	if !o.In.IsNull() || o.Out.IsNull() {
		asked, ok = j.appendOf(o.Line, o.In)
	}
	if !ok {
		return linear.LogOp{}, false
	}
	if heard = asked; !o.Out.IsNull() {
		if heard, ok = j.appendOf(o.Line, o.Out); !ok {
			return linear.LogOp{}, false
		}
	}
	switch {
	case !o.In.IsNull() && heard.value != asked.value:
		j.problems.Add(o.Line, "value[0]", "append %s completes as %s", o.In, o.Out)
	case !o.In.IsNull() && heard.required != asked.required && heard.required != linear.NoRequired:
		j.problems.Add(o.Line, "value[2]", "append %s completes as %s", o.In, o.Out)
	case o.Outcome == ops.OK && heard.tail == linear.NoRequired:
		j.problems.Add(o.Line, "value[1]", "an append that took place states the tail after it: [value, tail], not %s", o.Out)
	default:
		if o.Outcome == ops.OK {
			j.acked++
		}
		return linear.LogOp{Value: j.number(heard.value), Tail: heard.tail, Required: max(asked.required, heard.required)}, true
	}
	return linear.LogOp{}, false
}

// appendOf reads [value, tail after, required tail], of which tails may be null or left out.
func (j *logJudge) appendOf(line int, v ops.Value) (a appended, ok bool) {
	a = appended{tail: linear.NoRequired, required: linear.NoRequired}
	if v.Kind != ops.List || len(v.Items) < 1 || len(v.Items) > 3 {
		j.problems.Add(line, "value", "append takes [value], [value, tail after] or [value, tail after, required tail], not %s", v)
		return a, false
	}
	if a.value, ok = v.Items[0].Atom(); !ok || v.Items[0].IsNull() {
		j.problems.Add(line, "value[0]", "append takes a number, a text or a truth value, not %s", v.Items[0].Kind)
		return a, false
	}
	for i, to := range []*int64{&a.tail, &a.required} {
		switch x := v.Items[1:]; {
		case i >= len(x) || x[i].IsNull():
		case x[i].Kind != ops.Int || x[i].Int < 0:
			j.problems.Add(line, fmt.Sprintf("value[%d]", i+1), "a tail is a number of values from 0, not %s", x[i])
			ok = false
		default:
			*to = x[i].Int
		}
	}
	return a, ok
}

// values are what a read gave, by number. Reads agree as a rule, so that one list serves many.
func (j *logJudge) values(o *ops.Operation) ([]int32, bool) {
	if o.Out.Kind != ops.List {
		j.problems.Add(o.Line, "value", "read gives a list of values, not %s", o.Out.Kind)
		return nil, false
	}
	list := make([]int32, 0, len(o.Out.Items))
	for i, v := range o.Out.Items {
		a, ok := v.Atom()
		if !ok || v.IsNull() {
			j.problems.Add(o.Line, fmt.Sprintf("value[%d]", i), "read gives numbers, texts or truth values, not %s", v.Kind)
			return nil, false
		}
		list = append(list, j.number(a))
	}
	j.read++
	if known := min(len(list), len(j.longest)); !slices.Equal(list[:known], j.longest[:known]) {
		return list, true
	} else if known < len(list) {
		j.longest = list
	}
	return j.longest[:len(list):len(list)], true
}

// Report is that of linear.Log.
func (j *logJudge) Report() *ops.Report {
	tail := int64(len(j.longest))
	for i := range j.ops {
		if j.ops[i].Return != linear.Never {
			tail = max(tail, j.ops[i].Tail)
		}
	}
	j.report.Numbers = map[string]int64{
		"operations": int64(len(j.ops)), "indeterminate": j.pendings, "acknowledged": j.acked, "reads": j.read, "tail": tail,
	}
	return j.conclude(linear.Log(j.ops), j.acked+j.read, "nothing was read and no append acknowledged: nothing shows what the log holds")
}

func (j *logJudge) when(i int) linear.Span { return j.ops[i].Span }

// action is an operation as a search takes it.
func (j *logJudge) action(i int) linear.Action {
	op := &j.ops[i]
	if op.Kind == linear.LogRead {
		a := linear.Action{F: "read"}
		for _, v := range op.Values {
			a.Outs = append(a.Outs, j.content(v))
		}
		return a
	}
	a := linear.Action{F: "append", Arg: j.content(op.Value)}
	if op.Required >= 0 {
		a.Arg2 = linear.Number(op.Required)
	}
	if op.Return != linear.Never {
		a.Out = linear.Number(op.Tail)
	}
	return a
}

// maxReadShown is how many values of a read a sentence shows, its last ones.
const maxReadShown = 8

func (j *logJudge) describe(i int) string {
	op := &j.ops[i]
	if op.Kind == linear.LogAppend {
		s := "append " + j.value(op.Value)
		if op.Required >= 0 {
			s += fmt.Sprintf(" requiring tail %d", op.Required)
		}
		if op.Return == linear.Never {
			return fmt.Sprintf("%s of unknown outcome %v", s, j.events[i])
		}
		return fmt.Sprintf("%s → tail %d %v", s, op.Tail, j.events[i])
	}
	var shown []string
	for _, v := range op.Values[max(0, len(op.Values)-maxReadShown):] {
		shown = append(shown, j.value(v))
	}
	if len(op.Values) > maxReadShown {
		return fmt.Sprintf("read → %d values, the last %v %v", len(op.Values), shown, j.events[i])
	}
	return fmt.Sprintf("read → %v %v", shown, j.events[i])
}
