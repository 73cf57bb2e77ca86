package brokertest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const (
	sessionTimeout   = 3 * sim.Second
	rebalanceTimeout = 8 * sim.Second
	requestTimeout   = sim.Second
)

// groupRun is what honest members saw of one group.
type groupRun struct {
	*env
	owners map[string]string // "generation/partition" to member
	end    sim.Time
}

// honest is a member that keeps to the protocol: it joins, syncs, reads from the committed position, commits what
// it read, and joins again when it is told to.
type honest struct {
	*groupRun
	id         string
	generation int64
	in, rejoin bool
}

func runGroup(f Factory, seed uint64, fsync rng.Dist, members int, faults []fault) *groupRun {
	g := &groupRun{env: newEnv(f, seed, sim.Second, fsync), owners: map[string]string{}, end: sim.Time(40 * sim.Second)}
	defer g.w.Close()
	var nodes []*sim.Node
	for range members {
		nodes = append(nodes, g.w.Role("consumer", func(n *sim.Node) sim.Handler {
			m := &honest{groupRun: g, generation: -1}
			n.Go("loop", m.loop)
			n.GoBackground("heartbeat", m.heartbeats)
			return sim.NoHandler()
		}))
	}
	source := g.client("producer", g.produce)
	for _, n := range append(slices.Clone(nodes), g.node, source) {
		n.Boot()
	}
	g.plan(faults, g.end, nodes...)
	g.run(g.end.Add(120 * sim.Second))
	if stop, ok := g.w.Stopped(); ok {
		g.failf("the world ended: %v %s", stop, stop.Detail)
	}
	b := broker.Of(g.node)
	if b == nil || !b.Stable(groupName, members) || b.Lag(groupName) != 0 {
		g.failf("after all faults: broker %v, state %v, lag %d", b != nil, b.State(groupName), b.Lag(groupName))
	}
	g.facts()
	return g
}

func (g *groupRun) produce(p *sim.Proc) {
	for i := 0; g.w.Now() < g.end; i++ {
		event := fmt.Sprintf("order-%d-%d", p.Node().Incarnation(), i)
		_, _ = g.ask(p, model.OpProduce, model.ProduceRequest{Topic: topicName, Partition: i % partitions, Acks: 1,
			Messages: []model.Message{{Intent: model.Intent{Event: event}}}}, requestTimeout)
		p.Sleep(100 * sim.Millisecond)
	}
}

// loop is the poll loop.
func (m *honest) loop(p *sim.Proc) {
	for {
		m.in, m.rejoin = false, false
		share, err := m.enter(p)
		if err == nil {
			m.in = true
			err = m.work(p, share)
		}
		m.heard(err)
		p.Sleep(50 * sim.Millisecond)
	}
}

func (m *honest) heard(err error) {
	if errors.Is(err, model.ErrUnknownMember) {
		m.id = ""
	}
	m.rejoin = m.rejoin || err != nil
}

// enter goes through both barriers.
func (m *honest) enter(p *sim.Proc) ([]int, error) {
	reply, err := m.ask(p, model.OpJoin, model.JoinRequest{Group: groupName, Member: m.id, Client: p.Node().Name(), Topic: topicName,
		SessionTimeout: sessionTimeout, RebalanceTimeout: rebalanceTimeout}, rebalanceTimeout+requestTimeout)
	if err != nil {
		return nil, err
	}
	j := reply.(model.JoinReply)
	m.id, m.generation = j.Member, j.Generation
	sync := model.SyncRequest{Group: groupName, Member: m.id, Generation: m.generation}
	if j.Leader == m.id {
		if !slices.IsSorted(j.Members) || !slices.Contains(j.Members, m.id) {
			m.failf("the leader was given members %v", j.Members)
		}
		sync.Assignment = make([]model.MemberPartitions, len(j.Members))
		for i := range j.Partitions {
			a := &sync.Assignment[i%len(j.Members)]
			a.Member, a.Partitions = j.Members[i%len(j.Members)], append(a.Partitions, i)
		}
	}
	if reply, err = m.ask(p, model.OpSync, sync, rebalanceTimeout+requestTimeout); err != nil {
		return nil, err
	}
	share := reply.(model.SyncReply).Partitions
	for _, i := range share {
		k := fmt.Sprintf("%d/%d", m.generation, i)
		if old := m.owners[k]; old != "" && old != m.id {
			m.failf("generation %d gave partition %d to %s and to %s", m.generation, i, old, m.id)
		}
		m.owners[k] = m.id
	}
	return share, nil
}

