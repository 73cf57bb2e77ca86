package broker_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

var update = flag.Bool("update", false, "rewrite testdata/*.txt")

// TestScripts plays testdata/*.txt. A line that begins with "> " is a command, "#" a comment; what is indented is what
// came of it. go test -update writes it anew.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			old, err := os.ReadFile(file)
			require.NoError(t, err)
			got := play(t, string(old))
			require.Equal(t, got, play(t, got), "played twice")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(old), got)
		})
	}
}

// script is one world that a text drives: a broker with topic orders of four partitions, and three clients of
// group workers. A hop takes 1 ms, an append 100 µs, an fsync 2 ms. Sessions last 6 s, a rebalance waits 30 s, the
// first join of an empty group 3 s.
type script struct {
	t       *testing.T
	w       *sim.World
	broker  *sim.Node
	clients []*scripted
	out     strings.Builder
	facts   int
	state   string
}

// scripted is what a client remembers between its requests.
type scripted struct {
	n          *sim.Node
	id         string
	generation int64
}

func play(t *testing.T, text string) string {
	s := &script{t: t, w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))}), state: "Empty"}
	defer s.w.Close()
	s.broker = s.w.Role("broker", broker.New(broker.Config{Topics: []broker.Topic{{Name: "orders", Partitions: 4}, {Name: "dead", Partitions: 1}}, RebalanceDelay: 3 * sim.Second}))
	s.broker.Disk().Timing(rng.Constant(int64(100*sim.Microsecond)), rng.Constant(int64(2*sim.Millisecond)))
	s.broker.Boot()
	for range 3 {
		c := &scripted{n: s.w.Role("consumer", func(*sim.Node) sim.Handler { return sim.NoHandler() })}
		c.n.Boot()
		s.clients = append(s.clients, c)
	}
	s.advance(10 * sim.Millisecond)
	s.out.Reset()
	for _, line := range strings.SplitAfter(text, "\n") {
		if strings.HasPrefix(line, " ") {
			continue
		}
		s.out.WriteString(line)
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "> "); ok {
			s.command(strings.Fields(command))
		}
	}
	return s.out.String()
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-11v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

// advance runs the world and tells the facts and the group's transitions as they come.
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

func (s *script) tell() {
	for ; s.facts < s.w.History.Len(); s.facts++ {
		f := s.w.History.At(int64(s.facts) + 1)
		switch f.Kind {
		case history.KindBooted, history.KindStopped:
			s.say("%s %v %s", f.Node, f.Kind, f.Note)
		case history.KindAppended:
			s.say("fact: appended %s at %s offset %d", f.Event, f.Resource, f.Offset)
		case history.KindGeneration:
			s.say("fact: generation %d of %s: %s", f.Fence, f.Resource, f.Note)
		case history.KindEvicted:
			s.say("fact: evicted %s from %s: %s", f.Value, f.Resource, f.Note)
		case history.KindCommitted:
			s.say("fact: committed %s up to %d by generation %d", f.Resource, f.Offset, f.Fence)
		case history.KindHeld:
			s.say("fact: held %s %s %s offset %d", f.Op, f.Event, f.Resource, f.Offset)
		default:
		}
	}
	state := "down"
	if b := broker.Of(s.broker); b != nil {
		state = b.State("workers").String()
	}
	if state != s.state {
		s.say("group: %s -> %s", s.state, state)
		s.state = state
	}
}

// command is one line. Requests are sent and not waited for: "run" lets time pass.
func (s *script) command(f []string) {
	switch f[0] {
	case "run":
		ns, err := rng.ParseDuration(f[1])
		require.NoError(s.t, err)
		s.advance(sim.Duration(ns))
	case "kill":
		s.node(f[1]).Kill(0)
	case "power-loss":
		s.node(f[1]).PowerLoss(0)
	case "boot":
		s.node(f[1]).Boot()
		if c := s.client(f[1]); c != nil {
			c.id, c.generation = "", 0
		}
	case "beat":
		s.beat(f[1:])
	case "final":
		broker.FinalState(s.broker)
	case "lag":
		s.say("lag: %d", broker.Of(s.broker).Lag("workers"))
	default:
		c := s.client(f[0])
		require.NotNil(s.t, c, "no command %v", f)
		s.request(c, f[1], f[2:])
	}
	s.tell()
}

func (s *script) client(name string) *scripted {
	for _, c := range s.clients {
		if c.n.Name() == name {
			return c
		}
	}
	return nil
}

func (s *script) node(name string) *sim.Node {
	if name == "broker" {
		return s.broker
	}
	return s.client(name).n
}

// beat: "10s consumer-1 consumer-2" sends heartbeats every two seconds, and tells only of refusals.
func (s *script) beat(f []string) {
	ns, err := rng.ParseDuration(f[0])
	require.NoError(s.t, err)
	for end := s.w.Now().Add(sim.Duration(ns)); s.w.Now() < end; {
		for _, name := range f[1:] {
			s.request(s.client(name), "heartbeat", []string{"quiet"})
		}
		s.advance(min(2*sim.Second, end.Sub(s.w.Now())))
	}
}

