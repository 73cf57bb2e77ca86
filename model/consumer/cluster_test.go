package consumer_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// cluster is a world of two brokers and their members. The brokers are thin: replication never fails and takes no time, so
// that what happens is the members' doing. Logs, and the coordinator of groups on broker-1, are the real ones.
type cluster struct {
	t       tb
	w       *sim.World
	brokers []*sim.Node
	topic   string
	logs    []*replicated
	opts    consumer.Options
	offsets *partition.Log // of the group
	cfg     groups.Config
	parked  []waiting
	asked   func(r *sim.Request) // sees each request as it arrives
	special func(r *sim.Request) bool
}

// replicated is one partition: its log, who leads it and under which epoch.
type replicated struct {
	*partition.Log
	leader *sim.Node
	epoch  int32
	known  int32  // epoch that metadata tell
	knows  string // leader that metadata tell
}

func newCluster(t tb, partitions int) *cluster { return seeded(t, partitions, 1) }

func seeded(t tb, partitions int, seed uint64) *cluster {
	cl := &cluster{t: t, w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(hop))}), topic: "orders", offsets: partition.New(partition.Config{}),
		cfg: groups.Config{InitialRebalanceDelay: sec}}
	t.Cleanup(cl.w.Close)
	for range 2 {
		cl.brokers = append(cl.brokers, cl.w.Role("broker", cl.boot))
	}
	cl.grow(partitions)
	for _, b := range cl.brokers {
		b.Boot()
	}
	cl.opts = consumer.Java()
	cl.opts.Group, cl.opts.Topic, cl.opts.Bootstrap = "workers", "orders", cl.brokers
	cl.opts.SessionTimeout, cl.opts.Heartbeat, cl.opts.MaxPollInterval = 6*sec, 2*sec, 30*sec
	cl.opts.Restart, cl.opts.RequestTimeout, cl.opts.CommitTimeout, cl.opts.MaxPollRecords = 100*ms, 5*sec, 10*sec, 10
	cl.opts.Reset, cl.opts.AutoCommit = consumer.ResetEarliest, consumer.CommitsNothing
	return cl
}

// grow gives the topic so many partitions, with leaders by turns.
func (cl *cluster) grow(partitions int) {
	for k := len(cl.logs); k < partitions; k++ {
		b := cl.brokers[k%2]
		cl.logs = append(cl.logs, &replicated{Log: partition.New(partition.Config{}), leader: b, knows: b.Name()})
	}
}

// member boots one more member of the group.
func (cl *cluster) member(loop consumer.Loop) *sim.Node {
	n := cl.w.Role("consumer", consumer.Start(cl.opts, &model.Directory{}, loop))
	n.Boot()
	return n
}

// append appends a batch, as its leader does, and answers fetches that wait for it.
func (cl *cluster) append(k int, b wire.Batch) {
	l := cl.logs[k]
	b.Base, b.LeaderEpoch = l.End(), l.epoch
	for i := range b.Messages {
		m := &b.Messages[i]
		m.Stored = l.leader.Record(history.Fact{Kind: history.KindAppended, Event: m.Event, Key: m.Key, Resource: model.PartitionName(cl.topic, k), Offset: b.Base + int64(i), Fence: int64(l.epoch)})
	}
	l.Append(b)
	l.SetHigh(l.End())
	cl.unpark()
}

func records(events ...string) (ms []model.Message) {
	for _, e := range events {
		ms = append(ms, model.Message{Intent: model.Intent{Event: e, Key: "key of " + e}})
	}
	return ms
}

// publish appends one batch of records.
func (cl *cluster) publish(k int, events ...string) {
	cl.append(k, wire.Batch{Sequence: -1, Messages: records(events...)})
}

// transactional appends one batch of a producer's open transaction; control ends it.
func (cl *cluster) transactional(k int, producer int64, control wire.Control, events ...string) {
	cl.append(k, wire.Batch{Producer: wire.ProducerID{ID: producer}, Sequence: -1, Transactional: true, Control: control, Messages: records(events...)})
}

// lead makes a broker the leader of a partition under the next epoch. Metadata tell so at once.
func (cl *cluster) lead(k int, b *sim.Node) {
	l := cl.logs[k]
	l.leader, l.epoch = b, l.epoch+1
	l.known, l.knows = l.epoch, b.Name()
	cl.unpark()
}

