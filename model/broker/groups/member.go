package groups

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// member is one member of a classic group as the coordinator sees it.
type member struct {
	id, instance, client string // instance "" = dynamic
	session, rebalance   sim.Duration
	topics               []string
	protocols            []wire.Protocol
	share                []wire.TopicPartition
	timer                sim.Handle   // of the session
	expire               func()       // what it runs
	join                 *sim.Request // waits at the join barrier; nil = has not joined again
	sync                 *sim.Request // waits at the sync barrier
	synced               bool         // has asked for its share of this generation
	fresh                bool         // has never been told a generation: it has no session, its join has a patience
}

// promise is an id that a newcomer was told and has not yet joined with (KIP-394).
type promise struct {
	id    string
	timer sim.Handle
}

// add takes a newcomer in.
func (g *group) add(id string, req *wire.JoinRequest) *member {
	m := &member{id: id, instance: req.Instance, fresh: true}
	m.expire = func() { g.expired(m) }
	m.update(req)
	g.members = append(g.members, m)
	if len(g.members) == 1 {
		g.leader = id
	}
	if g.gathering {
		g.latecomer = true
	}
	m.timer = g.c.n.AfterBackground(newcomerPatience, m.expire)
	return m
}

// update is what a join tells of the member.
func (m *member) update(req *wire.JoinRequest) {
	m.client, m.session, m.rebalance = req.Client, req.SessionTimeout, req.RebalanceTimeout
	m.topics, m.protocols = req.Topics, req.Protocols
}

// matches says whether a join tells nothing new: in Kafka, whether the metadata are the same bytes, what the member holds
// included. A cooperative member that has given something up is not what it was, which is how its second rebalance begins.
func (m *member) matches(req *wire.JoinRequest) bool {
	return slices.Equal(m.topics, req.Topics) && slices.EqualFunc(m.protocols, req.Protocols, func(a, b wire.Protocol) bool {
		return a.Name == b.Name && a.Generation == b.Generation && slices.Equal(a.Owned, b.Owned)
	})
}

// supports says whether the member can take part in an assignor.
func (m *member) supports(name string) bool {
	return slices.ContainsFunc(m.protocols, func(p wire.Protocol) bool { return p.Name == name })
}

// touch restarts the session.
func (g *group) touch(m *member) {
	g.c.n.Cancel(m.timer)
	m.timer = g.c.n.AfterBackground(m.session, m.expire)
}

// expired ends a session, unless the member waits here: it cannot send heartbeats then, and the barrier at which it waits
// has its own end, after which the session begins anew.
func (g *group) expired(m *member) {
	if !m.fresh && (m.join != nil || m.sync != nil) {
		return
	}
	g.evict(m, "session timeout")
	if g.c.alive() {
		g.shrunk()
	}
}

// evict drops a member that did not leave by itself.
func (g *group) evict(m *member, why string) {
	g.evicted(m.client, why)
	g.remove(m)
}

func (g *group) evicted(client, why string) {
	g.c.n.Record(history.Fact{Kind: history.KindEvicted, Resource: g.name, Value: client, Fence: g.generation, Offset: -1, Note: why})
}

// remove takes a member out and answers what it has parked.
func (g *group) remove(m *member) {
	i := slices.Index(g.members, m)
	g.members = slices.Delete(g.members, i, i+1)
	g.c.n.Cancel(m.timer)
	if g.leader == m.id {
		g.leader = ""
		if len(g.members) > 0 {
			g.leader = g.members[0].id
		}
	}
	g.answerOff(m, wire.ErrUnknownMember)
}

// answerOff ends what a member has parked.
func (g *group) answerOff(m *member, err error) {
	join, sync := m.join, m.sync
	m.join, m.sync = nil, nil
	if join != nil {
		join.Fail(err, 0)
	}
	if sync != nil {
		sync.Fail(err, 0)
	}
}

// shrunk is what follows from a removal.
func (g *group) shrunk() {
	if g.state == Stable || g.state == CompletingRebalance {
		if g.becomePreparing(); !g.c.alive() {
			return
		}
	}
	g.maybeComplete()
}

// member of that id; nil = there is none.
func (g *group) member(id string) *member {
	for _, m := range g.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// static is the member that has an instance id; nil = none has.
func (g *group) static(instance string) *member {
	if instance == "" {
		return nil
	}
	for _, m := range g.members {
		if m.instance == instance {
			return m
		}
	}
	return nil
}

// valid is the check that every request of a member passes first: the member, or why there is none. A static member is known by
// its instance id, and whoever has that id but not the member id that goes with it was replaced.
func (g *group) valid(id, instance string) (*member, error) {
	if s := g.static(instance); s != nil && s.id != id {
		return nil, wire.ErrFencedInstance
	}
	m := g.member(id)
	if m == nil || instance != "" && m.instance != instance {
		return nil, wire.ErrUnknownMember
	}
	return m, nil
}

// present is valid for a request to the coordinator, of a generation too; g is nil for a group of which nobody knows.
func (c *Coordinator) present(name, id, instance string, generation int64) (*group, *member, error) {
	g := c.find(name)
	if g == nil || g.server != nil {
		return g, nil, wire.ErrUnknownMember
	}
	m, err := g.valid(id, instance)
	if err == nil && generation != g.generation {
		err = wire.ErrIllegalGeneration
	}
	return g, m, err
}

// heartbeat keeps the session alive and tells the member of a rebalance.
func (c *Coordinator) heartbeat(r *sim.Request, req *wire.HeartbeatRequest) {
	g, m, err := c.present(req.Group, req.Member, req.Instance, req.Generation)
	if err != nil {
		r.Fail(err, 0)
		return
	}
	g.touch(m)
	if g.state == PreparingRebalance {
		r.Fail(wire.ErrRebalance, 0)
		return
	}
	r.Reply(nil, 0)
}

// leave takes a member out at once: one that says so, or, for an operator, a static one by its instance id.
func (c *Coordinator) leave(r *sim.Request, req *wire.LeaveRequest) {
	g := c.find(req.Group)
	if g == nil || g.server != nil {
		r.Fail(wire.ErrUnknownMember, 0)
		return
	}
	if g.withdraw(req.Member) {
		g.maybeComplete()
		r.Reply(nil, 0)
		return
	}
	m, err := g.static(req.Instance), error(nil)
	if m == nil || req.Member != "" {
		m, err = g.valid(req.Member, req.Instance)
	}
	if err != nil {
		r.Fail(err, 0)
		return
	}
	if g.remove(m); g.c.alive() {
		g.shrunk()
	}
	r.Reply(nil, 0)
}

// promise gives a newcomer its id, for one session.
func (g *group) promise(id string, session sim.Duration) {
	timer := g.c.n.AfterBackground(session, func() {
		g.withdraw(id)
		g.maybeComplete()
	})
	g.promised = append(g.promised, promise{id, timer})
}

// withdraw forgets an id that was promised; false = it was not.
func (g *group) withdraw(id string) bool {
	i := slices.IndexFunc(g.promised, func(p promise) bool { return p.id == id })
	if i < 0 {
		return false
	}
	g.c.n.Cancel(g.promised[i].timer)
	g.promised = slices.Delete(g.promised, i, i+1)
	return true
}

// ownedGeneration is what the group's leader is told of the age of what a member holds.
func (c *Coordinator) ownedGeneration(p *wire.Protocol) int64 {
	if c.cfg.Defects.Has(model.OwnedWithoutGeneration) {
		return wire.NoGeneration
	}
	return p.Generation
}