// request starts a process at the client that makes one call.
func (s *script) request(c *scripted, op string, args []string) {
	var body any
	quiet := false
	switch op {
	case "join":
		body = model.JoinRequest{Group: "workers", Member: c.id, Client: c.n.Name(), Topic: "orders", SessionTimeout: 6 * sim.Second, RebalanceTimeout: 30 * sim.Second}
	case "sync":
		body = model.SyncRequest{Group: "workers", Member: c.id, Generation: c.generation, Assignment: s.shares(args)}
	case "heartbeat":
		quiet = len(args) > 0
		body = model.HeartbeatRequest{Group: "workers", Member: c.id, Generation: c.generation}
	case "leave":
		body = model.LeaveRequest{Group: "workers", Member: c.id}
	case "commit":
		body = model.CommitRequest{Group: "workers", Member: c.id, Generation: c.generation, Topic: "orders", Offsets: s.positions(args)}
	case "offsets":
		body = model.OffsetsRequest{Group: "workers", Topic: "orders", Partitions: []int{0, 1, 2, 3}}
	case "fetch":
		body = model.FetchRequest{Topic: "orders", From: s.positions(args), MaxRecords: 4, MaxWait: 5 * sim.Second}
	case "produce", "dead":
		body = s.produce(op, args)
	default:
		s.t.Fatalf("no request %s", op)
	}
	if op == "dead" {
		op = model.OpProduce
	}
	c.n.Go(op, func(p *sim.Proc) {
		reply, _, err := p.Call(s.broker, s.w.Op("broker."+op), sim.Action{}, body, 0, sim.Minute)
		s.answer(c, op, reply, err, quiet)
	})
	if !quiet {
		s.advance(0)
	}
}

func (s *script) produce(topic string, args []string) model.ProduceRequest {
	req := model.ProduceRequest{Topic: "dead", Acks: 1}
	if topic != "dead" {
		req.Topic = "orders"
	}
	req.Partition, _ = strconv.Atoi(args[0])
	for _, event := range args[1:] {
		req.Messages = append(req.Messages, model.Message{Intent: model.Intent{Event: event}})
	}
	return req
}

func (s *script) answer(c *scripted, op string, reply any, err error, quiet bool) {
	if errors.Is(err, model.ErrUnknownMember) {
		defer func() { c.id = "" }()
	}
	text := "ok"
	switch r := reply.(type) {
	case model.JoinReply:
		c.id, c.generation = r.Member, r.Generation
		text = fmt.Sprintf("%s in generation %d", r.Member, r.Generation)
		if r.Leader == r.Member {
			text += fmt.Sprintf(", leads %v over %d partitions", r.Members, r.Partitions)
		}
	case model.SyncReply:
		text = fmt.Sprintf("partitions %v", r.Partitions)
	case model.OffsetsReply:
		text = ""
		for _, o := range r.Offsets {
			text += fmt.Sprintf("%d=%d ", o.Partition, o.Offset)
		}
	case model.ProduceReply:
		text = fmt.Sprintf("from offset %d", r.Base)
	case model.FetchReply:
		text = "nothing"
		if len(r.Messages) > 0 {
			text = ""
		}
		for _, m := range r.Messages {
			text += fmt.Sprintf("%d/%d=%s ", m.Partition, m.Offset, m.Event)
		}
	}
	if err != nil {
		text = "refused: " + err.Error()
		if !model.Definite(err) {
			text = "unknown: " + err.Error()
		}
	}
	if err != nil || !quiet {
		s.say("%s %s: %s", c.n.Name(), op, strings.TrimSpace(text))
	}
}

// positions reads "0=5 2=1".
func (s *script) positions(args []string) (out []model.PartitionOffset) {
	for _, a := range args {
		i, at, ok := strings.Cut(a, "=")
		require.True(s.t, ok, a)
		partition, err := strconv.Atoi(i)
		require.NoError(s.t, err)
		offset, err := strconv.ParseInt(at, 10, 64)
		require.NoError(s.t, err)
		out = append(out, model.PartitionOffset{Partition: partition, Offset: offset})
	}
	return out
}

// shares reads "consumer-1=0,1 consumer-2=2,3".
func (s *script) shares(args []string) (out []model.MemberPartitions) {
	for _, a := range args {
		name, list, _ := strings.Cut(a, "=")
		m := model.MemberPartitions{Member: s.client(name).id}
		for i := range strings.SplitSeq(list, ",") {
			partition, err := strconv.Atoi(i)
			require.NoError(s.t, err)
			m.Partitions = append(m.Partitions, partition)
		}
		require.True(s.t, slices.IsSorted(m.Partitions))
		out = append(out, m)
	}
	return out
}
