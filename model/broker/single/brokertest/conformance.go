// Package brokertest is the conformance suite of brokers: whoever writes another one runs Conformance over its
// factory. The suite drives the wire protocol of package model only; the state of the group after the faults is the one
// thing that it asks the instance itself.
package brokertest

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// Conformance runs the suite.
func Conformance(t *testing.T, f Factory) {
	t.Run("log survives faults", func(t *testing.T) { rapid.Check(t, logSurvives(f)) })
	t.Run("group survives faults", func(t *testing.T) { rapid.Check(t, groupSurvives(f)) })
	t.Run("fetch is ordered and fair", func(t *testing.T) { fetchFair(t, f) })
	t.Run("a parked fetch is answered by data", func(t *testing.T) { fetchParks(t, f) })
	t.Run("a parked fetch times out", func(t *testing.T) { fetchTimesOut(t, f) })
	t.Run("an old generation is refused", func(t *testing.T) { oldGeneration(t, f) })
	t.Run("an operator resets an inactive group", func(t *testing.T) { operatorResets(t, f) })
	t.Run("commits and barriers", func(t *testing.T) { commitAndBarriers(t, f) })
	t.Run("what was seen stays", func(t *testing.T) { seenStays(t, f) })
	t.Run("what was told stays", func(t *testing.T) { toldStays(t, f) })
	t.Run("positions wait for commits", func(t *testing.T) { positionsWait(t, f) })
	t.Run("a group stays", func(t *testing.T) { groupStays(t, f) })
	t.Run("unknown names are refused", func(t *testing.T) { unknownNames(t, f) })
}

// with runs one client's code against a broker and gives the world back for inspection.
func with(t *testing.T, f Factory, code func(e *env, p *sim.Proc)) *env {
	t.Helper()
	e := newEnv(f, 1, sim.Second, rng.Constant(int64(2*sim.Millisecond)))
	done := false
	n := e.client("client", func(p *sim.Proc) { code(e, p); done = true })
	e.node.Boot()
	n.Boot()
	e.run(sim.Time(sim.Minute))
	e.w.Close()
	require.Empty(t, e.bad)
	require.True(t, done, "the client's code did not end")
	return e
}

func (e *env) put(p *sim.Proc, partition, count int) {
	req := model.ProduceRequest{Topic: topicName, Partition: partition, Acks: 1}
	for range count {
		req.Messages = append(req.Messages, model.Message{Intent: model.Intent{Event: "order"}})
	}
	if _, err := e.ask(p, model.OpProduce, req, sim.Second); err != nil {
		e.failf("produce: %v", err)
	}
}

func fetchFair(t *testing.T, f Factory) {
	with(t, f, func(e *env, p *sim.Proc) {
		at := make([]model.PartitionOffset, partitions)
		for i := range partitions {
			at[i].Partition = i
			e.put(p, i, 10+20*i)
		}
		for rounds := 0; ; rounds++ {
			reply, err := e.ask(p, model.OpFetch, model.FetchRequest{Topic: topicName, From: slices.Clone(at), MaxRecords: 8, MaxWait: 50 * sim.Millisecond}, sim.Second)
			if err != nil {
				e.failf("fetch: %v", err)
				return
			}
			ms := reply.(model.FetchReply).Messages
			if len(ms) == 0 {
				break
			}
			if len(ms) > 8 {
				e.failf("%d records, asked for 8", len(ms))
			}
			var got [partitions]int
			for _, m := range ms {
				if m.Offset != at[m.Partition].Offset {
					e.failf("partition %d gave %d, wanted %d", m.Partition, m.Offset, at[m.Partition].Offset)
				}
				at[m.Partition].Offset++
				got[m.Partition]++
			}
			if rounds < 5 && got != [partitions]int{2, 2, 2, 2} {
				e.failf("round %d is unfair: %v", rounds, got)
			}
		}
		for i := range partitions {
			if at[i].Offset != int64(10+20*i) {
				e.failf("partition %d ended at %d", i, at[i].Offset)
			}
		}
	})
}

func fetchParks(t *testing.T, f Factory) {
	with(t, f, func(e *env, p *sim.Proc) {
		p.Go("producer", func(p *sim.Proc) {
			p.Sleep(2 * sim.Second)
			e.put(p, 2, 3)
		})
		from := []model.PartitionOffset{{Partition: 0}, {Partition: 2}}
		reply, err := e.ask(p, model.OpFetch, model.FetchRequest{Topic: topicName, From: from, MaxRecords: 10, MaxWait: 20 * sim.Second}, 30*sim.Second)
		if err != nil || len(reply.(model.FetchReply).Messages) != 3 {
			e.failf("fetch: %v %v", reply, err)
		}
		if late := e.w.Now() - sim.Time(2*sim.Second); late < 0 || late > sim.Time(20*sim.Millisecond) {
			e.failf("answered %v after the produce", late)
		}
		p.Sleep(sim.Second)
		if e.w.Foreground() > 1 || e.w.Pending() > 1 { // the end of the run
			e.failf("%d events remain: the parked fetch left its timer", e.w.Pending())
		}
	})
}

