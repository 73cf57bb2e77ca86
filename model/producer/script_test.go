package producer_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is one world after the other that a text drives: two brokers, of which broker-1 leads the even partitions of
// topic orders and broker-2 the odd ones, and a client. A hop takes 1 ms. A broker does with a request what the next
// fitting line says ("broker-1 produce error not the leader"), and otherwise what a log does.
type script struct {
	t      *testing.T
	w      *sim.World
	c      *cluster
	node   *sim.Node
	cfg    producer.Settings
	parts  int
	client *producer.Client
	out    strings.Builder
	facts  int
	state  string
	socket *narrow
}

func play(t *testing.T, text string) string {
	s := &script{t: t}
	defer func() {
		if s.w != nil {
			s.w.Close()
		}
	}()
	scripttest.Commands(text, &s.out, s.command)
	return s.out.String()
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-11v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

// begin makes a world for a profile: "java", "java-before-3", "librdkafka", with settings such as linger=5ms.
func (s *script) begin(profile string, args []string) {
	if s.w != nil {
		s.w.Close()
	}
	s.w = sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(hop))})
	s.facts, s.parts, s.state = 0, 2, ""
	s.cfg = map[string]func() producer.Settings{"java": producer.Java, "java-before-3": producer.JavaBefore3, "java-3.0.0": producer.Java300, "librdkafka": producer.Librdkafka}[profile]()
	s.socket = nil
	for _, a := range args {
		s.set(a)
	}
	s.c = newCluster(s.w, 2, map[string]int{"orders": s.parts})
	s.c.saw = s.say
	s.node = s.w.Role("producer", func(n *sim.Node) sim.Handler {
		s.client = producer.Attach(n, s.cfg, client.New(n, client.Config{Bootstrap: s.c.brokers}))
		return &idle{true}
	})
	s.node.Boot()
	s.facts = s.w.History.Len()
}

type idle struct{ bool }

func (*idle) Receive(*sim.Node, *sim.Request) {}

// set changes one setting.
func (s *script) set(arg string) {
	name, value, _ := strings.Cut(arg, "=")
	cfg := &s.cfg
	durations := map[string]*sim.Duration{"linger": &cfg.Linger, "request-timeout": &cfg.RequestTimeout, "delivery-timeout": &cfg.DeliveryTimeout,
		"max-block": &cfg.MaxBlock, "backoff": &cfg.Backoff}
	numbers := map[string]*int{"acks": &cfg.Acks, "in-flight": &cfg.InFlight, "retries": &cfg.Retries, "batch-records": &cfg.BatchRecords, "batch-bytes": &cfg.BatchBytes,
		"record-bytes": &cfg.RecordBytes, "buffer-bytes": &cfg.BufferBytes, "buffer-records": &cfg.BufferRecords, "partitions": &s.parts, "version": &cfg.TransactionVersion}
	switch {
	case durations[name] != nil:
		ns, err := rng.ParseDuration(value)
		require.NoError(s.t, err)
		*durations[name] = sim.Duration(ns)
	case numbers[name] != nil:
		n, err := strconv.Atoi(value)
		require.NoError(s.t, err)
		*numbers[name] = n
	case name == "idempotent":
		*cfg = cfg.Idempotent()
	case name == "transactional":
		*cfg = cfg.Transactional(value)
	case name == "socket": // bytes that it takes until the script says that they are written out
		n, err := strconv.Atoi(value)
		require.NoError(s.t, err)
		s.socket = &narrow{room: n}
		cfg.Socket = func(*sim.Node) producer.Socket { return s.socket }
	case name == "defect":
		d, err := model.ParseDefects([]string{value})
		require.NoError(s.t, err)
		cfg.Defects = d
	default:
		s.t.Fatalf("no setting %s", arg)
	}
}

// narrow is a socket that takes one request and then none until it is written out.
type narrow struct {
	room int
	then []func()
}

func (n *narrow) Takes(bytes int) bool { return bytes <= n.room }

func (n *narrow) WhenWritable(fn func()) { n.then = append(n.then, fn) }
func (n *narrow) Close()                 {}

// advance runs the world and tells what comes of it.
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

// tell tells the facts and transitions that are new.
func (s *script) tell() {
	for ; s.facts < s.w.History.Len(); s.facts++ {
		switch f := s.w.History.At(int64(s.facts) + 1); f.Kind {
		case history.KindStopped, history.KindBooted:
			s.say("%s %v", f.Node, f.Kind)
		case history.KindTransaction:
			s.say("fact: %s %s as %s/%d", f.Op, f.Value, f.Resource, f.Fence)
		default:
		}
	}
	if s.cfg.Transaction == "" {
		return
	}
	if now := s.client.State().String(); now != s.state {
		s.say("state: %s", now)
		s.state = now
	}
}

