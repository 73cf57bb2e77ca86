package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// setJudge judges a set by what its final read shows. Let R be the read that is ok and was called last:
//
//	lost         an element whose add is ok and returned before R was called, and R does not show it
//	unexpected   R shows an element of which no add was called before R returned, but for failed ones
//	duplicated   R shows an element twice
//	recovered    R shows an element of which no add is ok: its outcome was unknown, and it did happen
//
// R is final, and lost is judged, if all adds that are ok returned before R was called. Otherwise clients were still
// adding, an element that R misses may show later, and every acknowledged element that R misses is undecided.
//
// Assumes that nothing is ever removed, and that by the final read the system has had the time it claims to need: model
// set-full judges every read. Cost: linear, and one read is kept. Exercised: elements that the final read was judged by,
// shown or not; without a read, or without elements, a history is vacuous.
type setJudge struct {
	problems *ops.Problems
	values   valueNumbers
	adds     []setElement // by number of the element
	last     setRead
	reads    int64
}

// setElement is what is known of the adds of an element.
type setElement struct {
	attempted, acknowledged, rejected bool
	called                            int64 // first call of one that did not fail
	returned                          int64 // first return of one that is ok
	returnTime                        int64 // and when that was, in ns
	lastReturn                        int64 // last return of one that is ok
	add                               trace // the first that is ok, else one that did not fail, else one that did
}

// setRead is a read that is ok.
type setRead struct {
	call, returned         int64 // positions
	callTime, completeTime int64 // ns
	shown                  []int32
	trace                  trace
}

// takeRead is a read that is ok, with its elements numbered; ok is false if it has none to say.
func takeRead(o *ops.Operation, values *valueNumbers, p *ops.Problems) (r setRead, ok bool) {
	if o.Outcome != ops.OK {
		return r, false
	}
	r = setRead{call: o.Call, returned: o.Return, callTime: o.CallTime, completeTime: o.CompleteTime, trace: traceOf(o)}
	ok = elements(o, p, func(a ops.Atom) { r.shown = append(r.shown, values.number(a)) })
	return r, ok
}

func set() Model {
	return Model{
		Name:      "set",
		Doc:       "what was added is in the final read",
		Functions: setFunctions(),
		Anomalies: []AnomalyKind{
			{Name: "lost", Doc: "an acknowledged element is not in the final read"},
			{Name: "unexpected", Doc: "the last read shows an element that nobody had tried to add by then; failed adds do not count"},
			{Name: "duplicated", Doc: "the last read shows an element twice"},
			{Name: "recovered", Doc: "the last read shows an element of which nobody saw an add succeed: no violation"},
		},
		New: func(_ ops.Header, _ Options, p *ops.Problems) Judge {
			return &setJudge{problems: p, values: newValueNumbers()}
		},
	}
}

func setFunctions() []Function {
	return []Function{{"add", "the element"}, {"read", "null, then the list of the elements"}}
}

// Take notes adds and keeps the read of the latest call.
func (j *setJudge) Take(o *ops.Operation) {
	if o.F == "add" {
		takeAdd(o, &j.values, &j.adds, j.problems)
		return
	}
	read, ok := takeRead(o, &j.values, j.problems)
	if !ok {
		return
	}
	j.reads++
	if j.reads == 1 || read.call > j.last.call {
		j.last = read
	}
}

// takeAdd notes an add in the list of elements.
func takeAdd(o *ops.Operation, values *valueNumbers, adds *[]setElement, p *ops.Problems) {
	atom, ok := element(o, p)
	if !ok {
		return
	}
	n := values.number(atom)
	*adds = grown(*adds, int(n)+1)
	(*adds)[n].take(o)
}

// take notes an add of the element.
func (e *setElement) take(o *ops.Operation) {
	if o.Outcome == ops.Fail {
		if !e.attempted {
			e.rejected, e.add = true, traceOf(o)
		}
		return
	}
	if !e.attempted {
		e.attempted, e.called, e.add = true, o.Call, traceOf(o)
	}
	e.called = min(e.called, o.Call)
	if o.Outcome != ops.OK {
		return
	}
	if !e.acknowledged || o.Return < e.returned {
		e.acknowledged, e.returned, e.returnTime, e.add = true, o.Return, o.CompleteTime, traceOf(o)
	}
	e.lastReturn = max(e.lastReturn, o.Return)
}

