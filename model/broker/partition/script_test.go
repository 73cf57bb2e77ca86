package partition

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is the logs of some replicas, by name, and the wall clock that all share.
type script struct {
	t     *testing.T
	logs  map[string]*Log
	asked map[*Log][]*Verification
	now   sim.Time
	fact  int64
	out   strings.Builder
}

func play(t *testing.T, text string) string {
	s := &script{t: t, logs: map[string]*Log{}, asked: map[*Log][]*Verification{}}
	scripttest.Commands(text, &s.out, func(words []string) {
		s.command(words)
		for name, l := range s.logs {
			require.NoError(t, l.Invariants(), "%s after %q", name, words)
		}
	})
	return s.out.String()
}

func (s *script) say(format string, args ...any) { fmt.Fprintf(&s.out, "  "+format+"\n", args...) }

// command is one line: a verb, the log that it is about, and what it needs.
func (s *script) command(f []string) {
	if f[0] == "at" {
		s.now = sim.Time(s.duration(f[1]))
		return
	}
	verb, name, args := f[0], f[1], f[2:]
	if verb == "new" {
		s.logs[name] = New(s.config(args))
		return
	}
	l := s.logs[name]
	require.NotNil(s.t, l, "no log %s", name)
	switch verb {
	case "append":
		s.append(l, args)
	case "check":
		b, version := s.batch(args)
		s.verdict(l, b, version, false)
	case "produce":
		b, version := s.batch(args)
		if s.verdict(l, b, version, false) {
			s.take(l, wire.Batch{Producer: b.Producer, Sequence: b.Sequence, Transactional: version > 0, Messages: b.Messages})
		}
	case "verify":
		s.asked[l] = append(s.asked[l], l.Verify(s.producer(args[0]), s.number(strings.TrimPrefix(args[1], "seq=")), s.now))
	case "produce-verified": // the coordinator has said yes to all that this log was asked for
		b, version := s.batch(args)
		Granted(s.asked[l], func() {
			if s.verdict(l, b, version, true) {
				s.take(l, wire.Batch{Producer: b.Producer, Sequence: b.Sequence, Transactional: version > 0, Messages: b.Messages})
			}
		})
	case "marker":
		s.marker(l, args)
	case "replicate":
		s.replicate(l, s.logs[args[0]])
	case "reconcile":
		s.reconcile(l, s.logs[args[0]], args[1])
	case "cut":
		s.say("%d batches cut, the log ends at %d", len(l.Truncate(s.number(args[0]))), l.End())
	case "drop":
		s.say("%d batches dropped, the log starts at %d", l.DropBefore(s.number(args[0])), l.Start())
	case "reboot":
		s.reboot(name, l)
	case "high":
		s.high(l, s.number(args[0]))
	case "elect":
		l.BeginEpoch(int32(s.number(args[0])))
	case "expire":
		s.say("%d forgotten", l.ExpireProducers(s.now, s.duration(args[0])))
	default:
		s.ask(l, verb, args)
	}
}

// ask is what changes nothing.
func (s *script) ask(l *Log, verb string, args []string) {
	switch verb {
	case "epoch-end":
		epoch, end := l.EpochEnd(int32(s.number(args[0])))
		s.say("epoch %d ends at %d", epoch, end)
	case "diverges":
		at, diverges := l.Diverges(int32(s.number(args[0])), s.number(args[1]))
		s.say("%v: epoch %d ends at %d", diverges, at.Epoch, at.End)
	case "epochs":
		text := "none"
		for i, e := range l.epochs {
			text = strings.TrimPrefix(fmt.Sprintf("%s, %d from %d", text[:len(text)*min(i, 1)], e.epoch, e.start), ", ")
		}
		s.say("%s", text)
	case "diverged":
		offset, diverged := l.Diverged()
		s.say("%v %d", diverged, offset)
	case "offsets":
		s.say("start %d, last stable %d, high watermark %d, end %d", l.Start(), l.LastStable(), l.High(), l.End())
	case "log":
		s.say("%s", describe(l.Batches()))
	case "read":
		s.read(l, s.number(args[0]), args[1])
	case "producers":
		s.producers(l)
	case "open":
		first, ok := l.OpenSince(s.number(args[0]))
		s.say("%v %d", ok, first)
	default:
		s.t.Fatalf("no command %s", verb)
	}
}

