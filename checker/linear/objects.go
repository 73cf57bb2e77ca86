package linear

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Value is what operations store and give: nothing, a truth value, a whole number or text. The zero value is nothing;
// 1 is not "1".
type Value struct {
	kind byte
	num  int64
	text string
}

const (
	kindNothing byte = iota
	kindTruth
	kindNumber
	kindText
)

// Number is a whole number.
func Number(n int64) Value { return Value{kind: kindNumber, num: n} }

// Text is a text.
func Text(s string) Value { return Value{kind: kindText, text: s} }

// Truth is a truth value.
func Truth(b bool) Value {
	if b {
		return Value{kind: kindTruth, num: 1}
	}
	return Value{kind: kindTruth}
}

// IsNothing says that there is none.
func (v Value) IsNothing() bool { return v.kind == kindNothing }

// number is the value as a number; ok is false if it is none.
func (v Value) number() (n int64, ok bool) { return v.num, v.kind == kindNumber }

const maxShownText = 60 // bytes of a text that people see

// String is the value for people.
func (v Value) String() string {
	switch v.kind {
	case kindTruth:
		return strconv.FormatBool(v.num == 1)
	case kindNumber:
		return strconv.FormatInt(v.num, 10)
	case kindText:
		if len(v.text) > maxShownText {
			return strconv.Quote(strings.ToValidUTF8(v.text[:maxShownText], "")) + "…"
		}
		return strconv.Quote(v.text)
	}
	return "nothing"
}

// encode appends the value so that different lists of values never give the same text.
func (v Value) encode(b []byte) []byte {
	if v.kind == kindText {
		b = append(b, kindText)
		b = strconv.AppendInt(b, int64(len(v.text)), 10)
		b = append(b, ':')
		return append(b, v.text...)
	}
	b = append(b, v.kind)
	b = strconv.AppendInt(b, v.num, 10)
	return append(b, ':')
}

// Action is what was asked of an object, and what it answered. Which fields a function takes, its object says; where
// nobody knows the answer, the fields of the answer mean nothing.
type Action struct {
	F      string  // the function, one of the object's
	By     string  // who asks: holder of a lock, token of a claim
	Arg    Value   // first argument
	Arg2   Value   // second argument
	Result string  // which way it ended, where there are several; "" = the ordinary one
	Out    Value   // what it gave
	Outs   []Value // what it gave, where that is a list
}

// Operation is a call with the time in which it took place. One that definitely did not take place is none.
type Operation struct {
	Span
	Action
	Client string // who asked, for pictures; "" = not said
}

// Pending says that nobody knows how it ended.
func (o *Operation) Pending() bool { return o.Return == Never }

// Function is a function of an object.
type Function struct {
	Name    string
	Doc     string   // what it takes and gives
	Results []string // the ways in which it can end; empty = one
	Args    int      // how many arguments it must have, from the first
	Blank   bool     // they may be nothing
	Number  bool     // its arguments, and what it gives, are numbers
	Text    bool     // its arguments are texts
	By      bool     // it says who asks
	Lists   bool     // it gives a list
	Gives   bool     // it gives a value
}

// State of an object. The states of one object can be compared with ==.
type State any

// Object is a sequential object: what calls do to its states, one at a time. All its functions are pure.
type Object struct {
	Name      string
	Doc       string
	Functions []Function

	Init State

	// Step is what a call does in a state: the state after it, and whether its answer is possible there. Where the answer
	// is not known every state is possible: the call does what it would have done.
	Step func(s State, c *Action, known bool) (after State, possible bool)

	// After is the state after a call with that answer, whatever the state before; ok is false where it depends on it.
	// nil = it always does.
	After func(c *Action) (s State, ok bool)

	// Idle says that a call whose answer nobody knows cannot have changed anything that the answers of others depend on:
	// it may be left out. Idle is given all the calls of the object, and is asked once for each unknown one. nil = only
	// Reads are idle.
	Idle func(calls []Known) func(*Action) bool

	// Reads are the functions that change no state.
	Reads []string

	// Show is a state for people.
	Show func(State) string
}

