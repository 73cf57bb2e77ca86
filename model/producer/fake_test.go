package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const (
	ms  = sim.Millisecond
	hop = ms // from node to node
)

// tb is a *testing.T or a *rapid.T.
type tb interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// cluster is what stands in for brokers: one truth behind all of them, which each tells as it is asked and does as the
// test says. What it holds survives its nodes. Its logs keep Kafka's rules for sequences.
type cluster struct {
	w                     *sim.World
	brokers               []*sim.Node
	topics                []string
	leaders               [][]string // by topic and partition; "" = none
	epochs                [][]int32
	logs                  map[string]*log
	missing               bool     // brokers say that they know no topic
	plan                  []answer // what is done with the next requests, first match first
	coord                 string   // coordinates everything
	ids                   int64
	epoch                 map[string]wire.ProducerID // of transactional ids
	saw                   func(format string, args ...any)
	outOfOrderOnDuplicate bool
}

// answer is what is done with one request.
type answer struct {
	broker, op string // "" = any
	how        string // ok, error, after (done, and an error), silent, lost (done, no reply), late (done, reply later), held (arrives later)
	err        error
	wait       sim.Duration
}

// log is one partition's.
type log struct {
	name      string
	messages  []model.Message
	producers map[int64]*written
	sequences []string // #sequence and identity of each record
}

// written is what a log knows of one producer: its last five batches.
type written struct {
	epoch   int32
	batches []past
}

type past struct {
	first, last, base int64
	stored            []int64
}

func newCluster(w *sim.World, brokers int, topics map[string]int) *cluster {
	c := &cluster{w: w, logs: map[string]*log{}, epoch: map[string]wire.ProducerID{}, coord: "broker-1", saw: func(string, ...any) {}}
	for range brokers {
		c.brokers = append(c.brokers, w.Role("broker", func(*sim.Node) sim.Handler { return &fakeBroker{c: c} }))
	}
	for name := range topics {
		c.topics = append(c.topics, name)
	}
	slices.Sort(c.topics)
	for _, name := range c.topics {
		var leaders []string
		for i := range topics[name] {
			leaders = append(leaders, fmt.Sprintf("broker-%d", i%brokers+1))
			p := model.PartitionName(name, i)
			c.logs[p] = &log{name: p, producers: map[int64]*written{}}
		}
		c.leaders, c.epochs = append(c.leaders, leaders), append(c.epochs, make([]int32, len(leaders)))
	}
	for _, n := range c.brokers {
		n.Boot()
	}
	return c
}

// lead makes a broker the leader of a partition; "" = none.
func (c *cluster) lead(topic string, partition int, broker string) {
	t := slices.Index(c.topics, topic)
	c.leaders[t][partition] = broker
	c.epochs[t][partition]++
}

// fakeBroker serves one request of a connection after the other. What is held back holds back what comes behind it, until
// the same comes again: that is another connection.
type fakeBroker struct {
	c      *cluster
	held   string // the first event of what is held back; "" = nothing is
	behind []func()
}

func (b *fakeBroker) Receive(n *sim.Node, r *sim.Request) {
	op := strings.TrimPrefix(r.Op, "broker.")
	a := b.c.next(n.Name(), op)
	first := firstEvent(r)
	if b.held == first {
		b.held = ""
	}
	switch {
	case b.held != "" && first != "":
		b.behind = append(b.behind, func() { b.serve(n, r, op, a) })
	case a.how == "held":
		a.how = "ok"
		b.held = first
		b.c.saw("%s: %s is held back by %v", n.Name(), op, a.wait)
		n.After(a.wait, func() {
			b.serve(n, r, op, a)
			behind := b.behind
			b.held, b.behind = "", nil
			for _, serve := range behind {
				serve()
			}
		})
	default:
		b.serve(n, r, op, a)
	}
}

// firstEvent of a produce request; "" = it is another one.
func firstEvent(r *sim.Request) string {
	if req, ok := r.Body.(wire.ProduceRequest); ok && len(req.Batches) > 0 {
		return req.Batches[0].Messages[0].Event
	}
	return ""
}

// next takes the first answer that is meant for the request.
func (c *cluster) next(broker, op string) answer {
	for i, a := range c.plan {
		if (a.broker == "" || a.broker == broker) && (a.op == "" || a.op == op) {
			c.plan = slices.Delete(c.plan, i, i+1)
			return a
		}
	}
	return answer{how: "ok"}
}

func (b *fakeBroker) serve(n *sim.Node, r *sim.Request, op string, a answer) {
	c := b.c
	reply, told, err := c.act(n, op, r, a)
	c.saw("%s: %s%s%s", n.Name(), op, told, a.tail(err))
	send := func() {
		if err != nil {
			r.Fail(err, 0)
		} else {
			r.Reply(reply, 0)
		}
	}
	switch a.how {
	case "silent", "lost":
	case "late":
		n.After(a.wait, send)
	default:
		send()
	}
}

