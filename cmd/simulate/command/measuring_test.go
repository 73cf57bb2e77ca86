package command

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// cellRows are those of a cell with one damaged run in so many.
func cellRows(n, every int) []history.Row {
	rows := make([]history.Row, n)
	for i := range rows {
		rows[i] = history.Row{Stack: "s", Fault: "pause", Plan: history.Measuring, Seed: 7 + uint64(i), FaultsHit: 1}
		if every > 0 && i%every == 0 {
			rows[i].Excess[history.Critical] = 3
		}
	}
	return rows
}

// TestWhereACellStops: at the first look at which its shares are known, whatever rows there are beyond it; never before
// 300 runs, and never at a look that it has not reached.
func TestWhereACellStops(t *testing.T) {
	c := &comparison{precision: "5%", base: 7, stacks: []string{"s"}, faults: []string{"pause"}}
	at := looks(0.05)
	c.runs = last(at)
	require.Equal(t, leastPrecise, at[0])
	require.Equal(t, 300, c.stopped(cellRows(300, 0)))
	require.Equal(t, 300, c.stopped(cellRows(900, 0)))
	require.Zero(t, c.stopped(cellRows(299, 0)))
	require.Zero(t, c.stopped(cellRows(300, 2)), "of a half less is known")
	half := c.stopped(cellRows(c.runs, 2))
	require.Contains(t, at, half)
	require.Greater(t, half, 900)
	require.Equal(t, half, c.stopped(cellRows(half, 2)))
	require.Len(t, c.trimmed(cellRows(c.runs, 0)), 300)
	require.Zero(t, c.stopped(cellRows(600, 2)[1:]), "the first run is missing")
	none := cellRows(300, 0)
	for i := range none {
		none[i].FaultsHit = 0
	}
	require.Equal(t, 300, c.stopped(none), "nothing was touched: more runs say no more")
}

func TestPrecisionIsChecked(t *testing.T) {
	scenarioFile(t)
	for _, args := range [][]string{
		{"--precision", "often"}, {"--precision", "0"}, {"--precision", "0.01%"}, {"--precision", "50%"}, {"--precision", "2%", "--runs", "9"},
		{"--precision", "2%", "--shard", "1/2"}, {"--sensitivity", "keyd"}, {"--exposure", "cloud-defalt"},
		{"--sensitivity", "keyed", "--faults", "none"},
	} {
		got := simulate(append([]string{"compare", "small.yaml", "--quiet"}, args...)...)
		require.Equal(t, exitInput, got.code, "%v: %s", args, got.errors) // at once: no run was done
		require.NotEmpty(t, got.errors)
	}
}

// often writes a profile at which small.yaml has faults in every other run.
func often(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile("often.yaml", []byte(`version: 1
name: often
frequencies:
  consumer-kill: { rate: 1 per 40s per consumer, source: judgement, why: For a test. }
`), 0o644))
}

// TestASensitivityIsPartOfItsComparison: its rows are no cell's, its runs can be split over machines and gone on with, and
// a report made again from the rows is the same.
func TestASensitivityIsPartOfItsComparison(t *testing.T) {
	long(t)
	scenarioFile(t)
	often(t)
	args := []string{"compare", "small.yaml", "--faults", "consumer-kill", "--stacks", "at-least-once,keyed", "--runs", "3", "--hunt", "0", "--exposure", "often.yaml", "--quiet"}
	require.Zero(t, simulate(append(args, "--out", "without")...).code)
	args = append(args, "--sensitivity", "at-least-once")
	whole := simulate(append(args, "--out", "whole")...)
	require.Zero(t, whole.code, whole.errors)
	require.Contains(t, whole.out, "Sensitivity: damage a day when every frequency of often is multiplied")

	var with, without map[string]any
	require.NoError(t, json.Unmarshal([]byte(read(t, "without", "results.json")), &without))
	require.NoError(t, json.Unmarshal([]byte(read(t, "whole", "results.json")), &with))
	require.Equal(t, without["cells"], with["cells"])
	require.Empty(t, without["sensitivity"])
	require.Len(t, with["sensitivity"], 1)
	require.Equal(t, 2*2*3+3*2, strings.Count(read(t, "whole", "rows.jsonl"), "\n"), "two multipliers of three runs")

	require.Zero(t, simulate(append(args, "--out", "one", "--shard", "1/2")...).code)
	require.Zero(t, simulate(append(args, "--out", "two", "--shard", "2/2")...).code)
	require.Zero(t, simulate("merge", "one", "two", "-o", "both").code)
	require.Zero(t, simulate("report", "whole", "--quiet").code)
	for _, name := range []string{"rows.jsonl", "results.json", "report.html"} {
		require.Equal(t, read(t, "whole", name), read(t, "both", name), name)
	}
	other := simulate("report", "whole", "--exposure", "cloud-default")
	require.Equal(t, exitInput, other.code)
	require.Contains(t, other.errors, "were drawn at another profile, often")

	resumed := simulate(append(args, "--out", "one", "--resume")...)
	require.Zero(t, resumed.code, resumed.errors)
	require.Equal(t, read(t, "whole", "rows.jsonl"), read(t, "one", "rows.jsonl"))
	page := read(t, "whole", "report.html")
	require.Contains(t, page, "1 per 40s per consumer")
}

// TestUntilPrecise: the command says how long it will take, cells stop at their looks, and each has its own number.
func TestUntilPrecise(t *testing.T) {
	long(t)
	scenarioFile(t, "poisson(8/s)", "poisson(2/s)")
	args := []string{"compare", "small.yaml", "--faults", "reply-lost", "--stacks", "keyed", "--hunt", "0"}
	got := simulate(append(args, "--precision", "8%", "--out", "precise")...)
	require.Zero(t, got.code, got.errors)
	require.Contains(t, got.errors, fmt.Sprintf("± 8%% of the shares of runs: 300 to %d runs a cell, 2 cells, 600 to %d runs in all, ", last(looks(0.08)), 2*last(looks(0.08))))
	require.Contains(t, strings.Join(strings.Fields(got.out), " "), "300 to 300 runs a cell, until shares of runs were known to ± 8.0 %")
	require.Contains(t, got.out, "a day")
	first := read(t, "precise", "results.json")
	require.Zero(t, simulate("report", "precise", "--quiet").code)
	require.Equal(t, first, read(t, "precise", "results.json"))

	// Where a cell stops is a function of its rows: those that a larger comparison has left beyond it change nothing.
	require.Zero(t, simulate(append(args, "--runs", "310", "--out", "larger", "--quiet")...).code)
	require.Zero(t, simulate(append(args, "--precision", "8%", "--resume", "--out", "larger", "--quiet")...).code)
	require.Equal(t, first, read(t, "larger", "results.json"))
}
