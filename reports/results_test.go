package reports

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

func writeResults(t *testing.T, in Input) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteResults(&b, in))
	return b.Bytes()
}

func keys(t *testing.T, value any) []string {
	t.Helper()
	object, ok := value.(map[string]any)
	require.True(t, ok, "%v is no object", value)
	return slices.Sorted(maps.Keys(object))
}

// sorted are the words of a list as the interface writes it.
func sorted(words string) []string { return slices.Sorted(slices.Values(strings.Fields(words))) }

// TestResultsHaveTheFieldsOfTheInterface keeps the outer contract: scripts read these names.
func TestResultsHaveTheFieldsOfTheInterface(t *testing.T) {
	var out map[string]any
	require.NoError(t, json.Unmarshal(writeResults(t, testInput(3)), &out))
	require.Equal(t, sorted("version epoch scenario base_seed runs_per_cell precision exposure cells stacks edges rates differences sensitivity"), keys(t, out))
	require.Equal(t, []any{}, out["rates"])
	require.Equal(t, []any{}, out["edges"])
	cells, ok := out["cells"].([]any)
	require.True(t, ok)
	require.Len(t, cells, 5*10)
	for _, c := range cells {
		require.Equal(t, sorted(`stack fault runs faults_hit offered accepted buckets duplicates duplicates_by_class transient
			losses lost_silent lost_known partial stuck parked parked_after_replay late degraded reorders phantoms
			suppressed redelivered runs_with_duplicate runs_with_loss worst_run duplicates_per_fault losses_per_fault p_duplicate p_loss
			latency_ms recovery_ms calls_per_intent writes_per_intent contract case`), keys(t, c))
		cell := c.(map[string]any)
		require.Equal(t, sorted("duplicated partial degraded late done refused parked stuck absent_unknown lost_known lost_silent"), keys(t, cell["buckets"]))
		require.Equal(t, sorted("critical state notify derived"), keys(t, cell["duplicates_by_class"]))
		require.Equal(t, sorted("duplicates losses"), keys(t, cell["worst_run"]))
		for _, name := range []string{"duplicates_per_fault", "losses_per_fault", "p_duplicate", "p_loss"} {
			require.Equal(t, sorted("value lo hi"), keys(t, cell[name]))
		}
		require.Equal(t, sorted("p50 p99 p99_in_fault"), keys(t, cell["latency_ms"]))
		require.Equal(t, sorted("p50 p99"), keys(t, cell["recovery_ms"]))
	}
	stacks, ok := out["stacks"].([]any)
	require.True(t, ok)
	require.Equal(t, sorted("stack verdict hunts promises envelope permitted_but_never_seen"), keys(t, stacks[4]))
	require.Equal(t, map[string]any{"clock-skew": "<= 500ms", "power-loss": "<= 1"}, stacks[4].(map[string]any)["envelope"])
}

func TestResultsAreAFunctionOfTheSetOfRows(t *testing.T) {
	in := testInput(7)
	want := writeResults(t, in)
	require.Equal(t, string(want), string(writeResults(t, in)))
	slices.Reverse(in.Rows)
	in.Rows = append(in.Rows, in.Rows[:20]...)
	hunting := in.Rows[3]
	hunting.Plan = history.Hunting
	hunting.Excess[history.Critical] = 1000
	in.Rows = append(in.Rows, hunting)
	require.Equal(t, string(want), string(writeResults(t, in)))
}

func TestResultsOfNothing(t *testing.T) {
	text := string(writeResults(t, Input{}))
	for _, part := range []string{`"cells": []`, `"stacks": []`, `"rates": []`} {
		require.Contains(t, text, part)
	}
	for _, format := range Formats() {
		var b bytes.Buffer
		require.NoError(t, WriteTable(&b, Input{}, format))
		require.NotEmpty(t, b.String())
	}
	_, err := WritePlots(t.TempDir(), Input{})
	require.NoError(t, err)
}

func TestCellsWithoutRunsAreVacuous(t *testing.T) {
	in := testInput(2)
	in.Rows, in.CellContracts = nil, nil
	for _, c := range Cells(in) {
		require.Equal(t, 0, c.Runs)
		require.Equal(t, Interval{Hi: 1}, c.PLoss)
		require.Equal(t, Interval{Hi: 1}, c.DuplicatesPerFault)
		require.Equal(t, "vacuous", c.Contract)
	}
	_, err := WritePlots(t.TempDir(), in)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, WriteTable(&b, in, "text"))
	require.Contains(t, b.String(), "not run")
}

func TestRowsOfAnotherScenarioAreRefused(t *testing.T) {
	in := testInput(1)
	in.Rows[4].Epoch = 2
	require.ErrorContains(t, WriteResults(&bytes.Buffer{}, in), "epoch 2")
	require.ErrorContains(t, WriteTable(&bytes.Buffer{}, in, "text"), "epoch 2")
}

func TestTableFitsThePage(t *testing.T) {
	in := testInput(20)
	for i := range in.Rows {
		if in.Rows[i].Stack == "at-most-once" && in.Rows[i].Fault != Control {
			in.Rows[i].Excess[history.Critical], in.Rows[i].Buckets[history.LostSilent] = 160, 161
		}
	}
	for _, kinds := range [][]history.FaultKind{in.Faults, history.FaultKinds()} {
		in.Faults = kinds
		var b bytes.Buffer
		require.NoError(t, WriteTable(&b, in, "text"))
		for line := range strings.Lines(b.String()) {
			require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), pageWidth, line)
		}
	}
	require.Error(t, WriteTable(&bytes.Buffer{}, in, "yaml"))
}

func TestLatencyQuantileInterpolates(t *testing.T) {
	var counts [history.LatencyBuckets]int64
	require.Zero(t, latencyQuantile(&counts, 0.5))
	counts[1] = 100 // [1 ms, 1.26 ms)
	require.InDelta(t, 1.13, latencyQuantile(&counts, 0.5), 1e-6)
	counts[1], counts[history.LatencyBuckets-1] = 0, 1
	require.InDelta(t, float64(history.LatencyEdge(history.LatencyBuckets-1))/1e6, latencyQuantile(&counts, 0.99), 1)
	require.Equal(t, 1.5, timeQuantile([]int64{1_000_000, 2_000_000}, 0.5))
}

func TestSharesAreClopperPearson(t *testing.T) {
	near := func(want, got float64) { t.Helper(); require.InDelta(t, want, got, 5e-5) }
	iv := share(1, 20, 20) // 0.0013 – 0.2487 in every textbook
	near(0.05, iv.Value)
	near(0.00127, iv.Lo)
	near(0.24873, iv.Hi)
	near(1-math.Pow(0.025, 1.0/20), 1-share(20, 20, 20).Lo)
	require.Equal(t, 1.0, share(20, 20, 20).Hi)
	near(0.13911, share(0, 25, 20).Hi)
	require.Equal(t, Interval{Hi: 1}, share(0, 25, 0))
}
