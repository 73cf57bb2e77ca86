package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/broker"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestIdle holds an idle cluster of three brokers and a controller to its share of kernel events, and has a quiet day pass by
// whole cycles: after it the facts, the draws and what followers are known to have are as if every event had been executed.
func TestIdle(t *testing.T) {
	const day = 26 * sim.Hour
	var work broker.Work
	pass := func(everyEvent bool, quiet sim.Duration) (*setup, int64) {
		s := newSetup(plan{latency: rng.Constant(int64(sim.Millisecond)), everyEvent: everyEvent, broker: broker.Config{Work: work}})
		s.boot()
		s.run(3 * sim.Second)
		leader := s.cluster.Leader("orders", 0)
		produce := func(event string, then func(wire.ProduceResult, error)) {
			s.produce(0, leader, 0, wire.AcksAll, wire.ProducerID{}, -1, []string{event}, then)
		}
		produce("a", func(r wire.ProduceResult, err error) { require.NoError(t, err) })
		s.run(10 * sim.Second)
		before, _ := s.w.Executed()
		over := false
		s.w.Quiet(quiet, func() { over = true })
		for !over {
			require.True(t, s.w.Step())
		}
		after, _ := s.w.Executed()
		s.w.Nodes(wire.Broker)[1].Cut(leader)
		leader.Cut(s.w.Nodes(wire.Broker)[1])
		produce("b", func(r wire.ProduceResult, _ error) { require.ErrorIs(t, r.Err, wire.ErrRequestTimedOut) })
		for _, at := range []struct {
			after sim.Duration
			isr   []int32
		}{{20 * sim.Second, []int32{1, 2, 3}}, {40 * sim.Second, []int32{1, 3}}} {
			s.run(at.after)
			v, ok := broker.Look(leader, "orders", 0)
			require.True(t, ok)
			require.Equal(t, at.isr, v.ISR, "who is cut off lags from then on, and not since before the quiet time")
		}
		return s, after - before
	}
	s, events := pass(false, day)
	defer s.w.Close()
	require.Less(t, events, int64(60_000), "a quiet day")
	for _, mode := range []struct {
		quiet sim.Duration
		work  broker.Work
		most  int64 // events per idle second
	}{{20 * sim.Minute, nil, 70}, {20*sim.Minute + 777*sim.Millisecond, nil, 70}, {20 * sim.Minute, func(int, int, int) sim.Duration { return 10 * sim.Microsecond }, 100}} {
		work = mode.work
		leapt, few := pass(false, mode.quiet)
		slow, all := pass(true, mode.quiet)
		require.Less(t, 4*few, all)
		require.Less(t, all, int64(mode.quiet/sim.Second)*mode.most)
		require.Equal(t, slow.w.History.Digest(), leapt.w.History.Digest())
		slow.w.Close()
		leapt.w.Close()
	}
}
