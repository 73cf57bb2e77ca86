// Package checkertest builds small histories that read like stories, holds a corpus of clean and of planted
// histories, and the conformance suite that every checker must pass.
//
// A story records the facts as the components of a world do, with the same causes:
//
//	s := checkertest.New()
//	d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
//	d.Do("charge", "book", "mail").Commit()
//	report := duplicates.Check(s.History())
//
// Each fact takes a millisecond. What to read next: corpus.go.
package checkertest

import (
	"github.com/twiceless/twiceless/sim/history"
)

// Group is the consumer group of the stories.
const Group = "shop"

// Millisecond is how long each fact of a story takes, in ns.
const Millisecond = 1_000_000

// Story writes a history.
type Story struct {
	h        history.History
	now      int64
	resource map[string]string
	class    map[string]history.Class
}

// New begins a story whose intents require charge at payments (critical), book at ledger (state) and mail at
// mailer (notify).
func New() *Story {
	return NewWith(
		history.Requirement{Stage: "charge", Resource: "payments", Class: history.Critical},
		history.Requirement{Stage: "book", Resource: "ledger", Class: history.State},
		history.Requirement{Stage: "mail", Resource: "mailer", Class: history.Notify},
	)
}

// NewWith begins a story with these required effects.
func NewWith(requires ...history.Requirement) *Story {
	s := &Story{resource: map[string]string{}, class: map[string]history.Class{}}
	for i := range requires {
		r := &requires[i]
		r.ClassTag = r.Class.String()
		s.resource[r.Stage], s.class[r.Stage] = r.Resource, r.Class
	}
	s.h.Header = history.Header{
		Scenario: "story", Stack: "none", Requires: requires, Chaos: [2]int64{0, 1000 * Millisecond},
	}
	return s
}

// History is the story so far.
func (s *Story) History() *history.History { return &s.h }

// Deadline sets after how many milliseconds done is late.
func (s *Story) Deadline(ms int64) *Story {
	s.h.Header.Deadline = ms * Millisecond
	return s
}

// Wait lets milliseconds pass.
func (s *Story) Wait(ms int64) *Story {
	s.now += ms * Millisecond
	return s
}

// Record writes any fact; its time is the story's.
func (s *Story) Record(f history.Fact) int64 {
	s.now += Millisecond
	f.Time = s.now
	if f.Node != "" {
		f.Incarnation = 1
	}
	return s.h.Record(f)
}

// fact is a fact with its neutral details.
func fact(k history.Kind, node, event string, cause int64) history.Fact {
	return history.Fact{Kind: k, Node: node, Event: event, Cause: cause, Fence: -1, Offset: -1}
}

// Intent is an offered event.
type Intent struct {
	s     *Story
	event string
	key   string
	id    int64
}

// Offer offers an event under a business key; its intended arrival is now.
func (s *Story) Offer(event, key string) *Intent {
	f := fact(history.KindOffered, "producer-1", event, 0)
	f.Key, f.Until = key, s.now+Millisecond
	return &Intent{s, event, key, s.Record(f)}
}

// Accept tells the application: success.
func (i *Intent) Accept() *Intent { return i.told(history.KindAccepted) }

// Refuse tells the application: not written.
func (i *Intent) Refuse() *Intent { return i.told(history.KindRefused) }

// Doubt tells the application: perhaps written.
func (i *Intent) Doubt() *Intent { return i.told(history.KindUncertain) }

// GiveUp tells the application or an operator that the event is given up.
func (i *Intent) GiveUp() *Intent { return i.told(history.KindGaveUp) }

func (i *Intent) told(k history.Kind) *Intent {
	i.s.Record(fact(k, "producer-1", i.event, i.id))
	return i
}

// Held is a final-state fact: a store still holds the event.
func (i *Intent) Held(op string) *Intent { return i.HeldIn("store", op) }

// HeldIn names the store, or the partition of a queue.
func (i *Intent) HeldIn(resource, op string) *Intent {
	f := fact(history.KindHeld, "broker-1", i.event, 0)
	f.Op, f.Resource = op, resource
	i.s.Record(f)
	return i
}

// Log is a record of an event in a log.
type Log struct {
	i         *Intent
	partition string
	offset    int64
	id        int64
}

// Append puts the event into a log.
func (i *Intent) Append(partition string, offset int64) *Log {
	return i.append(partition, offset, i.id)
}

func (i *Intent) append(partition string, offset, cause int64) *Log {
	f := fact(history.KindAppended, "broker-1", i.event, cause)
	f.Key = i.key
	f.Resource, f.Offset = partition, offset
	return &Log{i, partition, offset, i.s.Record(f)}
}

