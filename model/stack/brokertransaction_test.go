package stack_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// twoLoops keeps all loops of an engine.
type twoLoops struct {
	assembly
	loops     []func(model.Ctx, model.Consumer, model.Batch)
	stages    [][]model.Stage
	committed []string // groups
}

func (a *twoLoops) ConsumeStages(_, _ string, stages []model.Stage, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.loops, a.stages = append(a.loops, loop), append(a.stages, stages)
}

func (a *twoLoops) ReadCommitted(group string) { a.committed = append(a.committed, group) }

// prepared is a flow with something to do before its first effect.
func prepared() model.Flow {
	f := flow()
	f.Stages = append([]model.Stage{{Name: "normalise", Kind: model.Pure}}, f.Stages...)
	return f
}

func names(stages []model.Stage) (out []string) {
	for _, s := range stages {
		out = append(out, s.Name)
	}
	return out
}

// transacting is a scripted consumer with its transactional producer, which fails where the script says.
type transacting struct {
	scripted
	fails  map[string][]error // of a step, in order; nil = it succeeds
	states []string           // what Restore hands over, one a line: key count
	assign func(model.Ctx, []model.PartitionOffset)
	around func(model.Batch) model.Batch // a layer; nil = none
}

func (s *transacting) OnAssign(fn func(model.Ctx, []model.PartitionOffset)) { s.assign = fn }
func (s *transacting) Rewind(model.Ctx)                                     { s.log = append(s.log, "rewind") }

// Poll has the member be assigned both partitions before its first batch.
func (s *transacting) Poll(c model.Ctx, most int) ([]model.Message, bool) {
	if fn := s.assign; fn != nil {
		s.assign = nil
		fn(c, []model.PartitionOffset{{Partition: 0}, {Partition: 1}})
	}
	return s.scripted.Poll(c, most)
}

func (s *transacting) step(what, text string) error {
	s.log = append(s.log, what+text)
	if list := s.fails[what]; len(list) > 0 {
		s.fails[what] = list[1:]
		return list[0]
	}
	return nil
}

// transactor is one producer of the script; each has a number.
type transactor struct {
	s *transacting
}

func (t transactor) Begin(model.Ctx) error { return t.s.step("begin", "") }

func (t transactor) Send(_ model.Ctx, topic string, m model.Message) error {
	return t.s.step("send", fmt.Sprintf(" %s %s%s", topic, m.Event, m.Payload))
}

func (t transactor) SendOffsets(_ model.Ctx, _ model.Consumer, ms []model.Message) error {
	text := ""
	for _, m := range ms {
		text += fmt.Sprintf(" %d/%d", m.Partition, m.Offset)
	}
	return t.s.step("offsets", text)
}

func (t transactor) Commit(model.Ctx) error { return t.s.step("commit", "") }
func (t transactor) Abort(model.Ctx) error  { return t.s.step("abort", "") }

// transact runs the first loop of an engine to its end.
func transact(t *testing.T, name string, s *transacting, is map[int64]model.OutcomeKind) *rig {
	t.Helper()
	e, ok := stack.EngineByName(name)
	require.True(t, ok)
	a := &twoLoops{}
	e.Build(a, prepared())
	g := newRig(t)
	dir := &model.Directory{CallTimeout: sim.Second,
		Transactor: func(_ *model.Context, name string) model.Transactor {
			s.log = append(s.log, "producer "+name)
			return transactor{s}
		},
		Restore: func(_ *model.Context, topic string, partition int, to model.Bound, take func(model.Message)) {
			s.log = append(s.log, fmt.Sprintf("restore %s/%d to %d", topic, partition, to))
			for _, state := range s.states {
				var key, count string
				_, err := fmt.Sscan(state, &key, &count)
				require.NoError(t, err)
				take(model.Message{Intent: model.Intent{Key: key}, Payload: count})
			}
		},
		Emit: func(_ *model.Context, topic string, m model.Message) error {
			return s.step("emit", " "+topic+" "+m.Event)
		}}
	handle := s.handler(is)
	if s.around != nil {
		handle = s.around(handle)
	}
	g.runWith(t, dir, func(c *model.Context) { a.loops[0](c, s, handle) })
	return g
}

func batches(offsets ...int64) scripted {
	s := scripted{}
	for _, o := range offsets {
		s.batches = append(s.batches, records(o))
	}
	return s
}

