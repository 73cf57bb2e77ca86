package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

const minute = int64(60_000_000_000)

// edgeOf is a measured edge whose runs showed this, size by size.
func edgeOf(inside int64, probes ...history.EdgeProbe) history.Edge {
	e := history.Edge{Stack: "keyed", Dimension: history.Outage, Fault: "broker-kill", Plan: history.Measuring, Declared: 20 * minute, Inside: inside,
		Limit: probes[len(probes)-1].Size, Runs: 10, Seed: 1, Targets: []string{"a", "b"}, Probes: probes}
	for i := range e.Probes {
		e.Probes[i].Runs, e.Probes[i].Touched = 10, 10
	}
	e.Conclude()
	return e
}

func held(size int64) history.EdgeProbe { return history.EdgeProbe{Size: size} }

func broke(size int64, breaches int) history.EdgeProbe {
	return history.EdgeProbe{Size: size, Broken: 4, Breaches: breaches, Seed: 3, Targets: []string{"a"}}
}

// What is said of an edge follows from its probes, and says no more than they do.
func TestWhatIsSaidOfAnEdge(t *testing.T) {
	open := history.EdgeProbe{Size: 10 * minute, Undecided: 2}
	for _, c := range []struct {
		edge               history.Edge
		standing, measured string
	}{
		{edgeOf(20*minute, held(minute), held(20*minute), held(40*minute)),
			"true", "nothing broke up to the search limit 40m (0 of 10 runs, ≤ 26 %)"},
		{edgeOf(20*minute, held(20*minute), held(30*minute), broke(31*minute, 0), broke(40*minute, 0)),
			"true, 50 % slack", "holds at 30m (0 of 10 runs, ≤ 26 %), breaks at 31m (4 of 10: a)"},
		{edgeOf(20*minute, held(20*minute), broke(30*minute, 0), held(40*minute)),
			"true, 0 % slack", "holds at 20m (0 of 10 runs, ≤ 26 %), breaks at 30m (4 of 10: a); not monotone: at 40m nothing broke"},
		{edgeOf(20*minute, held(11*minute), broke(12*minute, 4), broke(20*minute, 4)),
			"wrong: breaks at 12m", "holds at 11m (0 of 10 runs, ≤ 26 %), breaks at 12m (4 of 10: a)"},
		{edgeOf(20*minute, broke(minute, 4)),
			"wrong: breaks at 1m", "breaks at 1m (4 of 10: a), the smallest that was tried"},
		{edgeOf(20*minute, held(minute), open, held(20*minute)),
			"undecided", "holds at 1m (0 of 10 runs, ≤ 26 %), nothing broke up to the search limit 20m; at 10m 2 of 10 could not be decided"},
		{edgeOf(10*minute, held(10*minute), held(18*minute), broke(19*minute, 0)),
			"doubtful: surely admits 10m, which held, but says more than holds", "holds at 18m (0 of 10 runs, ≤ 26 %), breaks at 19m (4 of 10: a)"},
		{edgeOf(0, broke(minute, 0)), "admits no such fault", "breaks at 1m (4 of 10: a), the smallest that was tried"},
		{edgeOf(18*minute, held(18*minute), held(1800*minute), broke(1810*minute, 0)),
			"true, admits 18m, the edge is 100 times as far", "holds at 30h (0 of 10 runs, ≤ 26 %), breaks at 30h10m (4 of 10: a)"},
	} {
		v := edgesOf([]history.Edge{c.edge})[0]
		require.Equal(t, []string{c.standing, c.measured}, []string{v.standing(), v.Measured})
	}
}

// Every form of the report has the edges; none is found without a search, and results.json says so by an empty list.
func TestEveryFormHasTheEdges(t *testing.T) {
	in := testInput(2)
	forms := func() (all []string) {
		for _, format := range Formats() {
			var b bytes.Buffer
			require.NoError(t, WriteTable(&b, in, format))
			all = append(all, b.String())
		}
		return append(all, string(page1(t, in)))
	}
	for _, text := range forms() {
		require.NotContains(t, text, "bisection")
	}
	require.Contains(t, forms()[2], `"edges": []`)

	path := "cases/keyed.broker-kill.0123456789ab.case"
	in.Edges = []history.Edge{edgeOf(20*minute, held(20*minute), broke(30*minute, 0)), edgeOf(20*minute, held(20*minute), broke(30*minute, 0))}
	in.Edges[0].Case, in.Edges[1].Stack = &path, "other"
	all := forms()
	for _, i := range []int{0, 1, 3} {
		require.Contains(t, strings.Join(strings.Fields(all[i]), " "), "holds at 20m (0 of 10 runs, ≤ 26 %), breaks at 30m (4 of 10: a)")
	}
	require.Contains(t, strings.Join(strings.Fields(all[0]), " "), "keyed, other: true, 0 % slack", "what is the same is said once")
	require.Contains(t, all[3], `href="`+path+`"`)
	var results struct{ Edges []history.Edge }
	require.NoError(t, json.Unmarshal([]byte(all[2]), &results))
	require.Equal(t, in.Edges, results.Edges)
}

// A size is told as finely as its edge is found, and no finer.
func TestSpanText(t *testing.T) {
	for ns, want := range map[int64]string{1: "1ns", 7_812_500: "7.813ms", 24*60*minute - 1: "24h", 48 * 60 * minute: "2d", 36*60*minute + 1: "36h", 1_234_567_890: "1.235s", 0: "0s"} {
		require.Equal(t, want, spanText(ns))
	}
	require.Equal(t, []string{"999", "1 000", "12 345 678"}, []string{thousands(999), thousands(1000), thousands(12345678)})
}
