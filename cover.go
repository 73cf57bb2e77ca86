package twiceless

import (
	"slices"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// awaits collects where the team's code waits for the world, and where it died.
type awaits struct{ reached, killed []string }

// awaitsOf a run. Calls have sites only in runs that were asked for them; deaths always have.
func awaitsOf(h *history.History) (a awaits) {
	for i := range h.Facts {
		switch f := &h.Facts[i]; {
		case f.Kind == history.KindCalled && reports.OfTeam(f.Site):
			a.reached = append(a.reached, f.Site)
		case f.Kind == history.KindUnwound && reports.OfTeam(f.Note):
			a.killed = append(a.killed, f.Note)
		}
	}
	a.tidy()
	return a
}

func (a *awaits) tidy() {
	a.reached = append(a.reached, a.killed...)
	for _, list := range []*[]string{&a.reached, &a.killed} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

// add takes up those of another run.
func (a *awaits) add(b awaits) {
	a.reached, a.killed = append(a.reached, b.reached...), append(a.killed, b.killed...)
	a.tidy()
}

// uncovered says whether fewer awaits were killed than a test demands; where none was reached, nothing was covered.
func uncovered(a *reports.Awaits) bool {
	return a.Least > 0 && (len(a.Reached) == 0 || 100*len(a.Killed) < a.Least*len(a.Reached))
}

// sitedEvery is the sample of runs whose calls have sites: naming them costs as much as a kernel event each.
const sitedEvery = 10

// sited is a case whose calls have sites, which no digest sees.
func sited(c *scenarios.Case) *scenarios.Case {
	code := *c.Intent.Scenario.Bound()
	code.Sites = true
	return bound(c, &code)
}

// bound is a case over that code, which has been bound to its scenario before.
func bound(c *scenarios.Case, code *scenarios.Code) *scenarios.Case {
	out := *c
	out.Intent.Scenario, _ = c.Intent.Scenario.Bind(code) // it fitted the same flow
	return &out
}
