package command

import (
	"path/filepath"
	"slices"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// likely counts the measuring runs that show the finding of a case, in the comparison in whose directory the case
// lies: those of its stack and of the kind of its one fault. Without such a comparison, with more faults, or with
// a planted bug, nothing was measured.
func (a *app) likely(path string, c *scenarios.Case) (l reports.Likelihood) {
	plan, err := scenarios.Plan(c)
	if err != nil || len(plan) != 1 || len(c.Intent.Planted) > 0 || path == "-" {
		return l
	}
	kind, known := history.FaultKindByName(faults.KindOf(plan))
	if !known {
		return l
	}
	l.Fault = kind
	for _, r := range cellOf(a.rowsAround(path, c.Intent.Scenario), c.Intent.Stack, kind.Name) {
		l.Runs++
		if slices.Contains(r.Prints, c.Intent.Fingerprint) {
			l.Shown++
		}
		if r.FaultsHit > 0 {
			l.Touched++
		}
	}
	return l
}

// rowsAround are the rows of the comparison in whose directory, or whose cases/, a case lies, if it is one of the same
// scenario, with the same stages, at this model epoch; nil otherwise, also if it is damaged: the case is what was asked for.
func (a *app) rowsAround(path string, sc *scenarios.Scenario) []history.Row {
	dir := filepath.Dir(path)
	for _, dir := range []string{dir, filepath.Join(dir, "..")} {
		compared, _, err := readAbout(dir)
		if err != nil {
			continue
		}
		if have, err := a.team.handlersOf(sc); err != nil || !have.equal(compared.handlers) {
			return nil
		}
		whole := *sc
		whole.Phases.Chaos = compared.sc.Phases.Chaos // all that shrinking takes from a scenario
		if whole.Hash() != compared.sc.Hash() {
			return nil
		}
		rows, err := readRows(dir)
		if err == nil {
			rows, err = history.MergeRows(rows) // each run once
		}
		if err != nil {
			return nil
		}
		return compared.own(rows)
	}
	return nil
}
