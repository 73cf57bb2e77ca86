package twiceless

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twiceless/twiceless/reports"
)

// report says what a test came to.
func report(t *testing.T, o *reports.Outcome) {
	t.Helper()
	text := "\n" + render(o)
	if o.Kind == reports.Passed || o.Kind == reports.PassedAccepted {
		t.Log(text)
	} else {
		t.Error(text)
	}
}

// render is an outcome in at most 25 lines.
func render(o *reports.Outcome) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s · %s · %s · plan %d of %d · %v", o.Fingerprint, o.Scenario, o.Stack, o.Plan, o.Budget, o.Elapsed.Round(time.Millisecond))
	if o.Headline != "" {
		line("%s", o.Headline)
	}
	if o.Detail != "" {
		line("%s", o.Detail)
	}
	for _, f := range o.Faults {
		line("fault   %s", f)
	}
	if o.Site != "" {
		line("at      %s", o.Site)
	}
	for _, w := range o.Would {
		line("would   %s %s", w.Name, w.Outcome)
	}
	if o.Case != "" {
		line("case    %s", o.Case)
	}
	line("again   %s", o.Again)
	line("awaits killed %d/%d", len(o.Awaits.Killed), len(o.Awaits.Reached))
	return b.String()
}
