package scenarios

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker"
	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/broker/transactions"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/controller"
	"github.com/twiceless/twiceless/model/cost"
	"github.com/twiceless/twiceless/model/operator"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// logBus is the replicated log with its controller.
type logBus struct {
	w        *world
	cluster  *broker.Cluster
	control  *sim.Node
	brokers  []*sim.Node
	defects  model.Defects
	attached map[string]attached // by node; looked up only
	began    map[string]*began   // by node; looked up only
}

// deadLetterGroup keeps the position of the operator who publishes dead letters again.
const deadLetterGroup = "dead-letter-replay"

// attached is the producing client of one incarnation of a node that publishes.
type attached struct {
	incarnation int32
	client      *producer.Client
}

func newLogBus(w *world) bus {
	defects, err := model.ParseDefects(w.sc.Broker.Defects)
	if err != nil {
		panic("scenarios: " + err.Error() + " passed the check")
	}
	return &logBus{w: w, defects: defects, attached: map[string]attached{}, began: map[string]*began{}}
}

func (b *logBus) add() []*sim.Node {
	s := &b.w.sc.Broker
	topics := b.topics()
	b.control = b.w.sim.Role(wire.Controller, controller.New(controller.Config{Topics: topics, Session: sim.Duration(s.BrokerSession),
		WithoutELR: !s.ELR, WithoutBrokerEpochs: !s.BrokerEpochs, QuickRestart: s.QuickRestart}))
	b.control.Disk().Timing(s.Append, s.Fsync)
	b.cluster = broker.New(b.config(topics))
	for range s.Nodes {
		n := b.w.sim.Role(wire.Broker, b.cluster.Boot)
		n.Disk().Timing(s.Append, s.Fsync)
		b.brokers = append(b.brokers, n)
	}
	return append([]*sim.Node{b.control}, b.brokers...)
}

// topics are those of the scenario and those that the stack has added, which are kept like the flow's source.
func (b *logBus) topics() (out []wire.Topic) {
	s := &b.w.sc.Broker
	one := func(name string, partitions int, like Topic) wire.Topic {
		return wire.Topic{Name: name, Partitions: partitions, Replicas: like.Replication, MinInSync: like.MinInsync, Unclean: like.Unclean,
			FlushMessages: int(s.FlushMessages), FlushAfter: sim.Duration(s.FlushInterval), Retention: sim.Duration(like.Retention)}
	}
	for _, name := range SortedKeys(s.Topics) {
		out = append(out, one(name, b.w.partitions(name), s.Topics[name]))
	}
	for _, t := range b.w.asm.topics {
		out = append(out, one(t.name, b.w.partitions(t.name), s.Topics[b.w.asm.flow.Source]))
	}
	return out
}

func (b *logBus) config(topics []wire.Topic) broker.Config {
	s := &b.w.sc.Broker
	cfg := broker.Config{Topics: topics, Session: sim.Duration(s.BrokerSession), ReplicaLag: sim.Duration(s.ReplicaLag), Writeback: sim.Duration(s.Writeback),
		Truncation: truncations()[s.Truncation], UnfencedFetch: s.Truncation != "fenced", LooseHighWatermark: !s.StrictHigh,
		WithoutBrokerEpochs: !s.BrokerEpochs, WithoutVerification: s.Transactions == "v1", EarlyOffsets: s.EarlyOffsets, EarlyListener: s.EarlyListener,
		Log: partition.Config{Defects: b.defects}}
	if s.Writeback == 0 {
		cfg.Writeback = -1
	}
	if p, ok := cost.Named(s.Costs); ok {
		cfg.Work, cfg.Handlers = broker.Work(p.BrokerCost()), int(p.Workers.N)
	}
	group := groups.Config{InitialRebalanceDelay: sim.Duration(s.RebalanceDelay), OffsetsRetention: sim.Duration(s.OffsetsRetention), SessionTimeout: sim.Duration(s.SessionTimeout),
		HeartbeatInterval: sim.Duration(b.w.sc.Consumers.Heartbeat), Defects: b.defects, Planted: b.w.planted}
	if s.RebalanceDelay == 0 {
		group.InitialRebalanceDelay = -1
	}
	transaction := transactions.Config{FirstEpoch: int32(s.FirstEpoch), Version: transactionVersion(s.Transactions), Defects: b.defects}
	cfg.PerBroker = func(n *sim.Node) (broker.Factory, broker.Factory) {
		markers := transactions.NewMarkers(n, transaction)
		return func(h coordinator.Host) coordinator.Coordinator {
				own := group
				own.Verify = broker.VerifyOffsets(h)
				return groups.New(own, h)
			}, func(h coordinator.Host) coordinator.Coordinator {
				return transactions.New(h, markers, transaction)
			}
	}
	return cfg
}