// What a transaction of the broker can take back is inside it. What it cannot stands behind it, and reads what is committed.
func TestEffectsStandBehindTheTransaction(t *testing.T) {
	for _, name := range []string{"broker-transaction", "broker-transaction-no-rewind", "broker-transaction-state", "broker-transaction-state-lso"} {
		e, _ := stack.EngineByName(name)
		a := &twoLoops{}
		e.Build(a, prepared())
		require.Equal(t, []string{"normalise"}, names(a.stages[0]), name)
		require.Equal(t, []string{"charge", "present"}, names(a.stages[1]), name)
		require.Equal(t, []string{stack.Appliers}, a.committed, name)
		require.Contains(t, a.topics, stack.Prepared("orders"), name)
	}
	e, _ := stack.EngineByName("broker-transaction-inline")
	a := &twoLoops{}
	e.Build(a, prepared())
	require.Equal(t, []string{"normalise", "charge", "present"}, names(a.stages[0]))
	require.Empty(t, a.stages[1])
}

func TestRecordsAndPositionsCommitTogether(t *testing.T) {
	s := &transacting{scripted: scripted{batches: [][]model.Message{records(1, 2), records(3)}}}
	g := transact(t, "broker-transaction", s, nil)
	require.Equal(t, []string{
		"producer consumer-1", "begin", "handle 1/1 0/2", "send orders.prepared order-1", "send orders.prepared order-2", "offsets 1/1 0/2", "commit",
		"begin", "handle 1/3", "send orders.prepared order-3", "offsets 1/3", "commit",
	}, s.log)
	linked := g.facts(history.KindLinked)
	require.Len(t, linked, 1)
	require.Equal(t, [3]string{"orders", model.Workers, "orders.prepared"}, [3]string{linked[0].Resource, linked[0].Key, linked[0].Value})
}

func TestNothingBehindADeferredRecordIsInTheTransaction(t *testing.T) {
	s := &transacting{scripted: scripted{batches: [][]model.Message{records(1, 3, 2)}}}
	transact(t, "broker-transaction", s, map[int64]model.OutcomeKind{1: model.Defer})
	require.Equal(t, []string{"send orders.prepared order-2", "offsets 0/2", "commit"}, s.log[3:])
}

// What was given up inside is not there for those behind: the position moves, and nothing goes on. The same of what was parked, which is
// somebody else's now.
func TestWhatIsGivenUpDoesNotGoOn(t *testing.T) {
	for _, is := range []model.OutcomeKind{model.Drop, model.Park, model.Retry} {
		s := &transacting{scripted: scripted{batches: [][]model.Message{records(1, 3)}}}
		transact(t, "broker-transaction", s, map[int64]model.OutcomeKind{1: is})
		require.Equal(t, []string{"send orders.prepared order-3", "offsets 1/1 1/3", "commit"}, s.log[3:], is)
	}
	for name, want := range map[string][]string{
		"broker-transaction": {"emit orders.dlq order-1", "send orders.prepared order-3", "offsets 1/1 1/3", "commit"},
		"publish-commit":     {"emit orders.dlq order-1", "emit orders.prepared order-3", "commit 1/1 1/3"},
	} {
		s := &transacting{scripted: scripted{batches: [][]model.Message{records(1, 3)}}, around: install(t, "dead-letter", nil).batch}
		transact(t, name, s, map[int64]model.OutcomeKind{1: model.Park})
		require.Equal(t, want, s.log[len(s.log)-len(want):], name)
	}
}

// After an abort the position in memory is behind what was aborted: the loop goes back to the group's.
func TestAnAbortedBatchIsReadAgain(t *testing.T) {
	for step, did := range map[string][]string{
		"begin":   {"begin"},
		"send":    {"begin", "handle 1/1", "send orders.prepared order-1"},
		"offsets": {"begin", "handle 1/1", "send orders.prepared order-1", "offsets 1/1"},
		"commit":  {"begin", "handle 1/1", "send orders.prepared order-1", "offsets 1/1", "commit"},
	} {
		rest := []string{"begin", "handle 1/3", "send orders.prepared order-3", "offsets 1/3", "commit"}
		want := append(append([]string{"producer consumer-1"}, did...), "abort", "rewind")
		s := &transacting{scripted: batches(1, 3), fails: map[string][]error{step: {wire.ErrIllegalGeneration}}}
		transact(t, "broker-transaction", s, nil)
		require.Equal(t, append(want, rest...), s.log, step)

		s = &transacting{scripted: batches(1, 3), fails: map[string][]error{step: {wire.ErrIllegalGeneration}}}
		transact(t, "broker-transaction-no-rewind", s, nil)
		require.Equal(t, append(want[:len(want)-1:len(want)-1], rest...), s.log, step)
	}
}

