package transactions_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/transactions"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is a rig that a text drives, with two producers whose transactional id is "payments". The states of the
// coordinator are told as they change: its state, producer id and epoch, partitions, and the transition under way.
type script struct {
	*rig
	t       *testing.T
	clients []*scripted
	version int
	out     strings.Builder
	told    int
	states  map[string]string
	delay   sim.Duration // of the next request of a client
	astray  sim.Duration // of the next request with markers
}

// scripted is what a client remembers.
type scripted struct {
	n  *sim.Node
	id wire.ProducerID
}

func play(t *testing.T, text string) string {
	s := &script{t: t, version: 2, states: map[string]string{}}
	scripttest.Commands(text, &s.out, func(words []string) {
		if s.rig == nil {
			s.begin(words)
		}
		s.command(words)
	})
	s.w.Close()
	return s.out.String()
}

// begin makes the world: "config version=1 defects=a,b" if that is the first command.
func (s *script) begin(f []string) {
	cfg := transactions.Config{}
	if f[0] == "config" {
		for _, option := range f[1:] {
			name, value, _ := strings.Cut(option, "=")
			switch name {
			case "version":
				s.version, _ = strconv.Atoi(value)
			case "defects":
				d, err := model.ParseDefects(strings.Split(value, ","))
				require.NoError(s.t, err)
				cfg.Defects = d
			default:
				s.t.Fatalf("no option %s", option)
			}
		}
	}
	cfg.Version = s.version
	s.rig = newRig(cfg)
	s.rig.told = s.say
	for range 2 {
		c := &scripted{n: s.w.Role("producer", func(*sim.Node) sim.Handler { return sim.NoHandler() })}
		c.n.Boot()
		s.clients = append(s.clients, c)
	}
	for _, op := range []string{wire.OpInitProducer, wire.OpAddPartitions, wire.OpEndTxn} {
		s.w.Watch("broker."+op+"/sent", func(h *sim.Hit) { h.Delay, s.delay = s.delay, 0 })
	}
	s.w.Watch("broker."+wire.OpMarkers+"/sent", func(h *sim.Hit) { h.Delay, s.astray = s.astray, 0 })
	s.skip()
}

// skip leaves out what has happened so far.
func (s *script) skip() { s.told = s.w.History.Len() }

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-10v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

