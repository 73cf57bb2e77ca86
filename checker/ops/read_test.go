package ops_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/ops"
)

// history is all that a reader says of a file.
type history struct {
	header  ops.Header
	headers int
	events  []ops.Event
	err     error // what is wrong with the file
}

func read(t testing.TB, text string, f ops.Format) history {
	return readWithin(t, ops.Limits{}, strings.NewReader(text), f)
}

func readWithin(t testing.TB, l ops.Limits, r io.Reader, f ops.Format) (h history) {
	var p ops.Problems
	err := ops.ReadWithin(l, r, f, ops.Sink{
		Header: func(header ops.Header) {
			require.Empty(t, h.events, "the header comes first")
			h.header = header
			h.headers++
		},
		Event: func(e *ops.Event) { h.events = append(h.events, *e) },
	}, &p)
	require.NoError(t, err)
	require.LessOrEqual(t, h.headers, 1)
	h.err = p.Error("h")
	return h
}

// valueOf reads the text of a value.
func valueOf(t testing.TB, text string, f ops.Format) ops.Value {
	event := `{"type":"ok","process":1,"f":"f","value":` + text + `}`
	if f == ops.EDN {
		event = `{:type :ok :process 1 :f :f :value ` + text + `}`
	}
	h := read(t, event, f)
	require.NoError(t, h.err, text)
	require.Len(t, h.events, 1)
	return h.events[0].Value
}

// told is an event without its line, for people: names and texts, as the two formats can both say them.
func told(e ops.Event) string {
	value := e.Value.String()
	return fmt.Sprintf("%d @%d %s %s %s %s", e.Index, e.Time, e.Process, e.Type, e.F, value)
}

// A history of Jepsen says the same in EDN and in JSON. Only the keys of maps differ, which are always text in JSON, and
// what has no kind here is shown as it was written.
func TestJepsen(t *testing.T) {
	both := map[ops.Format][]string{}
	for name, f := range map[string]ops.Format{"jepsen.edn": ops.EDN, "jepsen.jsonl": ops.JSONLines} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		h := read(t, string(text), f)
		require.NoError(t, h.err)
		require.Equal(t, "list-append", h.header.Model)
		for _, e := range h.events {
			both[f] = append(both[f], told(e))
		}
	}
	require.Equal(t, []string{
		`0 @3291485317 0 invoke txn [["append", 1, 2], ["r", 3, null]]`,
		`1 @3296209422 2 invoke txn [["r", 3, null]]`,
		`2 @3300000000 nemesis info start-partition {"n1": ["n2", "n3"]}`,
		`3 @3365403674 2 fail txn [["r", 3, null]]`,
		`4 @3367733708 0 ok txn [["append", 1, 2], ["r", 3, [1, 2]]]`,
		`5 @3400000000 5 invoke txn [["append", "a b", 5], ["r", "jepsen/key", null]]`,
		`6 @3400000000 nemesis info start-partition null`,
		`7 @3500000001 5 info txn [["append", "a b", 5], ["r", "jepsen/key", null]]`,
		`8 @3500000001 worker 1 invoke read {1: 10, 2: -5, "three": 1.50, "four": #money "4 EUR"}`,
		`9 @3600000000 worker 1 ok read [true, false, null, 9223372036854775807, 9223372036854775808]`,
	}, both[ops.EDN])
	same := both[ops.EDN]
	same[8] = `8 @3500000001 worker 1 invoke read {"1": 10, "2": -5, "three": 1.50, "four": 4e0}`
	require.Equal(t, same, both[ops.JSONLines])
}

// However a file is cut into pieces while it is read, it says the same; so do one event a line and one list of them.
func TestPieces(t *testing.T) {
	for name, f := range map[string]ops.Format{"jepsen.edn": ops.EDN, "jepsen.jsonl": ops.JSONLines} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		whole := read(t, string(text), f)
		require.Len(t, whole.events, 10)
		for window := 1; window < len(text); window += 1 + window/7 {
			require.Equal(t, whole, readWithin(t, ops.Limits{Window: window}, bytes.NewReader(text), f), "%s, %d bytes at first", name, window)
		}
		require.Equal(t, whole, readWithin(t, ops.Limits{}, iotest.OneByteReader(bytes.NewReader(text)), f))
	}
}

