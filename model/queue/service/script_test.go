package service_test

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
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/service"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is one queue, orders, that a text drives, and four clients, c1 to c4. A hop takes 1 ms, an append 100 µs, an fsync
// 2 ms.
type script struct {
	t       *testing.T
	w       *sim.World
	q       *service.Queue
	clients []*sim.Node
	handles map[string][]int64 // of every receive of an event
	out     strings.Builder
	facts   int
}

func play(t *testing.T, text string) string {
	s := &script{t: t, handles: map[string][]int64{}}
	scripttest.Commands(text, &s.out, s.command)
	s.w.Close()
	return s.out.String()
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-11v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

func (s *script) run(d sim.Duration) {
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
		at := fmt.Sprintf("%s:%d", f.Resource, f.Offset)
		switch f.Kind {
		case history.KindStopped:
			s.say("%s stopped: %s", f.Node, f.Note)
		case history.KindAppended:
			s.say("fact: appended %s at %s", f.Event, at)
		case history.KindSettled:
			s.say("fact: settled %s at %s: %s", f.Event, at, f.Op)
		case history.KindParked:
			s.say("fact: parked %s in %s: %s", f.Event, f.Resource, f.Note)
		case history.KindElected:
			s.say("fact: %s leads %s in term %d from %d", f.Node, f.Resource, f.Fence, f.Offset)
		case history.KindTruncated:
			s.say("fact: %s cuts %s", f.Node, at)
		case history.KindHeld:
			s.say("fact: held %s %s at %s", f.Op, f.Event, at)
		default:
		}
	}
}

// command is one line:
//
//	queue sqs-fifo dead-letters max=2 …   makes the queue and lets it start; see option
//	run 10s                               lets time pass
//	kill, power-loss, boot, pause, resume broker-1 …, and c1
//	cut broker-1 broker-2,c1              messages between two sides vanish, until mend
//	shelf [broker-2]                      what is in the queue, as the node that serves knows it, or another
//	lag, final
//	c1 send a b/key delay=10s id=x        requests of a client, to whoever serves, or @broker-2; nobody waits for them
//	c1 receive 10 [wait=20s] [for=5m]     at most so many
//	c1 ack a b#1                          under the last handle of an event, or that of its first receive
//	c1 extend 1m a, return a, reject a, drop a, beat, close
func (s *script) command(f []string) {
	switch f[0] {
	case "queue":
		s.make(f[1:])
	case "run":
		s.run(duration(s.t, f[1]))
	case "kill", "power-loss", "boot", "pause", "resume":
		for _, name := range f[1:] {
			s.stop(f[0], s.node(name))
		}
	case "cut":
		for a := range strings.SplitSeq(f[1], ",") {
			for b := range strings.SplitSeq(f[2], ",") {
				s.node(a).Cut(s.node(b))
				s.node(b).Cut(s.node(a))
			}
		}
	case "mend":
		for _, a := range s.w.Nodes("") {
			for _, b := range s.w.Nodes("") {
				a.Mend(b)
			}
		}
	case "shelf":
		n := s.q.Serving()
		if len(f) > 1 {
			n = s.node(f[1])
		}
		s.say("%s: %v", n.Name(), s.q.Shelf(n))
	case "lag":
		s.say("lag: %d", s.q.Lag())
	case "final":
		s.q.FinalState()
	default:
		s.request(s.node(f[0]), f[1], f[2:])
	}
	s.tell()
}

func (s *script) make(f []string) {
	require.Nil(s.t, s.w, "one queue in a script")
	kind, ok := queue.KindByName(f[0])
	require.True(s.t, ok, f[0])
	cfg := kind.Config()
	cfg.Queue = "orders"
	cfg.Append, cfg.Fsync = rng.Constant(int64(100*sim.Microsecond)), rng.Constant(int64(2*sim.Millisecond))
	seed := uint64(1)
	for _, o := range f[1:] {
		name, value, _ := strings.Cut(o, "=")
		s.option(&cfg, &seed, name, value)
	}
	s.w = sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(sim.Millisecond))})
	s.q = service.Add(s.w, cfg)
	for range 4 {
		s.clients = append(s.clients, s.w.Role("c", func(*sim.Node) sim.Handler { return sim.NoHandler() }))
	}
	for _, n := range s.w.Nodes("") {
		n.Boot()
	}
	s.run(10 * sim.Second)
}

func (s *script) option(cfg *queue.Config, seed *uint64, name, value string) {
	n, _ := strconv.Atoi(value)
	switch name {
	case "dead-letters":
		cfg.DeadLetters = "orders.dlq"
	case "by-hand":
		cfg.ByHand = true
	case "confirmed":
		cfg.DeadLetterConfirmed = true
	case "single-active":
		cfg.SingleActive = true
	case "skips-unacknowledged":
		cfg.Defects = cfg.Defects.With(model.SkipsUnacknowledged)
	case "max":
		cfg.MaxReceives = n
	case "servers":
		cfg.Servers = n
	case "in-flight":
		cfg.MaxInFlight = n
	case "sync":
		cfg.SyncEvery = duration(s.t, value)
	case "retention":
		cfg.Retention = duration(s.t, value)
	case "seed":
		*seed = uint64(n)
	default:
		s.t.Fatalf("no option %s", name)
	}
}

