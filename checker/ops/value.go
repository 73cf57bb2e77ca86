package ops

import (
	"strconv"
	"strings"
)

// Kind of a value.
type Kind uint8

// The kinds. Other is what a file may hold and no model takes: a decimal, a tagged literal.
const (
	Null Kind = iota
	Bool
	Int
	Text
	List
	Map
	Other
)

// String is the kind in messages.
func (k Kind) String() string {
	return [...]string{"null", "a truth value", "a whole number", "text", "a list", "a map", "a decimal or another literal"}[k]
}

// Value is one value of a history. The zero value is null.
type Value struct {
	Kind  Kind
	Int   int64   // of Int; of Bool 1 = true
	Text  string  // of Text (of an EDN keyword or symbol without the colon), and of Other as it was written
	Items []Value // of List its elements; of Map key, value, key, value in the order of the file, no key twice
}

// IsNull says that nothing is known, or there is nothing.
func (v Value) IsNull() bool { return v.Kind == Null }

// Scalar says whether the value can be compared with ==: null, a truth value, a whole number or text.
func (v Value) Scalar() bool { return v.Kind <= Text }

// Atom is a scalar that can be a map key. Whole numbers and texts are told apart: 1 is not "1".
type Atom struct {
	Kind Kind
	Int  int64
	Text string
}

// Atom is the scalar itself; ok is false for lists, maps and others.
func (v Value) Atom() (a Atom, ok bool) { return Atom{v.Kind, v.Int, v.Text}, v.Scalar() }

// Name is the scalar as the name of a key, an account or a process: JSON turns the numbers among the keys of a map into
// text, so here 1 and "1" are the same. ok is false for null, lists, maps and others.
func (v Value) Name() (name string, ok bool) {
	switch v.Kind {
	case Int:
		return strconv.FormatInt(v.Int, 10), true
	case Bool:
		return strconv.FormatBool(v.Int == 1), true
	case Text:
		return v.Text, true
	}
	return "", false
}

// maxShown is how much of a long value a message shows, in bytes.
const maxShown = 120

// String is the value for people, as JSON would write it, shortened in the middle of what is long.
func (v Value) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

func (v Value) write(b *strings.Builder) {
	if b.Len() > maxShown {
		return
	}
	switch v.Kind {
	case Null:
		b.WriteString("null")
	case Text:
		b.WriteString(strconv.Quote(short(v.Text)))
	case List, Map:
		v.writeItems(b)
	case Other:
		b.WriteString(oneLine(short(v.Text)))
	default:
		name, _ := v.Name()
		b.WriteString(name)
	}
}

func (v Value) writeItems(b *strings.Builder) {
	brackets, between := "[]", ", "
	if v.Kind == Map {
		brackets = "{}"
	}
	b.WriteByte(brackets[0])
	for i, item := range v.Items {
		switch {
		case b.Len() > maxShown:
			b.WriteString(", …")
			b.WriteByte(brackets[1])
			return
		case i > 0 && v.Kind == Map && i%2 == 1:
			b.WriteString(": ")
		case i > 0:
			b.WriteString(between)
		}
		item.write(b)
	}
	b.WriteByte(brackets[1])
}

func short(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
