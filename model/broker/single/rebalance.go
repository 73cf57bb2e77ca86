package broker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// join takes a newcomer in, or a member back: it waits at the barrier until every member has come.
func (b *Broker) join(r *sim.Request, req *model.JoinRequest) {
	t := b.topic(req.Topic)
	if t == nil {
		r.Fail(model.ErrUnknownTopic, 0)
		return
	}
	g, m := b.find(req.Group, req.Member)
	if req.Member != "" && m == nil {
		r.Fail(model.ErrUnknownMember, 0)
		return
	}
	if g == nil {
		if g = b.create(req.Group, t); !b.alive() {
			return
		}
	}
	if g.topic != req.Topic {
		panic(fmt.Sprintf("broker: %s joins group %s for topic %s; the group reads %s", req.Client, g.name, req.Topic, g.topic))
	}
	newcomer := m == nil
	if newcomer {
		m = g.add(req)
	}
	m.session, m.rebalance = req.SessionTimeout, req.RebalanceTimeout
	g.joins(r, m, newcomer)
}

// joins decides what a join means in the present state.
func (g *group) joins(r *sim.Request, m *member, newcomer bool) {
	told := m.join == nil // an unanswered join was never told the generation
	switch g.state {
	case CompletingRebalance:
		if !newcomer && told { // its reply was lost
			g.replace(&m.sync, nil)
			g.tell(r, m)
			return
		}
	case Stable:
		if !newcomer && !g.leads(m) { // nothing has changed: it gets its present share again
			g.tell(r, m)
			return
		}
	case Empty, PreparingRebalance:
	}
	if g.replace(&m.join, r); !g.b.alive() {
		return
	}
	if g.state == CompletingRebalance && !newcomer {
		g.touch(m)
		return // the generation is on its way to the disk; the reply goes to this request now
	}
	if g.state != PreparingRebalance {
		if g.becomePreparing(); !g.b.alive() {
			return
		}
	}
	g.touch(m)
	g.maybeComplete()
}

// replace parks a request in the place of an older one, whose caller has given up.
func (g *group) replace(slot **sim.Request, r *sim.Request) {
	old := *slot
	*slot = r
	if old != nil {
		old.Fail(model.ErrRebalance, 0)
	}
}

// create registers a group. Its name is on the disk before anything of it can be: the device is serial.
func (b *Broker) create(name string, t *topic) *group {
	g := newGroup(b, name, t)
	b.groups = append(b.groups, g)
	b.n.Append(metaFile, groupRecord(name, t.name), sim.Action{}, nil)
	if b.alive() {
		b.meta.durable(sim.Action{}, func(int) {})
	}
	return g
}

// maybeComplete ends the join barrier when nobody is missing.
func (g *group) maybeComplete() {
	if g.gathering || slices.ContainsFunc(g.members, func(m *member) bool { return m.join == nil }) {
		return
	}
	g.becomeCompleting()
}

// joinDeadline ends the join barrier: who has not come is dropped.
func (g *group) joinDeadline() {
	g.gathering = false
	g.drop("rebalance timeout", func(m *member) bool { return m.join == nil })
	if len(g.members) == 0 {
		g.becomeEmpty()
		return
	}
	g.becomeCompleting()
}

// syncDeadline ends a sync barrier that the leader, or anyone else, has not come to.
func (g *group) syncDeadline() {
	g.drop("sync timeout", func(m *member) bool { return !m.synced })
	if g.b.alive() {
		g.shrunk()
	}
}

func (g *group) drop(why string, late func(*member) bool) {
	for _, m := range slices.Clone(g.members) {
		if late(m) {
			g.evict(m, why)
		}
	}
}

// announce tells the members of the generation: its number is durable.
func (g *group) announce() {
	n := g.b.n
	clients := make([]string, len(g.members))
	for i, m := range g.members {
		clients[i] = m.client
		m.synced = false
	}
	fact := n.Record(history.Fact{Kind: history.KindGeneration, Resource: g.name, Fence: g.generation, Offset: -1, Note: strings.Join(clients, ",")})
	g.armBarrier(g.patience(), g.syncDeadline)
	if n.Reached("group/generation", sim.Action{}); !g.b.alive() {
		return
	}
	for _, m := range slices.Clone(g.members) {
		r := m.join
		m.join = nil
		if r.Applied(); !g.b.alive() {
			return
		}
		g.touch(m)
		if r.Reply(g.welcome(m), fact); !g.b.alive() {
			return
		}
	}
}

// tell answers a join with the generation that is.
func (g *group) tell(r *sim.Request, m *member) {
	if g.b.alive() {
		g.touch(m)
		r.Reply(g.welcome(m), 0)
	}
}

func (g *group) welcome(m *member) model.JoinReply {
	reply := model.JoinReply{Member: m.id, Generation: g.generation, Leader: g.members[0].id, Partitions: len(g.committed)}
	if g.leads(m) {
		for _, other := range g.members {
			reply.Members = append(reply.Members, other.id)
		}
		slices.Sort(reply.Members)
	}
	return reply
}

// sync hands a member its share, once the leader has said what it is.
func (b *Broker) sync(r *sim.Request, req *model.SyncRequest) {
	g, m := b.find(req.Group, req.Member)
	switch {
	case m == nil:
		r.Fail(model.ErrUnknownMember, 0)
	case req.Generation != g.generation:
		r.Fail(model.ErrIllegalGeneration, 0)
	case g.state == PreparingRebalance:
		g.touch(m)
		r.Fail(model.ErrRebalance, 0)
	case g.state == Stable:
		g.touch(m)
		r.Reply(model.SyncReply{Partitions: m.share}, 0)
	default:
		g.syncs(r, m, req)
	}
}

// syncs parks a sync; the leader's carries the assignment, which is made durable.
func (g *group) syncs(r *sim.Request, m *member, req *model.SyncRequest) {
	if g.replace(&m.sync, r); !g.b.alive() {
		return
	}
	m.synced = true
	g.touch(m)
	if !g.leads(m) || g.assigned {
		return
	}
	g.assigned = true
	for _, a := range req.Assignment {
		if other := g.member(a.Member); other != nil {
			other.share = slices.Sorted(slices.Values(a.Partitions))
		}
	}
	generation := g.generation
	g.write(completedRecord(generation, g.members), func() {
		if g.state == CompletingRebalance && g.generation == generation {
			g.becomeStable()
		}
	})
}
