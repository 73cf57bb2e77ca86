package consumer_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is one world that a text drives: topic orders with four partitions, of which broker-1 leads 0 and 2, broker-2 1
// and 3; broker-1 coordinates group workers. A hop takes 1 ms. The defaults are those of the Java client, but for: sessions of
// 6 s, heartbeats every 2 s, a poll interval of 30 s, ten records a poll, reset to earliest, and no auto-commit. The
// first join of an empty group waits 1 s for others.
//
// What a member does is told as its requests arrive at a broker and as its facts; heartbeats and fetches are not told.
type script struct {
	*cluster
	out   strings.Builder
	told  int
	state string
	loops map[string]*scriptLoop

	delayed []delayed
}

func play(t *testing.T, text string) string {
	s := &script{}
	s.begin(t)
	scripttest.Commands(text, &s.out, s.command)
	return s.out.String()
}

// begin makes a new world.
func (s *script) begin(t tb) {
	s.cluster, s.state, s.loops, s.told = newCluster(t, 4), "Dead", map[string]*scriptLoop{}, 0
	s.asked, s.special = s.request, s.delay
	s.delayed = nil
}

// delay holds requests back that a command named.
func (s *script) delay(r *sim.Request) bool {
	for i, d := range s.delayed {
		if d.from == r.From && "broker."+d.op == r.Op {
			s.delayed = append(s.delayed[:i:i], s.delayed[i+1:]...)
			s.say("it is under way for %v", d.by)
			s.brokers[0].After(d.by, func() {
				s.say("it arrives")
				s.coordinator().Receive(r)
			})
			return true
		}
	}
	return false
}

