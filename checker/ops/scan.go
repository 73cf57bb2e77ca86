package ops

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// scan is the text of one event and what both formats need to turn it into a value. A value costs no allocation beyond
// its own: lists are gathered on one stack and copied from there to a slab, short texts that come again are shared.
type scan struct {
	b      []byte
	at     int
	last   bool // the file ends where b does
	limits limits
	depth  int
	values int
	stack  []Value
	event  raw // what was read last
	slab   []Value
	words
	text []byte // of a string with escapes
}

// A fault is the first place where a text breaks the rules of its format.
type fault struct {
	at   int
	path string // within the event: ".value[2]"
	text string
	cut  bool // all there is may be the beginning of something longer
}

func (s *scan) fail(at int, format string, args ...any) *fault {
	return &fault{at: at, text: fmt.Sprintf(format, args...)}
}

// ends is the fault of a text that ends too early.
func (s *scan) ends(within string) *fault {
	return &fault{at: len(s.b), text: "ends within " + within, cut: true}
}

// within notes where a fault lies; its path grows from the inside.
func (f *fault) within(place string) *fault {
	f.path = place + f.path
	return f
}

func inKey(key Value) string {
	name, _ := key.Name()
	return "." + short(name)
}

func inItem(i int) string { return fmt.Sprintf("[%d]", i) }

// begin takes the text of the next event.
func (s *scan) begin(b []byte, last bool) {
	s.b, s.at, s.last = b, 0, last
	s.depth, s.values, s.stack = 0, 0, s.stack[:0]
	s.event.clear()
}

// enter is called at the bracket of a list or map.
func (s *scan) enter() *fault {
	if s.depth++; s.depth > s.limits.depth {
		return s.fail(s.at, "deeper than %d lists and maps", s.limits.depth)
	}
	s.at++
	return nil
}

// push puts a value on the stack.
func (s *scan) push(v Value) *fault {
	if s.values++; s.values > s.limits.values {
		return s.fail(s.at, "more than %d values in one event", s.limits.values)
	}
	s.stack = append(s.stack, v)
	return nil
}

// top is the value that was pushed last.
func (s *scan) top() *Value { return &s.stack[len(s.stack)-1] }

// pop takes the value that was pushed last. It is good until the next push.
func (s *scan) pop() *Value {
	s.stack = s.stack[:len(s.stack)-1]
	return &s.stack[:len(s.stack)+1][len(s.stack)]
}

// settle takes a name and its value, pushed since base, as a field of the event. Of names that mean nothing the name
// alone stays on the stack.
func (s *scan) settle(base int) (again bool) {
	name := &s.stack[base]
	if field := fieldOf(name.Text); field != fieldUnknown && name.Kind == Text {
		again = s.event.set(field, s.top())
		s.stack = s.stack[:base]
		return again
	}
	s.stack = s.stack[:base+1]
	return false
}

const slabSize = 256

// leave makes a list or map of what was pushed since base, and leaves it in its place.
func (s *scan) leave(k Kind, base int) *fault {
	s.depth--
	items := s.keep(s.stack[base:])
	s.stack = s.stack[:base]
	return s.push(Value{Kind: k, Items: items})
}

// keep copies items to where they stay.
func (s *scan) keep(items []Value) []Value {
	n := len(items)
	if n > slabSize/8 {
		return slices.Clone(items)
	}
	if n > cap(s.slab)-len(s.slab) {
		s.slab = make([]Value, 0, slabSize)
	}
	from := len(s.slab)
	s.slab = append(s.slab, items...)
	return s.slab[from:len(s.slab):len(s.slab)]
}

// twice is the place of the first of the items, taken step by step, that was there before; -1 = all differ. Lists, maps
// and others are not compared.
func twice(items []Value, step int) int {
	const few = 16 * 2
	if len(items) <= few {
		for i := step; i < len(items); i += step {
			for j := 0; j < i; j += step {
				if same(&items[i], &items[j]) {
					return i
				}
			}
		}
		return -1
	}
	seen := make(map[Atom]struct{}, len(items)/step)
	for i := 0; i < len(items); i += step {
		a, ok := items[i].Atom()
		if _, before := seen[a]; before && ok {
			return i
		}
		seen[a] = struct{}{}
	}
	return -1
}

func same(a, b *Value) bool {
	return a.Kind == b.Kind && a.Int == b.Int && a.Text == b.Text && a.Scalar()
}

const (
	wordBits = 12
	wordMax  = 32 // a longer text hardly comes twice
)

// words are texts that came lately.
type words [1 << wordBits]string