func fetchTimesOut(t *testing.T, f Factory) {
	e := with(t, f, func(e *env, p *sim.Proc) {
		e.put(p, 0, 1)
		from := []model.PartitionOffset{{Partition: 0, Offset: 1}, {Partition: 1}}
		before := e.w.Now()
		reply, err := e.ask(p, model.OpFetch, model.FetchRequest{Topic: topicName, From: from, MaxRecords: 10, MaxWait: 20 * sim.Second}, 30*sim.Second)
		if err != nil || len(reply.(model.FetchReply).Messages) != 0 {
			e.failf("fetch: %v %v", reply, err)
		}
		if d := e.w.Now().Sub(before); d < 20*sim.Second || d > 20*sim.Second+10*sim.Millisecond {
			e.failf("answered after %v", d)
		}
	})
	total, _ := e.w.Executed()
	require.Less(t, total, int64(40), "waiting must cost nothing")
}

// oldGeneration: a member that was evicted without knowing it cannot commit, heartbeat or sync.
func oldGeneration(t *testing.T, f Factory) {
	with(t, f, func(e *env, p *sim.Proc) {
		e.put(p, 0, 5)
		enter := func() (string, int64) {
			m := &honest{groupRun: &groupRun{env: e, owners: map[string]string{}}}
			if _, err := m.enter(p); err != nil {
				e.failf("join: %v", err)
			}
			return m.id, m.generation
		}
		commit := func(id string, generation int64, to int64) error {
			_, err := e.ask(p, model.OpCommit, model.CommitRequest{Group: groupName, Member: id, Generation: generation, Topic: topicName,
				Offsets: []model.PartitionOffset{{Partition: 0, Offset: to}}}, sim.Second)
			return err
		}
		is := func(what string, got, want error) {
			if !errors.Is(got, want) {
				e.failf("%s: %v, wanted %v", what, got, want)
			}
		}
		zombie, old := enter()
		is("commit", commit(zombie, old, 1), nil)
		p.Sleep(2 * sessionTimeout)
		is("commit of an evicted member", commit(zombie, old, 2), model.ErrUnknownMember)
		id, generation := enter()
		if id == zombie || generation <= old {
			e.failf("%s/%d after %s/%d", id, generation, zombie, old)
		}
		is("commit of an evicted member", commit(zombie, old, 2), model.ErrUnknownMember)
		is("commit of an old generation", commit(id, old, 2), model.ErrIllegalGeneration)
		_, err := e.ask(p, model.OpHeartbeat, model.HeartbeatRequest{Group: groupName, Member: id, Generation: old}, sim.Second)
		is("heartbeat of an old generation", err, model.ErrIllegalGeneration)
		_, err = e.ask(p, model.OpSync, model.SyncRequest{Group: groupName, Member: id, Generation: old}, sim.Second)
		is("sync of an old generation", err, model.ErrIllegalGeneration)
		is("commit", commit(id, generation, 3), nil)
		is("commit beyond the end", commit(id, generation, 6), model.ErrOffsetOutOfRange)
		reply, err := e.ask(p, model.OpOffsets, model.OffsetsRequest{Group: groupName, Topic: topicName, Partitions: []int{0, 1}}, sim.Second)
		if err != nil || !slices.Equal(reply.(model.OffsetsReply).Offsets, []model.PartitionOffset{{Partition: 0, Offset: 3}, {Partition: 1}}) {
			e.failf("offsets: %v %v", reply, err)
		}
	})
}