// Acknowledge tells the application: success, for the log has told the producer of this record.
func (r *Log) Acknowledge() *Log {
	r.i.s.Record(fact(history.KindAccepted, "producer-1", r.i.event, r.id))
	return r
}

// Commit moves the group's position past the record.
func (r *Log) Commit() *Log {
	r.i.s.commit("consumer-1", r)
	return r
}

// Delivery is a record in the hands of consumer code.
type Delivery struct {
	r      *Log
	node   string
	id     int64
	parked int64 // the fact by which it was parked, 0 = it was not
}

// Deliver hands the record to consumer code on a node.
func (r *Log) Deliver(node string) *Delivery { return r.DeliverIn(-1, node) }

// DeliverIn hands it out in a generation of the group.
func (r *Log) DeliverIn(generation int64, node string) *Delivery {
	return r.deliver(Group, generation, node)
}

// DeliverTo hands it to a member of another group.
func (r *Log) DeliverTo(group, node string) *Delivery { return r.deliver(group, -1, node) }

func (r *Log) deliver(group string, generation int64, node string) *Delivery {
	f := fact(history.KindDelivered, node, r.i.event, r.id)
	f.Resource, f.Offset, f.Op, f.Fence = r.partition, r.offset, group, generation
	return &Delivery{r: r, node: node, id: r.i.s.Record(f)}
}

// Receive hands the record to consumer code on a node as a queue does: the how many-th receive it is.
func (r *Log) Receive(node string, count int64) *Delivery {
	f := fact(history.KindDelivered, node, r.i.event, r.id)
	f.Resource, f.Offset, f.Op, f.Fence, f.Value = r.partition, r.offset, Group, count, "handle"
	return &Delivery{r: r, node: node, id: r.i.s.Record(f)}
}

// HandedAt says when the queue handed the delivery out.
func (d *Delivery) HandedAt(ms int64) *Delivery {
	d.r.i.s.h.At(d.id).Until = ms * Millisecond
	return d
}

// Settle has the queue take the record out: expired, dead-lettered, dropped.
func (r *Log) Settle(op string) *Log {
	r.settle(op, r.id)
	return r
}

func (r *Log) settle(op string, cause int64) {
	f := fact(history.KindSettled, "broker-1", r.i.event, cause)
	f.Resource, f.Offset, f.Op = r.partition, r.offset, op
	r.i.s.Record(f)
}

// Ack has the queue take out what was delivered.
func (d *Delivery) Ack() *Delivery {
	d.r.settle("acked", d.id)
	return d
}

// ID is the fact of the delivery.
func (d *Delivery) ID() int64 { return d.id }

// Do calls, applies and answers each of the stages.
func (d *Delivery) Do(stages ...string) *Delivery {
	for _, stage := range stages {
		d.Call(stage).Apply().Reply(history.Acked)
	}
	return d
}

// Handled ends the delivery.
func (d *Delivery) Handled(o history.Outcome) *Delivery {
	f := d.fact(history.KindHandled)
	f.Outcome = o
	d.r.i.s.Record(f)
	return d
}

// Commit ends the delivery well and moves the group's position past it.
func (d *Delivery) Commit() *Delivery {
	d.Handled(history.Acked)
	d.r.i.s.commit(d.node, d.r)
	return d
}

// Commits moves the group's position past the delivery, which goes on.
func (d *Delivery) Commits() *Delivery {
	d.r.i.s.commit(d.node, d.r)
	return d
}

// Drop gives the event up with a log line.
func (d *Delivery) Drop() *Delivery { return d.note(history.KindDropped) }

// DeadLetters is the topic of parked events.
const DeadLetters = "orders.dlq"

// Park makes a record of the failed event durable.
func (d *Delivery) Park() *Delivery { return d.ParkAs(d.r.i.key) }

// ParkAs makes a record with that business key.
func (d *Delivery) ParkAs(key string) *Delivery {
	f := fact(history.KindAppended, "broker-1", d.r.i.event, d.id)
	f.Resource, f.Offset, f.Key = DeadLetters+"/0", 0, key
	d.r.i.s.Record(f)
	f = d.fact(history.KindParked)
	f.Resource = DeadLetters
	d.parked = d.r.i.s.Record(f)
	return d
}

