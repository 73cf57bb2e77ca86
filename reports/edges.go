package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// edgeMethod says how edges are found, for people.
const edgeMethod = "How large one fault may be before a promise breaks: a grid of sizes, then bisection to 1 % between the smallest size that broke and the one below it; the same seeds at every size. The size of a replay is its time from the end of the drain. Such runs show whether, never how often."

// edgeView is one measured bound as texts.
type edgeView struct {
	Stack, Bound, Fault   string
	Mark, Verdict, Slack  string // of the declared bound
	Measured, Targets     string
	Companion, Case, Plan string
}

func edgesOf(edges []history.Edge) []edgeView {
	var out []edgeView
	for i := range edges {
		e := &edges[i]
		kind, _ := history.FaultKindByName(e.Fault)
		v := edgeView{
			Stack: e.Stack, Bound: string(e.Dimension) + " ≤ " + spanText(e.Declared), Fault: kind.Name,
			Verdict: edgeVerdict(e), Slack: edgeSlack(e), Measured: edgeMeasured(e), Targets: strings.Join(e.Targets, ", "), Companion: e.Companion, Plan: e.Plan,
		}
		v.Mark = map[string]string{history.BoundTrue: "good", history.BoundWrong: "bad"}[e.Standing()]
		if v.Mark == "" {
			v.Mark = "open"
		}
		if e.Case != nil {
			v.Case = *e.Case
		}
		out = append(out, v)
	}
	return out
}

// edgeVerdict is what is said of the declared bound.
func edgeVerdict(e *history.Edge) string {
	switch e.Standing() {
	case history.BoundWrong:
		for _, p := range e.Probes {
			if p.Breaches > 0 {
				return "wrong: breaks at " + spanText(p.Size)
			}
		}
	case history.BoundEmpty:
		return "admits no such fault"
	case history.BoundDoubtful:
		return "doubtful: surely admits " + spanText(e.Inside) + ", which held, but says more than holds"
	}
	return e.Standing()
}

// edgeSlack is how far the edge lies above what the bound admits; "" if there is no edge above it.
func edgeSlack(e *history.Edge) string {
	if e.Standing() != history.BoundTrue {
		return ""
	}
	admits := ""
	if off := e.Declared - e.Inside; off > e.Declared/1000 {
		admits = "admits " + spanText(e.Inside) + ", "
	}
	switch {
	case e.Breaks == 0:
		return strings.TrimSuffix(admits, ", ")
	case e.Holds/e.Inside >= 10:
		return fmt.Sprintf("%sthe edge is %s times as far", admits, thousands(e.Holds/e.Inside))
	}
	return fmt.Sprintf("%s%d %% slack", admits, (e.Holds-e.Inside)/max(1, e.Inside/100))
}

// edgeMeasured is what the search found.
func edgeMeasured(e *history.Edge) string {
	holds := e.At(e.Holds)
	zero := fmt.Sprintf("0 of %s, ≤ %s %%", count(holds.Runs, "run"), percent(zeroBound(holds.Touched)))
	var text string
	switch breaks := e.At(e.Breaks); {
	case e.Breaks > 0:
		by := fmt.Sprintf("breaks at %s (%d of %d", spanText(e.Breaks), breaks.Broken, breaks.Runs)
		if len(e.Targets) > len(breaks.Targets) {
			by += ": " + strings.Join(breaks.Targets, ", ")
		}
		text = by + ")"
		if e.Holds > 0 {
			text = fmt.Sprintf("holds at %s (%s), %s", spanText(e.Holds), zero, text)
		} else if len(e.Probes) > 0 && e.Probes[0].Size == e.Breaks {
			text += ", the smallest that was tried"
		}
	case e.Holds == e.Limit:
		text = fmt.Sprintf("nothing broke up to the search limit %s (%s)", spanText(e.Limit), zero)
	case e.Holds > 0:
		text = fmt.Sprintf("holds at %s (%s), nothing broke up to the search limit %s", spanText(e.Holds), zero, spanText(e.Limit))
	default:
		text = "nothing broke up to the search limit " + spanText(e.Limit)
	}
	for _, p := range e.Probes {
		if p.Undecided > 0 && (e.Breaks == 0 || p.Size < e.Breaks) {
			text += fmt.Sprintf("; at %s %d of %d could not be decided", spanText(p.Size), p.Undecided, p.Runs)
			break
		}
	}
	if e.Again > 0 {
		text += fmt.Sprintf("; not monotone: at %s nothing broke", spanText(e.Again))
	}
	return text
}

