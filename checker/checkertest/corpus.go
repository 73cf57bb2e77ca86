package checkertest

import (
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// Example is a named history with what checkers must say of it.
type Example struct {
	Name     string
	Property history.Property // violated, "" = none
	Label    history.Label    // why
	History  *history.History
	Unjudged bool // of a near miss: it lies outside what the property speaks of, so that it is not even exercised

	// With are the properties that this history shows too, by definition and not by the way in which the story is told: a
	// poison loop is made of redeliveries, and what is stuck and not lost is stuck. Each must be shown. A near miss that has its
	// own property here is noted, and no finding: it is excused.
	With []history.Property
}

// Clean are histories in which nothing is wrong, though much may happen. Nothing noted is seen in them either, but what
// the story is about: to meet an event for the second time and to do nothing is what a strategy against duplicates is for, so
// that there is a redelivery.
func Clean() []Example {
	return append(cleanQueue(), []Example{
		example("each effect once", "", "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		with(history.PropRedelivery, example("redelivered and suppressed", "", "", func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Do("charge", "book", "mail")
			s.Fault("at 5ms kill consumer-1 for 1s", "consumer-1", "", 1000).Stop("consumer-1")
			r.Deliver("consumer-2").Suppress("").Commit()
		})),
		example("a duplicate that was reversed", "", "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "charge", "book", "mail")
			d.Call("charge").Reverse().Reply(history.Acked).Commit()
		}),
		example("refused, and nothing happened", "", "", func(s *Story) {
			s.Offer("order-1", "anna").Refuse()
		}),
		example("a declared abort", "", "", func(s *Story) {
			i := s.Offer("order-1", "anna").Accept()
			d := i.Append("orders/0", 0).Deliver("consumer-1").Do("charge")
			d.Call("charge").Reverse().Reply(history.Acked)
			i.GiveUp()
			d.Commit()
		}),
		example("parked", "", "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge").Park().Commit()
		}),
		with(history.PropRedelivery, example("parked, and published again by an operator", "", "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Park().Commit().
				Replay("orders/0", 1).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		})),
		example("forwarded to a retry topic", "", "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.Forward("orders.retry/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			d.Commit()
		}),
		example("a dedup store at work", "", "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
			s.Dedup("claim", "order-1", "charge", "b").Gives("pending")
			s.Dedup("done", "order-1", "charge", "a").Gives("ok")
			s.Dedup("claim", "order-1", "charge", "b").Gives("done")
		}),
		example("each position moved by its owner", "", "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 5).Revoke(1, "consumer-1", "orders/0")
			s.Assign(2, "consumer-2", "orders/0").Move(2, "consumer-2", "orders/0", 7)
		}),
		example("a zombie before its successor has acted", "", "", func(s *Story) {
			a := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			b := s.Offer("order-2", "anna").Accept().Append("orders/0", 1)
			zombie := a.DeliverIn(1, "consumer-1")
			next := b.DeliverIn(2, "consumer-2")
			zombie.Do("charge", "book", "mail")
			next.Do("charge", "book", "mail").Commit()
		}),
		example("what a kill and a power loss leave", "", "", func(s *Story) {
			s.Restart("broker-1", "kill", 9, 9).Restart("broker-1", "power-loss", 12, 10)
		}),
	}...)
}

// Planted are histories with one thing wrong, at least one for each property that a checker judges.
func Planted() []Example {
	return slices.Concat(plantedDuplicates(), plantedLosses(), plantedOthers(), plantedPoints(), plantedLogs(), plantedDeliveries(), plantedIsolation(),
		plantedEffects(), plantedSagas(), plantedWorkflows(), plantedLiveness(), plantedQueue())
}

// Near are histories that look as if a property were violated, and are not: each must not fire the property that it names.
func Near() []Example {
	return slices.Concat(nearLedger(), nearOthers(), nearPoints(), nearLogs(), nearDeliveries(), nearIsolation(),
		nearEffects(), nearSagas(), nearWorkflows(), nearLiveness(), nearQueue())
}

func plantedDuplicates() []Example {
	twice := func(stage string) func(*Story) {
		return func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Do("charge", "book", "mail", "audit")
			s.Stop("consumer-1")
			r.Deliver("consumer-2").Do(stage).Commit()
		}
	}
	return []Example{
		example("charged again after a kill", history.PropDuplicateCritical, history.LabelRedeliveredAfterCommitLost, twice("charge")),
		example("booked again after a kill", history.PropDuplicateState, history.LabelRedeliveredAfterCommitLost, twice("book")),
		example("mailed again after a kill", history.PropDuplicateNotify, history.LabelRedeliveredAfterCommitLost, twice("mail")),
		example("audited again after a kill", history.PropDuplicateDerived, history.LabelRedeliveredAfterCommitLost, twice("audit")),
		example("a zombie and its successor", history.PropDuplicateCritical, history.LabelRedeliveredAfterRebalance, func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			zombie := r.Deliver("consumer-1")
			s.Evict("consumer-1")
			r.Deliver("consumer-2").Do("charge", "book", "mail").Commit()
			zombie.Do("charge")
		}),
		example("the reply was lost", history.PropDuplicateCritical, history.LabelReplyLost, func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.Call("charge").Apply().Reply(history.Indeterminate).Do("charge", "book", "mail").Commit()
		}),
		example("the reply was lost and the event put back", history.PropDuplicateCritical, history.LabelReplyLost, func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Call("charge").Apply().Reply(history.Indeterminate).Handled(history.Retried)
			r.Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("the whole handler ran again", history.PropDuplicateCritical, history.LabelHandlerRetried, func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge")
			d.Call("book").Reply(history.Failed).Do("charge", "book", "mail").Commit()
		}),
		example("a relay stopped before its mark was durable", history.PropDuplicateCritical, history.LabelMarkLost, func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge")
			s.Stop("consumer-1")
			d.Do("charge", "book", "mail").Commit()
		}),
		example("the producer sent it twice", history.PropDuplicateCritical, history.LabelPublishedTwice, func(s *Story) {
			i := s.Offer("order-1", "anna")
			i.Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			i.Append("orders/0", 1).Deliver("consumer-1").Do("charge").Commit()
			i.Accept()
		}),
	}
}

