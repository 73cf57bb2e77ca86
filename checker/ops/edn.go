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

// repeatedKey is the fault of a map.
const repeatedKey = "a key that comes twice in one map (a keyword, a symbol and a text are the same here)"

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
	if f := s.enter(); f != nil {
		return f
	}
	s.at++
	if f := s.value(); f != nil {
		return f
	}
	s.pop()
	s.depth--
	return nil
}

// read reads an event into its fields. It may be written as Jepsen's record.
func (s ednText) read() *fault {
	if f := s.record(); f != nil {
		return f
	}
	if s.at == len(s.b) || s.b[s.at] != '{' {
		if f := s.value(); f != nil {
			return f
		}
		s.event.is = s.pop().Kind
		return nil
	}
	if f := s.enter(); f != nil {
		return f
	}
	for {
		if closed, f := s.closed('}', "a map"); f != nil {
			return f
		} else if closed {
			break
		}
		base := len(s.stack)
		if f := s.entry(); f != nil {
			return f
		}
		if name := s.stack[base]; s.settle(base) {
			return s.fail(s.at-1, repeatedKey).within(inKey(name))
		}
	}
	s.depth--
	if i := twice(s.stack, 1); i >= 0 {
		return s.fail(s.at-1, repeatedKey).within(inKey(s.stack[i]))
	}
	return nil
}

// value pushes a value, over what is blank before it.
func (s ednText) value() *fault {
	if f := s.blanks(); f != nil {
		return f
	}
	if s.at == len(s.b) {
		return s.ends("an event")
	}
	switch s.b[s.at] {
	case '"':
		text, f := s.quoted(true)
		if f != nil {
			return f
		}
		return s.push(Value{Kind: Text, Text: text})
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

func (s ednText) list(end byte) *fault {
	base := len(s.stack)
	if f := s.enter(); f != nil {
		return f
	}
	for i := 0; ; i++ {
		if closed, f := s.closed(end, "a list"); f != nil {
			return f
		} else if closed {
			return s.leave(List, base)
		}
		if f := s.value(); f != nil {
			return f.within(inItem(i))
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

func (s ednText) mapping() *fault {
	from, base := s.at, len(s.stack)
	if f := s.enter(); f != nil {
		return f
	}
	names := true
	for {
		if closed, f := s.closed('}', "a map"); f != nil {
			return f
		} else if closed {
			break
		}
		key := len(s.stack)
		if f := s.entry(); f != nil {
			return f
		}
		names = names && s.stack[key].Scalar()
	}
	if i := twice(s.stack[base:], 2); i >= 0 {
		return s.fail(s.at-1, repeatedKey).within(inKey(s.stack[base+i]))
	}
	if !names {
		s.stack = s.stack[:base]
		s.depth--
		return s.other(from)
	}
	return s.leave(Map, base)
}

// entry pushes a key and its value.
func (s ednText) entry() *fault {
	key := len(s.stack)
	if f := s.value(); f != nil {
		return f
	}
	closed, f := s.closed('}', "a map")
	if closed {
		f = s.fail(s.at-1, "no EDN: a key without a value")
	}
	if f == nil {
		f = s.value()
	}
	if f != nil {
		return f.within(inKey(s.stack[key]))
	}
	return nil
}

// other pushes what was read since from, as it was written.
func (s ednText) other(from int) *fault {
	return s.push(Value{Kind: Other, Text: string(s.b[from:s.at])})
}

// dispatch reads what a # begins: a set, a symbolic number, a tagged literal.
func (s ednText) dispatch() *fault {
	from := s.at
	if s.at+1 == len(s.b) {
		return s.ends("a value")
	}
	switch s.b[s.at+1] {
	case '{':
		return s.set()
	case '#':
		s.at += 2
		if _, f := s.word(); f != nil {
			return f
		}
		return s.other(from)
	}
	if f := s.tag(); f != nil {
		return f
	}
	return s.tagged(from)
}

func (s ednText) set() *fault {
	s.at++
	if f := s.list('}'); f != nil {
		return f
	}
	items := s.stack[len(s.stack)-1].Items
	if i := twice(items, 1); i >= 0 {
		return s.fail(s.at-1, "a set that holds %s twice", items[i])
	}
	return nil
}

// tagged reads the form behind a tag. A tag lies as deep as a list: a chain of them is no way around the limit.
func (s ednText) tagged(from int) *fault {
	if s.depth++; s.depth > s.limits.depth {
		return s.fail(s.at, "deeper than %d lists and maps", s.limits.depth)
	}
	if f := s.value(); f != nil {
		return f
	}
	s.depth--
	s.pop()
	return s.other(from)
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

// record goes over the tag of Jepsen's record of an event.
func (s ednText) record() *fault {
	const tag = "#jepsen.history.Op"
	rest := s.b[s.at:]
	switch {
	case len(rest) < len(tag)+1 && bytes.HasPrefix([]byte(tag), rest):
		return s.ends("a tag")
	case bytes.HasPrefix(rest, []byte(tag)) && !ednConstituent[rest[len(tag)]]:
		s.at += len(tag)
	}
	return nil
}

// character reads \a, \newline, \u0041 and the like.
func (s ednText) character() *fault {
	from := s.at
	if s.at += 2; s.at >= len(s.b) {
		return s.ends("a character")
	}
	for s.at < len(s.b) && ednConstituent[s.b[s.at]] {
		s.at++
	}
	if s.at == len(s.b) && !s.last {
		return s.ends("a character")
	}
	if ednBlank[s.b[from+1]] {
		return s.fail(from, "no EDN: a blank behind a \\")
	}
	return s.other(from)
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
var ednNumber = regexp.MustCompile(`^[+-]?[0-9]+([0-9]*N|(\.[0-9]*)?([eE][+-]?[0-9]+)?M?|/[0-9]+|[rR][0-9A-Za-z]+)$|^[+-]?0[xX][0-9A-Fa-f]+$`)

func (s ednText) token() *fault {
	from := s.at
	word, f := s.word()
	if f != nil {
		return f
	}
	switch c := word[0]; {
	case c == ':':
		if len(word) == 1 || word[1] == ':' {
			return s.fail(from, "no EDN: %s is no keyword", s.shown(from, min(len(word), wordMax)))
		}
		return s.push(Value{Kind: Text, Text: s.share(word[1:])})
	case '0' <= c && c <= '9', (c == '-' || c == '+') && len(word) > 1 && '0' <= word[1] && word[1] <= '9':
		return s.number(from, word)
	}
	switch string(word) {
	case "nil":
		return s.push(Value{})
	case "true":
		return s.push(Value{Kind: Bool, Int: 1})
	case "false":
		return s.push(Value{Kind: Bool})
	}
	return s.push(Value{Kind: Text, Text: s.share(word)})
}

func (s ednText) number(from int, word []byte) *fault {
	digits := bytes.TrimSuffix(word, []byte("N"))
	unsigned := bytes.TrimLeft(digits, "+-")
	plain := len(digits)-len(unsigned) <= 1 && (len(unsigned) == 1 || unsigned[0] != '0')
	for _, c := range unsigned {
		plain = plain && '0' <= c && c <= '9'
	}
	switch {
	case plain:
		v := whole(digits)
		if v.Kind == Other {
			v.Text = string(word)
		}
		return s.push(v)
	case ednNumber.Match(word):
		return s.other(from)
	}
	return s.fail(from, "no EDN: %s is no number", s.shown(from, min(len(word), wordMax)))
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
