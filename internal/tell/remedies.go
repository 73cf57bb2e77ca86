package tell

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
)

// Remedies lists what holds, then what breaks at fewer placements than the stack as it is, then names the layers that are
// no better.
func Remedies(found *scenarios.Remedies) []reports.Remedy {
	var better, rest []scenarios.Remedy
	for _, r := range found.Changes {
		if r.Met > 0 && r.Broken() < found.AsIs.Broken() {
			better = append(better, r)
		} else if r.Added {
			rest = append(rest, r)
		}
	}
	slices.SortStableFunc(better, func(a, b scenarios.Remedy) int {
		return cmp.Or(cmp.Compare(a.Broken(), b.Broken()), cmp.Compare(a.Lost+a.Parked+a.Undecided, b.Lost+b.Parked+b.Undecided))
	})
	var out []reports.Remedy
	for i := range better {
		out = append(out, reports.Remedy{Name: better[i].Change, Outcome: outcome(&better[i], found.Faults)})
	}
	if len(out) == 0 {
		out = append(out, reports.Remedy{Outcome: "no single layer, nor another value of one parameter"})
	}
	found.AsIs.Breaks = nil // the story above is one
	out = append(out, reports.Remedy{Name: reports.AsItIs, Outcome: outcome(&found.AsIs, found.Faults)})
	if len(rest) > 0 {
		out = append(out, reports.Remedy{Name: reports.NoBetter, Outcome: strings.Join(namesOf(rest, better), ", ")})
	}
	return out
}

// namesOf remedies; a layer none of whose kinds is among the better ones is named once.
func namesOf(rest, better []scenarios.Remedy) (names []string) {
	for _, r := range rest {
		name := r.Change
		if !slices.ContainsFunc(better, func(b scenarios.Remedy) bool { return b.Layer == r.Layer }) {
			name = r.Layer
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// outcome is what the placements say: "holds at all 41 placements of this fault". Those at which the fault had no
// effect are not among them.
func outcome(r *scenarios.Remedy, struck int) string {
	of := "placements of this fault"
	if struck > 1 {
		of = "placements of these faults"
	}
	n := strconv.Itoa(r.Met)
	if r.Tried < r.Placements {
		n += " tried of " + strconv.Itoa(r.Placements)
	}
	var text string
	switch {
	case r.Met == 0:
		return fmt.Sprintf("says nothing: at none of %d %s did they take effect", r.Tried, of)
	case r.Placements == 1 && r.Broken() > 0:
		text = "breaks" + under(struck)
	case r.Placements == 1:
		text = "holds" + under(struck)
	case r.Broken() > 0:
		text = fmt.Sprintf("breaks at %d of %s %s", r.Broken(), n, of)
	default:
		text = fmt.Sprintf("holds at all %s %s", n, of)
	}
	for _, but := range []struct {
		what string
		n    int
	}{{"undecided", r.Undecided}, {"loses the event", r.Lost}, {"leaves it to a person", r.Parked}} {
		switch {
		case but.n > 0 && r.Placements == 1:
			text += " · " + but.what
		case but.n > 0:
			text += fmt.Sprintf(" · %s at %d", but.what, but.n)
		}
	}
	if r.Placements > 1 && len(r.Breaks) > 0 {
		text += " · the first at " + hooksOf(r.Breaks)
	}
	return text
}

// under says which faults there are, if they have one place only.
func under(faults int) string {
	switch faults {
	case 0:
		return " without any fault"
	case 1:
		return " under this fault"
	}
	return " under these faults"
}

// hooksOf a plan; what has a time stays as it is.
func hooksOf(lines []string) string {
	plan, err := faults.ParseLines(lines)
	if err != nil {
		panic("tell: a plan that was run does not parse: " + err.Error())
	}
	var at []string
	for _, f := range plan {
		at = append(at, cmp.Or(f.Trigger.Hook, f.Trigger.String()))
	}
	return strings.Join(at, " and ")
}
