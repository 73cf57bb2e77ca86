package linear

import (
	"bytes"
	"strconv"
)

// sequence is a list of values that can be compared: their encodings, one after the other.
type sequence string

func (s sequence) followedBy(v Value) sequence { return sequence(v.encode([]byte(s))) }

func (s sequence) ledBy(v Value) sequence { return sequence(v.encode(nil)) + s }

// first is the first value and the others; of an empty sequence it is nothing.
func (s sequence) first() (Value, sequence) {
	if s == "" {
		return Value{}, ""
	}
	colon := bytes.IndexByte([]byte(s[:min(len(s), maxEncodedNumber)]), ':')
	n, err := strconv.ParseInt(string(s[1:colon]), 10, 64)
	if err != nil {
		panic("linear: a sequence that is none: " + strconv.Quote(string(s)))
	}
	v, rest := Value{kind: s[0], num: n}, s[colon+1:]
	if v.kind == kindText {
		v.num, v.text, rest = 0, string(rest[:n]), rest[n:]
	}
	return v, rest
}

const maxEncodedNumber = 22 // kind, sign, nineteen digits, colon

func (s sequence) show() string {
	var list []Value
	for s != "" {
		var v Value
		v, s = s.first()
		list = append(list, v)
	}
	return showAll(list)
}

// QueueObject is a queue, first in first out, empty at first:
//
//	enqueue v      v is the last
//	dequeue → v    v was the first and is gone; nothing: it was empty
//
// An unknown enqueue happened or did not; an unknown dequeue took the first, if there was one, or did not.
func QueueObject() Object {
	return typed(Object{
		Name: "queue",
		Doc:  "values in the order in which they came",
		Functions: []Function{
			{Name: "enqueue", Doc: "adds a value at the end", Args: 1},
			{Name: "dequeue", Doc: "takes the first away", Gives: true},
		},
		After: emptied("dequeue"),
		Idle:  idleAdds("enqueue", "dequeue"),
	}, sequence(""), func(s sequence, c *Action, known bool) (sequence, bool) {
		if c.F == "enqueue" {
			return s.followedBy(c.Arg), true
		}
		return take(s, c, known)
	}, sequence.show)
}

// StackObject is a stack, last in first out, empty at first:
//
//	push v     v is on top
//	pop → v    v was on top and is gone; nothing: it was empty
//
// An unknown push happened or did not; an unknown pop took the top, if there was one, or did not.
func StackObject() Object {
	return typed(Object{
		Name: "stack",
		Doc:  "values, of which the last comes first",
		Functions: []Function{
			{Name: "push", Doc: "adds a value on top", Args: 1},
			{Name: "pop", Doc: "takes the top away", Gives: true},
		},
		After: emptied("pop"),
		Idle:  idleAdds("push", "pop"),
	}, sequence(""), func(s sequence, c *Action, known bool) (sequence, bool) {
		if c.F == "push" {
			return s.ledBy(c.Arg), true
		}
		return take(s, c, known)
	}, sequence.show)
}

func take(s sequence, c *Action, known bool) (sequence, bool) {
	v, rest := s.first()
	return rest, !known || c.Out == v
}

// emptied: whoever finds nothing leaves nothing.
func emptied(takes string) func(*Action) (State, bool) {
	return func(c *Action) (State, bool) { return sequence(""), c.F == takes && c.Out.IsNothing() }
}

// idleAdds: an unknown add is idle if nobody was given its value. For take an order of all that explains every answer.
// If v is never taken there, nobody after it found the object empty or was given what lies beyond it, and without it
// all answers are the same. If it is taken, then by an unknown call; without v that call is put last, where it may take
// what it finds, and every other call meets what it met, less v.
func idleAdds(adds, takes string) func([]Known) func(*Action) bool {
	return func(calls []Known) func(*Action) bool {
		given := map[Value]bool{}
		for _, k := range calls {
			if k.F == takes && k.Known {
				given[k.Out] = true
			}
		}
		return func(c *Action) bool { return c.F == adds && !given[c.Arg] }
	}
}