// elle-cli takes a list of events, over one line or many; Clojure prints one so too.
func TestList(t *testing.T) {
	const (
		event = `{"index":%d,"type":"ok","process":1,"f":"read","value":[%d]}`
		map_  = `{:index %d :type :ok :process 1 :f :read :value [%d]}`
	)
	one, two := fmt.Sprintf(event, 4, 5), fmt.Sprintf(event, 5, 6)
	edn1, edn2 := fmt.Sprintf(map_, 4, 5), fmt.Sprintf(map_, 5, 6)
	for _, c := range []struct {
		name, text string
		format     ops.Format
		lines      [2]int
	}{
		{"lines", one + "\n" + two + "\n", ops.JSONLines, [2]int{1, 2}},
		{"blank lines, CRLF, no end of line", "\n" + one + "\r\n \t\r\n" + two, ops.JSONLines, [2]int{2, 4}},
		{"byte order mark", "\uFEFF" + one + "\n" + two, ops.JSONLines, [2]int{1, 2}},
		{"list in one line", "[" + one + "," + two + "]", ops.JSONLines, [2]int{1, 1}},
		{"list over lines", " [" + one + ",\n " + two + "\n]\n\n", ops.JSONLines, [2]int{1, 2}},
		{"event over lines", "[" + strings.ReplaceAll(one, ",", ",\n") + ",\n" + two + "]", ops.JSONLines, [2]int{1, 6}},
		{"maps", edn1 + "\n" + edn2, ops.EDN, [2]int{1, 2}},
		{"maps in one line", edn1 + edn2, ops.EDN, [2]int{1, 1}},
		{"vector", "[" + edn1 + "\n " + edn2 + "]\n; over", ops.EDN, [2]int{1, 2}},
		{"list", "(" + edn1 + ",\n#_ {:not :read} " + edn2 + ")", ops.EDN, [2]int{1, 2}},
		{"byte order mark", "\uFEFF" + edn1 + "\n" + edn2, ops.EDN, [2]int{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := read(t, c.text, c.format)
			require.NoError(t, h.err)
			require.Equal(t, 1, h.headers)
			require.Len(t, h.events, 2)
			for i, e := range h.events {
				require.Equal(t, fmt.Sprintf("%d @-1 1 ok read [%d]", i+4, i+5), told(e))
				require.Equal(t, c.lines[i], e.Line)
			}
		})
	}
}

// What is not stated has a value that says so: no time, and the number of the event as its index.
func TestNotStated(t *testing.T) {
	h := read(t, `{"type":"invoke","process":"a","f":"read"}
{"type":"info","process":"a","f":"read","value":null,"time":-1,"index":-1,"error":"timeout","node":{"a":{}}}`, ops.JSONLines)
	require.NoError(t, h.err)
	require.Equal(t, []ops.Event{
		{Line: 1, Index: 0, Process: "a", Type: ops.Invoke, F: "read", Time: ops.NoTime},
		{Line: 2, Index: 1, Process: "a", Type: ops.Info, F: "read", Time: ops.NoTime},
	}, h.events)
}

// Elle leaves f out where the value is a list of micro-operations, and only there.
func TestTransactionsWithoutF(t *testing.T) {
	h := read(t, `{"type":"ok","process":1,"value":[["append",1,2]]}
{"type":"ok","process":1,"value":["append",1,2]}
{"type":"ok","process":1,"value":[]}
{"type":"ok","process":1}`, ops.JSONLines)
	require.Len(t, h.events, 1)
	require.Equal(t, "txn", h.events[0].F)
	require.EqualError(t, h.err, "h:2: f: missing\nh:3: f: missing\nh:4: f: missing")
}

