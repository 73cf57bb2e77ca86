package consumer

import (
	"cmp"
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Config of a member. All timeouts are on the member's monotonic clock but SessionTimeout and the waits that it
// asks the broker for.
type Config struct {
	Group, Topic    string
	SessionTimeout  sim.Duration // at the broker
	Heartbeat       sim.Duration
	MaxPollInterval sim.Duration // also the rebalance timeout
	MaxPollRecords  int
	FetchWait       sim.Duration
	RequestTimeout  sim.Duration
	Restart         sim.Duration // from boot to the first instruction
	CommitTimeout   sim.Duration // of a commit with its retries; Kafka's default.api.timeout.ms is 60 s
	Backoff         sim.Duration // after a failed request
	Planted         model.Planted
}

// New is of the member that knows a single broker only. Another one, of a replicated log, is beside it: see Start. They
// share Loop.

// New is the factory of one member's node.
func New(cfg Config, dir *model.Directory, broker func() *sim.Node, loop Loop) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		m := &Member{cfg: cfg, broker: broker, n: n, generation: -1}
		n.OnLeap(func(since sim.Time, by sim.Duration) {
			if m.lastPoll >= since {
				m.lastPoll = m.lastPoll.Add(by)
			}
		})
		n.Go("poll-loop", func(p *sim.Proc) {
			m.intern(p)
			p.Sleep(cfg.Restart)
			m.lastPoll = n.Now()
			c := model.NewContext(p, dir)
			loop(c, m)
			m.Leave(c)
		})
		n.GoBackground("heartbeat", m.heartbeats)
		return sim.NoHandler()
	}
}

// Member is one member's view of its group.
type Member struct {
	cfg    Config
	broker func() *sim.Node
	n      *sim.Node
	ops    ops

	id         string // "" = newcomer
	generation int64  // -1 = none
	joined     bool
	rejoin     bool // the heartbeat or a commit learned of a rebalance
	left       bool // the heartbeat took the member out: too long without a poll
	owned      []model.PartitionOffset
	assigned   []int64 // fact ids, parallel to owned
	lastPoll   sim.Time
	onRevoke   func(model.Ctx)
	onAssign   func(model.Ctx, []model.PartitionOffset)
	steering   model.Steering
	former     []model.PartitionOffset // where it left off, for the planted bug in-memory-checkpoint only
	wake       sim.Signal
	ended      bool       // the loop has
	over       sim.Signal // says so
}

type ops struct{ join, sync, heartbeat, leave, commit, offsets, fetch sim.Op }

func (m *Member) intern(p *sim.Proc) {
	w := p.World()
	op := func(name string) sim.Op { return w.Op(model.BrokerService + "." + name) }
	m.ops = ops{op(model.OpJoin), op(model.OpSync), op(model.OpHeartbeat), op(model.OpLeave), op(model.OpCommit), op(model.OpOffsets), op(model.OpFetch)}
}

// ask is a request to the broker that belongs to no domain action.
func (m *Member) ask(p *sim.Proc, op sim.Op, body any, timeout sim.Duration) (any, error) {
	reply, _, err := p.Call(m.broker(), op, sim.Action{}, body, 0, timeout)
	return reply, err
}

// Poll waits for records, however long that takes; ok is false when the member is to stop. It joins the group when
// it must. A member that waits for a fetch hears of a rebalance when the fetch is answered. No records and ok is the answer
// to a loop that has had enough; see Steer.
func (m *Member) Poll(c model.Ctx, most int) ([]model.Message, bool) {
	p := c.Process()
	p.Background(true)
	defer p.Background(false)
	for {
		m.lastPoll = m.n.Now()
		if m.n.Stopping() {
			return nil, false
		}
		if !m.joined || m.rejoin || m.left {
			m.revoke(c)
			m.join(c)
			continue
		}
		if m.steering.Enough != nil && m.steering.Enough() {
			return nil, true
		}
		from := m.reads()
		if len(from) == 0 {
			p.Wait(&m.wake, m.cfg.FetchWait) // nothing to read: idle until the heartbeat hears of a rebalance
			continue
		}
		ms := m.fetch(p, from, most)
		if len(ms) > 0 && !m.rejoin && !m.left {
			p.Background(false)
			return m.deliver(p, ms), true
		}
	}
}

// OnRevoke sets what runs before the member gives up its share.
func (m *Member) OnRevoke(fn func(model.Ctx)) { m.onRevoke = fn }

// OnAssign sets what runs when the member has got a share.
func (m *Member) OnAssign(fn func(model.Ctx, []model.PartitionOffset)) { m.onAssign = fn }

// Seek moves the position from which the member reads on.
func (m *Member) Seek(to model.PartitionOffset) {
	for i := range m.owned {
		if m.owned[i].Partition == to.Partition {
			m.owned[i].Offset = to.Offset
		}
	}
}

// Steer has a loop decide about polls that wait.
func (m *Member) Steer(by model.Steering) { m.steering = by }

// reads are the positions of the partitions that are to be read.
func (m *Member) reads() []model.PartitionOffset {
	from := append([]model.PartitionOffset(nil), m.owned...)
	if m.steering.Skip == nil {
		return from
	}
	return slices.DeleteFunc(from, func(o model.PartitionOffset) bool { return m.steering.Skip(o.Partition) })
}

