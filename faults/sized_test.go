package faults

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// A fault of another size is the same fault at the same moment on the same target; every kind that loads a dimension by
// a duration has a size, and what it loads follows it.
func TestSized(t *testing.T) {
	sc := Space{ChaosBegin: 0, ChaosEnd: 90 * second, Members: 3, Brokers: 1, Partitions: 6, EffectServices: []string{"payments"},
		AllNodes: []string{"broker-1", "payments-1"}, Group: "workers", Leader: func(int) string { return "broker-1" }}
	for _, k := range history.FaultKinds() {
		m, err := Measure(k.Name, 1, 7, sc)
		require.NoError(t, err)
		before := m.Lines()
		for _, d := range history.Dimensions() {
			if !d.Duration || k.Dimension != d.Name {
				continue
			}
			small, large := m.Sized(d.Name, second), m.Sized(d.Name, hour)
			require.Equal(t, large.Lines(), small.Sized(d.Name, hour).Lines(), k.Name)
			require.NotEqual(t, large.Lines(), small.Lines(), k.Name)
			for _, f := range large.Plan() {
				require.NoError(t, f.Validate(), k.Name)
			}
			require.InDelta(t, hour, loadOf(large.Plan(), d.Name), 1, k.Name)
			require.Equal(t, m.Faults[0].Targets, large.Faults[0].Targets)
		}
		require.Equal(t, before, m.Lines(), "%s: the plan itself stays", k.Name)
		require.Equal(t, before, m.Sized(history.FaultCount, 3).Lines(), "%s: a number of faults is no size", k.Name)
	}
}
