package blackbox_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

func judgedBy(t *testing.T, model, text string, o blackbox.Options) *ops.Report {
	t.Helper()
	j, err := blackbox.Check(blackbox.Source{Name: "h", Reader: strings.NewReader(text)}, model, o)
	require.NoError(t, err)
	return j.Report
}

func testdataOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".jsonl")
	require.NoError(t, err)
	return string(text)
}

// A violation is told by the first answer that is wrong and by what it may have met, and step by step.
func TestNonlinearizableIsTold(t *testing.T) {
	r := judgedBy(t, "register", testdataOf(t, "register/nonlinearizable/the-old-value-after-the-new"), blackbox.Options{})
	require.Len(t, r.Anomalies, 1)
	a := r.Anomalies[0]
	require.Equal(t, "no order of the operations explains that read gave 1: the only state that it may have met is 2 (at 6)", a.Detail)
	require.Equal(t, []int64{0, 1, 2, 3, 4, 5, 6, 7}, a.Evidence)
	require.Equal(t, []string{"[0 1] 0: write 1", "[2 7] 0: write 2", "[3 4] 1: read gave 2", "[5 6] 1: read gave 1"}, a.Story)

	r = judgedBy(t, "kv", testdataOf(t, "kv/nonlinearizable/the-value-of-another-key"), blackbox.Options{})
	require.Equal(t, `key "y": no order of the operations explains that get gave 1: the only state that it may have met is nothing (at 3)`, r.Anomalies[0].Detail)
	require.Equal(t, map[string]int64{"operations": 2, "partitions": 2, "pending": 0, "steps": 2}, r.Numbers)
}

// Of several keys that are wrong the one with the first wrong answer is told, and all are counted.
func TestEachKeyCounts(t *testing.T) {
	var b strings.Builder
	for i, key := range []string{"b", "a", "c"} {
		fmt.Fprintf(&b, `{"process":0,"type":"invoke","f":"get","value":[%q,null]}`+"\n", key)
		fmt.Fprintf(&b, `{"process":0,"type":"ok","f":"get","value":[%q,%d]}`+"\n", key, i)
	}
	r := judgedBy(t, "kv", b.String(), blackbox.Options{})
	require.EqualValues(t, 3, r.Anomalies[0].Count)
	require.Contains(t, r.Anomalies[0].Detail, `key "b"`)
	require.EqualValues(t, 3, r.Exercised)
}

// What the budget does not suffice for is unknown, with the reason, and spoils no other key.
func TestBudgetOfKeys(t *testing.T) {
	var b strings.Builder
	process := 0
	event := func(kind, f, key, value string) {
		fmt.Fprintf(&b, `{"process":%d,"type":%q,"f":%q,"value":[%q,%s]}`+"\n", process, kind, f, key, value)
	}
	for range 20 { // each of them may have been appended before the get, in any order
		process++
		event("invoke", "append", "hard", fmt.Sprintf(`"%c"`, 'a'+process))
	}
	process++
	event("invoke", "put", "hard", `"b"`)
	event("ok", "put", "hard", `"b"`)
	event("invoke", "get", "hard", "null")
	event("ok", "get", "hard", `"bcdefghijklmnopqrstub"`)
	event("invoke", "put", "easy", "1")
	event("ok", "put", "easy", "1")
	event("invoke", "get", "easy", "null")
	event("ok", "get", "easy", "1")
	r := judgedBy(t, "kv", b.String(), blackbox.Options{Budget: 5000})
	require.Equal(t, checker.Unknown, r.Verdict())
	require.EqualValues(t, 1, r.Undecided)
	require.EqualValues(t, 2, r.Exercised, "the easy key")
	require.Equal(t, []string{`key "hard": undecided: 22 operations that overlap, up to 21 at once, 20 of them of unknown outcome, need more than 4998 steps`}, r.Why)
	require.LessOrEqual(t, r.Numbers["steps"], int64(5000))
}

// The picture is the same each time, and there is one only of what is wrong.
func TestPictureOfAViolation(t *testing.T) {
	text := testdataOf(t, "kv/nonlinearizable/an-append-is-lost")
	var first, second bytes.Buffer
	require.NoError(t, judgedBy(t, "kv", text, blackbox.Options{}).Picture(&first))
	require.NoError(t, judgedBy(t, "kv", text, blackbox.Options{}).Picture(&second))
	require.Equal(t, first.String(), second.String())
	require.Contains(t, first.String(), `get gave \"b\"`)
	require.Nil(t, judgedBy(t, "kv", testdataOf(t, "kv/clean/two-keys"), blackbox.Options{}).Picture)
}

// Values of the wrong shape are one error that names them all.
func TestWrongShapes(t *testing.T) {
	for model, bad := range map[string][][2]string{
		"register": {{"cas", "1"}, {"cas", "[1,[2]]"}, {"write", "[1]"}, {"read", "{}"}},
		"kv":       {{"get", "1"}, {"put", "[1]"}, {"put", "[[1],2]"}, {"append", "[1,2]"}, {"get", "[1,[2]]"}, {"get", `["k",null]`}},
		"stack":    {{"push", "null"}, {"push", "[1]"}, {"pop", "{}"}},
	} {
		var b strings.Builder
		for i, f := range bad {
			in := f[1]
			if f == [2]string{"get", `["k",null]`} {
				in = `["other",null]`
			}
			fmt.Fprintf(&b, `{"process":%d,"type":"invoke","f":%q,"value":%s}`+"\n", i, f[0], in)
			fmt.Fprintf(&b, `{"process":%d,"type":"ok","f":%q,"value":%s}`+"\n", i, f[0], f[1])
		}
		_, err := blackbox.Check(blackbox.Source{Name: "h", Reader: strings.NewReader(b.String())}, model, blackbox.Options{})
		require.Error(t, err)
		require.Len(t, strings.Split(err.Error(), "\n"), len(bad), "%s: %v", model, err)
		for i := range bad {
			require.Contains(t, err.Error(), fmt.Sprintf("h:%d: value: ", 2*i+2))
		}
	}
}

// An invoke and its completion that state two values leave open what was asked.
func TestContradictingValues(t *testing.T) {
	for model, x := range map[string][3]string{
		"register": {"write", "1", "2"},
		"kv":       {"put", `["k",1]`, `["k",2]`},
		"stack":    {"push", "1", `"1"`},
	} {
		_, err := checkText(model, once(x[0], x[1], x[2]))
		require.ErrorContains(t, err, "h:2: value: "+x[0]+" of ", model)
		_, err = checkText(model, once(x[0], x[1], "null")) // recorders may leave it out
		require.NoError(t, err, model)
	}
}
