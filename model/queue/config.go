package queue

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// Config of a queue. KindByName gives that of a profile with the defaults of the real system; a scenario changes what it
// names. All durations are on the monotonic clock of the node that serves the queue.
type Config struct {
	Queue       string // its name: the topic of messages and facts
	DeadLetters string // the queue of what was received too often; "" = none, then it is dropped where the rule is to move it
	ByHand      bool   // only clients put messages into that queue; for this one itself there is none
	Parks       bool   // it is such a queue: what it takes in has been parked
	Servers     int    // nodes
	Service     string // of its requests, and role of its nodes; "" = Service

	// What the queue does with messages.
	Visibility    sim.Duration // how long a receive hides one (SQS visibility timeout, JetStream AckWait, AMQP delivery acknowledgement timeout)
	MaxReceives   int          // SQS maxReceiveCount, RabbitMQ delivery-limit, JetStream MaxDeliver; 0 = any number
	Limit         LimitRule    // what MaxReceives counts, and what happens then
	Groups        bool         // FIFO: of one key only the oldest, and none while one is hidden
	DedupWindow   sim.Duration // how long the id of a message is known, from its send; 0 = no deduplication
	DedupByBody   bool         // a message without an id has its body for it
	Retention     sim.Duration // how long a message lives, from its send; 0 = for ever
	MaxInFlight   int          // received and hidden messages at most (SQS, JetStream MaxAckPending); 0 = any number
	InFlightError bool         // a receive beyond that is refused if it does not wait; else it finds nothing
	MaxDelay      sim.Duration // of a send; SQS FIFO knows delays only of a whole queue
	Late          LateRule     // an ack, extension or return under a handle that is not the present one

	// How consumers are connected.
	Connected      bool         // messages are a connection's: its end returns them
	SessionTimeout sim.Duration // a connection is taken for ended after so much silence
	SingleActive   bool         // only the consumer that has been connected longest gets messages (x-single-active-consumer)

	// How dead letters travel.
	DeadLetterNodes     string       // role and service of the nodes that hold DeadLetters; "" = these here, which move a message at once
	DeadLetterConfirmed bool         // RabbitMQ dead-letter-strategy at-least-once: the message stays until the other queue has confirmed it
	DeadLetterRetry     sim.Duration // between two tries of that

	// How it is stored.
	Weak        bool         // by servers that tell each other afterwards (package servers); else by Raft (package quorum)
	SyncEvery   sim.Duration // of the Raft log: 0 = before anything counts, else so often, and what counts is in page caches
	KeepApplied bool         // what a node has applied stays, also when the entry is cut from its log
	Heartbeat   sim.Duration
	ElectionMin sim.Duration // each node's timeout is drawn between these two, once in a term
	ElectionMax sim.Duration
	LostQuorum  sim.Duration // a leader that has not heard from a majority for so long steps down; 0 = never
	PreVote     bool         // a candidate asks first whether it could win
	Away        sim.Duration // Weak: a server that was not heard for so long is taken for gone

	Append, Fsync rng.Dist     // of the nodes' disks; the zero value takes no time
	Writeback     sim.Duration // of the operating system; see sim.Disk.Writeback
	Defects       model.Defects
}

// Redrives says whether the queue itself moves messages to its dead letters.
func (c *Config) Redrives() bool { return c.DeadLetters != "" && !c.ByHand }

// LimitRule is what becomes of a message that was handed out too often.
type LimitRule uint8

// AtReceive: the receive that would exceed the limit moves it to the dead letters instead (SQS). AtReturn: so does the
// failed delivery that exceeds it (RabbitMQ). Stays: after the last delivery it stays, and is not delivered again (JetStream).
const (
	AtReceive LimitRule = iota
	AtReturn
	Stays
)

// LateRule is what an ack does whose receive is not the present one.
type LateRule uint8

