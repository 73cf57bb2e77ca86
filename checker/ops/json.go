package ops

import "bytes"

// jsonText reads JSON as RFC 8259 has it, with names that are unique and without half surrogates (RFC 7493).
type jsonText struct{ *scan }

func (s jsonText) blanks() *fault {
	for s.at < len(s.b) && s.b[s.at] <= ' ' {
		switch s.b[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return nil
		}
	}
	return nil
}

// repeated is the fault of a map.
const repeated = "a name that comes twice in one map"

// read reads an event into its fields.
func (s jsonText) read() *fault {
	if s.b[s.at] != '{' {
		if f := s.value(); f != nil {
			return f
		}
		s.event.is = s.pop().Kind
		return nil
	}
	if f := s.enter(); f != nil {
		return f
	}
	for i := 0; ; i++ {
		if closed, f := s.next('}', i, "a map"); f != nil {
			return f
		} else if closed {
			break
		}
		if f := s.field(); f != nil {
			return f
		}
	}
	s.depth--
	if i := twice(s.stack, 1); i >= 0 {
		return s.fail(s.at-1, repeated).within(inKey(s.stack[i]))
	}
	return nil
}

// field reads a field of the event. The names that mean something are told apart without becoming values.
func (s jsonText) field() *fault {
	base := len(s.stack)
	if name, at := s.known(); at > 0 {
		s.at = at
		if f := s.value(); f != nil {
			return f.within("." + fieldNames[name])
		}
		if s.event.set(name, s.pop()) {
			return s.fail(at, repeated).within("." + fieldNames[name])
		}
		return nil
	}
	if f := s.member(); f != nil {
		return f
	}
	if name := s.stack[base]; s.settle(base) {
		return s.fail(s.at-1, repeated).within(inKey(name))
	}
	return nil
}

// known looks for the name of a field and the colon at its end, written as nearly everybody writes them; at is behind
// the colon, 0 = it is another name, or written otherwise.
func (s jsonText) known() (field, at int) {
	rest := s.b[s.at:]
	for i := 1; i < len(rest) && i <= fieldLongest+1; i++ {
		if rest[i] != '"' {
			continue
		}
		if field = fieldOf(string(rest[1:i])); field == fieldUnknown || rest[0] != '"' || i+1 == len(rest) || rest[i+1] != ':' {
			return 0, 0
		}
		return field, s.at + i + 2
	}
	return 0, 0
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
		return s.fail(s.at-1, repeated).within(inKey(s.stack[base+i]))
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
	if n, ok := s.short(); ok {
		return s.push(Value{Kind: Int, Int: n})
	}
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

// short reads a whole number of a few digits, as most are; false = it is another.
func (s jsonText) short() (n int64, ok bool) {
	const few = 18
	i := s.at
	for i < len(s.b) && '0' <= s.b[i] && s.b[i] <= '9' {
		n = n*10 + int64(s.b[i]-'0')
		i++
	}
	size := i - s.at
	if size == 0 || size > few || size > 1 && s.b[s.at] == '0' || i == len(s.b) || s.b[i] == '.' || s.b[i]|0x20 == 'e' {
		return 0, false
	}
	s.at = i
	return n, true
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
