package scenarios

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim/history"
)

// found is what a search says about a made-up response.
func found(b bisection, broken func(int64) bool) history.Edge {
	var e history.Edge
	e.Probes = b.search(func(size int64) (history.EdgeProbe, bool) {
		return history.EdgeProbe{Size: size, Runs: 1, Broken: tally(broken(size))}, true
	})
	e.Conclude()
	return e
}

// A response with one edge is found wherever it lies, to one part in a hundred, in a number of probes that depends on
// the range by its logarithm.
func TestBisectionFindsTheEdge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 1<<55).Draw(t, "limit")
		inside := rapid.Int64Range(0, limit).Draw(t, "inside")
		edge := rapid.Int64Range(1, limit+1).Draw(t, "edge")
		b := bisection{gridAround(inside, limit), edgeFine}
		e := found(b, func(size int64) bool { return size >= edge })
		require.LessOrEqual(t, len(e.Probes), 20+12)
		require.Zero(t, e.Again)
		switch {
		case edge > limit:
			require.Equal(t, []int64{limit, 0}, []int64{e.Holds, e.Breaks})
		case e.Holds == 0:
			require.Equal(t, b.grid[0], e.Breaks)
		default:
			require.Less(t, e.Holds, edge)
			require.LessOrEqual(t, edge, e.Breaks)
			require.LessOrEqual(t, e.Breaks-e.Holds, max(1, e.Breaks/edgeFine))
		}
	})
}

// A response with any number of edges: what is called the edge is a place where it breaks, nothing below it that was
// tried broke, the grid was tried whole, and a size above it that holds is told.
func TestBisectionIsHonestAboutOtherResponses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edges := rapid.SliceOfN(rapid.Int64Range(1, 1_000_000), 0, 8).Draw(t, "edges")
		slices.Sort(edges)
		broken := func(size int64) bool { // on and off at each edge
			n, _ := slices.BinarySearch(edges, size+1)
			return n%2 == 1
		}
		b := bisection{gridAround(rapid.Int64Range(0, 1_000_000).Draw(t, "inside"), 1_000_000), edgeFine}
		e := found(b, broken)
		var tried []int64
		again := int64(0)
		for _, p := range e.Probes {
			tried = append(tried, p.Size)
			require.Equal(t, broken(p.Size), p.Broken > 0)
			if p.Size < e.Breaks {
				require.True(t, p.Held())
			}
			if p.Held() && e.Breaks > 0 && p.Size > e.Breaks {
				again = p.Size
			}
		}
		require.True(t, slices.IsSorted(tried))
		require.Len(t, slices.Compact(slices.Clone(tried)), len(tried), "no size twice")
		for _, size := range b.grid {
			require.Contains(t, tried, size)
			require.True(t, e.Breaks > 0 || !broken(size))
		}
		require.Equal(t, again, e.Again)
		if e.Holds > 0 && e.Breaks > 0 {
			require.LessOrEqual(t, e.Breaks-e.Holds, max(1, e.Breaks/edgeFine))
		}
	})
}

// What could not be decided is neither held nor broken: no edge is looked for there, and nothing above it counts as held.
func TestBisectionAndUndecidedRuns(t *testing.T) {
	var e history.Edge
	e.Inside = 1000
	e.Probes = bisection{gridAround(1000, 64_000), edgeFine}.search(func(size int64) (history.EdgeProbe, bool) {
		return history.EdgeProbe{Size: size, Runs: 2, Undecided: tally(size >= 1000), Broken: tally(size > 30_000)}, true
	})
	e.Conclude()
	require.Equal(t, int64(125), e.Holds)
	require.InDelta(t, 30_000, e.Breaks, 300)
	require.Equal(t, history.BoundUndecided, e.Standing())
}

// A search that is called off says nothing.
func TestBisectionStops(t *testing.T) {
	asked := 0
	require.Nil(t, bisection{[]int64{1, 2, 3}, edgeFine}.search(func(int64) (history.EdgeProbe, bool) {
		asked++
		return history.EdgeProbe{}, asked < 2
	}))
	require.Equal(t, 2, asked)
}

// The grid has what the envelope admits and the limit, in steps of at most eight.
func TestGridAround(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 1<<58).Draw(t, "limit")
		inside := rapid.Int64Range(0, limit).Draw(t, "inside")
		grid := gridAround(inside, limit)
		require.Equal(t, limit, grid[len(grid)-1])
		require.Positive(t, grid[0])
		if inside > 0 {
			require.Contains(t, grid, inside)
		}
		for i := range grid[1:] {
			require.Less(t, grid[i], grid[i+1])
			require.LessOrEqual(t, grid[i+1]/grid[i], int64(2*gridStep))
		}
	})
}
