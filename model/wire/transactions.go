package wire

import "github.com/twiceless/twiceless/sim"

// InitProducerRequest asks for an identity. Transaction "" is an idempotent producer: any broker answers. Expected is what
// a client that bumps its epoch believes to be; the zero value = none (KIP-360).
type InitProducerRequest struct {
	Transaction string
	Timeout     sim.Duration // of its transactions, on the coordinator's clock
	Expected    ProducerID
}

// InitProducerReply is the identity.
type InitProducerReply struct{ Producer ProducerID }

// AddPartitionsRequest takes partitions into the transaction. VerifyOnly asks whether they are in it (KIP-890 part 1): a
// leader's question before the first append.
type AddPartitionsRequest struct {
	Transaction string
	Producer    ProducerID
	VerifyOnly  bool
	Partitions  []TopicPartition
}

// AddOffsetsRequest takes the partition of a group's positions into the transaction.
type AddOffsetsRequest struct {
	Transaction string
	Producer    ProducerID
	Group       string
}

// TxnCommitRequest moves a group's positions when the transaction commits. It goes to the group's coordinator, which
// refuses a member or generation that is not the group's (KIP-447). The answer is a CommitReply.
type TxnCommitRequest struct {
	Transaction             string
	TxnVersion              int
	Producer                ProducerID
	Group, Member, Instance string
	Generation              int64
	Offsets                 []GroupOffset
}

// EndTxnRequest commits or aborts. It is answered when the decision is in the log of the transactions, before the markers
// are written.
type EndTxnRequest struct {
	Transaction string
	TxnVersion  int
	Producer    ProducerID
	Commit      bool
	Began       int64 // the client's fact of the beginning
}

// EndTxnReply has the identity for the next transaction: that of the request, with its epoch bumped from version 2 on.
type EndTxnReply struct{ Producer ProducerID }

// MarkersRequest has a leader write the markers of transactions that are decided.
type MarkersRequest struct{ Markers []Marker }

// Marker is the end of one transaction in the partitions that the broker leads.
type Marker struct {
	Producer         ProducerID
	Commit           bool
	CoordinatorEpoch int32
	Partitions       []TopicPartition
	Fact             int64 // of the decision
}

// MarkersReply is parallel to the markers, and within each to its partitions.
type MarkersReply struct{ Errs [][]error }
