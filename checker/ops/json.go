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

// value pushes a value, over what is blank before it.
func (s jsonText) value() *fault {
	_ = s.blanks()
	if s.at == len(s.b) {
		return s.ends("an event")
	}
	switch c := s.b[s.at]; {
	case c == '"':
		text, f := s.quoted(false)
		if f != nil {
			return f
		}
		return s.push(Value{Kind: Text, Text: text})
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '-', '0' <= c && c <= '9':
		return s.number()
	}
	return s.literal()
}

func (s jsonText) literal() *fault {
	rest := s.b[s.at:]
	for _, l := range []struct {
		word  string
		value Value
	}{{"null", Value{}}, {"true", Value{Kind: Bool, Int: 1}}, {"false", Value{Kind: Bool}}} {
		if bytes.HasPrefix(rest, []byte(l.word)) {
			s.at += len(l.word)
			return s.push(l.value)
		}
		if bytes.HasPrefix([]byte(l.word), rest) {
			return s.ends("a value")
		}
	}
	return s.fail(s.at, "no JSON: %s where a value begins", s.char(s.at))
}

func (s jsonText) array() *fault {
	base := len(s.stack)
	if f := s.enter(); f != nil {
		return f
	}
	for i := 0; ; i++ {
		if closed, f := s.next(']', i, "a list"); f != nil {
			return f
		} else if closed {
			return s.leave(List, base)
		}
		if f := s.value(); f != nil {
			return f.within(inItem(i))
		}
	}
}

func (s jsonText) object() *fault {
	base := len(s.stack)
	if f := s.enter(); f != nil {
		return f
	}
	for i := 0; ; i++ {
		if closed, f := s.next('}', i, "a map"); f != nil {
			return f
		} else if closed {
			break
		}
		if f := s.member(); f != nil {
			return f
		}
	}
	if i := twice(s.stack[base:], 2); i >= 0 {
		return s.fail(s.at-1, "a name that comes twice in one map").within(inKey(s.stack[base+i]))
	}
	return s.leave(Map, base)
}

// member pushes a name and its value.
func (s jsonText) member() *fault {
	if s.b[s.at] != '"' {
		return s.fail(s.at, "no JSON: %s where a name in quotes begins", s.char(s.at))
	}
	name, f := s.quoted(false)
	if f != nil {
		return f
	}
	key := len(s.stack)
	if f := s.push(Value{Kind: Text, Text: name}); f != nil {
		return f
	}
	_ = s.blanks()
	if s.at == len(s.b) {
		return s.ends("a map")
	}
	if s.b[s.at] != ':' {
		return s.fail(s.at, "no JSON: %s where a colon belongs", s.char(s.at)).within(inKey(s.stack[key]))
	}
	s.at++
	if f := s.value(); f != nil {
		return f.within(inKey(s.stack[key]))
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

// number pushes a number. One with a fraction or an exponent is Other, even if it is whole: what a model compares was
// written down exactly.
func (s jsonText) number() *fault {
	from := s.at
	if s.b[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.b) && s.b[s.at] == '0' {
		s.at++
	} else if f := s.digits(); f != nil {
		return f
	}
	exact := true
	if s.at < len(s.b) && s.b[s.at] == '.' {
		exact = false
		s.at++
		if f := s.digits(); f != nil {
			return f
		}
	}
	if s.at < len(s.b) && s.b[s.at]|0x20 == 'e' {
		exact = false
		s.at++
		if s.at < len(s.b) && (s.b[s.at] == '+' || s.b[s.at] == '-') {
			s.at++
		}
		if f := s.digits(); f != nil {
			return f
		}
	}
	if exact {
		return s.push(whole(s.b[from:s.at]))
	}
	return s.push(Value{Kind: Other, Text: string(s.b[from:s.at])})
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
