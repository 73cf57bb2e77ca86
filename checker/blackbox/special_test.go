package blackbox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

func checkText(model, text string) (*blackbox.Judged, error) {
	return blackbox.Check(blackbox.Source{Name: "h", Reader: strings.NewReader(text)}, model, blackbox.Options{})
}

// once is a history of one operation.
func once(f, invoked, completed string) string {
	return `{"process":0,"type":"invoke","f":"` + f + `","value":` + invoked + "}\n" +
		`{"process":0,"type":"ok","f":"` + f + `","value":` + completed + "}\n"
}

// Values that a queue and a log cannot have are told with line and field.
func TestQueueAndLogValues(t *testing.T) {
	for _, x := range []struct{ model, f, invoked, completed, want string }{
		{"fifo", "enqueue", "null", "null", "h:2: value: enqueue takes a number, a text or a truth value, not null"},
		{"fifo", "enqueue", "[1]", "[1]", "h:2: value: enqueue takes a number, a text or a truth value, not a list"},
		{"fifo", "enqueue", "1", "2", "h:2: value: enqueue of 1 completes with 2"},
		{"fifo", "dequeue", "1", "1", "h:2: value: dequeue asks for null, not for 1"},
		{"fifo", "dequeue", "null", "[1]", "h:2: value: dequeue gives a number, a text, a truth value or null, not a list"},
		{"log", "append", "1", "[1,1]", "h:2: value: append takes [value], [value, tail after] or [value, tail after, required tail], not 1"},
		{"log", "append", "[null]", "[1,1]", "h:2: value[0]: append takes a number, a text or a truth value, not null"},
		{"log", "append", "[1]", "[2,1]", "h:2: value[0]: append [1] completes as [2, 1]"},
		{"log", "append", "[1,null,0]", "[1,1,5]", "h:2: value[2]: append [1, null, 0] completes as [1, 1, 5]"},
		{"log", "append", "[1]", "[1]", "h:2: value[1]: an append that took place states the tail after it: [value, tail], not [1]"},
		{"log", "append", "[1]", "[1,-1]", "h:2: value[1]: a tail is a number of values from 0, not -1"},
		{"log", "append", "[1]", `[1,1,"a"]`, `h:2: value[2]: a tail is a number of values from 0, not "a"`},
		{"log", "read", "null", "1", "h:2: value: read gives a list of values, not a whole number"},
		{"log", "read", "null", "[1,null]", "h:2: value[1]: read gives numbers, texts or truth values, not null"},
	} {
		t.Run(x.want, func(t *testing.T) {
			_, err := checkText(x.model, once(x.f, x.invoked, x.completed))
			require.EqualError(t, err, x.want)
		})
	}
}

// A finding says which operation breaks which rule, and which others show it.
func TestQueueDetail(t *testing.T) {
	failed := strings.ReplaceAll(once("enqueue", "1", "1"), `"ok"`, `"fail"`)
	for text, want := range map[string]string{
		once("dequeue", "null", "1") + once("enqueue", "1", "1"): "dequeue → 1 [0 1]: a value was dequeued before its enqueue was called (enqueue 1 [2 3])",
		failed + once("dequeue", "null", "1"):                    "dequeue → 1 [2 3], whose enqueue failed [0 1]: a value was dequeued that was never enqueued",
	} {
		judged, err := checkText("fifo", text)
		require.NoError(t, err)
		require.Equal(t, checker.Fail, judged.Report.Verdict())
		require.Equal(t, want, judged.Report.Anomalies[0].Detail)
		require.Equal(t, ops.SeverityFail, judged.Report.Anomalies[0].Severity)
	}
}

// What the special algorithm cannot tell is unknown, with the reason.
func TestTwoOfOneValueAreUnknown(t *testing.T) {
	judged, err := checkText("fifo", once("enqueue", "1", "1")+once("enqueue", "1", "1")+once("dequeue", "null", "1"))
	require.NoError(t, err)
	require.Equal(t, checker.Unknown, judged.Report.Verdict())
	require.Equal(t, []string{"a value was enqueued twice, so which of the two a dequeue gave is open"}, judged.Report.Why)
}
