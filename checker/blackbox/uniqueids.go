package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// uniqueIDs judges a generator of identifiers:
//
//	no two acknowledged generate operations returned the same id
//
// Assumes nothing of time: order does not matter. An operation of unknown outcome returned nothing that anybody saw.
// Cost: linear, one map entry per id. Exercised: acknowledged ids. A history of fewer than two acknowledged ids cannot
// show a repetition: vacuous.
func uniqueIDs() Model {
	return Model{
		Name:      "unique-ids",
		Doc:       "a generator never gives one id twice",
		Functions: []Function{{"generate", "null, then the id"}},
		Anomalies: []AnomalyKind{{Name: "duplicated", Doc: "two acknowledged operations returned one id"}},
		New: func(_ ops.Header, _ Options, p *ops.Problems) Judge {
			return &uniqueIDsJudge{problems: p, first: map[ops.Atom][]int64{}, report: ops.Report{}}
		},
	}
}

type uniqueIDsJudge struct {
	problems *ops.Problems
	first    map[ops.Atom][]int64 // evidence of the first operation that returned an id
	report   ops.Report
	acked    int64
}

// Take notes the id of an acknowledged operation.
func (j *uniqueIDsJudge) Take(o *ops.Operation) {
	if o.Outcome != ops.OK {
		return
	}
	id, ok := o.Out.Atom()
	if !ok || id.Kind == ops.Null {
		j.problems.Add(o.Line, "value", "generate returns an id, not %s", o.Out.Kind)
		return
	}
	j.acked++
	before, twice := j.first[id]
	if !twice {
		j.first[id] = o.Evidence()
		return
	}
	j.report.Find("duplicated", ops.SeverityFail, func(a *ops.Anomaly) {
		a.Evidence = append(o.Evidence(), before...)
		a.Detail = fmt.Sprintf("id %s was given twice", o.Out)
	})
}

// Report is vacuous below two ids.
func (j *uniqueIDsJudge) Report() *ops.Report {
	r := &j.report
	r.Numbers = map[string]int64{"acknowledged": j.acked, "distinct": int64(len(j.first))}
	if j.acked >= 2 {
		r.Exercised = j.acked
	} else {
		r.Why = append(r.Why, "fewer than two ids were acknowledged: no repetition could have shown")
	}
	r.Sort()
	return r
}
