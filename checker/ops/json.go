package ops

import "bytes"

// jsonText reads JSON as RFC 8259 has it, with names that are unique and without half surrogates (RFC 7493).
type jsonText struct{ *scan }

func (s jsonText) blanks() *fault {
	for s.at < len(s.b) {
		switch s.b[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return nil
		}
	}
	return nil
}

// value reads a value, with what is blank before it.
func (s jsonText) value() (Value, *fault) {
	_ = s.blanks()
	if s.at == len(s.b) {
		return Value{}, s.ends("an event")
	}
	switch c := s.b[s.at]; {
	case c == '"':
		text, f := s.quoted(false)
		return Value{Kind: Text, Text: text}, f
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '-', '0' <= c && c <= '9':
		return s.number()
	}
	return s.literal()
}

func (s jsonText) literal() (Value, *fault) {
	rest := s.b[s.at:]
	for _, l := range []struct {
		word  string
		value Value
	}{{"null", Value{}}, {"true", Value{Kind: Bool, Int: 1}}, {"false", Value{Kind: Bool}}} {
		if bytes.HasPrefix(rest, []byte(l.word)) {
			s.at += len(l.word)
			return l.value, nil
		}
		if bytes.HasPrefix([]byte(l.word), rest) {
			return Value{}, s.ends("a value")
		}
	}
	return Value{}, s.fail(s.at, "no JSON: %s where a value begins", s.char(s.at))
}

func (s jsonText) array() (Value, *fault) {
	base := len(s.stack)
	if f := s.enter(); f != nil {
		return Value{}, f
	}
	for i := 0; ; i++ {
		if closed, f := s.next(']', i, "a list"); closed || f != nil {
			return Value{Kind: List, Items: s.leave(base)}, f
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

func (s jsonText) object() (Value, *fault) {
	base := len(s.stack)
	if f := s.enter(); f != nil {
		return Value{}, f
	}
	for i := 0; ; i++ {
		if closed, f := s.next('}', i, "a map"); f != nil {
			return Value{}, f
		} else if closed {
			break
		}
		if f := s.member(); f != nil {
			return Value{}, f
		}
	}
	if i := twice(s.stack[base:], 2); i >= 0 {
		return Value{}, s.fail(s.at-1, "a name that comes twice in one map").within(inKey(s.stack[base+i]))
	}
	return Value{Kind: Map, Items: s.leave(base)}, nil
}

// member reads a name and its value.
func (s jsonText) member() *fault {
	if s.b[s.at] != '"' {
		return s.fail(s.at, "no JSON: %s where a name in quotes begins", s.char(s.at))
	}
	name, f := s.quoted(false)
	if f != nil {
		return f
	}
	key := Value{Kind: Text, Text: name}
	_ = s.blanks()
	if s.at == len(s.b) {
		return s.ends("a map")
	}
	if s.b[s.at] != ':' {
		return s.fail(s.at, "no JSON: %s where a colon belongs", s.char(s.at)).within(inKey(key))
	}
	s.at++
	if f := s.push(key); f != nil {
		return f.within(inKey(key))
	}
	v, f := s.value()
	if f == nil {
		f = s.push(v)
	}
	if f != nil {
		return f.within(inKey(key))
	}
	return nil
}

// next goes to element i of a list or map, over the comma before it; closed says that there is none.
func (s jsonText) next(end byte, i int, within string) (closed bool, f *fault) {
	_ = s.blanks()
	if s.at == len(s.b) {
		return false, s.ends(within)
	}
	c := s.b[s.at]
	switch {
	case c == end:
		s.at++
		return true, nil
	case i == 0:
		return false, nil
	case c != ',':
		return false, s.fail(s.at, "no JSON: %s where a comma or the end of %s belongs", s.char(s.at), within)
	}
	s.at++
	if _ = s.blanks(); s.at == len(s.b) {
		return false, s.ends(within)
	}
	if s.b[s.at] == end {
		return false, s.fail(s.at, "no JSON: a comma before the end of %s", within)
	}
	return false, nil
}

// number reads a number. One with a fraction or an exponent is Other, even if it is whole: what a model compares was
// written down exactly.
func (s jsonText) number() (Value, *fault) {
	from := s.at
	if s.b[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.b) && s.b[s.at] == '0' {
		s.at++
	} else if f := s.digits(); f != nil {
		return Value{}, f
	}
	whole := true
	if s.at < len(s.b) && s.b[s.at] == '.' {
		whole = false
		s.at++
		if f := s.digits(); f != nil {
			return Value{}, f
		}
	}
	if s.at < len(s.b) && s.b[s.at]|0x20 == 'e' {
		whole = false
		s.at++
		if s.at < len(s.b) && (s.b[s.at] == '+' || s.b[s.at] == '-') {
			s.at++
		}
		if f := s.digits(); f != nil {
			return Value{}, f
		}
	}
	if whole {
		return s.whole(s.b[from:s.at]), nil
	}
	return Value{Kind: Other, Text: string(s.b[from:s.at])}, nil
}

func (s jsonText) digits() *fault {
	from := s.at
	for s.at < len(s.b) && '0' <= s.b[s.at] && s.b[s.at] <= '9' {
		s.at++
	}
	switch {
	case s.at > from:
		return nil
	case s.at == len(s.b):
		return s.ends("a number")
	}
	return s.fail(s.at, "no JSON: %s where a digit belongs", s.char(s.at))
}