func (s *script) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(s.t, err)
	return n
}

func (s *script) duration(text string) sim.Duration {
	ns, err := rng.ParseDuration(text)
	require.NoError(s.t, err)
	return sim.Duration(ns)
}

// config reads "cached=2 evict refuse-unknown", and names of defects.
func (s *script) config(args []string) (cfg Config) {
	for _, a := range args {
		switch {
		case strings.HasPrefix(a, "cached="):
			cfg.CachedBatches = int(s.number(a[7:]))
		case a == "evict-producers":
			cfg.EvictProducers = true
		case a == "refuse-unknown":
			cfg.RefuseUnknown = true
		default:
			d, err := model.ParseDefects([]string{a})
			require.NoError(s.t, err)
			cfg.Defects |= d
		}
	}
	return cfg
}

// append takes "epoch=3 a b": a leader of that epoch appends records of nobody in one batch.
func (s *script) append(l *Log, args []string) {
	epoch := s.number(strings.TrimPrefix(args[0], "epoch="))
	if l.LastEpoch() < int32(epoch) {
		l.BeginEpoch(int32(epoch))
	}
	s.take(l, wire.Batch{Sequence: -1, Messages: messages(args[1:])})
}

// take appends as the leader of the last epoch does.
func (s *script) take(l *Log, b wire.Batch) {
	b.Base, b.LeaderEpoch, b.Time = l.End(), max(0, l.LastEpoch()), s.now
	for i := range b.Messages {
		s.fact++
		b.Messages[i].Stored = s.fact
	}
	b.Raw = Encode(&b)
	l.Append(b)
}

func messages(events []string) (out []model.Message) {
	for _, e := range events {
		out = append(out, model.Message{Intent: model.Intent{Event: e}})
	}
	return out
}

// batch reads "7/0 seq=3 a b", with txn1 or txn2 for a transaction of that version.
func (s *script) batch(args []string) (b *wire.ProduceBatch, version int) {
	b = &wire.ProduceBatch{Producer: s.producer(args[0]), Sequence: s.number(strings.TrimPrefix(args[1], "seq="))}
	if args = args[2:]; strings.HasPrefix(args[0], "txn") {
		version, args = int(s.number(args[0][3:])), args[1:]
	}
	b.Messages = messages(args)
	return b, version
}

func (s *script) producer(text string) wire.ProducerID {
	id, epoch, ok := strings.Cut(text, "/")
	require.True(s.t, ok, text)
	return wire.ProducerID{ID: s.number(id), Epoch: int32(s.number(epoch))}
}

func (s *script) verdict(l *Log, b *wire.ProduceBatch, version int, verified bool) (take bool) {
	v := l.Check(b, s.now)
	if v.Err == nil && !v.Duplicate {
		v.Err = l.CheckTransaction(b, version)
	}
	if v.Err == nil && !v.Duplicate && verified {
		v.Err = l.CheckVerified(b.Producer, b.Sequence)
	}
	switch {
	case v.Err != nil:
		s.say("refused: %v", v.Err)
	case v.Duplicate:
		s.say("duplicate of offset %d, facts %v", v.Base, v.Stored)
	default:
		s.say("taken, to offset %d", l.End())
		return true
	}
	return false
}

// marker reads "commit 7/0 coordinator=1".
func (s *script) marker(l *Log, args []string) {
	producer, coordinator := s.producer(args[1]), int32(s.number(strings.TrimPrefix(args[2], "coordinator=")))
	if err := l.CheckMarker(producer, coordinator); err != nil {
		s.say("refused: %v", err)
		return
	}
	control := wire.CommitMarker
	if args[0] == "abort" {
		control = wire.AbortMarker
	}
	s.say("taken, to offset %d", l.End())
	s.take(l, wire.Batch{Producer: producer, Sequence: -1, Control: control, Transactional: true, CoordinatorEpoch: coordinator})
}