// spanText writes a size for people: to a thousandth, which is finer than any edge, in days where these are whole.
func spanText(ns int64) string {
	const day = 24 * 3600 * int64(1_000_000_000)
	unit := int64(1)
	for unit <= ns/10_000 {
		unit *= 10
	}
	if ns >= 3600_000_000_000 {
		unit = 1_000_000_000
	}
	rounded := (ns + unit/2) / unit * unit
	if rounded >= 2*day && rounded%day == 0 {
		return fmt.Sprintf("%dd", rounded/day)
	}
	return rng.FormatDuration(rounded)
}

// thousands sets groups of digits apart.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s %03d", thousands(n/1000), n%1000)
}

// edgeLines is the block below the table; none if no edge was looked for.
func edgeLines(in *Input) []string {
	if len(in.Edges) == 0 {
		return nil
	}
	out := append([]string{"", "Edges"}, wrap(edgeMethod, pageWidth)...)
	for _, v := range alike(edgesOf(in.Edges)) {
		head := fmt.Sprintf("%-25s %-17s", v.Bound, v.Fault)
		out = append(out, hangAt(44, head, fmt.Sprintf("%s: %s; %s", v.Stack, v.standing(), v.Measured))...)
	}
	if companions := companionsOf(in.Edges); companions != "" {
		out = append(out, wrap(companions, pageWidth)...)
	}
	return out
}

// standing is what is said of the bound, with its slack.
func (v *edgeView) standing() string { return v.Verdict + prefixed(", ", v.Slack) }

// alike puts stacks together of which the same is said under the same fault kind.
func alike(all []edgeView) []edgeView {
	var out []edgeView
	for _, v := range all {
		at := slices.IndexFunc(out, func(o edgeView) bool { return o.Bound == v.Bound && o.Fault == v.Fault })
		for ; at >= 0 && at < len(out) && out[at].Bound == v.Bound && out[at].Fault == v.Fault; at++ {
			if out[at].standing() == v.standing() && out[at].Measured == v.Measured {
				out[at].Stack += ", " + v.Stack
				v.Stack = ""
			}
		}
		switch {
		case v.Stack == "":
		case at < 0:
			out = append(out, v)
		default:
			out = slices.Insert(out, at, v)
		}
	}
	return out
}

// edgeMarkdown is the same for a pull request.
func edgeMarkdown(in *Input) []string {
	if len(in.Edges) == 0 {
		return nil
	}
	out := []string{"", "**Edges.** " + escape(strings.TrimSpace(edgeMethod+" "+companionsOf(in.Edges))), "",
		"| stack | declared | fault | the bound is | measured |", "|---|---|---|---|---|"}
	for _, v := range edgesOf(in.Edges) {
		out = append(out, "| `"+v.Stack+"` | "+escape(v.Bound)+" | "+v.Fault+" | "+escape(v.standing())+" | "+escape(v.Measured)+" |")
	}
	return out
}

// companionsOf says which searches have a second fault, and why.
func companionsOf(edges []history.Edge) string {
	for i := range edges {
		if e := &edges[i]; e.Companion != "" {
			return "A wrong clock makes nobody do anything again, it makes somebody forget: each of its runs also has a " + e.Companion +
				", at a hook, and the clock goes wrong at that moment; the clocks of all roles take turns."
		}
	}
	return ""
}
