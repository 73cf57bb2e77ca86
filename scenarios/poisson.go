package scenarios

import (
	"fmt"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// PoissonRuns asks a sweep how the damage of some stacks grows with the frequency of all faults: runs in which they come
// as often as an exposure profile says, times each of the multipliers.
type PoissonRuns struct {
	Stacks      []string            `json:"stacks"`      // names; in order
	Multipliers []int64             `json:"multipliers"` // ascending
	Runs        int                 `json:"runs"`        // of each stack at each multiplier; run i has seed base + i
	Faults      []faults.Occurrence `json:"faults"`      // what recurs, and how often at multiplier 1
}

// PoissonCase is the case of one of these runs; fault is the history.PoissonFault of its multiplier.
func PoissonCase(sc *Scenario, stack, fault string, seed uint64, all []faults.Occurrence) (*Case, error) {
	multiplier, ok := history.ParsePoissonFault(fault)
	if !ok {
		return nil, fmt.Errorf("%q names no Poisson plan", fault)
	}
	plan, err := faults.Poisson(multiplier, seed, sc.space(), all)
	if err != nil {
		return nil, err
	}
	return &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: stack, Fault: fault, PlanType: PlanPoisson, Plan: plan.Lines(), Owner: sc.owner(), Door: sc.door()},
		Witness: Witness{Seed: seed}}, nil
}

// Recurring are the faults of a profile as often as they happen in this scenario's system, for those of the kinds that
// recur while there is load.
func (s *Scenario) Recurring(e *faults.Exposure, kinds []string) []faults.Occurrence {
	return e.Recurring(kinds, s.Parties)
}
