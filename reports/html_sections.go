package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
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
		{"writes", "durable writes for each offered intent, without a fault"},
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

// storyView is a story as text and as a picture.
type storyView struct {
	ID, Stack, Fault, Headline, Label, Reason, Case, Command, Standing string
	First, Promised                                                    bool
	Text                                                               string
	Picture                                                            template.HTML
}

func storiesOf(told []Told) ([]storyView, error) {
	var out []storyView
	for i := range told {
		s := &told[i]
		var text, picture bytes.Buffer
		opt := s.Options
		opt.Again = "" // the page shows it once, above
		if err := WriteStory(&text, s.History, s.Finding, opt); err != nil {
			return nil, err
		}
		if err := WriteTimeline(&picture, s.History, s.Finding, opt); err != nil {
			return nil, err
		}
		headline, _, _ := strings.Cut(text.String(), "\n")
		v := storyView{
			ID: fmt.Sprintf("story-%d", i+1), Stack: opt.Stack, Fault: opt.Fault, Headline: headline, Label: string(s.Finding.Label), Reason: reason(s.Finding.Label),
			Case: s.Case, Command: s.Options.Again, Standing: "permitted: " + string(s.Finding.Property), First: i == 0, Promised: s.Promised,
			Text: text.String(), Picture: inline(picture.Bytes(), "Sequence diagram: "+headline),
		}
		if s.Promised {
			v.Standing = "promised not to be: " + string(s.Finding.Property)
		}
		out = append(out, v)
	}
	return out, nil
}
