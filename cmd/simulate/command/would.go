package command

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/rng"
)

// How long the search for what would help may take: in replay about a second of work, so that most small cases are
// answered at once; in shrink, which takes its time anyway, as many runs as say something about pairs of faults.
var (
	replayRemedies = scenarios.RemedyLimits{Runs: 200, Intents: 4, Events: 1_000_000, Patience: patience}
	shrinkRemedies = scenarios.RemedyLimits{Runs: 400, Patience: patience}
)

// would says for each layer whether the stack with it holds at all placements of the case's faults; path is "" if
// the case has been shrunk already.
func (a *app) would(c *scenarios.Case, path string, limits scenarios.RemedyLimits) []reports.Remedy {
	found, err := scenarios.FindRemedies(c, limits)
	switch {
	case errors.Is(err, scenarios.ErrTooLarge) && path != "":
		if path == "-" {
			path = "CASE"
		} else {
			path = relative(path)
		}
		return []reports.Remedy{{Outcome: "searched of small cases: " + a.command("shrink", path)}}
	case errors.Is(err, scenarios.ErrTooLarge):
		return []reports.Remedy{{Outcome: "not searched: even now there are too many faults"}}
	case err != nil:
		return []reports.Remedy{{Outcome: "could not be searched: " + err.Error()}}
	}
	slices.SortStableFunc(found.Layers, func(a, b scenarios.Remedy) int { return cmp.Compare(a.Broken(), b.Broken()) })
	var out []reports.Remedy
	for i := range found.Layers {
		r := &found.Layers[i]
		out = append(out, reports.Remedy{Name: r.Layer, Outcome: outcome(r, found.Faults)})
	}
	if len(out) == 0 {
		out = append(out, reports.Remedy{Outcome: "no layer alone: none of those that this stack lacks can stand in it"})
	}
	found.AsIs.Breaks = nil // the story above is one
	return append(out, reports.Remedy{Name: "as it is", Outcome: outcome(&found.AsIs, found.Faults)})
}

// outcome is what the placements say: "holds at all 41 placements of this fault".
func outcome(r *scenarios.Remedy, faults int) string {
	of := "placements of this fault"
	if faults > 1 {
		of = "placements of these faults"
	}
	text := fmt.Sprintf("breaks at %d of %d %s", r.Broken(), r.Met, of)
	switch {
	case r.Met == 0:
		return fmt.Sprintf("says nothing: at none of %d %s did they take effect", r.Tried, of)
	case faults == 0 && r.Broken() > 0:
		text = "breaks without any fault"
	case faults == 0:
		text = "holds"
	case r.Broken() == 0:
		text = fmt.Sprintf("holds at all %d %s", r.Met, of)
	}
	if r.Tried < r.Placements {
		text += fmt.Sprintf(" (%d of %d tried)", r.Tried, r.Placements)
	}
	if r.Undecided > 0 {
		text += fmt.Sprintf(" · undecided at %d", r.Undecided)
	}
	if faults > 0 && len(r.Breaks) > 0 {
		text += " · the first: " + strings.Join(r.Breaks, "; ")
	}
	return text
}

// shrunkBy says what became smaller besides faults and events.
func shrunkBy(from, to scenarios.Size) string {
	var parts []string
	number := func(what string, a, b int) {
		if a != b {
			parts = append(parts, fmt.Sprintf("%s %d → %d", what, a, b))
		}
	}
	number("members", from.Members, to.Members)
	number("partitions", from.Partitions, to.Partitions)
	length := func(what string, a, b int64) {
		if a != b {
			parts = append(parts, fmt.Sprintf("%s %s → %s", what, rng.FormatDuration(a), rng.FormatDuration(b)))
		}
	}
	length("faults last", from.Lasts, to.Lasts)
	length("chaos", from.Chaos, to.Chaos)
	return strings.Join(parts, " · ")
}
