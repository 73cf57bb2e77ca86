package stack

import (
	"errors"
	"slices"
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// sinkTransaction keeps the group's positions in the database of the critical effect. The effect of an event and the
// position behind it commit in one transaction, or neither does: a crash at any moment leaves no effect without its
// position. A member that gets a partition reads its position there, whatever the group's says, and seeks.
//
// The transaction demands that the position is as this member knows it. So a zombie is fenced by the position itself:
// once its successor has moved it, the zombie's effect does not commit. A commit whose reply was lost is no riddle
// either: the position says whether it took place.
//
// The positions of the group are moved all the same, for those who watch the lag; nobody reads from them.
//
// What the transaction does not cover is told again: another stage's service learns of an event before its transaction
// commits. The statement of the sink travels with the commit, in one round. While the database is away nothing moves.
//
// A record that the producer's retry has put into the log twice has two positions, and both are new: it is applied twice.
//
//	unique  the row of the effect is inserted under a unique constraint of event and stage, which refuses the second one
//
// Counterexamples, which a file may state to show what they cost:
//
//	apart  the effect commits, then the position: a crash between the two brings the event again, and it is applied again
//	blind  one transaction, but it does not look at what the position was: a zombie's late request is applied after its
//	       successor's, and takes the position back
type sinkTransaction struct{ apart, blind, unique bool }

func (e sinkTransaction) Name() string {
	switch {
	case e.apart:
		return "sink-two-commits"
	case e.blind:
		return "sink-transaction-blind"
	case e.unique:
		return "sink-transaction-unique"
	}
	return "sink-transaction"
}

func (sinkTransaction) Needs() []model.Capability { return []model.Capability{model.SinkTransaction} }
func (sinkTransaction) Gives() []model.Capability { return nil }

// Check wants one critical effect, at a service that has transactions.
func (e sinkTransaction) Check(s *Site) {
	switch {
	case len(s.Called) != 1:
		s.Report("", "%s commits one critical effect with the position of its event, and the flow has %d; use engine: commit-after", e.Name(), len(s.Called))
	case !s.Called[0].Transacts:
		s.Report("", "%s has no transactions, so no position can commit with its effect; use engine: commit-after and the layer { dedup-store: { variant: durable } }, or a service of kind database", s.Called[0].Name)
	}
}

// Build runs the loop in every member of the group.
func (e sinkTransaction) Build(a model.Assembly, f model.Flow) {
	a.Consume(f.Source, model.Workers, func(c model.Ctx, in model.Consumer, handle model.Batch) {
		s := &sink{sinkTransaction: e, in: in, topic: f.Source}
		for _, st := range f.Stages {
			if st.Class == history.Critical {
				s.stage, s.service = st.Name, st.Service
			}
		}
		in.OnAssign(s.assigned)
		for {
			batch, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			s.work(c, batch, handle)
		}
	})
}

// sink is one member's view of the database.
type sink struct {
	sinkTransaction
	in             model.Consumer
	topic          string
	stage, service string // of the critical effect
	known          []sinkPosition
}

// sinkPosition is a row as the member knows it.
type sinkPosition struct {
	partition       int
	offset, version int64
}

// sinkPause is how long a member waits before it asks a database again that did not answer.
const sinkPause = sim.Second

func (s *sink) row(partition int) string {
	return "position/" + model.PartitionName(s.topic, partition)
}

// assigned reads the positions of the share and seeks. Where the group is behind, it is told: otherwise the lag would
// name work that nobody has to do.
func (s *sink) assigned(c model.Ctx, share []model.PartitionOffset) {
	s.known = s.known[:0]
	var ahead []model.Message
	for _, group := range share {
		at := s.read(c, group.Partition, 0)
		s.known = append(s.known, at)
		s.in.Seek(model.PartitionOffset{Partition: at.partition, Offset: at.offset})
		if at.offset > group.Offset {
			ahead = append(ahead, model.Message{Topic: s.topic, Partition: at.partition, Offset: at.offset - 1})
		}
	}
	if len(ahead) > 0 {
		_ = s.in.Commit(c, ahead) // refused or unknown: there has been a rebalance, and the next owner will tell
	}
}

// read asks for a position until the database answers.
func (s *sink) read(c model.Ctx, partition int, cause int64) sinkPosition {
	for {
		reply, err := c.Transact(s.service, model.OpTxn, model.TxnRequest{Reads: []string{s.row(partition)}, Cause: cause})
		if err == nil {
			return positionOf(partition, reply.Rows[0])
		}
		c.Sleep(sinkPause)
	}
}

func positionOf(partition int, r model.Row) sinkPosition {
	at := sinkPosition{partition: partition, version: r.Version}
	if r.Version != 0 {
		offset, err := strconv.ParseInt(r.Value, 10, 64)
		if err != nil {
			panic("stack: position " + r.Key + ": " + err.Error())
		}
		at.offset = offset
	}
	return at
}

// work handles a batch record by record, each with a transaction of its own.
func (s *sink) work(c model.Ctx, batch []model.Message, handle model.Batch) {
	outcomes := make([]model.Outcome, len(batch))
	var left []int // partitions that are not ours to work on, or not from here
	for i := range batch {
		m := batch[i : i+1]
		if slices.Contains(left, m[0].Partition) {
			outcomes[i] = model.Outcome{Is: model.Defer}
			continue
		}
		t := &sinkSession{sink: s}
		if s.apart {
			outcomes[i] = handle(c, m)[0]
		} else {
			outcomes[i] = handle(c.In(t), m)[0]
		}
		if outcomes[i].Is != model.Defer && !s.commit(c.With(m[0].Intent), t, m[0]) {
			outcomes[i] = model.Outcome{Is: model.Defer, Why: model.ErrSerialize}
		}
		if outcomes[i].Is == model.Defer {
			left = append(left, m[0].Partition)
		}
	}
	finish(c, batch, outcomes)
	moveOn(c, s.in, settled(batch, outcomes))
}

// commit commits the event's transaction, however long the database is away. False: the position was not as this member
// knew it, and nothing took place; it reads on from where the position is. Then it either is a zombie and will hear so at
// its next poll, or a zombie was faster than its successor.
func (s *sink) commit(c model.Ctx, t *sinkSession, m model.Message) bool {
	at := s.at(m.Partition)
	for {
		reply, err := s.transact(c, t, m, at.version)
		if err == nil {
			at.offset, at.version = m.Offset+1, reply.Version
			return true
		}
		if errors.Is(err, model.ErrUnique) { // another record of the same event: only the position is to be moved
			c.With(t.intent).Record(history.Fact{Kind: history.KindSuppressed, Resource: s.service, Op: t.op, Cause: m.Cause, Note: "unique constraint", Fence: -1, Offset: -1})
			t.op = ""
			continue
		}
		conflict := errors.Is(err, model.ErrSerialize)
		if !conflict && model.Definite(err) { // away, or too busy
			c.Sleep(sinkPause)
			continue
		}
		*at = s.read(c, m.Partition, m.Cause)
		switch {
		case !conflict && at.offset == m.Offset+1: // its reply was lost
			return true
		case conflict || at.offset != m.Offset:
			s.in.Seek(model.PartitionOffset{Partition: at.partition, Offset: at.offset})
			return false
		}
	}
}

// transact is the commit of what waits in the session together with the position, or of the position alone.
func (s *sink) transact(c model.Ctx, t *sinkSession, m model.Message, version int64) (model.TxnReply, error) {
	req := model.TxnRequest{Writes: []model.Write{{Key: s.row(m.Partition), Value: strconv.FormatInt(m.Offset+1, 10)}}, Level: model.Serializable, Cause: m.Cause}
	if !s.blind {
		req.Versions = []model.Version{{Key: s.row(m.Partition), Version: version}}
	}
	if t.op == "" {
		return c.Transact(s.service, model.OpTxn, req)
	}
	req.Writes = append(req.Writes, t.write)
	return c.With(t.intent).Transact(s.service, t.op, req)
}

// at is the member's knowledge of a partition that it was handed a record of.
func (s *sink) at(partition int) *sinkPosition {
	for i := range s.known {
		if s.known[i].partition == partition {
			return &s.known[i]
		}
	}
	panic("stack: a record of a partition that was never assigned")
}

// sinkSession is the open transaction of one event: the statement of its critical effect waits in it. A statement of
// a later try takes the place of an earlier one, whose try was rolled back.
type sinkSession struct {
	model.Work
	*sink
	op     string // "" = nothing waits
	intent model.Intent
	write  model.Write
}

// Take keeps the statement of the critical effect. What it answers is what a statement answers before the commit: done, if
// the transaction commits.
func (t *sinkSession) Take(c model.Ctx, service, op string, m model.Message) (model.Message, bool) {
	i := c.Intent()
	if service != t.service || m.Stage != t.stage {
		return model.Message{}, false
	}
	t.op, t.intent = op, i
	t.write = model.Write{Key: i.Event + "/" + m.Stage, Value: m.Payload, Insert: t.unique}
	return model.Message{Intent: i, Amount: m.Amount, Payload: m.Payload, Cause: m.Cause}, true
}
