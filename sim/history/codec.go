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

// The text form of a history is JSON Lines: the header as {"header":{…}}, then one fact a line.
//
// It is canonical: one history has one sequence of bytes. Fields have a fixed order, the eleven that every fact
// has are always there, details only when they are not neutral (-1 for an offset, zero otherwise), and there is
// no white space. Read accepts exactly what Write writes and nothing else, so that equal files and equal
// histories are the same thing and a damaged file is never read as a smaller one.

// MaxLine is the longest line of a history or row file that is read or written.
const MaxLine = 1 << 20

const formatName = "twiceless-history"

// Write writes the history in its canonical text form. It refuses what Read could not give back: a kind outside
// the table or a string that is not UTF-8.
func (h *History) Write(w io.Writer) error {
	bw := bufio.NewWriterSize(w, 1<<16)
	line := append(AppendHeader(nil, &h.Header), '\n')
	if _, err := bw.Write(line); err != nil {
		return err
	}
	for i := range h.Facts {
		f := &h.Facts[i]
		if err := writable(f); err != nil {
			return fmt.Errorf("history: fact %d: %w", i+1, err)
		}
		line = append(AppendFact(line[:0], f), '\n')
		if len(line) > MaxLine {
			return fmt.Errorf("history: fact %d is %d bytes long, the limit is %d", i+1, len(line), MaxLine)
		}
		if _, err := bw.Write(line); err != nil {
			return err
		}
	}
	return bw.Flush()
}

// writable says whether a fact has a text form that reads back as the same fact.
func writable(f *Fact) error {
	if f.Kind == KindNone || f.Kind >= kindCount || f.Outcome >= outcomeCount || f.Class >= ClassCount {
		return fmt.Errorf("%s, outcome %s, class %s: not in the tables", f.Kind, f.Outcome, f.Class)
	}
	for _, s := range [...]string{f.Node, f.Event, f.Stage, f.Resource, f.Op, f.Key, f.Value, f.Note, f.Site} {
		if !utf8.ValidString(s) {
			return fmt.Errorf("the string %q is not UTF-8", s)
		}
	}
	return nil
}

// AppendHeader appends the header's line without its newline. Format and Version are always those of this code.
func AppendHeader(b []byte, h *Header) []byte {
	b = append(b, `{"header":{"format":"`+formatName+`"`...)
	b = appendIntField(b, "version", FormatVersion)
	b = appendIntField(b, "epoch", int64(h.Epoch))
	b = appendStringField(b, "scenario", h.Scenario)
	b = appendStringField(b, "hash", h.Hash)
	b = appendStringField(b, "stack", h.Stack)
	b = appendStringField(b, "seed", strconv.FormatUint(h.Seed, 10))
	b = append(b, `,"plan":[`...)
	for i, p := range h.Plan {
		b = appendString(comma(b, i), p)
	}
	b = append(b, `],"requires":[`...)
	for i := range h.Requires {
		b = append(comma(b, i), `{"stage":`...)
		b = appendString(b, h.Requires[i].Stage)
		b = appendStringField(b, "resource", h.Requires[i].Resource)
		b = append(appendStringField(b, "class", classTag(&h.Requires[i])), '}')
	}
	b = append(b, `],"ordered":`...)
	b = strconv.AppendBool(b, h.Ordered)
	b = append(b, `,"chaos":[`...)
	b = strconv.AppendInt(b, h.Chaos[0], 10)
	b = strconv.AppendInt(append(b, ','), h.Chaos[1], 10)
	b = appendIntField(append(b, ']'), "deadline", h.Deadline)
	if h.Heal != 0 { // left out when nothing is said, as histories of before have none
		b = appendIntField(b, "heal", h.Heal)
	}
	return append(b, '}', '}')
}

func classTag(r *Requirement) string {
	if r.Class == ClassNone {
		return r.ClassTag
	}
	return r.Class.String()
}

// AppendFact appends the fact's line without its newline.
func AppendFact(b []byte, f *Fact) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), f.ID, 10)
	b = appendIntField(b, "time", f.Time)
	b = appendStringField(b, "node", f.Node)
	b = appendIntField(b, "incarnation", int64(f.Incarnation))
	b = appendStringField(b, "kind", f.Kind.String())
	b = appendIntField(b, "cause", f.Cause)
	b = appendStringField(b, "event", f.Event)
	b = appendStringField(b, "stage", f.Stage)
	b = appendIntField(b, "attempt", int64(f.Attempt))
	b = appendIntField(b, "fence", f.Fence)
	b = appendStringField(b, "outcome", f.Outcome.String())
	b = appendDetail(b, "resource", f.Resource)
	b = appendDetail(b, "op", f.Op)
	b = appendDetail(b, "key", f.Key)
	b = appendDetail(b, "value", f.Value)
	if f.Offset != -1 {
		b = appendIntField(b, "offset", f.Offset)
	}
	if f.Until != 0 {
		b = appendIntField(b, "until", f.Until)
	}
	if f.Hash != 0 {
		b = appendHex(append(b, `,"hash":"`...), f.Hash)
		b = append(b, '"')
	}
	if f.Changed {
		b = append(b, `,"changed":true`...)
	}
	b = appendDetail(b, "class", f.Class.String())
	b = appendDetail(b, "note", f.Note)
	return append(appendDetail(b, "site", f.Site), '}')
}

