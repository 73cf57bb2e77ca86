package broker

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// member is one member as the coordinator sees it.
type member struct {
	id, client string
	session    sim.Duration
	rebalance  sim.Duration
	share      []int
	timer      sim.Handle   // of the session
	join       *sim.Request // waits at the join barrier; nil = has not joined again
	sync       *sim.Request // waits at the sync barrier
	synced     bool         // CompletingRebalance: has asked for its share
}

// add names a newcomer: no two members have one id, whatever broker or client has restarted in between.
func (g *group) add(req *model.JoinRequest) *member {
	g.ids++
	m := &member{id: fmt.Sprintf("%s@%d.%d", req.Client, g.b.inc, g.ids), client: req.Client, session: req.SessionTimeout, rebalance: req.RebalanceTimeout}
	g.members = append(g.members, m)
	return m
}

// touch restarts the session timer. A member whose join or sync is parked here cannot heartbeat: its session
// then also covers the wait. A client that died while it was parked is evicted all the same, later.
func (g *group) touch(m *member) {
	n := g.b.n
	n.Cancel(m.timer)
	d := m.session
	if m.join != nil || m.sync != nil {
		d += g.patience()
	}
	m.timer = n.AfterBackground(d, func() {
		g.evict(m, "session timeout")
		if g.b.alive() {
			g.shrunk()
		}
	})
}

// evict drops a member that did not leave by itself.
func (g *group) evict(m *member, why string) {
	g.b.n.Record(history.Fact{Kind: history.KindEvicted, Resource: g.name, Value: m.client, Fence: g.generation, Offset: -1, Note: why})
	g.remove(m)
}

// remove takes a member out and answers what it has parked.
func (g *group) remove(m *member) {
	i := slices.Index(g.members, m)
	g.members = slices.Delete(g.members, i, i+1)
	g.b.n.Cancel(m.timer)
	join, sync := m.join, m.sync
	m.join, m.sync = nil, nil
	if join != nil {
		join.Fail(model.ErrUnknownMember, 0)
	}
	if sync != nil {
		sync.Fail(model.ErrUnknownMember, 0)
	}
}

// shrunk is what follows from a removal.
func (g *group) shrunk() {
	switch {
	case len(g.members) == 0:
		g.becomeEmpty()
	case g.state == PreparingRebalance:
		g.maybeComplete()
	default:
		g.becomePreparing()
		if g.b.alive() {
			g.maybeComplete()
		}
	}
}

// find is the check that every request of a member passes first.
func (b *Broker) find(group, id string) (*group, *member) {
	g := b.group(group)
	if g == nil {
		return nil, nil
	}
	return g, g.member(id)
}

// heartbeat keeps the session alive and tells the member of a rebalance.
func (b *Broker) heartbeat(r *sim.Request, req *model.HeartbeatRequest) {
	g, m := b.find(req.Group, req.Member)
	switch {
	case m == nil:
		r.Fail(model.ErrUnknownMember, 0)
	case req.Generation != g.generation:
		r.Fail(model.ErrIllegalGeneration, 0)
	default:
		g.touch(m)
		if g.state == PreparingRebalance {
			r.Fail(model.ErrRebalance, 0)
			return
		}
		r.Reply(nil, 0)
	}
}

// leave takes the member out at once.
func (b *Broker) leave(r *sim.Request, req *model.LeaveRequest) {
	g, m := b.find(req.Group, req.Member)
	if m == nil {
		r.Fail(model.ErrUnknownMember, 0)
		return
	}
	if g.remove(m); b.alive() {
		g.shrunk()
	}
	r.Reply(nil, 0)
}
