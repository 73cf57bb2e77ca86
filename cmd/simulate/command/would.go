package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/rng"
)

// How long the search for what would help may take: in replay a second or two of work, in shrink, which takes its time
// anyway, up to four times as much. A case of many events has so many placements that those few say little.
var (
	replayRemedies = scenarios.RemedyLimits{Runs: 200, Intents: 20, Events: 2_000_000, Patience: patience}
	shrinkRemedies = scenarios.RemedyLimits{Runs: 200, Intents: 20, Events: 6_000_000, Patience: patience}
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
		return []reports.Remedy{{Outcome: "not searched: the case is still too large"}}
	case err != nil:
		return []reports.Remedy{{Outcome: "could not be searched: " + err.Error()}}
	}
	return tell.Remedies(found)
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
