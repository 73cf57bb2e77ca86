package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
)

// compareSmall is a comparison of the test scenario that shows duplicates and losses.
func compareSmall(args ...string) answer {
	return simulate(append([]string{"compare", "small.yaml", "--faults", "consumer-kill,partition", "--hunt", "3", "--quiet"}, args...)...)
}

// long skips a test that makes reports or shrinks: under the race detector a plot takes seconds, and a run ten times as long.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("draws plots, or does many runs")
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(b)
}

// files are the names of everything in a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	}))
	return names
}

func TestCompareLeavesAReport(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	scenarioFile(t)
	got := compareSmall("--runs", "4")
	require.Contains(t, []int{0, exitInconclusive}, got.code, got.errors)
	require.Empty(t, got.errors)
	names := files(t, "out")
	for _, want := range append([]string{"rows.jsonl", "results.json", "compare.json", "report.html"}, plotFiles()...) {
		require.Contains(t, names, want)
	}
	for _, want := range []string{"small · 3 stacks × 2 fault kinds", "load 8/s through 10 s of chaos, 2 consumers", "drain limit", "done twice, digests equal",
		"report          out/report.html",
		"plots           out/duplicates.svg out/losses.svg out/matrix.svg",
		"notify effects: no stack here delivers them exactly once: the notification service takes no key and answers no query"} {
		require.Contains(t, got.out, want)
	}
	var results struct {
		Cells []struct {
			Stack, Fault, Contract string
			Runs, Duplicates       int
			Losses                 int
			Case                   *string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "out", "results.json")), &results))
	require.Len(t, results.Cells, 9)
	var columns struct{ Cells, Stacks []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(read(t, "out", "results.json")), &columns))
	for _, table := range [][]map[string]any{columns.Cells, columns.Stacks} {
		for name := range table[0] {
			require.Zero(t, simulate("explain", name).code, name)
		}
	}
	cases := 0
	for _, c := range results.Cells {
		require.Equal(t, 4, c.Runs)
		if c.Duplicates+c.Losses > 0 {
			require.NotNil(t, c.Case, c.Stack+" "+c.Fault)
		}
		if c.Case == nil {
			continue
		}
		cases++
		require.Regexp(t, `^cases/`+c.Stack+`\.`+c.Fault+`\.[0-9a-f]{12}\.case$`, *c.Case)
		replayed := simulate("replay", filepath.Join("out", *c.Case))
		require.Equal(t, exitFinding, replayed.code, replayed.errors)
		require.Contains(t, replayed.out, "Why nothing stopped it")
	}
	require.Positive(t, cases)
}

// What an earlier comparison left goes, also if this program can no longer read its scenario.
func TestAnEarlierComparisonIsReplaced(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("out/cases", 0o755))
	require.NoError(t, os.WriteFile("out/compare.json", []byte(`{"version":1,"scenario":{"field":"of a model that is no more"},"cases":["cases/old.case","../beside.case"]}`), 0o644))
	for _, name := range []string{"out/cases/old.case", "beside.case", "out/cases/mine.case"} {
		require.NoError(t, os.WriteFile(name, nil, 0o644))
	}
	clearOut("out")
	require.Equal(t, []string{"beside.case", "out/cases/mine.case", "out/compare.json"}, files(t, "."), "what it did not list stays")
}

// A stack without a store cannot meet dedup-down: its cell says so, and is not taken for one that was never exercised.
func TestACellThatCannotHappen(t *testing.T) {
	long(t)
	t.Chdir(t.TempDir())
	got := simulate("compare", "payments", "--stacks", "key-event-stage,dedup-durable", "--faults", "dedup-down", "--runs", "2", "--quiet")
	require.Empty(t, got.errors)
	require.Regexp(t, `key-event-stage +extra +n/a`, got.out)
	require.Regexp(t, `dedup-durable +extra +[–?]`, got.out)
	require.Contains(t, got.out, "n/a cannot happen")
}

