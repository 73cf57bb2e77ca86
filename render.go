package twiceless

import (
	"strings"
	"testing"

	"github.com/twiceless/twiceless/reports"
)

// report says what a test came to: to people in its log, to CI beside it.
func report(t *testing.T, o *reports.Outcome) {
	t.Helper()
	publish(t, o)
	if o.Held() {
		t.Log(render(o))
	} else {
		t.Error(render(o))
	}
}

// render is an outcome in at most 25 lines, below that of the log which names the test.
func render(o *reports.Outcome) string {
	var b strings.Builder
	b.WriteByte('\n')
	if err := reports.WriteOutcome(&b, o); err != nil {
		panic("twiceless: a builder that does not take text: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