// delayed is a request that will be under way for longer: the next one of a member.
type delayed struct {
	from, op string
	by       sim.Duration
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-9v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

// request tells what arrives at a broker.
func (s *script) request(r *sim.Request) {
	s.tell()
	what := ""
	switch req := r.Body.(type) {
	case wire.JoinRequest:
		what = fmt.Sprintf("member %q", req.Member)
		if req.Instance != "" {
			what += " instance " + req.Instance
		}
		if p := req.Protocols[0]; len(p.Owned) > 0 {
			what += fmt.Sprintf(" owns %s since generation %d", partitions4(p.Owned), p.Generation)
		}
	case wire.SyncRequest:
		what = fmt.Sprintf("generation %d", req.Generation)
		for _, a := range req.Assignment {
			what += fmt.Sprintf(" %s=%s", a.Member, partitions4(a.Partitions))
		}
	case wire.LeaveRequest:
		what = req.Member
	case wire.GroupHeartbeatRequest:
		what = fmt.Sprintf("member %q epoch %d owns %s", req.Member, req.Epoch, partitions4(req.Owned))
	case wire.CommitRequest:
		what = fmt.Sprintf("generation %d", req.Generation)
		for _, o := range req.Offsets {
			what += fmt.Sprintf(" %d:%d", o.Partition, o.Offset)
		}
	case wire.OffsetsRequest:
		what = partitions4(req.Partitions)
	case wire.ListOffsetsRequest:
		what = map[wire.At]string{wire.Earliest: "earliest ", wire.Latest: "latest "}[req.At] + partitions4(req.Partitions)
	case wire.EpochEndRequest:
		what = fmt.Sprintf("partition %d epoch %d", req.Partition, req.Epoch)
	default:
		return
	}
	_, op, _ := strings.Cut(r.Op, ".")
	s.say("%s -> %s %s", r.From, op, what)
}

func partitions4(tps []wire.TopicPartition) string {
	var ids []string
	for _, tp := range tps {
		ids = append(ids, strconv.Itoa(tp.Partition))
	}
	return "[" + strings.Join(ids, " ") + "]"
}

// advance runs the world and tells what happens.
func (s *script) advance(d sim.Duration) {
	done := false
	s.w.At(s.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && s.w.Step() {
		s.tell()
	}
	if stop, ok := s.w.Stopped(); ok {
		s.t.(*testing.T).Fatalf("the world ended: %v %s", stop, stop.Detail)
	}
}

func (s *script) tell() {
	for ; s.told < s.w.History.Len(); s.told++ {
		if text := factLine(s.w.History.At(int64(s.told) + 1)); text != "" {
			s.say("%s", text)
		}
	}
	state := "down"
	if c := s.coordinator(); c != nil {
		state = c.State("workers").String()
	}
	if state != s.state {
		s.say("group: %s -> %s", s.state, state)
		s.state = state
	}
}

func factLine(f *history.Fact) string {
	switch f.Kind {
	case history.KindStopped:
		return f.Node + " stopped: " + f.Note
	case history.KindGeneration:
		return fmt.Sprintf("generation %d: %s", f.Fence, f.Note)
	case history.KindEvicted:
		return fmt.Sprintf("evicted %s: %s", f.Value, f.Note)
	case history.KindAssigned, history.KindRevoked:
		return fmt.Sprintf("%s %v %s at %d, generation %d", f.Node, f.Kind, f.Resource, f.Offset, f.Fence)
	case history.KindDelivered:
		return fmt.Sprintf("%s delivered %s, %s offset %d", f.Node, f.Event, f.Resource, f.Offset)
	case history.KindHandled:
		return fmt.Sprintf("%s handled %s", f.Node, f.Event)
	case history.KindCommitted:
		return fmt.Sprintf("committed %s at %d", f.Resource, f.Offset)
	case history.KindCommitFailed:
		return fmt.Sprintf("%s commit-failed %s at %d: %s", f.Node, f.Resource, f.Offset, f.Note)
	case history.KindGaveUp:
		return fmt.Sprintf("%s gave-up %s: %s", f.Node, f.Resource, f.Note)
	default:
		return ""
	}
}

// command is one line. Nothing happens before time passes, by "run".
func (s *script) command(f []string) {
	switch f[0] {
	case "run":
		s.advance(duration(s.t, f[1]))
	case "options":
		for _, o := range f[1:] {
			s.option(o)
		}
	case "start":
		s.start(f[1], f[2:])
	case "next": // the loop of a member goes on differently
		s.loops[f[1]].set(s.t, f[2:])
	case "publish":
		s.publish(s.number(f[1]), f[2:]...)
	case "transaction": // partition, producer, events
		s.transactional(s.number(f[1]), int64(s.number(f[2])), wire.Data, f[3:]...)
	case "marker":
		control := map[string]wire.Control{"abort": wire.AbortMarker, "commit": wire.CommitMarker}[f[3]]
		s.transactional(s.number(f[1]), int64(s.number(f[2])), control)
	case "delete-before":
		s.logs[s.number(f[1])].DropBefore(int64(s.number(f[2])))
	case "truncate":
		l := s.logs[s.number(f[1])]
		l.SetHigh(min(l.High(), int64(s.number(f[2]))))
		l.Truncate(int64(s.number(f[2])))
	case "lead":
		s.lead(s.number(f[1]), s.w.Node(f[2]))
	case "grow":
		s.grow(s.number(f[1]))
	case "again":
		s.begin(s.t)
	case "delay":
		s.delayed = append(s.delayed, delayed{f[1], f[2], duration(s.t, f[3])})
	case "metadata":
		l := s.logs[s.number(f[1])]
		l.known, l.knows = l.epoch+1, f[2]
	case "positions":
		s.say("positions %v", s.committed())
	default:
		s.fault(f)
	}
	s.tell()
}

func (s *script) fault(f []string) {
	n := s.w.Node(f[1])
	switch f[0] {
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
	case "cut":
		n.Cut(s.brokers[0])
		s.brokers[0].Cut(n)
	case "mend":
		n.Mend(s.brokers[0])
		s.brokers[0].Mend(n)
	default:
		require.Fail(s.t, "no command", "%v", f)
	}
}

func (s *script) number(text string) int {
	n, err := strconv.Atoi(text)
	require.NoError(s.t, err)
	return n
}

func duration(t tb, text string) sim.Duration {
	ns, err := rng.ParseDuration(text)
	require.NoError(t, err)
	return sim.Duration(ns)
}

// option: name=value, of the members that are started from here on.
func (s *script) option(text string) {
	name, value, _ := strings.Cut(text, "=")
	o := &s.opts
	switch name {
	case "profile":
		o.AutoCommit, o.CommitWhileJoining, o.ClientSession, o.Prefetch = consumer.CommitsStored, true, true, 100
		require.Equal(s.t, "librdkafka", value)
	case "assignor":
		o.Assignors = strings.Split(value, ",")
	case "protocol":
		require.Equal(s.t, "server", value)
		o.Protocol = consumer.ServerSide
	case "static":
		o.Static = true
	case "reset":
		o.Reset = map[string]consumer.ResetPolicy{"earliest": consumer.ResetEarliest, "latest": consumer.ResetLatest, "none": consumer.ResetNone}[value]
	case "isolation":
		require.Equal(s.t, "committed", value)
		o.Isolation = wire.ReadCommitted
	case "auto-commit":
		o.AutoCommit = map[string]consumer.AutoCommit{"polled": consumer.CommitsPolled, "stored": consumer.CommitsStored}[value]
	case "max-poll-interval":
		o.MaxPollInterval = duration(s.t, value)
	case "max-poll-records":
		o.MaxPollRecords = s.number(value)
	case "defect":
		d, err := model.ParseDefects([]string{value})
		require.NoError(s.t, err)
		o.Defects = d
		s.cfg.Defects = d
	default:
		require.Fail(s.t, "no option", name)
	}
}

// scriptLoop polls, works and commits.
type scriptLoop struct {
	work          sim.Duration
	commit        bool // after the work
	commitRevoked bool // what was handled and not committed, when it goes
}

func (l *scriptLoop) set(t tb, words []string) {
	for _, word := range words {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "work":
			l.work = duration(t, value)
		case "commit":
			l.commit = value == "yes"
			l.commitRevoked = value == "on-revoke"
		}
	}
}

// start boots a new member, or the next incarnation of one. Its loop commits after its work unless the words say otherwise.
func (s *script) start(name string, words []string) {
	l := &scriptLoop{commit: s.opts.AutoCommit == consumer.CommitsNothing}
	l.set(s.t, words)
	s.loops[name] = l
	n := s.member(func(c model.Ctx, in model.Consumer) { s.loop(c, in, l) })
	require.Equal(s.t, name, n.Name(), "members are numbered")
}

func (s *script) loop(c model.Ctx, in model.Consumer, l *scriptLoop) {
	var open []model.Message
	name := c.Process().Node().Name()
	in.OnRevoke(func(c model.Ctx) {
		s.tell()
		what := "onPartitionsRevoked"
		if in.Lost() {
			what = "onPartitionsLost"
		}
		s.say("%s %s %v", name, what, in.(*consumer.Consumer).Revoking())
		if l.commitRevoked && len(open) > 0 {
			_ = in.Commit(c, open)
		}
		open = nil
	})
	in.OnAssign(func(_ model.Ctx, share []model.PartitionOffset) {
		s.tell()
		var ids []int
		for _, o := range share {
			ids = append(ids, o.Partition)
		}
		s.say("%s onPartitionsAssigned %v", name, ids)
	})
	for {
		batch, ok := in.Poll(c, 0)
		if !ok {
			return
		}
		c.Sleep(l.work)
		handled(c, batch)
		open = append(open, batch...)
		if l.commit {
			_ = in.Commit(c, batch)
			open = nil
		}
	}
}
