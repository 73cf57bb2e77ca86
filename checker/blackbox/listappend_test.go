package blackbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

func checkListAppend(text string, o blackbox.Options) (*ops.Report, error) {
	j, err := blackbox.Check(blackbox.Source{Name: "h", Reader: strings.NewReader(text)}, "list-append", o)
	if err != nil {
		return nil, err
	}
	return j.Report, nil
}

// writeSkew is a history of snapshot isolation: neither has seen the other's append.
const writeSkew = `{"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","y",1]]}
{"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["append","x",1]]}
{"process":0,"type":"ok","f":"txn","value":[["r","x",[]],["append","y",1]]}
{"process":1,"type":"ok","f":"txn","value":[["r","y",[]],["append","x",1]]}
`

// The level says what fails; what it lets through is told all the same.
func TestListAppendFailsWhatTheLevelRulesOut(t *testing.T) {
	for level, verdict := range map[string]checker.Verdict{
		"": checker.Fail, "serializable": checker.Fail, "repeatable-read": checker.Fail, "strict-serializable": checker.Fail,
		"snapshot-isolation": checker.Pass, "strong-snapshot-isolation": checker.Pass, "read-committed": checker.Pass,
	} {
		r, err := checkListAppend(writeSkew, blackbox.Options{Level: level})
		require.NoError(t, err)
		require.Equal(t, verdict, r.Verdict(), level)
		require.Len(t, r.Anomalies, 1)
		require.Equal(t, "G2-item", r.Anomalies[0].Name)
		require.Equal(t, []int64{0, 1, 2, 3}, r.Anomalies[0].Evidence)
		require.Equal(t, "T2 -rw-> T3 -rw-> T2", r.Anomalies[0].Detail)
		require.Equal(t, []string{`T2 came before T3, whose append of 1 to "x" it did not read`, `T3 came before T2, whose append of 1 to "y" it did not read`}, r.Anomalies[0].Story)
		require.Equal(t, int64(1), r.Numbers["not repeatable-read"])
		require.Equal(t, int64(1), r.Numbers["also-not serializable"])
		require.NotContains(t, r.Numbers, "not snapshot-isolation")
	}
}

// all is a history of acknowledged transactions that are all in work at once.
func all(transactions ...string) string {
	var text strings.Builder
	for _, kind := range []string{"invoke", "ok"} {
		for i, value := range transactions {
			fmt.Fprintf(&text, "{\"process\":%d,\"type\":%q,\"f\":\"txn\",\"value\":%s}\n", i, kind, value)
		}
	}
	return text.String()
}

// A budget of one step finds no cycle of three to show. That there is one is known all the same, but for one question:
// whether the one rw edge of a read skew has a way back without another takes a search.
func TestListAppendDecidesWithoutABudget(t *testing.T) {
	circle := all(`[["r","x",[]],["append","y",1]]`, `[["r","y",[]],["append","z",1]]`, `[["r","z",[]],["append","x",1]]`)
	r, err := checkListAppend(circle, blackbox.Options{Budget: 1})
	require.NoError(t, err)
	require.Equal(t, checker.Fail, r.Verdict())
	require.Equal(t, "G2-item", r.Anomalies[0].Name)
	require.Contains(t, r.Anomalies[0].Detail, "the budget of steps ran out")

	skew := all(`[["append","x",1]]`, `[["r","x",[1]],["append","y",1]]`, `[["r","y",[1]],["r","x",[]]]`)
	for level, verdict := range map[string]checker.Verdict{"consistent-view": checker.Unknown, "snapshot-isolation": checker.Fail, "repeatable-read": checker.Fail, "read-committed": checker.Pass} {
		r, err = checkListAppend(skew, blackbox.Options{Level: level, Budget: 1})
		require.NoError(t, err)
		require.Equal(t, verdict, r.Verdict(), "%s: %v", level, r.Anomalies)
	}
	r, err = checkListAppend(skew, blackbox.Options{Level: "consistent-view"})
	require.NoError(t, err)
	require.Equal(t, checker.Fail, r.Verdict())
}

func TestListAppendSaysWhatIsWrongWithAFile(t *testing.T) {
	one := func(in, out string) string {
		return `{"process":0,"type":"invoke","f":"txn","value":` + in + "}\n" + `{"process":0,"type":"ok","f":"txn","value":` + out + "}\n"
	}
	for name, x := range map[string]struct{ text, want string }{
		"appended twice":             {one(`[["append","x",1],["append","x",1]]`, `[["append","x",1],["append","x",1]]`), "h:2: value[1]: 1 is appended to \"x\" twice, first in line 2"},
		"appended twice by a failed": {strings.Replace(one(`[["append","x",1]]`, `[["append","x",1]]`), `"ok"`, `"fail"`, 1) + one(`[["append","x",1]]`, `[["append","x",1]]`), "h:4: value[0]: 1 is appended to \"x\" twice, first in line 2"},
		"no list":                    {one(`7`, `7`), "a transaction is a list of micro-operations, not a whole number"},
		"no micro-operation":         {one(`[["w","x",1]]`, `[["w","x",1]]`), "is no micro-operation"},
		"another length":             {one(`[["r","x",null]]`, `[]`), "0 micro-operations were completed, but 1 invoked"},
		"another element":            {one(`[["append","x",1]]`, `[["append","x",2]]`), "value[0]: is not what was invoked"},
		"null appended":              {one(`[["append","x",null]]`, `[["append","x",null]]`), "null cannot be appended"},
		"no list read":               {one(`[["r","x",null]]`, `[["r","x",5]]`), "a read gives a list, not a whole number"},
		"a list in a list":           {one(`[["r","x",null]]`, `[["r","x",[[1]]]]`), "[1] cannot be an element"},
		"no key":                     {one(`[["r",null,null]]`, `[["r",null,[]]]`), "null is no key"},
		"nothing known of a failed":  {`{"process":0,"type":"invoke","f":"txn","value":null}`, "the invoke of a transaction states its micro-operations"},
		"no invoke":                  {`{"process":0,"type":"ok","f":"txn","value":[]}`, "no event of the file is an invoke"},
	} {
		_, err := checkListAppend(x.text, blackbox.Options{})
		var bad *ops.BadHistory
		require.ErrorAs(t, err, &bad, name)
		require.Contains(t, err.Error(), x.want, name)
	}
}

// What nobody can see is said.
func TestListAppendSaysWhatItCannotSee(t *testing.T) {
	r, err := checkListAppend(`{"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["append","x",2]]}
{"process":1,"type":"invoke","f":"txn","value":[["append","x",3]]}
{"process":2,"type":"invoke","f":"txn","value":[["append","x",4]]}
{"process":0,"type":"ok","f":"txn","value":[["append","x",1],["append","x",2]]}
{"process":1,"type":"ok","f":"txn","value":[["append","x",3]]}
{"process":2,"type":"info","f":"txn","value":null}
`, blackbox.Options{})
	require.NoError(t, err)
	require.Equal(t, checker.Vacuous, r.Verdict())
	require.Equal(t, []string{
		"3 appends were never read, of keys that have several: cycles that depend on the order among them are not seen",
		"1 operations of unknown outcome are left out, because no read shows that they took effect",
		"no committed transaction depends on another one: every level holds for want of anything that could break it",
	}, r.Why)
}
