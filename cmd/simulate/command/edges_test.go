package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// briefly edits the test scenario: keyed declares that a key is known for two hours, and it is kept for as long as is said
// here. Heartbeats and polls keep step, so that quiet time passes by whole cycles.
func briefly(kept string) []string {
	return []string{
		"session_timeout: 1s", "session_timeout: 1500ms", "chaos: 10s", "chaos: 15s",
		"promises: { loss: never, duplicates: { critical: never, notify: allowed } }",
		"promises: { loss: never, duplicates: { critical: never, notify: allowed } }\n    envelope: { redelivery-horizon: \"<= 2h\" }",
		"idempotency-key: { from: [event, stage] }", "idempotency-key: { from: [event, stage], keep: " + kept + " }",
	}
}

func edgesIn(t *testing.T, dir string) []history.Edge {
	t.Helper()
	var results struct{ Edges []history.Edge }
	require.NoError(t, json.Unmarshal([]byte(read(t, dir, "results.json")), &results))
	return results.Edges
}

// compareEdges measures the edges of the test scenario.
func compareEdges(args ...string) answer {
	return simulate(append([]string{"compare", "small.yaml", "--faults", "late-replay", "--hunt", "0", "--runs", "1", "--quiet", "--stacks", "keyed,at-least-once", "--edges", "--edge-limit", "30h"}, args...)...)
}

// A bound that is wider than the key lives is a promise broken inside the envelope, although the kind's own size, 26 h,
// lies outside: exit 1, with the case of the smallest size that breaks.
func TestEdgesFindAWrongBound(t *testing.T) {
	long(t)
	scenarioFile(t, briefly("1h")...)
	got := compareEdges("--out", "out")
	require.Equal(t, exitFinding, got.code, got.errors)
	text := strings.Join(strings.Fields(got.out), " ")
	require.Contains(t, text, "broken keyed declares redelivery-horizon <= 2h, and late-replay breaks a promise inside it")
	require.Contains(t, text, "keyed: wrong: breaks at 59m50s")
	edges := edgesIn(t, "out")
	require.Len(t, edges, 1, "only stated bounds are measured")
	replayed := simulate("replay", filepath.Join("out", *edges[0].Case))
	require.Equal(t, exitFinding, replayed.code, replayed.errors)
	require.Contains(t, replayed.out, "operator set the group's position back")

	// The report made again has the same bytes, and the same cases.
	before := map[string]string{}
	for _, name := range files(t, "out") {
		before[name] = read(t, "out", name)
	}
	require.NoError(t, os.Remove(filepath.Join("out", *edges[0].Case)))
	require.Equal(t, exitFinding, simulate("report", "out", "--quiet").code)
	require.Len(t, files(t, "out"), len(before))
	for name, content := range before {
		require.Equal(t, content, read(t, "out", name), name)
	}

	// Without the search nobody would have known, and the case is gone.
	require.NotEqual(t, exitFinding, simulate("compare", "small.yaml", "--faults", "late-replay", "--stacks", "keyed", "--hunt", "0", "--runs", "1", "--quiet").code)
	require.Empty(t, edgesIn(t, "out"))
	require.NoFileExists(t, filepath.Join("out", *edges[0].Case))
}

// Parts of a search are those of the whole; two searches up to different limits have no common edge.
func TestEdgesOfShardsMerge(t *testing.T) {
	long(t)
	scenarioFile(t, briefly("24h")...)
	for _, part := range []string{"1/2", "2/2"} {
		compareEdges("--shard", part, "--out", "part"+part[:1])
	}
	whole := compareEdges("--out", "whole")
	require.NotContains(t, whole.out, "broken ")
	require.Equal(t, whole.code, simulate("merge", "part2", "part1", "-o", "merged", "--quiet").code)
	require.Equal(t, read(t, "whole", "results.json"), read(t, "merged", "results.json"))
	require.Equal(t, read(t, "whole", "report.html"), read(t, "merged", "report.html"))
	compareEdges("--edge-limit", "3h", "--out", "nearer")
	require.Equal(t, int64(3*3600_000_000_000), edgesIn(t, "nearer")[0].Limit)
	got := simulate("merge", "whole", "nearer", "-o", "merged", "--quiet")
	require.Equal(t, exitInput, got.code)
	require.Contains(t, got.errors, "different limits")
}

func TestWhatEdgesMayBeAskedFor(t *testing.T) {
	scenarioFile(t)
	for flags, want := range map[string]string{
		"--edges --edge-limit soon": "--edge-limit soon",
		"--edges --edge-limit 0s":   "more than nothing",
		"--edge-limit 26h":          "not asked for",
	} {
		got := simulate(append([]string{"compare", "small.yaml", "--runs", "1", "--quiet"}, strings.Fields(flags)...)...)
		require.Equal(t, exitInput, got.code, flags)
		require.Contains(t, got.errors, want)
	}
	bad := &comparison{edges: []history.Edge{{Stack: "nobody", Fault: "pause"}}}
	require.ErrorContains(t, (&comparison{sc: smallScenario(t), edges: bad.edges}).checkEdges("x"), "damaged")
	wild := history.Edge{Stack: "keyed", Fault: "pause", Seed: 5, Runs: 10, Breaks: 1, Probes: []history.EdgeProbe{{Size: 1, Seed: 15}}}
	require.ErrorContains(t, (&comparison{sc: smallScenario(t), edges: []history.Edge{wild}}).checkEdges("x"), "damaged")
	wild.Probes[0].Seed = 14
	require.NoError(t, (&comparison{sc: smallScenario(t), edges: []history.Edge{wild}}).checkEdges("x"))
}

func smallScenario(t *testing.T) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Load("small.yaml")
	require.NoError(t, err)
	return sc
}
