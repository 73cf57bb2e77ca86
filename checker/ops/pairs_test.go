package ops_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/ops"
)

// paired is what Pairs makes of a history that is written as "process type f value", an event a line: the operations in
// the order in which they were given, how many events were none, and what is wrong.
func paired(t *testing.T, alone bool, text string) (operations []string, others int64, err error) {
	t.Helper()
	var p ops.Problems
	pairs := ops.NewPairs(alone, func(o *ops.Operation) { operations = append(operations, shown(o)) }, &p)
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		kind, bad := ops.ParseType(words[1])
		require.NoError(t, bad)
		e := &ops.Event{Line: i + 1, Index: int64(100 + i), Process: words[0], Type: kind, F: words[2], Time: ops.NoTime}
		if len(words) > 3 {
			e.Value = ops.Value{Kind: ops.Text, Text: words[3]}
		}
		pairs.Event(e)
	}
	pairs.End()
	return operations, pairs.Others, p.Error("h")
}

func shown(o *ops.Operation) string {
	end := fmt.Sprint(o.Return)
	if o.Return == ops.Never {
		end = "never"
	}
	return fmt.Sprintf("%s %s %s %s..%s in %s out %s evidence %v line %d", o.Process, o.F, o.Outcome, fmt.Sprint(o.Call), end, o.In, o.Out, o.Evidence(), o.Line)
}

// Every completion belongs to the open invoke of its process. An operation of unknown outcome has no return, whether it
// completes with info or not at all; its process may go on in either case, only not before it completed.
func TestPairs(t *testing.T) {
	operations, others, err := paired(t, false, `
1 invoke write a
2 invoke read
2 ok read b
1 info write a
1 invoke write c
3 invoke read
2 invoke read
1 fail write c`)
	require.NoError(t, err)
	require.Zero(t, others)
	require.Equal(t, []string{
		`2 read ok 1..2 in null out "b" evidence [101 102] line 3`,
		`1 write info 0..never in "a" out "a" evidence [100 103] line 4`,
		`1 write fail 4..7 in "c" out "c" evidence [104 107] line 8`,
		`3 read info 5..never in null out null evidence [105] line 6`,
		`2 read info 6..never in null out null evidence [106] line 7`,
	}, operations)
}

// A completion alone is an operation of one moment, where the model allows it.
func TestPairsAlone(t *testing.T) {
	operations, _, err := paired(t, true, `
1 ok apply a
worker info apply b
1 invoke apply c
1 ok apply c`)
	require.NoError(t, err)
	require.Equal(t, []string{
		`1 apply ok 0..0 in "a" out "a" evidence [100] line 1`,
		`worker apply info 1..never in "b" out "b" evidence [101] line 2`,
		`1 apply ok 2..3 in "c" out "c" evidence [102 103] line 4`,
	}, operations)
}

// Who only informs is no client; who invokes is one, whatever its name.
func TestOutsiders(t *testing.T) {
	operations, others, err := paired(t, false, `
nemesis info kill
worker invoke read
nemesis info kill
worker info read
logger info note`)
	require.NoError(t, err)
	require.EqualValues(t, 3, others)
	require.Equal(t, []string{`worker read info 1..never in null out null evidence [101 103] line 4`}, operations)

	_, others, err = paired(t, true, "nemesis info kill\n1 ok apply a")
	require.NoError(t, err)
	require.EqualValues(t, 1, others)

	_, _, err = paired(t, false, "1 invoke read\n2 info read")
	require.EqualError(t, err, "h:2: process: 2 completes read, but has invoked nothing", "a number is a client")
	_, _, err = paired(t, false, "1 invoke read\nnemesis ok kill")
	require.EqualError(t, err, "h:2: process: nemesis completes kill, but has invoked nothing", "it did more than inform")
}

// What does not pair is told once, with the lines of both sides.
func TestUnpaired(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"two open invokes", "1 invoke read\n1 invoke write a\n1 ok write a",
			"h:2: process: 1 invokes write, but its read of line 1 has no completion: a process does one operation at a time; one that crashed completes with info, or goes on under a new number"},
		{"another function", "1 invoke read\n1 ok write a\n1 invoke read\n1 ok read",
			"h:2: f: 1 completes write, but has invoked read in line 1"},
		{"completed twice", "1 invoke read\n1 ok read\n1 ok read",
			"h:3: process: 1 completes read, but has invoked nothing"},
		{"the first invoke is missing", "1 ok read\n2 invoke read\n2 ok read",
			"h:1: process: 1 completes read, but has invoked nothing"},
		{"only completions", strings.Repeat("1 ok read\n", 1000),
			"h:1: type: no event of the file is an invoke, and 1000 complete an operation: without the moments of invocation nothing can be said of their order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := paired(t, false, c.text)
			require.EqualError(t, err, c.want)
		})
	}
}

// Many completions before the first invoke are as many problems, and come before those of later lines.
func TestLateInvoke(t *testing.T) {
	_, _, err := paired(t, false, strings.Repeat("1 ok read\n", 15)+"1 invoke read\n1 invoke read\n")
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 16)
	require.Equal(t, "h:15: process: 1 completes read, but has invoked nothing", lines[14])
	require.Contains(t, lines[15], "h:17: process: 1 invokes read")

	_, _, err = paired(t, false, strings.Repeat("1 ok read\n", 500)+"1 invoke read\n")
	require.Len(t, strings.Split(err.Error(), "\n"), 21)
}

// A line that cannot be read explains what seems to be missing around it: only the line is told.
func TestUnreadLines(t *testing.T) {
	var p ops.Problems
	pairs := ops.NewPairs(false, func(*ops.Operation) {}, &p)
	require.NoError(t, ops.Read(strings.NewReader(`{"type":"invoke","process":1,"f":"read"
{"type":"ok","process":1,"f":"read"}
{"type":"invoke","process":2,"f":"read"}
{"type":"OK","process":2,"f":"read"}
{"type":"invoke","process":2,"f":"read"}`), ops.JSONLines, ops.Sink{Header: func(ops.Header) {}, Event: pairs.Event}, &p))
	pairs.End()
	require.EqualError(t, p.Error("h"), "h:1: the line ends within a map\nh:4: type: unknown type \"OK\" (invoke, ok, fail or info)")
}

// A million operations one after the other are paired in the memory of one.
func TestPairsMemory(t *testing.T) {
	var p ops.Problems
	n := 0
	pairs := ops.NewPairs(false, func(*ops.Operation) { n++ }, &p)
	e := ops.Event{Process: "1", F: "read", Time: ops.NoTime}
	allocated := testing.AllocsPerRun(1000, func() {
		e.Type = ops.Invoke
		pairs.Event(&e)
		e.Type = ops.OK
		pairs.Event(&e)
	})
	require.Zero(t, allocated)
	require.NoError(t, p.Error("h"))
	require.Equal(t, 1001, n)
}