func (a answer) tail(err error) string {
	switch {
	case a.how == "late":
		return fmt.Sprintf(", answered after %v", a.wait)
	case a.how == "silent", a.how == "lost":
		return ", not answered"
	case err != nil:
		return ": " + err.Error()
	}
	return ""
}

// act does what was asked for, unless the answer says otherwise.
func (c *cluster) act(n *sim.Node, op string, r *sim.Request, a answer) (reply any, told string, err error) {
	if a.how == "error" && op != wire.OpProduce {
		err = a.err
	}
	switch req := r.Body.(type) {
	case wire.MetadataRequest:
		return c.metadata(req), " of " + strings.Join(req.Topics, ", "), err
	case wire.CoordinatorRequest:
		return wire.CoordinatorReply{Node: c.coord}, " of " + req.Key, err
	case wire.ProduceRequest:
		reply, told = c.produce(n, req, a)
		return reply, told, nil
	case wire.InitProducerRequest:
		if req.Transaction != "" {
			told = " of " + req.Transaction
		}
		if req.Expected.ID != 0 {
			told += ", " + who(req.Expected) + " until now"
		}
		return c.init(req, err), told, err
	case wire.AddPartitionsRequest:
		return nil, fmt.Sprintf(" %v to %s %s", partitions(req.Partitions), req.Transaction, who(req.Producer)), err
	case wire.AddOffsetsRequest:
		return nil, fmt.Sprintf(" %s to %s %s", req.Group, req.Transaction, who(req.Producer)), err
	case wire.TxnCommitRequest:
		return wire.CommitReply{Errs: make([]error, len(req.Offsets))}, fmt.Sprintf(" %s by %q in %d, %s %s", req.Group, req.Member, req.Generation, req.Transaction, who(req.Producer)), err
	case wire.EndTxnRequest:
		how := map[bool]string{true: "commit", false: "abort"}[req.Commit]
		id := req.Producer
		if req.TxnVersion == 2 {
			id.Epoch++
		}
		if err == nil && a.how != "silent" {
			c.epoch[req.Transaction] = id
		}
		return wire.EndTxnReply{Producer: id}, fmt.Sprintf(" %s %s %s", how, req.Transaction, who(req.Producer)), err
	}
	panic("no such request")
}

func who(id wire.ProducerID) string { return fmt.Sprintf("as %d/%d", id.ID, id.Epoch) }

func partitions(list []wire.TopicPartition) (out []string) {
	for _, p := range list {
		out = append(out, model.PartitionName(p.Topic, p.Partition))
	}
	return out
}

func (c *cluster) init(req wire.InitProducerRequest, err error) wire.InitProducerReply {
	id, known := c.epoch[req.Transaction]
	if known && err == nil {
		id.Epoch++
	} else if !known {
		c.ids++
		id = wire.ProducerID{ID: c.ids}
	}
	if req.Transaction != "" {
		c.epoch[req.Transaction] = id
	}
	return wire.InitProducerReply{Producer: id}
}

func (c *cluster) metadata(req wire.MetadataRequest) wire.MetadataReply {
	var reply wire.MetadataReply
	for _, n := range c.brokers {
		reply.Brokers = append(reply.Brokers, n.Name())
	}
	for _, name := range req.Topics {
		t := slices.Index(c.topics, name)
		if t < 0 || c.missing {
			reply.Topics = append(reply.Topics, wire.TopicMetadata{Name: name, Err: wire.ErrUnknownTopic})
			continue
		}
		told := wire.TopicMetadata{Name: name}
		for i, leader := range c.leaders[t] {
			told.Partitions = append(told.Partitions, wire.PartitionMetadata{Leader: leader, Epoch: c.epochs[t][i]})
		}
		reply.Topics = append(reply.Topics, told)
	}
	return reply
}

func (c *cluster) produce(n *sim.Node, req wire.ProduceRequest, a answer) (wire.ProduceReply, string) {
	var reply wire.ProduceReply
	var told strings.Builder
	if req.Connection > 0 {
		fmt.Fprintf(&told, " over connection %d", req.Connection)
	}
	for i := range req.Batches {
		b := &req.Batches[i]
		var events []string
		for _, m := range b.Messages {
			events = append(events, m.Event)
		}
		fmt.Fprintf(&told, " %s %v", model.PartitionName(b.Topic, b.Partition), events)
		if b.Sequence >= 0 {
			fmt.Fprintf(&told, " #%d %s", b.Sequence, who(b.Producer))
		}
		res := c.batch(n, b, a)
		switch {
		case res.Err != nil:
			fmt.Fprintf(&told, ": %v", res.Err)
		case a.how != "silent" && req.Acks != wire.AcksNone:
			fmt.Fprintf(&told, " -> %d", res.Base)
		}
		reply.Results = append(reply.Results, res)
	}
	return reply, told.String()
}