// command is one line. Nothing is waited for: "run" lets time pass.
func (s *script) command(f []string) {
	switch f[0] {
	case "java", "java-before-3", "java-3.0.0", "librdkafka":
		s.begin(f[0], f[1:])
	case "run":
		ns, err := rng.ParseDuration(f[1])
		require.NoError(s.t, err)
		s.advance(sim.Duration(ns))
	case "kill":
		s.w.Node(f[1]).Kill(0)
	case "power-loss":
		s.w.Node(f[1]).PowerLoss(0)
	case "pause":
		s.w.Node(f[1]).Pause()
	case "resume":
		s.w.Node(f[1]).Resume()
	case "boot":
		s.w.Node(f[1]).Boot()
	case "lead": // lead 0 broker-2: it leads the partition from now on
		i, _ := strconv.Atoi(f[1])
		s.c.lead("orders", i, strings.Join(f[2:], ""))
	case "missing":
		s.c.missing = true
	case "found":
		s.c.missing = false
	case "confused":
		s.c.outOfOrderOnDuplicate = true
	case "coordinator":
		s.c.coord = f[1]
	case "log":
		s.log(f[1])
	case "written":
		for _, fn := range s.socket.then {
			s.node.After(0, fn)
		}
		s.socket.then = nil
	case "room":
		s.socket.room, _ = strconv.Atoi(f[1])
	case "client":
		s.say("%v", s.client)
	case "sequence": // sequence 0 2147483646: so many records of the partition have been acknowledged, and the log forgets them
		i, _ := strconv.Atoi(f[1])
		next, err := strconv.ParseInt(f[2], 10, 64)
		require.NoError(s.t, err)
		s.client.NextSequence("orders", i, next)
		s.c.logs["orders/"+f[1]].producers = map[int64]*written{}
	default:
		s.act(f)
	}
	s.tell()
}

// log tells what a partition holds.
func (s *script) log(partition string) {
	l := s.c.logs["orders/"+partition]
	var held []string
	for i, m := range l.messages {
		held = append(held, m.Event+l.sequences[i])
	}
	s.say("orders/%s: %s", partition, strings.Join(held, ", "))
}

// act has the client do something, or a broker answer in its own way.
func (s *script) act(f []string) {
	switch f[0] {
	case "broker-1", "broker-2", "broker":
		s.answer(f)
	case "send": // send 0 a b: records to a partition, whoever waits for what
		i, err := strconv.Atoi(f[1])
		require.NoError(s.t, err)
		for _, event := range f[2:] {
			m := model.Message{Intent: model.Intent{Event: event, Key: keyOf(i, s.parts)}}
			s.client.Enqueue("orders", m, func(r producer.Result) { s.result(event, r) })
		}
	case "begin":
		require.NoError(s.t, s.client.Begin())
	case "init":
		s.run(f[0], s.client.InitTransactions)
	case "commit":
		s.run(f[0], s.client.Commit)
	case "abort":
		s.run(f[0], s.client.Abort)
	case "offsets": // offsets workers consumer-1 3
		generation, err := strconv.ParseInt(f[3], 10, 64)
		require.NoError(s.t, err)
		s.run(f[0], func(p *sim.Proc) error {
			return s.client.SendOffsets(p, producer.Group{Name: f[1], Member: f[2], Generation: generation}, []wire.GroupOffset{{Topic: "payments", Offset: 7, Epoch: -1}})
		})
	default:
		s.t.Fatalf("no command %v", f)
	}
	s.advance(0)
}

// answer: "broker-1 produce error not the leader", "broker produce lost", "broker-2 end-txn held 70s".
func (s *script) answer(f []string) {
	a := answer{broker: f[0], op: f[1], how: f[2]}
	if f[0] == "broker" {
		a.broker = ""
	}
	switch a.how {
	case "error", "after":
		a.err = errorNamed(strings.Join(f[3:], " "))
	case "late", "held":
		ns, err := rng.ParseDuration(f[3])
		require.NoError(s.t, err)
		a.wait = sim.Duration(ns)
	case "lost", "silent", "ok":
	default:
		s.t.Fatalf("no answer %v", f)
	}
	s.c.plan = append(s.c.plan, a)
}

// run has a process of the application call the client.
func (s *script) run(what string, fn func(*sim.Proc) error) {
	s.node.Go(what, func(p *sim.Proc) {
		switch err := fn(p); {
		case err == nil:
			s.say("%s: done", what)
		case model.Definite(err):
			s.say("%s: %v", what, err)
		default:
			s.say("%s: unknown, %v", what, err)
		}
	})
}

func (s *script) result(event string, r producer.Result) {
	switch {
	case r.Err == nil && r.Offset < 0:
		s.say("%s: accepted", event)
	case r.Err == nil:
		s.say("%s: accepted at %d", event, r.Offset)
	case model.Definite(r.Err):
		s.say("%s: refused, %v", event, r.Err)
	default:
		s.say("%s: uncertain, %v", event, r.Err)
	}
}
