package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// Side is one of two comparisons of the same scenario.
type Side struct {
	Name  string // how people call it
	Input Input
}

// WriteChanges writes what changed from one comparison to another: verdicts, cells beyond their intervals, and what only
// one of them has. Figures of both sides are of their own rows, so that their model epochs may differ.
func WriteChanges(w io.Writer, was, is Side) error {
	for _, s := range []*Side{&was, &is} {
		if err := s.Input.check(); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	c := &changes{was: newChart(was.Input), is: newChart(is.Input)}
	lines := []string{is.Input.Scenario + ": " + was.Name + " → " + is.Name,
		"  " + was.about(), "→ " + is.about()}
	if was.Input.ScenarioHash != is.Input.ScenarioHash {
		lines = append(lines, fmt.Sprintf("  the scenario is not the same text: %s → %s", was.Input.ScenarioHash, is.Input.ScenarioHash))
	}
	lines = append(append(lines, ""), c.verdicts()...)
	lines = append(append(lines, ""), c.damages()...)
	if only := c.onlyOne(); len(only) > 0 {
		lines = append(append(lines, ""), only...)
	}
	return writeLines(w, lines)
}

func (s *Side) about() string {
	runs, _ := s.Input.runsText()
	return fmt.Sprintf("%s: model epoch %d · %s · base seed %d", s.Name, s.Input.Epoch, runs, s.Input.BaseSeed)
}

// changes are two sides with their cells.
type changes struct{ was, is *chart }

func (d *chart) stack(name string) *StackInfo {
	for i := range d.in.Stacks {
		if d.in.Stacks[i].Name == name {
			return &d.in.Stacks[i]
		}
	}
	return nil
}

// verdicts are those of stacks and their promises that are not the same.
func (c *changes) verdicts() []string {
	var lines []string
	for i := range c.is.in.Stacks {
		is := &c.is.in.Stacks[i]
		was := c.was.stack(is.Name)
		if was == nil {
			continue
		}
		if was.Verdict != is.Verdict {
			lines = append(lines, fmt.Sprintf("verdict    %s: %s → %s", is.Name, was.Verdict, is.Verdict))
		}
		promised := map[string]bool{}
		for _, side := range []map[string]string{was.Promises, is.Promises} {
			for _, p := range history.SortedKeys(side) {
				promised[p] = true
			}
		}
		for _, p := range history.SortedKeys(promised) {
			if before, after := was.Promises[p], is.Promises[p]; before != after {
				lines = append(lines, fmt.Sprintf("promise    %s, %s: %s → %s", is.Name, p, orNone(before), orNone(after)))
			}
		}
	}
	if len(lines) == 0 {
		return []string{"verdicts   the same for every stack and promise"}
	}
	return lines
}

func orNone(verdict string) string {
	if verdict == "" {
		return "not promised"
	}
	return verdict
}

// damages are the cells whose damage changed beyond the intervals, and how many changed less.
func (c *changes) damages() []string {
	var lines []string
	beyond, within, same := 0, 0, 0
	for i := range c.is.cells {
		is := &c.is.cells[i]
		was := c.was.cell(is.Stack, is.Fault)
		if was == nil || was.Runs == 0 || is.Runs == 0 {
			continue
		}
		found := damageChanges(was, is)
		switch {
		case len(found) > 0:
			beyond++
			lines = append(lines, found...)
		case was.DuplicatesPerFault.Value != is.DuplicatesPerFault.Value || was.LossesPerFault.Value != is.LossesPerFault.Value:
			within++
		default:
			same++
		}
	}
	summary := fmt.Sprintf("cells      %d changed beyond their intervals, %d within, %d have the same damage", beyond, within, same)
	return append([]string{summary}, lines...)
}

func damageChanges(was, is *Cell) []string {
	var lines []string
	add := func(what string, mean, share [2]Interval, sums [2]int64) {
		if disjoint(share[0], share[1]) || sums[0] > 0 && sums[1] > 0 && disjoint(mean[0], mean[1]) {
			lines = append(lines, fmt.Sprintf("changed    %s, %s: %s %s → %s", is.Stack, is.Fault, what, estimate(mean[0], sums[0]), estimate(mean[1], sums[1])))
		}
	}
	add("extra", [2]Interval{was.DuplicatesPerFault, is.DuplicatesPerFault}, [2]Interval{was.PDuplicate, is.PDuplicate}, [2]int64{was.Duplicates, is.Duplicates})
	add("lost", [2]Interval{was.LossesPerFault, is.LossesPerFault}, [2]Interval{was.PLoss, is.PLoss}, [2]int64{was.Losses, is.Losses})
	return lines
}

// disjoint says whether two intervals have nothing in common. Of a mean of zero only the share of runs has an interval,
// so that a zero is compared by that alone.
func disjoint(a, b Interval) bool { return a.Hi < b.Lo || b.Hi < a.Lo }

// onlyOne lists the stacks and fault kinds that one side alone has.
func (c *changes) onlyOne() []string {
	names := func(d *chart) (stacks, kinds []string) {
		for _, s := range d.in.Stacks {
			stacks = append(stacks, s.Name)
		}
		for _, k := range d.columns {
			kinds = append(kinds, k.Name)
		}
		return stacks, kinds
	}
	wasStacks, wasKinds := names(c.was)
	isStacks, isKinds := names(c.is)
	var lines []string
	for _, l := range []struct {
		head  string
		names []string
	}{
		{"gone", append(without(wasStacks, isStacks), without(wasKinds, isKinds)...)},
		{"new", append(without(isStacks, wasStacks), without(isKinds, wasKinds)...)},
	} {
		if len(l.names) > 0 {
			lines = append(lines, pad(l.head, 11)+strings.Join(l.names, ", "))
		}
	}
	return lines
}

func without(all, some []string) []string {
	var out []string
	for _, name := range all {
		found := false
		for _, s := range some {
			found = found || s == name
		}
		if !found {
			out = append(out, name)
		}
	}
	return out
}
