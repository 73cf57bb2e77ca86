package consumer

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// join is the rest of the eager protocol, when everything is revoked: take part in the barrier, get a share, read its
// positions.
// It returns after one try; Poll calls it again until it has succeeded.
func (m *Member) join(c model.Ctx) {
	p := c.Process()
	m.joined, m.rejoin = false, false
	if m.left {
		m.left, m.id = false, ""
	}
	reply, err := m.ask(p, m.ops.join, model.JoinRequest{Group: m.cfg.Group, Member: m.id, Client: m.n.Name(), Topic: m.cfg.Topic,
		SessionTimeout: m.cfg.SessionTimeout, RebalanceTimeout: m.cfg.MaxPollInterval}, m.cfg.MaxPollInterval+m.cfg.RequestTimeout)
	if err != nil {
		m.retry(p, err)
		return
	}
	j := reply.(model.JoinReply)
	m.id, m.generation = j.Member, j.Generation
	sync := model.SyncRequest{Group: m.cfg.Group, Member: m.id, Generation: m.generation}
	if j.Leader == m.id {
		sync.Assignment = assignRange(j.Members, j.Partitions)
	}
	reply, err = m.ask(p, m.ops.sync, sync, m.cfg.MaxPollInterval+m.cfg.RequestTimeout)
	if err != nil {
		m.retry(p, err)
		return
	}
	m.take(c, reply.(model.SyncReply).Partitions)
}

func (m *Member) retry(p *sim.Proc, err error) {
	m.heard(err)
	p.Sleep(m.cfg.Backoff)
}

// take reads the positions of the member's share and believes in it from then on. They are the group's: what the member
// remembers of a partition says nothing of what another one has done to it since.
func (m *Member) take(c model.Ctx, partitions []int) {
	p := c.Process()
	if len(partitions) > 0 {
		reply, err := m.ask(p, m.ops.offsets, model.OffsetsRequest{Group: m.cfg.Group, Topic: m.cfg.Topic, Partitions: partitions}, m.cfg.RequestTimeout)
		if err != nil {
			m.retry(p, err)
			return
		}
		m.owned = append(m.owned[:0], reply.(model.OffsetsReply).Offsets...)
		if m.cfg.Planted.Has(model.InMemoryCheckpoint) {
			m.fromMemory()
		}
	}
	for _, o := range m.owned {
		m.assigned = append(m.assigned, p.Record(history.Fact{Kind: history.KindAssigned, Resource: model.PartitionName(m.cfg.Topic, o.Partition),
			Offset: o.Offset, Fence: m.generation}))
	}
	m.joined = true
	m.n.Reached("group/assigned", sim.Action{})
	if m.onAssign != nil && len(m.owned) > 0 {
		p.Background(false)
		m.onAssign(c, append([]model.PartitionOffset(nil), m.owned...))
		p.Background(true)
	}
}

// fromMemory is the planted bug in-memory-checkpoint.
func (m *Member) fromMemory() {
	for i := range m.owned {
		for _, o := range m.former {
			if o.Partition == m.owned[i].Partition {
				m.owned[i].Offset = o.Offset
			}
		}
	}
}

// revoke ends the belief in the present share.
func (m *Member) revoke(c model.Ctx) {
	if len(m.owned) > 0 && m.onRevoke != nil {
		m.onRevoke(c)
	}
	p := c.Process()
	for i, o := range m.owned {
		p.Record(history.Fact{Kind: history.KindRevoked, Resource: model.PartitionName(m.cfg.Topic, o.Partition),
			Offset: o.Offset, Fence: m.generation, Cause: m.assigned[i]})
	}
	if len(m.owned) > 0 {
		m.n.Reached("group/revoked", sim.Action{})
	}
	if m.cfg.Planted.Has(model.InMemoryCheckpoint) {
		for _, o := range m.owned {
			m.former = moveTo(m.former, o.Partition, o.Offset)
		}
	}
	m.owned, m.assigned = m.owned[:0], m.assigned[:0]
}

// Lost says that the group has put the member out, as far as the member knows.
func (m *Member) Lost() bool { return m.left || m.id == "" }

// Leave is the end of a member that was not killed: the loop's own, or that of a graceful stop.
func (m *Member) Leave(c model.Ctx) {
	if m.ended {
		return
	}
	m.revoke(c)
	p := c.Process()
	m.joined, m.ended = false, true
	m.over.Broadcast()
	if m.id != "" {
		_, _ = m.ask(p, m.ops.leave, model.LeaveRequest{Group: m.cfg.Group, Member: m.id}, m.cfg.RequestTimeout)
	}
}

// heartbeats is the second process: it keeps the session alive whatever the loop does, until the loop has not
// polled for max_poll_interval; then it takes the member out, and the loop learns of it at its next poll.
func (m *Member) heartbeats(p *sim.Proc) {
	for !m.ended && !p.Wait(&m.over, m.cfg.Heartbeat) {
		if !m.joined || m.left {
			continue
		}
		if m.n.Now().Sub(m.lastPoll) > m.cfg.MaxPollInterval {
			m.left = true
			_, _ = m.ask(p, m.ops.leave, model.LeaveRequest{Group: m.cfg.Group, Member: m.id}, m.cfg.RequestTimeout)
			continue
		}
		generation := m.generation
		_, err := m.ask(p, m.ops.heartbeat, model.HeartbeatRequest{Group: m.cfg.Group, Member: m.id, Generation: generation}, m.cfg.RequestTimeout)
		if err != nil && m.joined && m.generation == generation {
			m.heard(err)
		}
	}
}

// assignRange gives each member a contiguous range, the first ones one more: Kafka's RangeAssignor.
func assignRange(members []string, partitions int) []model.MemberPartitions {
	members = slices.Sorted(slices.Values(members))
	out := make([]model.MemberPartitions, len(members))
	next := 0
	for i, id := range members {
		n := partitions / len(members)
		if i < partitions%len(members) {
			n++
		}
		out[i].Member = id
		for range n {
			out[i].Partitions = append(out[i].Partitions, next)
			next++
		}
	}
	return out
}
