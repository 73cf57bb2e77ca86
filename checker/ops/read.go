package ops

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"unicode/utf8"
)

// Format of a file.
type Format uint8

// The formats.
const (
	JSONLines Format = iota // one event a line; or, as elle-cli takes it, one list of events
	EDN                     // Jepsen's: maps one after the other, or one list of them
)

// Detect is the format of a file: by the ending of its name, else by how it begins.
func Detect(name string, first []byte) Format {
	switch path.Ext(name) {
	case ".edn":
		return EDN
	case ".json", ".jsonl", ".ndjson":
		return JSONLines
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(first, []byte(byteOrderMark)), "[{ \t\r\n")
	if len(text) == 0 {
		return JSONLines
	}
	if text[0] != '"' {
		if bytes.IndexByte([]byte(":#;(,"), text[0]) >= 0 {
			return EDN
		}
		return JSONLines
	}
	// Both may begin with a text as a key; only JSON has a colon behind it.
	_, rest, closed := bytes.Cut(text[1:], []byte(`"`))
	if rest = bytes.TrimLeft(rest, " \t\r\n"); closed && len(rest) > 0 && rest[0] != ':' {
		return EDN
	}
	return JSONLines
}

// Sink takes what a reader finds, in the order of the file.
type Sink struct {
	Header func(Header) // called once, before the first event; the zero header if the file has none
	Event  func(*Event) // the event is the sink's until the next call; its Value stays
}

// Read reads a history to its end, or until its problems are full. Everything that is wrong goes to the problems; the
// error is that of the reader alone.
//
// A file is at most 4 GiB long and has at most 2²⁶ events; an event has at most 16 MiB, 2²² values, and 64 lists and maps
// inside of each other. A header that cannot be read is not given to the sink: nobody knows then what the events mean.
func Read(r io.Reader, f Format, to Sink, p *Problems) error {
	return readWithin(standardLimits(), r, f, to, p)
}

func readWithin(l limits, r io.Reader, f Format, to Sink, p *Problems) error {
	x := &reader{w: newWindow(r, l), s: &scan{limits: l}, events: events{to: to, p: p, most: l.events}}
	x.words = &x.s.words
	x.w.more()
	switch first := x.w.b; {
	case x.foreign():
		return x.w.err
	case f == EDN:
		x.stream(ednText{x.s})
	case bytes.HasPrefix(bytes.TrimLeft(first[x.w.at:], " \t\r\n"), []byte("[")):
		x.stream(jsonText{x.s})
	default:
		x.lines()
	}
	x.tooLarge()
	x.none()
	return x.w.err
}

// reader turns a file into values and hands them on as events.
type reader struct {
	events
	w      *window
	s      *scan
	line   int // JSON Lines: of the text that is read; else how many lines end before w.at
	column int // bytes between the beginning of its line and w.at
}

// grammar is what a format adds to a scan.
type grammar interface {
	blanks() *fault
	read() *fault // an event, into its fields
}

const byteOrderMark = "\uFEFF"

// foreign says in one problem that a file is no text at all. A byte order mark of UTF-8 is skipped.
func (x *reader) foreign() bool {
	first := x.w.b[:min(len(x.w.b), 512)]
	for _, k := range []struct{ magic, name string }{
		{"\x1f\x8b", "compressed (gzip)"}, {"\x28\xb5\x2f\xfd", "compressed (zstd)"}, {"BZh", "compressed (bzip2)"},
		{"PK\x03\x04", "an archive (zip)"}, {"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"}, {"\x00", "binary, or UTF-16"},
	} {
		if bytes.HasPrefix(first, []byte(k.magic)) || k.magic == "\x00" && bytes.Contains(first, []byte(k.magic)) {
			x.stop("the file is %s: a history is text in UTF-8", k.name)
			return true
		}
	}
	if bytes.HasPrefix(first, []byte(byteOrderMark)) {
		x.w.at = len(byteOrderMark)
	}
	return false
}

// lines reads one event a line.
func (x *reader) lines() {
	g := jsonText{x.s}
	for !x.done() {
		text, ok := x.w.line()
		if !ok {
			return
		}
		x.line++
		x.s.begin(text, true)
		if _ = g.blanks(); x.s.at == len(text) {
			continue
		}
		f := g.read()
		if f == nil {
			if _ = g.blanks(); x.s.at < len(text) {
				f = x.s.fail(x.s.at, "no JSON: %s behind the end of the event: one event is one line", x.s.char(x.s.at))
			}
		}
		if f == nil {
			f = x.s.valid(len(text))
		}
		if f != nil {
			x.broken(x.line, f, "the line ", text)
			continue
		}
		x.take(x.line, &x.s.event)
	}
}

// valid holds the first n bytes to UTF-8. The grammars look at single bytes and leave it to this.
func (s *scan) valid(n int) *fault {
	if utf8.Valid(s.b[:n]) {
		return nil
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(s.b[at:n])
		if r == utf8.RuneError && size == 1 {
			return s.fail(at, "no UTF-8: byte %#02x at byte %d of the event", s.b[at], at)
		}
		at += size
	}
}

