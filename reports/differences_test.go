package reports

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestDifferencesAreOfMeans: stack minus baseline, the first stack that promises to lose nothing, with both touched shares;
// none below 300 runs.
func TestDifferencesAreOfMeans(t *testing.T) {
	require.Empty(t, Differences(testInput(299)))
	in := testInput(300)
	in.Stacks[2].Contract.Loss = history.Never
	cells := map[[2]string]Cell{}
	for _, c := range Cells(in) {
		cells[[2]string{c.Stack, c.Fault}] = c
	}
	all := Differences(in)
	require.NotEmpty(t, all)
	for _, d := range all {
		require.Equal(t, in.Stacks[2].Name, d.Baseline)
		require.NotEqual(t, d.Baseline, d.Stack)
		own, base := cells[[2]string{d.Stack, d.Fault}], cells[[2]string{d.Baseline, d.Fault}]
		require.InDelta(t, own.DuplicatesPerFault.Value-base.DuplicatesPerFault.Value, d.Duplicates.Value, 1e-4)
		require.InDelta(t, own.LossesPerFault.Value-base.LossesPerFault.Value, d.Losses.Value, 1e-4)
		require.InDelta(t, float64(own.FaultsHit)/300, d.Touched, 1e-5)
		require.InDelta(t, float64(base.FaultsHit)/300, d.BaselineTouched, 1e-5)
	}
}

// TestPairingGains: two stacks that are hurt in the same runs differ by less than two that are hurt in any.
func TestPairingGains(t *testing.T) {
	draws := rng.NewStream(3, "pairing")
	a, other := shapes[1].sample(&draws, 24), shapes[1].sample(&draws, 24)
	b := slices.Clone(a)
	for i := range b {
		if i%5 == 0 {
			b[i] = 0
		}
	}
	width := func(x, y []int64) float64 {
		iv := combined([]term{termOf(1, x), termOf(-1, y)})
		return iv.Hi - iv.Lo
	}
	require.Less(t, width(a, b), 0.7*width(a, other))
}
