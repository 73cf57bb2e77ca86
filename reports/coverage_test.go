package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/rng"
)

// shape is how large the damage of a run is that has any.
type shape struct {
	name string
	mean float64
	rare float64 // share of damaged runs that carry most of the mean
	draw func(*rng.Stream) int64
}

var shapes = []shape{
	{"always 1", 1, 1, func(*rng.Stream) int64 { return 1 }},
	{"1 to 48", 24.5, 1, func(s *rng.Stream) int64 { return 1 + int64(rng.Below(s.Uint64(), 48)) }},
	{"geometric", 10, 1, func(s *rng.Stream) int64 {
		n := int64(1)
		for rng.Below(s.Uint64(), 10) > 0 {
			n++
		}
		return n
	}},
	{"1, or 48", 0.9 + 4.8, 0.1, func(s *rng.Stream) int64 {
		if rng.Below(s.Uint64(), 10) == 0 {
			return 48
		}
		return 1
	}},
}

const (
	coverRuns   = 300
	coverTrials = 500
	leastCover  = 0.92
)

// sample is the damage of a cell's runs: zero but for a share of them, in percent.
func (sh *shape) sample(s *rng.Stream, percent uint64) []int64 {
	counts := make([]int64, coverRuns)
	for i := range counts {
		if rng.Below(s.Uint64(), 100) < percent {
			counts[i] = sh.draw(s)
		}
	}
	return counts
}

// tally counts how often an interval held the truth, and on which side it failed.
type tally struct{ held, low, high int }

func (c *tally) add(iv Interval, truth float64) {
	switch {
	case iv.Hi < truth:
		c.low++
	case iv.Lo > truth:
		c.high++
	default:
		c.held++
	}
}

func (c *tally) share() float64 { return float64(c.held) / float64(c.held+c.low+c.high) }

func (c *tally) String() string {
	n := float64(c.held + c.low + c.high)
	return fmt.Sprintf("%5.1f %%  (%4.1f too low, %4.1f too high)", 100*c.share(), 100*float64(c.low)/n, 100*float64(c.high)/n)
}

// TestIntervalsCover measures what a 95 % interval of 300 runs is worth on damage whose truth is known. Where damage
// is expected in fewer than six of the runs, or most of it in fewer than six, no run may have shown it: such rows are
// printed, and nothing is claimed of them.
func TestIntervalsCover(t *testing.T) {
	var table strings.Builder
	for i := range shapes {
		for _, percent := range []uint64{1, 2, 5, 10, 24, 50, 90} {
			sh, c := &shapes[i], tally{}
			draws := rng.NewStream(percent, "coverage "+sh.name)
			for range coverTrials {
				c.add(mean(sh.sample(&draws, percent), coverRuns), float64(percent)/100*sh.mean)
			}
			bounded := float64(percent)/100*sh.rare*coverRuns >= 6
			fmt.Fprintf(&table, "\n%-10s %3d %% of runs  %s", sh.name, percent, c.String())
			if !bounded {
				table.WriteString("  not claimed")
				continue
			}
			require.GreaterOrEqual(t, c.share(), leastCover, "%s in %d %% of runs: %s", sh.name, percent, c.String())
		}
	}
	t.Logf("coverage of the 95 %% interval of a mean over %d runs, %d cells a line%s", coverRuns, coverTrials, table.String())
}

func termOf(weight float64, counts []int64) term {
	seeds := make([]uint64, len(counts))
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	return term{weight, mean(counts, len(counts)), seeds, counts}
}

// TestCombinedIntervalsCover does the same for weighted sums: rates add cells up, differences between stacks subtract
// one. In the lines marked paired both stacks are hurt in the same runs, as the same environment makes them.
func TestCombinedIntervalsCover(t *testing.T) {
	var table strings.Builder
	judge := func(name string, trial func(*rng.Stream) Interval, truth float64) {
		c, draws := tally{}, rng.NewStream(1, name)
		for range coverTrials {
			c.add(trial(&draws), truth)
		}
		fmt.Fprintf(&table, "\n%-44s %s", name, c.String())
		require.GreaterOrEqual(t, c.share(), leastCover, "%s: %s", name, c.String())
	}
	for i := range shapes[:3] {
		sh := &shapes[i]
		for _, p := range [][2]uint64{{3, 3}, {24, 5}, {50, 40}, {90, 2}} {
			truth := (float64(p[0]) - float64(p[1])) / 100 * sh.mean
			judge(fmt.Sprintf("difference, %s, %d against %d %%", sh.name, p[0], p[1]), func(s *rng.Stream) Interval {
				return combined([]term{termOf(1, sh.sample(s, p[0])), termOf(-1, sh.sample(s, p[1]))})
			}, truth)
			judge(fmt.Sprintf("difference, %s, %d against %d %%, paired", sh.name, p[0], p[1]), func(s *rng.Stream) Interval {
				a := sh.sample(s, p[0])
				b := slices.Clone(a)
				for j := range b {
					if rng.Below(s.Uint64(), p[0]) >= p[1] {
						b[j] = 0
					}
				}
				return combined([]term{termOf(1, a), termOf(-1, b)})
			}, truth)
		}
		judge("rate, 0.1 × 50 % + 0.01 × 5 % + 1 × 2 %, "+sh.name, func(s *rng.Stream) Interval {
			return combined([]term{termOf(0.1, sh.sample(s, 50)), termOf(0.01, sh.sample(s, 5)), termOf(1, sh.sample(s, 2))})
		}, (0.1*0.5+0.01*0.05+0.02)*sh.mean)
	}
	t.Logf("coverage of combined 95 %% intervals over %d runs, %d trials a line%s", coverRuns, coverTrials, table.String())
}