// Replay is an operator who publishes the parked event again.
func (d *Delivery) Replay(partition string, offset int64) *Log {
	s := d.r.i.s
	f := fact(history.KindOperated, "operator-1", d.r.i.event, d.parked)
	f.Op, f.Resource, f.Offset, f.Value = "replay", DeadLetters+"/0", 0, partition
	return d.r.i.append(partition, offset, s.Record(f))
}

// Suppress takes the event for a repetition.
func (d *Delivery) Suppress(stage string) *Delivery {
	f := d.fact(history.KindSuppressed)
	f.Stage = stage
	d.r.i.s.Record(f)
	return d
}

// Forward appends the event to another log, as a retry topic or the next stage's topic.
func (d *Delivery) Forward(partition string, offset int64) *Log {
	return d.r.i.append(partition, offset, d.id)
}

// TakenBack has the record belong to a transaction of a producer that is aborted.
func (r *Log) TakenBack(producer, transaction string) *Log {
	s := r.i.s
	f := fact(history.KindSequenced, "broker-1", "", r.id)
	f.Resource, f.Offset, f.Value, f.Fence, f.Op = r.partition, 0, producer, 0, transaction
	s.Record(f)
	f = fact(history.KindMarked, "broker-1", "", 0)
	f.Resource, f.Offset, f.Value, f.Fence, f.Op = r.partition, r.offset+1, producer, 0, "abort"
	s.Record(f)
	return r
}

func (d *Delivery) fact(k history.Kind) history.Fact {
	return fact(k, d.node, d.r.i.event, d.id)
}

func (d *Delivery) note(k history.Kind) *Delivery {
	d.r.i.s.Record(d.fact(k))
	return d
}

func (s *Story) commit(node string, r *Log) {
	f := fact(history.KindCommitting, node, "", 0)
	f.Resource, f.Offset, f.Op = r.partition, r.offset+1, Group
	f.Cause, f.Kind = s.Record(f), history.KindCommitted
	s.Record(f)
}

// Call is a call of a stage's effect.
type Call struct {
	d     *Delivery
	stage string
	id    int64
}

// Call sends a call.
func (d *Delivery) Call(stage string) *Call {
	f := d.fact(history.KindCalled)
	f.Stage, f.Resource, f.Op = stage, d.r.i.s.resource[stage], stage
	return &Call{d, stage, d.r.i.s.Record(f)}
}

// Apply lets the resource apply the effect.
func (c *Call) Apply() *Call { return c.effect(history.KindApplied) }

// Reverse lets the resource apply the compensation of the effect.
func (c *Call) Reverse() *Call { return c.effect(history.KindReversed) }

// Recognise lets the resource meet the call without moving its state.
func (c *Call) Recognise() *Call {
	f := c.fact(history.KindApplied)
	f.Changed = false
	c.d.r.i.s.Record(f)
	return c
}

func (c *Call) effect(k history.Kind) *Call {
	c.d.r.i.s.Record(c.fact(k))
	return c
}

func (c *Call) fact(k history.Kind) history.Fact {
	s := c.d.r.i.s
	f := fact(k, s.resource[c.stage]+"-1", c.d.r.i.event, c.id)
	f.Stage, f.Resource, f.Op = c.stage, s.resource[c.stage], c.stage
	f.Class, f.Changed = s.class[c.stage], true
	return f
}

// Emit lets a call to a broker append the event to a log and come back.
func (c *Call) Emit(partition string, offset int64, o history.Outcome) *Log {
	r := c.d.r.i.append(partition, offset, c.id)
	c.Reply(o)
	return r
}

// Reply lets the call come back.
func (c *Call) Reply(o history.Outcome) *Delivery {
	f := fact(history.KindReturned, c.d.node, c.d.r.i.event, c.id)
	f.Stage, f.Outcome = c.stage, o
	c.d.r.i.s.Record(f)
	return c.d
}

// Assign lets a member believe that it owns a partition, in a generation that the group has completed.
func (s *Story) Assign(generation int64, node, partition string) *Story {
	f := fact(history.KindGeneration, "broker-1", "", 0)
	f.Resource, f.Fence = Group, generation
	s.Record(f)
	return s.owns(history.KindAssigned, generation, node, partition)
}

// Revoke lets it give the partition up.
func (s *Story) Revoke(generation int64, node, partition string) *Story {
	return s.owns(history.KindRevoked, generation, node, partition)
}

func (s *Story) owns(k history.Kind, generation int64, node, partition string) *Story {
	f := fact(k, node, "", 0)
	f.Resource, f.Fence = partition, generation
	s.Record(f)
	return s
}

// Move is a commit of a member that the coordinator takes.
func (s *Story) Move(generation int64, node, partition string, offset int64) *Story {
	return s.MoveOf(Group, generation, node, partition, offset)
}