func duration(t *testing.T, text string) sim.Duration {
	ns, err := rng.ParseDuration(text)
	require.NoError(t, err)
	return sim.Duration(ns)
}

// node c1 is c-1, a client; others have their full names.
func (s *script) node(name string) *sim.Node {
	if len(name) == 2 && name[0] == 'c' {
		name = "c-" + name[1:]
	}
	n := s.w.Node(name)
	require.NotNil(s.t, n, name)
	return n
}

func (s *script) stop(how string, n *sim.Node) {
	switch how {
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
	}
}

// request starts a process at the client that makes one call.
func (s *script) request(c *sim.Node, op string, args []string) {
	to := s.q.Serving()
	if i := slices.IndexFunc(args, func(a string) bool { return a[0] == '@' }); i >= 0 {
		to = s.node(args[i][1:])
		args = slices.Delete(args, i, i+1)
	}
	require.NotNil(s.t, to, "nobody serves")
	who := queue.Connection(c.Name(), c.Incarnation(), 0)
	var body any
	name := op
	switch op {
	case "send":
		body = s.sending(args)
	case "receive":
		body = s.receiving(who, args)
	case "ack":
		hs := s.named(args)
		body = queue.AckRequest{Queue: "orders", Consumer: who, Handles: hs, Facts: make([]int64, len(hs))}
	case "extend":
		body = queue.ExtendRequest{Queue: "orders", Handles: s.named(args[1:]), For: duration(s.t, args[0])}
	case "return", "reject", "drop":
		name = queue.OpReturn
		body = queue.ReturnRequest{Queue: "orders", Consumer: who, Handles: s.named(args), Reject: op == "reject", Drop: op == "drop"}
	case "beat", "close":
		name = queue.OpSession
		body = queue.SessionRequest{Queue: "orders", Consumer: who, Close: op == "close"}
	default:
		s.t.Fatalf("no request %s", op)
	}
	c.Go(op, func(p *sim.Proc) {
		reply, _, err := p.Call(to, s.w.Op("broker."+name), sim.Action{}, body, 0, sim.Minute)
		s.answer(c, op, reply, err)
	})
	s.run(0)
}

func (s *script) sending(args []string) queue.SendRequest {
	req := queue.SendRequest{Queue: "orders"}
	for _, a := range args {
		if text, ok := strings.CutPrefix(a, "delay="); ok {
			req.Delay = duration(s.t, text)
			continue
		}
		if id, ok := strings.CutPrefix(a, "id="); ok {
			req.Dedup = append(req.Dedup, id)
			continue
		}
		event, key, _ := strings.Cut(a, "/")
		req.Messages = append(req.Messages, model.Message{Intent: model.Intent{Event: event, Key: key}, Payload: event})
	}
	return req
}

func (s *script) receiving(who string, args []string) queue.ReceiveRequest {
	most, err := strconv.Atoi(args[0])
	require.NoError(s.t, err)
	req := queue.ReceiveRequest{Queue: "orders", Consumer: who, Max: most}
	for _, a := range args[1:] {
		if text, ok := strings.CutPrefix(a, "wait="); ok {
			req.Wait = duration(s.t, text)
		} else if text, ok := strings.CutPrefix(a, "for="); ok {
			req.Visibility = duration(s.t, text)
		}
	}
	return req
}

// named are handles: "a" is that of the last receive of event a, "a#1" of the first.
func (s *script) named(args []string) (out []int64) {
	for _, a := range args {
		event, number, given := strings.Cut(a, "#")
		hs := s.handles[event]
		require.NotEmpty(s.t, hs, "%s was never received", event)
		i := len(hs)
		if given {
			i, _ = strconv.Atoi(number)
		}
		out = append(out, hs[i-1])
	}
	return out
}

func (s *script) answer(c *sim.Node, op string, reply any, err error) {
	text := "ok"
	switch r := reply.(type) {
	case queue.ReceiveReply:
		text = "nothing"
		if len(r.Messages) > 0 {
			text = ""
		}
		for i, m := range r.Messages {
			s.handles[m.Event] = append(s.handles[m.Event], m.Handle)
			text += fmt.Sprintf("%s(%d) ", m.Event, r.Receives[i])
		}
	case queue.AckReply:
		for _, e := range r.Errors {
			if e != nil {
				text = e.Error()
			}
		}
	}
	var other *queue.NotLeader
	switch {
	case errors.As(err, &other):
		text = "sent on to " + other.Node
	case err != nil && queue.Definite(err):
		text = "refused: " + err.Error()
	case err != nil:
		text = "unknown: " + err.Error()
	}
	s.say("c%s %s: %s", strings.TrimPrefix(c.Name(), "c-"), op, strings.TrimSpace(text))
}
