package ops

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// Format of a file.
type Format uint8

// The formats.
const (
	JSONLines Format = iota // one event a line
	EDN                     // Jepsen's: maps one after the other, or one vector of them
)

// MaxFile is the most bytes of a file.
const MaxFile = 4 << 30

// Detect guesses the format of a file from its name, else from its first bytes.
func Detect(name string, first []byte) Format {
	switch {
	case strings.HasSuffix(name, ".edn"):
		return EDN
	case strings.HasSuffix(name, ".json"), strings.HasSuffix(name, ".jsonl"):
		return JSONLines
	}
	if bytes.Contains(first, []byte(":type")) && !bytes.Contains(first, []byte(`"type"`)) {
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
func Read(r io.Reader, _ Format, to Sink, p *Problems) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<24)
	n, began := int64(0), false
	for line := 1; s.Scan(); line++ {
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		var raw map[string]any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&raw); err != nil {
			p.Add(line, "", "no JSON: %v", err)
			continue
		}
		v := valueOf(raw)
		if line == 1 && strings.HasPrefix(v.Field("header").Field("format").Text+v.Field("format").Text, "twiceless-history") {
			p.Add(line, "", "these are the facts of a run of ours, not operations: simulate replay judges and tells them from the case")
			return nil
		}
		if !began {
			began = true
			h := Header{}
			if fields := v.Field("header"); fields.Kind == Map {
				h = Header{Line: line, Fields: fields, Model: fields.Field("model").Text}
			}
			to.Header(h)
			if h.Line != 0 {
				continue
			}
		}
		e := Event{Line: line, Index: n, F: v.Field("f").Text, Value: v.Field("value"), Time: NoTime}
		n++
		e.Process, _ = v.Field("process").Name()
		if i := v.Field("index"); i.Kind == Int {
			e.Index = i.Int
		}
		if i := v.Field("time"); i.Kind == Int {
			e.Time = i.Int
		}
		var err error
		if e.Type, err = ParseType(v.Field("type").Text); err != nil {
			p.Add(line, "type", "%v", err)
			continue
		}
		to.Event(&e)
	}
	if !began {
		to.Header(Header{})
	}
	return s.Err()
}

func valueOf(x any) Value {
	switch x := x.(type) {
	case bool:
		if x {
			return Value{Kind: Bool, Int: 1}
		}
		return Value{Kind: Bool}
	case string:
		return Value{Kind: Text, Text: x}
	case json.Number:
		n, err := x.Int64()
		if err != nil {
			return Value{Kind: Other, Text: x.String()}
		}
		return Value{Kind: Int, Int: n}
	case []any:
		v := Value{Kind: List}
		for _, y := range x {
			v.Items = append(v.Items, valueOf(y))
		}
		return v
	case map[string]any:
		v := Value{Kind: Map}
		//det:unordered nothing depends on the order of the entries of a map
		for k, y := range x {
			v.Items = append(v.Items, Value{Kind: Text, Text: k}, valueOf(y))
		}
		return v
	}
	return Value{}
}
