package groups

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Coordinator is the state of one partition of the offsets topic on its leader. It lives as long as that leadership.
type Coordinator struct {
	cfg     Config
	h       coordinator.Host
	n       *sim.Node
	groups  []*group // sorted by name
	ids     int64    // members named by this coordinator
	seq     int64    // batches of the partition so far, as this coordinator has seen them: their order is what counts
	own     int64    // records that this coordinator has appended
	foreign int64    // offsets of the partition that were loaded, or are those of markers
	writes  []*write // appended and not known to be replicated, in the order of the log
	loaded  sim.Time // monotonic
	scan    sim.Handle
	scanAt  sim.Time // monotonic; 0 = not armed
	over    bool
}

var _ coordinator.Coordinator = (*Coordinator)(nil)

// New is a coordinator of a partition of which nothing is known yet: Load comes next.
func New(cfg Config, h coordinator.Host) *Coordinator {
	return &Coordinator{cfg: cfg.filled(), h: h, n: h.Node()}
}

// alive says whether the coordinator may go on: whatever met a hook may have ended it.
func (c *Coordinator) alive() bool { return !c.over && c.h.Alive() }

// Receive handles one request. A request that concerns the group as a whole is refused as a whole.
func (c *Coordinator) Receive(r *sim.Request) {
	switch req := r.Body.(type) {
	case wire.JoinRequest:
		c.join(r, &req)
	case wire.SyncRequest:
		c.sync(r, &req)
	case wire.HeartbeatRequest:
		c.heartbeat(r, &req)
	case wire.LeaveRequest:
		c.leave(r, &req)
	case wire.GroupHeartbeatRequest:
		c.groupHeartbeat(r, &req)
	case wire.CommitRequest:
		c.commit(r, &req)
	case wire.TxnCommitRequest:
		c.txnCommit(r, &req)
	case wire.OffsetsRequest:
		c.offsets(r, &req)
	default:
		panic(fmt.Sprintf("groups: %s is no request for a group coordinator", r.Op))
	}
}

// Unload ends the coordinator: another broker leads the partition. What members wait for they ask that one.
func (c *Coordinator) Unload() {
	if c.over {
		panic("groups: unloaded twice")
	}
	c.over = true
	c.n.Cancel(c.scan)
	var parked []*sim.Request
	for _, g := range c.groups {
		parked = g.unload(parked)
	}
	c.writes = nil // the host answers for these
	for _, r := range parked {
		r.Fail(wire.ErrNotCoordinator, 0)
	}
}

// find is the group of that name; nil = there is none.
func (c *Coordinator) find(name string) *group {
	if i, ok := c.index(name); ok {
		return c.groups[i]
	}
	return nil
}

func (c *Coordinator) index(name string) (int, bool) {
	return slices.BinarySearchFunc(c.groups, name, func(g *group, name string) int { return strings.Compare(g.name, name) })
}

// create is the group of that name, new if there is none. It is on no disk before something is written of it.
func (c *Coordinator) create(name string) *group {
	i, ok := c.index(name)
	if !ok {
		c.groups = slices.Insert(c.groups, i, &group{c: c, name: name, state: Empty})
	}
	return c.groups[i]
}

// newID names a member: unique in the group for ever, because the epoch of the partition is the coordinator's alone.
func (c *Coordinator) newID(client string) string {
	c.ids++
	return fmt.Sprintf("%s@%d.%d", client, c.h.Epoch(), c.ids)
}

// Groups that this coordinator knows, sorted by name.
func (c *Coordinator) Groups() []string {
	names := make([]string, len(c.groups))
	for i, g := range c.groups {
		names[i] = g.name
	}
	return names
}

// State of a group; Dead if there is none of that name.
func (c *Coordinator) State(name string) State {
	g := c.find(name)
	switch {
	case g == nil:
		return Dead
	case g.server != nil:
		return g.server.state(g)
	}
	return g.state
}

// Generation of a group, or the group epoch of a server-side one; 0 = none yet.
func (c *Coordinator) Generation(name string) int64 {
	if g := c.find(name); g != nil {
		return g.generation
	}
	return 0
}

// Members is how many a group has; those that were only told an id do not count.
func (c *Coordinator) Members(name string) int {
	g := c.find(name)
	switch {
	case g == nil:
		return 0
	case g.server != nil:
		return len(g.server.members)
	}
	return len(g.members)
}

// Committed is the position of a group in a partition, replicated: the next offset to read; -1 = none.
func (c *Coordinator) Committed(name, topic string, partition int) int64 {
	if g := c.find(name); g != nil {
		if p := g.at(topic, partition); p != nil {
			return p.offset
		}
	}
	return -1
}
