package producer

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// step is one request of a transactional client. One at a time is under way, the most urgent first.
type step struct {
	op      string
	urgency int    // smaller goes first
	group   string // of a request to a group's coordinator; "" = the transaction's coordinator
	body    func() any
	fact    int64
	outcome *outcome
	tries   int
	quick   bool                  // its next try comes after quickRetry at the latest
	then    func(reply any) error // what follows from the reply; an error in it is judged like one of the request
}

// Urgency of steps, as in the Java client.
const (
	urgentInit = iota
	urgentAdd
	urgentEnd
	urgentBump
)

// quickRetry is how soon the first AddPartitionsToTxn of a transaction is tried again that meets the one before, whose
// markers are still being written (KAFKA-5482).
const quickRetry = 20 * sim.Millisecond

// queue adds a step behind those that are as urgent.
func (t *transactions) queue(s *step) {
	i := 0
	for i < len(t.pending) && t.pending[i].urgency <= s.urgency {
		i++
	}
	t.pending = slices.Insert(t.pending, i, s)
}

func (t *transactions) initStep(expected wire.ProducerID) *step {
	cfg := &t.c.cfg
	s := &step{op: wire.OpInitProducer, urgency: urgentInit, outcome: t.ending}
	if expected != (wire.ProducerID{}) {
		s.urgency = urgentBump
	}
	s.body = func() any {
		return wire.InitProducerRequest{Transaction: cfg.Transaction, Timeout: cfg.TransactionTimeout, Expected: expected}
	}
	s.then = func(reply any) error {
		t.restart(reply.(wire.InitProducerReply).Producer)
		t.bump = false
		t.move(Ready)
		s.outcome.come(nil)
		return nil
	}
	return s
}

func (t *transactions) addPartitionsStep(list []wire.TopicPartition) *step {
	s := &step{op: wire.OpAddPartitions, urgency: urgentAdd}
	s.quick = !t.started
	s.body = func() any {
		return wire.AddPartitionsRequest{Transaction: t.c.cfg.Transaction, Producer: t.c.ids.ProducerID, Partitions: list}
	}
	s.then = func(any) error {
		t.started = true
		t.told(list, inside)
		return nil
	}
	return s
}

func (t *transactions) addOffsetsStep(group string, commit *step, o *outcome) *step {
	s := &step{op: wire.OpAddOffsets, urgency: urgentAdd, outcome: o}
	s.body = func() any {
		return wire.AddOffsetsRequest{Transaction: t.c.cfg.Transaction, Producer: t.c.ids.ProducerID, Group: group}
	}
	s.then = func(any) error {
		t.started = true
		t.queue(commit)
		return nil
	}
	return s
}

func (t *transactions) offsetsStep(g Group, offsets []wire.GroupOffset, o *outcome) *step {
	s := &step{op: wire.OpTxnCommit, urgency: urgentAdd, group: g.Name, outcome: o}
	s.body = func() any {
		return wire.TxnCommitRequest{Transaction: t.c.cfg.Transaction, TxnVersion: t.c.cfg.TransactionVersion, Producer: t.c.ids.ProducerID,
			Group: g.Name, Member: g.Member, Instance: g.Instance, Generation: g.Generation, Offsets: offsets}
	}
	s.then = func(reply any) error {
		if r, ok := reply.(wire.CommitReply); ok {
			for _, err := range r.Errs {
				if err != nil {
					return err
				}
			}
		}
		o.come(nil)
		return nil
	}
	return s
}

func (t *transactions) endStep(commit bool) *step {
	s := &step{op: wire.OpEndTxn, urgency: urgentEnd, outcome: t.ending, fact: t.began}
	s.body = func() any {
		return wire.EndTxnRequest{Transaction: t.c.cfg.Transaction, TxnVersion: t.c.cfg.TransactionVersion, Producer: t.c.ids.ProducerID, Commit: commit, Began: t.began}
	}
	s.then = func(reply any) error {
		if r, ok := reply.(wire.EndTxnReply); ok && r.Producer != (wire.ProducerID{}) && r.Producer != t.c.ids.ProducerID {
			t.restart(r.Producer) // version 2: an epoch for each transaction
		}
		t.ended(s.outcome)
		return nil
	}
	return s
}

// ended is a transaction that is over, for the client. If an epoch is to be had first, that is what its caller waits for.
func (t *transactions) ended(o *outcome) {
	t.over()
	if t.bump {
		t.move(Initializing)
		return
	}
	t.move(Ready)
	o.come(nil)
}

