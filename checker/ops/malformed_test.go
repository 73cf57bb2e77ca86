package ops_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/ops"
)

// A file that is wrong is refused with everything that is wrong with it, each with its line and field. The files of this
// table are the specification.
func TestMalformed(t *testing.T) {
	const (
		invoke = `{"type":"invoke","process":1,"f":"read"}` + "\n"
		ok     = `{"type":"ok","process":1,"f":"read","value":null}` + "\n"
		map_   = `{:type :invoke, :process 1, :f :read}` + "\n"
	)
	for _, c := range []struct {
		name, text string
		format     ops.Format
		want       string
	}{
		// Text that is no JSON.
		{"not closed", invoke + `{"type":"ok"`, ops.JSONLines, "h:2: the line ends within a map"},
		{"over two lines", "{\"type\":\"ok\",\n\"process\":1}\n" + invoke, ops.JSONLines,
			"h:1: the line ends within a map\nh:2: no JSON: \":\" behind the end of the event: one event is one line"},
		{"two in one line", `{} {}`, ops.JSONLines, `h:1: no JSON: "{" behind the end of the event: one event is one line`},
		{"a comma too many", `{"type":"ok",}`, ops.JSONLines, "h:1: no JSON: a comma before the end of a map"},
		{"a comma too few", `{"value":[1 2]}`, ops.JSONLines, `h:1: value: no JSON: "2" where a comma or the end of a list belongs`},
		{"no colon", `{"a" 1}`, ops.JSONLines, `h:1: a: no JSON: "1" where a colon belongs`},
		{"no quotes", `{type:"ok"}`, ops.JSONLines, `h:1: no JSON: "t" where a name in quotes begins`},
		{"a word", `{"value":nil}`, ops.JSONLines, `h:1: value: no JSON: "n" where a value begins`},
		{"numbers", `{"value":01}` + "\n" + `{"value":-}` + "\n" + `{"value":1.}` + "\n" + `{"value":[1e+]}`, ops.JSONLines,
			`h:1: no JSON: "1" where a comma or the end of a map belongs` + "\n" + `h:2: value: no JSON: "}" where a digit belongs` + "\n" +
				`h:3: value: no JSON: "}" where a digit belongs` + "\n" + `h:4: value[0]: no JSON: "]" where a digit belongs`},
		{"a name twice", `{"type":"ok","process":1,"f":"read","type":"ok"}`, ops.JSONLines, "h:1: type: a name that comes twice in one map"},
		{"a name twice that nobody reads", `{"a":1,"b":1,"a":2}`, ops.JSONLines, "h:1: a: a name that comes twice in one map"},
		{"a name twice, once with an escape", `{"type":"ok","typ\u0065":"ok"}`, ops.JSONLines, "h:1: type: a name that comes twice in one map"},
		{"a key twice", `{"value":[{"k":{"a":1,"a":1}}]}`, ops.JSONLines, "h:1: value[0].k.a: a name that comes twice in one map"},
		{"a control character", "{\"value\":[\"a\tb\"]}", ops.JSONLines, "h:1: value[0]: control character U+0009 in a text, not escaped"},
		{"escapes", `{"value":"\x"}` + "\n" + `{"value":"\u12g4"}`, ops.JSONLines,
			`h:1: value: unknown escape "\\x" in a text` + "\n" + `h:2: value: unknown escape "\\u12g4" in a text`},
		{"half a surrogate pair", `{"value":"\ud800"}` + "\n" + `{"value":"\udc00\ud800"}` + "\n" + `{"value":"\ud800\u0041"}`, ops.JSONLines,
			`h:1: value: "\\ud800" is half of a surrogate pair` + "\n" + `h:2: value: "\\udc00" is half of a surrogate pair` + "\n" +
				`h:3: value: "\\ud800" is half of a surrogate pair`},
		{"names that are no line", `{"a\nb\u001b[1m":1,"a\nb\u001b[1m":1}` + "\n{\"\xff\":?}", ops.JSONLines,
			`h:1: a\nb\x1b[1m: a name that comes twice in one map` + "\n" + `h:2: �: no JSON: "?" where a value begins`},
		{"invalid UTF-8", "{\"value\":\"\xc3\x28\"}\n{\"\xff\":1}", ops.JSONLines,
			"h:1: no UTF-8: byte 0xc3 at byte 10 of the event\nh:2: no UTF-8: byte 0xff at byte 2 of the event"},
		{"an overlong slash", "{\"value\":\"\xc0\xaf\"}", ops.JSONLines, "h:1: no UTF-8: byte 0xc0 at byte 10 of the event"},
		{"EDN in a JSON file", map_, ops.JSONLines, `h:1: no JSON: ":" where a name in quotes begins`},

		// Files that are no text.
		{"gzip", "\x1f\x8b\x08\x00\n\n\n", ops.JSONLines, "h:1: the file is compressed (gzip): a history is text in UTF-8"},
		{"UTF-16", "\xff\xfe{\x00\n\x00", ops.EDN, "h:1: the file is UTF-16: a history is text in UTF-8"},
		{"UTF-16 without a mark", "{\x00\"\x00\n\x00", ops.JSONLines, "h:1: the file is binary, or UTF-16: a history is text in UTF-8"},

		// Lists of events.
		{"a list that does not end", "[" + invoke, ops.JSONLines, "h:2: the event that begins here has no end: the file ends within the list of events"},
		{"text behind the list", "[" + invoke + "]\n{}\n{}", ops.JSONLines, `h:3: "{" behind the end of the list of events`},
		{"a list without commas", "[" + invoke + ok + "]", ops.JSONLines, `h:2: no JSON: "{" where a comma or the end of the list of events belongs`},
		{"a list with a comma too many", "[" + invoke + ",]", ops.JSONLines, "h:2: no JSON: a comma before the end of the list of events"},
		{"a list of numbers", "[1,\n2]", ops.JSONLines, "h:1: an event is a map, not a whole number\nh:2: an event is a map, not a whole number"},
		{"a wrong event in a list", "[" + strings.TrimSpace(invoke) + ",\n {\"type\":\"ok\",\n  \"value\":tru}\n ,\n {\"type\":1}]", ops.JSONLines,
			"h:3: value: no JSON: \"t\" where a value begins\nh:5: type: text belongs here, not a whole number\nh:5: process: missing\nh:5: f: missing"},

		// Text that is no EDN.
		{"a map that does not end", map_ + "{:type :ok\n" + map_, ops.EDN, "h:2: the event that begins here has no end: the file ends within a map"},
		{"a key without a value", "{:type :ok :process}", ops.EDN, "h:1: process: no EDN: a key without a value"},
		{"a bracket too many", map_ + "}\n" + map_ + ")", ops.EDN, `h:2: no EDN: "}" where a value begins` + "\n" + `h:4: no EDN: ")" where a value begins`},
		{"the wrong bracket", "{:value [1 2)}", ops.EDN, `h:1: value[2]: no EDN: ")" where a value begins`},
		{"metadata", "{:value ^{:a 1} [1]}", ops.EDN, `h:1: value: no EDN: "^" where a value begins`},
		{"numbers of EDN", "{:value 1x2y}\n{:value -1/}\n{:value [0 0x1G]}\n{:value 1a}", ops.EDN,
			"h:1: value: no EDN: \"1x2y\" is no number\nh:2: value: no EDN: \"-1/\" is no number\n" +
				"h:3: value[1]: no EDN: \"0x1G\" is no number\nh:4: value: no EDN: \"1a\" is no number"},
		{"keywords", "{:value :}\n{:value ::a}", ops.EDN, `h:1: value: no EDN: ":" is no keyword` + "\n" + `h:2: value: no EDN: "::a" is no keyword`},
		{"tags", "{:value #1 2}\n{:value #(inc)}", ops.EDN, `h:1: value: no EDN: "1" behind a #` + "\n" + `h:2: value: no EDN: "(" where a value begins`},
		{"a key twice as text and keyword", `{:value {:a 1 "a" 2}}`, ops.EDN,
			"h:1: value.a: a key that comes twice in one map (a keyword, a symbol and a text are the same here)"},
		{"a field twice", "{:type :ok :type :ok}", ops.EDN, "h:1: type: a key that comes twice in one map (a keyword, a symbol and a text are the same here)"},
		{"a set with one twice", "{:value #{1 2 1}}", ops.EDN, "h:1: value: a set that holds 1 twice"},
		{"invalid UTF-8 in EDN", map_ + "{:value \"\xe9\"}", ops.EDN, "h:2: no UTF-8: byte 0xe9 at byte 9 of the event"},
		{"a word", "null", ops.EDN, "h:1: an event is a map, not text"},
		{"an event over lines", map_ + "{:type :ok\n :process 1\n :value [1 }]}\n{:type 1}", ops.EDN,
			"h:4: value[1]: no EDN: \"}\" where a value begins\nh:5: type: text belongs here, not a whole number\nh:5: process: missing\nh:5: f: missing"},

		// Events that are none.
		{"no map", "17\n[]", ops.JSONLines, "h:1: an event is a map, not a whole number\nh:2: an event is a map, not a list"},
		{"an empty map", "{}", ops.JSONLines, "h:1: type: missing\nh:1: process: missing\nh:1: f: missing"},
		{"null is left out", `{"type":null,"process":null,"f":null}`, ops.JSONLines, "h:1: type: missing\nh:1: process: missing\nh:1: f: missing"},
		{"wrong kinds", `{"type":1,"process":[1],"f":{},"index":"1","time":true}`, ops.JSONLines,
			"h:1: index: a whole number belongs here, not text\nh:1: time: a whole number belongs here, not a truth value\n" +
				"h:1: type: text belongs here, not a whole number\nh:1: process: a whole number or text belongs here, not a list\n" +
				"h:1: f: text belongs here, not a map"},
		{"no whole numbers", `{"type":"ok","process":1.5,"f":"f","index":1e3,"time":9223372036854775808}`, ops.JSONLines,
			"h:1: index: a whole number belongs here, not 1e3\nh:1: time: a whole number belongs here, not 9223372036854775808\n" +
				"h:1: process: a whole number or text belongs here, not 1.5"},
		{"empty texts", `{"type":"","process":"","f":""}`, ops.JSONLines, "h:1: type: empty\nh:1: process: empty\nh:1: f: empty"},
		{"an unknown type", `{"type":"OK","process":1,"f":"f"}` + "\n" + `{"type":":ok","process":1,"f":"f"}`, ops.JSONLines,
			"h:1: type: unknown type \"OK\" (invoke, ok, fail or info)\nh:2: type: unknown type \":ok\" (invoke, ok, fail or info)"},

		// Order.
		{"an index twice", indexed(4, 4), ops.JSONLines, "h:2: index: 4 is that of line 1 too"},
		{"an index that descends", indexed(4, 3), ops.JSONLines, "h:2: index: 3 after 4 in line 1: indices ascend"},
		{"an index that is negative", indexed(-2, 3), ops.JSONLines, "h:1: index: -2 is negative"},
		{"an index now and then", indexed(1) + invoke + indexed(4) + invoke, ops.JSONLines, "h:2: index: either all events state one or none does"},
		{"an index too late", invoke + indexed(4, 5), ops.JSONLines, "h:2: index: either all events state one or none does"},
		{"time that goes back", timed(5, 5, 4, 4), ops.JSONLines, "h:3: time: 4 after 5 in line 2: events stand in the order of time"},
		{"time that is negative", timed(-5), ops.JSONLines, "h:1: time: -5 is negative"},

		// Headers.
		{"a second header", `{"header":{}}` + "\n" + `{"header":{}}`, ops.JSONLines, "h:2: header: a second one; the first is in line 1"},
		{"a header later", invoke + `{"header":{"model":"kv"}}`, ops.JSONLines, "h:2: header: it belongs before the first event"},
		{"a header of the wrong kind", `{"header":"kv"}`, ops.JSONLines, "h:1: header: a map belongs here, not text"},
		{"a model of the wrong kind", `{:header {:model [kv]}}`, ops.EDN, "h:1: header.model: text belongs here, not a list"},
		{"facts of an own run", `{"header":{"format":"twiceless-history","version":3}}` + "\n{}\n", ops.JSONLines,
			`h:1: header.format: "twiceless-history" is what our own runs leave, facts of all components: simulate replay has judged them; check judges what clients saw of another system`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.EqualError(t, read(t, c.text, c.format).err, c.want)
		})
	}
}

