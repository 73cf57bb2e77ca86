package command

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// overstated edits the test scenario: plain at-least-once promises what nothing in it provides.
var overstated = []string{"promises: { loss: never }", "promises: { loss: never, duplicates: { critical: never } }"}

// huntCases are those that hunts left in a report.
func huntCases(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "cases", "*.hunt.*.case"))
	require.NoError(t, err)
	return found
}

// TestAHuntFindsAnOverstatedPromise within few seeds, where one fault a run at a moment nobody chose finds nothing.
func TestAHuntFindsAnOverstatedPromise(t *testing.T) {
	long(t)
	scenarioFile(t, overstated...)
	args := []string{"compare", "small.yaml", "--faults", "consumer-kill", "--stacks", "at-least-once,keyed", "--runs", "1", "--seed", "6", "--quiet"}
	measured := simulate(append(args, "--hunt", "0", "--out", "measured")...)
	require.Zero(t, measured.code, measured.out)
	got := simulate(append(args, "--hunt", "20", "--out", "hunted")...)
	require.Equal(t, exitFinding, got.code, got.errors)
	text := strings.Join(strings.Fields(got.out), " ")
	require.Contains(t, text, "20 hunting runs a stack")
	require.Contains(t, text, "broken at-least-once promises no duplicate-effect (critical)")
	require.Contains(t, text, "inside its envelope (a hunt)")
	require.Contains(t, text, "1 stack broke no promise in 20 runs of up to 3 faults")

	var with, without struct {
		Cells  json.RawMessage
		Rates  json.RawMessage
		Stacks []struct {
			Stack, Verdict string
			Hunts          struct{ Runs, Breaches int }
			Unseen         []string `json:"permitted_but_never_seen"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "measured", "results.json")), &without))
	require.NoError(t, json.Unmarshal([]byte(read(t, "hunted", "results.json")), &with))
	require.Equal(t, "fail", with.Stacks[0].Verdict)
	require.Equal(t, 20, with.Stacks[0].Hunts.Runs)
	require.Positive(t, with.Stacks[0].Hunts.Breaches)
	require.Equal(t, "pass", with.Stacks[1].Verdict)
	require.Zero(t, with.Stacks[1].Hunts.Breaches)

	// Hunting rows enter no cell, no rate and no picture.
	require.JSONEq(t, string(without.Cells), string(with.Cells))
	require.JSONEq(t, string(without.Rates), string(with.Rates))
	require.Equal(t, without.Stacks[0].Unseen, with.Stacks[0].Unseen)
	require.NotContains(t, measured.out, "notify effects:")
	require.NotContains(t, got.out, "notify effects:", "nor a sentence below the table")
	for _, name := range plotFiles() {
		require.Equal(t, read(t, "measured", name), read(t, "hunted", name), name)
	}

	prints := map[string]bool{}
	for _, path := range huntCases(t, "hunted") {
		c, err := scenarios.DecodeCase(path, []byte(read(t, path)))
		require.NoError(t, err)
		require.Equal(t, scenarios.PlanHunting, c.Intent.PlanType)
		require.False(t, prints[c.Intent.Fingerprint], "one case for each way to break")
		prints[c.Intent.Fingerprint] = true
		replayed := simulate("replay", path)
		require.Equal(t, exitFinding, replayed.code, replayed.errors)
		require.NotContains(t, replayed.out, "stale")
		require.Contains(t, got.out, filepath.Base(path))
	}
	require.NotEmpty(t, prints)
}

// TestWhichHuntingRunsAreKept: for each way to break a promise inside the envelope, the smallest seed.
func TestWhichHuntingRunsAreKept(t *testing.T) {
	scenarioFile(t)
	sc, err := scenarios.Load("small.yaml")
	require.NoError(t, err)
	const twice, late, reordered = "duplicate-effect (critical)/charge/redelivered", "duplicate-effect (critical)/charge/late", "order (per key)/charge/reordered"
	row := func(plan string, seed uint64, outside bool, prints ...string) history.Row {
		r := history.Row{Stack: "keyed", Fault: history.HuntFault, Plan: plan, Seed: seed, Outside: outside, Prints: prints, Violations: map[string]int64{}}
		for _, p := range prints {
			property, _, _ := strings.Cut(p, "/")
			r.Violations[property]++
		}
		return r
	}
	rows := []history.Row{
		row(history.Hunting, 9, false, twice), row(history.Hunting, 4, false, late, reordered, twice), row(history.Hunting, 6, false, late),
		row(history.Hunting, 2, true, twice), row(history.Hunting, 3, false, reordered), row(history.Measuring, 1, false, twice),
	}
	c := &comparison{sc: sc}
	found := c.breaches(rows, "keyed")
	require.Len(t, found, 2)
	for i, print := range []string{late, twice} {
		require.Equal(t, print, found[i].print)
		require.Equal(t, uint64(4), found[i].row.Seed)
	}
	runs, broke, outside := hunted(rows, checker.Promised(c.contract("keyed")))
	require.Equal(t, []int{5, 3, 1}, []int{runs, broke, outside})
}

// TestHuntsOfOtherKindsDoNotMix: one seed would mean two plans, and equal keys would look like non-determinism.
func TestHuntsOfOtherKindsDoNotMix(t *testing.T) {
	long(t)
	scenarioFile(t)
	hunt := func(faults, hunts, dir string, more ...string) answer {
		return simulate(append([]string{"compare", "small.yaml", "--stacks", "keyed", "--runs", "1", "--faults", faults, "--hunt", hunts, "--out", dir}, more...)...)
	}
	hunt("pause", "2", "a", "--quiet")
	hunt("consumer-kill", "2", "b", "--quiet")
	hunt("consumer-kill", "0", "c", "--quiet")
	got := simulate("merge", "a", "b", "-o", "ab")
	require.Equal(t, exitInput, got.code)
	require.Contains(t, got.errors, "hunted with different fault kinds: pause, but consumer-kill; one of them wants --hunt 0")
	require.NotEqual(t, exitInput, simulate("merge", "c", "a", "-o", "ca").code)
	require.Contains(t, read(t, "ca", "compare.json"), `"hunts_per_stack": 2`)

	resumed := hunt("consumer-kill", "2", "a", "--resume")
	require.Contains(t, resumed.errors, "2 rows of another scenario, base seed, model epoch, hunt or exposure in a are replaced")
	require.Contains(t, read(t, "a", "rows.jsonl"), `"fault":"pause"`, "measuring rows stay")
}

func TestWhatAHuntMayBeAskedFor(t *testing.T) {
	scenarioFile(t)
	for _, args := range [][]string{{"--hunt", "-1"}, {"--hunt", "1000001"}, {"--hunt", "5", "--runs", "1", "--seed", "18446744073709551613"}} {
		require.Equal(t, exitInput, compareSmall(args...).code, args)
	}
}
