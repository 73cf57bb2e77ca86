package scenarios

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// What is refused and what nobody ever heard of count, against what was offered; what was done or lost by somebody does not.
func TestShareOfTheRefused(t *testing.T) {
	s, err := parseSymptom("refused: 20%")
	require.NoError(t, err)
	require.Equal(t, "refused: 20%", s.String())
	row := &history.Row{Offered: 100}
	row.Buckets[history.Done], row.Buckets[history.RefusedB], row.Buckets[history.AbsentUnknown], row.Buckets[history.LostSilent] = 71, 12, 7, 10
	require.False(t, s.within(row))
	row.Buckets[history.AbsentUnknown]++
	require.True(t, s.within(row))
	require.False(t, s.within(&history.Row{}), "nothing was offered")

	loss, err := parseSymptom("loss")
	require.NoError(t, err)
	require.False(t, loss.within(row), "a property is no share")
	for _, wrong := range []string{"refused", "refused: 20", "refused: 0%", "refused: 101%", "refused: many%"} {
		_, err := parseSymptom(wrong)
		require.ErrorContains(t, err, "refused: 1%", wrong)
	}
}

// What F-104 loses is in proportion to what its deadline lacks to a second, as was measured: 89.9, 49.7 and 8.7 %.
func TestShareByDeadline(t *testing.T) {
	i := slices.IndexFunc(Catalogue(), func(f *Failure) bool { return f.ID == "F-104" })
	f, mem := Catalogue()[i], &Memory{}
	for deadline, measured := range map[int64]float64{100: 89.9, 500: 49.7, 900: 8.7} {
		f.Broken.Producer.DeliveryTimeout = deadline * nsMillisecond
		c, err := f.kase(f.Broken, f.Plan, 1)
		require.NoError(t, err)
		r, err := Run(c, mem)
		require.NoError(t, err)
		require.InDelta(t, measured, 100*float64(r.Row.Buckets[history.RefusedB])/float64(r.Row.Offered), 3, "a deadline of %d ms", deadline)
	}
}
