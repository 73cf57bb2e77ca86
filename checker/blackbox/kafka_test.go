package blackbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// judgeLines judges the lines of a history as a log.
func judgeLines(t *testing.T, text string, o blackbox.Options) *ops.Report {
	t.Helper()
	j, err := blackbox.Check(blackbox.Source{Name: "history", Reader: strings.NewReader(text)}, "kafka", o)
	require.NoError(t, err)
	return j.Report
}

func planted(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "kafka", name+".jsonl"))
	require.NoError(t, err)
	return string(text)
}

// What is broken depends on who could have been promised what; what nobody can tell is unknown.
func TestKafkaVerdicts(t *testing.T) {
	for name, want := range map[string]checker.Verdict{
		"unseen/drained":                                           checker.Fail,
		"unseen/a-later-send-was-read":                             checker.Fail,
		"unseen/the-history-ends-too-early":                        checker.Unknown,
		"torn-transaction-near/the-other-key-was-not-drained":      checker.Unknown,
		"unseen-near/nobody-knows-whether-it-was-sent":             checker.Pass,
		"poll-skip/passed-over-what-another-read":                  checker.Fail,
		"poll-skip/while-subscribed":                               checker.Pass,
		"nonmonotonic-poll/returned-again":                         checker.Fail,
		"nonmonotonic-poll/while-subscribed":                       checker.Pass,
		"G0/opposite-orders-in-two-keys":                           checker.Pass,
		"G1c/each-read-the-other":                                  checker.Fail,
		"G1c/read-and-sent-before-it":                              checker.Pass,
		"int-send-skip/another-send-between":                       checker.Pass,
		"fractured-read/in-one-poll":                               checker.Fail, // for what it passed over
		"phantom-read-near/sent-and-never-completed":               checker.Pass,
		"G1a-near/only-an-aborted-poll-read-it":                    checker.Vacuous,
		"inconsistent-offsets/two-acknowledgements":                checker.Fail,
		"realtime-offset-order/a-later-send-got-a-smaller-offset":  checker.Fail,
		"duplicate-near/the-other-offset-is-that-of-a-failed-send": checker.Vacuous,
	} {
		r := judgeLines(t, planted(t, name), blackbox.Options{})
		require.Equal(t, want, r.Verdict(), "%s: %v %v", name, r.Anomalies, r.Why)
	}
}

// Only idempotent producers are promised that the log holds nothing twice.
func TestKafkaDuplicatesByPromise(t *testing.T) {
	text := planted(t, "duplicate/appended-twice")
	require.Equal(t, checker.Fail, judgeLines(t, text, blackbox.Options{Promise: "exactly-once"}).Verdict())
	require.Equal(t, checker.Pass, judgeLines(t, text, blackbox.Options{Promise: "at-least-once"}).Verdict())
}

// An empty poll shows nothing of a key while an open transaction may hold back what is behind it, if the poll began
// before the value was acknowledged, if the group may have given the key to another, or if the consumer has not caught
// up.
func TestKafkaDrainedOnlyIfNothingHoldsBack(t *testing.T) {
	drained := planted(t, "unseen/drained")
	require.Equal(t, checker.Fail, judgeLines(t, drained, blackbox.Options{}).Verdict())
	open := `{"process":7,"type":"invoke","f":"txn","value":[["send","x","open"]]}` + "\n"
	last := strings.LastIndex(strings.TrimSpace(drained), "\n")        // the answer of the empty poll
	call := strings.LastIndex(strings.TrimSpace(drained[:last]), "\n") // its call
	unindexed := strings.NewReplacer("\"index\":", "\"was\":")
	for name, text := range map[string]string{
		"an open transaction": drained[:call+1] + open + drained[call+1:],
		"a member of a group": strings.ReplaceAll(drained, `"assign"`, `"subscribe"`),
		"never read the key":  strings.Replace(drained, `["poll", {"x": [[0, "a"]]}]`, `["poll", {}]`, 1),
	} {
		r := judgeLines(t, unindexed.Replace(text), blackbox.Options{})
		require.NotEqual(t, text, drained, name)
		require.Equal(t, checker.Unknown, r.Verdict(), "%s: %v", name, r.Anomalies)
		require.NotEmpty(t, r.Why, name)
	}
}

// What is wrong with a history is told by line and place, and nothing is judged.
func TestKafkaRefusesWhatItCannotRead(t *testing.T) {
	line := func(kind, f, value string) string {
		return `{"process":0,"type":"` + kind + `","f":"` + f + `","value":` + value + "}\n"
	}
	for text, want := range map[string]string{
		line("invoke", "send", `5`) + line("ok", "send", `5`):                                    "list of micro-operations, not a whole number",
		line("invoke", "send", `[["sent",1,2]]`):                                                 "value[0]: neither",
		line("invoke", "send", `[["send","x",1]]`) + line("ok", "send", `[["send","x",[0,2]]]`):  "the completion says",
		line("invoke", "send", `[["send","x",1]]`) + line("ok", "send", `[["send","x",[-7,1]]]`): "[offset, value]",
		line("invoke", "send", `[["send","x",[1,2,3]]]`):                                         "[offset, value]",
		line("invoke", "send", `[["send","x",1],["send","x",1]]`):                                "a second time",
		line("invoke", "poll", `[["poll"]]`) + line("ok", "poll", `[["poll",[1]]]`):              "a poll returns {key",
		line("invoke", "poll", `[["poll"]]`) + line("ok", "poll", `[["poll",{"x":[7]}]]`):        "pairs [offset, value]",
		line("invoke", "poll", `[["poll"]]`) + line("ok", "poll", `[["poll",{}],["poll",{}]]`):   "2 micro-operations, the invoke 1",
		line("invoke", "assign", `"x"`):                                                          "takes a list of keys",
		line("invoke", "assign", `[["x"]]`):                                                      "value[0]: a key is",
	} {
		_, err := blackbox.Check(blackbox.Source{Name: "history", Reader: strings.NewReader(text)}, "kafka", blackbox.Options{})
		require.ErrorContains(t, err, want, text)
	}
}

// Lag is since when a later record was known, as of the last poll at one place; a consumer that has read nothing lags
// since the log was known to hold anything.
func TestKafkaLag(t *testing.T) {
	lag := func(lines ...string) int64 {
		return judgeLines(t, strings.Join(lines, "\n"), blackbox.Options{}).Numbers["max-lag-ns"]
	}
	assign := `{"process":1,"time":0,"type":"invoke","f":"assign","value":["x"]}` + "\n" + `{"process":1,"time":1,"type":"ok","f":"assign","value":["x"]}`
	send := `{"process":0,"time":4,"type":"invoke","f":"send","value":[["send","x",1]]}` + "\n" + `{"process":0,"time":5,"type":"ok","f":"send","value":[["send","x",[0,1]]]}`
	empty := `{"process":1,"time":12,"type":"invoke","f":"poll","value":[["poll"]]}` + "\n" + `{"process":1,"time":13,"type":"ok","f":"poll","value":[["poll",{}]]}`
	full := `{"process":1,"time":20,"type":"invoke","f":"poll","value":[["poll"]]}` + "\n" + `{"process":1,"time":21,"type":"ok","f":"poll","value":[["poll",{"x":[[0,1]]}]]}`
	require.EqualValues(t, 0, lag(assign, send, full))
	require.EqualValues(t, 7, lag(assign, send, empty, full), "12 − 5")
}