// replicate has a follower take from its leader what is beyond its end.
func (s *script) replicate(follower, leader *Log) {
	batches := leader.Read(follower.End(), 0, leader.End())
	for _, b := range batches {
		copied, ok := Decode(b.Raw)
		require.True(s.t, ok)
		follower.Append(copied)
	}
	s.say("%d batches, the log ends at %d", len(batches), follower.End())
}

// reconcile is what a follower does when a leader begins.
func (s *script) reconcile(follower, leader *Log, by string) {
	generation := map[string]Truncation{"matched-epoch": ByMatchedEpoch, "epoch": ByEpoch, "high-watermark": ToHighWatermark}
	way, ok := generation[by]
	require.True(s.t, ok, by)
	for done := false; !done; {
		asked := follower.LastEpoch()
		var reply wire.EpochEndReply
		reply.Epoch, reply.End = leader.EpochEnd(asked)
		var to int64
		to, done = follower.TruncationPoint(way, reply)
		if way != ToHighWatermark {
			s.say("asked for epoch %d, told: epoch %d ends at %d", asked, reply.Epoch, reply.End)
		}
		s.say("%d batches cut, the log ends at %d", len(follower.Truncate(to)), follower.End())
	}
}

func (s *script) reboot(name string, l *Log) {
	var records []string
	for _, b := range l.Batches() {
		records = append(records, b.Raw)
	}
	opened, taken := Open(l.cfg, records)
	require.Equal(s.t, len(records), taken)
	s.logs[name] = opened
	s.high(opened, l.High())
}

func (s *script) high(l *Log, to int64) {
	was := l.SetHigh(to)
	if bound := l.StableBound(was); bound != l.LastStable() {
		s.say("a reader of committed records who is waiting reads below %d, though the last stable offset is %d: %s", bound, l.LastStable(),
			describe(l.Read(l.LastStable(), 0, bound)))
	}
}

// read has a reader of committed or of all records.
func (s *script) read(l *Log, from int64, isolation string) {
	below := l.High()
	if isolation == "committed" {
		below = l.LastStable()
	}
	s.say("%s", describe(l.Read(from, 0, below)))
	if isolation == "committed" {
		for _, a := range l.Aborted(from, below) {
			s.say("aborted: producer %d from %d on", a.Producer, a.First)
		}
	}
}

// describe gives "0:a,b 2:commit(7/0)".
func describe(batches []wire.Batch) string {
	var out []string
	for _, b := range batches {
		text := fmt.Sprintf("%d:", b.Base)
		switch b.Control {
		case wire.Data:
			for i, m := range b.Messages {
				text += strings.Repeat(",", min(i, 1)) + m.Event
			}
		case wire.CommitMarker:
			text += "commit"
		case wire.AbortMarker:
			text += "abort"
		}
		if b.Producer.ID != 0 {
			text += fmt.Sprintf("(%d/%d)", b.Producer.ID, b.Producer.Epoch)
		}
		out = append(out, text)
	}
	if out == nil {
		return "nothing"
	}
	return strings.Join(out, " ")
}

func (s *script) producers(l *Log) {
	if len(l.producers) == 0 {
		s.say("none")
	}
	for _, p := range l.producers {
		text := fmt.Sprintf("%d/%d:", p.id, p.epoch)
		for _, r := range p.recent {
			text += fmt.Sprintf(" %d-%d@%d", r.first, r.last, r.base)
		}
		if p.coordinatorEpoch >= 0 {
			text += fmt.Sprintf(" coordinator %d", p.coordinatorEpoch)
		}
		if p.since != none {
			text += fmt.Sprintf(" open since %d", p.since)
		}
		s.say("%s", text)
	}
}
