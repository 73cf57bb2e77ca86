package ops

import "fmt"

// Type of an event.
type Type uint8

// The types. Info says that the outcome is unknown; so does an invoke without a completion.
const (
	Invoke Type = iota
	OK
	Fail
	Info
)

var typeTable = [...]string{"invoke", "ok", "fail", "info"}

// String is the type in files.
func (t Type) String() string { return typeTable[t] }

// ParseType is the inverse of String.
func ParseType(s string) (Type, error) {
	for i, name := range typeTable {
		if name == s {
			return Type(i), nil
		}
	}
	return 0, fmt.Errorf("unknown type %q (invoke, ok, fail or info)", s)
}

// NoTime stands for the time of an event that states none.
const NoTime = -1

// Event is one event of a history.
type Event struct {
	Line    int    // where it begins in the file, from 1
	Index   int64  // as the file states it, else the number of the event from 0; no two events have one
	Process string // who: a number or a name
	Type    Type
	F       string // what: the name of a function of the model
	Value   Value
	Time    int64 // ns since some beginning; NoTime = not stated
}

// Header is the optional first line of a history.
type Header struct {
	Line   int    // 0 = there is none
	Model  string // "" = not stated
	Fields Value  // the whole header, a Map; null = none. Models read their own fields from it: initial, accounts, total
}

// Field is a field of the header, null if it is not there.
func (h Header) Field(name string) Value { return h.Fields.Field(name) }

// Field is what a map holds under a name, null if it holds nothing there or is no map.
func (v Value) Field(name string) Value {
	if v.Kind != Map {
		return Value{}
	}
	for i := 0; i+1 < len(v.Items); i += 2 {
		if key, ok := v.Items[i].Name(); ok && key == name {
			return v.Items[i+1]
		}
	}
	return Value{}
}
