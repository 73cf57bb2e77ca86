package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/controller"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is one world that a text drives: three brokers and a controller, topic orders of one partition with replicas 1, 2
// and 3 and min ISR 2, unless "with" says otherwise. A hop takes 1 ms, appends and fsyncs no time.
type script struct {
	*setup
	t     *testing.T
	out   *strings.Builder
	facts int
	p     plan
	begun bool

	client      int // that the present request comes from
	connections int // that produce requests came over
}

func play(t *testing.T, text string) string {
	s := &script{t: t, out: &strings.Builder{}, p: plan{latency: rng.Constant(int64(sim.Millisecond)), topics: []wire.Topic{{Name: "orders", Partitions: 1, MinInSync: 2}}}}
	defer func() {
		if s.setup != nil {
			s.w.Close()
		}
	}()
	scripttest.Commands(text, s.out, s.command)
	return s.out.String()
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(s.out, "  %-9v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

func (s *script) advance(d sim.Duration) {
	done := false
	s.w.At(s.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && s.w.Step() {
		s.tell()
	}
	if stop, ok := s.w.Stopped(); ok {
		s.t.Fatalf("the world ended: %v %s", stop, stop.Detail)
	}
}

// tell says which facts were stated; of internal topics none.
func (s *script) tell() {
	for ; s.facts < s.w.History.Len(); s.facts++ {
		f := s.w.History.At(int64(s.facts) + 1)
		if strings.HasPrefix(f.Resource, "__") {
			continue
		}
		switch f.Kind {
		case history.KindBooted, history.KindStopped:
			s.say("%s %v %s", f.Node, f.Kind, f.Note)
		case history.KindAppended:
			s.say("%s appended %s at %d in epoch %d", f.Node, f.Event, f.Offset, f.Fence)
		case history.KindMarked:
			s.say("%s marked %s of producer %s at %d", f.Node, f.Op, f.Value, f.Offset)
		case history.KindReplicated:
			s.say("%s replicated %s at %d", f.Node, s.w.History.At(f.Cause).Event, f.Offset)
		case history.KindTruncated:
			s.say("%s truncated to %d %s", f.Node, f.Offset, f.Note)
		case history.KindElected:
			s.say("%s elected in epoch %d with end %d %s", f.Node, f.Fence, f.Offset, f.Op)
		case history.KindWatermark:
			s.say("%s watermark %s %d", f.Node, f.Op, f.Offset)
		case history.KindOperated:
			s.say("%s %s about %s: %s", f.Node, f.Op, f.Resource, f.Value)
		case history.KindHeld:
			s.say("%s held %s as %s at %d", f.Node, f.Event, f.Op, f.Offset)
		default:
		}
	}
}

// with sets the world up: "with topic.min-isr=1 truncation=hw".
func (s *script) with(args []string) {
	require.False(s.t, s.begun, "with comes first")
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		t := &s.p.topics[0]
		switch name {
		case "partitions":
			t.Partitions = s.number(value)
		case "seed":
			s.p.seed = uint64(s.number(value))
		case "brokers":
			s.p.brokers = s.number(value)
		case "replicas":
			t.Replicas = s.number(value)
		case "min-isr":
			t.MinInSync = s.number(value)
		case "unclean":
			t.Unclean = true
		case "flush-messages":
			t.FlushMessages = s.number(value)
		case "session":
			s.p.broker.Session = s.duration(value)
			s.p.controller.Session = s.p.broker.Session
		case "fsync":
			s.p.fsync = s.duration(value)
		case "retention":
			t.Retention = s.duration(value)
		case "retention-records":
			t.RetentionRecords = int64(s.number(value))
		case "truncation":
			s.p.broker.Truncation = map[string]partition.Truncation{"high-watermark": partition.ToHighWatermark, "epoch": partition.ByEpoch, "matched-epoch": partition.ByMatchedEpoch}[value]
			s.p.broker.UnfencedFetch = true
		case "without-elr":
			s.p.controller.WithoutELR = true
		case "without-last-leader":
			s.p.controller.WithoutLastLeader = true
		case "without-broker-epochs":
			s.p.controller.WithoutBrokerEpochs, s.p.broker.WithoutBrokerEpochs = true, true
		case "without-verification":
			s.p.broker.WithoutVerification = true
		case "loose-high-watermark":
			s.p.broker.LooseHighWatermark = true
		case "quick-restart":
			s.p.controller.QuickRestart = true
		case "early-offsets":
			s.p.broker.EarlyOffsets = true
		case "checkpoint":
			s.p.broker.Checkpoint = s.duration(value)
		case "fetch-wait":
			s.p.broker.FetchWait = s.duration(value)
		case "stable-offset-read-twice":
			s.p.broker.Log.Defects = s.p.broker.Log.Defects.With(model.StableOffsetReadTwice)
		case "early-listener":
			s.p.broker.EarlyListener = true
		case "work": // for each request, and for each record
			request, record, _ := strings.Cut(value, "/")
			each, more := s.duration(request), s.duration(record)
			s.p.broker.Work = func(requests, records, _ int) sim.Duration {
				return sim.Duration(requests)*each + sim.Duration(records)*more
			}
		case "handlers":
			s.p.broker.Handlers = s.number(value)
		case "coordinators":
			s.p.broker.PerBroker = func(*sim.Node) (groups, transactions broker.Factory) { return newNotebook, newNotebook }
		default:
			s.t.Fatalf("no setting %s", name)
		}
	}
}

func (s *script) number(text string) int {
	n, err := strconv.Atoi(text)
	require.NoError(s.t, err)
	return n
}

func (s *script) duration(text string) sim.Duration {
	ns, err := rng.ParseDuration(text)
	require.NoError(s.t, err)
	return sim.Duration(ns)
}

// begin boots everything and waits until the cluster serves.
func (s *script) begin() {
	s.begun = true
	s.setup = newSetup(s.p)
	s.boot()
	for !s.cluster.Serving() {
		require.True(s.t, s.w.Step())
	}
	out := s.out
	s.out = &strings.Builder{}
	s.advance(sim.Time(3 * sim.Second).Sub(s.w.Now())) // nothing is under way any more, and times are easy to read
	s.out = out
}

func (s *script) command(f []string) {
	if f[0] == "with" {
		s.with(f[1:])
		return
	}
	if !s.begun {
		s.begin()
	}
	switch f[0] {
	case "run":
		s.advance(s.duration(f[1]))
	case "state":
		s.state(f[1:])
	case "final":
		s.cluster.FinalState(controller.States(s.controller), func(string, int) (int64, string, bool) { return 0, "queue", true })
	case "add-partitions":
		controller.Of(s.controller).AddPartitions("orders", s.number(f[1]))
		s.advance(10 * sim.Millisecond)
	case "cut", "mend":
		s.link(f[0], s.w.Node(f[1]), s.w.Node(f[2]))
	case "skew":
		s.w.Node(f[1]).SkewWall(s.duration(f[2]))
	case "slow":
		s.w.Node(f[1]).Slow(s.w.Node(f[2]), s.duration(f[3]))
	default:
		if n := s.w.Node(f[1]); n != nil && len(f) == 2 {
			s.fault(f[0], n)
		} else {
			s.request(f)
		}
	}
	s.tell()
}

func (s *script) fault(what string, n *sim.Node) {
	switch what {
	case "kill":
		n.Kill(0)
	case "power-loss":
		n.PowerLoss(0)
	case "boot":
		n.Boot()
	case "pause":
		n.Pause()
	case "resume":
		n.Resume()
	case "stop":
		n.AskStop(0)
	default:
		s.t.Fatalf("no command %s", what)
	}
}

func (s *script) link(what string, a, b *sim.Node) {
	if what == "cut" {
		a.Cut(b)
		b.Cut(a)
		return
	}
	a.Mend(b)
	b.Mend(a)
}

// state tells of each partition what the controller has decided and what each broker has.
func (s *script) state(args []string) {
	topic := "orders"
	if len(args) > 0 {
		topic = args[0]
	}
	for k := 0; ; k++ {
		c := controller.Of(s.controller)
		if c == nil {
			s.say("controller down")
		} else if st, ok := c.State(topic, k); !ok {
			return
		} else {
			s.say("%s/%d: leader %d epoch %d isr %v elr %v last %v", topic, k, st.Leader, st.LeaderEpoch, st.ISR, st.ELR, st.LastKnownELR)
		}
		for _, n := range s.brokers {
			s.replica(n, topic, k)
		}
		if c == nil {
			return
		}
	}
}

func (s *script) replica(n *sim.Node, topic string, k int) {
	v, ok := broker.Look(n, topic, k)
	if !ok {
		s.say("  %s: down", n.Name())
		return
	}
	does := "waits"
	switch {
	case v.Leads:
		does = fmt.Sprintf("leads %v", v.ISR)
	case v.Follows:
		does = "follows"
	}
	s.say("  %s: %s in epoch %d, log %s, high %d", n.Name(), does, v.Epoch, entries(v.Log), v.Log.High())
}

// entries is a log as "0:a 1:b": epoch and event of each record.
func entries(l *partition.Log) string {
	parts := []string{}
	for _, b := range l.Batches() {
		for i := range b.Messages {
			what := b.Messages[i].Event
			switch b.Control {
			case wire.CommitMarker:
				what = "COMMIT"
			case wire.AbortMarker:
				what = "ABORT"
			case wire.Data:
			}
			parts = append(parts, fmt.Sprintf("%d:%s", b.LeaderEpoch, what))
		}
	}
	return fmt.Sprintf("%d[%s]", l.Start(), strings.Join(parts, " "))
}

// request: "produce orders/0 all a b to broker-1", "produce orders/0 all a id=7.0 seq=0", "fetch orders/0 3",
// "end orders/0". Without "to" it goes to the leader, without "client=2" the first client sends it, and
// without "connection=1" each produce request comes over a connection of its own. It is sent and not waited for: "run" lets time pass.
func (s *script) request(f []string) {
	topic, index, _ := strings.Cut(f[1], "/")
	k, _ := strconv.Atoi(index)
	args := f[2:]
	to := s.cluster.Leader(topic, k)
	if i := slices.Index(args, "to"); i >= 0 {
		to, args = s.w.Node(args[i+1]), slices.Delete(slices.Clone(args), i, i+2)
	}
	options := map[string]string{}
	var words []string
	for _, a := range args {
		if name, value, ok := strings.Cut(a, "="); ok {
			options[name] = value
		} else {
			words = append(words, a)
		}
	}
	require.NotNil(s.t, to, "nobody to send to")
	s.client = 0
	if options["client"] != "" {
		s.client = s.number(options["client"]) - 1
	}
	switch f[0] {
	case "produce":
		s.produceCommand(to, topic, k, words, options)
	case "fetch":
		s.fetchCommand(to, topic, k, words, options)
	case "begin", "end":
		at := wire.Latest
		if f[0] == "begin" {
			at = wire.Earliest
		}
		req := wire.ListOffsetsRequest{At: at, Partitions: []wire.TopicPartition{{Topic: topic, Partition: k}}}
		s.send(to, wire.OpListOffsets, f[0], req, func(body any) string {
			r := body.(wire.ListOffsetsReply).Results[0]
			return fmt.Sprintf("%d %s", r.Offset, text(r.Err))
		})
	case "mark":
		pid, partitions := identity(s, options["id"]), []wire.TopicPartition{{Topic: topic, Partition: k}}
		req := wire.MarkersRequest{Markers: []wire.Marker{{Producer: pid, Commit: words[0] == "commit", CoordinatorEpoch: 0, Partitions: partitions}}}
		s.send(to, wire.OpMarkers, "mark "+words[0], req, func(body any) string { return text(body.(wire.MarkersReply).Errs[0][0]) })
	case "commit":
		req := wire.CommitRequest{Group: words[0], Offsets: []wire.GroupOffset{{Topic: topic, Partition: k, Offset: 1}}}
		s.send(to, wire.OpCommit, "commit "+words[0], req, func(body any) string { return fmt.Sprint(body) })
	case "txn-commit":
		req := wire.TxnCommitRequest{Transaction: options["txn"], TxnVersion: 1, Producer: identity(s, options["id"]), Group: words[0], Offsets: []wire.GroupOffset{{Topic: topic, Partition: k, Offset: 1}}}
		s.send(to, wire.OpTxnCommit, "txn-commit "+words[0], req, func(body any) string { return fmt.Sprint(body) })
	case "metadata":
		s.send(to, wire.OpMetadata, "metadata", wire.MetadataRequest{Topics: words}, func(body any) string {
			m := body.(wire.MetadataReply)
			return fmt.Sprintf("brokers %v topics %v", m.Brokers, m.Topics)
		})
	case "init":
		s.send(to, wire.OpInitProducer, "init", wire.InitProducerRequest{}, func(body any) string {
			return fmt.Sprintf("producer %d", body.(wire.InitProducerReply).Producer.ID)
		})
	case "coordinator":
		s.send(to, wire.OpCoordinator, "coordinator", wire.CoordinatorRequest{Key: words[0]}, func(body any) string { return body.(wire.CoordinatorReply).Node })
	default:
		s.t.Fatalf("no command %v", f)
	}
	s.advance(0)
}

func text(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

func identity(s *script, id string) wire.ProducerID {
	name, epoch, ok := strings.Cut(id, ".")
	if !ok {
		return wire.ProducerID{}
	}
	return wire.ProducerID{ID: int64(s.number(name)), Epoch: int32(s.number(epoch))}
}

func (s *script) send(to *sim.Node, op, what string, body any, show func(any) string) {
	s.call(s.client, to, op, sim.Action{}, body, 60*sim.Second, func(reply any, _ int64, err error) {
		if err != nil {
			s.say("%s: %v", what, err)
			return
		}
		s.say("%s: %s", what, show(reply))
	})
}

func (s *script) produceCommand(to *sim.Node, topic string, k int, words []string, options map[string]string) {
	acks := map[string]int{"0": wire.AcksNone, "1": wire.AcksLeader, "all": wire.AcksAll}[words[0]]
	pb := wire.ProduceBatch{Topic: topic, Partition: k, Producer: identity(s, options["id"]), Sequence: -1}
	if seq := options["seq"]; seq != "" {
		pb.Sequence = int64(s.number(seq))
	}
	for _, e := range words[1:] {
		pb.Messages = append(pb.Messages, model.Message{Intent: model.Intent{Event: e}, Payload: e})
	}
	req := wire.ProduceRequest{Acks: acks, Timeout: 30 * sim.Second, Transaction: options["txn"], TxnVersion: 1, Batches: []wire.ProduceBatch{pb}}
	if options["version"] != "" {
		req.TxnVersion = s.number(options["version"])
	}
	s.connections++
	req.Connection = s.connections
	if options["connection"] != "" {
		req.Connection = s.number(options["connection"])
	}
	if options["timeout"] != "" {
		req.Timeout = s.duration(options["timeout"])
	}
	what := "produce " + strings.Join(words[1:], " ")
	if acks == wire.AcksNone {
		from := s.clients[s.client]
		from.After(0, func() { from.Send(to, s.w.Op(wire.Broker+"."+wire.OpProduce), sim.Action{}, req, 0) })
		return
	}
	s.send(to, wire.OpProduce, what, req, func(body any) string {
		r := body.(wire.ProduceReply).Results[0]
		if r.Err != nil {
			return fmt.Sprintf("%v (definite: %v)", r.Err, wire.Definite(r.Err))
		}
		return fmt.Sprintf("ok, at %d", r.Base)
	})
}

func (s *script) fetchCommand(to *sim.Node, topic string, k int, words []string, options map[string]string) {
	from := wire.FetchFrom{Topic: topic, Partition: k, Offset: int64(s.number(words[0])), CurrentEpoch: -1}
	if options["epoch"] != "" {
		from.CurrentEpoch = int32(s.number(options["epoch"]))
	}
	req := wire.FetchRequest{MaxWait: 500 * sim.Millisecond, MaxRecords: 100, From: []wire.FetchFrom{from}}
	if slices.Contains(words, "committed") {
		req.Isolation = wire.ReadCommitted
	}
	s.send(to, wire.OpFetch, "fetch "+words[0], req, func(body any) string {
		parts := body.(wire.FetchReply).Partitions
		if len(parts) == 0 {
			return "nothing"
		}
		p := &parts[0]
		if p.Err != nil {
			return p.Err.Error()
		}
		out := []string{}
		for _, b := range p.Batches {
			for i := range b.Messages {
				if b.Control == wire.Data {
					out = append(out, b.Messages[i].Event)
				}
			}
		}
		aborted := ""
		if len(p.Aborted) > 0 {
			aborted = fmt.Sprintf(", aborted %v", p.Aborted)
		}
		return fmt.Sprintf("%v, high %d, stable %d%s", out, p.High, p.LastStable, aborted)
	})
}

var errNotebook = errors.New("not a commit")
