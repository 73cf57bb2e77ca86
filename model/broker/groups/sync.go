package groups

import (
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// sync hands a member its share, once the leader has said what it is.
func (c *Coordinator) sync(r *sim.Request, req *wire.SyncRequest) {
	g, m, err := c.present(req.Group, req.Member, req.Instance, req.Generation)
	if err == nil && g.state == PreparingRebalance {
		err = wire.ErrRebalance
	}
	if err != nil {
		r.Fail(err, 0)
		return
	}
	m.synced = true
	if g.state == Stable {
		g.touch(m)
		g.allSynced()
		r.Reply(wire.SyncReply{Partitions: m.share}, 0)
		return
	}
	g.syncs(r, m, req)
}

// syncs parks a sync; the leader's carries the assignment, which goes to the log.
func (g *group) syncs(r *sim.Request, m *member, req *wire.SyncRequest) {
	if g.park(&m.sync, r); !g.c.alive() {
		return
	}
	if g.leader != m.id || g.assigned {
		return
	}
	g.assigned = true
	for _, a := range req.Assignment {
		if other := g.member(a.Member); other != nil {
			other.share = slices.Clone(a.Partitions)
			sortPartitions(other.share)
		}
	}
	g.storeAssignment()
}

// storeAssignment completes the rebalance when the assignment is replicated. If that cannot be said in time, the members
// are sent back to the join barrier, and what the log took is superseded by what comes of that.
func (g *group) storeAssignment() {
	generation := g.generation
	completing := func() bool { return !g.c.over && g.state == CompletingRebalance && g.generation == generation }
	g.store(func(err error) {
		if err == nil && completing() {
			g.becomeStable()
		}
	}, func(err error) {
		if err != nil && completing() {
			if g.failSyncs(notAvailable(err)); g.c.alive() {
				g.becomePreparing()
			}
		}
	})
}

// failSyncs sends away whoever waits for a share.
func (g *group) failSyncs(err error) {
	for _, m := range slices.Clone(g.members) {
		if m.sync == nil {
			continue
		}
		r := m.sync
		m.sync = nil
		g.touch(m)
		if r.Fail(err, 0); !g.c.alive() {
			return
		}
	}
}

// allSynced ends the sync barrier's timer when everybody has come.
func (g *group) allSynced() {
	if g.state == Stable && !slices.ContainsFunc(g.members, func(m *member) bool { return !m.synced }) {
		g.c.n.Cancel(g.barrier)
		g.barrier = sim.Handle{}
	}
}

// syncDeadline ends a sync barrier to which the leader, or anyone else, has not come: they are dropped, and who is left
// joins again.
func (g *group) syncDeadline() {
	for _, m := range slices.Clone(g.members) {
		if !m.synced {
			if g.evict(m, "sync timeout"); !g.c.alive() {
				return
			}
		}
	}
	g.shrunk()
}
