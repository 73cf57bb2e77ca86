package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/twiceless/twiceless/sim/history"
)

// Formats lists the forms of the damage table.
func Formats() []string { return []string{"text", "markdown", "json"} }

// WriteTable writes the damage table: what one fault does to critical effects, stack by stack. Format json is the
// content of results.json.
func WriteTable(w io.Writer, in Input, format string) error {
	if err := in.check(); err != nil {
		return err
	}
	switch format {
	case "json":
		return WriteResults(w, in)
	case "text", "":
		return writeLines(w, newTable(in).text())
	case "markdown":
		return writeLines(w, newTable(in).markdown())
	}
	return fmt.Errorf("unknown format %q (%s)", format, strings.Join(Formats(), ", "))
}

func writeLines(w io.Writer, lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table is the comparison as texts, before any layout.
type table struct {
	in      Input
	columns []history.FaultKind
	cells   []cell // without estimates: a table shows counts

	// What takes all rows once more is made when it is first asked for, and then kept.
	chart func() *chart
	rates func() []Rate
}

func newTable(in Input) *table {
	t := &table{in: in, columns: in.columns(), cells: sums(in)}
	t.chart = sync.OnceValue(t.estimated)
	t.rates = sync.OnceValue(func() []Rate { return ratesOf(&t.in, t.cells) })
	return t
}

// estimated is the comparison with its estimates.
func (t *table) estimated() *chart {
	cells := slices.Clone(t.cells)
	for i := range cells {
		cells[i].estimate()
	}
	return &chart{in: &t.in, columns: t.columns, cells: plain(cells), rates: t.rates}
}

// cell is never nil for a listed stack and fault.
func (t *table) cell(stack, fault string) *cell { return findCell(t.cells, stack, fault) }

// under are a stack's cells with a fault, in column order.
func (t *table) under(stack string) []*cell {
	cells := make([]*cell, len(t.columns))
	for i, k := range t.columns {
		cells[i] = t.cell(stack, k.Name)
	}
	return cells
}

// header says what was compared, in lines of at most pageWidth.
func (t *table) header() []string {
	in := &t.in
	runs, decisive := in.runsText()
	if !decisive {
		runs += fmt.Sprintf(" (a first look; decide with --runs %d)", decisiveRuns)
	}
	parts := []string{
		in.Scenario,
		count(len(in.Stacks), "stack") + " × " + count(len(t.columns), "fault kind"),
		"one fault a run", runs,
	}
	if hunts := in.huntsText(); hunts != "" {
		parts = append(parts, hunts)
	}
	if in.Elapsed != "" {
		parts = append(parts, in.Elapsed)
	}
	lines := fill(parts, " · ", pageWidth)
	var second []string
	if in.Load != "" {
		second = append(second, in.Load)
	}
	second = append(second, fmt.Sprintf("base seed %d", in.BaseSeed))
	if in.RunTwice > 0 {
		second = append(second, fmt.Sprintf("%s done twice, digests equal", count(in.RunTwice, "run")))
	}
	return append(lines, fill(second, " · ", pageWidth)...)
}

// sheets are the tables below that of damage.
func (t *table) sheets() []*sheet {
	sheets := t.exposureSheets()
	if costs := t.costSheet(); costs != nil {
		sheets = append([]*sheet{costs}, sheets...)
	}
	return sheets
}

// exposureSheets are those about how often and how many faults. The page has costs in a section of their own.
func (t *table) exposureSheets() []*sheet {
	var sheets []*sheet
	if len(t.columns) > 0 && len(t.in.Stacks) > 0 {
		for _, s := range []*sheet{t.rateSheet(), t.differenceSheet(), t.sensitivitySheet()} {
			if s != nil {
				sheets = append(sheets, s)
			}
		}
	}
	return sheets
}

// control says what happened without a fault.
func (t *table) control() string {
	var dirty []string
	clean, runs, seen := 0, 0, false
	for _, s := range t.in.Stacks {
		c := t.cell(s.Name, Control)
		if c == nil || c.Runs == 0 {
			continue
		}
		seen, runs = true, max(runs, c.Runs)
		if c.Duplicates+c.Losses == 0 {
			clean++
			continue
		}
		dirty = append(dirty, fmt.Sprintf("%s %s extra, %s", s.Name, damage(c.Duplicates, c.Runs), lostText(&c.Cell)))
	}
	switch {
	case !seen:
		return "control (no fault)  not run"
	case len(dirty) == 0:
		return fmt.Sprintf("control (no fault)  nothing extra, nothing lost in any stack, %s each", count(runs, "run"))
	}
	return fmt.Sprintf("control (no fault)  NOT CLEAN: %s · the other %d clean", strings.Join(dirty, "; "), clean)
}

func lostText(c *Cell) string {
	text := damage(c.Losses, c.Runs) + " lost"
	if c.LostSilent > 0 {
		text = "!" + text
	}
	return text
}

// damage is a mean over runs for a table: one decimal below ten, more only where it would be none. Halves go up.
func damage(sum int64, runs int) string {
	n := int64(runs)
	if n == 0 || sum == 0 {
		return "–"
	}
	nearest := func(unit int64) int64 { return (2*sum*unit + n) / (2 * n) }
	switch {
	case nearest(100) == 0:
		return "<0.01"
	case nearest(100) < 10:
		return fmt.Sprintf("0.%02d", nearest(100))
	case nearest(10) < 100:
		return fmt.Sprintf("%d.%d", nearest(10)/10, nearest(10)%10)
	}
	return fmt.Sprint(nearest(1))
}

// entry is one cell of the table: a mean and the worst run.
type entry struct{ mean, worst string }

// entryOf shows a sum over the runs of a cell.
func entryOf(c *cell, sum, worst int64, silent bool) entry {
	switch {
	case c.cannotHappen:
		return entry{mean: "n/a"}
	case c.Runs == 0:
		return entry{mean: "·"}
	case sum == 0 && !c.exercised():
		return entry{mean: "?"}
	case sum == 0:
		return entry{mean: "–"}
	}
	e := entry{mean: damage(sum, c.Runs), worst: fmt.Sprintf("(%d)", worst)}
	if silent {
		e.mean = "!" + e.mean
	}
	if c.outside() {
		e.worst += "°"
	}
	return e
}

func extraEntry(c *cell) entry { return entryOf(c, c.Duplicates, c.Worst.Duplicates, false) }
func lostEntry(c *cell) entry  { return entryOf(c, c.Losses, c.Worst.Losses, c.LostSilent > 0) }
func notifyEntry(c *cell) entry {
	return entryOf(c, c.DuplicatesByClass.Notify, c.notifyWorst, false)
}

func entries(cells []*cell, show func(*cell) entry) []entry {
	out := make([]entry, len(cells))
	for i, c := range cells {
		out[i] = show(c)
	}
	return out
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
