package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
)

// brokenCase leaves a case file in cases/ and returns its path and content.
func brokenCase(t *testing.T) (path string, c *scenarios.Case) {
	t.Helper()
	scenarioFile(t, "promises: { loss: never }", "promises: { loss: never, duplicates: { critical: never } }")
	args := []string{"run", "small.yaml", "--stack", "at-least-once", "--seed", "3", "--out", ".",
		"--faults", "when notifier.present/replied{event=order-20,stage=present} #1 kill $caller for 1s", "--faults", "at 9s pause notifier-1 for 1ms"}
	got := simulate(args...)
	require.Equal(t, exitFinding, got.code, got.errors)
	files, err := filepath.Glob("cases/*.case")
	require.NoError(t, err)
	require.Len(t, files, 1)
	c, err = scenarios.DecodeCase(files[0], []byte(read(t, files[0])))
	require.NoError(t, err)
	return files[0], c
}

func TestShrinkTellsTheSmallestStory(t *testing.T) {
	long(t)
	path, c := brokenCase(t)
	got := simulate("shrink", path)
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Empty(t, got.errors)
	require.Regexp(t, `seed 3 · shrunk from 2 faults to 1, from \d+ events to 1\n`, got.out)
	require.Regexp(t, `What would +idempotency-key\(event\+stage\) +holds at all \d+ placements of this fault\n`, got.out, "what holds and leaves nothing to a person comes first")
	require.Regexp(t, `\n +dedup-store\(durable\) +holds at all \d+ placements of this fault · leaves it to a person`, got.out)
	require.Regexp(t, `\n +stage-record\(durable\) +breaks at \d+ of \d+ placements of this fault · the first at\s+payments.charge/arrived`, got.out)
	require.Regexp(t, `\n +no better +dedup-store\(cache\), fence\(none\), stage-record\(memory\)\n`, got.out)
	require.NotContains(t, got.out, "How likely", "nothing was measured")
	require.Regexp(t, `as it is +breaks at \d+ of \d+ placements of this fault\n`, got.out)
	require.Regexp(t, `(?m)^runs +\d+ of at most 500$`, got.out)
	require.Contains(t, got.out, "members 2 → 1 · partitions 3 → 1 · faults last 1.001s → 1ms")
	file := regexp.MustCompile(`(?m)^case +(\S+)$`).FindStringSubmatch(got.out)
	require.NotNil(t, file, got.out)
	require.Regexp(t, `^cases/at-least-once\.[a-z-]+\.[0-9a-f]{12}\.case$`, file[1], "beside the given one, named by its content")
	small, err := scenarios.DecodeCase(file[1], []byte(read(t, file[1])))
	require.NoError(t, err)
	require.Contains(t, file[1], small.Name())
	require.Equal(t, c.Intent.Fingerprint, small.Intent.Fingerprint)

	again := simulate("replay", file[1])
	require.Equal(t, exitFinding, again.code, again.errors)
	told, _, _ := strings.Cut(got.out, "\n\nfault ")
	require.Equal(t, told+"\n", again.out, "replay of a small case tells the same, what would have helped too")
	require.Regexp(t, `What would +searched of small cases: simulate shrink `+path+`\n`, simulate("replay", path).out)
}

func TestShrinkWritesWhereItIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	path, _ := brokenCase(t)
	require.Equal(t, exitFinding, simulate("shrink", path, "-o", "one.case").code)
	piped := simulateWith(read(t, path), "shrink", "-", "-o", "-")
	require.Equal(t, exitFinding, piped.code)
	require.Equal(t, read(t, "one.case"), piped.out, "the same bytes, and nothing else on standard output")
	require.Contains(t, piped.errors, "Why nothing stopped it")
	require.Equal(t, exitInput, simulate("shrink", path, "-o", "cases").code, "a directory")
	few := simulate("shrink", path, "--runs", "5", "-o", "few.case")
	require.Equal(t, exitFinding, few.code)
	require.Contains(t, few.out, "more may make it smaller")
}

func TestShrinkInterrupted(t *testing.T) {
	path, _ := brokenCase(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got := interrupted(ctx, "", "shrink", path, "-o", "so-far.case")
	require.Equal(t, exitInterrupted, got.code, got.errors)
	require.Equal(t, exitFinding, simulate("replay", "so-far.case").code)
}

func TestShrinkOfAStaleCase(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	path, c := brokenCase(t)
	gone := *c
	gone.Intent.Stack = "keyed"
	require.NoError(t, os.WriteFile("gone.case", gone.Encode(), 0o644))
	got := simulate("shrink", "gone.case")
	require.Equal(t, exitInconclusive, got.code, got.errors)
	require.Contains(t, got.out, "its finding is gone")
	require.Contains(t, got.out, "passes, with its anchors hit, and near them")

	moved := *c
	moved.Intent.Plan = []string{"when payments.charge/sent{event=order-20} #1 kill $caller for 1s"}
	require.NoError(t, os.WriteFile("moved.case", moved.Encode(), 0o644))
	got = simulate("replay", "moved.case")
	require.Equal(t, exitInconclusive, got.code, got.errors)
	require.Contains(t, got.out, "still fails when its faults are aimed anew: when ")

	none := *c
	none.Intent.Fingerprint = ""
	require.NoError(t, os.WriteFile("none.case", none.Encode(), 0o644))
	got = simulate("shrink", "none.case")
	require.Equal(t, exitInput, got.code)
	require.Contains(t, got.errors, "names no finding")
	require.NotEmpty(t, path)
}

// How likely it is, is counted in the measuring rows of the comparison that left the case: also for the case that it
// is shrunk to, whose scenario is the same but for a shorter chaos phase.
func TestHowLikely(t *testing.T) {
	long(t)
	scenarioFile(t, "promises: { loss: never }", "promises: { loss: never, duplicates: { critical: never } }")
	require.Equal(t, exitFinding, simulate("compare", "small.yaml", "--stacks", "at-least-once", "--faults", "consumer-kill", "--runs", "12", "--hunt", "0", "--quiet").code)
	files, err := filepath.Glob("out/cases/*.case")
	require.NoError(t, err)
	require.Len(t, files, 1)
	c, err := scenarios.DecodeCase(files[0], []byte(read(t, files[0])))
	require.NoError(t, err)
	rows, err := readRows("out")
	require.NoError(t, err)
	shown := 0
	for i := range rows {
		if slices.Contains(rows[i].Prints, c.Intent.Fingerprint) {
			shown++
		}
	}
	want := fmt.Sprintf(`(?m)^How likely +%d of 12 runs with one fault \(consumer kill at a random moment\) show it, \d+ %%`, shown)
	require.Regexp(t, want, simulate("replay", files[0]).out)
	small := simulate("shrink", files[0])
	require.Regexp(t, want, small.out)
	require.Regexp(t, `chaos \S+ → \S+`, small.out, "which is another scenario hash")

	require.NoError(t, os.Rename(files[0], "away.case"))
	require.NotContains(t, simulate("replay", "away.case").out, "How likely")
	require.NoError(t, os.Rename("away.case", "out/here.case"))
	require.Regexp(t, want, simulate("replay", "out/here.case").out)
	other := *c
	sc := *c.Intent.Scenario
	sc.Workload.Interval *= 2
	other.Intent.Scenario = &sc
	require.NoError(t, os.WriteFile("out/here.case", other.Encode(), 0o644))
	require.NotContains(t, simulate("replay", "out/here.case").out, "How likely", "rows of another scenario")
}
