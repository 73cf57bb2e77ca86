package command

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// Where the multipliers of a sensitivity lie: the last few of 1, 2, 5, 10, 20, … at which a run is expected to have at
// most two faults. With more of them every run has overlapping faults, and a slope says nothing of how few it takes.
const (
	mostFaults      = 2.0
	multiplierCount = 5
)

// sensitise asks for the Poisson runs of these stacks.
func (c *comparison) sensitise(stacks []string) error {
	if len(stacks) == 0 {
		return nil
	}
	p := &scenarios.PoissonRuns{Runs: c.runs, Faults: c.sc.Recurring(c.exposure.profile, c.faults)}
	if c.precision != "" {
		p.Runs = leastPrecise
	}
	var err error
	if p.Stacks, err = pickStacks(c.sc, stacks); err != nil {
		return err
	}
	if len(p.Faults) == 0 {
		return failf(exitInput, "--sensitivity: %s has no frequency for any of the compared fault kinds that come while there is load", c.exposure.profile.Name)
	}
	once := faultsPerRun(p.Faults, c.sc.Phases.Chaos)
	if p.Multipliers = multipliers(once); len(p.Multipliers) < 2 {
		return failf(exitInput, "--sensitivity: at %s a run of %s already has %.2g faults: there is nothing to multiply",
			c.exposure.profile.Name, seconds(c.sc.Phases.Chaos), once)
	}
	c.poisson = p
	return nil
}

// faultsPerRun is the number of faults expected in one run at multiplier 1.
func faultsPerRun(all []faults.Occurrence, chaos int64) float64 {
	sum := 0.0
	for _, o := range all {
		sum += float64(o.Count) / float64(o.Per) * float64(chaos)
	}
	return sum
}

func multipliers(once float64) []int64 {
	var all []int64
	for unit := int64(1); unit < faults.MaxMultiplier; unit *= 10 {
		for _, m := range []int64{unit, 2 * unit, 5 * unit} {
			if once*float64(m) <= mostFaults {
				all = append(all, m)
			}
		}
	}
	return all[max(0, len(all)-multiplierCount):]
}

// multiplied is what a report is told about the Poisson runs.
func (c *comparison) multiplied() reports.Multiplied {
	if c.poisson == nil {
		return reports.Multiplied{}
	}
	p := c.poisson
	return reports.Multiplied{Stacks: p.Stacks, Multipliers: p.Multipliers, FaultsPerRun: faultsPerRun(p.Faults, c.sc.Phases.Chaos), Runs: p.Runs}
}

// asksPoisson says whether a row is of a Poisson run that was asked for.
func (c *comparison) asksPoisson(r *history.Row) bool {
	if c.poisson == nil || r.Plan != history.Poisson || r.Seed-c.base >= uint64(c.poisson.Runs) || !slices.Contains(c.poisson.Stacks, r.Stack) {
		return false
	}
	m, ok := history.ParsePoissonFault(r.Fault)
	return ok && slices.Contains(c.poisson.Multipliers, m)
}

// samePoisson says whether one seed means the same Poisson plan in both comparisons.
func (c *comparison) samePoisson(o *comparison) bool {
	return c.poisson == nil || o.poisson == nil || slices.Equal(c.poisson.Faults, o.poisson.Faults)
}

// joinPoisson widens the sensitivity by that of another comparison.
func (c *comparison) joinPoisson(o *comparison, first, dir string) error {
	switch {
	case o.poisson == nil:
	case c.poisson == nil:
		c.poisson = o.poisson
	case !c.samePoisson(o) || !slices.Equal(c.poisson.Multipliers, o.poisson.Multipliers):
		return failf(exitInput, "%s and %s multiplied different frequencies of faults, or by different numbers", first, dir)
	default:
		joined := *c.poisson
		both := slices.Concat(c.poisson.Stacks, o.poisson.Stacks)
		joined.Stacks = slices.DeleteFunc(stackNames(c.sc), func(s string) bool { return !slices.Contains(both, s) })
		joined.Runs = max(c.poisson.Runs, o.poisson.Runs)
		c.poisson = &joined
	}
	return nil
}

// checkPoisson reports a sensitivity that no command line could have asked for.
func (c *comparison) checkPoisson() error {
	p := c.poisson
	if p == nil {
		return nil
	}
	names := stackNames(c.sc)
	for _, s := range p.Stacks {
		if !slices.Contains(names, s) {
			return fmt.Errorf("sensitivity: the scenario has no stack %q", s)
		}
	}
	for _, m := range p.Multipliers {
		if m < 1 || m > faults.MaxMultiplier {
			return fmt.Errorf("sensitivity: multiplier %d", m)
		}
	}
	for _, o := range p.Faults {
		if err := o.Check(); err != nil {
			return fmt.Errorf("sensitivity: %w", err)
		}
	}
	if p.Runs < 1 || p.Runs > maxRuns || c.base+uint64(p.Runs) < c.base {
		return fmt.Errorf("sensitivity: %d runs from seed %d", p.Runs, c.base)
	}
	return nil
}
