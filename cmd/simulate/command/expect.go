package command

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// decisive is the number of runs of a cell from which an upper bound may be called met.
const decisive = 300

// expectations judges the statements of a scenario. What so many runs cannot decide is a note.
func (j *judgement) expectations(list []scenarios.Expectation, in reports.Input) {
	if len(list) == 0 {
		return
	}
	cells := reports.Cells(in)
	for _, e := range list {
		for _, fault := range history.SortedKeys(e.Damage) {
			j.damage(e.Stack, fault, e.Damage[fault], cells)
		}
		if e.LostSilent == "none" {
			j.lostSilent(e.Stack, cells)
		}
	}
}

// damage judges a statement such as p_duplicate < 1%: contradicted if the whole interval lies above the limit, met if
// it lies below and there are runs enough.
func (j *judgement) damage(stack, fault, text string, cells []reports.Cell) {
	statement := fmt.Sprintf("%s under %s: %s", stack, fault, text)
	chance, err := scenarios.ParseChance(text)
	if err != nil {
		panic("command: a validated expectation does not parse: " + err.Error())
	}
	c := findCell(cells, stack, fault)
	if c == nil || c.Runs == 0 {
		j.note("expected", "%s · not judged: not compared", statement)
		return
	}
	share, hits := c.PDuplicate, c.RunsWithDuplicate
	if chance.Metric == "p_loss" {
		share, hits = c.PLoss, c.RunsWithLoss
	}
	limit := float64(chance.Limit.Num) / float64(chance.Limit.Den)
	seen := fmt.Sprintf("%d of %d runs (95 %%: %.1f to %.1f %%)", hits, c.Runs, 100*share.Lo, 100*share.Hi)
	below := func(p float64) bool { return p < limit || chance.Equal && p == limit }
	switch {
	case hits > 0 && !below(share.Lo):
		j.broken = true
		j.say("expected", "%s · CONTRADICTED: %s", statement, seen)
	case below(share.Hi) && c.Runs >= decisive && (c.FaultsHit > 0 || fault == reports.Control):
		j.say("expected", "%s · met: %s", statement, seen)
	default:
		j.note("expected", "%s · not decided: %s", statement, seen)
	}
}

// lostSilent judges that nothing is lost without a trace.
func (j *judgement) lostSilent(stack string, cells []reports.Cell) {
	var lost int64
	runs := 0
	for i := range cells {
		if cells[i].Stack == stack {
			lost += cells[i].LostSilent
			runs += cells[i].Runs
		}
	}
	switch {
	case lost > 0:
		j.broken = true
		j.say("expected", "%s loses nothing silently · CONTRADICTED: %d intents lost without a trace", stack, lost)
	case runs == 0:
		j.note("expected", "%s loses nothing silently · not judged: not compared", stack)
	default:
		j.say("expected", "%s loses nothing silently · 0 in %d runs", stack, runs)
	}
}

func (j *judgement) note(head, format string, args ...any) {
	j.noted = true
	j.say(head, format, args...)
}

func findCell(cells []reports.Cell, stack, fault string) *reports.Cell {
	for i := range cells {
		if cells[i].Stack == stack && cells[i].Fault == fault {
			return &cells[i]
		}
	}
	return nil
}

// breaches are the fingerprints of a property in the rows in which it counts, sorted.
func breaches(rows []history.Row, p history.Property) []string {
	var prints []string
	for i := range rows {
		if rows[i].Outside && !slices.Contains(checker.Guaranteed(), p) {
			continue
		}
		for _, print := range rows[i].Prints {
			if strings.HasPrefix(print, string(p)+"/") {
				prints = append(prints, print)
			}
		}
	}
	slices.Sort(prints)
	return slices.Compact(prints)
}

// breach judges a broken promise of a stack: it is a note as long as each of its fingerprints is accepted.
func (j *judgement) breach(stack, text string, prints []string, accepted []scenarios.Acceptance) {
	var open, over, lived []string
	for _, print := range prints {
		i := slices.IndexFunc(accepted, func(a scenarios.Acceptance) bool { return a.Covers(stack, print) })
		switch {
		case i < 0:
			open = append(open, print)
		case accepted[i].Ended(time.Now()):
			over = append(over, fmt.Sprintf("%s was accepted until %s (%s)", print, accepted[i].Until, accepted[i].Issue))
		default:
			lived = append(lived, fmt.Sprintf("%s until %s (%s)", print, accepted[i].Until, accepted[i].Issue))
		}
	}
	if len(open)+len(over) == 0 && len(lived) > 0 {
		j.note("accepted", "%s · %s", text, strings.Join(lived, " · "))
		return
	}
	j.broken = true
	if len(over) > 0 {
		text += " · " + strings.Join(over, " · ")
	}
	j.say("broken", "%s", text)
}