// LateIgnored: it is accepted, and the message stays unless nobody has received it since (SQS standard). LateRefused: it
// fails (SQS FIFO, AMQP, Pub/Sub). LateAccepted: it takes the message out, whoever has it now (JetStream). A late extension or
// return is refused by all but the last, which does to the present receive what is asked (server/consumer.go: progressUpdate
// and processNak ask only whether the message is pending).
const (
	LateIgnored LateRule = iota
	LateRefused
	LateAccepted
)

// Kind is one row of the table of profiles.
type Kind struct {
	Name, Doc string
	Config    func() Config
}

// Kinds lists the profiles, sorted by name.
func Kinds() []Kind {
	return []Kind{
		{"jetstream", "NATS JetStream, a work queue stream and a pull consumer with explicit acks: a confirmed message is in the page caches of a majority, a late ack counts, what was delivered too often stays", jetstream},
		{"pubsub", "Google Pub/Sub with exactly-once delivery: acks after the deadline fail, and every publish makes a message of its own", pubsub},
		{"rabbitmq-quorum", "a RabbitMQ quorum queue: fsynced by a majority before it is confirmed, messages belong to a connection and come back with its end, a delivery limit of 20", rabbitmq},
		{"sqs", "an SQS standard queue: visibility timeout and handles; servers tell each other afterwards, so that a deleted message may come again", sqs},
		{"sqs-fifo", "an SQS FIFO queue: message groups in order, sends deduplicated for 5 minutes, a delete under an expired handle fails", sqsFIFO},
	}
}

// KindByName finds a profile.
func KindByName(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// sqs: botocore's service-2.json of SQS says the defaults. maxReceiveCount counts only where there is a queue of dead letters.
func sqs() Config {
	return Config{Servers: 3, Visibility: 30 * sim.Second, MaxReceives: 10, Limit: AtReceive, Retention: 4 * 24 * sim.Hour,
		MaxInFlight: 120_000, InFlightError: true, MaxDelay: 15 * sim.Minute, Late: LateIgnored,
		Weak: true, Heartbeat: sim.Second, Away: 3 * sim.Second}
}

func sqsFIFO() Config {
	c := sqs()
	c.Weak, c.InFlightError, c.MaxDelay, c.Late, c.Groups = false, false, 0, LateRefused, true
	c.DedupWindow, c.DedupByBody = 5*sim.Minute, true
	c.ElectionMin, c.ElectionMax, c.PreVote = 3*sim.Second, 5*sim.Second, true
	return c
}

// rabbitmq: rabbitmq.com/docs/quorum-queues and /docs/consumers. A delivery may be unacknowledged for 30 minutes. Ra has no
// heartbeats of its own and learns of dead nodes from a failure detector; here its role is played by heartbeats.
func rabbitmq() Config {
	return Config{Servers: 3, Visibility: 30 * sim.Minute, MaxReceives: 20, Limit: AtReturn, Late: LateRefused,
		Connected: true, SessionTimeout: 60 * sim.Second, DeadLetterRetry: 5 * sim.Second,
		Heartbeat: sim.Second, ElectionMin: 3 * sim.Second, ElectionMax: 5 * sim.Second, PreVote: true}
}

// jetstream: nats-server's server/consumer.go, raft.go and docs.nats.io.
func jetstream() Config {
	return Config{Servers: 3, Visibility: 30 * sim.Second, Limit: Stays, MaxInFlight: 1000, DedupWindow: 2 * sim.Minute, Late: LateAccepted,
		SyncEvery: 2 * sim.Minute, KeepApplied: true, Heartbeat: sim.Second, ElectionMin: 4 * sim.Second, ElectionMax: 9 * sim.Second, LostQuorum: 10 * sim.Second}
}

// pubsub: the comments of pubsub.proto; how the service stores is not published, so it is stored as sqs-fifo is.
func pubsub() Config {
	return Config{Servers: 3, Visibility: 10 * sim.Second, MaxReceives: 5, Limit: AtReceive, Retention: 7 * 24 * sim.Hour, Late: LateRefused,
		Heartbeat: sim.Second, ElectionMin: 3 * sim.Second, ElectionMax: 5 * sim.Second, PreVote: true}
}
