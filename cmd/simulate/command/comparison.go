package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// Files of a comparison beside its plots.
const (
	rowsFile    = "rows.jsonl"
	resultsFile = "results.json"
	reportFile  = "report.html"
	aboutFile   = "compare.json" // what the rows are rows of
	casesDir    = "cases"
)

// comparison is what is compared. With its rows it determines every figure, plot and case.
type comparison struct {
	sc     *scenarios.Scenario
	stacks []string // in the order of the scenario
	faults []string // in the order of the table; none is always there
	runs   int
	base   uint64
	hunts  int      // hunting runs of each stack
	prey   []string // the fault kinds of their plans; none without hunts

	edges     []history.Edge // measured bounds; none if they were not asked for
	exposure  *exposure
	poisson   *scenarios.PoissonRuns // nil = no sensitivity
	handlers  *handlers              // nil = every stage does what the file says
	precision string                 // as it was asked for, and then runs is the most that a cell may have; "" = none
}

// aboutVersion is the version of the format of compare.json.
const aboutVersion = 1

// about is the outer form of compare.json.
type about struct {
	Version   int                    `json:"version"`
	Epoch     int                    `json:"epoch"`
	Hash      string                 `json:"scenario_hash"`
	Stacks    []string               `json:"stacks"`
	Faults    []string               `json:"faults"`
	Runs      int                    `json:"runs_per_cell"`
	BaseSeed  uint64                 `json:"base_seed"`
	Hunts     int                    `json:"hunts_per_stack"`
	Prey      []string               `json:"hunt_faults,omitempty"`
	Edges     []history.Edge         `json:"edges,omitempty"`
	Precision string                 `json:"precision,omitempty"`
	Exposure  *savedExposure         `json:"exposure,omitempty"`
	Poisson   *scenarios.PoissonRuns `json:"sensitivity,omitempty"`
	Handlers  *handlers              `json:"handlers,omitempty"`
	Cases     []string               `json:"cases"` // files that the next comparison replaces
	Scenario  json.RawMessage        `json:"scenario"`
}

// encode writes compare.json.
func (c *comparison) encode(cases []string) []byte {
	scenario, err := json.Marshal(c.sc)
	if err != nil {
		panic("command: scenario: " + err.Error())
	}
	a := about{aboutVersion, scenarios.Epoch, c.sc.Hash(), c.stacks, c.faults, c.runs, c.base, c.hunts, c.prey, c.edges,
		c.precision, c.exposure.save(), c.poisson, c.handlers, append([]string{}, cases...), scenario}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(a); err != nil {
		panic("command: " + aboutFile + ": " + err.Error())
	}
	return b.Bytes()
}

// errNoComparison says that a directory holds no comparison.
var errNoComparison = errors.New("no comparison there")

// scanAbout reads compare.json and believes nothing of it yet but its version.
func scanAbout(path string) (*about, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoComparison
	case err != nil:
		return nil, failf(exitInput, "%s: %v", path, reason(err))
	case !info.Mode().IsRegular() || info.Size() > 16<<20:
		return nil, failf(exitInput, "%s: not a file of a comparison", path)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, failf(exitInput, "%s: %v", path, reason(err))
	}
	a := &about{}
	if err := json.Unmarshal(src, a); err != nil {
		return nil, failf(exitInput, "%s: damaged: %v", path, err)
	}
	if a.Version != aboutVersion {
		return nil, failf(exitInput, "%s: this program reads version %d, not %d", path, aboutVersion, a.Version)
	}
	return a, nil
}

// readAbout reads compare.json.
func readAbout(dir string) (*comparison, *about, error) {
	path := filepath.Join(dir, aboutFile)
	a, err := scanAbout(path)
	if err != nil {
		return nil, nil, err
	}
	sc, err := rebuild(path, a)
	if err != nil {
		return nil, nil, err
	}
	c := &comparison{sc: sc, stacks: a.Stacks, faults: a.Faults, runs: a.Runs, base: a.BaseSeed, hunts: a.Hunts, prey: a.Prey, edges: a.Edges,
		precision: a.Precision, poisson: a.Poisson, handlers: a.Handlers}
	if c.exposure, err = a.Exposure.restore(path); err != nil {
		return nil, nil, err
	}
	if err := c.check(path); err != nil {
		return nil, nil, err
	}
	if a.Epoch == scenarios.Epoch && a.Hash != sc.Hash() {
		return nil, nil, failf(exitInput, "%s: damaged: the scenario's hash is %s, not %s", path, sc.Hash(), a.Hash)
	}
	return c, a, nil
}

// rebuild reads the scenario the way that a case is read, which trusts nothing in it.
func rebuild(path string, a *about) (*scenarios.Scenario, error) {
	if len(a.Stacks) == 0 {
		return nil, failf(exitInput, "%s: damaged: no stacks", path)
	}
	const zeros = "0000000000000000"
	wrapped, err := json.Marshal(map[string]any{
		"version": scenarios.CaseVersion,
		"intent": map[string]any{"scenario": a.Scenario, "stack": a.Stacks[0], "fault": "none", "plan_type": scenarios.PlanMeasuring,
			"plan": []string{}, "expected": "pass"},
		"witness": map[string]any{"seed": "1", "digest": zeros, "history_digest": zeros, "epoch": a.Epoch, "go": "", "format": ""},
	})
	if err != nil {
		return nil, failf(exitInput, "%s: damaged: %v", path, err)
	}
	c, err := scenarios.DecodeCase(path, wrapped)
	if ps, ok := errors.AsType[scenarios.Problems](err); ok {
		return nil, failf(exitInput, "%s: damaged: %s: %s", path, ps[0].Path, ps[0].Message)
	} else if err != nil {
		return nil, failf(exitInput, "%s: damaged: %v", path, err)
	}
	return c.Intent.Scenario, nil
}

