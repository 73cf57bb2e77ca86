package groups

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// server is what a group has whose members leave the assignment to the coordinator (KIP-848). The group epoch is the
// group's generation: it grows with every change of members or of what they subscribe to. The target is what the
// members are to hold in that epoch; each is led there by itself, at its heartbeats, giving up first and getting only what
// nobody holds any more.
//
// All of it is changed in memory and written as one record. No member is told anything that is not replicated: its
// heartbeat waits until the version that it led to is.
type server struct {
	members []*reconciled // in the order in which they came
	target  int64         // epoch of the targets
	sizes   []topicSize   // by which the targets were made
	stated  int64         // epoch that was stated as completed; 0 = none

	version int64 // of what is in memory
	written int64 // highest that was appended, as far as that is not known to have failed
	durable int64 // highest that is replicated
	waiting []parked
}

// topicSize is how many partitions a topic had.
type topicSize struct {
	topic string
	size  int
}

// parked is the answer to a heartbeat whose version is not replicated.
type parked struct {
	r       *sim.Request
	version int64
	body    any
}

// leftStays is the epoch of a static member that said it would be back.
const leftStays int64 = -2

// progress of a member towards its target.
type progress uint8

// The states: nothing to do; has to give something up; waits for what others have to give up.
const (
	settled progress = iota
	unrevoked
	unreleased
)

// reconciled is one member of a server-side group.
type reconciled struct {
	id, instance, client string
	patience             sim.Duration // rebalance timeout: to give up what it is asked to
	topics               []string
	epoch, former        int64 // present member epoch, and that before the last step
	progress             progress
	assigned             []wire.TopicPartition // may be held; sorted, as the next two; a changed list is a new list
	revoking             []wire.TopicPartition // to be given up, and perhaps held still
	target               []wire.TopicPartition

	session, revocation sim.Handle
	expire, overdue     func()
	reply               any // to a heartbeat, as long as nothing changes
}

// groupHeartbeat is all that a member sends: it joins, keeps its session, says what it holds, and leaves.
func (c *Coordinator) groupHeartbeat(r *sim.Request, req *wire.GroupHeartbeatRequest) {
	g := c.find(req.Group)
	switch {
	case g == nil && req.Epoch != 0:
		r.Fail(wire.ErrUnknownMember, 0)
		return
	case g == nil:
		g = c.create(req.Group)
	}
	if g.server == nil && !g.turnServerSide() {
		r.Fail(wire.ErrInconsistentProtocol, 0)
		return
	}
	if req.Epoch < 0 {
		g.server.leave(g, r, req)
		return
	}
	m, err := g.server.enter(g, req)
	if err != nil {
		r.Fail(err, 0)
		return
	}
	g.server.beat(g, r, m, req)
}

// turnServerSide makes an empty group one whose assignments the coordinator makes. Its epochs go on where the generations ended.
func (g *group) turnServerSide() bool {
	if g.inhabited() || len(g.promised) > 0 {
		return false
	}
	g.server = &server{target: g.generation}
	return true
}

// turnClassic is the way back.
func (g *group) turnClassic() bool {
	if g.inhabited() {
		return false
	}
	left := g.server.unload(g.c.n, nil) // and waits to hear so
	g.server, g.classic, g.emptied = nil, true, g.c.n.Wall()
	for _, r := range left {
		if r.Fail(wire.ErrNoCoordinator, 0); !g.c.alive() {
			return false
		}
	}
	return true
}