// advance runs the world and tells what comes.
func (s *script) advance(d sim.Duration) {
	done := false
	s.w.At(s.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && s.step(s.t) {
		s.tell()
	}
	if stop, ok := s.w.Stopped(); ok {
		s.t.Fatalf("the world ended: %v %s", stop, stop.Detail)
	}
}

func (s *script) tell() {
	for ; s.told < s.w.History.Len(); s.told++ {
		f := s.w.History.At(int64(s.told) + 1)
		switch f.Kind {
		case history.KindBooted, history.KindStopped:
			s.say("%s %v %s", f.Node, f.Kind, f.Note)
		case history.KindTransaction:
			text := fmt.Sprintf("fact: %s of %s, producer %s/%d", f.Op, f.Value, f.Resource, f.Fence)
			if f.Note != "" {
				text += ", " + f.Note
			}
			s.say("%s", text)
		default:
		}
	}
	c := s.coordinator()
	if c == nil {
		return
	}
	known := map[string]string{}
	for _, v := range c.Views() {
		known[v.Name] = v.String()
		if s.states[v.Name] != v.String() {
			s.say("%s: %v", v.Name, v)
		}
	}
	for name := range s.states {
		if known[name] == "" {
			s.say("%s: forgotten", name)
		}
	}
	s.states = known
}

// command is one line. Requests are sent and not waited for: "run" lets time pass.
func (s *script) command(f []string) {
	switch f[0] {
	case "config":
	case "run":
		s.advance(s.duration(f[1]))
	case "lead":
		to := s.w.Node(f[1])
		s.lead(to)
		s.say("%s coordinates in epoch %d", f[1], s.epoch)
		s.advance(0)
	case "kill":
		s.w.Node(f[1]).Kill(0)
		if s.leader == s.w.Node(f[1]) {
			s.leader = nil
			s.states = map[string]string{}
		}
	case "boot":
		s.w.Node(f[1]).Boot()
	case "skew":
		d := s.duration(strings.TrimPrefix(f[2], "-"))
		if strings.HasPrefix(f[2], "-") {
			d = -d
		}
		s.w.Node(f[1]).SkewWall(d)
	case "leader":
		s.leads[s.partition(f[1])] = s.w.Node(f[2])
	case "takes", "refuses":
		s.takes[s.w.Node(f[1])] = nil
		if f[0] == "refuses" {
			s.takes[s.w.Node(f[1])] = wire.ErrNotEnoughReplicas
		}
		if len(f) > 2 && f[2] == "fenced" {
			s.takes[s.w.Node(f[1])] = wire.ErrInvalidProducer
		}
	case "silent", "answers":
		s.silent[s.w.Node(f[1])] = f[0] == "silent"
	case "markers": // late 3s
		s.astray = s.duration(f[2])
	case "ids": // none, or back
		s.noIDs = nil
		if f[1] == "none" {
			s.noIDs = sim.ErrTimeout
		}
	case "append":
		s.append(f[1:])
	case "log":
		s.seed(f[1], f[2], f[3])
	default:
		s.request(f)
	}
	s.tell()
}

// append sets the fate of what is appended from now on: ok, slow 1s, refused, lost, kept.
func (s *script) append(f []string) {
	switch f[0] {
	case "ok":
		s.healthy()
	case "slow":
		d := s.duration(f[1])
		s.appends = func() (sim.Duration, error, bool) { return d, nil, true }
	case "refused":
		s.appends = func() (sim.Duration, error, bool) { return 0, wire.ErrNotEnoughReplicas, false }
	case "lost", "kept":
		s.appends = func() (sim.Duration, error, bool) { return sim.Second, wire.ErrRequestTimedOut, f[0] == "kept" }
	default:
		s.t.Fatalf("no append %s", f[0])
	}
}

// seed writes a record of payments: "log Empty 1/32765 timeout=30s".
func (s *script) seed(state, id, timeout string) {
	for v := transactions.Empty; v <= transactions.PrepareEpochFence; v++ {
		if v.String() == state {
			value := transactions.Encode(v, s.identity(id), s.duration(strings.TrimPrefix(timeout, "timeout=")))
			s.log = append(s.log, wire.Batch{Messages: []model.Message{{Intent: model.Intent{Key: "payments"}, Payload: value}}})
			s.nextID = s.identity(id).ID
			return
		}
	}
	s.t.Fatalf("no state %s", state)
}

func (s *script) duration(text string) sim.Duration {
	ns, err := rng.ParseDuration(text)
	require.NoError(s.t, err)
	return sim.Duration(ns)
}

func (s *script) partition(text string) wire.TopicPartition {
	topic, i, _ := strings.Cut(text, "/")
	partition, err := strconv.Atoi(i)
	require.NoError(s.t, err)
	return wire.TopicPartition{Topic: topic, Partition: partition}
}

// identity reads 1/0.
func (s *script) identity(text string) wire.ProducerID {
	id, epoch, _ := strings.Cut(text, "/")
	n, err := strconv.ParseInt(id, 10, 64)
	require.NoError(s.t, err)
	e, err := strconv.Atoi(epoch)
	require.NoError(s.t, err)
	return wire.ProducerID{ID: n, Epoch: int32(e)}
}

// request is "producer-1 add orders/0 orders/1", with options as=1/0 (its identity), name=, timeout= and expect= (of init),
// version=, late=3s (it arrives that much later, and nobody waits), to=broker-2.
type request struct {
	client   *scripted
	op, name string
	args     []string
	as       wire.ProducerID
	expect   wire.ProducerID
	timeout  sim.Duration
	version  int
	patience sim.Duration
	to       *sim.Node
}

func (s *script) request(f []string) {
	q := request{op: f[1], name: "payments", timeout: 30 * sim.Second, version: s.version, patience: sim.Minute, to: s.leader}
	for _, c := range s.clients {
		if c.n.Name() == f[0] {
			q.client, q.as = c, c.id
		}
	}
	require.NotNil(s.t, q.client, "no command %v", f)
	for _, a := range f[2:] {
		option, value, ok := strings.Cut(a, "=")
		if !ok {
			q.args = append(q.args, a)
			continue
		}
		s.option(&q, option, value)
	}
	op, body := s.body(&q)
	began := q.client.n.Record(history.Fact{Kind: history.KindCalled, Op: op, Offset: -1, Fence: -1})
	q.client.n.Go(q.op, func(p *sim.Proc) {
		reply, _, err := p.Call(q.to, s.w.Op("broker."+op), sim.Action{}, body, began, q.patience)
		s.answer(&q, reply, err)
	})
	s.advance(0)
}

func (s *script) option(q *request, option, value string) {
	switch option {
	case "as":
		q.as = s.identity(value)
	case "expect":
		q.expect = s.identity(value)
	case "timeout":
		q.timeout = s.duration(value)
	case "version":
		q.version, _ = strconv.Atoi(value)
	case "late":
		s.delay, q.patience = s.duration(value), sim.Second
	case "name":
		q.name = value
	case "to":
		q.to = s.w.Node(value)
	default:
		s.t.Fatalf("no option %s", option)
	}
}

func (s *script) body(q *request) (string, any) {
	var ps []wire.TopicPartition
	switch q.op {
	case "init":
		return wire.OpInitProducer, wire.InitProducerRequest{Transaction: q.name, Timeout: q.timeout, Expected: q.expect}
	case "add", "verify":
		for _, a := range q.args {
			ps = append(ps, s.partition(a))
		}
		return wire.OpAddPartitions, wire.AddPartitionsRequest{Transaction: q.name, Producer: q.as, VerifyOnly: q.op == "verify", Partitions: ps}
	case "offsets":
		return wire.OpAddOffsets, wire.AddOffsetsRequest{Transaction: q.name, Producer: q.as, Group: q.args[0]}
	case "commit", "abort":
		return wire.OpEndTxn, wire.EndTxnRequest{Transaction: q.name, TxnVersion: q.version, Producer: q.as, Commit: q.op == "commit"}
	}
	s.t.Fatalf("no request %s", q.op)
	return "", nil
}

func (s *script) answer(q *request, reply any, err error) {
	text := "ok"
	switch r := reply.(type) {
	case wire.InitProducerReply:
		q.client.id = r.Producer
		text = fmt.Sprintf("producer %d/%d", r.Producer.ID, r.Producer.Epoch)
	case wire.EndTxnReply:
		if r.Producer != q.client.id {
			text = fmt.Sprintf("ok, goes on as producer %d/%d", r.Producer.ID, r.Producer.Epoch)
			q.client.id = r.Producer
		}
	}
	if err != nil {
		text = "refused: " + err.Error()
		if !wire.Definite(err) {
			text = "unknown: " + err.Error()
		}
	}
	s.say("%s %s: %s", q.client.n.Name(), q.op, text)
}
