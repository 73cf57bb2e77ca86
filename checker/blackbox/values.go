package blackbox

import (
	"math"
	"slices"

	"github.com/twiceless/twiceless/checker/ops"
)

// valueNumbers gives scalars numbers from 0, in the order in which they are first seen, so that a judge keeps slices and
// not maps. The number 1 and the text "1" are two values.
type valueNumbers struct {
	whole map[int64]int32
	text  map[string]int32
	truth [2]int32 // numbers plus one; 0 = not seen
	none  int32    // of null, the same
	last  int32    // the one that was asked for last: operations that follow each other often share theirs
	// What the numbers stand for, for messages.
	values []ops.Atom
}

func newValueNumbers() valueNumbers {
	return valueNumbers{whole: map[int64]int32{}, text: map[string]int32{}}
}

// number is the number of a scalar, a new one if it was not seen before.
func (n *valueNumbers) number(a ops.Atom) int32 {
	if len(n.values) == 0 || n.values[n.last] != a {
		n.last = n.find(a)
	}
	return n.last
}

func (n *valueNumbers) find(a ops.Atom) int32 {
	next := int32(len(n.values))
	switch a.Kind {
	case ops.Int:
		if i, ok := n.whole[a.Int]; ok {
			return i
		}
		n.whole[a.Int] = next
	case ops.Text:
		if i, ok := n.text[a.Text]; ok {
			return i
		}
		n.text[a.Text] = next
	default:
		place := &n.none
		if a.Kind == ops.Bool {
			place = &n.truth[a.Int]
		}
		if *place > 0 {
			return *place - 1
		}
		*place = next + 1
	}
	n.values = grown(n.values, len(n.values)+1)
	n.values[next] = a
	return next
}

// len is how many values there are.
func (n *valueNumbers) len() int { return len(n.values) }

// value is the value of a number, for messages.
func (n *valueNumbers) value(i int32) ops.Value {
	a := n.values[i]
	return ops.Value{Kind: a.Kind, Int: a.Int, Text: a.Text}
}

// trace is what a judge keeps of an operation to name it as evidence. The zero value names the event 0.
type trace struct{ invoked, completed int64 }

func traceOf(o *ops.Operation) trace { return trace{o.Invoked, o.Completed} }

// evidence are the indices of the events of all operations of the list.
func evidence(list ...trace) []int64 {
	var at []int64
	for _, t := range list {
		at = append(at, t.invoked)
		if t.completed != ops.NoIndex {
			at = append(at, t.completed)
		}
	}
	return at
}

// element is the scalar that an operation adds, of its invoke. A completion that says ok may repeat it; another one
// there is a problem, for then nobody knows what was added. So is null, which stands for nothing.
func element(o *ops.Operation, p *ops.Problems) (a ops.Atom, ok bool) {
	v := asked(o)
	a, ok = v.Atom()
	if !ok || v.IsNull() {
		p.Add(o.Line, "value", "%s takes a number, a text or a truth value, not %s", o.F, v.Kind)
		return a, false
	}
	if o.Outcome != ops.OK || o.Out.IsNull() {
		return a, true
	}
	if told, ok := o.Out.Atom(); !ok || told != a {
		p.Add(o.Line, "value", "%s of %s completes with %s", o.F, v, o.Out)
		return a, false
	}
	return a, true
}

// asked is the value of the invoke, or where that says nothing, of the completion.
func asked(o *ops.Operation) ops.Value {
	if o.In.IsNull() {
		return o.Out
	}
	return o.In
}

// elements are the scalars of the list that an operation returned.
func elements(o *ops.Operation, p *ops.Problems, take func(ops.Atom)) bool {
	if o.Out.Kind != ops.List {
		p.Add(o.Line, "value", "%s returns a list, not %s", o.F, o.Out.Kind)
		return false
	}
	fine := true
	for i, v := range o.Out.Items {
		a, ok := v.Atom()
		if !ok || v.IsNull() {
			p.Add(o.Line, "value", "element %d is %s, not a number, a text or a truth value", i, v.Kind)
			fine = false
			continue
		}
		take(a)
	}
	return fine
}

// grown is the slice with at least n places, new ones zero. It doubles: append alone grows by a quarter, and would copy a
// million entries many times. For slices that never shrink: room beyond the length is zero.
func grown[T any](s []T, n int) []T {
	if len(s) >= n {
		return s
	}
	if n > cap(s) {
		s = slices.Grow(s, max(n, 2*len(s))-len(s))
	}
	return s[:n]
}

// heavier is a sum of sizes with the size of one more number. While it is ok, no sum of any of these numbers overflows.
func heavier(weight, n int64) (sum int64, ok bool) {
	if n == math.MinInt64 {
		return weight, false
	}
	size := max(n, -n)
	if size > math.MaxInt64-weight {
		return weight, false
	}
	return weight + size, true
}