// work reads and commits until something is wrong.
func (m *honest) work(p *sim.Proc, share []int) error {
	if len(share) == 0 {
		for !m.rejoin {
			p.Sleep(100 * sim.Millisecond)
		}
		return nil
	}
	known := m.committed()
	reply, err := m.ask(p, model.OpOffsets, model.OffsetsRequest{Group: groupName, Topic: topicName, Partitions: share}, requestTimeout)
	if err != nil {
		return err
	}
	at := reply.(model.OffsetsReply).Offsets
	for _, o := range at {
		if o.Offset < known[o.Partition] {
			m.failf("partition %d was committed at %d, its owner was told %d", o.Partition, known[o.Partition], o.Offset)
		}
	}
	for !m.rejoin {
		reply, err := m.ask(p, model.OpFetch, model.FetchRequest{Topic: topicName, From: slices.Clone(at), MaxRecords: 5, MaxWait: 500 * sim.Millisecond}, 2*requestTimeout)
		if err != nil {
			if !model.Definite(err) || errors.Is(err, sim.ErrRefused) {
				p.Sleep(50 * sim.Millisecond)
				continue
			}
			m.failf("fetch from %v: %v", at, err)
			return err
		}
		ms := reply.(model.FetchReply).Messages
		if len(ms) == 0 {
			continue
		}
		p.Sleep(20 * sim.Millisecond)
		req := model.CommitRequest{Group: groupName, Member: m.id, Generation: m.generation, Topic: topicName}
		for _, r := range ms {
			for i := range at {
				if at[i].Partition == r.Partition {
					at[i].Offset = r.Offset + 1
				}
			}
		}
		req.Offsets = slices.Clone(at)
		if _, err := m.ask(p, model.OpCommit, req, requestTimeout); err != nil {
			return err
		}
	}
	return nil
}

func (m *honest) heartbeats(p *sim.Proc) {
	for {
		p.Sleep(700 * sim.Millisecond)
		if !m.in {
			continue
		}
		generation := m.generation
		_, err := m.ask(p, model.OpHeartbeat, model.HeartbeatRequest{Group: groupName, Member: m.id, Generation: generation}, requestTimeout)
		if err != nil && m.in && m.generation == generation && model.Definite(err) && !errors.Is(err, sim.ErrRefused) {
			m.heard(err)
		}
	}
}

// committed is the position of each partition as the facts tell it.
func (g *groupRun) committed() (at [partitions]int64) {
	for _, f := range g.w.History.Facts {
		if f.Kind == history.KindCommitted {
			at[partitionOf(f.Resource)] = f.Offset
		}
	}
	return at
}

func partitionOf(resource string) int { return int(resource[len(resource)-1] - '0') }

// facts judges the history: generations only rise, commits belong to the newest one, positions never go back.
func (g *groupRun) facts() {
	generation := int64(0)
	var at [partitions]int64
	for _, f := range g.w.History.Facts {
		switch f.Kind {
		case history.KindGeneration:
			if f.Fence <= generation {
				g.failf("generation %d after %d", f.Fence, generation)
			}
			generation = f.Fence
		case history.KindCommitted:
			i := partitionOf(f.Resource)
			if f.Fence != generation {
				g.failf("generation %d committed in generation %d", f.Fence, generation)
			}
			if f.Offset < at[i] {
				g.failf("%s went back from %d to %d", f.Resource, at[i], f.Offset)
			}
			at[i] = f.Offset
		default:
		}
	}
}

func groupSurvives(f Factory) func(*rapid.T) {
	return func(t *rapid.T) {
		seed, fsync, members := rapid.Uint64().Draw(t, "seed"), drawFsync(t), rapid.IntRange(1, 5).Draw(t, "members")
		faults := drawFaults(t, sim.Time(40*sim.Second), members)
		one := runGroup(f, seed, fsync, members, faults)
		require.Empty(t, one.bad, "%v", faults)
		two := runGroup(f, seed, fsync, members, faults)
		require.Equal(t, one.w.Digest(), two.w.Digest(), "the same run twice")
	}
}
