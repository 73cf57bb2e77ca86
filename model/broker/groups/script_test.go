package groups_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is one world that a text drives: the coordinator of one partition of the offsets topic and four clients, which are
// in group workers and read topic orders of four partitions. Sessions last 6 s, a rebalance waits 30 s, and the first join
// of an empty group 3 s. A server-side session is 45 s.
type script struct {
	*rig
	t     *testing.T
	out   strings.Builder
	facts int
	state groups.State
	quiet bool // what comes is not told
}

func play(t *testing.T, text string) string {
	s := &script{t: t, state: groups.Dead}
	cfg := groups.Config{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == ">" && f[1] == "config" {
			configure(t, &cfg, f[2:])
		}
	}
	s.rig = newRig(cfg, 4)
	defer s.w.Close()
	s.told = s.heard
	s.run(10*sim.Millisecond, func() {})
	s.facts = s.w.History.Len()
	scripttest.Commands(text, &s.out, s.command)
	return s.out.String()
}

// configure is the command that may stand anywhere and counts from the start.
func configure(t *testing.T, cfg *groups.Config, f []string) {
	switch f[0] {
	case "anonymous-join":
		cfg.AnonymousJoin = true
	case "expire-active":
		cfg.ExpireActive = true
	case "retention":
		cfg.OffsetsRetention = duration(t, f[1])
	case "verify": // refuses producer 9
		cfg.Verify = func(req *wire.TxnCommitRequest, _ int, then func(error)) {
			if req.Producer.ID == 9 {
				then(wire.ErrTransactionAbort)
				return
			}
			then(nil)
		}
	default:
		defects, err := model.ParseDefects(f)
		require.NoError(t, err)
		cfg.Defects |= defects
	}
}

func duration(t *testing.T, text string) sim.Duration {
	ns, err := rng.ParseDuration(text)
	require.NoError(t, err)
	return sim.Duration(ns)
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-9v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

func (s *script) heard(c *client, op, text string, err error) {
	if err != nil && text == "ok" {
		text = "refused: " + err.Error()
		if !wire.Definite(err) {
			text = "unknown: " + err.Error()
		}
	}
	news := text != c.heard || op != wire.OpHeartbeat
	if c.heard = text; s.quiet || c.beating && !news {
		return
	}
	s.say("%s %s: %s", c.n.Name(), op, text)
}

// tell writes the facts and the group's transitions as they come.
func (s *script) tell() {
	for ; s.facts < s.w.History.Len(); s.facts++ {
		if text := factText(s.w.History.At(int64(s.facts) + 1)); text != "" && !s.quiet {
			s.say("fact: %s", text)
		}
	}
	if state := s.p.c.State("workers"); state != s.state {
		if !s.quiet {
			s.say("group: %v -> %v", s.state, state)
		}
		s.state = state
	}
}

// command is one line. Requests are sent and not waited for: "run" lets time pass.
func (s *script) command(f []string) {
	switch f[0] {
	case "config":
	case "run":
		s.run(duration(s.t, f[1]), s.tell)
	case "skew": // the broker's wall clock steps
		s.p.n.SkewWall(duration(s.t, f[1]))
	case "beat":
		s.beat(f[1:])
	case "log":
		s.log(f[1:])
	case "move": // the leadership goes to another broker, which has the whole log, or what was replicated
		s.p.lead(len(f) > 1 && f[1] == "losing")
	case "partitions":
		n, err := strconv.Atoi(f[1])
		require.NoError(s.t, err)
		s.p.sizes["orders"] = n
	case "marker":
		s.marker(f[1:])
	case "stable":
		s.stable(f[1:])
	default:
		c := s.named(f[0])
		require.NotNil(s.t, c, "no command %v", f)
		s.request(c, f[1], f[2:])
		s.run(0, s.tell)
	}
	s.tell()
}

// log sets how the partition behaves.
func (s *script) log(f []string) {
	switch f[0] {
	case "delay":
		s.p.delay = duration(s.t, f[1])
	case "hangs":
		s.p.hangs = true
	case "goes-on":
		s.p.hangs, s.p.refuses = false, nil
	case "catches-up":
		s.p.hangs = false
		s.p.advance(len(s.p.log))
	case "refuses":
		s.p.refuses = wire.ErrNotEnoughReplicas
	case "gives-up":
		s.p.giveUp(wire.ErrNotEnoughAfter)
	default:
		s.t.Fatalf("no log %v", f)
	}
}

// marker: "commit 7" ends the transaction of producer 7.
func (s *script) marker(f []string) {
	b := wire.Batch{Control: wire.AbortMarker, Producer: wire.ProducerID{ID: s.number(f[1])}}
	if f[0] == "commit" {
		b.Control = wire.CommitMarker
	}
	s.p.append(b)
}

func (s *script) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(s.t, err)
	return n
}