// fetch asks for records at these positions; a failure is answered by patience.
func (m *Member) fetch(p *sim.Proc, from []model.PartitionOffset, most int) []model.Message {
	if most <= 0 || most > m.cfg.MaxPollRecords {
		most = m.cfg.MaxPollRecords
	}
	reply, err := m.ask(p, m.ops.fetch, model.FetchRequest{Topic: m.cfg.Topic, From: from, MaxRecords: most, MaxWait: m.cfg.FetchWait},
		m.cfg.FetchWait+m.cfg.RequestTimeout)
	if err != nil {
		p.Sleep(m.cfg.Backoff)
		return nil
	}
	return reply.(model.FetchReply).Messages
}

// deliver moves the positions past the records and hands them over. The facts open each delivery.
func (m *Member) deliver(p *sim.Proc, ms []model.Message) []model.Message {
	for i := range ms {
		r := &ms[i]
		for j := range m.owned {
			if m.owned[j].Partition == r.Partition {
				m.owned[j].Offset = r.Offset + 1
			}
		}
		r.Generation = m.generation
		r.Cause = p.Record(history.Fact{Kind: history.KindDelivered, Event: r.Event, Key: r.Key, Cause: r.Stored,
			Resource: model.PartitionName(r.Topic, r.Partition), Offset: r.Offset, Op: m.cfg.Group, Fence: m.generation})
	}
	return ms
}

// Commit moves the group's positions past these messages, one past the highest of each partition, and waits.
// The group refuses a generation that is not its present one: a zombie cannot move positions. As Kafka's
// commitSync does, it asks again while the coordinator does not answer, up to CommitTimeout: otherwise a position
// lost to a short outage would stay behind until the partition's next record. A caller who gives up (c.Err) ends that: a
// try that came after its next commit would set the positions back.
func (m *Member) Commit(c model.Ctx, ms []model.Message) error {
	p := c.Process()
	req := m.commitRequest(p, ms)
	last := &ms[len(ms)-1]
	began := m.n.Now()
	var uncertain error // a try that may have moved the positions: no later refusal takes that back
	for {
		act := p.World().Act(last.Event, "", model.OpCommit)
		_, _, err := p.Call(m.broker(), m.ops.commit, act, req, req.Facts[len(req.Facts)-1], m.cfg.RequestTimeout)
		if err == nil {
			return nil
		}
		if !model.Definite(err) {
			uncertain = err
		}
		over := answered(err) || m.n.Now().Sub(began)+m.cfg.Backoff >= m.cfg.CommitTimeout
		if !over {
			p.Sleep(m.cfg.Backoff)
			over = c.Err() != nil
		}
		if over {
			m.heard(err)
			err = cmp.Or(uncertain, err)
			m.commitFailed(p, &req, err)
			return err
		}
	}
}

// commitRequest states the positions and opens a committing fact for each.
func (m *Member) commitRequest(p *sim.Proc, ms []model.Message) model.CommitRequest {
	req := model.CommitRequest{Group: m.cfg.Group, Member: m.id, Generation: m.generation, Topic: m.cfg.Topic}
	for i := range ms {
		req.Offsets = moveTo(req.Offsets, ms[i].Partition, ms[i].Offset+1)
	}
	last, site := &ms[len(ms)-1], ""
	if p.World().Sites() {
		site = p.Site()
	}
	for _, o := range req.Offsets {
		req.Facts = append(req.Facts, p.Record(history.Fact{Kind: history.KindCommitting, Event: last.Event, Resource: model.PartitionName(m.cfg.Topic, o.Partition),
			Offset: o.Offset, Op: m.cfg.Group, Fence: m.generation, Cause: last.Cause, Site: site}))
	}
	return req
}

// answered says whether the error is the coordinator's own, not the network's.
func answered(err error) bool {
	return model.Definite(err) && !errors.Is(err, sim.ErrRefused)
}

func (m *Member) commitFailed(p *sim.Proc, req *model.CommitRequest, err error) {
	outcome := history.Failed
	if !model.Definite(err) {
		outcome = history.Indeterminate
	}
	for i, o := range req.Offsets {
		p.Record(history.Fact{Kind: history.KindCommitFailed, Resource: model.PartitionName(m.cfg.Topic, o.Partition), Offset: o.Offset,
			Op: m.cfg.Group, Fence: req.Generation, Cause: req.Facts[i], Outcome: outcome, Note: err.Error()})
	}
}

// heard is what any refusal by the group tells the member about itself.
func (m *Member) heard(err error) {
	switch {
	case errors.Is(err, model.ErrRebalance):
		m.rejoin = true
	case errors.Is(err, model.ErrIllegalGeneration):
		m.rejoin = true
	case errors.Is(err, model.ErrUnknownMember):
		m.rejoin, m.id = true, ""
	}
	if m.rejoin {
		m.wake.Broadcast()
	}
}

func moveTo(offsets []model.PartitionOffset, partition int, next int64) []model.PartitionOffset {
	for i := range offsets {
		if offsets[i].Partition == partition {
			offsets[i].Offset = max(offsets[i].Offset, next)
			return offsets
		}
	}
	return append(offsets, model.PartitionOffset{Partition: partition, Offset: next})
}