// TestThePageTellsItsCases: each story of the page has a picture and a command that works where the page lies.
func TestThePageTellsItsCases(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	scenarioFile(t)
	simulate("compare", "small.yaml", "--faults", "partition,pause", "--quiet", "--runs", "4") // one cause under two faults
	page := read(t, "out", "report.html")
	require.Less(t, len(page), 2<<20)
	for _, line := range scenarios.NotModelled() {
		require.Contains(t, page, line)
	}
	commands := regexp.MustCompile(`<code>simulate replay (cases/\S+\.case)</code>`).FindAllStringSubmatch(page, -1)
	require.NotEmpty(t, commands)
	require.Equal(t, len(commands), strings.Count(page, `aria-label="Sequence diagram: `))
	require.NotContains(t, page, "out/", "the page may be moved")
	t.Chdir("out")
	told := map[string]bool{}
	for _, c := range commands {
		picture := simulate("replay", c[1], "--timeline", "-")
		require.Equal(t, exitFinding, picture.code, picture.errors)
		require.True(t, strings.HasPrefix(picture.out, "<svg "), picture.out)
		require.Contains(t, picture.errors, "Why nothing stopped it", "the picture is the result")
		_, body, _ := strings.Cut(picture.out, "<title>")
		require.Contains(t, page, body, "the page shows the same picture")
		story := strings.SplitN(c[1], ".", 2)[0] + regexp.MustCompile(`Why nothing stopped it[^<]*`).FindString(picture.out)
		require.False(t, told[story], "one story for each stack and cause: %s", story)
		told[story] = true
	}
}

func TestReportMakesTheSameBytesAgain(t *testing.T) {
	long(t)
	scenarioFile(t)
	first := compareSmall("--runs", "3", "--workers", "1")
	before := map[string]string{}
	for _, name := range files(t, "out") {
		before[name] = read(t, "out", name)
		if name != "rows.jsonl" && name != "compare.json" {
			require.NoError(t, os.Remove(filepath.Join("out", name)))
		}
	}
	again := simulate("report", "out", "--quiet")
	require.Equal(t, first.code, again.code, again.errors)
	require.Len(t, files(t, "out"), len(before))
	for name, want := range before {
		require.Equal(t, want, read(t, "out", name), name)
	}
	_, table, _ := strings.Cut(first.out, "Damage by one fault")
	require.Contains(t, again.out, table, "the head has the time, which is not saved")
}

func TestReportAgainst(t *testing.T) {
	long(t)
	scenarioFile(t)
	compareSmall("--runs", "3", "--out", "old")
	compareSmall("--runs", "4", "--stacks", "keyed", "--out", "new")
	about := read(t, "old", "compare.json")
	for _, name := range []string{"compare.json", "rows.jsonl"} { // an earlier model
		text := strings.ReplaceAll(read(t, "old", name), fmt.Sprintf(`"epoch":%d`, scenarios.Epoch), fmt.Sprintf(`"epoch":%d`, scenarios.Epoch+7))
		text = strings.ReplaceAll(text, fmt.Sprintf(`"epoch": %d`, scenarios.Epoch), fmt.Sprintf(`"epoch": %d`, scenarios.Epoch+7))
		require.NoError(t, os.WriteFile(filepath.Join("old", name), []byte(text), 0o644))
	}
	before := files(t, ".")
	got := simulate("report", "new", "--against", "old")
	require.Zero(t, got.code, got.errors)
	for _, want := range []string{"small: old → new", fmt.Sprintf("old: model epoch %d · 3 runs a cell", scenarios.Epoch+7),
		fmt.Sprintf("new: model epoch %d · 4 runs a cell", scenarios.Epoch), "changed beyond their intervals", "gone"} {
		require.Contains(t, got.out, want)
	}
	require.Equal(t, before, files(t, "."), "nothing is written")
	require.Equal(t, exitInput, simulate("report", "new", "--against", "old", "--format", "json").code)
	stale := simulate("report", "old")
	require.Equal(t, exitInput, stale.code, "its runs cannot be done again")
	require.Contains(t, stale.errors, "model epoch")

	require.NoError(t, os.WriteFile("old/compare.json", []byte(strings.Replace(about, `"name": "small"`, `"name": "other"`, 1)), 0o644))
	require.Equal(t, exitInput, simulate("report", "new", "--against", "old").code)
}

func TestThePastedCommandWorks(t *testing.T) {
	long(t)
	scenarioFile(t)
	got := compareSmall("--runs", "4", "--out", "a report")
	line := regexp.MustCompile(`smallest break +simulate (replay .*)`).FindStringSubmatch(strings.ReplaceAll(got.out, "\n                ", " "))
	require.NotNil(t, line, got.out)
	args := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(line[1], "a report", "a_report"), "'", ""))
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "a_report", "a report")
	}
	require.Equal(t, exitFinding, simulate(args...).code)
}

