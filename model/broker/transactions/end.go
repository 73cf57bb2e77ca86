package transactions

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// end commits or aborts. It is answered when the decision is in the log; the markers come after. An end that was decided
// before is answered as it was then, as long as the coordinator can tell that it is the same.
func (c *Coordinator) end(r *sim.Request, req *wire.EndTxnRequest) {
	t := c.ids[req.Transaction]
	if t == nil {
		r.Fail(wire.ErrInvalidMapping, 0)
		return
	}
	version := min(max(req.TxnVersion, 1), c.cfg.Version)
	rule := t.mayEnd
	if version >= 2 {
		rule = t.mayEndNow
	}
	known, err := rule(req)
	switch {
	case c.cfg.Defects.Has(model.EndDuringTeardown) && t.tearingDown(req.Producer):
		r.Reply(wire.EndTxnReply{Producer: req.Producer}, t.fact)
	case err != nil:
		r.Fail(err, 0)
	case known && version >= 2:
		r.Reply(wire.EndTxnReply{Producer: t.producer}, t.fact)
	case known:
		r.Reply(wire.EndTxnReply{Producer: req.Producer}, t.fact)
	default:
		c.park(r)
		c.decide(t, ending{commit: req.Commit, version: version, cause: req.Began, act: r.Action}, func(m *completion, err error) {
			c.answerEnd(r, req, m, err)
		})
	}
}

func (c *Coordinator) answerEnd(r *sim.Request, req *wire.EndTxnRequest, m *completion, err error) {
	switch {
	case err != nil:
		c.refuse(r, err)
	case m.t.version >= 2:
		c.reply(r, wire.EndTxnReply{Producer: m.next.producer}, m.t.fact)
	default:
		c.reply(r, wire.EndTxnReply{Producer: req.Producer}, m.t.fact)
	}
}

// mayEnd is the rule of version 1: all transactions of an epoch look the same, so an end that comes late ends whichever is
// open, and is taken for a retry where none is (KAFKA-17754).
func (t *transaction) mayEnd(req *wire.EndTxnRequest) (known bool, err error) {
	switch {
	case t.producer.ID != req.Producer.ID:
		return false, wire.ErrInvalidMapping
	case t.producer.Epoch != req.Producer.Epoch:
		return false, wire.ErrProducerFenced
	case t.moving:
		return false, wire.ErrConcurrentTxn
	case t.state == Ongoing:
		return false, nil
	case t.state == ended(req.Commit):
		return true, nil
	}
	return false, wire.ErrInvalidTxnState
}

// mayEndNow is the rule of version 2. The epoch says which transaction is meant: the present one has that of the id, and
// the one before the epoch before, or the last epoch of the id before. The decision itself has bumped it.
func (t *transaction) mayEndNow(req *wire.EndTxnRequest) (known bool, err error) {
	same := t.producer.ID == req.Producer.ID
	rotated := !same && t.previous == req.Producer.ID && req.Producer.Epoch == wire.MaxEpoch-1 && t.producer.Epoch == 0
	again := rotated || same && t.producer.Epoch == req.Producer.Epoch+1
	switch {
	case !same && !rotated:
		return false, wire.ErrInvalidMapping
	case t.moving:
		return false, wire.ErrConcurrentTxn
	case !again && t.producer.Epoch != req.Producer.Epoch, again && (t.state == Ongoing || t.state == Empty):
		return false, wire.ErrProducerFenced
	case again && t.state == ended(req.Commit):
		return true, nil
	case again && req.Commit: // the coordinator has aborted by itself: KAFKA-20785
		return false, wire.ErrProducerFenced
	case again:
		return false, wire.ErrInvalidTxnState
	case t.state == Ongoing, !req.Commit: // an abort may find that nothing was begun
		return false, nil
	}
	return false, wire.ErrInvalidTxnState
}

// ended is the state behind a decision.
func ended(commit bool) State {
	if commit {
		return CompleteCommit
	}
	return CompleteAbort
}

// ending is what is asked of a transaction.
type ending struct {
	commit  bool
	fenced  bool // the coordinator's own, behind fence
	version int
	cause   int64 // the client's fact of the beginning; 0 = not known: what the record says
	act     sim.Action
}

