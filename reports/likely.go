package reports

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// Likelihood is how many measuring runs of one stack, with one fault of one kind each, show a finding.
type Likelihood struct {
	Fault   history.FaultKind
	Shown   int // runs that show it
	Touched int // runs whose fault met work in flight
	Runs    int // 0 = nothing was measured
}

// String is the answer with its interval and n: "5 of 20 runs with one fault (consumer kill at a random moment) show
// it, 25 % (95 %: 8.7 to 49 %) · a first look"; "" = nothing was measured. Of a finding that no run shows, it gives the bound.
func (l Likelihood) String() string {
	if l.Runs == 0 {
		return ""
	}
	fault := l.Fault.Title
	if l.Fault.After == 0 {
		fault += " at a random moment"
	}
	what := fmt.Sprintf("%d of %d runs with one fault (%s)", l.Shown, l.Runs, fault)
	iv := share(l.Shown, l.Runs, l.Touched)
	if l.Shown == 0 {
		what += fmt.Sprintf(" show it (≤ %s %%)", percent(iv.Hi))
	} else {
		what += fmt.Sprintf(" show it, %s %% (95 %%: %s to %s %%)", percent(iv.Value), percent(iv.Lo), percent(iv.Hi))
	}
	if l.Runs < decisiveRuns {
		what += " · a first look"
	}
	return what
}
