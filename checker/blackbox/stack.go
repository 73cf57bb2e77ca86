package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

// stack judges a stack:
//
//	there is an order of all operations that respects time, in which each pop gives what was pushed last and not popped
//	since, or null where there is none
//
// Assumptions, unknown outcomes, cost and budget are those of register. Values need not be distinct. Exercised: answered
// operations, if there are two of them.
func stack() Model {
	return Model{
		Name: "stack",
		Doc:  "a stack behaves as if its operations took place one at a time",
		Functions: []Function{
			{"push", "the value"},
			{"pop", "null, then the value, or null: it was empty"},
		},
		Anomalies: nonlinearizableKind("no order of the operations, each between its call and its return, explains every value that was popped"),
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			return newLinearJudge(linear.StackObject(), o, p, stackCall)
		},
	}
}

func stackCall(o *ops.Operation) (key string, a linear.Action, problem string) {
	a = linear.Action{F: o.F}
	var ok bool
	if o.F == "push" {
		a.Arg, ok = valueOf(asked(o))
	} else {
		a.Out, ok = valueOf(o.Out)
	}
	if !ok {
		problem = fmt.Sprintf("%s has a scalar, not %s", o.F, asked(o).Kind)
	}
	return "", a, problem
}
