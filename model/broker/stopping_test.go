package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestStoppingFollower has a follower stop in good order under load. It fetches to the end and is caught up with every fetch; its
// leader knows that it is about to go, and does not ask for it to be in sync again.
func TestStoppingFollower(t *testing.T) {
	s := newSetup(plan{latency: rng.Constant(int64(sim.Millisecond))})
	defer s.w.Close()
	s.boot()
	s.run(3 * sim.Second)
	leader := s.cluster.Leader("orders", 0)
	wishes, acked := 0, 0
	s.w.Watch("controller."+wire.OpAlterPartition+"/sent", func(*sim.Hit) { wishes++ })
	for range 100 {
		s.produce(0, leader, 0, wire.AcksAll, wire.ProducerID{}, -1, []string{"a"}, func(r wire.ProduceResult, err error) {
			require.NoError(t, err)
			require.NoError(t, r.Err)
			acked++
		})
		if s.w.Now() < sim.Time(3100*sim.Millisecond) {
			s.run(10 * sim.Millisecond)
			continue
		}
		if n := s.brokers[2]; n != leader && n.Up() && !n.Stopping() {
			n.AskStop(0)
		}
		s.run(10 * sim.Millisecond)
	}
	require.Equal(t, 100, acked)
	require.False(t, s.brokers[2].Up())
	require.Zero(t, wishes)
}
