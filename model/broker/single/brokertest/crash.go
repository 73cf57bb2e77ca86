package brokertest

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// Stories that chance seldom tells: a kill leaves records in the page cache that nobody has fsynced, and the power
// goes soon after. What a power loss keeps is drawn, so each is played with several seeds.

// crash plays code at one client, and stops the broker at each given passage through a hook. It is back after
// 100 ms.
func crash(t *testing.T, f Factory, stops []fault, code func(e *env, p *sim.Proc)) {
	t.Helper()
	for seed := range uint64(16) {
		e := newEnv(f, seed, 10*sim.Millisecond, rng.Constant(int64(20*sim.Millisecond)))
		for i := range stops {
			stops[i].For = 100 * sim.Millisecond
		}
		done := false
		n := e.client("client", func(p *sim.Proc) { p.Sleep(sim.Second); code(e, p); done = true })
		e.node.Boot()
		e.run(sim.Time(500 * sim.Millisecond))
		e.plan(stops, sim.Time(sim.Minute))
		n.Boot()
		e.run(sim.Time(sim.Minute))
		e.w.Close()
		require.Empty(t, e.bad, "seed %d", seed)
		require.True(t, done, "the client's code did not end")
	}
}

// lights turns the power off and on again.
func (e *env) lights(p *sim.Proc) {
	e.node.PowerLoss(0)
	p.Sleep(100 * sim.Millisecond)
	e.node.Boot()
	p.Sleep(sim.Second)
}

// seenStays: a record that a consumer has read is there for ever.
func seenStays(t *testing.T, f Factory) {
	crash(t, f, []fault{{Hook: "broker.disk.fsync/started", Hit: 1}}, func(e *env, p *sim.Proc) {
		req := model.ProduceRequest{Topic: topicName, Acks: 1, Messages: []model.Message{{Payload: "a"}, {Payload: "b"}, {Payload: "c"}}}
		_, _ = e.ask(p, model.OpProduce, req, 200*sim.Millisecond)
		fetch := model.FetchRequest{Topic: topicName, From: []model.PartitionOffset{{Partition: 0}}, MaxRecords: 10, MaxWait: 400 * sim.Millisecond}
		var seen int
		for seen == 0 {
			if reply, err := e.ask(p, model.OpFetch, fetch, sim.Second); err == nil {
				seen = len(reply.(model.FetchReply).Messages)
			}
			p.Sleep(sim.Millisecond)
		}
		e.lights(p)
		if left := e.drainLog(p, 0); len(left) < seen {
			e.failf("%d records were seen, %d are left", seen, len(left))
		}
	})
}

// toldStays: a position that a member was told does not go back.
func toldStays(t *testing.T, f Factory) {
	crash(t, f, nil, func(e *env, p *sim.Proc) {
		e.put(p, 0, 5)
		m := &honest{groupRun: &groupRun{env: e, owners: map[string]string{}}}
		if _, err := m.enter(p); err != nil {
			e.failf("enter: %v", err)
		}
		killed := false
		e.w.Watch("broker.disk.fsync/started", func(*sim.Hit) {
			if !killed {
				killed = true
				e.stop(e.node, fault{For: 100 * sim.Millisecond})
			}
		})
		_ = e.commitTo(p, m, 3)
		var told int64
		for told = -1; told < 0; p.Sleep(sim.Millisecond) {
			told = e.position(p)
		}
		e.lights(p)
		if now := e.position(p); now < told {
			e.failf("the position was %d and is %d", told, now)
		}
	})
}

// groupStays: a group whose very first join was cut short, and that committed later, is not forgotten.
func groupStays(t *testing.T, f Factory) {
	crash(t, f, []fault{{Hook: "broker.disk.fsync/started", Hit: 2}}, func(e *env, p *sim.Proc) {
		e.put(p, 0, 5)
		m := &honest{groupRun: &groupRun{env: e, owners: map[string]string{}}}
		for {
			_, err := m.enter(p)
			if err == nil {
				break
			}
			m.heard(err)
			p.Sleep(50 * sim.Millisecond)
		}
		if err := e.commitTo(p, m, 3); err != nil {
			e.failf("commit: %v", err)
		}
		e.lights(p)
		if now := e.position(p); now != 3 {
			e.failf("the position was 3 and is %d", now)
		}
	})
}