// Report judges the last read.
func (j *setJudge) Report() *ops.Report {
	r := &ops.Report{Numbers: map[string]int64{"reads": j.reads}}
	j.adds = grown(j.adds, j.values.len())
	final := j.reads > 0
	for i := range j.adds {
		e := &j.adds[i]
		final = final && e.lastReturn <= j.last.call // a failed or unknown one leaves 0, which no call lies before
		count(r, "attempted", e.attempted)
		count(r, "acknowledged", e.acknowledged)
	}
	shows := make([]int32, len(j.adds))
	for _, v := range j.last.shown {
		shows[v]++
	}
	for i := range j.adds {
		j.judge(r, int32(i), shows[i], final)
	}
	switch {
	case j.reads == 0:
		r.Why = append(r.Why, "no read completed")
	case r.Undecided > 0:
		r.Why = append(r.Why, fmt.Sprintf("%d acknowledged elements are not in the last read, but it was called before all adds had returned: no read is final", r.Undecided))
	case r.Exercised == 0:
		r.Why = append(r.Why, "nothing was added, and nothing shown")
	}
	return r
}

// count adds one to a number if something holds, and makes sure that it is there.
func count(r *ops.Report, name string, holds bool) {
	if holds {
		r.Numbers[name]++
	} else {
		r.Numbers[name] += 0
	}
}

func (j *setJudge) judge(r *ops.Report, v, shown int32, final bool) {
	e := &j.adds[v]
	count(r, "shown", shown > 0)
	switch {
	case shown == 0 && !e.acknowledged:
		return
	case shown == 0 && j.reads > 0 && !final:
		r.Undecided++
		return
	case j.reads > 0:
		r.Exercised++
	}
	switch {
	case shown == 0 && final:
		r.Find("lost", ops.SeverityFail, func(a *ops.Anomaly) {
			a.Evidence = evidence(e.add, j.last.trace)
			a.Detail = fmt.Sprintf("%s was added and acknowledged, and the final read does not show it", j.values.value(v))
		})
	case shown > 0 && (!e.attempted || e.called > j.last.returned):
		foundUnexpected(r, e, &j.last, j.values.value(v))
	case shown > 0 && !e.acknowledged:
		r.Find("recovered", ops.SeverityInfo, func(a *ops.Anomaly) {
			a.Evidence = evidence(e.add, j.last.trace)
			a.Detail = fmt.Sprintf("%s is shown; the outcome of its add is unknown, so it did happen", j.values.value(v))
		})
	}
	if shown > 1 {
		foundDuplicated(r, &j.last, j.values.value(v), shown)
	}
}

// foundUnexpected finds an element that a read shows and nobody had tried to add.
func foundUnexpected(r *ops.Report, e *setElement, read *setRead, v ops.Value) {
	r.Find("unexpected", ops.SeverityFail, func(a *ops.Anomaly) {
		switch {
		case e.attempted:
			a.Evidence = evidence(read.trace, e.add)
			a.Detail = fmt.Sprintf("a read shows %s, and had returned before its add was called", v)
		case e.rejected:
			a.Evidence = evidence(read.trace, e.add)
			a.Detail = fmt.Sprintf("a read shows %s, but its add failed", v)
		default:
			a.Evidence = evidence(read.trace)
			a.Detail = fmt.Sprintf("a read shows %s, which nobody tried to add", v)
		}
	})
}

// foundDuplicated finds an element that a read shows several times.
func foundDuplicated(r *ops.Report, read *setRead, v ops.Value, times int32) {
	r.Find("duplicated", ops.SeverityFail, func(a *ops.Anomaly) {
		a.Evidence = evidence(read.trace)
		a.Detail = fmt.Sprintf("a read shows %s %d times", v, times)
	})
}
