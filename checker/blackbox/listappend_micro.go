package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// microOp is an append, or a read with its list.
type microOp struct {
	write bool
	key   ops.Value
	name  ops.Atom  // the key
	atom  ops.Atom  // of the element appended
	value ops.Value // the element appended; of a read the list, null = nothing is known, or nothing was there
}

// The names of micro-operations.
const (
	microAppend = "append"
	microRead   = "r"
)

// microOps are those of a transaction: as they were completed if it is acknowledged, else as they were invoked. What is wrong
// goes to the problems.
func microOps(o *ops.Operation, p *ops.Problems) []microOp {
	asked := listOf(o, o.In, p)
	if o.Outcome != ops.OK {
		if o.In.IsNull() {
			p.Add(o.Line, "value", "the invoke of a transaction states its micro-operations: without them nobody knows what it may have appended")
		}
		return asked
	}
	done := listOf(o, o.Out, p)
	if o.In.IsNull() {
		return done
	}
	if len(asked) != len(done) {
		p.Add(o.Line, "value", "%d micro-operations were completed, but %d invoked", len(done), len(asked))
		return nil
	}
	for i := range done {
		a, d := asked[i], done[i]
		if a.write != d.write || !sameElement(a.key, d.key) || a.write && a.atom != d.atom {
			p.Add(o.Line, field(i), "is not what was invoked")
		}
	}
	return done
}

func listOf(o *ops.Operation, v ops.Value, p *ops.Problems) []microOp {
	if v.Kind != ops.List {
		if !v.IsNull() || o.Outcome == ops.OK {
			p.Add(o.Line, "value", "a transaction is a list of micro-operations, not %s", v.Kind)
		}
		return nil
	}
	out := make([]microOp, 0, len(v.Items))
	for i, item := range v.Items {
		if m, wrong := microOpOf(item); wrong == "" {
			out = append(out, m)
		} else {
			p.Add(o.Line, field(i), "%s", wrong)
		}
	}
	return out
}

// microOpOf reads one micro-operation; wrong says what is wrong with it, "" = nothing.
func microOpOf(v ops.Value) (m microOp, wrong string) {
	if v.Kind != ops.List || len(v.Items) < 2 || v.Items[0].Kind != ops.Text {
		return m, fmt.Sprintf(`%s is no micro-operation: ["append", key, element] or ["r", key, list]`, v)
	}
	key, ok := v.Items[1].Atom()
	if !ok || key.Kind == ops.Null {
		return m, fmt.Sprintf("%s is no key", v.Items[1])
	}
	m = microOp{key: v.Items[1], name: key}
	switch f := v.Items[0].Text; {
	case f == microAppend && len(v.Items) == 3:
		m.write, m.value = true, v.Items[2]
		m.atom, ok = m.value.Atom()
		if !ok || m.atom.Kind == ops.Null {
			return m, fmt.Sprintf("%s cannot be appended: an element is a number, a text or a truth value", m.value)
		}
	case f == microRead && len(v.Items) <= 3:
		if len(v.Items) == 3 {
			m.value = v.Items[2]
		}
		return m, wrongList(m.value)
	default:
		return m, fmt.Sprintf(`%s is no micro-operation: ["append", key, element] or ["r", key, list]`, v)
	}
	return m, ""
}

// wrongList says what is wrong with the list that a read gave, "" = nothing.
func wrongList(list ops.Value) string {
	if list.IsNull() {
		return ""
	}
	if list.Kind != ops.List {
		return fmt.Sprintf("a read gives a list, not %s", list.Kind)
	}
	for _, e := range list.Items {
		if a, ok := e.Atom(); !ok || a.Kind == ops.Null {
			return fmt.Sprintf("%s cannot be an element: that is a number, a text or a truth value", e)
		}
	}
	return ""
}

// field is where a micro-operation is.
func field(i int) string { return fmt.Sprintf("value[%d]", i) }

// showAtom is an atom for people.
func showAtom(a ops.Atom) string { return ops.Value{Kind: a.Kind, Int: a.Int, Text: a.Text}.String() }
