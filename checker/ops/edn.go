package ops

import (
	"bytes"
	"regexp"
	"strings"
)

// ednText reads extensible data notation, as Clojure prints it. A keyword or symbol is its text without the colon, a set
// is a list. What has no kind here (a decimal, a ratio, a character, a tagged literal, a map with keys that are no
// scalars) is Other, as it was written: it may stand in fields that nobody reads.
type ednText struct{ *scan }

// blanks skips white space, commas, comments and discarded forms.
func (s ednText) blanks() *fault {
	for s.at < len(s.b) {
		switch c := s.b[s.at]; {
		case ednBlank[c]:
			s.at++
		case c == ';':
			i := bytes.IndexByte(s.b[s.at:], '\n')
			if i < 0 && !s.last {
				return s.ends("a comment")
			}
			if i < 0 {
				i = len(s.b) - s.at
			}
			s.at += i
		case c == '#' && s.at+1 < len(s.b) && s.b[s.at+1] == '_':
			if f := s.discard(); f != nil {
				return f
			}
		default:
			return nil
		}
	}
	return nil
}

// discard skips #_ and the form behind it.
func (s ednText) discard() *fault {
	base := len(s.stack)
	if f := s.enter(); f != nil {
		return f
	}
	s.at++
	_, f := s.value()
	s.stack = s.stack[:base]
	s.depth--
	return f
}

// value reads a value, with what is blank before it.
func (s ednText) value() (Value, *fault) {
	if f := s.blanks(); f != nil {
		return Value{}, f
	}
	if s.at == len(s.b) {
		return Value{}, s.ends("an event")
	}
	switch s.b[s.at] {
	case '"':
		text, f := s.quoted(true)
		return Value{Kind: Text, Text: text}, f
	case '{':
		return s.mapping()
	case '[':
		return s.list(']')
	case '(':
		return s.list(')')
	case '#':
		return s.dispatch()
	case '\\':
		return s.character()
	}
	return s.token()
}

func (s ednText) list(end byte) (Value, *fault) {
	base := len(s.stack)
	if f := s.enter(); f != nil {
		return Value{}, f
	}
	for i := 0; ; i++ {
		if closed, f := s.closed(end, "a list"); f != nil {
			return Value{}, f
		} else if closed {
			return Value{Kind: List, Items: s.leave(base)}, nil
		}
		v, f := s.value()
		if f == nil {
			f = s.push(v)
		}
		if f != nil {
			return Value{}, f.within(inItem(i))
		}
	}
}

// closed goes over the bracket that ends a list or map, if it is next.
func (s ednText) closed(end byte, within string) (bool, *fault) {
	if f := s.blanks(); f != nil {
		return false, f
	}
	if s.at == len(s.b) {
		return false, s.ends(within)
	}
	if s.b[s.at] == end {
		s.at++
		return true, nil
	}
	return false, nil
}

func (s ednText) mapping() (Value, *fault) {
	from, base := s.at, len(s.stack)
	if f := s.enter(); f != nil {
		return Value{}, f
	}
	names := true
	for {
		if closed, f := s.closed('}', "a map"); f != nil {
			return Value{}, f
		} else if closed {
			break
		}
		key, f := s.entry()
		if f != nil {
			return Value{}, f
		}
		names = names && key.Scalar()
	}
	if i := twice(s.stack[base:], 2); i >= 0 {
		return Value{}, s.fail(s.at-1, "a key that comes twice in one map (a keyword, a symbol and a text are the same here)").within(inKey(s.stack[base+i]))
	}
	items := s.leave(base)
	if !names {
		return s.other(from), nil
	}
	return Value{Kind: Map, Items: items}, nil
}

// entry reads a key and its value.
func (s ednText) entry() (key Value, f *fault) {
	if key, f = s.value(); f != nil {
		return key, f
	}
	if f = s.push(key); f != nil {
		return key, f
	}
	closed, f := s.closed('}', "a map")
	if closed {
		return key, s.fail(s.at-1, "no EDN: a key without a value").within(inKey(key))
	}
	var v Value
	if f == nil {
		v, f = s.value()
	}
	if f == nil {
		f = s.push(v)
	}
	if f != nil {
		return key, f.within(inKey(key))
	}
	return key, nil
}

// other is what was read since from, as it was written.
func (s ednText) other(from int) Value { return Value{Kind: Other, Text: string(s.b[from:s.at])} }

// dispatch reads what a # begins: a set, a symbolic number, a tagged literal.
func (s ednText) dispatch() (Value, *fault) {
	from := s.at
	if s.at+1 == len(s.b) {
		return Value{}, s.ends("a value")
	}
	switch s.b[s.at+1] {
	case '{':
		s.at++
		v, f := s.list('}')
		if f != nil {
			return v, f
		}
		if i := twice(v.Items, 1); i >= 0 {
			return v, s.fail(s.at-1, "a set that holds %s twice", v.Items[i])
		}
		return v, nil
	case '#':
		s.at += 2
		if _, f := s.word(); f != nil {
			return Value{}, f
		}
		return s.other(from), nil
	}
	if f := s.tag(); f != nil {
		return Value{}, f
	}
	return s.tagged(from)
}

