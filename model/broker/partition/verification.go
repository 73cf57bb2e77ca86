package partition

import (
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Verification is that of a producer without an open transaction here: its leader asks the coordinator whether there is one that has this
// partition (KIP-890 part 1; Kafka's VerificationStateEntry and VerificationGuard). It ends with the next marker, or the next
// transactional batch, of the producer: an answer from before a marker says nothing of what comes behind it.
type Verification struct {
	producer wire.ProducerID
	lowest   int64    // sequence of what was asked for; -1 of a coordinator
	asked    sim.Time // last, on the broker's wall clock
	granted  bool
}

// Verify is the verification that a leader is about to ask for, of a batch with that first sequence; nil if the producer has a transaction
// open in its epoch, which has been verified before.
func (l *Log) Verify(producer wire.ProducerID, sequence int64, now sim.Time) *Verification {
	if l.OpenIn(producer) {
		return nil
	}
	v := l.verification(producer.ID)
	switch {
	case v == nil || v.producer.Epoch < producer.Epoch:
		l.endVerification(producer.ID)
		v = &Verification{producer: producer, lowest: sequence}
		l.verifications = append(l.verifications, v)
	case v.producer == producer:
		v.lowest = min(v.lowest, sequence)
	}
	v.asked = now
	return v
}

// Granted appends what the coordinator's yes to these questions allows. Of some there may be no question: nil.
func Granted(asked []*Verification, appends func()) {
	grant := func(yes bool) {
		for _, v := range asked {
			if v != nil {
				v.granted = yes
			}
		}
	}
	grant(true)
	appends()
	grant(false)
}

// CheckVerified is the leader's, where transactions are verified, of a transactional batch that it would append otherwise:
// ErrInvalidTxnState if the producer has no transaction open here and the coordinator has not granted one. ErrOutOfOrderSequence of a batch
// behind one that was asked for and is not here yet: of a producer of which nothing is known any sequence would be taken, and the
// first to be granted would keep those before it out.
func (l *Log) CheckVerified(producer wire.ProducerID, sequence int64) error {
	if l.OpenIn(producer) {
		return nil
	}
	v := l.verification(producer.ID)
	switch {
	case v == nil || v.producer != producer || !v.granted:
		return wire.ErrInvalidTxnState
	case sequence > v.lowest:
		return wire.ErrOutOfOrderSequence
	}
	return nil
}

func (l *Log) verification(producer int64) *Verification {
	for _, v := range l.verifications {
		if v.producer.ID == producer {
			return v
		}
	}
	return nil
}

func (l *Log) endVerification(producer int64) {
	if len(l.verifications) > 0 {
		l.verifications = slices.DeleteFunc(l.verifications, func(v *Verification) bool { return v.producer.ID == producer })
	}
}
