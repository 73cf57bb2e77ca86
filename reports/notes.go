package reports

import (
	"fmt"
	"slices"
	"strings"
)

// note stands below the table: a head and a text.
type note struct{ head, text string }

// notes are what a reader of the table must know beside it, most useful last.
func (t *table) notes() []note {
	var notes []note
	add := func(head, text string) {
		if text != "" {
			notes = append(notes, note{head, text})
		}
	}
	add("parked", t.spread(func(c *cell) (int64, int64) { return c.Parked, c.parkedWorst }))
	add("reordered", t.spread(func(c *cell) (int64, int64) { return c.Reorders, c.reorderWorst }))
	add("partial", t.spread(func(c *cell) (int64, int64) { return c.Partial, 0 }))
	add("stuck", t.spread(func(c *cell) (int64, int64) { return c.Stuck, 0 }))
	add("not exercised", t.vacuous())
	add("not seen", t.neverSeen())
	add("hunts", t.hunts())
	if c := t.cases(); c > 0 {
		add("cases", count(c, "failing run")+" saved: one for each cell, the smallest seed")
	}
	add("smallest holds", t.smallestHolding())
	add("smallest break", t.in.Again)
	return notes
}

// spread lists where a figure is not zero: stack, stack: fault mean (worst), … Stacks of the same figures stand together.
func (t *table) spread(figure func(*cell) (sum, worst int64)) string {
	type group struct{ stacks, figures string }
	var groups []group
	for _, s := range t.in.Stacks {
		var faults []string
		for i, c := range t.under(s.Name) {
			sum, worst := figure(c)
			if sum == 0 {
				continue
			}
			text := t.columns[i].Title + " " + damage(sum, c.Runs)
			if worst > 0 {
				text += fmt.Sprintf(" (%d)", worst)
			}
			faults = append(faults, text)
		}
		if len(faults) == 0 {
			continue
		}
		figures := strings.Join(faults, ", ")
		if same := slices.IndexFunc(groups, func(g group) bool { return g.figures == figures }); same >= 0 {
			groups[same].stacks += ", " + s.Name
		} else {
			groups = append(groups, group{s.Name, figures})
		}
	}
	var parts []string
	for _, g := range groups {
		parts = append(parts, g.stacks+": "+g.figures)
	}
	return strings.Join(parts, " · ")
}

// vacuous lists the cells whose faults touched nothing: by fault if that holds for all stacks.
func (t *table) vacuous() string {
	var parts []string
	for i, k := range t.columns {
		var stacks []string
		for _, s := range t.in.Stacks {
			if c := t.under(s.Name)[i]; c.Runs > 0 && !c.exercised() && !c.cannotHappen {
				stacks = append(stacks, s.Name)
			}
		}
		switch {
		case len(stacks) == 0:
		case len(stacks) == len(t.in.Stacks):
			parts = append(parts, k.Title+" in every stack")
		default:
			parts = append(parts, k.Title+" in "+strings.Join(stacks, ", "))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, " · ") + ": these faults met no work in flight, the zeros there say nothing"
}

func (t *table) neverSeen() string {
	var parts []string
	for _, s := range t.in.Stacks {
		if len(s.PermittedNeverSeen) > 0 {
			parts = append(parts, s.Name+" permits "+strings.Join(s.PermittedNeverSeen, ", "))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, " · ") + ": no measuring run showed it"
}

// hunts names the stacks that a hunt broke and counts the others. Hunting runs aim, so that no share is told of them.
func (t *table) hunts() string {
	var parts []string
	held, runs, outside := 0, 0, 0
	for _, s := range t.in.Stacks {
		switch {
		case s.HuntBreaches > 0:
			parts = append(parts, fmt.Sprintf("%s broke a promise in %d of %s", s.Name, s.HuntBreaches, count(s.HuntRuns, "run")))
		case s.HuntRuns > 0:
			held++
			runs += s.HuntRuns
			outside += s.HuntOutside
		}
	}
	if held > 0 {
		text := fmt.Sprintf("%s broke no promise in %s of up to 3 faults, most at hook points", count(held, "stack"), count(runs, "run"))
		if outside > 0 {
			text += fmt.Sprintf(" (%d of these outside an envelope)", outside)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " · ")
}

func (t *table) cases() int {
	n := 0
	for i := range t.cells {
		n += one(t.cells[i].Case != nil)
	}
	return n
}