// Known is a call, and whether its answer is known.
type Known struct {
	*Action
	Known bool
}

// typed makes the functions of an object from those over its own type of state. The type is comparable without a
// panic: no interface, and nothing that holds one.
func typed[S comparable](o Object, init S, step func(S, *Action, bool) (S, bool), show func(S) string) Object {
	o.Init = init
	o.Step = func(s State, c *Action, known bool) (State, bool) {
		after, possible := step(s.(S), c, known)
		if !possible {
			return s, false
		}
		return after, true
	}
	o.Show = func(s State) string { return show(s.(S)) }
	return o
}

// Objects is the table of objects, sorted by name, each in its first state.
func Objects() []Object {
	return []Object{
		AccountObject(0),
		DedupObject(),
		IdempotencyObject(),
		KVObject(),
		LeaseObject(),
		LockObject(),
		LogObject(),
		OffsetsObject(),
		QueueObject(),
		RegisterObject(Value{}),
		StackObject(),
		UniqueObject(),
	}
}

// function finds a function by name.
func (o *Object) function(name string) *Function {
	i := slices.IndexFunc(o.Functions, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &o.Functions[i]
}

// Problem says what is wrong with the shape of a call: "" = nothing. A call of the wrong shape is never judged.
func (o *Object) Problem(c *Action, known bool) string {
	f := o.function(c.F)
	if f == nil {
		return fmt.Sprintf("%s has no %s", o.Name, strconv.Quote(c.F))
	}
	for i, arg := range []Value{c.Arg, c.Arg2}[:f.Args] {
		switch _, number := arg.number(); {
		case f.Number && !number:
			return fmt.Sprintf("%s takes numbers, and argument %d is %s", f.Name, i+1, arg)
		case f.Text && arg.kind != kindText:
			return fmt.Sprintf("%s takes texts, and argument %d is %s", f.Name, i+1, arg)
		case !f.Blank && arg.IsNothing():
			return fmt.Sprintf("%s has no argument %d", f.Name, i+1)
		}
	}
	if !known {
		return ""
	}
	if len(f.Results) > 0 && !slices.Contains(f.Results, c.Result) {
		return fmt.Sprintf("%s ends with %s, not %s", f.Name, strings.Join(f.Results, " or "), strconv.Quote(c.Result))
	}
	if _, number := c.Out.number(); f.Gives && f.Number && !number && !c.Out.IsNothing() {
		return fmt.Sprintf("%s gives a number, not %s", f.Name, c.Out)
	}
	return ""
}

// Describe is a call for people: "cas 1 2", "read gave 3".
func (o *Object) Describe(c *Action, known bool) string {
	var b strings.Builder
	b.WriteString(c.F)
	f := o.function(c.F)
	if f == nil {
		return b.String()
	}
	for i, arg := range [...]Value{c.Arg, c.Arg2} {
		if i < f.Args || !arg.IsNothing() {
			b.WriteString(" " + arg.String())
		}
	}
	if f.By {
		b.WriteString(" by " + strconv.Quote(c.By))
	}
	switch {
	case !known:
		b.WriteString(" (nobody knows how it ended)")
		return b.String()
	case f.Lists:
		fmt.Fprintf(&b, " gave %s", showAll(c.Outs))
		return b.String()
	case c.Result != "":
		b.WriteString(" gave " + c.Result)
		if !c.Out.IsNothing() {
			b.WriteString(" " + c.Out.String())
		}
	case f.Gives:
		b.WriteString(" gave " + c.Out.String())
	}
	return b.String()
}

const maxShownValues = 12

func showAll(list []Value) string {
	var parts []string
	for i, v := range list {
		if i == maxShownValues {
			parts = append(parts, fmt.Sprintf("… (%d in all)", len(list)))
			break
		}
		parts = append(parts, v.String())
	}
	return "[" + strings.Join(parts, " ") + "]"
}
