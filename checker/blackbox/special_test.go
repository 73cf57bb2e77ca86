package blackbox_test

import (
	"bytes"
	"fmt"
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

// What the special algorithm leaves open is searched, with the budget: here which of two equal values was dequeued.
func TestTwoOfOneValueAreSearched(t *testing.T) {
	twice := once("enqueue", "1", "1") + once("enqueue", "1", "1") + once("dequeue", "null", "1")
	for _, x := range []struct {
		text    string
		verdict checker.Verdict
	}{
		{twice + once("dequeue", "null", "1") + once("dequeue", "null", "null"), checker.Pass},
		{twice + once("dequeue", "null", "null"), checker.Fail}, // the other one is still in there
	} {
		judged, err := checkText("fifo", x.text)
		require.NoError(t, err)
		require.Equal(t, x.verdict, judged.Report.Verdict())
		require.Positive(t, judged.Report.Numbers["steps"])
	}
	judged, err := blackbox.Check(blackbox.Source{Name: "h", Reader: strings.NewReader(twice)}, "fifo", blackbox.Options{Budget: 1})
	require.NoError(t, err)
	require.Equal(t, checker.Unknown, judged.Report.Verdict())
	require.Len(t, judged.Report.Why, 1)
	require.Contains(t, judged.Report.Why[0], "a value was enqueued twice, so which of the two a dequeue gave is open, and a search does not decide it: ")
}

// Fifty writes of unknown outcome are more than any search stands; by zones the register is judged without one.
func TestRegisterOfUniqueWritesNeedsNoSearch(t *testing.T) {
	var open, seen strings.Builder
	for i := range 50 {
		fmt.Fprintf(&open, `{"process":"w%d","type":"invoke","f":"write","value":%d}`+"\n", i, i)
		fmt.Fprintf(&seen, `{"process":"r","type":"invoke","f":"read"}`+"\n"+`{"process":"r","type":"ok","f":"read","value":%d}`+"\n", (i*7)%50)
	}
	judged, err := checkText("register", open.String()+seen.String())
	require.NoError(t, err)
	require.Equal(t, checker.Pass, judged.Report.Verdict(), "%v", judged.Report.Why)
	require.Zero(t, judged.Report.Numbers["steps"])
	judged, err = checkText("register", open.String()+seen.String()+once("read", "null", "0")) // 0 was overwritten
	require.NoError(t, err)
	require.Equal(t, checker.Fail, judged.Report.Verdict(), "%v", judged.Report.Why)
}

// The order of a queue that is wrong can be looked at; the page has the same bytes each time.
func TestQueuePicture(t *testing.T) {
	text := once("enqueue", "1", "1") + once("enqueue", "2", "2") + once("dequeue", "null", "2")
	var pages [2]bytes.Buffer
	for i := range pages {
		judged, err := checkText("fifo", text)
		require.NoError(t, err)
		require.NoError(t, judged.Report.Picture(&pages[i]))
	}
	require.Contains(t, pages[0].String(), "dequeue")
	require.Equal(t, pages[0].String(), pages[1].String())
}