// A producer that was fenced, or whose transaction's fate nobody knows, is replaced by one of the same name, and asked nothing more.
func TestAProducerThatIsLostIsReplaced(t *testing.T) {
	s := &transacting{scripted: batches(1, 3), fails: map[string][]error{"commit": {fmt.Errorf("%w: %w", model.ErrTransactionLost, wire.ErrProducerFenced)}}}
	transact(t, "broker-transaction", s, nil)
	require.Equal(t, []string{"commit", "rewind", "producer consumer-1", "begin"}, s.log[5:9])
	s = &transacting{scripted: batches(1, 3), fails: map[string][]error{"commit": {wire.ErrTransactionAbort}, "abort": {model.ErrTransactionLost}}}
	transact(t, "broker-transaction", s, nil)
	require.Equal(t, []string{"commit", "abort", "rewind", "producer consumer-1", "begin"}, s.log[5:10])
}

// The count of a key goes on from its last value in the changelog, and each change is in the transaction.
func TestStateIsRestoredAndCommitsWithTheRecords(t *testing.T) {
	s := &transacting{scripted: batches(1, 3), states: []string{"other 7", "k 4", "k 5"}}
	g := transact(t, "broker-transaction-state", s, nil)
	require.Equal(t, []string{
		"restore orders.counts/0 to 0", "restore orders.counts/1 to 0", "producer consumer-1",
		"begin", "handle 1/1", "send orders.counts 6", "send orders.prepared order-1", "offsets 1/1", "commit",
		"begin", "handle 1/3", "send orders.counts 7", "send orders.prepared order-3", "offsets 1/3", "commit",
	}, s.log)
	folded := g.facts(history.KindFolded)
	require.Len(t, folded, 2)
	require.Equal(t, [4]string{"count", "k", "orders/1", "7"}, [4]string{folded[1].Op, folded[1].Key, folded[1].Resource, folded[1].Value})
	require.Equal(t, int64(3), folded[1].Offset)
}

// What an aborted transaction has counted is in no changelog, so the memory is ahead: it is thrown away and restored, before
// the next transaction begins.
func TestStateIsRestoredAfterAnAbort(t *testing.T) {
	s := &transacting{scripted: batches(1, 1), states: []string{"k 4"}, fails: map[string][]error{"commit": {wire.ErrTransactionAbort}}}
	transact(t, "broker-transaction-state", s, nil)
	require.Equal(t, []string{"abort", "rewind", "restore orders.counts/1 to 0", "begin", "handle 1/1", "send orders.counts 5"}, s.log[9:15])
}

// Up to where the state is read is all that the two engines differ in.
func TestTheWrongBoundIsTheLastStableOffset(t *testing.T) {
	s := &transacting{scripted: batches(1)}
	transact(t, "broker-transaction-state-lso", s, nil)
	require.Equal(t, fmt.Sprintf("restore orders.counts/0 to %d", model.LastStableOffset), s.log[0])
}

func TestPublishCommitPublishesAndThenCommits(t *testing.T) {
	s := &transacting{scripted: batches(1, 3), fails: map[string][]error{"emit": {nil, sim.ErrTimeout}}}
	transact(t, "publish-commit", s, nil)
	require.Equal(t, []string{"handle 1/1", "emit orders.prepared order-1", "commit 1/1", "handle 1/3", "emit orders.prepared order-3", "rewind"}, s.log,
		"what may not be in the log is published again")
}

// A stack that needs transactions says which capability its broker lacks, and what would help.
func TestEnginesOfTransactionsNeedABrokerThatHasThem(t *testing.T) {
	for _, k := range stack.Engines() {
		needs := false
		for _, c := range k.New().Needs() {
			needs = needs || c == model.BrokerTransaction
		}
		site := stack.Site{Engine: k.Name, Called: []stack.Service{{Transacts: true}}}
		stack.CheckEngine(&site)
		require.Equal(t, needs, len(site.Flaws) > 0, k.Name)
		if needs {
			require.Contains(t, site.Flaws[0].Message, string(model.BrokerTransaction))
			require.Contains(t, site.Flaws[0].Message, "engine: commit-after")
		}
		site = stack.Site{Engine: k.Name, Called: []stack.Service{{Transacts: true}}, Transacts: true}
		stack.CheckEngine(&site)
		require.Empty(t, site.Flaws, k.Name)
	}
}
