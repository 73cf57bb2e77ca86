package scenarios

import (
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// bisection looks for the size from which on promises break.
//
// It tries the whole grid first, from small to large, because a response need not be monotone: a bisection alone meets
// one of several edges, by luck, and says nothing of the others. What it narrows then is the lowest edge: between the
// first size that broke and the one below it. So nothing that was tried below the edge broke, whatever the response is
// like. Runs that could not be decided are no break, and no edge is looked for where they begin.
type bisection struct {
	grid []int64 // ascending, from 1
	fine int64   // the bracket is at most one part in this many of its upper end
}

// search returns what was tried, ascending. ask is called with sizes of the grid in order, then between them; it says
// whether to go on.
func (b bisection) search(ask func(size int64) (history.EdgeProbe, bool)) []history.EdgeProbe {
	var probes []history.EdgeProbe
	for _, size := range b.grid {
		p, goOn := ask(size)
		if !goOn {
			return nil
		}
		probes = append(probes, p)
	}
	for {
		first := slices.IndexFunc(probes, func(p history.EdgeProbe) bool { return p.Broken > 0 })
		if first <= 0 {
			return probes
		}
		size, wide := b.between(probes[first-1].Size, probes[first].Size)
		if !wide {
			return probes
		}
		p, goOn := ask(size)
		if !goOn {
			return nil
		}
		probes = slices.Insert(probes, first, p)
	}
}

// between is a size in the middle of a bracket that is still too wide, rounded so that people can read it: to a unit of
// at most half the resolution, which keeps it inside.
func (b bisection) between(below, above int64) (size int64, wide bool) {
	goal := above / b.fine
	if above-below <= max(1, goal) {
		return 0, false
	}
	return rounded(below+(above-below)/2, goal/2), true
}

// rounded is a size to a unit of at most the slack, down.
func rounded(size, slack int64) int64 {
	unit := int64(1)
	for _, u := range []int64{1_000, 100_000, 1_000_000, 10_000_000, 100_000_000, nsSecond, 10 * nsSecond, 60 * nsSecond, 600 * nsSecond, 3600 * nsSecond} {
		if u <= slack {
			unit = u
		}
	}
	return size - size%unit
}

// gridStep is the ratio of two sizes of the grid.
const gridStep = 8

// gridAround are the sizes that are tried first: what the envelope admits at most, a second if it admits nothing, two
// steps below and every step above it up to the limit.
func gridAround(inside, limit int64) []int64 {
	anchor := min(inside, limit)
	if anchor == 0 {
		anchor = min(nsSecond, limit)
	}
	step := func(size int64) int64 { return rounded(size, size/edgeFine) }
	sizes := []int64{step(anchor / gridStep / gridStep), step(anchor / gridStep), anchor}
	for size := anchor; size <= limit/gridStep; {
		size = step(size * gridStep)
		sizes = append(sizes, size)
	}
	sizes = slices.DeleteFunc(append(sizes, limit), func(s int64) bool { return s < 1 })
	slices.Sort(sizes)
	return slices.Compact(sizes)
}
