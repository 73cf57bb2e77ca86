package model

import "errors"

// Transactor is a producer whose records become visible together with each other and with the positions of a group, or
// not at all: Kafka's transactional producer (KIP-98, KIP-447). One process uses it, for one transaction at a time.
//
// An error that is ErrTransactionLost ends it: somebody with the same name has begun later, or nobody can say what became
// of the transaction. Who goes on asks for another one of the same name, which ends whatever this one had left open. After
// any other error the transaction can only be aborted.
type Transactor interface {
	// Begin starts a transaction. The first one waits for the producer's identity.
	Begin(c Ctx) error

	// Send hands a message over. It does not wait for the log: what goes wrong with it is the error of a later call.
	Send(c Ctx, topic string, m Message) error

	// SendOffsets moves the group's positions past these messages when the transaction commits. The group refuses a member
	// or generation that is not its present one.
	SendOffsets(c Ctx, in Consumer, ms []Message) error

	// Commit waits until the decision is durable. Readers see its consequences later.
	Commit(c Ctx) error

	// Abort takes everything back, but for the position from which the consumer reads on.
	Abort(c Ctx) error
}

// ErrTransactionLost says that a Transactor is of no more use.
var ErrTransactionLost = errors.New("the producer is fenced, or the fate of its transaction is unknown")

// Bound is how far a log is read by somebody who takes up the state that it holds.
type Bound uint8

// To the high watermark, which waits for every transaction that is open below it, the state is complete. The last stable
// offset is where the first open transaction begins: what was committed behind that is left out, though the positions that were
// committed with it count (KAFKA-10167; github.com/evolution-gaming/kafka-flow/issues/850).
const (
	HighWatermark Bound = iota
	LastStableOffset
)
