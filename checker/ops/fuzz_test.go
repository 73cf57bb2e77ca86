package ops_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/ops"
)

// FuzzJSON holds the reader to this: no text makes it panic; each problem has a line; and what was accepted, printed
// again by the rules of JSON alone, is read as the same events.
func FuzzJSON(f *testing.F) {
	seed(f, "jepsen.jsonl")
	for _, s := range []string{
		`[{"type":"ok","process":1,"f":"f","value":[1.5,-0,1e3,true,null,{"a":{}}]}, {"index":3}]`,
		"\uFEFF\r\n{\"header\":{\"model\":\"kv\",\"initial\":[0]}}\r\n{\"type\":\"ok\",\"process\":\"\\ud83d\\ude00\",\"f\":\"\\u0000\"}",
		`{"type":"info","process":1,"value":[["r",1,null]],"time":-1,"index":-1}`, "{\"value\":\"\xff\"}", "\x1f\x8b", `{"a":1,"a":2}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		again(t, text, ops.JSONLines, printJSON)
	})
}

// FuzzEDN is the same for EDN. What has no kind there is printed as it was written.
func FuzzEDN(f *testing.F) {
	seed(f, "jepsen.edn")
	for _, s := range []string{
		`[{:type :ok :process 1 :f f :value #{1 2N 007 1/2 "a\u0041"}} #_[x] {:index 3}]`,
		`({"type" "ok", process 1, :f :a/b :value {nil 1, true 2, 3 4, "k" \newline, [1] #a #:b{:c ##NaN}}})`,
		"{:header {:model :kv}} ; c\n#jepsen.history.Op{:type :invoke, :process :a, :value ((:r 1 nil))}", "{:a 1 \"a\" 2}", "#_", "#", "\\",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		again(t, text, ops.EDN, printEDN)
	})
}

func seed(f *testing.F, name string) {
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(f, err)
	f.Add(text)
	for _, line := range strings.SplitAfter(string(text), "\n") {
		f.Add([]byte(line))
	}
}

func again(t *testing.T, text []byte, f ops.Format, print func(*strings.Builder, ops.Value)) {
	h := readWithin(t, ops.Limits{Window: 1 << 12}, strings.NewReader(string(text)), f)
	if h.err != nil {
		require.True(t, utf8.ValidString(h.err.Error()))
		for _, line := range strings.Split(h.err.Error(), "\n") {
			require.Regexp(t, `^h:\d+: .`, line)
		}
		return
	}
	require.Equal(t, 1, h.headers)
	var b strings.Builder
	if h.header.Line != 0 {
		print(&b, record("header", h.header.Fields))
		b.WriteByte('\n')
	}
	for _, e := range h.events {
		print(&b, record("index", whole(e.Index), "time", whole(e.Time), "process", named(e.Process), "type", named(e.Type.String()),
			"f", named(e.F), "value", e.Value))
		b.WriteByte('\n')
	}
	other := read(t, b.String(), f)
	require.NoError(t, other.err, b.String())
	require.Equal(t, h.header.Fields, other.header.Fields, b.String())
	require.Len(t, other.events, len(h.events))
	for i := range h.events {
		h.events[i].Line, other.events[i].Line = 0, 0
		require.Equal(t, h.events[i], other.events[i], b.String())
	}
}

func whole(n int64) ops.Value  { return ops.Value{Kind: ops.Int, Int: n} }
func named(s string) ops.Value { return ops.Value{Kind: ops.Text, Text: s} }

func record(fields ...any) ops.Value {
	v := ops.Value{Kind: ops.Map}
	for i := 0; i < len(fields); i += 2 {
		v.Items = append(v.Items, named(fields[i].(string)), fields[i+1].(ops.Value))
	}
	return v
}

func printJSON(b *strings.Builder, v ops.Value) { printValue(b, v, ",", ":") }
func printEDN(b *strings.Builder, v ops.Value)  { printValue(b, v, " ", " ") }

// printValue writes a value. What is between elements and between key and value is all that differs: texts with the
// escapes of JSON are texts in EDN too.
func printValue(b *strings.Builder, v ops.Value, comma, colon string) {
	null := "null"
	if comma == " " {
		null = "nil"
	}
	switch v.Kind {
	case ops.Null:
		b.WriteString(null)
	case ops.Bool:
		b.WriteString(strconv.FormatBool(v.Int == 1))
	case ops.Int:
		b.WriteString(strconv.FormatInt(v.Int, 10))
	case ops.Text:
		printText(b, v.Text)
	case ops.Other:
		b.WriteString(v.Text)
	case ops.List, ops.Map:
		brackets := "[]"
		if v.Kind == ops.Map {
			brackets = "{}"
		}
		b.WriteByte(brackets[0])
		for i, item := range v.Items {
			switch {
			case i > 0 && v.Kind == ops.Map && i%2 == 1:
				b.WriteString(colon)
			case i > 0:
				b.WriteString(comma)
			}
			printValue(b, item, comma, colon)
		}
		b.WriteByte(brackets[1])
	}
}

func printText(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			b.WriteString(`\u00`)
			b.WriteByte("0123456789abcdef"[r>>4])
			b.WriteByte("0123456789abcdef"[r&15])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
