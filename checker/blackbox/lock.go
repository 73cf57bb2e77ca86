package blackbox

import (
	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

// lock judges a lock; who holds it is a process:
//
//	there is an order of all operations that respects time, in which each acquire finds the lock free, and each release
//	is by the process that holds it
//
// Values mean nothing. It cannot be acquired twice by one process. Assumptions, unknown outcomes, cost and budget are
// those of register: an acquire of unknown outcome may hold it for ever, a release of unknown outcome may have freed it.
// An acquire that was refused is a fail, and left out. Exercised: answered operations, if there are two of them.
func lock() Model {
	return Model{
		Name: "lock",
		Doc:  "a lock has one holder at a time, and only the holder releases it",
		Functions: []Function{
			{"acquire", "null"},
			{"release", "null"},
		},
		Anomalies: nonlinearizableKind("no order of the operations, each between its call and its return, has one holder at a time"),
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			return newLinearJudge(linear.LockObject(), o, p, func(o *ops.Operation) (string, linear.Action, string) {
				return "", linear.Action{F: o.F, By: o.Process}, ""
			})
		},
	}
}
