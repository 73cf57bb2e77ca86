package reports

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// costsView is what stacks cost, as shares of one stack's costs.
type costsView struct {
	Baseline string
	Rows     []costView
}

type costView struct {
	Stack    string
	Baseline bool
	Values   []string
}

// Heads are the columns of the costs.
func (costsView) Heads() []definition {
	return []definition{
		{"calls", "calls to services for each offered intent, without a fault"},
		{"writes", "records that any component writes to a disk for each offered intent, without a fault"},
		{"p50", "median of the latency from the intended arrival to the last deciding effect, without a fault"},
		{"p99", "99th percentile of the same"},
		{"p99 in the fault", "99th percentile of the intents that arrived while a fault was on, under the fault kind where it is highest"},
		{"back to normal", "from the end of the fault until the intents that had arrived by then were done: 99th percentile of runs, under the slowest fault kind"},
	}
}

// costsOf compares every stack with the baseline. nil without a control to measure by.
func costsOf(d *chart) *costsView {
	if len(d.in.Stacks) == 0 {
		return nil
	}
	base := d.in.baseline()
	of := d.costs(base)
	if of == nil {
		return nil
	}
	v := &costsView{Baseline: base}
	for _, s := range d.in.Stacks {
		row := costView{Stack: s.Name, Baseline: s.Name == base}
		own := d.costs(s.Name)
		for i := range of {
			text := "–"
			if own != nil && of[i] > 0 {
				text = fmt.Sprintf("%.0f %%", 100*own[i]/of[i])
			}
			row.Values = append(row.Values, text)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// costs are a stack's costs in the order of Heads; nil if its control was not run.
func (d *chart) costs(stack string) []float64 {
	control := d.cell(stack, Control)
	if control == nil || control.Runs == 0 {
		return nil
	}
	inFault, recovery := 0.0, 0.0
	for _, k := range d.columns {
		c := d.cell(stack, k.Name)
		inFault, recovery = max(inFault, c.Latency.P99InFault), max(recovery, c.Recovery.P99)
	}
	return []float64{control.CallsPerIntent, control.WritesPerIntent, control.Latency.P50, control.Latency.P99, inFault, recovery}
}

// calls for each offered intent of a stack without a fault; 0 if that was not run.
func (t *table) calls(stack string) float64 { return t.chart().cell(stack, Control).CallsPerIntent }

// costSheet is the second table of a comparison.
func (t *table) costSheet() *sheet {
	if !t.in.Costs {
		return nil
	}
	v := costsOf(t.chart())
	if v == nil {
		return nil
	}
	out := &sheet{above: "Costs in percent of " + v.Baseline + ": calls, writes and latency without a fault, then under the fault kind where it is worst; " +
		"parked and refused are intents under the worst kind, mean (worst run)"}
	for _, h := range v.Heads() {
		out.heads = append(out.heads, h.Term)
	}
	out.heads = append(out.heads, "parked", "refused")
	for _, row := range v.Rows {
		out.names = append(out.names, row.Stack)
		out.rows = append(out.rows, append(row.Values,
			t.highest(row.Stack, func(c *cell) (int64, int64) { return c.Parked, c.parkedWorst }),
			t.highest(row.Stack, func(c *cell) (int64, int64) { return c.Buckets[history.RefusedB], c.refusedWorst })))
	}
	return out
}

// highest is a figure of a stack under the fault kind where its mean is largest; – = it is zero under all.
func (t *table) highest(stack string, figure func(*cell) (sum, worst int64)) string {
	text, most := "–", 0.0
	for _, c := range t.under(stack) {
		if sum, worst := figure(c); c.Runs > 0 && float64(sum)/float64(c.Runs) > most {
			most = float64(sum) / float64(c.Runs)
			text = fmt.Sprintf("%s (%d)", damage(sum, c.Runs), worst)
		}
	}
	return text
}

// smallestHolding names the stack of the fewest parts, and among these of the fewest calls, that showed nothing extra and nothing lost in any column, and what it
// costs. "" without a column that was exercised.
func (t *table) smallestHolding() string {
	var best *StackInfo
	exercised := false
	for i := range t.in.Stacks {
		s := &t.in.Stacks[i]
		d := t.digest(s.Name)
		exercised = exercised || d.touched > 0
		if d.touched == 0 || d.within.words()+d.beyond.words() != "" || s.Verdict == "fail" {
			continue
		}
		if best == nil || len(s.Parts) < len(best.Parts) || len(s.Parts) == len(best.Parts) && t.calls(s.Name) < t.calls(best.Name) {
			best = s
		}
	}
	switch {
	case !exercised:
		return ""
	case best == nil:
		return "none: every stack duplicates or loses under some fault kind"
	}
	d := t.digest(best.Name)
	text := best.Name + " · " + strings.Join(best.Parts, " + ")
	if v := costsOf(t.chart()); v != nil && v.Baseline != best.Name {
		for _, row := range v.Rows {
			if row.Stack == best.Name {
				text += fmt.Sprintf(" · %s of the calls and %s of the p99 of %s", row.Values[0], row.Values[3], v.Baseline)
			}
		}
	}
	return text + " · " + d.bound()
}