func indexed(indices ...int) (text string) {
	for _, i := range indices {
		text += fmt.Sprintf("{\"index\":%d,\"type\":\"ok\",\"process\":1,\"f\":\"read\"}\n", i)
	}
	return text
}

func timed(times ...int) (text string) {
	for _, i := range times {
		text += fmt.Sprintf("{\"time\":%d,\"type\":\"ok\",\"process\":1,\"f\":\"read\"}\n", i)
	}
	return text
}

// Where the first line may have been the header and cannot be read, the sink is told of no header: it would judge by
// another model than the file asks for. Any other first line is no header.
func TestUnreadableHeader(t *testing.T) {
	require.Zero(t, read(t, `{"header":{"model":"kv"}`, ops.JSONLines).headers)
	require.Zero(t, read(t, `{:header {:model kv}`, ops.EDN).headers)
	require.Equal(t, 1, read(t, `{"type":"ok"`, ops.JSONLines).headers)
	require.Equal(t, 1, read(t, ``, ops.JSONLines).headers)
	require.Equal(t, 1, read(t, `; nothing`, ops.EDN).headers)
}

// A file may cost so much and not more. One at the limit is fine, one beyond it is refused.
func TestLimits(t *testing.T) {
	event := func(value string) string {
		return `{"type":"ok","process":1,"f":"f","value":` + value + "}\n"
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	wide := "[" + strings.Repeat("1,", 99) + "1]"
	for _, c := range []struct {
		name   string
		limits ops.Limits
		format ops.Format
		fine   string
		beyond string
		want   string
	}{
		{"depth", ops.Limits{}, ops.JSONLines, event(deep(63)), event(deep(64)),
			"h:1: value" + strings.Repeat("[0]", 18) + "[…: deeper than 64 lists and maps"},
		{"depth of tags", ops.Limits{}, ops.EDN, `{:type :ok :process 1 :f :f :value ` + strings.Repeat("#a ", 63) + "1}",
			`{:type :ok :process 1 :f :f :value ` + strings.Repeat("#a ", 64) + "1}", "h:1: value: deeper than 64 lists and maps"},
		{"depth of what is discarded", ops.Limits{}, ops.EDN, strings.Repeat("#_", 64) + strings.Repeat("1 ", 64),
			strings.Repeat("#_", 65) + strings.Repeat("1 ", 65), "h:1: deeper than 64 lists and maps"},
		{"depth without an end", ops.Limits{}, ops.EDN, "", strings.Repeat("[", 1<<20), "h:1: " + strings.Repeat("[0]", 20) + "…: deeper than 64 lists and maps"},
		{"line", ops.Limits{Event: 100}, ops.JSONLines, pad(event(`""`), 101), event(`""`) + pad(event(`""`), 102),
			"h:2: longer than 100 bytes, or without an end: an event"},
		{"event", ops.Limits{Event: 100, Window: 10}, ops.JSONLines, "[" + event(`""`) + "," + event(`""`) + "]", "[" + event(`""`) + "," + event(wide) + "]",
			"h:2: longer than 100 bytes, or without an end: an event"},
		{"values", ops.Limits{Values: 110}, ops.JSONLines, event(wide), event("[" + wide + "," + wide + "]"), "h:1: value[1][6]: more than 110 values in one event"},
		{"events", ops.Limits{Events: 3}, ops.JSONLines, strings.Repeat(event("1"), 3), strings.Repeat(event("1"), 9), "h:4: more than 3 events"},
		{"file", ops.Limits{File: 200, Window: 64}, ops.JSONLines, strings.Repeat(event("1"), 4), strings.Repeat(event("1"), 5), "h:5: the file is longer than 200 bytes"},
		{"file of EDN", ops.Limits{File: 200, Window: 64}, ops.EDN, "", strings.Repeat("\n", 300), "h:193: the file is longer than 200 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, readWithin(t, c.limits, strings.NewReader(c.fine), c.format).err)
			require.EqualError(t, readWithin(t, c.limits, strings.NewReader(c.beyond), c.format).err, c.want)
		})
	}
}