// operatorResets: who is no member may move positions, backwards too, once nobody is one; and not before.
func operatorResets(t *testing.T, f Factory) {
	with(t, f, func(e *env, p *sim.Proc) {
		e.put(p, 0, 5)
		is := func(what string, got, want error) {
			if !errors.Is(got, want) {
				e.failf("%s: %v, wanted %v", what, got, want)
			}
		}
		commit := func(id string, generation int64, topic string, to int64) error {
			_, err := e.ask(p, model.OpCommit, model.CommitRequest{Group: groupName, Member: id, Generation: generation, Topic: topic,
				Offsets: []model.PartitionOffset{{Partition: 0, Offset: to}}}, sim.Second)
			return err
		}
		reply, err := e.ask(p, model.OpEarliest, model.EarliestRequest{Topic: topicName}, sim.Second)
		if err != nil || len(reply.(model.OffsetsReply).Offsets) != partitions {
			e.failf("earliest: %v %v", reply, err)
		}
		is("a commit with a generation to a group nobody has joined", commit("", 1, topicName, 0), model.ErrUnknownMember)
		simple(e, p)
		m := &honest{groupRun: &groupRun{env: e, owners: map[string]string{}}}
		if _, err := m.enter(p); err != nil {
			e.failf("join: %v", err)
		}
		is("commit", commit(m.id, m.generation, topicName, 4), nil)
		is("reset of an active group", commit("", model.NoGeneration, topicName, 0), model.ErrUnknownMember)
		_, err = e.ask(p, model.OpLeave, model.LeaveRequest{Group: groupName, Member: m.id}, sim.Second)
		is("leave", err, nil)
		is("a member's commit after it left", commit(m.id, m.generation, topicName, 0), model.ErrUnknownMember)
		is("reset with a generation", commit("", m.generation, topicName, 0), model.ErrUnknownMember)
		is("reset of another topic", commit("", model.NoGeneration, "none", 0), model.ErrUnknownTopic)
		is("reset beyond the end", commit("", model.NoGeneration, topicName, 6), model.ErrOffsetOutOfRange)
		is("reset", commit("", model.NoGeneration, topicName, 1), nil)
		offsets, err := e.ask(p, model.OpOffsets, model.OffsetsRequest{Group: groupName, Topic: topicName, Partitions: []int{0}}, sim.Second)
		if err != nil || offsets.(model.OffsetsReply).Offsets[0].Offset != 1 {
			e.failf("offsets after the reset: %v %v", offsets, err)
		}
	})
}

// simple: who reads without being a member keeps a position in a group that nobody joins.
func simple(e *env, p *sim.Proc) {
	const keeper = "keeper"
	latest, err := e.ask(p, model.OpLatest, model.LatestRequest{Topic: topicName}, sim.Second)
	if err != nil || len(latest.(model.OffsetsReply).Offsets) != partitions {
		e.failf("latest: %v %v", latest, err)
		return
	}
	end := latest.(model.OffsetsReply).Offsets[:1]
	if _, err := e.ask(p, model.OpCommit, model.CommitRequest{Group: keeper, Generation: model.NoGeneration, Topic: topicName, Offsets: end}, sim.Second); err != nil {
		e.failf("a simple commit: %v", err)
	}
	offsets, err := e.ask(p, model.OpOffsets, model.OffsetsRequest{Group: keeper, Topic: topicName, Partitions: []int{0}}, sim.Second)
	if err != nil || end[0].Offset == 0 || offsets.(model.OffsetsReply).Offsets[0] != end[0] {
		e.failf("offsets after a simple commit to %v: %v %v", end[0], offsets, err)
	}
}

func unknownNames(t *testing.T, f Factory) {
	with(t, f, func(e *env, p *sim.Proc) {
		none := []model.PartitionOffset{{Partition: 0}}
		for _, c := range []struct {
			op   string
			body any
			want error
		}{
			{model.OpProduce, model.ProduceRequest{Topic: "none", Acks: 1}, model.ErrUnknownTopic},
			{model.OpProduce, model.ProduceRequest{Topic: topicName, Partition: partitions, Acks: 1}, model.ErrUnknownTopic},
			{model.OpFetch, model.FetchRequest{Topic: "none", From: none, MaxRecords: 1}, model.ErrUnknownTopic},
			{model.OpFetch, model.FetchRequest{Topic: topicName, From: []model.PartitionOffset{{Partition: -1}}, MaxRecords: 1}, model.ErrUnknownTopic},
			{model.OpFetch, model.FetchRequest{Topic: topicName, From: []model.PartitionOffset{{Offset: 1}}, MaxRecords: 1}, model.ErrOffsetOutOfRange},
			{model.OpJoin, model.JoinRequest{Group: "g", Topic: "none"}, model.ErrUnknownTopic},
			{model.OpJoin, model.JoinRequest{Group: "g", Topic: topicName, Member: "nobody"}, model.ErrUnknownMember},
			{model.OpSync, model.SyncRequest{Group: "g", Member: "nobody"}, model.ErrUnknownMember},
			{model.OpHeartbeat, model.HeartbeatRequest{Group: "g", Member: "nobody"}, model.ErrUnknownMember},
			{model.OpLeave, model.LeaveRequest{Group: "g", Member: "nobody"}, model.ErrUnknownMember},
			{model.OpCommit, model.CommitRequest{Group: "g", Member: "nobody", Topic: topicName, Offsets: none}, model.ErrUnknownMember},
			{model.OpOffsets, model.OffsetsRequest{Group: "g", Topic: "none"}, model.ErrUnknownTopic},
			{model.OpEarliest, model.EarliestRequest{Topic: "none"}, model.ErrUnknownTopic},
			{model.OpLatest, model.LatestRequest{Topic: "none"}, model.ErrUnknownTopic},
		} {
			if _, err := e.ask(p, c.op, c.body, sim.Second); !errors.Is(err, c.want) {
				e.failf("%s %+v: %v, wanted %v", c.op, c.body, err, c.want)
			}
		}
	})
}