// Read reads what Write wrote: at most limit facts (0 = DefaultLimit), each line at most MaxLine bytes. Its
// errors name the line. The history has the digest of the one that was written.
func Read(r io.Reader, limit int) (*History, error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	h := &History{limit: limit, digest: digestSeed}
	lines := newLineReader(r)
	line, err := lines.next()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("history: line 1: no header")
	} else if err != nil {
		return nil, err
	}
	if err := readHeader(line, &h.Header); err != nil {
		return nil, lines.wrap(err)
	}
	d := decoder{intern: map[string]string{}}
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return h, nil
		} else if err != nil {
			return nil, err
		}
		if len(h.Facts) >= limit {
			return nil, lines.wrap(fmt.Errorf("more than %d facts", limit))
		}
		h.Facts = append(h.Facts, Fact{})
		f := &h.Facts[len(h.Facts)-1]
		if err := d.fact(line, f, int64(len(h.Facts))); err != nil {
			return nil, lines.wrap(err)
		}
		h.digest = foldFact(h.digest, f)
	}
}

func readHeader(line []byte, h *Header) error {
	var wire struct {
		Header *Header `json:"header"`
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&wire); err != nil {
		return fmt.Errorf("not a header: %w", err)
	}
	if wire.Header == nil || wire.Header.Format != formatName {
		return fmt.Errorf(`not the header of a history of Twiceless (its "format" is %q)`, formatName)
	}
	*h = *wire.Header
	if h.Version != FormatVersion {
		return fmt.Errorf("format version %d, this program reads %d", h.Version, FormatVersion)
	}
	for i := range h.Requires {
		c, err := ParseClass(h.Requires[i].ClassTag)
		if err != nil && h.Requires[i].ClassTag != "" {
			return err
		}
		h.Requires[i].Class = c
	}
	return sameBytes(AppendHeader(nil, h), line)
}

// decoder reads facts; it shares equal strings and its scratch line.
type decoder struct {
	intern  map[string]string
	scratch []byte
}

// fact reads the fact with that id. It parses leniently and then demands that the fact's own text is the line:
// that one comparison rejects repeated fields, neutral details, white space and every other second spelling.
func (d *decoder) fact(line []byte, f *Fact, id int64) error {
	s := scanner{b: line, intern: d.intern}
	f.Fence, f.Offset = -1, -1
	s.expect('{')
	for first := true; s.err == nil && !s.try('}'); first = false {
		if !first {
			s.expect(',')
		}
		name := s.rawString()
		s.expect(':')
		s.factField(name, f)
	}
	s.end()
	switch {
	case s.err != nil:
		return s.err
	case f.ID != id:
		return fmt.Errorf("fact %d where fact %d must be: ids count up from 1", f.ID, id)
	case f.Cause < 0 || f.Cause >= f.ID:
		return fmt.Errorf("fact %d names fact %d as its cause: a cause lies before its effect", f.ID, f.Cause)
	}
	d.scratch = AppendFact(d.scratch[:0], f)
	return sameBytes(d.scratch, line)
}

// factField reads the value of one field of a fact.
func (s *scanner) factField(name []byte, f *Fact) {
	switch string(name) {
	case "id":
		f.ID = s.int(64)
	case "time":
		f.Time = s.int(64)
	case "node":
		f.Node = s.string()
	case "incarnation":
		f.Incarnation = int32(s.int(32))
	case "kind":
		f.Kind = parsed(s, ParseKind)
	case "cause":
		f.Cause = s.int(64)
	case "event":
		f.Event = s.string()
	case "stage":
		f.Stage = s.string()
	case "attempt":
		f.Attempt = int32(s.int(32))
	case "fence":
		f.Fence = s.int(64)
	case "outcome":
		f.Outcome = parsed(s, ParseOutcome)
	default:
		s.factDetail(name, f)
	}
}

func (s *scanner) factDetail(name []byte, f *Fact) {
	switch string(name) {
	case "resource":
		f.Resource = s.string()
	case "op":
		f.Op = s.string()
	case "key":
		f.Key = s.string()
	case "value":
		f.Value = s.string()
	case "offset":
		f.Offset = s.int(64)
	case "until":
		f.Until = s.int(64)
	case "hash":
		f.Hash = s.hex()
	case "changed":
		f.Changed = s.bool()
	case "class":
		f.Class = parsed(s, ParseClass)
	case "note":
		f.Note = s.string()
	case "site":
		f.Site = s.string()
	default:
		s.fail("unknown field %q", name)
	}
}
