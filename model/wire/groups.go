package wire

import "github.com/twiceless/twiceless/sim"

// JoinRequest enters a group or takes part in its rebalance. Member is "" for a newcomer; it is answered when the join
// barrier is complete.
type JoinRequest struct {
	Group, Member    string
	Instance         string       // group.instance.id of a static member; "" = dynamic
	Client           string       // node name, for facts
	Topics           []string     // subscribed to, sorted
	SessionTimeout   sim.Duration // on the coordinator's monotonic clock
	RebalanceTimeout sim.Duration // how long the barrier waits for this member
	Protocols        []Protocol   // in order of preference
}

// Protocol is one assignor that a member can take part in. Owned is what it holds on to, of a cooperative one, and
// Generation when it got it.
type Protocol struct {
	Name       string // range, round-robin, cooperative-sticky
	Owned      []TopicPartition
	Generation int64
}

// JoinReply tells the new generation; the leader gets the members and must send the assignment.
type JoinReply struct {
	Member     string
	Generation int64
	Protocol   string
	Leader     string
	Members    []JoinedMember // for the leader only, sorted by member
}

// JoinedMember is what the leader assigns by.
type JoinedMember struct {
	Member, Instance string
	Topics           []string
	Owned            []TopicPartition
	Generation       int64 // of Owned
}

// SyncRequest hands in (leader) or asks for (others) the assignment of a generation.
type SyncRequest struct {
	Group, Member, Instance string
	Generation              int64
	Assignment              []MemberShare // from the leader only
}

// MemberShare is one member's share.
type MemberShare struct {
	Member     string
	Partitions []TopicPartition
}

// SyncReply is the member's own share, sorted.
type SyncReply struct{ Partitions []TopicPartition }

// HeartbeatRequest keeps a session alive; ErrRebalance asks the member to join again.
type HeartbeatRequest struct {
	Group, Member, Instance string
	Generation              int64
}

// LeaveRequest takes a member out at once. A static member leaves only if Instance is named without Member: an operator's.
type LeaveRequest struct{ Group, Member, Instance string }

// GroupHeartbeatRequest is all that a member of a group with server-side assignment sends (KIP-848). Epoch 0 joins, -1
// leaves, -2 leaves and will be back (static).
type GroupHeartbeatRequest struct {
	Group, Member, Instance, Client string
	Epoch                           int64
	RebalanceTimeout                sim.Duration
	Topics                          []string         // sorted
	Owned                           []TopicPartition // what it holds now
}

// GroupHeartbeatReply tells the member's epoch and what it is to hold: what it holds and is not in Assignment it is to
// give up, and to say so with the next heartbeat.
type GroupHeartbeatReply struct {
	Member     string
	Epoch      int64
	Interval   sim.Duration
	Assignment []TopicPartition
}

// NoGeneration is that of a commit by somebody who is no member.
const NoGeneration int64 = -1

// CommitRequest moves positions, backwards too. A generation, or member epoch, that is not the group's is refused. Without
// a member and a generation it is that of an operator or of a simple consumer: refused while the group has members.
type CommitRequest struct {
	Group, Member, Instance string
	Generation              int64
	Offsets                 []GroupOffset
}

// GroupOffset is one position: the next offset to read.
type GroupOffset struct {
	Topic     string
	Partition int
	Offset    int64
	Epoch     int32 // leader epoch of the last record consumed; -1 = not known
	Fact      int64 // the consumer's committing fact; 0 = none
}

// CommitReply is parallel to the offsets of the request.
type CommitReply struct{ Errs []error }

// OffsetsRequest asks for the group's positions. RequireStable has a partition with a commit of an open transaction
// answered with ErrUnstableOffset (KIP-447).
type OffsetsRequest struct {
	Group         string
	RequireStable bool
	Partitions    []TopicPartition
}

// OffsetsReply is parallel to the request.
type OffsetsReply struct{ Offsets []CommittedOffset }

// CommittedOffset is one position; -1 = never committed, or expired.
type CommittedOffset struct {
	Err    error
	Offset int64
	Epoch  int32
}