// tagged reads the form behind a tag. A tag lies as deep as a list: a chain of them is no way around the limit.
func (s ednText) tagged(from int) (Value, *fault) {
	base := len(s.stack)
	if s.depth++; s.depth > s.limits.depth {
		return Value{}, s.fail(s.at, "deeper than %d lists and maps", s.limits.depth)
	}
	if _, f := s.value(); f != nil {
		return Value{}, f
	}
	s.depth--
	s.stack = s.stack[:base]
	return s.other(from), nil
}

// tag goes over # and the symbol behind it.
func (s ednText) tag() *fault {
	s.at++
	from := s.at
	word, f := s.word()
	if f != nil {
		return f
	}
	if c := word[0]; c|0x20 < 'a' || c|0x20 > 'z' {
		if c != ':' || len(word) == 1 {
			return s.fail(from, "no EDN: %s behind a #", s.char(from))
		}
	}
	return nil
}

// character reads \a, \newline, \u0041 and the like.
func (s ednText) character() (Value, *fault) {
	from := s.at
	if s.at += 2; s.at >= len(s.b) {
		return Value{}, s.ends("a character")
	}
	for s.at < len(s.b) && ednConstituent[s.b[s.at]] {
		s.at++
	}
	if s.at == len(s.b) && !s.last {
		return Value{}, s.ends("a character")
	}
	if ednBlank[s.b[from+1]] {
		return Value{}, s.fail(from, "no EDN: a blank behind a \\")
	}
	return s.other(from), nil
}

// word reads what symbols, keywords and numbers are made of, at least one byte.
func (s ednText) word() ([]byte, *fault) {
	from := s.at
	for s.at < len(s.b) && ednConstituent[s.b[s.at]] {
		s.at++
	}
	switch {
	case s.at == len(s.b) && (!s.last || s.at == from):
		return nil, s.ends("a value")
	case s.at == from:
		return nil, s.fail(from, "no EDN: %s where a value begins", s.char(from))
	}
	return s.b[from:s.at], nil
}

// ednNumber are the numbers that Clojure prints and we do not compute with, and its radix forms.
var ednNumber = regexp.MustCompile(`^[+-]?[0-9]+([0-9]*N|(\.[0-9]*)?([eE][+-]?[0-9]+)?M?|/[0-9]+|[xXrR][0-9A-Za-z]+)$`)

func (s ednText) token() (Value, *fault) {
	from := s.at
	word, f := s.word()
	if f != nil {
		return Value{}, f
	}
	switch c := word[0]; {
	case c == ':':
		if len(word) == 1 || word[1] == ':' {
			return Value{}, s.fail(from, "no EDN: %s is no keyword", s.shown(from, min(len(word), wordMax)))
		}
		return Value{Kind: Text, Text: s.share(word[1:])}, nil
	case '0' <= c && c <= '9', (c == '-' || c == '+') && len(word) > 1 && '0' <= word[1] && word[1] <= '9':
		return s.number(from, word)
	}
	switch string(word) {
	case "nil":
		return Value{}, nil
	case "true":
		return Value{Kind: Bool, Int: 1}, nil
	case "false":
		return Value{Kind: Bool}, nil
	}
	return Value{Kind: Text, Text: s.share(word)}, nil
}

func (s ednText) number(from int, word []byte) (Value, *fault) {
	digits := bytes.TrimSuffix(word, []byte("N"))
	unsigned := bytes.TrimLeft(digits, "+-")
	plain := len(digits)-len(unsigned) <= 1 && (len(unsigned) == 1 || unsigned[0] != '0')
	for _, c := range unsigned {
		plain = plain && '0' <= c && c <= '9'
	}
	switch {
	case plain:
		v := s.whole(digits)
		if v.Kind == Other {
			v.Text = string(word)
		}
		return v, nil
	case ednNumber.Match(word):
		return s.other(from), nil
	}
	return Value{}, s.fail(from, "no EDN: %s is no number", s.shown(from, min(len(word), wordMax)))
}

var (
	ednBlank       = bytesOf(" \t\r\n,\f\v")
	ednConstituent = func() [256]bool {
		t := bytesOf("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.*+!-_?$%&=<>/#:'|")
		for i := 0x80; i < 0x100; i++ {
			t[i] = true
		}
		return t
	}()
)

func bytesOf(set string) (t [256]bool) {
	for i := range t {
		t[i] = strings.IndexByte(set, byte(i)) >= 0
	}
	return t
}
