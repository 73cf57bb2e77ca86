package groups

import (
	"errors"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// join takes a newcomer in, or a member back: it waits at the barrier until every member has come.
func (c *Coordinator) join(r *sim.Request, req *wire.JoinRequest) {
	g := c.find(req.Group)
	if g == nil {
		if req.Member != "" {
			r.Fail(wire.ErrUnknownMember, 0)
			return
		}
		g = c.create(req.Group)
	}
	if g.server != nil && !g.turnClassic() || !g.compatible(req) {
		r.Fail(wire.ErrInconsistentProtocol, 0)
		return
	}
	if req.Member == "" {
		g.joinNewcomer(r, req)
		return
	}
	g.joinKnown(r, req)
}

// compatible says whether the joiner has an assignor that all have.
func (g *group) compatible(req *wire.JoinRequest) bool {
	return slices.ContainsFunc(req.Protocols, func(p wire.Protocol) bool { return g.common(p.Name) })
}

// common says whether every member can take part in an assignor.
func (g *group) common(name string) bool {
	return !slices.ContainsFunc(g.members, func(m *member) bool { return !m.supports(name) })
}

// joinNewcomer names the newcomer. A static one is known by its instance id: it takes the place of whoever had that.
func (g *group) joinNewcomer(r *sim.Request, req *wire.JoinRequest) {
	id := g.c.newID(req.Client)
	old := g.static(req.Instance)
	switch {
	case old != nil:
		g.replace(old, id, r, req)
	case req.Instance == "" && !g.c.cfg.AnonymousJoin:
		g.promise(id, req.SessionTimeout)
		r.Fail(wire.MemberIDRequired{Member: id}, 0)
	default:
		g.joins(r, g.add(id, req), req)
	}
}

// joinKnown is a join with an id. In a generation that is being completed or is stable, a member that tells nothing new is told
// that generation again: its reply was lost. Only the leader's join begins a rebalance in any case: that is how
// a change of the topic's partitions is acted on.
func (g *group) joinKnown(r *sim.Request, req *wire.JoinRequest) {
	if g.withdraw(req.Member) {
		g.joins(r, g.add(req.Member, req), req)
		return
	}
	m, err := g.valid(req.Member, req.Instance)
	if err != nil {
		r.Fail(err, 0)
		return
	}
	settled := g.state == CompletingRebalance || g.state == Stable && g.leader != m.id
	if settled && m.matches(req) {
		g.tell(r, m)
		return
	}
	g.joins(r, m, req)
}

// joins parks a join at the barrier, which it opens if need be.
func (g *group) joins(r *sim.Request, m *member, req *wire.JoinRequest) {
	m.update(req)
	if g.park(&m.join, r); !g.c.alive() {
		return
	}
	if g.state != PreparingRebalance {
		if g.becomePreparing(); !g.c.alive() {
			return
		}
	}
	g.maybeComplete()
}

// park puts a request in the place of an older one, whose caller has given up.
func (g *group) park(slot **sim.Request, r *sim.Request) {
	old := *slot
	*slot = r
	if old != nil {
		old.Fail(wire.ErrRebalance, 0)
	}
}

// maybeComplete ends the join barrier when nobody is missing, nor anyone who was promised an id.
func (g *group) maybeComplete() {
	late := func(m *member) bool { return m.join == nil }
	if g.state != PreparingRebalance || g.gathering || len(g.promised) > 0 || slices.ContainsFunc(g.members, late) {
		return
	}
	g.becomeCompleting()
}

// dropLate drops the dynamic members that have not come to the barrier.
func (g *group) dropLate() {
	for _, m := range slices.Clone(g.members) {
		if m.join == nil && m.instance == "" {
			if g.evict(m, "rebalance timeout"); !g.c.alive() {
				return
			}
		}
	}
}

// electLeader keeps the leader if it has come, or takes the first who has; false = nobody has.
func (g *group) electLeader() bool {
	if m := g.member(g.leader); m != nil && m.join != nil {
		return true
	}
	i := slices.IndexFunc(g.members, func(m *member) bool { return m.join != nil })
	if i >= 0 {
		g.leader = g.members[i].id
	}
	return i >= 0
}

// elected is the assignor with the most votes: each member votes for the first of its list that all have. Among equals
// it is the one that the first member likes best; Kafka leaves that to its hash table.
func (g *group) elected() (winner string) {
	most := 0
	for _, candidate := range g.members[0].protocols {
		votes := 0
		for _, m := range g.members {
			if i := slices.IndexFunc(m.protocols, func(p wire.Protocol) bool { return g.common(p.Name) }); i >= 0 && m.protocols[i].Name == candidate.Name {
				votes++
			}
		}
		if votes > most {
			most, winner = votes, candidate.Name
		}
	}
	return winner
}

// welcome answers a parked join with the new generation.
func (g *group) welcome(m *member) {
	g.touch(m)
	r := m.join
	if r == nil {
		return // a static member that has not come
	}
	m.join = nil
	if r.Applied(); g.c.alive() {
		r.Reply(g.generationFor(m), 0)
	}
}

// tell answers a join with the generation that is.
func (g *group) tell(r *sim.Request, m *member) {
	g.touch(m)
	r.Reply(g.generationFor(m), 0)
}

func (g *group) generationFor(m *member) wire.JoinReply {
	reply := wire.JoinReply{Member: m.id, Generation: g.generation, Protocol: g.protocol, Leader: g.leader}
	if g.leader != m.id {
		return reply
	}
	for _, other := range g.members {
		joined := wire.JoinedMember{Member: other.id, Instance: other.instance, Topics: other.topics, Generation: wire.NoGeneration}
		for i := range other.protocols {
			if p := &other.protocols[i]; p.Name == g.protocol {
				joined.Owned, joined.Generation = p.Owned, g.c.ownedGeneration(p)
			}
		}
		reply.Members = append(reply.Members, joined)
	}
	slices.SortFunc(reply.Members, func(a, b wire.JoinedMember) int { return strings.Compare(a.Member, b.Member) })
	return reply
}

// replace gives the place of a static member to its next incarnation, or to another process that uses its instance id: the
// old id is fenced from here on. In a stable group that changes nothing for anybody else, and there is no rebalance.
func (g *group) replace(m *member, id string, r *sim.Request, req *wire.JoinRequest) {
	same := slices.Equal(m.topics, req.Topics)
	former := *m
	if g.leader == m.id {
		g.leader = id
	}
	m.id = id
	if m.update(req); m.client != former.client {
		g.evicted(former.client, "its instance id is another's now")
	}
	g.touch(m)
	if g.answerOff(m, wire.ErrFencedInstance); !g.c.alive() {
		return
	}
	if g.state == Stable && same && g.elected() == g.protocol {
		g.storeReplaced(m, &former, r)
		return
	}
	g.joins(r, m, req)
}

// storeReplaced answers once the new id is in the log. Whoever led the generation and comes back with a new id is told its
// old one, so that it does not assign: nobody would hear of that.
func (g *group) storeReplaced(m *member, former *member, r *sim.Request) {
	leader := g.leader
	if leader == m.id {
		leader = former.id
	}
	generation, id := g.generation, m.id
	g.store(func(err error) {
		if err == nil || m.id != id {
			return
		}
		if g.leader == m.id {
			g.leader = former.id
		}
		m.id, m.client, m.session, m.rebalance, m.topics, m.protocols = former.id, former.client, former.session, former.rebalance, former.topics, former.protocols
	}, func(err error) {
		if err != nil {
			r.Fail(notAvailable(err), 0)
			return
		}
		if r.Applied(); g.c.alive() {
			r.Reply(wire.JoinReply{Member: id, Generation: generation, Protocol: g.protocol, Leader: leader}, 0)
		}
	})
}

// notAvailable is what a member hears of a group that could not be written.
func notAvailable(err error) error {
	if errors.Is(err, wire.ErrNotCoordinator) {
		return err
	}
	return wire.ErrNoCoordinator
}
