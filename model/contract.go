package model

import (
	"context"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Intent is the identity of a business event at a stage. The attempt is never part of it: a key made from an
// attempt is a new key at every retry, and nothing is ever recognised as a repetition.
type Intent struct{ Event, Stage, Key, Correlation string }

// Message is a value: strings are immutable, so nothing aliases across nodes.
type Message struct {
	Intent
	Payload, Schema string
	Amount          int64  // hundredths
	Attempt         int    // what the stack itself believes; it reaches no draw
	IdempotencyKey  string // header to the called service; "" = none
	Headers         string // metadata of a dead letter, or of a store's answer; "" = none
	Cause           int64  // fact id that led here: lineage

	// A call that carries a fence acts under a token: who owned Guard later has a higher one. A service that fences
	// refuses what is lower than the highest it has seen for that guard.
	Guard string // what is owned: a topic, orders/3, a message of a queue; "" = no fence
	Fence int64  // the token, from 1; 0 = none

	Asked sim.Time // of a request to a dedup store: the caller's wall clock; it decides nothing

	Topic      string // where it was read from; "" = nowhere yet
	Partition  int
	Offset     int64
	Generation int64 // of the group when it was handed out, of a queue how often it has been received; 0 = not handed out
	Stored     int64 // fact id of its append; 0 = none
	Handle     int64 // receipt of a queue: what names this receive of it to the queue; 0 = not of a queue
}

// Workers is the group that reads a flow's source, under every engine: a plan that names it means the same in every
// stack.
const Workers = "workers"

// StageKind says what a stage does to the world.
type StageKind uint8

// Pure computes, Read asks, Effect changes something outside.
const (
	Pure StageKind = iota
	Read
	Effect
)

// Flow is what the business does: the same value under every engine and stack.
type Flow struct {
	Name, Source string // Source is the topic
	Stages       []Stage
	Incremental  bool // who reads the source keeps what does not move, over generations of its group (KIP-429, KIP-848)
}

// Stage is one step of a flow.
type Stage struct {
	Name    string
	Kind    StageKind
	Class   history.Class // of an effect
	Service string        // what it calls; "" = nothing
	Run     func(Ctx, Message) (Message, error)
	Undo    func(Ctx, Message) error                          // compensation; nil = none
	Fold    func(state string, m Message) (string, []Message) // keyed state; nil = none
}

// Ctx is the only way to touch the world; each method checks that its process lives. It is a context.Context so
// that production signatures keep working; it is never cancelled: a killed process unwinds instead.
type Ctx interface {
	context.Context
	Intent() Intent
	With(Intent) Ctx                                       // the same process, speaking for another intent
	Call(service, op string, req Message) (Message, error) // five steps, each a hook
	Emit(topic string, m Message) error                    // acknowledged by the log, or an error
	Sleep(sim.Duration)
	Now() sim.Time                                                 // the node's monotonic clock
	Wall() sim.Time                                                // the node's wall clock
	Transact(service, op string, req TxnRequest) (TxnReply, error) // of a database; steps and errors as of Call

	// Ask is Call with a body of any form that the service understands; cause is the fact that led here, 0 = none, and
	// rests the fact that the reply rests on.
	Ask(service, op string, body any, cause int64) (reply any, rests int64, err error)
	Unit() Unit
	In(Unit) Ctx                            // the same process inside another unit of work
	Record(history.Fact) int64              // a fact that this process knows
	Stopping() bool                         // a graceful stop was asked for
	Go(name string, fn func(Ctx))           // another process on the node
	GoBackground(name string, fn func(Ctx)) // one that keeps no run from being quiescent: timers, scans
	Transactor(name string) Transactor      // a producer of transactions; no two that are alive may have one name
	// Restore hands over the committed records of a partition, from its beginning to a bound, for as long as that takes.
	Restore(topic string, partition int, to Bound, take func(Message))
	Planted(Bug) bool // the world was built with this defect, for tests of the checkers
	Process() *sim.Proc
}

// Unit of work: owned by the engine, which decides when it completes.
type Unit interface{ Enlist(Participant) }

// Session is a unit that is a transaction of one service: a call of that service waits in it for the engine's commit.
type Session interface {
	Unit
	Take(c Ctx, service, op string, m Message) (reply Message, taken bool)
}

// Participant is what takes part in a unit. Prepare may refuse; Commit after a successful Prepare must not.
type Participant interface {
	Prepare(Ctx) error
	Commit(Ctx) error
	Abort(Ctx) error
}

// OutcomeKind is what became of one message.
type OutcomeKind uint8

// Done: handled. Retry: failed, may succeed later. Park: put it where a person finds it. Drop: given up, a log
// line remains. Forward: hand to topic To. Defer: not now, keep the position.
const (
	Done OutcomeKind = iota
	Retry
	Forward
	Park
	Drop
	Defer
)

// String names the outcome.
func (o OutcomeKind) String() string {
	return [...]string{"done", "retry", "forward", "park", "drop", "defer"}[o]
}

// Outcome is all that layers and engines say to each other about one message.
type Outcome struct {
	Is    OutcomeKind
	After sim.Duration // Retry: not before
	To    string       // Forward: topic
	Why   error        // why not; of what is done, why not by its stages: it was parked
	Tries int          // runs of the handler behind this outcome; 0 = one
}

// Batch handles messages and returns one outcome per message; a size of one is the common case.
type Batch func(Ctx, []Message) []Outcome

// Call is one call at a port; target is a topic, a stage or an op, as the port says.
type Call func(c Ctx, target string, m Message) (Message, error)

// Offer is what a called service offers in one world. The service half of a layer may set it: a stack never
// changes another stack's world.
type Offer struct {
	Keys     bool         // takes idempotency keys and answers a repeated key with the first result
	KeepKeys sim.Duration // on the service's wall clock; 0 = for ever
	Fences   bool         // refuses a call whose fence is lower than the highest it has seen for its guard
}

// Capability is what a layer needs and what services, brokers and layers give.
type Capability string

// The capabilities of this version.
const (
	EventID           Capability = "event.id"           // the producer gives every event an id that travels with it
	ServiceKey        Capability = "service.key"        // a called service takes idempotency keys
	StoreClaim        Capability = "store.claim"        // a store claims atomically
	GroupFence        Capability = "group.fence"        // the log refuses commits of an old generation
	ResourceFence     Capability = "resource.fence"     // a called service refuses a lower token than it has seen
	StoreLease        Capability = "store.lease"        // a store hands out leases with growing tokens
	StoreStages       Capability = "store.stages"       // a store keeps which stages of an event are done
	StoreOutbox       Capability = "store.outbox"       // a store keeps what is to be called for, and a relay calls for it
	BrokerTransaction Capability = "broker.transaction" // the broker has transactions over records and positions
	SinkTransaction   Capability = "sink.transaction"   // a called service commits several rows at once, and a commit may demand that a row is as it was read
)

// Kind is what engines and layers have in common.
type Kind interface {
	Name() string
	Needs() []Capability
	Gives() []Capability
}

// Engine runs a flow: exactly one per stack.
type Engine interface {
	Kind
	Build(Assembly, Flow)
}

// Layer contributes at ports.
type Layer interface {
	Kind
	Install(Assembly, Flow)
}

// Consumer is the client of a group as a poll loop sees it.
type Consumer interface {
	// Poll waits for records, however long that takes and however the assignment changes. ok is false when a graceful
	// stop was asked for and the loop should end.
	Poll(c Ctx, max int) (ms []Message, ok bool)
	// Commit moves the group's positions past these messages and waits until that is durable.
	Commit(c Ctx, ms []Message) error
	// AutoCommits says whether the client commits by itself what it has handed over; see Assembly.AutoCommit.
	AutoCommits() bool
	// OnRevoke has fn run, on the loop's process, before the member gives up what it owns: for a rebalance that it
	// has heard of, or because it leaves. One that was expelled runs it too: its commits are refused.
	OnRevoke(fn func(Ctx))
	// OnAssign has fn run, on the loop's process, when the member has got a share with the group's positions, before it
	// reads anything. The session is kept alive meanwhile, as long as the poll interval lasts.
	OnAssign(fn func(Ctx, []PartitionOffset))
	// Lost says, while OnRevoke's function runs, that others may have the share already: the group has put the member
	// out, and refuses its commits.
	Lost() bool
	// Leave gives up the share and leaves the group, which otherwise happens when the loop ends. A member that has left
	// is not to poll again.
	Leave(c Ctx)
	// Seek reads on from another position. A partition that the member does not own is left alone.
	Seek(to PartitionOffset)
	// Steer is for loops that do what an engine leaves to the member.
	Steer(Steering)
	// Rewind has the member read on from the group's positions again: after a transaction that was aborted, or of which
	// nobody knows whether it was.
	Rewind(c Ctx)
}

// Steering is what a loop decides about polls that wait. It is asked between two fetches, once the member has its share,
// so that whatever the loop decides the member hears of rebalances. The zero value decides nothing.
type Steering struct {
	Enough func() bool              // the poll returns what it has, which is nothing
	Skip   func(partition int) bool // no records of this partition for now
}

// StoreSpec is a store that a layer asks for.
type StoreSpec struct {
	Kind   string       // as the table of stores names it
	Name   string       // of its service, and role of its nodes
	Window sim.Duration // how long a record is kept after its last change, on the store's wall clock; 0 = for ever. Of leases: how long one holds
	Relay  Relay        // of an outbox
}

// Relay is how an outbox calls for its rows. Delays are on the monotonic clock of its node.
type Relay struct {
	From, To sim.Duration // delay before the second call for a row, which doubles with each one that fails, and its ceiling
	Budget   int          // calls for one row after the first, by one incarnation; then it is parked
}

// Assembly is where a stack is put together: ports for layers, and the means of engines.
type Assembly interface {
	Topic(name string, partitions int)                  // one of the stack's own; 0 partitions = as many as the flow's source has
	Role(name string, n int, boot func(Ctx, *sim.Disk)) // own nodes: relay, orchestrator, reconciler …
	Store(StoreSpec)                                    // a store of its own, for instance a dedup store
	ReplayDeadLetters(DeadLetterReplay)                 // an operator who comes after the first drain; at most once
	OnSend(func(Call) Call)
	OnPoll(func(lag, inFlight int) (take int))
	OnBatch(func(Batch) Batch)
	OnStage(stage string, wrap func(Call) Call) // "" = every stage
	AtService(name string, set func(*Offer))    // the service half of a layer: what it asks the service to offer

	// For engines. Batch of a loop is its stages through the layers.
	Consume(topic, group string, loop func(Ctx, Consumer, Batch))                       // one loop in each member of the group, over all stages
	ConsumeStages(topic, group string, stages []Stage, loop func(Ctx, Consumer, Batch)) // over some of them
	ReadCommitted(group string)                                                         // its members are handed no record of a transaction that is open or aborted
	AutoCommit(group string)                                                            // the client of its members commits by itself, as it does by default; that of a queue cannot
	RunStages(c Ctx, m Message, stages []Stage) error                                   // through the layers of each stage
}