// stable: "consumer-1=0,1 consumer-2=2,3" has these join an empty group and get these shares.
func (s *script) stable(shares []string) {
	s.quiet = true
	for range 2 { // for an id, then with it; a static member is let in by the first
		for _, a := range shares {
			name, _, _ := strings.Cut(a, "=")
			if c := s.named(name); c.instance == "" || c.id == "" {
				c.join()
			}
			s.run(10*sim.Millisecond, s.tell)
		}
	}
	s.run(7*sim.Second, s.tell)
	for i, a := range shares {
		name, _, _ := strings.Cut(a, "=")
		if i == 0 {
			s.named(name).sync(s.shares(shares))
		} else {
			s.named(name).sync(nil)
		}
	}
	s.run(10*sim.Millisecond, s.tell)
	s.quiet = false
	s.say("group: %v in generation %d", s.p.c.State("workers"), s.p.c.Generation("workers"))
}

// beat: "10s consumer-1 consumer-2" sends heartbeats every two seconds, and tells only of answers that are news.
func (s *script) beat(f []string) {
	for _, name := range f[1:] {
		c := s.named(name)
		c.heard, c.beating = "ok", true
	}
	for end := s.w.Now().Add(duration(s.t, f[0])); s.w.Now() < end; {
		for _, name := range f[1:] {
			s.named(name).heartbeat()
		}
		s.run(min(2*sim.Second, end.Sub(s.w.Now())), s.tell)
	}
	for _, name := range f[1:] {
		s.named(name).beating = false
	}
}

// request has a client make one request.
func (s *script) request(c *client, op string, args []string) {
	switch op {
	case "join":
		c.join()
	case "sync":
		c.sync(s.shares(args))
	case "heartbeat":
		c.heartbeat()
	case "leave":
		c.ask(wire.OpLeave, wire.LeaveRequest{Group: c.group, Member: c.id})
	case "remove": // an operator's: by instance id
		c.ask(wire.OpLeave, wire.LeaveRequest{Group: c.group, Instance: args[0]})
	case "restart":
		c.id, c.generation, c.owned, c.since = "", 0, nil, -1
	case "static":
		c.instance = args[0]
	case "reads":
		c.topics = args
	case "waits": // that long at a barrier, for the others
		c.patience = duration(s.t, args[0])
	case "in": // another group
		c.group = args[0]
	case "can":
		c.protocols = args
	case "holds": // of its own accord: what it was assigned before, or has given up since
		c.owned = s.partitions(args)
	case "believes":
		c.generation = s.number(args[0])
	case "commit":
		c.commit(c.generation, s.offsets(args))
	case "commit-as-nobody":
		c.ask(wire.OpCommit, wire.CommitRequest{Group: c.group, Generation: wire.NoGeneration, Offsets: s.offsets(args)})
	case "txn-commit":
		c.txnCommit(c.id, c.generation, s.number(args[0]), s.offsets(args[1:]))
	case "txn-commit-as-nobody":
		c.txnCommit("", wire.NoGeneration, s.number(args[0]), s.offsets(args[1:]))
	case "offsets", "stable-offsets":
		c.ask(wire.OpOffsets, wire.OffsetsRequest{Group: c.group, RequireStable: op != "offsets", Partitions: s.partitions(args)})
	case "report":
		if len(args) > 0 {
			c.owned = s.partitions(args)
		}
		c.report(c.generation, c.owned)
	case "quit":
		c.report(-1, nil)
	case "pause":
		c.report(-2, nil)
	default:
		s.t.Fatalf("no request %s", op)
	}
}

func (c *client) txnCommit(member string, generation, producer int64, offsets []wire.GroupOffset) {
	req := wire.TxnCommitRequest{Transaction: "t", Producer: wire.ProducerID{ID: producer}, Group: c.group, Member: member, Generation: generation, Offsets: offsets}
	c.ask(wire.OpTxnCommit, req)
}

// partition reads "3" or "refunds/1".
func (s *script) partition(text string) wire.TopicPartition {
	topic, number, ok := strings.Cut(text, "/")
	if !ok {
		topic, number = "orders", text
	}
	return wire.TopicPartition{Topic: topic, Partition: int(s.number(number))}
}

// partitions reads "0 2 refunds/1"; "-" is none.
func (s *script) partitions(args []string) []wire.TopicPartition {
	var out []wire.TopicPartition
	for _, a := range args {
		if a != "-" {
			out = append(out, s.partition(a))
		}
	}
	return out
}

// offsets reads "0=5 refunds/1=2".
func (s *script) offsets(args []string) (out []wire.GroupOffset) {
	for _, a := range args {
		at, offset, ok := strings.Cut(a, "=")
		require.True(s.t, ok, a)
		p := s.partition(at)
		out = append(out, wire.GroupOffset{Topic: p.Topic, Partition: p.Partition, Offset: s.number(offset), Epoch: -1})
	}
	return out
}

// shares reads "consumer-1=0,1 consumer-2=2,3".
func (s *script) shares(args []string) (out []wire.MemberShare) {
	for _, a := range args {
		name, list, _ := strings.Cut(a, "=")
		m := wire.MemberShare{Member: s.named(name).id, Partitions: s.partitions(strings.Split(list, ","))}
		require.True(s.t, slices.IsSortedFunc(m.Partitions, func(a, b wire.TopicPartition) int { return a.Partition - b.Partition }))
		out = append(out, m)
	}
	return out
}
