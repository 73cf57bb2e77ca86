package wire

import "github.com/twiceless/twiceless/sim"

// Isolation of a reader.
type Isolation uint8

// ReadUncommitted reads below the high watermark; ReadCommitted below the last stable offset, and its client leaves out
// what the reply says was aborted.
const (
	ReadUncommitted Isolation = iota
	ReadCommitted
)

// FetchRequest is a long poll of a consumer over partitions that one broker leads: it is answered when one of them has
// records, at once if one of them has an error, or after MaxWait on the broker's monotonic clock. It parks there meanwhile.
type FetchRequest struct {
	Isolation  Isolation
	MaxWait    sim.Duration
	MaxRecords int // a batch is never cut: more may come with the last one
	From       []FetchFrom
}

// FetchFrom is one partition of it.
type FetchFrom struct {
	Topic        string
	Partition    int
	Offset       int64
	CurrentEpoch int32 // the leader epoch that the consumer knows, for fencing (KIP-320); -1 = not known
}

// FetchReply has those partitions that have something to say.
type FetchReply struct{ Partitions []Fetched }

// Fetched is one partition. The first batch may begin before the offset that was asked for.
type Fetched struct {
	Topic      string
	Partition  int
	Err        error
	Batches    []Batch
	High       int64        // the high watermark as the leader knows it
	LastStable int64        // read committed: nothing from here on is decided
	LogStart   int64        //
	Aborted    []AbortedTxn // read committed: of the offsets returned
}

// AbortedTxn is a transaction that ended in an abort marker: records of Producer from First on, up to that marker.
type AbortedTxn struct {
	Producer int64
	First    int64
}

// At is a time or a place in a log.
type At int8

// Earliest is the log start offset. Latest is the high watermark, or the last stable offset of a reader of committed
// records.
const (
	Earliest At = iota
	Latest
)

// ListOffsetsRequest asks for one place in each of several partitions that the broker leads.
type ListOffsetsRequest struct {
	At         At
	Isolation  Isolation
	Partitions []TopicPartition
}

// ListOffsetsReply is parallel to the request.
type ListOffsetsReply struct{ Results []OffsetResult }

// OffsetResult is one of it.
type OffsetResult struct {
	Err    error
	Offset int64
	Epoch  int32 // of the leader
}

// EpochEndRequest asks where an epoch ends in the leader's log (OffsetsForLeaderEpoch, KIP-101, KIP-279, KIP-320).
type EpochEndRequest struct {
	Topic        string
	Partition    int
	CurrentEpoch int32 // that the asker knows; -1 = not fenced
	Epoch        int32 // that is asked about
}

// EpochEndReply is the largest epoch of the log that is not above the one asked about, and the offset behind its last
// record; -1, -1 = the log knows none.
type EpochEndReply struct {
	Epoch int32
	End   int64
}