// stream reads maps one after the other, or a list of them, over lines as they come.
func (x *reader) stream(g grammar) {
	_, isJSON := g.(jsonText)
	list := brackets{json: isJSON}
	for !x.done() {
		more, f := x.step(g, &list)
		if more && f == nil {
			continue
		}
		if !x.s.last && (f == nil || f.cut) {
			if x.w.more(); x.w.long || x.w.big || x.w.err != nil {
				return
			}
			continue
		}
		if f == nil {
			f = list.end(x.s)
		}
		if f == nil || !x.recover(f) || list.closed {
			return
		}
		list.comma, list.after = false, false
	}
}

// step reads what is blank, and then a bracket, a comma or an event; more is false where the text ends. What it has read
// without a fault it passes over.
func (x *reader) step(g grammar, list *brackets) (more bool, f *fault) {
	x.s.begin(x.w.b[x.w.at:], x.w.eof)
	if f := g.blanks(); f != nil {
		return false, f
	}
	x.pass(x.s.at)
	x.s.begin(x.w.b[x.w.at:], x.w.eof)
	if len(x.s.b) == 0 {
		return false, nil
	}
	between, f := list.step(x.s)
	switch {
	case f != nil:
		return false, f
	case between:
		x.pass(x.s.at)
		return true, nil
	}
	return true, x.element(g, list)
}

// element reads one event and passes over it.
func (x *reader) element(g grammar, list *brackets) *fault {
	if f := g.read(); f != nil {
		return f
	}
	if x.s.at == len(x.s.b) && !x.s.last {
		return x.s.ends("an event") // a word at the end may go on
	}
	if f := x.s.valid(x.s.at); f != nil {
		return f
	}
	line := x.line + 1
	x.pass(x.s.at)
	list.comma, list.after = true, false
	x.take(line, &x.s.event)
	return nil
}

// pass goes over n bytes.
func (x *reader) pass(n int) {
	text := x.w.b[x.w.at : x.w.at+n]
	x.w.at += n
	x.line += bytes.Count(text, []byte("\n"))
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		x.column = n - i - 1
	} else {
		x.column += n
	}
}

// recover notes what is wrong with an event and goes on at the next one: the next line that opens a map no deeper inside
// than this one. What is deeper belongs to it.
func (x *reader) recover(f *fault) bool {
	text := x.w.b[x.w.at:]
	line := x.line + 1
	if !f.cut {
		line += bytes.Count(text[:min(f.at, len(text))], []byte("\n"))
	}
	x.broken(line, f, "the event that begins here has no end: the file ", text[:min(len(text), max(f.at, 512))])
	for n := 0; ; {
		i := bytes.IndexByte(text[n:], '\n')
		if i < 0 {
			if x.w.more() {
				text = x.w.b[x.w.at:]
				continue
			}
			return false
		}
		n += i + 1
		rest := bytes.TrimLeft(text[n:], " \t")
		if inside := len(text) - n - len(rest); inside <= x.column && len(rest) > 0 && (rest[0] == '{' || rest[0] == '#') {
			x.pass(n)
			return true
		}
	}
}

// brackets are those around all events of a file.
type brackets struct {
	json   bool
	close  byte // 0 = none is open
	closed bool // and over
	comma  bool // an event was read: JSON has a comma next
	after  bool // a comma was read: an event is next
}

// step takes what may stand between two events, if the text begins with it.
func (l *brackets) step(s *scan) (between bool, f *fault) {
	c := s.b[0]
	switch {
	case l.closed:
		return false, s.fail(0, "%s behind the end of the list of events", s.char(0))
	case l.close == 0 && !l.comma && c == '[':
		l.close = ']'
	case l.close == 0 && !l.comma && c == '(' && !l.json:
		l.close = ')'
	case l.close == 0:
		return false, nil
	case c == l.close && l.after:
		return false, s.fail(0, "no JSON: a comma before the end of the list of events")
	case c == l.close:
		l.closed, l.close = true, 0
	case l.json && l.comma && c == ',':
		l.comma, l.after = false, true
	case l.json && l.comma:
		return false, s.fail(0, "no JSON: %s where a comma or the end of the list of events belongs", s.char(0))
	default:
		return false, nil
	}
	s.at = 1
	return true, nil
}

// end is the fault of a list that the file does not close.
func (l *brackets) end(s *scan) *fault {
	if l.close == 0 {
		return nil
	}
	return s.ends("the list of events")
}

// tooLarge notes the limit of size that ended the reading.
func (x *reader) tooLarge() {
	switch {
	case x.w.big:
		x.stop("the file is longer than %d bytes", x.s.limits.file)
	case x.w.long:
		x.stop("longer than %d bytes, or without an end: an event", x.s.limits.event)
	}
}

// stop notes a problem of the file as a whole.
func (x *reader) stop(format string, args ...any) {
	x.p.Add(x.line+1, "", "%s", fmt.Sprintf(format, args...))
	x.stopped, x.began = true, true
}
