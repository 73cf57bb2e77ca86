package history

import "fmt"

// Kind says what a fact states. The table is closed: a reader of a history needs no other vocabulary.
type Kind uint8

// The kinds, in the order in which an intent usually meets them.
const (
	KindNone         Kind = iota
	KindPhase             // the run entered a phase; Note is its name
	KindBooted            // a node began an incarnation; Offset is how many records its disk holds, -1 = nothing was ever written
	KindStopped           // a node ended an incarnation; Note: kill, power-loss, graceful; Offset is how many records its disk holds, the page cache included
	KindUnwound           // a process died at an await; Note is file:line of the await
	KindPanicked          // code of a process panicked; Note is file:line and the value
	KindOffered           // the workload offered an intent at Until (intended arrival); Requires lists its effects
	KindAccepted          // the producer's API told the application "success"
	KindRefused           // the producer's API told the application "no": definitely not written
	KindUncertain         // the producer's API gave up without knowing
	KindAppended          // a log or a queue took a record: Resource topic/partition, Offset
	KindDelivered         // a record was handed to consumer code; of a queue, Value is its receipt handle, Fence how often it has been received, and Until when the queue handed it out (0 = not known)
	KindHandled           // consumer code finished with a delivery; Outcome says how, Cause is the delivery
	KindCalled            // a call left its caller: Resource.Op
	KindReturned          // a call came back to its caller; Cause is the call; Outcome acked, failed or indeterminate
	KindApplied           // a resource applied an effect; Changed says whether its state moved
	KindReversed          // a resource applied a compensation
	KindSuppressed        // a party recognised a repetition and did not apply it again
	KindCommitting        // a consumer asked to move its group's position: Resource topic/partition, Offset = next to read
	KindCommitted         // the group's position moved; durable. Cause is the request. Value: the producer whose transaction moved it, Until: when the group took the request in (0 = not known)
	KindCommitFailed      // the request was refused or is indeterminate; Cause is the request
	KindGeneration        // a group completed a rebalance: Resource group, Fence the new generation
	KindAssigned          // a member believes that it owns Resource from now on
	KindRevoked           // a member believes that it no longer owns Resource
	KindEvicted           // the coordinator, Node, dropped a member: Resource group, Value the member's node, Note why
	KindParked            // a record of a failed event was made durable where a person finds it
	KindDropped           // consumer code gave an event up and leaves only a log line
	KindGaveUp            // an error was returned to the producing application, or an operator was told
	KindInvoke            // an operation on a judged object began: Resource object, Op, Value the argument
	KindComplete          // it ended: Cause the invoke, Value the result
	KindFaultBegan        // a fault took effect: Note is its text, Until its stated end (0 = none), Node its target
	KindFaultEnded        // a fault was lifted; Cause is its beginning
	KindFaultMissed       // a trigger was never reached
	KindHeld              // final state: a store still holds an event. Op says how: queue, pending, done, parked
	KindStopReason        // the run ended; Note is the reason
	KindOperated          // an operator acted. Op stop or start: Resource the group, Value the members' nodes. Op reset: Resource topic/partition, Offset the new position, Value the group. Op replay: they publish a dead letter of Event again, that at Resource topic/partition and Offset, to topic/partition Value

	// What a replicated log and its transactions state. An appended fact of such a log has the leader's epoch as its Fence,
	// the Hash of its payload, and the Op tombstone if it deletes its key.
	KindReplicated  // a replica, Node, took a record or marker from its leader: Resource topic/partition, Offset, Fence the leader epoch of the record, Cause the appended or marked fact
	KindTruncated   // a replica, Node, cut its log: Resource topic/partition, Offset the first that is gone, Fence the leader epoch that made it
	KindElected     // a replica, Node, became the leader: Resource topic/partition, Fence its epoch, Offset the end of its log. Op: unclean if it may lack what was committed
	KindWatermark   // the leader, Node, moved a watermark for its readers: Resource topic/partition, Op high or stable, Offset the first beyond it
	KindSequenced   // a record bears a producer's number: Cause the appended fact, Resource topic/partition, Offset the sequence from 0, Value the producer, Fence its epoch, Op the name of its transaction ("" = none)
	KindTransaction // a step of a transaction: Resource the producer, Fence its epoch, Value the transaction's name. Op init: the coordinator gave the epoch out; began: the client, Node, began it; commit or abort: the coordinator decided so, Cause the beginning
	KindMarked      // a log took the marker that ends a producer's transaction there: Resource topic/partition, Offset, Value the producer, Fence its epoch, Op commit or abort
	KindCompacted   // a replica, Node, took a record away because a later one has its key: Resource topic/partition, Offset, Key, Cause the appended fact. A pass states them in order of offset
	KindAnswered    // a service answered a request that bears an idempotency key: Resource the service, Op, Key that key, Hash of the answer (0 = nothing to compare)
	KindLinked      // declared: two things that become durable together or not at all. Op consume-produce: every record of topic Resource that group Key is handed leads to a record of topic Value. Op dual-write: an effect of an event at service Resource and a record of the event in topic Value
	KindFolded      // an aggregation put out the value of a key: Stage the aggregation, Op its fold (sum, count, min, max, last), Key, Resource and Offset the last input that it took in, Value the value. Inputs are appended facts of that topic/partition and Key with a decimal Value
	KindFinal       // final state: a copy of a store, on Node, holds a state of Hash for Key ("" = all keys); Resource the store, Event the last writer. Op reference: what the store's log folds to, beside which every copy must be equal
	KindBalances    // balances of all accounts in one consistent view: Resource the bank, Value "account=amount,…". Op opening states what there is, Op read what a reader saw
	KindSagaBegan   // a saga was declared: Event the saga, Value its steps in order "a,b,c?" (? = optional), Stage the pivot ("" = none), Op reverse: compensations come in reverse order. Its steps are applied and reversed facts of Event with that Stage
	KindSagaEnded   // a saga told its end: Op completed, compensated or needs-operator
	KindSagaRead    // saga Event acted in Stage on what saga Value wrote in its step Op
	KindReservation // Op made, confirmed or released; Resource the store, Key the reservation, Event the holder
	KindWorkflow    // Op started or ended: Event the workflow's id, Fence its run (from 1)
	KindCommand     // an execution of a workflow's code issued a command: Event the workflow, Fence its run, Offset the command's index from 0, Value the command, Stage the activity. Op at-most-once: the activity is promised to start at most once
	KindSignal      // Op sent or received: Event the workflow, Key the signal; Node of a sent one the sender
	KindTimer       // Op set, fired or cancelled: Event the workflow, Key the timer; Until of a set one when it is due

	KindTransacted // a transaction of a database ended, with a write or with several reads: Resource service/store, Op the level that it asked for (read-committed, serializable), Value what it read and wrote (see Accesses), Offset the number of the commit in that store, -1 = it wrote nothing; Outcome acked, or failed if it was rolled back after others could have read what it wrote; Cause what asked for it
	KindDecided    // an operation on a judged object took effect: from here on all others meet what it left. Cause the invoke, Resource the object, Op, Value the result, Changed whether its state moved, Note expired if what it met had passed its window
	KindSettled    // a queue took a message out: Resource, Offset the record, Op acked, expired, dead-lettered or dropped; Cause the delivery that was acknowledged, of the others the appended fact
	kindCount
)