// pad makes a line n bytes long, with its end.
func pad(line string, n int) string {
	return strings.TrimSuffix(line, "\n") + strings.Repeat(" ", n-len(line)) + "\n"
}

// A line of ten megabytes is no problem, if it is right; the reads of a large set are as long.
func TestTenMegabytes(t *testing.T) {
	text := `{"type":"ok","process":1,"f":"read","value":[` + strings.Repeat("12345678,", 1_200_000) + "1]}\n"
	h := read(t, text+`{"type":"ok"`, ops.JSONLines)
	require.EqualError(t, h.err, "h:2: the line ends within a map")
	require.Len(t, h.events[0].Value.Items, 1_200_001)

	h = read(t, `{"type":"ok","process":1,"f":"read","value":"`+strings.Repeat("x", 17<<20)+`"}`, ops.JSONLines)
	require.EqualError(t, h.err, "h:1: longer than 16777216 bytes, or without an end: an event")
	require.Empty(t, h.events)
}

// Twenty problems are told, in the order of their lines; the rest is not even read.
func TestManyProblems(t *testing.T) {
	h := read(t, strings.Repeat("{}\n", 1000), ops.JSONLines)
	lines := strings.Split(h.err.Error(), "\n")
	require.Len(t, lines, 21)
	require.Equal(t, "h:7: process: missing", lines[19])
	require.Equal(t, "h:7: there is more, from here on not listed", lines[20])
	require.Empty(t, h.events)
}

// What is damaged at any one byte never panics, and is refused or read as something: each problem has a line.
func TestEveryCut(t *testing.T) {
	for name, f := range map[string]ops.Format{"jepsen.edn": ops.EDN, "jepsen.jsonl": ops.JSONLines} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		refused := 0
		for i := range text {
			h := readWithin(t, ops.Limits{Window: 4096}, bytes.NewReader(text[:i]), f)
			if h.err == nil {
				continue
			}
			refused++
			for _, line := range strings.Split(h.err.Error(), "\n") {
				require.Regexp(t, `^h:\d+: .`, line)
			}
			require.LessOrEqual(t, len(h.events), 10)
		}
		require.Greater(t, refused, len(text)*9/10, "most of the places lie within an event")
	}
}
