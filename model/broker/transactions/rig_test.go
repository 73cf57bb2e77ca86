package transactions_test

import (
	"fmt"
	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/broker/transactions"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// rig is three brokers. One of them leads the only partition of the topic of transactions, whose log is here and never
// lost; each leads the partitions of topic orders with its number less one, modulo three. A hop takes 1 ms, an append 2 ms.
type rig struct {
	w       *sim.World
	cfg     transactions.Config
	brokers []*sim.Node
	log     []wire.Batch
	leader  *sim.Node // of the log of transactions; nil = none
	epoch   int32
	nextID  int64
	noIDs   error                                         // why the broker has no producer ids
	appends func() (d sim.Duration, err error, kept bool) // the fate of the next append
	leads   map[wire.TopicPartition]*sim.Node             // where it is not the usual one; nil = nobody
	marks   map[wire.TopicPartition][]wire.Marker
	takes   map[*sim.Node]error // what a leader answers instead of taking a marker
	silent  map[*sim.Node]bool  // a leader that takes markers and does not answer
	told    func(format string, args ...any)

	seen    map[string]transactions.View
	of      *transactions.Coordinator // whose views they are
	logged  map[string]transactions.View
	checked int               // records of the log
	decided map[string]string // by name and beginning
	facts   int
	unsure  bool // the log has taken a record that its writer does not know of: it is no longer judged
}

func newRig(cfg transactions.Config) *rig {
	r := &rig{
		w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))}), cfg: cfg, epoch: -1,
		leads: map[wire.TopicPartition]*sim.Node{}, marks: map[wire.TopicPartition][]wire.Marker{}, takes: map[*sim.Node]error{},
		silent: map[*sim.Node]bool{}, told: func(string, ...any) {}, seen: map[string]transactions.View{},
		logged: map[string]transactions.View{}, decided: map[string]string{},
	}
	r.healthy()
	for range 3 {
		n := r.w.Role(wire.Broker, r.boot)
		n.Boot()
		r.brokers = append(r.brokers, n)
	}
	return r
}

func (r *rig) healthy() {
	r.appends = func() (sim.Duration, error, bool) { return 2 * sim.Millisecond, nil, true }
}

// broker is the handler of one.
type broker struct {
	r       *rig
	n       *sim.Node
	markers *transactions.Markers
	host    *host
	c       *transactions.Coordinator
}

func (r *rig) boot(n *sim.Node) sim.Handler {
	return &broker{r: r, n: n, markers: transactions.NewMarkers(n, r.cfg)}
}

// Receive of a request to a coordinator, or of markers.
func (b *broker) Receive(_ *sim.Node, q *sim.Request) {
	switch {
	case q.Op == wire.Broker+"."+wire.OpMarkers:
		b.take(q)
	case b.c == nil:
		q.Fail(wire.ErrNotCoordinator, 0)
	default:
		b.c.Receive(q)
	}
}

// take writes markers as the leader of partitions.
func (b *broker) take(q *sim.Request) {
	req := q.Body.(wire.MarkersRequest)
	reply := wire.MarkersReply{Errs: make([][]error, len(req.Markers))}
	for i, m := range req.Markers {
		for _, p := range m.Partitions {
			reply.Errs[i] = append(reply.Errs[i], b.write(m, p))
		}
	}
	if !b.r.silent[b.n] {
		q.Reply(reply, 0)
	}
}

func (b *broker) write(m wire.Marker, p wire.TopicPartition) error {
	if b.r.leaderOf(p) != b.n {
		return wire.ErrNotLeader
	}
	if err := b.r.takes[b.n]; err != nil {
		b.r.told("%s/%d at %s: no marker: %v", p.Topic, p.Partition, b.n.Name(), err)
		return err
	}
	for _, old := range b.r.marks[p] {
		switch {
		case old.CoordinatorEpoch > m.CoordinatorEpoch:
			b.r.told("%s/%d at %s: no marker: coordinator epoch %d is fenced by %d", p.Topic, p.Partition, b.n.Name(), m.CoordinatorEpoch, old.CoordinatorEpoch)
			return wire.ErrCoordinatorFenced
		case old.Producer.ID == m.Producer.ID && old.Producer.Epoch > m.Producer.Epoch:
			return wire.ErrInvalidProducer
		}
	}
	b.r.marks[p] = append(b.r.marks[p], m)
	how := "abort"
	if m.Commit {
		how = "commit"
	}
	b.r.told("%s/%d at %s: marker %s of %d/%d by coordinator epoch %d", p.Topic, p.Partition, b.n.Name(), how, m.Producer.ID, m.Producer.Epoch, m.CoordinatorEpoch)
	return nil
}

func (r *rig) leaderOf(p wire.TopicPartition) *sim.Node {
	if n, ok := r.leads[p]; ok {
		return n
	}
	return r.brokers[p.Partition%3]
}

// lead moves the partition of transactions; nil = nobody leads it. Each broker hears of it in an event of its own.
func (r *rig) lead(to *sim.Node) {
	old := r.leader
	r.leader = to
	r.epoch++
	if old != nil && old.Up() {
		old.After(0, old.Handler().(*broker).resign)
	}
	if to == nil {
		return
	}
	epoch := r.epoch
	to.After(0, func() {
		if b := to.Handler().(*broker); r.leader == to && r.epoch == epoch {
			b.host = &host{r: r, n: to, inc: to.Incarnation(), epoch: epoch}
			b.c = transactions.New(b.host, b.markers, r.cfg)
			b.c.Load(r.log)
		}
	})
}