// truncations are the words of broker.truncation.
func truncations() map[string]partition.Truncation {
	return map[string]partition.Truncation{"high-watermark": partition.ToHighWatermark, "epoch": partition.ByEpoch,
		"matched-epoch": partition.ByMatchedEpoch, "fenced": partition.ByMatchedEpoch}
}

// transactionVersion is that of the word in broker.transactions.
func transactionVersion(word string) int {
	if word == "v2" {
		return 2
	}
	return 1
}

// find is how clients find the cluster.
func (b *logBus) find() client.Config {
	return client.Config{Bootstrap: b.brokers, RequestTimeout: sim.Duration(b.w.sc.Consumers.RequestTimeout)}
}

func (b *logBus) member(l *loopSpec, loop func(model.Ctx, model.Consumer)) func(*sim.Node) sim.Handler {
	sc := b.w.sc
	c := &sc.Consumers
	o := memberOf(c.Client)
	o.Group, o.Topic, o.Bootstrap, o.Static, o.Restart = l.group, l.topic, b.brokers, c.Static, sim.Duration(c.Restart)
	o.SessionTimeout, o.Heartbeat = sim.Duration(sc.Broker.SessionTimeout), sim.Duration(c.Heartbeat)
	o.MaxPollInterval, o.MaxPollRecords, o.FetchMaxWait = sim.Duration(c.MaxPollInterval), c.MaxPollRecords, sim.Duration(c.FetchWait)
	o.RequestTimeout, o.CommitTimeout = sim.Duration(c.RequestTimeout), sim.Duration(c.CommitTimeout)
	o.RequireStable = c.RequireStable
	if !l.auto {
		o.AutoCommit = consumer.CommitsNothing
	}
	o.Isolation, o.Reset = wire.ReadUncommitted, consumer.ResetEarliest
	if c.Isolation == "read-committed" || l.committed {
		o.Isolation = wire.ReadCommitted
	}
	if c.Reset == "latest" {
		o.Reset = consumer.ResetLatest
	}
	switch c.Protocol {
	case "cooperative":
		o.Assignors = []string{consumer.CooperativeSticky}
	case "server":
		o.Protocol = consumer.ServerSide
	}
	o.Planted, o.Defects = b.w.planted, b.defects
	return consumer.Start(o, b.w.dir, loop)
}

// profileOf and memberOf are the client libraries by their words.
func profileOf(client string) producer.Settings {
	if client == "librdkafka" {
		return producer.Librdkafka()
	}
	return producer.Java()
}

func memberOf(client string) consumer.Options {
	if client == "librdkafka" {
		return consumer.Librdkafka()
	}
	return consumer.Java()
}

// settings are those of the stack's producer.
func (b *logBus) settings() producer.Settings {
	sc, st := b.w.sc, b.w.stack
	s := profileOf(sc.Producer.Client)
	p := &sc.Producer
	s.Acks, s.Idempotence = st.Acks, false
	if !st.Retries {
		s.Retries = 0
	}
	s.Linger, s.InFlight = sim.Duration(p.Linger), p.InFlight
	if p.BatchRecords > 0 {
		s.BatchRecords = p.BatchRecords
	}
	s.RecordBytes = p.RecordBytes
	s.RequestTimeout, s.AckTimeout = sim.Duration(p.RequestTimeout), sim.Duration(p.RequestTimeout)
	s.DeliveryTimeout, s.Backoff = sim.Duration(p.DeliveryTimeout), sim.Duration(p.Backoff)
	s.BackoffMax = max(s.BackoffMax, s.Backoff)
	s.TransactionTimeout = sim.Duration(p.TransactionTimeout)
	s.TransactionVersion, s.Defects = transactionVersion(sc.Broker.Transactions), b.defects
	if st.Idempotent {
		s = s.Idempotent()
	}
	return s
}