// share is the text as a string, the one from before if it came lately. The table forgets: it never grows with the file.
func (t *words) share(text []byte) string {
	if len(text) > wordMax {
		return string(text)
	}
	slot := &t[mix(text)>>(64-wordBits)]
	if *slot != string(text) {
		*slot = string(text)
	}
	return *slot
}

// mix spreads texts over 64 bits, the upper ones best: names that differ in their last digits must not share a place.
// Texts that were made to collide cost one allocation each, as without a table.
func mix(text []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	h := uint64(len(text))
	for ; len(text) > 8; text = text[8:] {
		h = (h ^ binary.LittleEndian.Uint64(text)) * odd
		h ^= h >> 32
	}
	var last [8]byte
	copy(last[:], text)
	return (h ^ binary.LittleEndian.Uint64(last[:])) * odd
}

// plain are the bytes of a string that stand for themselves.
var plain = func() (t [256]bool) {
	for i := range t {
		t[i] = i >= 0x20 && i != '"' && i != '\\'
	}
	return t
}()

// quoted reads a string from its quotation mark on. controls says that control characters may stand in it as they are.
func (s *scan) quoted(controls bool) (string, *fault) {
	from := s.at + 1
	i := from
	for b := s.b; i < len(b) && plain[b[i]]; {
		i++
	}
	if i < len(s.b) && s.b[i] == '"' {
		s.at = i + 1
		return s.share(s.b[from:i]), nil
	}
	s.text = append(s.text[:0], s.b[from:i]...)
	for i < len(s.b) {
		switch c := s.b[i]; {
		case plain[c], c < 0x20 && controls:
			s.text = append(s.text, c)
			i++
		case c == '"':
			s.at = i + 1
			return s.share(s.text), nil
		case c == '\\':
			n, f := s.escape(i)
			if f != nil {
				return "", f
			}
			i += n
		default:
			return "", s.fail(i, "control character %U in a text, not escaped", rune(c))
		}
	}
	return "", s.ends("a text")
}

const (
	escapes  = `"\/bfnrt`
	escaped  = "\"\\/\b\f\n\r\t"
	unitSize = len(`\u0000`)
)

// escape reads what a backslash at i begins, and says how long it is.
func (s *scan) escape(i int) (int, *fault) {
	if i+1 >= len(s.b) {
		return 0, s.ends("a text")
	}
	c := s.b[i+1]
	for k := range len(escapes) {
		if escapes[k] == c {
			s.text = append(s.text, escaped[k])
			return 2, nil
		}
	}
	if c != 'u' {
		return 0, s.fail(i, "unknown escape %s in a text", s.shown(i, 2))
	}
	r, f := s.unit(i)
	if f != nil {
		return 0, f
	}
	if !utf16.IsSurrogate(r) {
		s.text = utf8.AppendRune(s.text, r)
		return unitSize, nil
	}
	if j := i + unitSize; j+1 < len(s.b) && s.b[j] == '\\' && s.b[j+1] == 'u' {
		second, f := s.unit(j)
		if f != nil {
			return 0, f
		}
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			s.text = utf8.AppendRune(s.text, pair)
			return 2 * unitSize, nil
		}
	} else if j+1 >= len(s.b) {
		return 0, s.ends("a text")
	}
	return 0, s.fail(i, "%s is half of a surrogate pair", s.shown(i, unitSize))
}

// unit reads a \u escape at i.
func (s *scan) unit(i int) (rune, *fault) {
	if i+unitSize > len(s.b) {
		return 0, s.ends("a text")
	}
	r := rune(0)
	for _, c := range s.b[i+2 : i+unitSize] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, s.fail(i, "unknown escape %s in a text", s.shown(i, unitSize))
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

// shown quotes up to n bytes from i for a message.
func (s *scan) shown(i, n int) string { return fmt.Sprintf("%q", s.b[i:min(i+n, len(s.b))]) }

// char quotes the character at i for a message.
func (s *scan) char(i int) string {
	_, n := utf8.DecodeRune(s.b[i:])
	return s.shown(i, n)
}

// whole is a decimal number as a value: of kind Int if it fits, else Other. It costs less than strconv and takes bytes.
func whole(text []byte) Value {
	digits, negative := text, false
	if digits[0] == '-' || digits[0] == '+' {
		negative, digits = digits[0] == '-', digits[1:]
	}
	n := uint64(0)
	for _, c := range digits {
		d := uint64(c - '0')
		if n > (1<<63-d)/10 {
			return Value{Kind: Other, Text: string(text)}
		}
		n = n*10 + d
	}
	switch {
	case negative:
		return Value{Kind: Int, Int: -int64(n)} // 1<<63 is its own negative
	case n == 1<<63:
		return Value{Kind: Other, Text: string(text)}
	}
	return Value{Kind: Int, Int: int64(n)}
}