// advance sends the next step if none is under way.
func (t *transactions) advance() {
	if t.flying != nil {
		return
	}
	if list := t.joins(); len(list) > 0 {
		t.queue(t.addPartitionsStep(list))
	}
	if len(t.pending) == 0 {
		return
	}
	s := t.pending[0]
	if s.op == wire.OpEndTxn && t.c.Outstanding() > 0 {
		return // all batches are answered first
	}
	t.pending = t.pending[1:]
	if t.dropped(s) {
		t.advance()
		return
	}
	if s.op == wire.OpEndTxn && !t.started { // the coordinator knows nothing of it
		t.ended(s.outcome)
		t.advance()
		return
	}
	t.flying = s
	t.find(s)
}

// find finds the coordinator that a step goes to.
func (t *transactions) find(s *step) {
	transaction, key := s.group == "", s.group
	if transaction {
		key = t.c.cfg.Transaction
	}
	if node := t.c.cluster.Known(transaction, key); node != nil {
		t.send(s, node)
		return
	}
	t.c.cluster.Coordinator(transaction, key, func(node *sim.Node, err error) {
		if t.flying != s {
			return
		}
		if err != nil {
			t.find(s) // the cluster's client paces it
			return
		}
		t.send(s, node)
	})
}

func (t *transactions) send(s *step, to *sim.Node) {
	n := t.c.n
	w := n.World()
	act := w.Act(t.name, "", s.op)
	n.Call(to, w.Op(wire.Broker+"."+s.op), act, s.body(), s.fact, t.c.cfg.RequestTimeout, func(reply any, _ int64, err error) {
		if t.flying != s {
			return
		}
		t.flying = nil
		if err == nil && t.state != FatalError {
			err = s.then(reply)
		}
		if err != nil {
			t.failed(s, err)
		}
		t.c.drain()
	})
}

// verdict is what follows from an error of a step.
type verdict uint8

const (
	again     verdict = iota // after the backoff
	elsewhere                // by the coordinator that is to be found, after the backoff
	abortable
	fatal
)

// judge says what an error of a step means. See the Java client's handlers in TransactionManager; that an unknown id is
// fatal is KAFKA-18019. A stale member epoch is told to Kafka's producers as an illegal generation.
func judge(s *step, err error) verdict {
	is := func(list ...error) bool {
		return slices.ContainsFunc(list, func(e error) bool { return errors.Is(err, e) })
	}
	switch {
	case client.Unreachable(err), is(wire.ErrNotCoordinator, wire.ErrNoCoordinator, wire.ErrRequestTimedOut, wire.ErrNotEnoughReplicas, wire.ErrNotEnoughAfter):
		return elsewhere
	case is(wire.ErrCoordinatorLoading, wire.ErrConcurrentTxn):
		return again
	case s.urgency == urgentAdd && is(wire.ErrUnknownTopic):
		return again
	case is(wire.ErrTransactionAbort, wire.ErrUnknownProducer):
		return abortable
	case s.op == wire.OpTxnCommit && is(wire.ErrUnknownMember, wire.ErrIllegalGeneration, wire.ErrFencedInstance, wire.ErrFencedMemberEpoch, wire.ErrStaleMemberEpoch, wire.ErrRebalance):
		return abortable
	}
	return fatal
}

// failed is a step that came back with an error.
func (t *transactions) failed(s *step, err error) {
	if t.state == FatalError {
		return
	}
	v := judge(s, err)
	if v == elsewhere {
		key := s.group
		if key == "" {
			key = t.c.cfg.Transaction
		}
		t.c.cluster.ForgetCoordinator(s.group == "", key)
	}
	switch {
	case v == fatal:
		if errors.Is(err, wire.ErrInvalidProducer) {
			err = wire.ErrProducerFenced
		}
		t.dies(err)
	case v == abortable && t.state != Aborting:
		if errors.Is(err, wire.ErrUnknownProducer) {
			t.wantsEpoch()
		}
		t.mustAbort(err)
	case v == abortable: // it is being aborted: nothing more can be done for it
		t.dies(err)
	case t.dropped(s):
		return
	default:
		t.later(s, err)
		return
	}
	if s.outcome != nil {
		s.outcome.come(err)
	}
}

// dropped ends a step that has become needless while it waited: the transaction is to be aborted.
func (t *transactions) dropped(s *step) bool {
	if s.urgency != urgentAdd || t.state == InTransaction || t.state == Committing {
		return false
	}
	if s.outcome != nil {
		s.outcome.come(ErrAborted)
	}
	return true
}

// later tries a step again after the backoff. It stays the one under way: nothing overtakes it.
func (t *transactions) later(s *step, err error) {
	s.tries++
	wait := t.c.backoff.After(s.tries)
	if s.quick && errors.Is(err, wire.ErrConcurrentTxn) {
		wait = min(wait, quickRetry)
	}
	t.flying = s
	t.c.n.After(wait, func() {
		if t.flying != s {
			return
		}
		if t.dropped(s) {
			t.flying = nil
			t.c.drain()
			return
		}
		t.find(s)
	})
}
