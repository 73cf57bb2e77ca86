package reports

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mathext"

	"github.com/twiceless/twiceless/sim/rng"
)

// TestSequenceByItsDefinition: at both ends the likelihood of the runs is a twentieth of its average over all shares.
func TestSequenceByItsDefinition(t *testing.T) {
	for _, c := range [][2]int{{0, 300}, {1, 300}, {150, 300}, {299, 300}, {300, 300}, {3, 5}, {17, 4000}} {
		k, n := float64(c[0]), float64(c[1])
		lo, hi := sequence(c[0], c[1])
		require.Less(t, lo, hi)
		for _, p := range []float64{lo, hi} {
			if p > 0 && p < 1 {
				require.InDelta(t, math.Log(20), mathext.Lbeta(k+1, n-k+1)-k*math.Log(p)-(n-k)*math.Log1p(-p), 1e-6, "%v at %v", c, p)
			}
		}
	}
	lo, hi := sequence(0, 0)
	require.Equal(t, [2]float64{0, 1}, [2]float64{lo, hi})
}

// looked is a cell that looks at its runs as a sweep with --precision does, and stops when it likes what it sees: how
// many runs it took, and whether the sequence, and the interval for a fixed number of runs, still hold the truth.
func looked(s *rng.Stream, permille uint64, precise func(k, n int) bool, most int) (runs int, sequential, fixed bool) {
	k, truth := 0, float64(permille)/1000
	for n := 1; ; n++ {
		if rng.Below(s.Uint64(), 1000) < permille {
			k++
		}
		if n < most && (n < 30 || n%10 > 0 || !precise(k, n)) {
			continue
		}
		lo, hi := sequence(k, n)
		iv := share(k, n, n)
		return n, lo <= truth && truth <= hi, iv.Lo <= truth && truth <= iv.Hi
	}
}

// TestSequencesMayBeWatched measures both intervals where runs stop by what they show. Stopping as soon as an interval
// is narrow, as --precision does, and the worst that a reader can do: stopping as soon as it excludes the truth.
func TestSequencesMayBeWatched(t *testing.T) {
	const trials, most = 250, 1500
	var table strings.Builder
	worst := 1.0
	for _, permille := range []uint64{5, 50, 300} {
		truth := float64(permille) / 1000
		for name, stop := range map[string]func(k, n int) bool{
			"± 3 %": func(k, n int) bool { return Precise(k, n, n, 0.03) },
			"hostile": func(k, n int) bool {
				iv := share(k, n, n)
				return iv.Lo > truth || iv.Hi < truth
			},
		} {
			draws := rng.NewStream(permille, "watched "+name)
			sequential, fixed, sum := 0, 0, 0
			for range trials {
				n, s, f := looked(&draws, permille, stop, most)
				sequential, fixed, sum = sequential+one(s), fixed+one(f), sum+n
			}
			fmt.Fprintf(&table, "\n%4.1f %% of runs, %-8s %5.1f %%, fixed-size interval %5.1f %%, %d runs on average", truth*100, name,
				100*float64(sequential)/trials, 100*float64(fixed)/trials, sum/trials)
			require.GreaterOrEqual(t, float64(sequential)/trials, 0.95, "%s at %d per mille", name, permille)
			worst = min(worst, float64(fixed)/trials)
		}
	}
	t.Logf("coverage of the confidence sequence, %d cells a line%s", trials, table.String())
	require.Less(t, worst, 0.9, "or a sequence would not be needed")
}

// TestPreciseStops: what is estimated before a sweep is what it then takes, and a cell that nothing touched is let go.
func TestPreciseStops(t *testing.T) {
	require.True(t, Precise(0, 300, 0, 0.001))
	require.False(t, Precise(0, 3000, 10, 0.01), "only ten of them say anything")
	for _, precision := range []float64{0.01, 0.05} {
		zero, half := RunsFor(0, precision), RunsFor(0.5, precision)
		require.Less(t, zero, half)
		require.True(t, Precise(half/2, half, half, precision))
		require.False(t, Precise(half/2-1, half-2, half-2, precision))
		require.True(t, Precise(0, zero, zero, precision))
		require.False(t, Precise(0, zero-1, zero-1, precision))
		t.Logf("± %v: %d to %d runs", precision, zero, half)
	}
}
