package blackbox

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/checker/ops"
)

// queueJudge judges an unordered queue as it runs:
//
//	at every moment t and for every value v:
//	    #{dequeues of v that returned by t} ≤ #{enqueues of v that were called before t and did not fail}
//
// An enqueue of unknown outcome may have happened, one that failed did not. A dequeue of unknown outcome took nothing
// that anybody saw. The rule is exact for existence (dequeues can be matched with different enqueues that were called
// before they returned, if and only if it holds) and says nothing of order, of empty answers and of what is lost:
// models fifo and total-queue do.
//
// Assumes nothing of uniqueness. Cost: O(n log n) time, O(n) memory. Exercised: dequeued values; a history in which
// nothing was dequeued is vacuous.
type queueJudge struct {
	in       queueReader
	steps    []queueStep
	rejected map[int32]trace // failed enqueues, to explain where a value comes from
}

// queueStep is the call of an enqueue or the return of a dequeue.
type queueStep struct {
	at    int64
	value int32
	adds  bool
	trace trace
}

func queue() Model {
	return Model{
		Name:      "queue",
		Doc:       "each dequeue was preceded by an enqueue, in no order",
		Functions: queueFunctions(),
		Anomalies: []AnomalyKind{
			{Name: "unexpected", Doc: "a value was dequeued that nobody had tried to enqueue by then; failed enqueues do not count"},
			{Name: "duplicated", Doc: "a value was dequeued more often than anybody had tried to enqueue it by then"},
		},
		New: func(_ ops.Header, _ Options, p *ops.Problems) Judge {
			return &queueJudge{in: newQueueReader(p), rejected: map[int32]trace{}}
		},
	}
}

// Take notes when an enqueue was called and when a dequeue returned.
func (j *queueJudge) Take(o *ops.Operation) {
	if o.F == "enqueue" {
		v, ok := j.in.enqueued(o)
		if ok && o.Outcome == ops.Fail {
			j.rejected[v] = traceOf(o)
		} else if ok {
			j.steps = append(j.steps, queueStep{o.Call, v, true, traceOf(o)})
		}
		return
	}
	for _, v := range j.in.dequeued(o) {
		j.steps = append(j.steps, queueStep{o.Return, v, false, traceOf(o)})
	}
}

// Report plays the steps in the order of time. Matching each dequeue with any enqueue that is left is right: all that
// were called by now serve a later dequeue as well.
func (j *queueJudge) Report() *ops.Report {
	r := &ops.Report{}
	slices.SortStableFunc(j.steps, func(a, b queueStep) int { return cmp.Compare(a.at, b.at) })
	left := make([]int64, j.in.values.len())
	last := make([]*queueStep, j.in.values.len()) // which the present dequeue repeats, if nothing is left
	var attempted, dequeued int64
	for i := range j.steps {
		s := &j.steps[i]
		if s.adds {
			attempted++
			left[s.value]++
			last[s.value] = cmp.Or(last[s.value], s)
			continue
		}
		dequeued++
		switch {
		case left[s.value] > 0:
			left[s.value]--
			last[s.value] = s
		case last[s.value] == nil:
			j.unexpected(r, s)
		default:
			j.duplicated(r, s, last[s.value])
		}
	}
	r.Numbers = map[string]int64{"attempted": attempted, "dequeued": dequeued}
	r.Exercised = dequeued
	if dequeued == 0 {
		r.Why = append(r.Why, "no value was dequeued")
	}
	return r
}

func (j *queueJudge) unexpected(r *ops.Report, s *queueStep) {
	r.Find("unexpected", ops.SeverityFail, func(a *ops.Anomaly) {
		a.Evidence = evidence(s.trace)
		a.Detail = fmt.Sprintf("%s was dequeued, but nobody had tried to enqueue it", j.in.values.value(s.value))
		if t, ok := j.rejected[s.value]; ok {
			a.Evidence = evidence(s.trace, t)
			a.Detail = fmt.Sprintf("%s was dequeued, but its enqueue failed", j.in.values.value(s.value))
		}
	})
}

func (j *queueJudge) duplicated(r *ops.Report, s, before *queueStep) {
	r.Find("duplicated", ops.SeverityFail, func(a *ops.Anomaly) {
		a.Evidence = evidence(s.trace, before.trace)
		a.Detail = fmt.Sprintf("%s was dequeued once more than anybody had tried to enqueue it", j.in.values.value(s.value))
	})
}

func queueFunctions() []Function {
	return []Function{
		{"enqueue", "the value"},
		{"dequeue", "null, then the value, or null if the queue was empty"},
		{"drain", "null, then the list of the values that were dequeued until the queue was empty"},
	}
}

// queueReader reads the operations of the models queue and total-queue.
type queueReader struct {
	problems *ops.Problems
	values   valueNumbers
	taken    []int32
}

func newQueueReader(p *ops.Problems) queueReader {
	return queueReader{problems: p, values: newValueNumbers()}
}

// enqueued is the value of an enqueue.
func (q *queueReader) enqueued(o *ops.Operation) (int32, bool) {
	a, ok := element(o, q.problems)
	if !ok {
		return 0, false
	}
	return q.values.number(a), true
}

// dequeued are the values that a dequeue or a drain surely took, until the next call. Only an acknowledged one did.
func (q *queueReader) dequeued(o *ops.Operation) []int32 {
	q.taken = q.taken[:0]
	if o.Outcome != ops.OK {
		return nil
	}
	take := func(a ops.Atom) { q.taken = append(q.taken, q.values.number(a)) }
	if o.F == "drain" {
		elements(o, q.problems, take)
		return q.taken
	}
	a, ok := o.Out.Atom()
	if !ok {
		q.problems.Add(o.Line, "value", "dequeue returns one value or null, not %s", o.Out.Kind)
		return nil
	}
	if a.Kind != ops.Null {
		take(a)
	}
	return q.taken
}
