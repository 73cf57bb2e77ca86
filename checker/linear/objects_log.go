package linear

import (
	"fmt"
	"hash/fnv"
)

// logState is a log: how many values it holds, and a hash of all of them, chained. Two logs with different values have
// different hashes but for a chance of 2^-64: then a history that is wrong could be taken for right, and never one that
// is right for wrong.
type logState struct {
	tail int64
	hash uint64
}

func (s logState) append(v Value) logState {
	h := fnv.New64a()
	var before [8]byte
	for i := range before {
		before[i] = byte(s.hash >> (8 * i))
	}
	_, _ = h.Write(before[:]) // a hash takes everything
	_, _ = h.Write(v.encode(nil))
	return logState{s.tail + 1, h.Sum64()}
}

func logOf(values []Value) logState {
	var s logState
	for _, v := range values {
		s = s.append(v)
	}
	return s
}

// LogObject is a log, empty at first:
//
//	append v → n       v is the last, and the log now holds n values
//	append v t → n     the same, where it held t before
//	append v t → conflict    it did not hold t values, and nothing changed
//	read → [values]    all it holds
//
// An unknown append happened or did not; with a required tail it happened only where that was the tail.
func LogObject() Object {
	return typed(Object{
		Name: "log",
		Doc:  "values in the order in which they were appended",
		Functions: []Function{
			{Name: "append", Doc: "adds a value at the end, and gives how many there are then", Args: 1, Results: []string{"", "conflict"}, Gives: true},
			{Name: "read", Doc: "gives all values", Lists: true},
		},
		Reads: []string{"read"},
		After: func(c *Action) (State, bool) { return logOf(c.Outs), c.F == "read" },
	}, logState{}, stepLog, func(s logState) string { return fmt.Sprintf("a log of %d", s.tail) })
}

func stepLog(s logState, c *Action, known bool) (logState, bool) {
	if c.F == "read" {
		return s, !known || s.tail == int64(len(c.Outs)) && s == logOf(c.Outs)
	}
	required, guarded := c.Arg2.number()
	if guarded && required != s.tail {
		return s, !known || c.Result == "conflict"
	}
	after := s.append(c.Arg)
	return after, !known || c.Result == "" && c.Out == Number(after.tail)
}
