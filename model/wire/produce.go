package wire

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Acks of a produce request. AcksNone is never answered. AcksLeader is answered when the leader has appended, to its page
// cache. AcksAll is answered when the high watermark has passed the records.
const (
	AcksNone   = 0
	AcksLeader = 1
	AcksAll    = -1
)

// ProduceRequest appends one batch to each of several partitions that the broker leads.
type ProduceRequest struct {
	Acks        int
	Timeout     sim.Duration // how long the leader waits for followers, on its monotonic clock
	Transaction string       // name; "" = none
	TxnVersion  int          // of the client: 1, or 2 (KIP-890 part 2: partitions are added by the first produce)
	Name        string       // of this one transaction, as facts name it; "" = none. It decides nothing
	Connection  int          // which of the producer's connections to this broker it came over, in the order of their opening
	Size        int          // bytes of the batches, as the producer counts them; it decides nothing but how long they take
	Batches     []ProduceBatch
}

// requestHeader is the frame and the header of a Produce request of version 7, and what stands around its batches: with a client
// id of 7 letters and a topic of 32. Where every record is a request of its own it weighs more than the record.
const requestHeader = 81

// WireSize is how many bytes it is on a connection with a bounded goodput.
func (r ProduceRequest) WireSize() int { return requestHeader + r.Size }

// ProduceBatch is what a producer wants appended to one partition.
type ProduceBatch struct {
	Topic     string
	Partition int
	Producer  ProducerID
	Sequence  int64           // of the first message, from 0; -1 without an identity
	Messages  []model.Message // Cause is the producer's fact for each
}

// ProduceReply is parallel to the batches of the request.
type ProduceReply struct{ Results []ProduceResult }

// ProduceResult is what became of one batch. A batch that the log had before is answered with its offset then.
type ProduceResult struct {
	Err    error
	Base   int64   // offset of the first message; -1 = not known
	Stored []int64 // of each message the fact of its append; nil with an error or when the log had them before and forgot
}