// MoveOf is Move in another group.
func (s *Story) MoveOf(group string, generation int64, node, partition string, offset int64) *Story {
	f := fact(history.KindCommitting, node, "", 0)
	f.Resource, f.Offset, f.Op, f.Fence = partition, offset, group, generation
	f.Cause = s.Record(f)
	f.Kind, f.Node = history.KindCommitted, "broker-1"
	s.Record(f)
	return s
}

// MoveInTransaction is a commit that the coordinator takes in, and that waits for the marker of its transaction while meanwhile
// comes to pass.
func (s *Story) MoveInTransaction(generation int64, node, partition string, offset int64, meanwhile func()) *Story {
	f := fact(history.KindCommitting, node, "", 0)
	f.Resource, f.Offset, f.Op, f.Fence = partition, offset, Group, generation
	f.Cause = s.Record(f)
	f.Kind, f.Node, f.Value, f.Until = history.KindCommitted, "broker-1", "7", s.now+Millisecond
	s.now = f.Until
	meanwhile()
	s.Record(f)
	return s
}

// Restart ends an incarnation in that way and begins the next; each with a number of records on the disk.
func (s *Story) Restart(node, how string, before, after int64) *Story {
	f := fact(history.KindStopped, node, "", 0)
	f.Note, f.Offset = how, before
	s.Record(f)
	f = fact(history.KindBooted, node, "", 0)
	f.Offset = after
	s.Record(f)
	return s
}

// Stop ends an incarnation of a node.
func (s *Story) Stop(node string) *Story {
	s.Record(fact(history.KindStopped, node, "", 0))
	return s
}

// Evict lets the coordinator drop a member and complete a rebalance.
func (s *Story) Evict(node string) *Story {
	f := fact(history.KindEvicted, "broker-1", "", 0)
	f.Resource, f.Value = Group, node
	s.Record(f)
	f = fact(history.KindGeneration, "broker-1", "", 0)
	f.Resource, f.Fence = Group, 2
	s.Record(f)
	return s
}

// Fault begins and ends a fault of some milliseconds on a node; more names are the rest of the cut or set.
func (s *Story) Fault(text, node, more string, ms int64) *Story {
	began := s.FaultBegins(text, node, more)
	f := *s.h.At(began)
	f.Cause, f.Kind = began, history.KindFaultEnded
	s.Wait(ms).Record(f)
	return s
}

// FaultBegins begins a fault that nothing ends, and gives its fact.
func (s *Story) FaultBegins(text, node, more string) int64 {
	f := fact(history.KindFaultBegan, node, "", 0)
	f.Note, f.Value = text, more
	return s.Record(f)
}

// Operation is an operation on the dedup store.
type Operation struct {
	s  *Story
	f  history.Fact
	id int64
}

// Dedup begins an operation (claim, done, release) with a token on the record of an event's stage.
func (s *Story) Dedup(op, event, stage, token string) *Operation {
	f := fact(history.KindInvoke, "consumer-1", event, 0)
	f.Stage, f.Resource, f.Op, f.Value = stage, "dedup/"+event+"/"+stage, op, token
	return &Operation{s, f, s.Record(f)}
}

// Inside makes it an operation on the table of one process: an object of its own, which no other process asks.
func (o *Operation) Inside(node string) *Operation {
	f := o.s.h.At(o.id)
	f.Node, f.Resource = node, "cache/"+f.Event+"/"+f.Stage
	o.f = *f
	return o
}

// Decides lets the operation take effect now, with a result.
func (o *Operation) Decides(result string) *Operation {
	f := o.f
	f.Kind, f.Node, f.Cause, f.Value = history.KindDecided, "dedup-1", o.id, result
	o.s.Record(f)
	return o
}

// Gives ends the operation with a result.
func (o *Operation) Gives(result string) *Story { return o.end(result, history.Acked, 0) }

// Until ends the operation with the result ok for a record that holds for some milliseconds.
func (o *Operation) Until(ms int64) *Story {
	return o.end("ok", history.Acked, o.s.now+ms*Millisecond)
}

// Ends ends the operation with an outcome and no result.
func (o *Operation) Ends(outcome history.Outcome) *Story { return o.end("", outcome, 0) }

func (o *Operation) end(result string, outcome history.Outcome, until int64) *Story {
	f := o.f
	f.Kind, f.Cause, f.Value, f.Outcome, f.Until = history.KindComplete, o.id, result, outcome, until
	o.s.Record(f)
	return o.s
}
