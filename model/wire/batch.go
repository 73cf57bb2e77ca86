package wire

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// ProducerID names a producer and its epoch. The zero value is no identity: a producer that is not idempotent.
// IDs count from 1, epochs from 0 to MaxEpoch.
type ProducerID struct {
	ID    int64
	Epoch int32
}

// MaxSequence is the last sequence number of an epoch; behind it comes 0 again.
const MaxSequence = 1<<31 - 1

// MaxEpoch is the last epoch of an id: a 16-bit number in Kafka, of which the coordinator keeps the last for fencing.
const MaxEpoch = 32767

// Control says what a batch is.
type Control uint8

// Data is records; the others are markers of one transaction, of one offset each.
const (
	Data Control = iota
	CommitMarker
	AbortMarker
)

// Batch is what a log is made of: records that one producer sent together, or a marker. Its offsets are Base, Base+1, …
// It is a value that nobody changes once a log holds it; Messages may be shared by all who read it.
type Batch struct {
	Base             int64
	LeaderEpoch      int32
	Producer         ProducerID
	Sequence         int64 // of the first record; -1 = none
	Transactional    bool
	Control          Control
	CoordinatorEpoch int32    // of a marker
	Time             sim.Time // the leader's wall clock at the append
	Messages         []model.Message
	Raw              string // as a disk holds it; it decides nothing but for how long a broker is busy with it
}

// Records is how many offsets the batch takes up.
func (b *Batch) Records() int64 {
	if b.Control != Data {
		return 1
	}
	return int64(len(b.Messages))
}

// Next is the offset behind the batch.
func (b *Batch) Next() int64 { return b.Base + b.Records() }