// find is the member of that id; nil = there is none.
func (s *server) find(id string) *reconciled {
	for _, m := range s.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// static is the member of that instance id; nil = there is none.
func (s *server) static(instance string) *reconciled {
	for _, m := range s.members {
		if instance != "" && m.instance == instance {
			return m
		}
	}
	return nil
}

// enter finds the member that a heartbeat is of, and lets one in that joins with epoch 0.
func (s *server) enter(g *group, req *wire.GroupHeartbeatRequest) (*reconciled, error) {
	owner := s.static(req.Instance)
	m := s.find(req.Member)
	switch {
	case req.Epoch > 0 && req.Instance != "" && owner == nil, req.Epoch > 0 && m == nil && owner == nil:
		return nil, wire.ErrUnknownMember
	case req.Epoch > 0 && owner != nil && owner != m:
		return nil, wire.ErrFencedInstance
	case req.Epoch > 0:
		return m, m.fenced(req)
	case owner != nil && owner != m && owner.epoch != leftStays:
		return nil, wire.ErrUnreleasedInstance
	case owner != nil && owner != m:
		s.inherit(g, owner, req)
		return owner, nil
	case m == nil:
		return s.add(g, req), nil
	}
	return m, nil
}

// fenced is nil for a heartbeat of the present epoch, or of the one before by a member that holds nothing but what it may: the
// reply that told it the present one was lost.
func (m *reconciled) fenced(req *wire.GroupHeartbeatRequest) error {
	lost := req.Epoch == m.former && !slices.ContainsFunc(req.Owned, func(p wire.TopicPartition) bool { return !holds(m.assigned, p) })
	if req.Epoch != m.epoch && (req.Epoch > m.epoch || !lost) {
		return wire.ErrFencedMemberEpoch
	}
	return nil
}

// add lets a newcomer in. Clients name themselves (KIP-1082); one that does not is named.
func (s *server) add(g *group, req *wire.GroupHeartbeatRequest) *reconciled {
	m := &reconciled{id: req.Member, instance: req.Instance}
	if m.id == "" {
		m.id = g.c.newID(req.Client)
	}
	s.bind(g, m)
	s.members = append(s.members, m)
	g.generation++
	return m
}

// bind makes a member's timers its own.
func (s *server) bind(g *group, m *reconciled) {
	m.expire = func() { s.fence(g, m, "session timeout") }
	m.overdue = func() { s.fence(g, m, "rebalance timeout") }
}

// inherit gives the place of a static member that said it would be back to its next incarnation: what it held is still its own.
func (s *server) inherit(g *group, m *reconciled, req *wire.GroupHeartbeatRequest) {
	m.id = req.Member
	if m.id == "" {
		m.id = g.c.newID(req.Client)
	}
	m.epoch, m.former, m.progress = 0, 0, settled
}

// beat is a heartbeat of a member that is in.
func (s *server) beat(g *group, r *sim.Request, m *reconciled, req *wire.GroupHeartbeatRequest) {
	n := g.c.n
	n.Cancel(m.session)
	m.session = n.AfterBackground(g.c.cfg.SessionTimeout, m.expire)
	changed := m.update(req)
	if changed && g.generation == s.target || s.resized(g) {
		g.generation++
	}
	if g.generation > s.target {
		s.retarget(g)
		changed = true
	}
	if s.reconcile(m, req.Owned) {
		changed = true
		s.watch(n, m)
	}
	if changed {
		s.version++
		m.reply = nil
	}
	if m.reply == nil {
		m.reply = wire.GroupHeartbeatReply{Member: m.id, Epoch: m.epoch, Interval: g.c.cfg.HeartbeatInterval, Assignment: m.assigned}
	}
	s.answer(g, r, m.reply)
}

// update is what a heartbeat says of the member beyond what it holds; true = the group's assignment has to be made again.
func (m *reconciled) update(req *wire.GroupHeartbeatRequest) bool {
	m.client, m.patience = req.Client, req.RebalanceTimeout
	if slices.Equal(m.topics, req.Topics) {
		return false
	}
	m.topics = req.Topics
	return true
}

// watch gives a member that is to give something up the time that it asked for.
func (s *server) watch(n *sim.Node, m *reconciled) {
	n.Cancel(m.revocation)
	m.revocation = sim.Handle{}
	if m.progress == unrevoked {
		m.revocation = n.AfterBackground(m.patience, m.overdue)
	}
}

// leave takes a member out, or notes that a static one will be back: its partitions wait for it, until its session ends.
func (s *server) leave(g *group, r *sim.Request, req *wire.GroupHeartbeatRequest) {
	m := s.find(req.Member)
	if owner := s.static(req.Instance); owner != nil && owner != m {
		r.Fail(wire.ErrFencedInstance, 0)
		return
	}
	if m == nil || req.Instance != m.instance {
		r.Fail(wire.ErrUnknownMember, 0)
		return
	}
	if req.Epoch == leftStays && m.instance != "" {
		m.epoch, m.revoking, m.progress, m.reply = leftStays, nil, settled, nil
		s.watch(g.c.n, m)
	} else {
		s.remove(g, m)
	}
	s.version++
	s.answer(g, r, wire.GroupHeartbeatReply{Member: req.Member, Epoch: req.Epoch})
}

// fence drops a member that has not been heard of, or has not given up what it was asked to. What it held is free.
func (s *server) fence(g *group, m *reconciled, why string) {
	g.evicted(m.client, why)
	s.remove(g, m)
	s.version++
	s.write(g)
}

// remove takes a member out. The others learn of it at their heartbeats.
func (s *server) remove(g *group, m *reconciled) {
	g.c.n.Cancel(m.session)
	g.c.n.Cancel(m.revocation)
	s.members = slices.DeleteFunc(s.members, func(other *reconciled) bool { return other == m })
	g.generation++
	if len(s.members) == 0 {
		s.target = g.generation
	}
	g.c.expectExpiry()
}

// answer replies when what is in memory is replicated, and writes it if it was not.
func (s *server) answer(g *group, r *sim.Request, body any) {
	if s.durable == s.version {
		r.Reply(body, 0)
		return
	}
	s.waiting = append(s.waiting, parked{r, s.version, body})
	if s.written < s.version {
		s.write(g)
	}
}

// write appends the group as it is.
func (s *server) write(g *group) {
	version := s.version
	s.written = version
	g.store(func(err error) {
		if err != nil {
			s.written = min(s.written, s.durable)
			return
		}
		s.durable = version
		s.complete(g)
		s.release(g.c, version, nil)
	}, func(err error) {
		if err != nil && !g.c.over {
			s.written = min(s.written, s.durable) // nobody knows: the next heartbeat writes it again
			s.release(g.c, version, notAvailable(err))
		}
	})
}

// release answers the heartbeats that waited for a version, and those that waited for an earlier one.
func (s *server) release(c *Coordinator, version int64, err error) {
	for len(s.waiting) > 0 && s.waiting[0].version <= version {
		p := s.waiting[0]
		s.waiting = slices.Delete(s.waiting, 0, 1)
		if err != nil {
			p.r.Fail(err, 0)
		} else if p.r.Applied(); c.alive() {
			p.r.Reply(p.body, 0)
		}
	}
}

// complete states, once, that all members have reached the group's epoch, and that this is replicated.
func (s *server) complete(g *group) {
	if s.durable != s.version || s.stated == g.generation || s.state(g) != Stable {
		return
	}
	s.stated = g.generation
	g.completed("")
	g.c.expectExpiryOfUnsubscribed(g)
	g.c.n.Reached("group/generation", sim.Action{})
}

// state of the group.
func (s *server) state(g *group) State {
	switch {
	case len(s.members) == 0:
		return Empty
	case g.generation > s.target:
		return Assigning
	case slices.ContainsFunc(s.members, func(m *reconciled) bool { return m.progress != settled || m.epoch != s.target }):
		return Reconciling
	}
	return Stable
}

// mayCommit is nil for a member in its present epoch (before KIP-1251, which lets it commit in an epoch of before what it
// holds since then).
func (s *server) mayCommit(id, instance string, epoch int64) error {
	if owner := s.static(instance); owner != nil && owner.id != id {
		return wire.ErrFencedInstance
	}
	m := s.find(id)
	switch {
	case m == nil:
		return wire.ErrUnknownMember
	case epoch != m.epoch:
		return wire.ErrStaleMemberEpoch
	}
	return nil
}

// resume begins the sessions of a group that was loaded.
func (s *server) resume(g *group) {
	for _, m := range s.members {
		s.bind(g, m)
		m.session = g.c.n.AfterBackground(g.c.cfg.SessionTimeout, m.expire)
		s.watch(g.c.n, m)
	}
	if s.state(g) == Stable && s.stated != g.generation {
		s.stated = g.generation
		g.completed("loaded")
	}
}

// unload cancels what runs and adds what is parked.
func (s *server) unload(n *sim.Node, list []*sim.Request) []*sim.Request {
	for _, m := range s.members {
		n.Cancel(m.session)
		n.Cancel(m.revocation)
	}
	for _, p := range s.waiting {
		list = append(list, p.r)
	}
	s.waiting = nil
	return list
}

// append writes the server half of a group's record.
func (s *server) append(b []byte) []byte {
	b = model.AppendNumber(model.AppendNumber(b, s.target), s.stated)
	b = model.AppendNumber(b, int64(len(s.sizes)))
	for _, t := range s.sizes {
		b = model.AppendNumber(model.AppendText(b, t.topic), int64(t.size))
	}
	b = model.AppendNumber(b, int64(len(s.members)))
	for _, m := range s.members {
		for _, t := range [...]string{m.id, m.instance, m.client} {
			b = model.AppendText(b, t)
		}
		for _, v := range [...]int64{int64(m.patience), m.epoch, m.former, int64(m.progress)} {
			b = model.AppendNumber(b, v)
		}
		b = appendTexts(b, m.topics)
		b = appendPartitions(appendPartitions(appendPartitions(b, m.assigned), m.revoking), m.target)
	}
	return b
}

// take is the inverse.
func (s *server) take(in *model.Fields) {
	s.target, s.stated = in.Number(), in.Number()
	for range in.Number() {
		s.sizes = append(s.sizes, topicSize{in.Text(), int(in.Number())})
	}
	for range in.Number() {
		m := &reconciled{id: in.Text(), instance: in.Text(), client: in.Text()}
		m.patience, m.epoch, m.former, m.progress = sim.Duration(in.Number()), in.Number(), in.Number(), progress(in.Number())
		m.topics = takeTexts(in)
		m.assigned, m.revoking, m.target = takePartitions(in), takePartitions(in), takePartitions(in)
		s.members = append(s.members, m)
	}
}