// check reports a comparison that no command line could have asked for.
func (c *comparison) check(path string) error {
	names := stackNames(c.sc)
	for _, s := range c.stacks {
		if !slices.Contains(names, s) {
			return failf(exitInput, "%s: damaged: the scenario has no stack %q", path, s)
		}
	}
	for _, f := range slices.Concat(c.faults, c.prey) {
		if _, ok := history.FaultKindByName(f); !ok {
			return failf(exitInput, "%s: damaged: there is no fault kind %q", path, f)
		}
	}
	if c.runs < 1 || c.runs > maxRuns || c.base+uint64(c.runs) < c.base {
		return failf(exitInput, "%s: damaged: %d runs from seed %d", path, c.runs, c.base)
	}
	if _, err := parsePrecision(c.precision); err != nil {
		return failf(exitInput, "%s: damaged: %v", path, err)
	}
	if err := c.handlers.check(); err != nil {
		return failf(exitInput, "%s: damaged: %v", path, err)
	}
	if err := c.checkPoisson(); err != nil {
		return failf(exitInput, "%s: damaged: %v", path, err)
	}
	if c.hunts < 0 || c.hunts > maxRuns || c.base+uint64(c.hunts) < c.base || (c.hunts > 0) != (len(c.prey) > 0) {
		return failf(exitInput, "%s: damaged: %d hunting runs with %d fault kinds", path, c.hunts, len(c.prey))
	}
	return c.checkEdges(path)
}

// readRows reads the rows of a directory; none if there is no such file.
func readRows(dir string) ([]history.Row, error) {
	path := filepath.Join(dir, rowsFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, failf(exitInput, "%s: %v", path, reason(err))
	}
	defer f.Close() //nolint:errcheck // read only
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, failf(exitInput, "%s: not a regular file", path)
	}
	rows, err := history.ReadRows(f)
	if err != nil {
		return nil, failf(exitInput, "%s: damaged: %v", path, reason(err))
	}
	return rows, nil
}

// own are the rows of this comparison's scenario and model epoch, from its base seed on.
func (c *comparison) own(rows []history.Row) []history.Row {
	return c.rowsAt(rows, c.sc.Hash(), scenarios.Epoch)
}

// rowsAt are the rows of a scenario hash and model epoch, from the base seed on.
func (c *comparison) rowsAt(rows []history.Row, hash string, epoch int) []history.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r history.Row) bool {
		return r.Scenario != hash || r.Epoch != epoch || r.Seed < c.base
	})
}

// asked are the rows that the comparison is made of; there may be more of an earlier, larger one.
func (c *comparison) asked(rows []history.Row) []history.Row {
	stacks, kinds := setOf(c.stacks), setOf(c.faults)
	var out []history.Row
	for i := range rows {
		r := &rows[i]
		measured := r.Plan == history.Measuring && kinds[r.Fault] && r.Seed-c.base < uint64(c.runs)
		hunted := r.Plan == history.Hunting && r.Seed-c.base < uint64(c.hunts)
		if stacks[r.Stack] && (measured || hunted) || c.asksPoisson(r) {
			out = append(out, *r)
		}
	}
	return c.trimmed(out)
}

// cell are the measuring rows of one stack under one fault kind.
func cellOf(rows []history.Row, stack, fault string) []history.Row {
	var out []history.Row
	for i := range rows {
		if r := &rows[i]; r.Stack == stack && r.Fault == fault && r.Plan == history.Measuring {
			out = append(out, *r)
		}
	}
	return out
}

func setOf(names []string) map[string]bool {
	set := map[string]bool{}
	for _, n := range names {
		set[n] = true
	}
	return set
}

func stackNames(sc *scenarios.Scenario) []string {
	var names []string
	for i := range sc.Stacks {
		names = append(names, sc.Stacks[i].Name)
	}
	return names
}

func faultNames() []string {
	var names []string
	for _, k := range history.FaultKinds() {
		names = append(names, k.Name)
	}
	return names
}

// prepare makes a directory that files can be written to.
func prepare(dir string) error {
	if dir == "" || dir == "-" {
		return failf(exitInput, "--out needs a directory")
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return failf(exitInput, "--out %s: a file, not a directory", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, casesDir), 0o755); err != nil {
		return failf(exitInput, "--out %s: %v", dir, reason(err))
	}
	probe, err := os.CreateTemp(dir, ".probe*")
	if err != nil {
		return failf(exitInput, "--out %s: cannot be written to: %v", dir, reason(err))
	}
	_ = probe.Close()
	return os.Remove(probe.Name())
}

// clearOut removes what an earlier comparison left and this one will not replace, also one of a model that is no more.
func clearOut(dir string) {
	if a, err := scanAbout(filepath.Join(dir, aboutFile)); err == nil {
		_ = os.Remove(filepath.Join(dir, resultsFile))
		for _, name := range a.Cases {
			if filepath.IsLocal(name) && filepath.Ext(name) == ".case" {
				_ = os.Remove(filepath.Join(dir, name))
			}
		}
	}
	for _, name := range append(plotFiles(), reportFile) {
		_ = os.Remove(filepath.Join(dir, name))
	}
}

// writeRows writes the rows, sorted by stack, fault and seed.
func writeRows(dir string, rows []history.Row) error {
	var b []byte
	for i := range rows {
		b = append(history.AppendRow(b, &rows[i]), '\n')
	}
	return writeFile(filepath.Join(dir, rowsFile), b)
}

// describe names a comparison in a message.
func (c *comparison) describe() string {
	return fmt.Sprintf("scenario %s (%s), base seed %d", c.sc.Name, c.sc.Hash(), c.base)
}
