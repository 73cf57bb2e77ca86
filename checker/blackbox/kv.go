package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

// kv judges a key-value store, key by key:
//
//	for each key there is an order of its operations that respects time, in which each get gives the last put before it
//	with everything appended since
//
// Linearizability of each key is that of the store: there are no operations on several keys. Append adds text at the end
// of text, or of nothing; what was never put is null. To append to a number is an error of the store, so an append that
// was acknowledged there has no explanation. Assumptions, unknown outcomes, cost and budget are those of register; the
// budget is shared among the keys, the smaller ones first. Exercised: answered operations of keys with at least two.
func kv() Model {
	return Model{
		Name: "kv",
		Doc:  "each key of a store behaves as if its operations took place one at a time",
		Functions: []Function{
			{"get", "[key, null], then [key, value]"},
			{"put", "[key, value]"},
			{"append", "[key, text]"},
		},
		Anomalies: nonlinearizableKind("no order of the operations on a key, each between its call and its return, explains every value that was got; counts keys"),
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			j := newLinearJudge(linear.KVObject(), o, p, kvCall)
			j.keyed = true
			return j
		},
	}
}

func kvCall(o *ops.Operation) (key string, a linear.Action, problem string) {
	a = linear.Action{F: o.F}
	stated := asked(o)
	if o.F == "get" && o.Outcome == ops.OK {
		stated = o.Out
	}
	name, value, ok := pair(stated)
	if !ok {
		return "", a, fmt.Sprintf("%s takes [key, value], not %s", o.F, stated)
	}
	if key, ok = name.Name(); !ok {
		return "", a, fmt.Sprintf("a key is a number or text, not %s", name.Kind)
	}
	if first, _, both := pair(o.In); both && o.F == "get" {
		if other, _ := first.Name(); other != key {
			return "", a, fmt.Sprintf("get was called with key %q and answered for key %q", other, key)
		}
	}
	held, ok := valueOf(value)
	if !ok {
		return "", a, fmt.Sprintf("%s has a scalar, not %s", o.F, value.Kind)
	}
	if o.F == "get" {
		a.Out = held
	} else {
		a.Arg = held
	}
	return key, a, ""
}
