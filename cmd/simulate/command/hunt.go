package command

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// hunt asks for so many hunting runs of each stack. With the control alone there is nothing to hunt with.
func (c *comparison) hunt(n int) {
	if prey := slices.DeleteFunc(slices.Clone(c.faults), func(f string) bool { return f == reports.Control }); n > 0 && len(prey) > 0 {
		c.hunts, c.prey = n, prey
	}
}

// joinHunts widens the hunt by another one. Hunts with different fault kinds have nothing in common: their rows have the
// same keys, and one seed means two plans.
func (c *comparison) joinHunts(o *comparison, first, dir string) error {
	if c.hunts > 0 && o.hunts > 0 && !slices.Equal(c.prey, o.prey) {
		return failf(exitInput, "%s and %s hunted with different fault kinds: %s, but %s; one of them wants --hunt 0",
			first, dir, strings.Join(c.prey, ", "), strings.Join(o.prey, ", "))
	}
	if c.hunts < o.hunts {
		c.hunts, c.prey = o.hunts, o.prey
	}
	return nil
}

// measured are the rows that figures may rest on.
func measured(rows []history.Row) []history.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r history.Row) bool { return r.Plan != history.Measuring })
}

// breach says whether a row that belongs to no cell shows that a stack broke this promise inside its envelope.
func breach(r *history.Row, p history.Property) bool {
	return r.Plan != history.Measuring && !r.Outside && r.Violations[string(p)] > 0
}

// hunted counts the hunting runs of a stack, those of them that broke a promise, and those outside its envelope.
func hunted(rows []history.Row, promised []history.Property) (runs, breaches, outside int) {
	for i := range rows {
		if rows[i].Plan != history.Hunting {
			continue
		}
		runs++
		if rows[i].Outside {
			outside++
		}
		if slices.ContainsFunc(promised, func(p history.Property) bool { return breach(&rows[i], p) }) {
			breaches++
		}
	}
	return runs, breaches, outside
}

// breaches are the runs outside the cells to keep: for each way in which the stack broke a promise, which is a fingerprint, the
// smallest seed that shows it.
func (c *comparison) breaches(rows []history.Row, stack string) []failure {
	promised := checker.Promised(c.contract(stack))
	first := map[string]history.Row{}
	for _, r := range rowsOf(rows, stack) {
		for _, print := range r.Prints {
			property, _, _ := strings.Cut(print, "/")
			p := history.Property(property)
			if old, known := first[print]; slices.Contains(promised, p) && breach(&r, p) && (!known || r.Seed < old.Seed) {
				first[print] = r
			}
		}
	}
	var found []failure
	for _, print := range history.SortedKeys(first) {
		found = append(found, failure{first[print], print})
	}
	slices.SortStableFunc(found, func(a, b failure) int { return cmp.Compare(a.row.Seed, b.row.Seed) })
	return found
}

// hunters are those of the stacks that have hunting runs to be done again.
func (c *comparison) hunters(todo []failure) (map[string]*scenarios.Hunter, error) {
	all := map[string]*scenarios.Hunter{}
	for i := range todo {
		r := &todo[i].row
		if r.Plan != history.Hunting || all[r.Stack] != nil {
			continue
		}
		h, err := scenarios.NewHunter(c.sc, r.Stack, c.prey, c.base, patience)
		if err != nil {
			return nil, err
		}
		all[r.Stack] = h
	}
	return all, nil
}

// maxPrey is the number of breaches that are printed.
const maxPrey = 5

// prey adds a line for each story that a hunt found, or a sensitivity, with the command that tells it.
func (j *judgement) prey(a *app, done *finished, cases []savedCase) {
	told := 0
	for i := range cases {
		s := &cases[i]
		if s.row.Plan == history.Measuring {
			continue
		}
		if told++; told <= maxPrey {
			j.say(map[string]string{history.Hunting: "hunted", history.Poisson: "coincided"}[s.row.Plan], "%s, seed %d, %s: %s: %s", s.row.Stack, s.row.Seed, faultsText(len(s.c.Intent.Plan)), s.c.Intent.Fingerprint,
				a.command("replay", relative(filepath.Join(done.out, s.file))))
		}
	}
	if told > maxPrey {
		j.say("", "%d more in %s", told-maxPrey, relative(filepath.Join(done.out, casesDir)))
	}
}

func faultsText(n int) string {
	switch n {
	case 0:
		return "without a fault"
	case 1:
		return "1 fault"
	}
	return fmt.Sprintf("%d faults", n)
}
