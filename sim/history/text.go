package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// This file holds the small parts that the codecs of histories and rows share: appenders, a line reader with a
// limit, and a scanner for one line of JSON. None of them panics on any input.

func comma(b []byte, i int) []byte {
	if i == 0 {
		return b
	}
	return append(b, ',')
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendIntField(b []byte, name string, v int64) []byte {
	return strconv.AppendInt(appendName(b, name), v, 10)
}

func appendStringField(b []byte, name, v string) []byte {
	return appendString(appendName(b, name), v)
}

func appendDetail(b []byte, name, v string) []byte {
	if v == "" {
		return b
	}
	return appendStringField(b, name, v)
}

const hexDigits = "0123456789abcdef"

func appendHex(b []byte, v uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}

// appendString appends a JSON string escaped as encoding/json does without HTML escaping.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if (r != utf8.RuneError || size > 1) && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
		}
		b = appendEscape(append(b, s[start:i]...), r)
		i += size
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscape(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// sameBytes demands that a line is the canonical one.
func sameBytes(want, line []byte) error {
	if bytes.Equal(want, line) {
		return nil
	}
	at := 0
	for at < len(want) && at < len(line) && want[at] == line[at] {
		at++
	}
	return fmt.Errorf("column %d: not in canonical form: %.40q where %.40q belongs", at+1, line[at:], want[at:])
}

// lineReader gives lines without their newlines and counts them.
type lineReader struct {
	r *bufio.Reader
	n int
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, MaxLine+1)}
}

func (l *lineReader) wrap(err error) error { return fmt.Errorf("line %d: %w", l.n, err) }

// next returns the next line, valid until the next call. Its error is io.EOF or names the line.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if err == io.EOF && len(line) == 0 {
		return nil, io.EOF
	}
	l.n++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, l.wrap(fmt.Errorf("longer than %d bytes", MaxLine))
	case err == io.EOF:
		return nil, l.wrap(errors.New("the file ends inside this line"))
	case err != nil:
		return nil, l.wrap(err)
	}
	return line[:len(line)-1], nil
}

// scanner reads one line of JSON without white space. After the first error it reads neutral values.
type scanner struct {
	b      []byte
	i      int
	err    error
	intern map[string]string
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("column %d: %s", s.i+1, fmt.Sprintf(format, args...))
		s.i = len(s.b)
	}
}

func (s *scanner) try(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) expect(c byte) {
	if !s.try(c) {
		s.fail("%q must be here", c)
	}
}

// name reads the name of the next field, which must be that one, and its colon.
func (s *scanner) name(want string) {
	if got := s.rawString(); s.err == nil && string(got) != want {
		s.fail("field %q where %q must be", got, want)
	}
	s.expect(':')
}

func (s *scanner) end() {
	if s.i < len(s.b) {
		s.fail("more text after the value")
	}
}

// rawString reads a string; the bytes are valid until the line is gone.
func (s *scanner) rawString() []byte {
	s.expect('"')
	start := s.i
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1]
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.fail("a control character in a string")
			return nil
		}
	}
	s.fail("a string without its end")
	return nil
}

// escaped reads the rest of a string that holds an escape.
func (s *scanner) escaped(start int) []byte {
	for ; s.i < len(s.b) && s.b[s.i] != '"'; s.i++ {
		if s.b[s.i] == '\\' {
			s.i++
		}
	}
	if s.i >= len(s.b) {
		s.fail("a string without its end")
		return nil
	}
	s.i++
	var text string
	if err := json.Unmarshal(s.b[start-1:s.i], &text); err != nil {
		s.fail("%v", err)
	}
	return []byte(text)
}

// maxInterned bounds the memory of shared strings.
const maxInterned = 1 << 20

func (s *scanner) string() string {
	raw := s.rawString()
	if len(raw) == 0 {
		return ""
	}
	if shared, ok := s.intern[string(raw)]; ok {
		return shared
	}
	text := string(raw)
	if s.intern != nil && len(s.intern) < maxInterned {
		s.intern[text] = text
	}
	return text
}

func (s *scanner) digits() []byte {
	start := s.i
	s.try('-')
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.b[start:s.i]
}

func (s *scanner) int(bits int) int64 {
	v, err := strconv.ParseInt(string(s.digits()), 10, bits)
	if err != nil {
		s.fail("not an integer of %d bits", bits)
	}
	return v
}

func (s *scanner) uint() uint64 {
	v, err := strconv.ParseUint(string(s.digits()), 10, 64)
	if err != nil {
		s.fail("not a natural number of 64 bits")
	}
	return v
}

func (s *scanner) hex() uint64 {
	raw := s.rawString()
	v, err := strconv.ParseUint(string(raw), 16, 64)
	if err != nil || len(raw) != 16 {
		s.fail("not 16 hex digits")
	}
	return v
}

func (s *scanner) bool() bool {
	for _, word := range [...]string{"true", "false"} {
		if bytes.HasPrefix(s.b[s.i:], []byte(word)) {
			s.i += len(word)
			return word == "true"
		}
	}
	s.fail("neither true nor false")
	return false
}

// parsed reads a string that a closed table names.
func parsed[T any](s *scanner, parse func(string) (T, error)) T {
	v, err := parse(s.string())
	if err != nil {
		s.fail("%v", err)
	}
	return v
}