// decide writes the decision, tells then, and has the markers written. Then learns which completion it leads to.
func (c *Coordinator) decide(t *transaction, e ending, then func(*completion, error)) {
	stays := e.fenced && c.cfg.Defects.Has(model.FenceWithoutRotation)
	if e.version < 2 || !exhausted(t.producer.Epoch) || stays {
		c.prepare(t, e, 0, then)
		return
	}
	to := PrepareAbort
	if e.commit {
		to = PrepareCommit
	}
	c.newID(t, to, e.version, func(id int64, err error) {
		if err != nil {
			then(nil, err)
			return
		}
		c.prepare(t, e, id, then)
	})
}

// prepare is the transition to PrepareCommit or PrepareAbort. From version 2 on it bumps the epoch: what is under way under
// the old one can do nothing to the next transaction.
func (c *Coordinator) prepare(t *transaction, e ending, rotation int64, then func(*completion, error)) {
	next := t.to(PrepareAbort)
	if e.commit {
		next.state = PrepareCommit
	}
	next.version, next.next = e.version, rotation
	if t.state.idle() { // nothing was begun
		next.began, next.cause = next.updated, e.cause
	}
	if e.cause != 0 {
		next.cause = e.cause
	}
	if e.version >= 2 {
		epoch, ok := t.epochAfter(!e.commit)
		if !ok {
			then(nil, wire.ErrUnknownServer)
			return
		}
		next.producer.Epoch, next.lastEpoch = epoch, t.producer.Epoch
	}
	t.prepare(next.state, e.version)
	t.write(next, e.act, func(err error) {
		if err != nil {
			then(nil, err)
			return
		}
		m := t.decided("")
		if then(m, nil); c.live() {
			c.markers.add(m)
		}
	})
}

// decided states the decision that the log has taken and announces the completion.
func (t *transaction) decided(note string) *completion {
	op := "abort"
	if t.state == PrepareCommit {
		op = "commit"
	}
	t.fact = t.record(op, t.cause, note)
	m := &completion{t: t, next: t.afterMarkers(), epoch: t.c.host.Epoch(), left: t.partitions}
	t.failedFence = false
	t.prepare(m.next.state, t.version)
	return m
}

// afterMarkers is the value that the decision leads to. Under the last epoch it goes over to the other producer id, and
// remembers the last epoch that the client had of the first.
func (t *transaction) afterMarkers() metadata {
	next := t.to(t.state.completed())
	next.partitions = nil
	if t.next != 0 {
		next.producer, next.next = wire.ProducerID{ID: t.next}, 0
	}
	return next
}

// resume takes over, from the log, a transaction that a former coordinator has decided.
func (c *Coordinator) resume(t *transaction) { c.markers.add(t.decided("taken over")) }

// fence aborts an ongoing transaction in place of its producer, which cannot do anything more under its epoch. In version 1
// the epoch of the id is bumped first, in memory; from version 2 on the abort itself does that.
func (c *Coordinator) fence(t *transaction, act sim.Action, then func(error)) {
	t.prepare(PrepareEpochFence, c.cfg.Version)
	t.settle()
	first := c.cfg.Version < 2 || c.cfg.Defects.Has(model.FenceBumpsTwice)
	if first && !t.takeEpoch() {
		then(wire.ErrUnknownServer)
		return
	}
	c.decide(t, ending{fenced: true, version: c.cfg.Version, act: act}, func(_ *completion, err error) {
		if err != nil && first {
			t.failedFence = true
		}
		then(err)
	})
}

// takeEpoch bumps the epoch of an id in memory, before the log has the abort; it says whether there is one. Should the log
// fail, the present producer is fenced all the same, as long as this coordinator is one.
func (t *transaction) takeEpoch() bool {
	if !t.failedFence || t.c.cfg.Defects.Has(model.FailedFenceBumpsAgain) {
		epoch, ok := t.epochAfter(true)
		if !ok {
			return false
		}
		t.producer.Epoch = epoch
	}
	t.lastEpoch = noEpoch
	return true
}
