package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// A record that the leader alone has is not read yet, though nobody can read it: who waits for everything to be read must not end while
// the followers are away.
func TestUnreadIsWhatIsNotYetCommittedToo(t *testing.T) {
	s := newSetup(plan{})
	defer s.w.Close()
	s.boot()
	s.run(3 * sim.Second)
	leader := s.cluster.Leader("orders", 0)
	for _, n := range s.brokers {
		if n != leader {
			n.Kill(0)
		}
	}
	s.produce(0, leader, 0, wire.AcksLeader, wire.ProducerID{}, -1, []string{"a", "b"}, func(wire.ProduceResult, error) {})
	s.run(sim.Second)
	require.Zero(t, s.cluster.High("orders", 0))
	require.EqualValues(t, 2, s.cluster.Unread("orders", 0, 0))
	for _, n := range s.brokers {
		if !n.Up() {
			n.Boot()
		}
	}
	s.run(sim.Minute)
	require.EqualValues(t, 2, s.cluster.High("orders", 0))
	require.EqualValues(t, 1, s.cluster.Unread("orders", 0, 1))
	require.Zero(t, s.cluster.Unread("orders", 0, 2))
}
