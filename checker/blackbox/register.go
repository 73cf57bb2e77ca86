package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

// register judges one register:
//
//	there is an order of all operations that respects time, in which each read gives what was written last before it, or
//	the initial value, and each cas that succeeded met its first value
//
// Assumes that ok means done, fail not done, and that positions in the file are in the order of time. An operation of
// unknown outcome may take effect at any time after its invoke, or never. A cas that failed is left out: it may have
// failed for another reason than the value. Values are scalars; null is one.
//
// Cost: O(n log n) if no value is written twice and there is no cas (linear.Register), else a search: linear where
// operations do not overlap, exponential in how many do. Beyond the budget: undecided.
// Exercised: answered operations, if there are two of them; one alone is vacuous.
func register() Model {
	return Model{
		Name: "register",
		Doc:  "a register behaves as if its operations took place one at a time",
		Functions: []Function{
			{"read", "null, then the value"},
			{"write", "the value"},
			{"cas", "[old, new]"},
		},
		Anomalies: nonlinearizableKind("no order of the operations, each between its call and its return, explains every value that was read"),
		Header:    []Field{{"initial", "the value before the first write; null if it is not stated"}},
		New: func(h ops.Header, o Options, p *ops.Problems) Judge {
			initial, ok := valueOf(h.Field("initial"))
			if !ok {
				p.Add(h.Line, "header.initial", "a register holds a scalar, not %s", h.Field("initial").Kind)
			}
			j := newLinearJudge(linear.RegisterObject(initial), o, p, registerCall)
			j.special = func(list []linear.Operation) (linear.Result, bool) { return registerByZones(initial, list) }
			return j
		},
	}
}

// registerByZones judges a register that is only read and written, each value once.
func registerByZones(initial linear.Value, list []linear.Operation) (r linear.Result, applies bool) {
	numbers := map[linear.Value]int32{initial: 0}
	number := func(v linear.Value) int32 {
		n, known := numbers[v]
		if !known {
			n = int32(len(numbers))
			numbers[v] = n
		}
		return n
	}
	calls := make([]linear.RegisterOp, len(list))
	for i := range list {
		o := &list[i]
		calls[i] = linear.RegisterOp{Span: o.Span, Write: o.F == "write"}
		switch {
		case o.F == "write":
			calls[i].Value = number(o.Arg)
		case o.F != "read":
			return r, false
		case !o.Pending():
			calls[i].Value = number(o.Out)
		}
	}
	r = linear.Register(0, calls)
	return r, r.Verdict != linear.Unknown
}

func registerCall(o *ops.Operation) (key string, a linear.Action, problem string) {
	a = linear.Action{F: o.F}
	var ok, both bool
	switch o.F {
	case "read":
		a.Out, ok = valueOf(o.Out)
	case "write":
		a.Arg, ok = valueOf(asked(o))
	case "cas":
		before, after, list := pair(asked(o))
		a.Arg, ok = valueOf(before)
		a.Arg2, both = valueOf(after)
		if !list || !both {
			return "", a, fmt.Sprintf("cas takes [old, new], two scalars, not %s", asked(o))
		}
		a.Result = "ok"
	}
	if !ok {
		problem = fmt.Sprintf("%s has a scalar, not %s", o.F, asked(o).Kind)
	}
	return "", a, problem
}
