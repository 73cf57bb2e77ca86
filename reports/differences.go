package reports

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// Difference is what a stack does more than the baseline under one fault kind, per fault. Runs are paired by seed: run i
// of both meets the same environment and the same fault. Its fields are those of results.json.
type Difference struct {
	Stack           string   `json:"stack"`
	Baseline        string   `json:"baseline"`
	Fault           string   `json:"fault"`
	Duplicates      Interval `json:"duplicates_per_fault"` // stack − baseline
	Losses          Interval `json:"losses_per_fault"`
	Touched         float64  `json:"touched"` // share of the stack's runs whose fault met work in flight
	BaselineTouched float64  `json:"baseline_touched"`
}

// baseline is what others are compared with: the first stack that promises to lose nothing, because a stack that may drop
// work is cheap for that reason; the first of all if there is none.
func (in *Input) baseline() string {
	for _, s := range in.Stacks {
		if s.Contract.Loss == history.Never {
			return s.Name
		}
	}
	if len(in.Stacks) == 0 {
		return ""
	}
	return in.Stacks[0].Name
}

// Differences returns one for each stack but the baseline and each fault kind, where both have 300 runs.
func Differences(in Input) []Difference { return differencesOf(&in, sums(in)) }

func differencesOf(in *Input, cells []cell) []Difference {
	var out []Difference
	base := in.baseline()
	for _, s := range in.Stacks {
		for _, k := range in.columns() {
			a, b := findCell(cells, s.Name, k.Name), findCell(cells, base, k.Name)
			if s.Name == base || a.Runs < decisiveRuns || b.Runs < decisiveRuns || a.cannotHappen || b.cannotHappen {
				continue
			}
			out = append(out, Difference{Stack: s.Name, Baseline: base, Fault: k.Name,
				Duplicates: combined([]term{a.term(1, criticalExcess), b.term(-1, criticalExcess)}).times(1),
				Losses:     combined([]term{a.term(1, lostIntents), b.term(-1, lostIntents)}).times(1),
				Touched:    ratio(int64(a.touched()), int64(a.Runs)), BaselineTouched: ratio(int64(b.touched()), int64(b.Runs))})
		}
	}
	return out
}

// differenceSheet shows the paired differences; nil when there are none.
func (t *table) differenceSheet() *sheet {
	byPair := map[[2]string]*Difference{}
	all := differencesOf(&t.in, t.cells)
	for i := range all {
		byPair[[2]string{all[i].Stack, all[i].Fault}] = &all[i]
	}
	if len(all) == 0 {
		return nil
	}
	out := &sheet{above: "Against " + all[0].Baseline + ", by one fault: difference of the means, paired by seed (95 %)"}
	for _, k := range t.columns {
		out.heads = append(out.heads, k.Title)
	}
	for _, s := range t.in.Stacks {
		if s.Name == all[0].Baseline {
			continue
		}
		extra, lost, some := make([]string, len(t.columns)), make([]string, len(t.columns)), false
		for i, k := range t.columns {
			extra[i], lost[i] = "·", ""
			if d := byPair[[2]string{s.Name, k.Name}]; d != nil {
				extra[i], lost[i] = differenceText(d.Duplicates), differenceText(d.Losses)
				some = some || d.Losses.Value != 0
			}
		}
		out.names, out.rows = append(out.names, s.Name), append(out.rows, extra)
		if some {
			out.names, out.rows = append(out.names, "  lost"), append(out.rows, lost)
		}
	}
	out.notes = []note{{"touched", t.touchedShares(all)}}
	return out
}

// touchedShares says, by fault kind, in how many runs the faults met work in flight: with the baseline, and the least and
// the most of the others. A stack that is met less often looks better for that reason alone.
func (t *table) touchedShares(all []Difference) string {
	var parts []string
	for _, k := range t.columns {
		least, most, base := 2.0, -1.0, 0.0
		for i := range all {
			if d := &all[i]; d.Fault == k.Name {
				least, most, base = min(least, d.Touched), max(most, d.Touched), d.BaselineTouched
			}
		}
		switch {
		case most < 0:
		case least == most:
			parts = append(parts, fmt.Sprintf("%s %s %%, the others %s %%", k.Title, percent(base), percent(least)))
		default:
			parts = append(parts, fmt.Sprintf("%s %s %%, the others %s to %s %%", k.Title, percent(base), percent(least), percent(most)))
		}
	}
	return "share of runs whose fault met work in flight: " + strings.Join(parts, " · ")
}

// differenceText is a difference with its interval; a difference of two zeros has none.
func differenceText(iv Interval) string {
	if iv.Value == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%s to %s)", signed(iv.Value), signed(iv.Lo), signed(iv.Hi))
}

func signed(x float64) string {
	switch {
	case x < 0:
		return "−" + brief(-x)
	case x > 0:
		return "+" + brief(x)
	}
	return "0"
}