// TestShardsMergeToTheSameBytes also with a stack that hunts break: its cases are a function of the merged rows.
func TestShardsMergeToTheSameBytes(t *testing.T) {
	long(t)
	scenarioFile(t, overstated...)
	splits := []int{1, 2, 7}
	whole := compareSmall("--runs", "3", "--out", "whole", "--hunt", "6")
	require.Equal(t, exitFinding, whole.code, whole.errors)
	require.NotEmpty(t, huntCases(t, "whole"))
	for _, n := range splits {
		var dirs []string
		for i := range n {
			dir := fmt.Sprintf("shard-%d-%d", n, i+1)
			got := compareSmall("--runs", "3", "--hunt", "6", "--shard", fmt.Sprintf("%d/%d", i+1, n), "--out", dir)
			require.NotEqual(t, exitInput, got.code, got.errors)
			dirs = append([]string{dir}, dirs...)
		}
		if n == 7 {
			dirs[0], dirs[3] = dirs[3], dirs[0]
		}
		merged := fmt.Sprintf("merged-%d", n)
		got := simulate(append([]string{"merge", "--quiet", "-o", merged}, dirs...)...)
		require.Equal(t, whole.code, got.code, got.errors)
		require.Equal(t, files(t, "whole"), files(t, merged))
		for _, name := range files(t, "whole") {
			require.Equal(t, read(t, "whole", name), read(t, merged, name), "%s of %d shards", name, n)
		}
	}
}

func TestResumeEqualsFresh(t *testing.T) {
	long(t)
	scenarioFile(t)
	fresh := compareSmall("--runs", "3", "--out", "fresh")
	compareSmall("--runs", "1", "--hunt", "1", "--out", "grown")
	require.NoError(t, os.WriteFile("grown/cases/mine.case", []byte("kept"), 0o644))
	grown := compareSmall("--runs", "3", "--out", "grown", "--resume")
	require.Equal(t, fresh.code, grown.code, grown.errors)
	require.Equal(t, "kept", read(t, "grown", "cases", "mine.case"))
	require.NoError(t, os.Remove("grown/cases/mine.case"))
	require.Equal(t, files(t, "fresh"), files(t, "grown"))
	for _, name := range files(t, "fresh") {
		require.Equal(t, read(t, "fresh", name), read(t, "grown", name), name)
	}
	other := simulate("compare", "small.yaml", "--faults", "none", "--stacks", "keyed", "--runs", "1", "--seed", "9", "--resume", "--out", "grown")
	require.Contains(t, other.errors, "are replaced")
	require.Equal(t, 1, strings.Count(read(t, "grown", "rows.jsonl"), "\n"))
	require.Empty(t, files(t, "grown/cases"))

	require.NoError(t, os.WriteFile("grown/rows.jsonl", []byte("{nonsense}\n"), 0o644))
	require.Equal(t, exitInput, compareSmall("--resume", "--out", "grown").code)
	require.NoError(t, os.WriteFile("grown/compare.json", []byte(`{"version":1}`), 0o644))
	require.Equal(t, exitInput, simulate("merge", "grown", "-o", "x").code)
}

func TestInterruptionKeepsWhatIsFinished(t *testing.T) {
	scenarioFile(t)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	stopped, stop := context.WithCancel(context.Background())
	context.AfterFunc(ctx, stop)
	got := interrupted(stopped, "", "compare", "small.yaml", "--faults", "consumer-kill", "--runs", "5000", "--stacks", "keyed", "--quiet")
	require.Equal(t, exitInterrupted, got.code, got.errors)
	require.Contains(t, got.errors, "simulate compare small.yaml --faults consumer-kill --runs 5000 --stacks keyed --quiet --resume")
	require.Empty(t, got.out)
	kept := strings.Count(read(t, "out", "rows.jsonl"), "\n")
	require.Positive(t, kept)
	require.NoFileExists(t, "out/results.json")
}

func TestConflictingRowsAreNonDeterminism(t *testing.T) {
	long(t)
	scenarioFile(t)
	args := []string{"compare", "small.yaml", "--faults", "none", "--stacks", "keyed", "--runs", "1", "--quiet", "--out"}
	simulate(append(args, "one")...)
	simulate(append(args, "two")...)
	rows := read(t, "two", "rows.jsonl")
	require.NoError(t, os.WriteFile("two/rows.jsonl", []byte(strings.Replace(rows, `"transient":0`, `"transient":1`, 1)), 0o644))
	got := simulate("merge", "one", "two", "-o", "both")
	require.Equal(t, exitDrift, got.code, got.errors)
	require.Contains(t, got.errors, "keyed")
}

