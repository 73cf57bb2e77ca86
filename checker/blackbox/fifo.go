package blackbox

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

// fifo judges a first-in-first-out queue that is empty at first:
//
//	∃ one order of the operations: each lies between its call and its return, enqueue v puts v last, dequeue gives
//	what is first, or null if and only if the queue is empty
//
// A dequeue that failed says nothing, not that the queue was empty: that is an ok with null. An operation of unknown
// outcome may have taken place at any time after its call, or never.
// If no value is enqueued twice linear.FIFO decides, O(n log n), and never in vain. Else a search does, with the budget:
// exponential in how many operations are open at once. Exercised: dequeues that returned; without any, vacuous.
func fifo() Model {
	return Model{
		Name:      "fifo",
		Doc:       "a queue gives what was enqueued first, each value once",
		Functions: []Function{{"enqueue", "v"}, {"dequeue", "null, then v, or null: empty"}},
		Anomalies: []AnomalyKind{{Name: "nonlinearizable", Doc: "no order of the operations explains every answer"}},
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			j := &fifoJudge{problems: p, failed: map[int32][]int64{}}
			j.words, j.general, j.spanOf = j.describe, j.action, j.when
			j.object, j.budget = linear.QueueObject(), o.Budget
			return j
		},
	}
}

type fifoJudge struct {
	specialCase
	problems        *ops.Problems
	ops             []linear.FIFOOp
	failed          map[int32][]int64 // events of enqueues that did not take place, by value
	dequeues, empty int64
}

// Take notes an operation that took place, or may have.
func (j *fifoJudge) Take(o *ops.Operation) {
	op, ok := j.enqueue(o)
	if o.F == "dequeue" {
		op, ok = j.dequeue(o)
	}
	if ok && o.Outcome != ops.Fail {
		op.Span = j.span(o)
		j.ops = append(j.ops, op)
	}
}

func (j *fifoJudge) enqueue(o *ops.Operation) (linear.FIFOOp, bool) {
	if o.F != "enqueue" {
		return linear.FIFOOp{}, false
	}
	value := o.In
	if value.IsNull() {
		value = o.Out
	}
	a, ok := value.Atom()
	switch out, _ := o.Out.Atom(); {
	case !ok || value.IsNull():
		j.problems.Add(o.Line, "value", "enqueue takes a number, a text or a truth value, not %s", value.Kind)
		return linear.FIFOOp{}, false
	case !o.Out.IsNull() && out != a:
		j.problems.Add(o.Line, "value", "enqueue of %s completes with %s", o.In, o.Out)
		return linear.FIFOOp{}, false
	}
	if o.Outcome == ops.Fail {
		j.failed[j.number(a)] = o.Evidence()
	}
	return linear.FIFOOp{Kind: linear.FIFOEnqueue, Value: j.number(a)}, true
}

func (j *fifoJudge) dequeue(o *ops.Operation) (linear.FIFOOp, bool) {
	a, ok := o.Out.Atom()
	switch {
	case !o.In.IsNull():
		j.problems.Add(o.Line, "value", "dequeue asks for null, not for %s", o.In)
		return linear.FIFOOp{}, false
	case o.Outcome != ops.OK:
		return linear.FIFOOp{Kind: linear.FIFODequeue}, true
	case !ok:
		j.problems.Add(o.Line, "value", "dequeue gives a number, a text, a truth value or null, not %s", o.Out.Kind)
		return linear.FIFOOp{}, false
	}
	j.dequeues++
	if o.Out.IsNull() {
		j.empty++
		return linear.FIFOOp{Kind: linear.FIFOEmpty}, true
	}
	return linear.FIFOOp{Kind: linear.FIFODequeue, Value: j.number(a)}, true
}

// Report is that of linear.FIFO.
func (j *fifoJudge) Report() *ops.Report {
	j.report.Numbers = map[string]int64{
		"operations": int64(len(j.ops)), "indeterminate": j.pendings, "dequeues": j.dequeues, "empty-answers": j.empty, "values": int64(len(j.atoms)),
	}
	return j.conclude(linear.FIFO(j.ops), j.dequeues, "no dequeue returned: nothing shows in which order values leave")
}

func (j *fifoJudge) when(i int) linear.Span { return j.ops[i].Span }

// action is an operation as a search takes it.
func (j *fifoJudge) action(i int) linear.Action {
	switch op := &j.ops[i]; {
	case op.Kind == linear.FIFOEnqueue:
		return linear.Action{F: "enqueue", Arg: j.content(op.Value)}
	case op.Kind == linear.FIFOEmpty || op.Return == linear.Never:
		return linear.Action{F: "dequeue"}
	default:
		return linear.Action{F: "dequeue", Out: j.content(op.Value)}
	}
}

func (j *fifoJudge) describe(i int) string {
	switch op := &j.ops[i]; {
	case op.Kind == linear.FIFOEnqueue:
		return fmt.Sprintf("enqueue %s %v", j.value(op.Value), j.events[i])
	case op.Return == linear.Never:
		return fmt.Sprintf("a dequeue of unknown outcome %v", j.events[i])
	case op.Kind == linear.FIFOEmpty:
		return fmt.Sprintf("dequeue → empty %v", j.events[i])
	default:
		return fmt.Sprintf("dequeue → %s %v%s", j.value(op.Value), j.events[i], j.aborted(op.Value))
	}
}

// aborted tells of a value that was only ever put in by enqueues that failed.
func (j *fifoJudge) aborted(value int32) string {
	events, failed := j.failed[value]
	if !failed || slices.ContainsFunc(j.ops, func(o linear.FIFOOp) bool { return o.Kind == linear.FIFOEnqueue && o.Value == value }) {
		return ""
	}
	return fmt.Sprintf(", whose enqueue failed %v", events)
}