func (b *broker) resign() {
	if b.c == nil {
		return
	}
	c, h := b.c, b.host
	b.c, b.host = nil, nil
	h.end()
	c.Unload()
}

func (r *rig) coordinator() *transactions.Coordinator {
	if r.leader == nil || !r.leader.Up() {
		return nil
	}
	return r.leader.Handler().(*broker).c
}

// host is what the coordinator has of its broker.
type host struct {
	r     *rig
	n     *sim.Node
	inc   int32
	epoch int32
	due   sim.Time // of the last append: they are in order
	waits []*waiting
}

// waiting is an append that has not come back.
type waiting struct{ then func(error) }

func (h *host) Node() *sim.Node { return h.n }
func (h *host) Alive() bool {
	return h.n.Up() && h.n.Incarnation() == h.inc && h.r.leader == h.n && h.r.epoch == h.epoch
}
func (h *host) Epoch() int32 { return h.epoch }

func (h *host) Append(b wire.Batch, _ sim.Action, then func(error)) {
	if !h.Alive() {
		return
	}
	d, err, kept := h.r.appends()
	h.due = max(h.due, h.n.Now().Add(d))
	wait := &waiting{then}
	h.waits = append(h.waits, wait)
	h.n.After(h.due.Sub(h.n.Now()), func() {
		if wait.then == nil || !h.Alive() {
			return
		}
		if kept {
			h.r.unsure = h.r.unsure || err != nil
			h.r.log = append(h.r.log, b)
		}
		then := wait.then
		wait.then = nil
		then(err)
	})
}

// end tells what waits that the leadership is lost.
func (h *host) end() {
	for _, wait := range h.waits {
		if then := wait.then; then != nil {
			wait.then = nil
			then(wire.ErrNotCoordinator)
		}
	}
}

func (h *host) Partitions(topic string) int {
	if topic == "orders" {
		return 6
	}
	return 0
}

func (h *host) Leader(topic string, partition int) *sim.Node {
	if !h.Alive() {
		return nil
	}
	return h.r.leaderOf(wire.TopicPartition{Topic: topic, Partition: partition})
}

func (h *host) OffsetsPartition(string) int { return 4 }

// ProducerID takes 1 ms: the broker has to ask for a new block.
func (h *host) ProducerID(then func(int64, error)) {
	h.n.After(sim.Millisecond, func() {
		if !h.Alive() {
			return
		}
		if h.r.noIDs != nil {
			then(0, h.r.noIDs)
			return
		}
		h.r.nextID++
		then(h.r.nextID, nil)
	})
}

// step executes one event and checks what must hold after each.
func (r *rig) step(t require.TestingT) bool {
	if !r.w.Step() {
		return false
	}
	if r.cfg.Defects == 0 {
		r.invariants(t)
	}
	return true
}

// invariants are those of the package comment.
func (r *rig) invariants(t require.TestingT) {
	for ; r.checked < len(r.log); r.checked++ {
		if r.log[r.checked].Control != wire.Data {
			continue
		}
		for _, m := range r.log[r.checked].Messages {
			r.alongTheLog(t, m.Key, m.Payload)
		}
	}
	c := r.coordinator()
	if c == nil {
		return
	}
	if c != r.of {
		r.of = c
		clear(r.seen)
	}
	for _, v := range c.Views() {
		if old, ok := r.seen[v.Name]; ok {
			transition(t, old, v)
		}
		r.seen[v.Name] = v
	}
	r.decisions(t)
}

// transition is valid, and the epoch of an id does not go back.
func transition(t require.TestingT, old, v transactions.View) {
	if v.State != old.State {
		require.True(t, v.State.Follows(old.State, v.Version), "%s goes from %v to %v", v.Name, old, v)
	}
	if v.Producer.ID == old.Producer.ID {
		require.GreaterOrEqual(t, v.Producer.Epoch, old.Producer.Epoch, "%s goes from %v to %v", v.Name, old, v)
	}
	require.LessOrEqual(t, v.Producer.Epoch, int32(wire.MaxEpoch))
}

// alongTheLog each record follows from the one before it: a completion from its decision, so there is at most one.
func (r *rig) alongTheLog(t require.TestingT, name, payload string) {
	if payload == "" {
		delete(r.logged, name)
		return
	}
	v := transactions.Decode(name, payload)
	require.Equal(t, payload, transactions.RoundTrip(payload))
	if old, ok := r.logged[name]; ok && !r.unsure {
		require.True(t, v.State.Follows(old.State, v.Version), "the log of %s goes from %v to %v", name, old, v)
		transition(t, old, v)
	}
	r.logged[name] = v
}

// decisions of one transaction are all the same.
func (r *rig) decisions(t require.TestingT) {
	for ; r.facts < r.w.History.Len(); r.facts++ {
		f := r.w.History.At(int64(r.facts) + 1)
		if f.Kind != history.KindTransaction || f.Op != "commit" && f.Op != "abort" {
			continue
		}
		which := fmt.Sprintf("%s of %s in %d, begun %v", f.Value, f.Resource, f.Fence, r.seen[f.Value].Began)
		if was, ok := r.decided[which]; ok {
			require.Equal(t, was, f.Op, which)
		}
		r.decided[which] = f.Op
	}
}