// commitTo commits partition 0.
func (e *env) commitTo(p *sim.Proc, m *honest, to int64) error {
	_, err := e.ask(p, model.OpCommit, model.CommitRequest{Group: groupName, Member: m.id, Generation: m.generation, Topic: topicName,
		Offsets: []model.PartitionOffset{{Partition: 0, Offset: to}}}, 300*sim.Millisecond)
	return err
}

// position of partition 0; -1 when nobody answers.
func (e *env) position(p *sim.Proc) int64 {
	reply, err := e.ask(p, model.OpOffsets, model.OffsetsRequest{Group: groupName, Topic: topicName, Partitions: []int{0}}, sim.Second)
	if err != nil {
		return -1
	}
	return reply.(model.OffsetsReply).Offsets[0].Offset
}

// commitAndBarriers: a commit of the present generation is taken while the join barrier is open and refused
// between the barriers.
func commitAndBarriers(t *testing.T, f Factory) {
	with(t, f, func(e *env, p *sim.Proc) {
		e.put(p, 0, 5)
		m := &honest{groupRun: &groupRun{env: e, owners: map[string]string{}}}
		if _, err := m.enter(p); err != nil {
			e.failf("enter: %v", err)
		}
		newcomer := model.JoinRequest{Group: groupName, Client: "other", Topic: topicName, SessionTimeout: sessionTimeout, RebalanceTimeout: rebalanceTimeout}
		p.Go("newcomer", func(p *sim.Proc) { _, _ = e.ask(p, model.OpJoin, newcomer, sim.Minute) })
		p.Sleep(100 * sim.Millisecond)
		if err := e.commitTo(p, m, 1); err != nil {
			e.failf("commit in the join barrier: %v", err)
		}
		join := newcomer
		join.Member, join.Client = m.id, p.Node().Name()
		reply, err := e.ask(p, model.OpJoin, join, sim.Second)
		if err != nil {
			e.failf("join: %v", err)
			return
		}
		j := reply.(model.JoinReply)
		if j.Generation <= m.generation || !slices.Contains(j.Members, m.id) || len(j.Members) != 2 {
			e.failf("join: %+v after generation %d", j, m.generation)
		}
		if err := e.commitTo(p, m, 2); !errors.Is(err, model.ErrIllegalGeneration) {
			e.failf("commit of the generation before: %v", err)
		}
		m.generation = j.Generation
		if err := e.commitTo(p, m, 2); !errors.Is(err, model.ErrRebalance) {
			e.failf("commit between the barriers: %v", err)
		}
		if at := e.position(p); at != 1 {
			e.failf("position %d", at)
		}
	})
}

// positionsWait: a member that gives up on a commit and asks where it is, is not told a position that its own
// commit then overtakes.
func positionsWait(t *testing.T, f Factory) {
	crash(t, f, nil, func(e *env, p *sim.Proc) {
		e.put(p, 0, 5)
		m := &honest{groupRun: &groupRun{env: e, owners: map[string]string{}}}
		if _, err := m.enter(p); err != nil {
			e.failf("enter: %v", err)
		}
		_, err := e.ask(p, model.OpCommit, model.CommitRequest{Group: groupName, Member: m.id, Generation: m.generation, Topic: topicName,
			Offsets: []model.PartitionOffset{{Partition: 0, Offset: 3}}}, 5*sim.Millisecond)
		told := e.position(p)
		p.Sleep(sim.Second)
		if now := e.position(p); now != told || err == nil {
			e.failf("told %d, then %d; the commit: %v", told, now, err)
		}
	})
}
