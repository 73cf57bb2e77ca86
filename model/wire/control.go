package wire

import "github.com/twiceless/twiceless/sim"

// Brokers are numbered from 1: broker 2 is node broker-2. NoLeader is no broker.
const NoLeader int32 = -1

// RegisterRequest begins an uptime session of a broker.
type RegisterRequest struct {
	Broker      int32
	Incarnation int32
	LastEpoch   int64 // of the session that the disk says ended by a controlled shutdown: its log has everything that it acknowledged; 0 = none
}

// RegisterReply tells the session's epoch. A broker begins fenced.
type RegisterReply struct{ Epoch int64 }

// BeatRequest keeps the session alive, on the controller's monotonic clock.
type BeatRequest struct {
	Broker       int32
	Epoch        int64
	Image        int64 // version of the metadata that the broker has
	WantShutdown bool  // a graceful stop: take the leaderships away
}

// BeatReply says what the controller makes of it.
type BeatReply struct {
	Fenced         bool
	ShouldShutDown bool
}

// ImageRequest is a long poll for metadata newer than Since.
type ImageRequest struct {
	Broker  int32
	Since   int64
	MaxWait sim.Duration
}

// ImageReply is what has changed after Since: the newest state of each partition that did, and all the brokers.
type ImageReply struct {
	Version    int64
	Brokers    []BrokerState
	Partitions []PartitionState
}

// BrokerState is one registered broker.
type BrokerState struct {
	Broker   int32
	Epoch    int64
	Fenced   bool
	Stopping bool // a controlled shutdown has begun: it leads nothing and joins no ISR
}

// PartitionState is what the controller knows of a partition.
type PartitionState struct {
	Topic          string
	Partition      int
	Replicas       []int32
	ISR            []int32
	ELR            []int32 // eligible leader replicas (KIP-966)
	LastKnownELR   []int32
	Leader         int32 // NoLeader = none
	LeaderEpoch    int32 // grows with each change of the leader
	PartitionEpoch int32 // grows with each change of the state
	Unclean        bool  // the present leader was elected from outside ISR and ELR
}

// AlterPartitionRequest is a leader's wish for another ISR.
type AlterPartitionRequest struct {
	Broker         int32
	BrokerEpoch    int64
	Topic          string
	Partition      int
	LeaderEpoch    int32
	PartitionEpoch int32
	ISR            []InSync
}

// InSync is a member of the ISR that is wished for, with the broker epoch of the fetch by which the leader knows that it
// has caught up (KIP-841); -1 = not known.
type InSync struct {
	Broker int32
	Epoch  int64
}

// AlterPartitionReply is the state that has come of it.
type AlterPartitionReply struct{ State PartitionState }

// ProducerIDsRequest asks the controller for a block of producer ids.
type ProducerIDsRequest struct {
	Broker int32
	Epoch  int64
}

// ProducerIDsReply is the block: First, First+1, … Count of them.
type ProducerIDsReply struct{ First, Count int64 }