// thin is a broker.
type thin struct {
	cl     *cluster
	n      *sim.Node
	groups *groups.Coordinator
}

func (cl *cluster) boot(n *sim.Node) sim.Handler {
	b := &thin{cl: cl, n: n}
	if n == cl.brokers[0] {
		b.groups = groups.New(cl.cfg, &host{b: b, inc: n.Incarnation()})
		b.groups.Load(cl.offsets.Batches())
	}
	return b
}

func (cl *cluster) coordinator() *groups.Coordinator {
	if b, ok := cl.brokers[0].Handler().(*thin); ok {
		return b.groups
	}
	return nil
}

func (b *thin) Receive(_ *sim.Node, r *sim.Request) {
	cl := b.cl
	if cl.asked != nil {
		cl.asked(r)
	}
	if cl.special != nil && cl.special(r) {
		return
	}
	switch req := r.Body.(type) {
	case wire.MetadataRequest:
		r.Reply(cl.metadata(), 0)
	case wire.CoordinatorRequest:
		r.Reply(wire.CoordinatorReply{Node: cl.brokers[0].Name()}, 0)
	case wire.FetchRequest:
		if !cl.answer(b, r) {
			cl.park(b, r, req.MaxWait)
		}
	case wire.ListOffsetsRequest:
		cl.list(b, r, &req)
	case wire.EpochEndRequest:
		cl.epochEnd(b, r, &req)
	default:
		if b.groups == nil {
			r.Fail(wire.ErrNotCoordinator, 0)
			return
		}
		b.groups.Receive(r)
	}
}

func (cl *cluster) metadata() wire.MetadataReply {
	reply := wire.MetadataReply{Topics: []wire.TopicMetadata{{Name: cl.topic}}}
	for _, b := range cl.brokers {
		reply.Brokers = append(reply.Brokers, b.Name())
	}
	for _, l := range cl.logs {
		reply.Topics[0].Partitions = append(reply.Topics[0].Partitions, wire.PartitionMetadata{Leader: l.knows, Epoch: l.known})
	}
	return reply
}

// check is what a leader says of an asker that knows an epoch.
func (cl *cluster) check(at *sim.Node, k int, epoch int32) error {
	if k >= len(cl.logs) {
		return wire.ErrUnknownTopic
	}
	l := cl.logs[k]
	switch {
	case l.leader != at:
		return wire.ErrNotLeader
	case epoch >= 0 && epoch < l.epoch:
		return wire.ErrFencedLeaderEpoch
	case epoch > l.epoch:
		return wire.ErrUnknownLeaderEpoch
	}
	return nil
}

// answer answers a fetch that has something to be told.
func (cl *cluster) answer(b *thin, r *sim.Request) bool {
	req := r.Body.(wire.FetchRequest)
	var reply wire.FetchReply
	found := false
	for _, from := range req.From {
		f := cl.read(b, &req, from)
		if f.Err != nil || len(f.Batches) > 0 {
			reply.Partitions = append(reply.Partitions, f)
			found = found || len(f.Batches) > 0
		}
	}
	switch {
	case found:
		r.ReplyForeground(reply, 0)
	case len(reply.Partitions) > 0:
		r.Reply(reply, 0)
	}
	return len(reply.Partitions) > 0
}

func (cl *cluster) read(b *thin, req *wire.FetchRequest, from wire.FetchFrom) wire.Fetched {
	f := wire.Fetched{Topic: cl.topic, Partition: from.Partition, Err: cl.check(b.n, from.Partition, from.CurrentEpoch)}
	if f.Err != nil {
		return f
	}
	l := cl.logs[from.Partition]
	if from.Offset < l.Start() || from.Offset > l.End() {
		f.Err = wire.ErrOffsetOutOfRange
		return f
	}
	below := l.High()
	if req.Isolation == wire.ReadCommitted {
		below = l.LastStable()
	}
	f.Batches = l.Read(from.Offset, req.MaxRecords, below)
	if n := len(f.Batches); n > 0 && req.Isolation == wire.ReadCommitted {
		f.Aborted = l.Aborted(from.Offset, f.Batches[n-1].Next())
	}
	return f
}

