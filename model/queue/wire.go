package queue

import (
	"errors"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Service and role of the nodes that hold a queue: those of a log's brokers, so that a plan that names a broker means the
// same over either.
const Service = wire.Broker

// The requests of clients, and those of the nodes among themselves.
const (
	OpSend    = "send"
	OpReceive = "receive"
	OpAck     = "ack"     // SQS DeleteMessage, AMQP basic.ack, JetStream +ACK
	OpExtend  = "extend"  // SQS ChangeMessageVisibility, JetStream +WPI
	OpReturn  = "return"  // SQS visibility 0, AMQP nack and reject, JetStream -NAK
	OpSession = "session" // AMQP heartbeat, and the close of a connection

	OpVote    = "request-vote"
	OpEntries = "append-entries"
	OpGossip  = "gossip"
)

// Ops lists the ops of a queue's nodes, sorted.
func Ops() []string {
	return []string{OpAck, OpEntries, OpExtend, OpGossip, OpReceive, OpVote, OpReturn, OpSend, OpSession}
}

// What a queue answers.
var (
	ErrOverLimit = errors.New("too many messages in flight")         // SQS OverLimit
	ErrUnknown   = errors.New("no such queue")                       //
	ErrDelay     = errors.New("delay out of range")                  //
	ErrUncertain = errors.New("leadership was lost: perhaps stored") // indefinite: what was asked for may yet take effect
)

// ErrHandle: the receive has expired, or there has been another one since. Nothing happened.
const ErrHandle = lapsed("the receipt handle is not valid")

// lapsed is an error of who does not own a message any more: a model.ErrFenced.
type lapsed string

func (l lapsed) Error() string { return string(l) }

// Is says that it is one.
func (lapsed) Is(target error) bool { return target == model.ErrFenced }

// NotLeader is the answer of a node that another one serves for. Node is who does, "" = not known. It is definite.
type NotLeader struct{ Node string }

// Error says so.
func (e *NotLeader) Error() string { return "not the leader: " + e.Node }

// Connection names the how many-th connection, from 0, of a consumer's process: of its node and incarnation.
func Connection(node string, incarnation int32, number int) string {
	return node + "#" + strconv.Itoa(int(incarnation)) + "." + strconv.Itoa(number)
}

// Connects says whether a connection is one of that process.
func Connects(connection, node string, incarnation int32) bool {
	return strings.HasPrefix(connection, node+"#"+strconv.Itoa(int(incarnation))+".")
}

// Definite says whether the error proves that what was asked for has not taken effect and will not.
func Definite(err error) bool { return model.Definite(err) && !errors.Is(err, ErrUncertain) }

// SendRequest puts messages into a queue, in order. It is answered when they are stored as the profile stores.
type SendRequest struct {
	Queue    string
	Messages []model.Message // Cause is the producer's fact for each; the message group of a FIFO queue is the Key
	Dedup    []string        // id of each (MessageDeduplicationId, Nats-Msg-Id); "" = by its body where the profile does that, else none
	Delay    sim.Duration    // before they can be received; from 0 to Config.MaxDelay, on the queue's clock
}

// SendReply tells the fact of each append. A repetition that was recognised has that of its first.
type SendReply struct{ Stored []int64 }

// ReceiveRequest takes messages out of sight. It is a long poll: answered when there are messages, or after Wait on the
// node's monotonic clock.
type ReceiveRequest struct {
	Queue      string
	Consumer   string       // node and incarnation: a connection
	Max        int          // messages, from 1
	Wait       sim.Duration // 0 = do not wait
	Visibility sim.Duration // 0 = the queue's
}

// ReceiveReply has messages with their handles, in the queue's order; empty after Wait.
type ReceiveReply struct {
	Messages []model.Message
	Receives []int64 // of each, this one counted: from 1. Above 1 = AMQP's redelivered
	At       int64   // when they were handed out, in global time: for facts alone
}

// AckRequest takes messages out for good.
type AckRequest struct {
	Queue, Consumer string
	Handles         []int64
	Facts           []int64 // the consumer's deliveries, parallel to Handles
}

// AckReply says of each handle what became of it: nil = accepted, which with Config.Late LateIgnored need not mean that the
// message is gone. Else ErrHandle.
type AckReply struct{ Errors []error }

// ExtendRequest sets how long from now a receive keeps its messages out of sight: 0 = not at all. The reply is an AckReply.
type ExtendRequest struct {
	Queue   string
	Handles []int64
	For     sim.Duration
}

// ReturnRequest gives messages back. The reply is an AckReply.
type ReturnRequest struct {
	Queue, Consumer string
	Handles         []int64
	Reject          bool // it counts as a failed delivery (AMQP basic.reject; nack does not count since RabbitMQ 4.3)
	Drop            bool // not to be delivered again: dead-lettered or dropped (AMQP requeue=false, JetStream +TERM)
}

// SessionRequest says that a consumer is there, or closes its connection.
type SessionRequest struct {
	Queue, Consumer string
	Close           bool
}