type kindRow struct{ name, doc string }

// kindTable has one row per kind, in the order of the constants.
var kindTable = [kindCount]kindRow{
	KindNone:         {"none", "no fact"},
	KindPhase:        {"phase", "the run entered a phase"},
	KindBooted:       {"booted", "a node began an incarnation from its disk"},
	KindStopped:      {"stopped", "a node ended an incarnation"},
	KindUnwound:      {"unwound", "a process died at an await, at this file and line"},
	KindPanicked:     {"panicked", "code of a process panicked"},
	KindOffered:      {"offered", "the workload offered an intent with its required effects"},
	KindAccepted:     {"accepted", "the producer told the application: success"},
	KindRefused:      {"refused", "the producer told the application: not written"},
	KindUncertain:    {"uncertain", "the producer told the application: perhaps written"},
	KindAppended:     {"appended", "a log took a record"},
	KindDelivered:    {"delivered", "a record was handed to consumer code"},
	KindHandled:      {"handled", "consumer code finished with a delivery"},
	KindCalled:       {"called", "a call left its caller"},
	KindReturned:     {"returned", "a call came back to its caller"},
	KindApplied:      {"applied", "a resource applied an effect"},
	KindReversed:     {"reversed", "a resource applied a compensation"},
	KindSuppressed:   {"suppressed", "a repetition was recognised and not applied"},
	KindCommitting:   {"committing", "a consumer asked to move its group's position"},
	KindCommitted:    {"committed", "a group's position moved durably"},
	KindCommitFailed: {"commit-failed", "a position was refused, or its fate is unknown"},
	KindGeneration:   {"generation", "a group completed a rebalance"},
	KindAssigned:     {"assigned", "a member believes that it owns a partition"},
	KindRevoked:      {"revoked", "a member believes that it no longer owns a partition"},
	KindEvicted:      {"evicted", "the coordinator dropped a member"},
	KindParked:       {"parked", "a failed event was stored where a person finds it"},
	KindDropped:      {"dropped", "an event was given up, a log line remains"},
	KindGaveUp:       {"gave-up", "an error reached the producing application or an operator"},
	KindInvoke:       {"invoke", "an operation on a judged object began"},
	KindComplete:     {"complete", "an operation on a judged object ended"},
	KindFaultBegan:   {"fault-began", "a fault took effect"},
	KindFaultEnded:   {"fault-ended", "a fault was lifted"},
	KindFaultMissed:  {"fault-missed", "a trigger was never reached"},
	KindHeld:         {"held", "at the end a store still holds an event"},
	KindStopReason:   {"stop", "the run ended"},
	KindOperated:     {"operated", "an operator acted on a group or on a dead letter"},
	KindReplicated:   {"replicated", "a replica took a record from its leader"},
	KindTruncated:    {"truncated", "a replica cut its log"},
	KindElected:      {"elected", "a replica became the leader of a partition"},
	KindWatermark:    {"watermark", "a leader moved a watermark for its readers"},
	KindSequenced:    {"sequenced", "a record bears a producer's number"},
	KindTransaction:  {"transaction", "a producer was given an epoch, or a transaction began or was decided"},
	KindMarked:       {"marked", "a log took the marker that ends a transaction there"},
	KindCompacted:    {"compacted", "a compaction took a record away"},

	KindAnswered:    {"answered", "a service answered a request that bears an idempotency key"},
	KindLinked:      {"linked", "two things are declared to become durable together"},
	KindFolded:      {"folded", "an aggregation put out the value of a key"},
	KindFinal:       {"final", "at the end a copy of a store holds this state"},
	KindBalances:    {"balances", "the balances of all accounts in one consistent view"},
	KindSagaBegan:   {"saga-began", "a saga was declared with its steps"},
	KindSagaEnded:   {"saga-ended", "a saga told its end"},
	KindSagaRead:    {"saga-read", "a saga acted on what another one wrote"},
	KindReservation: {"reservation", "a reservation was made, confirmed or released"},
	KindWorkflow:    {"workflow", "a workflow was started, or ended"},
	KindCommand:     {"command", "an execution of a workflow's code issued a command"},
	KindSignal:      {"signal", "a signal was sent to a workflow, or received by it"},
	KindTimer:       {"timer", "a timer of a workflow was set, fired or cancelled"},
	KindTransacted:  {"transacted", "a transaction of a database ended, which read and wrote versions"},
	KindDecided:     {"decided", "an operation on a judged object took effect"},
	KindSettled:     {"settled", "a queue took a message out"},
}

