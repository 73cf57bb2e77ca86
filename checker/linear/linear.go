// Package linear decides whether operations on one object could have taken place one at a time, each between its call
// and its return, and each with the result that it gave.
//
// It knows operations and sequential objects, no files and no facts; its callers bring both. It may import porcupine
// and the standard library. Every search has a budget of steps, the same on every machine: beyond it the answer is
// Unknown. Three sorts of algorithm answer the same question:
//
//	a witness   the order is known (the simulator knows it): replay it, O(n log n)
//	special     objects whose violations have finitely many shapes: queue, set, register, log, O(n log n)
//	search      any object, by porcupine: exponential in how many operations are open at once
//
// What to read next: search.go, witness.go, fifo.go.
package linear

import "math"

// Never is the return of an operation whose outcome is unknown: it may take effect at any time after its call, or never.
const Never = math.MaxInt64

// Verdict of an algorithm; a greater one outweighs a smaller one.
type Verdict uint8

// The verdicts.
const (
	Linearizable Verdict = iota // some order explains every result
	Unknown                     // the budget ran out
	Violated                    // no order does
)

// String is the verdict for people.
func (v Verdict) String() string { return [...]string{"linearizable", "unknown", "violated"}[v] }

// Span is when an operation may have taken effect: at a point between Call and Return. Positions are those of events,
// no two operations share one.
type Span struct {
	Call, Return int64 // Return is Never where the outcome is unknown
}

// Before says that one operation returned before the other was called.
func (s Span) Before(o Span) bool { return s.Return < o.Call }

// Result is what an algorithm says of the operations that it was given; ops are named by their number in the input.
type Result struct {
	Verdict  Verdict
	Steps    int64  // of a search; 0 = none was needed
	Culprit  int    // Violated: the operation that cannot be explained, NoCulprit = none stands out
	Involved []int  // Violated: the operations that show it, the culprit among them, ascending
	Because  string // Violated: the rule that is broken, in a sentence; Unknown: which limit was met
}

// NoCulprit stands for the number of an operation where none stands out.
const NoCulprit = -1