func plantedLosses() []Example {
	return []Example{
		example("committed before the effect", history.PropLoss, history.LabelCommittedBeforeEffect, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Commit().Deliver("consumer-1")
			s.Stop("consumer-1")
		}),
		example("committed, and what it led to was taken back", history.PropLoss, history.LabelCommittedBeforeEffect, func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.Forward("bills/0", 0).TakenBack("p", "t1")
			d.Commit()
		}),
		example("dropped", history.PropLoss, history.LabelDroppedWithoutTrace, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Drop().Commit()
		}),
		example("accepted and never written", history.PropLoss, history.LabelNeverAppended, func(s *Story) {
			s.Offer("order-1", "anna").Accept()
		}),
		example("taken for a repetition", history.PropLoss, history.LabelSuppressedWithoutEffect, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Suppress("charge").Commit()
		}),
		example("truncated", history.PropLoss, history.LabelTruncated, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			s.Restart("broker-1", "power-loss", 2, 1)
			s.Offer("order-2", "bert").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("told of success, and cut off by the next leader before anything came after it", history.PropLoss, history.LabelTruncated, func(s *Story) {
			p, i := s.Partition("orders/0", "broker-1"), s.Offer("order-1", "anna").Accept()
			p.High(0).Take(i)
			p.Elect("broker-2", 2).Truncate("broker-1", 0)
		}),
		example("nobody was told anything, and the log has it", history.PropLoss, history.LabelUnexplained, func(s *Story) {
			p, i := s.Partition("orders/0", "broker-1"), s.Offer("order-1", "anna").Doubt()
			p.Take(i)
		}),
		example("half of it", history.PropLoss, history.LabelCommittedBeforeEffect, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge").Commit()
		}),
		example("nobody knows why", history.PropLoss, history.LabelUnexplained, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
		}),
	}
}

func plantedOthers() []Example {
	return []Example{
		example("overtaken", history.PropOrder, history.LabelReordered, func(s *Story) {
			first := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			s.Offer("order-2", "anna").Accept().Append("orders/0", 1).Deliver("consumer-1").Do("charge", "book", "mail")
			first.Do("charge", "book", "mail").Commit()
		}),
		example("nobody offered it", history.PropPhantom, history.LabelUnexplained, func(s *Story) {
			f := fact(history.KindApplied, "payments-1", "order-9", 0)
			f.Stage, f.Resource, f.Class, f.Changed = "charge", "payments", history.Critical, true
			s.Record(f)
		}),
		example("charged though refused", history.PropPhantom, history.LabelUnexplained, func(s *Story) {
			s.Offer("order-1", "anna").Refuse().Append("orders/0", 0).Deliver("consumer-1").Do("charge").Commit()
		}),
		example("still queued", history.PropStuck, history.LabelStuckInStore, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Held("queue")
		}),
		example("a zombie after its successor", history.PropZombie, history.LabelNotFenced, func(s *Story) {
			a := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			b := s.Offer("order-2", "bert").Accept().Append("orders/0", 1)
			zombie := a.DeliverIn(1, "consumer-1")
			b.DeliverIn(2, "consumer-2").Do("charge", "book", "mail").Commit()
			zombie.Do("charge", "book", "mail")
		}),
		example("a position moved by a zombie", history.PropCommit, history.LabelNotFenced, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(2, "consumer-2", "orders/0").Move(1, "consumer-1", "orders/0", 5)
		}),
		example("a position taken into a transaction from a zombie", history.PropCommit, history.LabelNotFenced, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(2, "consumer-2", "orders/0").MoveInTransaction(1, "consumer-1", "orders/0", 5, func() {})
		}),
		example("a position moved after it was given up", history.PropCommit, history.LabelNotOwned, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Revoke(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 5)
		}),
		example("a position moved in a generation that it is not owned in", history.PropCommit, history.LabelNotOwned, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(2, "consumer-1", "orders/1").Move(2, "consumer-1", "orders/0", 5)
		}),
		example("parked without its key", history.PropDeadLetter, history.LabelRecordIncomplete, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").ParkAs("").Commit()
		}),
		example("a kill that took the page cache", history.PropPageCache, history.LabelForgottenByKill, func(s *Story) {
			s.Restart("broker-1", "kill", 9, 8)
		}),
		example("granted twice", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
			s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		}),
		example("forgotten by a fail-over", history.PropLinearizable, history.LabelDedupRecordLost, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
			s.Dedup("done", "order-1", "charge", "a").Gives("ok")
			s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		}),
		example("expired", history.PropLinearizable, history.LabelDedupRecordExpired, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
			s.Dedup("done", "order-1", "charge", "a").Until(300)
			s.Wait(400)
			s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		}),
	}
}

func example(name string, p history.Property, label history.Label, tell func(*Story)) Example {
	s := New()
	s.resource["audit"], s.class["audit"] = "index", history.Derived
	tell(s)
	return Example{Name: name, Property: p, Label: label, History: s.History()}
}
