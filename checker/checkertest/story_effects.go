package checkertest

import (
	"strconv"

	"github.com/twiceless/twiceless/sim/history"
)

// ApplyAs lets the resource apply the effect with contents of this hash.
func (c *Call) ApplyAs(hash uint64) *Call {
	c.effect(history.KindApplied)
	s := c.d.r.i.s
	s.amend(func(f *history.Fact) { f.Hash = hash })
	return c
}

// amend changes the last fact: histories are recorded once, so it is recorded anew.
func (s *Story) amend(change func(*history.Fact)) {
	facts := append([]history.Fact(nil), s.h.Facts...)
	change(&facts[len(facts)-1])
	header := s.h.Header
	s.h.Reset(0)
	s.h.Header = header
	for _, f := range facts {
		s.h.Record(f)
	}
}

// Answer is an answer of a service to a request that bears an idempotency key.
func (s *Story) Answer(service, key string, hash uint64) *Story {
	f := fact(history.KindAnswered, service+"-1", "", 0)
	f.Resource, f.Op, f.Key, f.Hash = service, "charge", key, hash
	s.Record(f)
	return s
}

// Links declares that two things become durable together.
func (s *Story) Links(op, from, to string) *Story {
	f := fact(history.KindLinked, "consumer-1", "", 0)
	f.Op, f.Resource, f.Value = op, from, to
	if op == "consume-produce" {
		f.Key = Group
	}
	s.Record(f)
	return s
}

// Input is a record that an aggregation reads, with a value.
func (s *Story) Input(key string, offset int64, value string) *Story {
	f := fact(history.KindAppended, "broker-1", "", 0)
	f.Resource, f.Offset, f.Key, f.Value = "amounts/0", offset, key, value
	s.Record(f)
	return s
}

// Output is what an aggregation puts out after an input.
func (s *Story) Output(op, key string, offset int64, value string) *Story {
	f := fact(history.KindFolded, "consumer-1", "", 0)
	f.Stage, f.Op, f.Key, f.Resource, f.Offset, f.Value = "totals", op, key, "amounts/0", offset, value
	s.Record(f)
	return s
}

// Final is what a copy of the ledger holds for a key at the end, and whose write it is.
func (s *Story) Final(node, key, writer string, hash uint64) *Story {
	return s.final("", node, key, writer, hash)
}

// Reference is what the ledger's log folds to.
func (s *Story) Reference(key string, hash uint64) *Story {
	return s.final("reference", "", key, "", hash)
}

func (s *Story) final(op, node, key, writer string, hash uint64) *Story {
	f := fact(history.KindFinal, node, writer, 0)
	f.Op, f.Resource, f.Key, f.Hash = op, "ledger", key, hash
	s.Record(f)
	return s
}

// Balances is a consistent view of the bank's accounts; op is opening or read.
func (s *Story) Balances(op, value string) *Story {
	f := fact(history.KindBalances, "bank-1", "", 0)
	f.Resource, f.Op, f.Value = "bank", op, value
	s.Record(f)
	return s
}

// Heals ends the phase of faults; within so many milliseconds all work is to come to an end.
func (s *Story) Heals(ms int64) *Story {
	s.h.Header.Heal = ms * Millisecond
	f := fact(history.KindPhase, "", "", 0)
	f.Note = "heal"
	s.Record(f)
	return s
}

// RunEnds ends the run, for a reason.
func (s *Story) RunEnds(reason string) *Story {
	f := fact(history.KindStopReason, "", "", 0)
	f.Note = reason
	s.Record(f)
	return s
}

// Many offers events from order-1 on, one record each, and gives their records.
func (s *Story) Many(n int) []*Log {
	var records []*Log
	for i := range n {
		records = append(records, s.Offer("order-"+strconv.Itoa(i+1), "anna").Accept().Append("orders/0", int64(i)))
	}
	return records
}

// DedupUnder is an operation of an event on the dedup record of another one.
func (s *Story) DedupUnder(event, op, other, stage, token string) *Operation {
	o := s.Dedup(op, other, stage, token)
	s.amend(func(f *history.Fact) { f.Event = event })
	o.f.Event = event
	return o
}

// RequiresNothing makes intents complete without any effect.
func (s *Story) RequiresNothing() *Story {
	s.h.Header.Requires = nil
	return s
}

// Foreign is a record of an event that this story knows nothing else of.
func (s *Story) Foreign(partition string, offset int64) *Story {
	f := fact(history.KindAppended, "broker-1", "", 0)
	f.Resource, f.Offset = partition, offset
	s.Record(f)
	return s
}

// HeldAs is a final-state fact: a store still holds the event.
func (s *Story) HeldAs(event, op string) *Story {
	(&Intent{s: s, event: event}).Held(op)
	return s
}

// Visits lets an operator come after the drain.
func (s *Story) Visits() *Story {
	f := fact(history.KindPhase, "", "", 0)
	f.Note = "replay"
	s.Record(f)
	return s
}
