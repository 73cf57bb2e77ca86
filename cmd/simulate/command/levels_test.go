package command

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// levels measures the scenario pair at level 1, one fault a run, and at level 3, with Poisson plans.
func levels(t *testing.T, runs int, multipliers ...int64) reports.Input {
	t.Helper()
	sc, err := scenarios.Load(filepath.Join("testdata", "pair.yaml"))
	require.NoError(t, err)
	profile, err := scenarios.LoadExposure(filepath.Join("testdata", "pair-exposure.yaml"))
	require.NoError(t, err)
	c := &comparison{sc: sc, stacks: stackNames(sc), faults: []string{"consumer-kill", "reply-lost", "clock-jump"}, runs: leastPrecise, base: 1,
		exposure: &exposure{"pair-exposure.yaml", profile}}
	c.poisson = &scenarios.PoissonRuns{Stacks: c.stacks, Multipliers: multipliers, Runs: runs, Faults: sc.Recurring(profile, c.faults)}
	sweep := scenarios.Sweep{Scenario: sc, Stacks: c.stacks, Faults: c.faults, Runs: c.runs, Base: c.base, Poisson: c.poisson, Workers: runtime.NumCPU()}
	swept, err := sweep.Do(t.Context())
	require.NoError(t, err)
	require.Empty(t, swept.Crashes)
	in := (&finished{comparison: c}).input(swept.Rows, nil)
	in.Exposed = (&app{self: "simulate"}).exposed(c)
	return in
}

// TestLevelsAgree: one fault a run, multiplied by frequencies, gives the rate that many faults at these frequencies give,
// as long as one is over before the next one comes. And the slope of the simulated rate says how many faults it takes: one
// for a stack that does charges again, two for one whose keys recognise them, and that no fault alone has broken.
//
// LEVELS_RUNS=8000 makes the intervals narrow, at four multipliers (two minutes).
func TestLevelsAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousand runs")
	}
	runs, multipliers := 400, []int64{3, 10, 30}
	if n, err := strconv.Atoi(os.Getenv("LEVELS_RUNS")); err == nil {
		runs, multipliers = n, []int64{1, 2, 5, 10}
	}
	in := levels(t, runs, multipliers...)
	var page strings.Builder
	require.NoError(t, reports.WriteTable(&page, in, "text"))
	t.Log(page.String())

	for _, c := range reports.Cells(in) {
		if c.Stack == "keyed" {
			require.Zero(t, c.Duplicates, "%s alone", c.Fault)
		}
	}
	all := reports.Sensitivities(in)
	plain, keyed := all[0], all[1]
	agreed := 0
	for _, p := range plain.Points {
		if p.FaultsPerRun > 0.7 { // of ten seconds, of which a lost reply takes three
			continue
		}
		agreed++
		single := p.DuplicatesSingle.Value
		require.Greater(t, single, p.DuplicatesPerDay.Lo, "×%d", p.Multiplier)
		require.Less(t, single, p.DuplicatesPerDay.Hi, "×%d", p.Multiplier)
	}
	require.Positive(t, agreed)
	// Where faults overlap a line bends a little: what breaks on one is no longer broken twice by two.
	require.NotNil(t, plain.DuplicatesSlope)
	require.Less(t, plain.DuplicatesSlope.Lo, 1.0)
	require.Greater(t, plain.DuplicatesSlope.Hi, 0.9)
	require.Less(t, plain.DuplicatesSlope.Hi, 1.4)
	require.NotNil(t, keyed.DuplicatesSlope)
	require.Less(t, keyed.DuplicatesSlope.Lo, 2.0)
	require.Greater(t, keyed.DuplicatesSlope.Hi, 1.9)
	require.Greater(t, keyed.DuplicatesSlope.Lo, 1.2)
	for i := range in.Rows {
		require.Contains(t, []string{history.Measuring, history.Poisson}, in.Rows[i].Plan)
	}
}
