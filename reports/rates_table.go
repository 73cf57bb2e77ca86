package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/twiceless/twiceless/sim/rng"
)

// rateSheet is the rates at the exposure profile; nil when the profile says nothing of what is compared.
func (t *table) rateSheet() *sheet {
	e := &t.in.Exposed
	kinds := t.in.exposedKinds()
	if len(kinds) == 0 || e.Interval <= 0 {
		return nil
	}
	origin := e.Name + prefixed("; every frequency is an assumption: ", e.Origin)
	rates := t.rates()
	if rates == nil {
		return &sheet{above: fmt.Sprintf("With %d runs in every cell, also per day at %s", decisiveRuns, origin)}
	}
	out := &sheet{above: "Also per day at " + origin, heads: []string{"duplicates a day", "lost a day", "duplicates a million", "lost a million"}}
	for i := range rates {
		r := &rates[i]
		out.names = append(out.names, r.Stack)
		out.rows = append(out.rows, []string{
			rateText(r.duplicatesDay), rateText(r.lossesDay), rateText(r.DuplicatesPerMillion), rateText(r.LossesPerMillion)})
	}
	var made, cut, again []string
	for _, k := range kinds {
		made = append(made, k.Title+" "+brief(k.perDay))
		if met := metByLoad(k.For, e.Load); met < 90 {
			cut = append(cut, fmt.Sprintf("%s %d %%", k.Title, met))
		}
		if k.After > 0 {
			again = append(again, k.Title)
		}
	}
	out.notes = append(out.notes, note{"faults a day", strings.Join(made, " · ") + prefixed(" · not counted: ", strings.Join(t.uncounted(), ", "))})
	if len(cut) > 0 {
		out.notes = append(out.notes, note{"cut short", "load ends with the chaos phase, and of a fault's time it meets on average: " + strings.Join(cut, ", ") +
			"; what such faults do to a load that goes on is more than is counted here"})
	}
	if len(again) > 0 {
		out.notes = append(out.notes, note{"one run's load", strings.Join(again, ", ") + ": repeats what one run offered, " + rng.FormatDuration(e.Load) +
			" of load; a topic that retains more repeats more"})
	}
	return out
}

// uncounted are the columns without a frequency, and the frequencies without a column.
func (t *table) uncounted() []string {
	in := &t.in
	counted, frequent, compared := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, k := range in.exposedKinds() {
		counted[k.Name] = true
	}
	for _, l := range in.Exposed.Lines {
		frequent[l.Kind] = true
	}
	var names []string
	for _, k := range t.columns {
		compared[k.Name] = true
		switch {
		case counted[k.Name]:
		case frequent[k.Name]:
			names = append(names, k.Title+" (never)")
		default:
			names = append(names, k.Title+" (no frequency)")
		}
	}
	var others []string
	for _, l := range in.Exposed.Lines {
		if !compared[l.Kind] {
			others = append(others, l.Kind)
		}
	}
	if len(others) > 0 {
		names = append(names, "what was not compared ("+strings.Join(others, ", ")+")")
	}
	return names
}

// metByLoad is the share, in percent, of a fault's time that falls into a load of that length, on average over
// moments of the load at which it may begin. A fault without a length has no time to lose.
func metByLoad(fault, load int64) int64 {
	switch {
	case fault <= 0 || load <= 0:
		return 100
	case fault <= load:
		return int64(math.Round(100 * (1 - float64(fault)/(2*float64(load)))))
	}
	return int64(math.Round(100 * float64(load) / (2 * float64(fault))))
}

// rateText is a rate with its interval, and a zero with its bound.
func rateText(iv Interval) string {
	if iv.Value == 0 {
		return "– (≤ " + scarce(iv.Hi) + ")"
	}
	return scarce(iv.Value) + " (" + scarce(iv.Lo) + "–" + scarce(iv.Hi) + ")"
}

// scarce is a figure of which there may be very little.
func scarce(x float64) string {
	if x > 0 && x < 0.001 {
		return "<0.001"
	}
	return brief(x)
}