// Numbers are whole and exact, or they are no numbers that a model takes.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		json, edn string
		kind      ops.Kind
		n         int64
	}{
		{"0", "0", ops.Int, 0},
		{"-0", "-0", ops.Int, 0},
		{"12", "+12", ops.Int, 12},
		{"9223372036854775807", "9223372036854775807N", ops.Int, 1<<63 - 1},
		{"-9223372036854775808", "-9223372036854775808", ops.Int, -1 << 63},
		{"9223372036854775808", "9223372036854775808", ops.Other, 0},
		{"-9223372036854775809", "-9223372036854775809N", ops.Other, 0},
		{"123456789012345678901234567890", "123456789012345678901234567890", ops.Other, 0},
		{"1.0", "1.0", ops.Other, 0},
		{"1e3", "1e3", ops.Other, 0},
		{"-1.5E-10", "1.5M", ops.Other, 0},
		{"0.1", "1/3", ops.Other, 0},
		{"0e1", "0x1F", ops.Other, 0},
		{"100000000000000000000.5", "##Inf", ops.Other, 0},
	} {
		for number, f := range map[string]ops.Format{c.json: ops.JSONLines, c.edn + " ": ops.EDN} {
			want := ops.Value{Kind: c.kind, Int: c.n}
			if c.kind == ops.Other {
				want.Text = strings.TrimSpace(number) // as it was written
			}
			require.Equal(t, want, valueOf(t, number, f), number)
		}
	}
}

// Escapes stand for one character each, a pair of surrogates for one too.
func TestTexts(t *testing.T) {
	for text, want := range map[string]string{
		`""`:                   "",
		`"plain"`:              "plain",
		`"\"\\\/\b\f\n\r\t"`:   "\"\\/\b\f\n\r\t",
		`"\u0041\u00e9\uFFFF"`: "Aé\uFFFF",
		`"\ud83d\ude00!"`:      "😀!",
		`"é😀"`:                 "é😀",
		`"` + strings.Repeat("a long one ", 9) + `"`: strings.Repeat("a long one ", 9),
	} {
		for _, f := range []ops.Format{ops.JSONLines, ops.EDN} {
			require.Equal(t, ops.Value{Kind: ops.Text, Text: want}, valueOf(t, text, f))
		}
	}
}

// What EDN has and nothing here takes may stand in a file; it is Other, as it was written.
func TestOthers(t *testing.T) {
	for _, text := range []string{
		`\a`, `\newline`, `\"`, `\u0041`, `\(`, `#inst "2024"`, `#a #b [1 2]`, `#:ns{:a 1}`, `##NaN`,
		`{[1] 2}`, `{1.5 2}`, `#jepsen.history.Op {}`,
	} {
		require.Equal(t, ops.Value{Kind: ops.Other, Text: text}, valueOf(t, text, ops.EDN))
	}
}

// An error of the reader is no problem of the file.
func TestReaderFails(t *testing.T) {
	broken := errors.New("disk")
	for _, f := range []ops.Format{ops.JSONLines, ops.EDN} {
		var p ops.Problems
		r := io.MultiReader(strings.NewReader(`{"type":`), iotest.ErrReader(broken))
		err := ops.Read(r, f, ops.Sink{Header: func(ops.Header) {}, Event: func(*ops.Event) { t.Error("there is no event") }}, &p)
		require.ErrorIs(t, err, broken)
	}
}

// The ending of its name says what a file is, else its first bytes do.
func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, first string
		want        ops.Format
	}{
		{"history.edn", `{"index":0}`, ops.EDN},
		{"history.json", `{:index 0}`, ops.JSONLines},
		{"history.jsonl", "", ops.JSONLines},
		{"history.ndjson", `{:index 0}`, ops.JSONLines},
		{"history", "", ops.JSONLines},
		{"history", "\uFEFF \n[{\n \"index\" : 0", ops.JSONLines},
		{"history", `{}`, ops.JSONLines},
		{"history.txt", `{"index":`, ops.JSONLines},
		{"history.txt", `{"ind`, ops.JSONLines},
		{"history.txt", `{"index" 0, "type" :ok}`, ops.EDN},
		{"history.txt", `{:index 0}`, ops.EDN},
		{"-", "[{:index 0}", ops.EDN},
		{"-", "; of yesterday\n{:index 0}", ops.EDN},
		{"-", `#jepsen.history.Op{:index 0}`, ops.EDN},
		{"-", `({:index 0})`, ops.EDN},
	} {
		require.Equal(t, c.want, ops.Detect(c.name, []byte(c.first)), "%s: %s", c.name, c.first)
	}
}
