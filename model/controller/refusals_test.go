package controller

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestRefusals asks for what a controller must refuse, each time with one thing wrong, and for the same with nothing wrong.
func TestRefusals(t *testing.T) {
	w := sim.New(sim.Config{Latency: rng.Constant(int64(sim.Millisecond))})
	defer w.Close()
	n := w.Role(wire.Controller, New(Config{Topics: []wire.Topic{{Name: "orders", Partitions: 1, MinInSync: 2}}}))
	for range 4 {
		w.Role(wire.Broker, func(*sim.Node) sim.Handler { return sim.NoHandler() })
	}
	for _, b := range w.Nodes("") {
		b.Boot()
	}
	ask := func(op string, body any) (reply any, err error) {
		asker := w.Nodes(wire.Broker)[0]
		asker.After(0, func() {
			asker.Call(n, w.Op(wire.Controller+"."+op), sim.Action{}, body, 0, sim.Second, func(r any, _ int64, e error) { reply, err = r, e })
		})
		w.Run(w.Now().Add(10 * sim.Millisecond))
		return reply, err
	}
	var epochs [5]int64
	for id := range int32(4) {
		reply, err := ask(wire.OpRegister, wire.RegisterRequest{Broker: id + 1, Incarnation: 1})
		require.NoError(t, err)
		epochs[id+1] = reply.(wire.RegisterReply).Epoch
	}

	// A broker that has not the metadata of its registration stays fenced.
	for id := range int32(4) {
		beat := wire.BeatRequest{Broker: id + 1, Epoch: epochs[id+1], Image: epochs[id+1] - 1}
		reply, err := ask(wire.OpBeat, beat)
		require.NoError(t, err)
		require.True(t, reply.(wire.BeatReply).Fenced)
		beat.Image++
		reply, err = ask(wire.OpBeat, beat)
		require.NoError(t, err)
		require.False(t, reply.(wire.BeatReply).Fenced)
	}
	state := func() wire.PartitionState {
		s, ok := Of(n).State("orders", 0)
		require.True(t, ok)
		return s
	}
	require.Equal(t, []int32{1, 2, 3}, state().ISR)
	require.EqualValues(t, 1, state().Leader)

	_, err := ask(wire.OpBeat, wire.BeatRequest{Broker: 2, Epoch: epochs[2] - 1})
	require.ErrorIs(t, err, wire.ErrStaleBrokerEpoch)
	_, err = ask(wire.OpProducerIDs, wire.ProducerIDsRequest{Broker: 2, Epoch: epochs[2] - 1})
	require.ErrorIs(t, err, wire.ErrStaleBrokerEpoch)

	// The leader has 3 leave, and asks for it to come back.
	leave := wire.AlterPartitionRequest{Broker: 1, BrokerEpoch: epochs[1], Topic: "orders", LeaderEpoch: state().LeaderEpoch,
		PartitionEpoch: state().PartitionEpoch, ISR: []wire.InSync{{Broker: 1, Epoch: -1}, {Broker: 2, Epoch: epochs[2]}}}
	_, err = ask(wire.OpAlterPartition, leave)
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2}, state().ISR)
	back := leave
	back.PartitionEpoch = state().PartitionEpoch
	back.ISR = []wire.InSync{{Broker: 1, Epoch: -1}, {Broker: 2, Epoch: -1}, {Broker: 3, Epoch: epochs[3]}}
	for _, c := range []struct {
		what  string
		wrong func(*wire.AlterPartitionRequest)
		err   error
	}{
		{"no such partition", func(r *wire.AlterPartitionRequest) { r.Partition = 7 }, wire.ErrUnknownTopic},
		{"an earlier session of the leader", func(r *wire.AlterPartitionRequest) { r.BrokerEpoch-- }, wire.ErrStaleBrokerEpoch},
		{"an earlier leadership", func(r *wire.AlterPartitionRequest) { r.LeaderEpoch-- }, wire.ErrFencedLeaderEpoch},
		{"a later leadership", func(r *wire.AlterPartitionRequest) { r.LeaderEpoch++ }, wire.ErrNotLeader},
		{"who does not lead", func(r *wire.AlterPartitionRequest) { r.Broker, r.BrokerEpoch = 2, epochs[2] }, wire.ErrNotLeader},
		{"an earlier state", func(r *wire.AlterPartitionRequest) { r.PartitionEpoch-- }, wire.ErrInvalidUpdate},
		{"an earlier session of who joins", func(r *wire.AlterPartitionRequest) {
			r.ISR = []wire.InSync{{Broker: 1, Epoch: -1}, {Broker: 3, Epoch: epochs[3] - 1}}
		}, wire.ErrIneligibleReplica},
	} {
		req := back
		c.wrong(&req)
		_, err = ask(wire.OpAlterPartition, req)
		require.ErrorIs(t, err, c.err, c.what)
		require.Equal(t, []int32{1, 2}, state().ISR, c.what)
	}
	_, err = ask(wire.OpBeat, wire.BeatRequest{Broker: 3, Epoch: epochs[3], Image: epochs[4], WantShutdown: true})
	require.NoError(t, err)
	_, err = ask(wire.OpAlterPartition, back)
	require.ErrorIs(t, err, wire.ErrIneligibleReplica, "who is about to stop")

	// It stops, and is there again.
	_, err = ask(wire.OpRegister, wire.RegisterRequest{Broker: 3, Incarnation: 2, LastEpoch: epochs[3]})
	require.ErrorIs(t, err, wire.ErrDuplicateBroker, "its last session is not over")
	for range 12 {
		for id := range int32(4) {
			if id != 2 {
				_, err = ask(wire.OpBeat, wire.BeatRequest{Broker: id + 1, Epoch: epochs[id+1]})
				require.NoError(t, err)
			}
		}
		w.Run(w.Now().Add(sim.Second))
	}
	reply, err := ask(wire.OpRegister, wire.RegisterRequest{Broker: 3, Incarnation: 2, LastEpoch: epochs[3]})
	require.NoError(t, err)
	epochs[3] = reply.(wire.RegisterReply).Epoch
	back.ISR[2].Epoch = epochs[3]
	_, err = ask(wire.OpAlterPartition, back)
	require.ErrorIs(t, err, wire.ErrIneligibleReplica, "who is fenced")
	_, err = ask(wire.OpBeat, wire.BeatRequest{Broker: 3, Epoch: epochs[3], Image: epochs[3]})
	require.NoError(t, err)
	_, err = ask(wire.OpAlterPartition, back)
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2, 3}, state().ISR)
	_, err = ask(wire.OpAlterPartition, back)
	require.ErrorIs(t, err, wire.ErrInvalidUpdate, "the same once more")
}
