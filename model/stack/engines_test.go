package stack_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// scripted is a consumer that hands out its batches and then ends; it keeps a log of what is done with them.
type scripted struct {
	batches [][]model.Message
	refuse  error // of every commit
	revoke  func(model.Ctx)
	auto    bool // the client commits by itself

	onCommit func(model.Ctx)
	log      []string
}

func (s *scripted) Poll(model.Ctx, int) ([]model.Message, bool) {
	if len(s.batches) == 0 {
		return nil, false
	}
	b := s.batches[0]
	s.batches = s.batches[1:]
	return b, true
}

func (s *scripted) Commit(c model.Ctx, ms []model.Message) error {
	s.note("commit", ms)
	if s.onCommit != nil {
		s.onCommit(c)
	}
	return s.refuse
}

func (s *scripted) OnRevoke(fn func(model.Ctx)) { s.revoke = fn }

func (s *scripted) AutoCommits() bool { return s.auto }

func (s *scripted) Lost() bool { return false }

func (s *scripted) Leave(model.Ctx) {}

func (s *scripted) Rewind(model.Ctx) {}

func (s *scripted) OnAssign(func(model.Ctx, []model.PartitionOffset)) {}

func (s *scripted) Seek(model.PartitionOffset) {}

func (s *scripted) Steer(model.Steering) {}

func (s *scripted) note(what string, ms []model.Message) {
	for _, m := range ms {
		what += fmt.Sprintf(" %d/%d", m.Partition, m.Offset)
	}
	s.log = append(s.log, what)
}

// handler answers with the outcomes by offset; done where there is none.
func (s *scripted) handler(is map[int64]model.OutcomeKind) model.Batch {
	return func(_ model.Ctx, ms []model.Message) []model.Outcome {
		s.note("handle", ms)
		out := make([]model.Outcome, len(ms))
		for i := range ms {
			out[i] = model.Outcome{Is: is[ms[i].Offset]}
		}
		return out
	}
}

// drive runs an engine's loop to its end.
func drive(t *testing.T, name string, s *scripted, is map[int64]model.OutcomeKind) *rig {
	t.Helper()
	e, ok := stack.EngineByName(name)
	require.True(t, ok)
	a := newAssembly()
	e.Build(a, flow())
	require.Equal(t, "orders", a.consumes)
	g := newRig(t)
	g.run(t, func(c *model.Context) { a.loop(c, s, s.handler(is)) })
	return g
}

func records(offsets ...int64) (ms []model.Message) {
	for _, o := range offsets {
		m := message("order-" + fmt.Sprint(o))
		m.Partition, m.Offset = int(o%2), o
		ms = append(ms, m)
	}
	return ms
}

func handled(g *rig) (out []history.Outcome) {
	for _, f := range g.facts(history.KindHandled) {
		out = append(out, f.Outcome)
	}
	return out
}

func TestCommitAfterHandlesAndThenCommits(t *testing.T) {
	s := &scripted{batches: [][]model.Message{records(1, 2), records(3)}}
	g := drive(t, "commit-after", s, nil)
	require.Equal(t, []string{"handle 1/1 0/2", "commit 1/1 0/2", "handle 1/3", "commit 1/3"}, s.log)
	require.Equal(t, []history.Outcome{history.Acked, history.Acked, history.Acked}, handled(g))
}

func TestCommitBeforeCommitsAndThenHandles(t *testing.T) {
	s := &scripted{batches: [][]model.Message{records(1, 2), records(3)}}
	g := drive(t, "commit-before", s, nil)
	require.Equal(t, []string{"commit 1/1 0/2", "handle 1/1 0/2", "commit 1/3", "handle 1/3"}, s.log)
	require.Equal(t, []history.Outcome{history.Acked, history.Acked, history.Acked}, handled(g))
}

// What may come again to another member must not be handled here.
func TestCommitBeforeHandlesNothingWhoseCommitIsNotCertain(t *testing.T) {
	s := &scripted{batches: [][]model.Message{records(1)}, refuse: sim.ErrTimeout}
	g := drive(t, "commit-before", s, nil)
	require.Equal(t, []string{"commit 1/1"}, s.log)
	require.Equal(t, []history.Outcome{history.Retried}, handled(g))
	require.Empty(t, g.facts(history.KindDropped), "it is not given up")
}

func TestCommitAfterGoesOnWhenACommitFails(t *testing.T) {
	s := &scripted{batches: [][]model.Message{records(1), records(3)}, refuse: sim.ErrTimeout}
	drive(t, "commit-after", s, nil)
	require.Equal(t, []string{"handle 1/1", "commit 1/1", "handle 1/3", "commit 1/3"}, s.log)
}

func TestCommitAfterStopsBeforeADeferredPosition(t *testing.T) {
	s := &scripted{batches: [][]model.Message{records(1, 2, 3, 4, 5)}}
	g := drive(t, "commit-after", s, map[int64]model.OutcomeKind{3: model.Defer})
	require.Equal(t, []string{"handle 1/1 0/2 1/3 0/4 1/5", "commit 1/1 0/2 0/4"}, s.log)
	require.Equal(t, history.Retried, handled(g)[2])

	s = &scripted{batches: [][]model.Message{records(1)}}
	drive(t, "commit-after", s, map[int64]model.OutcomeKind{1: model.Defer})
	require.Equal(t, []string{"handle 1/1"}, s.log, "nothing to commit")
}

// What lies behind a deferred message of a queue is done, and nothing says so but its own acknowledgement.
func TestCommitAfterAcknowledgesBehindADeferredMessage(t *testing.T) {
	batch := records(1, 3, 5)
	for i := range batch {
		batch[i].Handle = batch[i].Offset
	}
	s := &scripted{batches: [][]model.Message{batch}}
	drive(t, "commit-after", s, map[int64]model.OutcomeKind{3: model.Defer})
	require.Equal(t, []string{"handle 1/1 1/3 1/5", "commit 1/1 1/5"}, s.log)
}

// What is given up moves on, and leaves a line.
func TestWhatIsGivenUpLeavesALine(t *testing.T) {
	for _, engine := range []string{"commit-after", "commit-before"} {
		s := &scripted{batches: [][]model.Message{records(1, 3)}}
		g := drive(t, engine, s, map[int64]model.OutcomeKind{1: model.Park})
		require.Contains(t, s.log, "commit 1/1 1/3", engine)
		require.Equal(t, []history.Outcome{history.GivenUp, history.Acked}, handled(g), engine)
		dropped := g.facts(history.KindDropped)
		require.Len(t, dropped, 1, engine)
		require.Equal(t, "order-1", dropped[0].Event, engine)
	}
}