func (b *logBus) publisher(wl producer.Workload, out *producer.Outstanding) func(*sim.Node) sim.Handler {
	return producer.Application{Topic: b.w.asm.flow.Source, Client: b.settings(), Cluster: b.find(), Send: b.w.asm.sender}.Boot(wl, out)
}

// emit publishes from a node of the stack: what a stack parks or forwards is waited for by all replicas, whatever its
// producer does.
func (b *logBus) emit(c *model.Context, topic string, m model.Message) error {
	p := c.Process()
	n := p.Node()
	a := b.attached[n.Name()]
	if a.client == nil || a.incarnation != n.Incarnation() {
		s := b.settings()
		s.Acks, s.Retries = wire.AcksAll, producer.Unlimited
		a = attached{n.Incarnation(), producer.Attach(n, s, client.New(n, b.find()))}
		b.attached[n.Name()] = a
	}
	_, err := a.client.Publish(p, topic, m)
	return err
}

func (b *logBus) replay(group, topic string, cause int64, done func()) func(*sim.Node) sim.Handler {
	c := (*controls)(b.w)
	return operator.New(operator.Replay{
		Group: group, Topic: topic, Members: func() []*sim.Node { return c.Members(group) }, Cluster: b.find(),
		Grace: leaveGrace, RequestTimeout: sim.Duration(b.w.sc.Consumers.RequestTimeout), Pause: operatorPause, Cause: cause, Done: done,
	})
}

func (b *logBus) letters(r model.DeadLetterReplay) func(*sim.Node) sim.Handler {
	return operator.NewDeadLetters(operator.DeadLetters{Spec: r, Group: deadLetterGroup, Cluster: b.find(),
		RequestTimeout: sim.Duration(b.w.sc.Consumers.RequestTimeout), Pause: operatorPause})
}

func (b *logBus) leader(topic string, partition int) *sim.Node {
	return b.cluster.Leader(topic, partition)
}

// group is the coordinator of a group; nil = it has none at the moment.
func (b *logBus) group(name string) *groups.Coordinator {
	g, _ := b.cluster.GroupCoordinator(name).(*groups.Coordinator)
	return g
}

func (b *logBus) ready(l *loopSpec, members int) bool {
	g := b.group(l.group)
	return g != nil && g.State(l.group) == groups.Stable && g.Members(l.group) == members
}

func (b *logBus) left(l *loopSpec) int64 {
	g := b.group(l.group)
	if g == nil {
		return 1 // nobody can say, so the run is not over
	}
	sum := int64(0)
	for k := range b.w.partitions(l.topic) {
		sum += b.cluster.Unread(l.topic, k, max(0, g.Committed(l.group, l.topic, k)))
	}
	return sum
}

func (b *logBus) records(topic string) int64 { return b.cluster.Records(topic) }

func (b *logBus) settled() bool { return b.cluster.InSync() }

// final tells what the logs hold: of what a group of the stack reads, every record that some group has not committed; of
// a topic that nobody joins to read, dead letters, every record behind the operator's position. Positions are those that
// the history has committed.
func (b *logBus) final() {
	committed := b.positions()
	b.cluster.FinalState(controller.States(b.control), func(topic string, index int) (from int64, how string, ok bool) {
		if topic == stack.Changelog(b.w.asm.flow.Source) {
			return 0, "", false // state, and nobody's events
		}
		name := model.PartitionName(topic, index)
		how, from = "parked", committed[groupPosition{deadLetterGroup, name}]
		for i := range b.w.asm.loops {
			l := &b.w.asm.loops[i]
			if at := committed[groupPosition{l.group, name}]; l.topic == topic && (how == "parked" || at < from) {
				how, from = "queue", at
			}
		}
		return from, how, true
	})
}

// groupPosition names a position; looked up only.
type groupPosition struct{ group, resource string }

func (b *logBus) positions() map[groupPosition]int64 {
	at := map[groupPosition]int64{}
	for i := range b.w.sim.History.Facts {
		if f := &b.w.sim.History.Facts[i]; f.Kind == history.KindCommitted {
			at[groupPosition{f.Op, f.Resource}] = f.Offset
		}
	}
	return at
}