func TestExpectations(t *testing.T) {
	long(t)
	scenarioFile(t, "stacks:", `expect:
  - { stack: at-least-once, damage: { partition: "p_duplicate < 1%" } }
  - { stack: keyed, damage: { partition: "p_duplicate < 1%", pause: "p_loss < 1%" }, lost_silent: none }

stacks:`)
	got := compareSmall("--runs", "8")
	require.Equal(t, exitFinding, got.code, got.out)
	require.Contains(t, got.out, "at-least-once under partition: p_duplicate < 1% · CONTRADICTED")
	require.Contains(t, got.out, "keyed under partition: p_duplicate < 1% · not decided")
	require.Contains(t, got.out, "keyed under pause: p_loss < 1% · not judged")
	require.Contains(t, got.out, "keyed loses nothing silently · 0 in")
	few := compareSmall("--runs", "2", "--stacks", "keyed", "--faults", "consumer-kill")
	require.NotEqual(t, exitFinding, few.code)
	strict := compareSmall("--runs", "2", "--stacks", "keyed", "--faults", "consumer-kill", "--strict")
	require.Equal(t, exitInconclusive, strict.code, "an undecided expectation is a note")
}

func TestBrokenPromise(t *testing.T) {
	long(t)
	scenarioFile(t, overstated...)
	got := compareSmall("--runs", "4", "--stacks", "at-least-once", "--format", "markdown")
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Contains(t, got.out, "at-least-once promises no duplicate-effect (critical)")
	require.Contains(t, got.out, "- plots out/duplicates.svg")
	json := compareSmall("--runs", "4", "--stacks", "at-least-once", "--format", "json")
	require.Equal(t, exitFinding, json.code)
	require.Equal(t, read(t, "out", "results.json"), json.out)

	for n := range 8 {
		run := simulate("run", "small.yaml", "--stack", "at-least-once", "--faults", "partition", "--seed", fmt.Sprint(n+1), "--out", "o", "--history", "facts.jsonl")
		if run.code == 0 {
			continue
		}
		require.Equal(t, exitFinding, run.code, run.errors)
		require.Contains(t, run.out, "broken: a promise did not hold inside the envelope")
		again := regexp.MustCompile(`again +simulate replay (\S+)`).FindStringSubmatch(run.out)
		require.NotNil(t, again, run.out)
		require.Equal(t, exitFinding, simulate("replay", again[1], "--history", "again.jsonl").code)
		require.Equal(t, read(t, "facts.jsonl"), read(t, "again.jsonl"))
		return
	}
	t.Fatal("no run broke the promise")
}

func TestReplayOfEditedCases(t *testing.T) {
	long(t)
	scenarioFile(t)
	compareSmall("--runs", "4", "--stacks", "at-least-once")
	found, err := filepath.Glob("out/cases/at-least-once.partition.*.case")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	src := read(t, found[0])
	c, err := scenarios.DecodeCase("x", []byte(src))
	require.NoError(t, err)

	stale := *c
	stale.Witness.Digest, stale.Witness.Epoch = "00000000deadbeef", scenarios.Epoch+1
	got := replayCase(t, &stale)
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Contains(t, got.out, "stale: its finding is still there")

	stale.Intent.Fingerprint = "loss/charge/truncated"
	got = replayCase(t, &stale)
	require.Equal(t, exitInconclusive, got.code, got.errors)
	require.Contains(t, got.out, "stale: its finding is gone")

	require.Equal(t, exitFinding, simulateWith(src, "replay", "-").code)
	for _, damaged := range []string{src[:len(src)/2], strings.Replace(src, `"stack": "at-least-once"`, `"stack": "other"`, 1),
		strings.Replace(src, " partition consumer", " partition worker", 1), strings.Replace(src, `"digest": "`, `"digest": "zz`, 1), "[]", "{}"} {
		got := simulateWith(damaged, "replay", "-")
		require.Equal(t, exitInput, got.code, got.errors)
		require.NotContains(t, got.errors, "internal error")
	}
}

func replayCase(t *testing.T, c *scenarios.Case) answer {
	t.Helper()
	require.NoError(t, os.WriteFile("edited.case", c.Encode(), 0o644))
	return simulate("replay", "edited.case")
}

func TestErrorsHaveTheirCodes(t *testing.T) {
	for code, err := range map[int]error{
		exitInput:     errors.New("x"),
		exitSimulator: fmt.Errorf("run: %w", &scenarios.Crash{How: "panic", Detail: "x"}),
		exitDrift:     failf(exitDrift, "x"),
	} {
		got, _ := classify(err)
		require.Equal(t, code, got)
	}
}

func TestProgressLine(t *testing.T) {
	require.Equal(t, "50 of 200 runs, 25 %, 5 runs/s, 30 s left", progressLine(50, 200, 10*time.Second))
	require.Equal(t, "0 of 200 runs", progressLine(0, 200, time.Second))
	require.Equal(t, "1.2 s", spell(1200*time.Millisecond))
}
