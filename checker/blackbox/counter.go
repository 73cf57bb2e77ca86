package blackbox

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/checker/ops"
)

// counterJudge judges a counter that begins at 0 and is only added to. For every read that is ok and returned x,
//
//	lower ≤ x ≤ upper, where
//	lower = Σ amounts > 0 of adds that surely came before it + Σ amounts < 0 of adds that may have
//	upper = Σ amounts > 0 of adds that may have come before it + Σ amounts < 0 of adds that surely did
//
// An add surely came before a read if it is ok and returned before the read was called. It may have if it did not fail
// and was called before the read returned. Without negative amounts these are the usual bounds: what was acknowledged at
// the call, and what was attempted by the return.
//
// Sound and incomplete: a value between the bounds can be impossible as a sum, and two reads can contradict each other.
// Assumes that 64 bits hold every sum. Cost: O(n log n) time, O(n) memory. Exercised: reads that are ok; a history
// without one is vacuous.
type counterJudge struct {
	problems *ops.Problems
	steps    []counterStep
	reads    []counterRead
	weight   int64 // Σ |amount|
	attempts int64
	acks     int64
}

// counterStep is the call or the return of an add or of a read.
type counterStep struct {
	at     int64
	amount int64 // of an add
	read   int32 // place in the list of reads, plus one; 0 = an add
	end    bool  // the return
}

// counterRead is a read with its bounds.
type counterRead struct {
	value, lower, upper int64
	trace               trace
}

func counter() Model {
	return Model{
		Name:      "counter",
		Doc:       "each read lies between what was surely added and what may have been",
		Functions: []Function{{"add", "the amount, also a negative one"}, {"read", "null, then the value of the counter"}},
		Anomalies: []AnomalyKind{
			{Name: "out-of-bounds", Doc: "a read is less than what was surely added before it, or more than what may have been"},
		},
		New: func(_ ops.Header, _ Options, p *ops.Problems) Judge { return &counterJudge{problems: p} },
	}
}

// Take notes the call and the return of adds and reads.
func (j *counterJudge) Take(o *ops.Operation) {
	if o.F == "add" {
		j.add(o)
		return
	}
	if o.Outcome != ops.OK {
		return
	}
	if o.Out.Kind != ops.Int {
		j.problems.Add(o.Line, "value", "read returns a whole number, not %s", o.Out.Kind)
		return
	}
	j.reads = append(j.reads, counterRead{value: o.Out.Int, trace: traceOf(o)})
	read := int32(len(j.reads))
	j.steps = append(j.steps, counterStep{at: o.Call, read: read}, counterStep{at: o.Return, read: read, end: true})
}

func (j *counterJudge) add(o *ops.Operation) {
	a, ok := element(o, j.problems)
	if !ok {
		return
	}
	if a.Kind != ops.Int {
		j.problems.Add(o.Line, "value", "add takes a whole number, not %s", asked(o).Kind)
		return
	}
	if o.Outcome == ops.Fail {
		return
	}
	if j.weight, ok = heavier(j.weight, a.Int); !ok {
		j.problems.Add(o.Line, "value", "64 bits do not hold the sum of all amounts")
		return
	}
	j.attempts++
	j.steps = append(j.steps, counterStep{at: o.Call, amount: a.Int})
	if o.Outcome == ops.OK {
		j.acks++
		j.steps = append(j.steps, counterStep{at: o.Return, amount: a.Int, end: true})
	}
}

// Report plays the steps in the order of time.
func (j *counterJudge) Report() *ops.Report {
	r := &ops.Report{Exercised: int64(len(j.reads))}
	slices.SortFunc(j.steps, func(a, b counterStep) int { return cmp.Compare(a.at, b.at) })
	var may, sure counterSum
	for _, s := range j.steps {
		switch {
		case s.read == 0 && s.end:
			sure.add(s.amount)
		case s.read == 0:
			may.add(s.amount)
		case !s.end: // at the call: what surely came before
			read := &j.reads[s.read-1]
			read.lower, read.upper = sure.up, sure.down
		default: // at the return: what may have come before
			read := &j.reads[s.read-1]
			read.lower += may.down
			read.upper += may.up
			j.judge(r, read)
		}
	}
	r.Numbers = map[string]int64{"reads": int64(len(j.reads)), "attempted": j.attempts, "acknowledged": j.acks}
	if len(j.reads) == 0 {
		r.Why = append(r.Why, "no read completed")
	}
	return r
}

// counterSum are the sums of the amounts above and below zero.
type counterSum struct{ up, down int64 }

func (s *counterSum) add(amount int64) {
	s.up += max(amount, 0)
	s.down += min(amount, 0)
}

func (j *counterJudge) judge(r *ops.Report, read *counterRead) {
	if read.lower <= read.value && read.value <= read.upper {
		return
	}
	r.Find("out-of-bounds", ops.SeverityFail, func(a *ops.Anomaly) {
		a.Evidence = evidence(read.trace)
		a.Detail = fmt.Sprintf("a read of %d, but by the adds around it the counter was at least %d and at most %d", read.value, read.lower, read.upper)
	})
}