// waiting is a fetch that is parked at a broker.
type waiting struct {
	b *thin
	r *sim.Request
}

func (cl *cluster) park(b *thin, r *sim.Request, wait sim.Duration) {
	cl.parked = append(cl.parked, waiting{b, r})
	b.n.AfterBackground(wait, func() {
		if i := slices.Index(cl.parked, waiting{b, r}); i >= 0 {
			cl.parked = slices.Delete(cl.parked, i, i+1)
			r.Reply(wire.FetchReply{}, 0)
		}
	})
}

// unpark looks at the parked fetches again.
func (cl *cluster) unpark() {
	cl.parked = slices.DeleteFunc(cl.parked, func(p waiting) bool { return !p.r.Alive() || cl.answer(p.b, p.r) })
}

func (cl *cluster) list(b *thin, r *sim.Request, req *wire.ListOffsetsRequest) {
	var reply wire.ListOffsetsReply
	for _, tp := range req.Partitions {
		l := cl.logs[tp.Partition]
		o := wire.OffsetResult{Err: cl.check(b.n, tp.Partition, -1), Offset: l.Start(), Epoch: l.epoch}
		if req.At == wire.Latest {
			o.Offset = l.High()
		}
		reply.Results = append(reply.Results, o)
	}
	r.Reply(reply, 0)
}

func (cl *cluster) epochEnd(b *thin, r *sim.Request, req *wire.EpochEndRequest) {
	if err := cl.check(b.n, req.Partition, req.CurrentEpoch); err != nil {
		r.Fail(err, 0)
		return
	}
	epoch, end := cl.logs[req.Partition].EpochEnd(req.Epoch)
	r.Reply(wire.EpochEndReply{Epoch: epoch, End: end}, 0)
}

// host is the broker as the coordinator of groups sees it. What is appended is replicated 2 ms later.
type host struct {
	b   *thin
	inc int32
}

func (h *host) Node() *sim.Node                  { return h.b.n }
func (h *host) Alive() bool                      { return h.b.n.Up() && h.b.n.Incarnation() == h.inc }
func (h *host) Epoch() int32                     { return h.inc }
func (h *host) OffsetsPartition(string) int      { return 0 }
func (h *host) Partitions(topic string) int      { return len(h.b.cl.logs) }
func (h *host) ProducerID(func(int64, error))    {}
func (h *host) Leader(_ string, k int) *sim.Node { return h.b.cl.logs[k].leader }
func (h *host) Append(b wire.Batch, _ sim.Action, then func(error)) {
	l := h.b.cl.offsets
	b.Base, b.LeaderEpoch = l.End(), h.inc
	l.Append(b)
	h.b.n.After(2*ms, func() { then(nil) })
}

// run goes on until that time of the world.
func (cl *cluster) run(until sim.Duration) {
	cl.t.Helper()
	r := cl.w.Run(sim.Time(until))
	require.Contains(cl.t, []sim.StopKind{sim.StopHorizon, sim.StopDrained}, r.Kind, r.Detail)
}

func (cl *cluster) at(d sim.Duration, fn func()) { cl.w.At(sim.Time(d), sim.PhaseFault, fn) }

// committed are the group's positions, by partition; -1 = none.
func (cl *cluster) committed() []int64 {
	var out []int64
	for k := range cl.logs {
		out = append(out, cl.coordinator().Committed("workers", cl.topic, k))
	}
	return out
}

// lines tells the facts of these kinds.
func (cl *cluster) lines(kinds ...history.Kind) []string {
	g := &rig{cl.w}
	return g.story(kinds...)
}

func (cl *cluster) facts(kinds ...history.Kind) []history.Fact {
	g := &rig{cl.w}
	return g.facts(kinds...)
}

// executed counts events.
func (cl *cluster) executed() int64 {
	n, _ := cl.w.Executed()
	return n
}

// fill appends a batch without a word: no fact, no answer to a fetch.
func (cl *cluster) fill(k int, ms []model.Message) {
	l := cl.logs[k]
	l.Append(wire.Batch{Base: l.End(), LeaderEpoch: l.epoch, Sequence: -1, Messages: ms})
	l.SetHigh(l.End())
}
