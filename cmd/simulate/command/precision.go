package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// leastPrecise is the number of runs that a cell has at least with --precision: fewer decide nothing.
const leastPrecise = 300

// parsePrecision reads ± of a share: "2%" or "1/50", from a tenth of a percent to a fifth. "" is 0: none.
func parsePrecision(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	r, err := rng.ParseRatio(text)
	if err != nil {
		return 0, failf(exitInput, "--precision %s: %v", text, err)
	}
	if p := float64(r.Num) / float64(max(1, r.Den)); p >= 0.001 && p <= 0.2 {
		return p, nil
	}
	return 0, failf(exitInput, "--precision %s: from 0.1%% to 20%%", text)
}

// within is the precision as a number; 0 = every cell has its runs.
func (c *comparison) within() float64 {
	p, err := parsePrecision(c.precision)
	if err != nil {
		panic("command: a precision that was checked: " + err.Error())
	}
	return p
}

// looks are the numbers of runs at which a cell may stop. They are the same for everybody, so that where a cell stops is
// a function of its rows. The last one is enough for any share.
func looks(precision float64) []int {
	most := max(leastPrecise, reports.RunsFor(0.5, precision))
	var at []int
	for n := leastPrecise; n < most; n += n / 4 {
		at = append(at, n)
	}
	return append(at, most)
}

// stopped is the number of runs with which a cell stops: the first look at which the shares of runs with a duplicate and
// with a loss are known well enough. 0: not yet, or runs before it are missing.
func (c *comparison) stopped(cell []history.Row) int {
	precision := c.within()
	slices.SortFunc(cell, func(a, b history.Row) int { return compareSeeds(a.Seed, b.Seed) })
	for _, n := range looks(precision) {
		if len(cell) < n || cell[n-1].Seed != c.base+uint64(n-1) {
			return 0
		}
		duplicated, lost, touched := 0, 0, 0
		for i := range cell[:n] {
			r := &cell[i]
			duplicated += oneIf(r.Excess[history.Critical] > 0)
			lost += oneIf(r.Losses() > 0)
			touched += oneIf(r.FaultsHit > 0 || r.Fault == reports.Control)
		}
		if n == c.runs || reports.Precise(duplicated, n, touched, precision) && reports.Precise(lost, n, touched, precision) {
			return n
		}
	}
	return 0
}

func compareSeeds(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// settled are the cells that need no more runs, with the number that they stop at.
func (c *comparison) settled(rows []history.Row) map[[2]string]int {
	at := map[[2]string]int{}
	for _, s := range c.stacks {
		for _, f := range c.faults {
			if n := c.stopped(cellOf(rows, s, f)); n > 0 {
				at[[2]string{s, f}] = n
			}
		}
	}
	return at
}

// trimmed drops the runs of cells beyond their stops: an earlier, larger comparison may have left some.
func (c *comparison) trimmed(rows []history.Row) []history.Row {
	if c.precision == "" {
		return rows
	}
	at := c.settled(rows)
	return slices.DeleteFunc(rows, func(r history.Row) bool {
		n := at[[2]string{r.Stack, r.Fault}]
		return r.Plan == history.Measuring && n > 0 && r.Seed-c.base >= uint64(n)
	})
}

// most is the number of runs of the largest cell.
func (c *comparison) most(rows []history.Row) int {
	if c.precision == "" {
		return c.runs
	}
	runs := map[[2]string]int{}
	n := 0
	for i := range rows {
		if r := &rows[i]; r.Plan == history.Measuring {
			runs[[2]string{r.Stack, r.Fault}]++
			n = max(n, runs[[2]string{r.Stack, r.Fault}])
		}
	}
	return n
}

// untilPrecise sweeps in rounds, of which each has the cells that are not settled. It says before how long it will take:
// one run of each cell tells the speed, the first look how often damage is seen.
func (a *app) untilPrecise(ctx context.Context, c *comparison, sweep *scenarios.Sweep, kept []history.Row, bar *progress) (*scenarios.Swept, error) {
	all := &scenarios.Swept{}
	rows := slices.Clone(kept) // and those of all rounds
	round := func(runs int) error {
		sweep.Runs, sweep.Settled = runs, map[[2]string]bool{}
		for cell := range c.settled(rows) {
			sweep.Settled[cell] = true
		}
		bar.again()
		swept, err := sweep.Do(ctx)
		for i := range swept.Rows {
			sweep.Have[swept.Rows[i].Key()] = true
		}
		rows = append(rows, swept.Rows...)
		all.Rows, all.Crashes, all.Drifted = append(all.Rows, swept.Rows...), append(all.Crashes, swept.Crashes...), append(all.Drifted, swept.Drifted...)
		all.Twice += swept.Twice
		return err
	}
	hunts, poisson, started := sweep.Hunts, sweep.Poisson, time.Now()
	sweep.Hunts, sweep.Poisson = 0, nil
	if err := round(1); err != nil {
		return all, err
	}
	spent, done := time.Since(started), len(all.Rows)
	say := func(format string, args ...any) {
		if bar != nil {
			bar.end()
			fmt.Fprintf(a.stderr, format+"\n", args...)
		}
	}
	cells, at := len(c.stacks)*len(c.faults), looks(c.within())
	others := hunts * len(c.stacks)
	if poisson != nil {
		others += poisson.Runs * len(poisson.Stacks) * len(poisson.Multipliers)
	}
	say("± %s of the shares of runs: %d to %d runs a cell, %d cells, %d to %d runs in all%s", c.precision, at[0], at[len(at)-1], cells,
		cells*at[0]+others, cells*at[len(at)-1]+others, lasting(spent, done, cells*at[0]+others, cells*at[len(at)-1]+others))
	sweep.Hunts, sweep.Poisson = hunts, poisson
	for i, n := range at {
		if err := round(n); err != nil || len(all.Crashes)+len(all.Drifted) > 0 {
			return all, err
		}
		stopped := len(c.settled(rows))
		if stopped == cells {
			break
		}
		if i == 0 {
			more := c.remaining(rows)
			spent, done = time.Since(started), len(all.Rows)
			say("%d of %d cells are settled; about %d runs to come%s", stopped, cells, more, lasting(spent, done, more))
		}
	}
	return all, nil
}

// remaining is about how many runs the cells need that are not settled, if their shares stay what they are.
func (c *comparison) remaining(rows []history.Row) int {
	sum := 0
	at := c.settled(rows)
	for _, s := range c.stacks {
		for _, f := range c.faults {
			if at[[2]string{s, f}] > 0 {
				continue
			}
			cell := cellOf(rows, s, f)
			duplicated, lost := 0, 0
			for i := range cell {
				duplicated += oneIf(cell[i].Excess[history.Critical] > 0)
				lost += oneIf(cell[i].Losses() > 0)
			}
			n := float64(max(1, len(cell)))
			need := max(reports.RunsFor(float64(duplicated)/n, c.within()), reports.RunsFor(float64(lost)/n, c.within()))
			sum += max(0, need-len(cell))
		}
	}
	return sum
}

// lasting is how long so many runs will take at the speed so far: ", 3 s to 2 min"; "" if nothing was run.
func lasting(spent time.Duration, done int, runs ...int) string {
	if done == 0 {
		return ""
	}
	text := ""
	for i, n := range runs {
		text += []string{", ", " to "}[min(i, 1)] + spell(time.Duration(float64(spent)/float64(done)*float64(n)))
	}
	return text
}