// String is the kind's name in histories.
func (k Kind) String() string {
	if k >= kindCount {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindTable[k].name
}

// Doc is one sentence about the kind.
func (k Kind) Doc() string { return kindTable[k].doc }

// ParseKind is the inverse of String.
func ParseKind(s string) (Kind, error) {
	for i, row := range kindTable {
		if row.name == s && i != 0 {
			return Kind(i), nil
		}
	}
	return 0, fmt.Errorf("unknown fact kind %q", s)
}

// Outcome of an operation, as far as the party that records the fact knows. The zero value says nothing.
type Outcome uint8

// Acked happened, Failed did not happen, Indeterminate may have happened.
const (
	OutcomeNone Outcome = iota
	Acked
	Failed
	Indeterminate
	Retried // consumer code will try the same delivery again
	Diverted
	GivenUp
	outcomeCount
)

// outcomeTable names the outcomes in histories.
var outcomeTable = [outcomeCount]string{"", "acked", "failed", "indeterminate", "retried", "diverted", "given-up"}

// String is the outcome's name in histories; empty for none.
func (o Outcome) String() string {
	if o >= outcomeCount {
		return fmt.Sprintf("outcome(%d)", uint8(o))
	}
	return outcomeTable[o]
}

// ParseOutcome is the inverse of String.
func ParseOutcome(s string) (Outcome, error) {
	for i, name := range outcomeTable {
		if name == s {
			return Outcome(i), nil
		}
	}
	return 0, fmt.Errorf("unknown outcome %q", s)
}

// Class of an effect: what an excess or a lack of it means to the business.
type Class uint8

// The classes. Critical is what a headline counts; a notify effect has no key and no query.
const (
	ClassNone Class = iota
	Critical
	State
	Notify
	Derived
	ClassCount
)

// classTable names the classes in files.
var classTable = [ClassCount]string{"", "critical", "state", "notify", "derived"}

// String is the class's name in files.
func (c Class) String() string {
	if c >= ClassCount {
		return fmt.Sprintf("class(%d)", uint8(c))
	}
	return classTable[c]
}

// ParseClass is the inverse of String.
func ParseClass(s string) (Class, error) {
	for i, name := range classTable {
		if name == s && i != 0 {
			return Class(i), nil
		}
	}
	return 0, fmt.Errorf("unknown effect class %q (critical, state, notify or derived)", s)
}

// Classes lists the effect classes in table order.
func Classes() []Class { return []Class{Critical, State, Notify, Derived} }