func (c *cluster) batch(n *sim.Node, b *wire.ProduceBatch, a answer) wire.ProduceResult {
	t := slices.Index(c.topics, b.Topic)
	switch {
	case a.how == "error":
		return wire.ProduceResult{Err: a.err, Base: -1}
	case a.how == "silent":
		return wire.ProduceResult{Base: -1}
	case t < 0 || c.leaders[t][b.Partition] != n.Name():
		return wire.ProduceResult{Err: wire.ErrNotLeader, Base: -1}
	}
	res := c.logs[model.PartitionName(b.Topic, b.Partition)].take(n, b, c.outOfOrderOnDuplicate)
	if a.how == "after" && res.Err == nil {
		res = wire.ProduceResult{Err: a.err, Base: -1}
	}
	return res
}

// take appends a batch unless its sequence forbids it.
func (l *log) take(n *sim.Node, b *wire.ProduceBatch, confused bool) wire.ProduceResult {
	last := (b.Sequence + int64(len(b.Messages)) - 1) & wire.MaxSequence
	s := l.producers[b.Producer.ID]
	if b.Sequence >= 0 && s != nil {
		if b.Producer.Epoch < s.epoch {
			return wire.ProduceResult{Err: wire.ErrInvalidProducer, Base: -1}
		}
		if b.Producer.Epoch == s.epoch {
			for _, old := range s.batches {
				if old.first == b.Sequence && old.last == last {
					if confused {
						return wire.ProduceResult{Err: wire.ErrOutOfOrderSequence, Base: -1}
					}
					return wire.ProduceResult{Base: old.base, Stored: old.stored}
				}
			}
		}
		want := (s.batches[len(s.batches)-1].last + 1) & wire.MaxSequence
		if b.Producer.Epoch > s.epoch {
			want = 0
		}
		if b.Sequence != want {
			return wire.ProduceResult{Err: wire.ErrOutOfOrderSequence, Base: -1}
		}
	}
	res := wire.ProduceResult{Base: int64(len(l.messages))}
	for i, m := range b.Messages {
		res.Stored = append(res.Stored, n.Record(history.Fact{Kind: history.KindAppended, Event: m.Event, Key: m.Key, Resource: l.name,
			Offset: int64(len(l.messages)), Cause: m.Cause, Fence: -1}))
		l.messages = append(l.messages, m)
		number := ""
		if b.Sequence >= 0 {
			number = fmt.Sprintf(" #%d %s", (b.Sequence+int64(i))&wire.MaxSequence, who(b.Producer))
		}
		l.sequences = append(l.sequences, number)
	}
	if b.Sequence >= 0 {
		if s == nil || s.epoch != b.Producer.Epoch {
			s = &written{epoch: b.Producer.Epoch}
			l.producers[b.Producer.ID] = s
		}
		s.batches = append(s.batches, past{b.Sequence, last, res.Base, res.Stored})
		s.batches = s.batches[max(0, len(s.batches)-5):]
	}
	return res
}

// errorNamed finds an error of the protocol by its text.
func errorNamed(text string) error {
	for _, err := range []error{wire.ErrUnknownTopic, wire.ErrNotLeader, wire.ErrLeaderNotAvailable, wire.ErrNotEnoughReplicas, wire.ErrNotEnoughAfter,
		wire.ErrRequestTimedOut, wire.ErrMessageTooLarge, wire.ErrOutOfOrderSequence, wire.ErrDuplicateSequence, wire.ErrUnknownProducer,
		wire.ErrInvalidProducer, wire.ErrProducerFenced, wire.ErrInvalidMapping, wire.ErrInvalidTxnState, wire.ErrConcurrentTxn,
		wire.ErrTransactionAbort, wire.ErrNotCoordinator, wire.ErrCoordinatorLoading, wire.ErrNoCoordinator, wire.ErrIllegalGeneration, wire.ErrStaleMemberEpoch, wire.ErrInvalidTimeout} {
		if err.Error() == text {
			return err
		}
	}
	return errors.New("no such error: " + text)
}

// keyOf is a key that goes to that partition of so many.
func keyOf(partition, of int) string {
	for i := 1; ; i++ {
		key := fmt.Sprintf("key-%d", i)
		if int(rng.Below(rng.Hash(key), uint64(of))) == partition {
			return key
		}
	}
}
