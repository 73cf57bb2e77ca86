package model

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/twiceless/twiceless/sim"
)

// The protocol of the log broker and its group coordinator, after Kafka's: JoinGroup, SyncGroup, Heartbeat,
// LeaveGroup, OffsetCommit, OffsetFetch, ListOffsets (earliest and latest), Produce, Fetch. All are requests to service "broker", with these ops.
const (
	BrokerService = "broker"
	OpProduce     = "produce"
	OpFetch       = "fetch"
	OpJoin        = "join"
	OpSync        = "sync"
	OpHeartbeat   = "heartbeat"
	OpLeave       = "leave"
	OpCommit      = "commit"
	OpOffsets     = "offsets"
	OpEarliest    = "earliest"
	OpLatest      = "latest"
)

// BrokerOps lists the ops of the broker, sorted.
func BrokerOps() []string {
	return []string{OpCommit, OpEarliest, OpFetch, OpHeartbeat, OpJoin, OpLatest, OpLeave, OpOffsets, OpProduce, OpSync}
}

// Errors of the broker; all are definite.
var (
	ErrRebalance         = errors.New("rebalance in progress")
	ErrIllegalGeneration = errors.New("illegal generation")
	ErrUnknownMember     = errors.New("unknown member")
	ErrUnknownTopic      = errors.New("unknown topic or partition")
	ErrOffsetOutOfRange  = errors.New("offset out of range")
)

// PartitionOffset names a position: the next offset to read.
type PartitionOffset struct {
	Partition int
	Offset    int64
}

// ProduceRequest appends messages to one partition, in order. Acks 0 is never answered; 1 is answered when the
// records are durable at this broker.
type ProduceRequest struct {
	Topic     string
	Partition int
	Acks      int
	Messages  []Message // Cause is the producer's fact for each
}

// ProduceReply tells the offset of the first message, and of each the fact of its append.
type ProduceReply struct {
	Base   int64
	Stored []int64
}

// FetchRequest is a long poll over partitions of one topic: it is answered when there are records, or after
// MaxWait on the broker's monotonic clock; it parks at the broker meanwhile.
type FetchRequest struct {
	Topic      string
	From       []PartitionOffset
	MaxRecords int
	MaxWait    sim.Duration
}

// FetchReply has records in offset order per partition; empty after MaxWait.
type FetchReply struct{ Messages []Message }

// JoinRequest enters a group or takes part in its rebalance. Member is "" for a newcomer. It is answered when
// the join barrier is complete.
type JoinRequest struct {
	Group, Member    string
	Client           string       // node name, for facts
	Topic            string       // what the member wants to read
	SessionTimeout   sim.Duration // on the broker's monotonic clock
	RebalanceTimeout sim.Duration // how long the barrier waits for this member
}

// JoinReply tells the new generation; the leader gets the members (sorted) and must send the assignment.
type JoinReply struct {
	Member     string
	Generation int64
	Leader     string
	Members    []string // for the leader only
	Partitions int      // of the topic
}

// SyncRequest hands in (leader) or asks for (others) the assignment of a generation.
type SyncRequest struct {
	Group, Member string
	Generation    int64
	Assignment    []MemberPartitions // from the leader only
}

// MemberPartitions is one member's share.
type MemberPartitions struct {
	Member     string
	Partitions []int
}

// SyncReply is the member's own share, sorted.
type SyncReply struct{ Partitions []int }

// HeartbeatRequest keeps a session alive; ErrRebalance asks the member to join again.
type HeartbeatRequest struct {
	Group, Member string
	Generation    int64
}

// LeaveRequest takes a member out at once.
type LeaveRequest struct{ Group, Member string }

// NoGeneration is that of a commit by somebody who is no member.
const NoGeneration int64 = -1

// CommitRequest moves positions, durably, backwards too. A generation that is not the group's is refused. Without a
// member and a generation it is that of an operator or of a simple consumer, who reads without being a member: refused
// with ErrUnknownMember while the group has members, and a group that does not exist is made by it.
type CommitRequest struct {
	Group, Member string
	Generation    int64
	Topic         string
	Offsets       []PartitionOffset
	Facts         []int64 // the consumer's committing facts, parallel to Offsets
}

// OffsetsRequest asks for the group's positions; a partition never committed answers 0.
type OffsetsRequest struct {
	Group, Topic string
	Partitions   []int
}

// OffsetsReply is parallel to the request.
type OffsetsReply struct{ Offsets []PartitionOffset }

// EarliestRequest asks for the first offset that each partition of a topic still holds. The reply is an OffsetsReply, by
// partition.
type EarliestRequest struct{ Topic string }

// LatestRequest asks for the offset after the last record of each partition that a fetch can see. The reply is an
// OffsetsReply, by partition.
type LatestRequest struct{ Topic string }

// PartitionName is "orders/3", the resource of facts and plans.
func PartitionName(topic string, partition int) string {
	return topic + "/" + strconv.Itoa(partition)
}

// Token is the fence as facts have it: -1 = none.
func (m *Message) Token() int64 {
	if m.Fence == 0 {
		return -1
	}
	return m.Fence
}

// Encode writes a message as a log's disk holds it.
func (m Message) Encode() string {
	return string(m.AppendTo(make([]byte, 0, 128+len(m.Payload)+len(m.Headers))))
}

// AppendTo appends what Encode writes.
func (m *Message) AppendTo(b []byte) []byte {
	for _, s := range [...]string{m.Event, m.Stage, m.Key, m.Correlation, m.Payload, m.Schema, m.IdempotencyKey, m.Headers} {
		b = AppendText(b, s)
	}
	for _, n := range [...]int64{m.Amount, int64(m.Attempt), m.Cause, m.Stored} {
		b = AppendNumber(b, n)
	}
	return b
}

// DecodeMessage is the inverse of Encode. A disk holds only what Encode wrote and the boot cut off what was
// torn, so anything else is a bug of ours: it panics.
func DecodeMessage(s string) Message {
	in := Fields{Rest: s}
	m := TakeMessage(&in)
	if in.Bad {
		panic(fmt.Sprintf("model: damaged record %q", s))
	}
	return m
}

// TakeMessage takes what AppendTo wrote off the front; it is worthless if in is bad then.
func TakeMessage(in *Fields) (m Message) {
	for _, field := range [...]*string{&m.Event, &m.Stage, &m.Key, &m.Correlation, &m.Payload, &m.Schema, &m.IdempotencyKey, &m.Headers} {
		*field = in.Text()
	}
	m.Amount, m.Attempt, m.Cause, m.Stored = in.Number(), int(in.Number()), in.Number(), in.Number()
	return m
}
