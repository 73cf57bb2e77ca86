package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestBootOrder boots the nodes one after the other, in several orders, and has the cluster serve two seconds after the last.
func TestBootOrder(t *testing.T) {
	for _, order := range [][]string{
		{"controller-1", "broker-1", "broker-2", "broker-3"},
		{"broker-3", "broker-2", "broker-1", "controller-1"},
		{"broker-2", "controller-1", "broker-3", "broker-1"},
	} {
		for _, apart := range []sim.Duration{0, 100 * sim.Millisecond, 700 * sim.Millisecond} {
			s := newSetup(plan{latency: rng.Constant(int64(sim.Millisecond))})
			require.False(t, s.cluster.Serving())
			for _, name := range order {
				s.w.Node(name).Boot()
				s.run(apart)
			}
			s.run(2 * sim.Second)
			require.True(t, s.cluster.Serving(), "%v, %v apart", order, apart)
			s.w.Close()
		}
	}
}

// TestFewBrokers has one broker, or two, do what three do, with as many replicas as there are brokers.
func TestFewBrokers(t *testing.T) {
	for _, brokers := range []int{1, 2} {
		s := newSetup(plan{latency: rng.Constant(int64(sim.Millisecond)), brokers: brokers})
		s.boot()
		s.run(2 * sim.Second)
		require.True(t, s.cluster.Serving())
		acked := false
		s.produce(0, s.cluster.Leader("orders", 0), 0, wire.AcksAll, wire.ProducerID{}, -1, []string{"a"}, func(r wire.ProduceResult, err error) {
			require.NoError(t, err)
			require.NoError(t, r.Err)
			acked = true
		})
		s.run(100 * sim.Millisecond)
		require.True(t, acked)
		require.EqualValues(t, 1, s.cluster.High("orders", 0))
		require.EqualValues(t, 1, s.cluster.Records("orders"))
		s.w.Close()
	}
}
