package stack

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// brokerTransaction is read-process-write (KIP-98, KIP-447): what a member has made of a batch goes to a second topic, and
// those records and the positions behind the batch become visible in one transaction of the broker, or not at all. A
// second group reads that topic, committed records only, and has the effects: the transaction does not reach beyond the
// broker, so whatever acts outside stands behind it and is at-least-once again.
//
// The stages before the first effect run inside the transaction, those from it on behind it.
//
// After an abort the consumer does not go back by itself: its position in memory is behind what was aborted. The loop
// rewinds to the group's positions, which tell what was committed, also when nobody could say so.
//
// Counterexamples, which a file may state to show what they cost:
//
//	inline  the effects are called inside the transaction: an abort does not take them back, and the batch comes again
//	onward  the loop does not rewind: what was aborted is never read again, unless somebody else gets the partition
//	stable  of a loop with state: it is restored up to the last stable offset, which a transaction that somebody has left
//	        open keeps below what was committed since
//	open    the second group reads what is open and what was aborted too, and has the effects of that as well
type brokerTransaction struct {
	inline, onward bool
	open           bool
	state, stable  bool // counts the records of each key on the way, in the transaction
}

// Appliers is the group that has the effects behind the transactions.
const Appliers = "appliers"

// Prepared is the topic of what the transactions have made of a source's events.
func Prepared(source string) string { return source + ".prepared" }

func (e brokerTransaction) Name() string {
	switch {
	case e.inline:
		return "broker-transaction-inline"
	case e.onward:
		return "broker-transaction-no-rewind"
	case e.open:
		return "broker-transaction-uncommitted"
	case e.stable:
		return "broker-transaction-state-lso"
	case e.state:
		return "broker-transaction-state"
	}
	return "broker-transaction"
}

func (brokerTransaction) Needs() []model.Capability {
	return []model.Capability{model.BrokerTransaction}
}
func (brokerTransaction) Gives() []model.Capability { return nil }

// Check wants a broker that has transactions.
func (e brokerTransaction) Check(s *Site) {
	if !s.Transacts {
		s.Report("", "%s needs %s, and a broker of this kind has no transactions over records and positions; use engine: commit-after, or broker: { kind: log }", e.Name(), model.BrokerTransaction)
	}
}

// Build runs one loop in the members of the group, and another in those that have the effects.
func (e brokerTransaction) Build(a model.Assembly, f model.Flow) {
	inside, behind := halves(f.Stages)
	if e.inline {
		inside, behind = f.Stages, nil
	}
	out := Prepared(f.Source)
	a.Topic(out, 0)
	if e.state {
		a.Topic(Changelog(f.Source), 0)
	}
	a.ConsumeStages(f.Source, model.Workers, inside, func(c model.Ctx, in model.Consumer, handle model.Batch) {
		c.Process().Record(history.Fact{Kind: history.KindLinked, Op: "consume-produce", Resource: f.Source, Key: model.Workers, Value: out, Fence: -1, Offset: -1})
		u := &transacting{brokerTransaction: e, in: in, out: out}
		u.keepState(f.Source)
		for {
			batch, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			u.work(c, batch, handle)
		}
	})
	a.ConsumeStages(out, Appliers, behind, commitAfterLoop)
	if !e.open {
		a.ReadCommitted(Appliers)
	}
}

// halves are the stages before the first effect, and those from it on.
func halves(all []model.Stage) (inside, behind []model.Stage) {
	first := slices.IndexFunc(all, func(s model.Stage) bool { return s.Kind == model.Effect })
	if first < 0 {
		return all, nil
	}
	return all[:first], all[first:]
}

// transacting is one member's loop.
type transacting struct {
	brokerTransaction
	in  model.Consumer
	out string
	t   model.Transactor // nil = none yet, or the last one is of no more use

	counts *counts // nil = the loop has no state
}

// keepState has a loop with state restore what it is given.
func (u *transacting) keepState(source string) {
	if !u.state {
		return
	}
	bound := model.HighWatermark
	if u.stable {
		bound = model.LastStableOffset
	}
	u.counts = newCounts(source, bound)
	u.in.OnAssign(func(c model.Ctx, given []model.PartitionOffset) {
		for _, p := range given {
			u.counts.restore(c, p.Partition)
		}
	})
}

// transactionPause is how long a loop waits before it tries again what the broker refused.
const transactionPause = 100 * sim.Millisecond

// work handles a batch in one transaction.
func (u *transacting) work(c model.Ctx, batch []model.Message, handle model.Batch) {
	if u.counts != nil {
		u.counts.ready(c, batch)
	}
	if err := u.begin(c); err != nil {
		u.undo(c, batch, err)
		return
	}
	outcomes := handle(c, batch)
	finish(c, batch, outcomes)
	if err := u.complete(c, batch, outcomes); err != nil {
		u.undo(c, batch, err)
	}
}

func (u *transacting) begin(c model.Ctx) error {
	if u.t == nil {
		u.t = c.Transactor(c.Process().Node().Name())
	}
	return u.t.Begin(c)
}

// complete commits what was done together with the positions behind it.
func (u *transacting) complete(c model.Ctx, batch []model.Message, outcomes []model.Outcome) error {
	var done []model.Message
	for _, i := range settledAt(batch, outcomes) {
		m := batch[i]
		done = append(done, m)
		if u.counts != nil {
			if err := u.t.Send(c.With(m.Intent), u.counts.changelog, u.counts.take(c, &m)); err != nil {
				return err
			}
		}
		if !goesOn(outcomes[i]) {
			continue
		}
		m.IdempotencyKey, m.Headers, m.Attempt = "", "", 0
		if err := u.t.Send(c.With(m.Intent), u.out, m); err != nil {
			return err
		}
	}
	if len(done) > 0 {
		if err := u.t.SendOffsets(c, u.in, done); err != nil {
			return err
		}
	}
	return u.t.Commit(c)
}

// undo takes the transaction back and reads the batch again, as far as it was not committed.
func (u *transacting) undo(c model.Ctx, batch []model.Message, err error) {
	lost := errors.Is(err, model.ErrTransactionLost)
	if !lost {
		lost = errors.Is(u.t.Abort(c), model.ErrTransactionLost)
	}
	if lost {
		u.t = nil
	}
	if u.counts != nil {
		u.counts.forget()
	}
	c.Sleep(transactionPause)
	if !u.onward {
		u.in.Rewind(c.With(batch[0].Intent))
	}
}
