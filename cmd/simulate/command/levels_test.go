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

// levels measures a stack of the scenario pair at level 1, one fault a run, and at level 3, with Poisson plans.
func levels(t *testing.T, stack string, runs int, multipliers ...int64) (reports.Input, reports.Sensitivity) {
	t.Helper()
	sc, err := scenarios.Load(filepath.Join("testdata", "pair.yaml"))
	require.NoError(t, err)
	profile, err := scenarios.LoadExposure(filepath.Join("testdata", "pair-exposure.yaml"))
	require.NoError(t, err)
	c := &comparison{sc: sc, stacks: []string{stack}, faults: []string{"consumer-kill", "reply-lost", "clock-jump"}, runs: max(leastPrecise, narrow()), base: 1,
		exposure: &exposure{"pair-exposure.yaml", profile}}
	c.poisson = &scenarios.PoissonRuns{Stacks: c.stacks, Multipliers: multipliers, Runs: runs, Faults: sc.Recurring(profile, c.faults)}
	sweep := scenarios.Sweep{Scenario: sc, Stacks: c.stacks, Faults: c.faults, Runs: c.runs, Base: c.base, Poisson: c.poisson, Workers: runtime.NumCPU()}
	swept, err := sweep.Do(t.Context())
	require.NoError(t, err)
	require.Empty(t, swept.Crashes)
	in := (&finished{comparison: c}).input(swept.Rows, nil)
	in.Exposed = (&app{self: "simulate"}).exposed(c)
	var page strings.Builder
	require.NoError(t, reports.WriteTable(&page, in, "text"))
	t.Log(page.String())
	return in, reports.Sensitivities(in)[0]
}

// narrow asks for the long form of these tests, two minutes: as many runs at each multiplier, 8000 for instance.
func narrow() int {
	n, _ := strconv.Atoi(os.Getenv("LEVELS_RUNS"))
	return n
}

// TestLevelsAgree: one fault a run, multiplied by frequencies, gives the rate that many faults at these frequencies give,
// as long as one is over before the next one comes. A stack that does charges again is broken by one fault: its slope is 1.
func TestLevelsAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousand runs")
	}
	runs, multipliers := 400, []int64{3, 20}
	if n := narrow(); n > 0 {
		runs, multipliers = n, []int64{1, 2, 5, 10}
	}
	_, plain := levels(t, "at-least-once", runs, multipliers...)
	agreed := 0
	for _, p := range plain.Points {
		if p.FaultsPerRun > 1 { // of ten seconds; of ten faults eight are clocks that step, which take no time here; a lost reply takes four seconds
			continue
		}
		agreed++
		require.Greater(t, p.DuplicatesSingle.Value, p.DuplicatesPerDay.Lo, "×%d", p.Multiplier)
		require.Less(t, p.DuplicatesSingle.Value, p.DuplicatesPerDay.Hi, "×%d", p.Multiplier)
	}
	require.Positive(t, agreed)
	require.NotNil(t, plain.DuplicatesSlope)
	require.Less(t, plain.DuplicatesSlope.Lo, 1.1)
	require.Greater(t, plain.DuplicatesSlope.Hi, 0.9)
	require.Less(t, plain.DuplicatesSlope.Hi, 1.5)
}

// TestTwoMustCoincide: no fault alone breaks a stack whose keys are recognised, but a clock that forgets keys between a
// charge and its repetition does. The slope is 2, and where many faults overlap it bends down.
func TestTwoMustCoincide(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousand runs")
	}
	runs, multipliers := 1500, []int64{6, 20}
	if n := narrow(); n > 0 {
		runs, multipliers = n, []int64{3, 6, 12}
	}
	in, keyed := levels(t, "keyed", runs, multipliers...)
	for _, c := range reports.Cells(in) {
		require.Zero(t, c.Duplicates, "%s alone", c.Fault)
	}
	require.NotNil(t, keyed.DuplicatesSlope)
	require.Less(t, keyed.DuplicatesSlope.Lo, 2.0)
	require.Greater(t, keyed.DuplicatesSlope.Hi, 1.9)
	require.Greater(t, keyed.DuplicatesSlope.Lo, 1.2)
	require.Len(t, in.Rows, 3*max(leastPrecise, narrow())+len(multipliers)*runs)
	for i := range in.Rows {
		require.Equal(t, strings.HasPrefix(in.Rows[i].Fault, "poisson-x"), in.Rows[i].Plan == history.Poisson)
	}
}
