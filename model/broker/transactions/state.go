package transactions

import "fmt"

// State of a transactional id, with Kafka's names and numbers.
type State uint8

// The states.
const (
	Empty             State = iota // no transaction: a producer was given its identity
	Ongoing                        // it has partitions, nothing is decided
	PrepareCommit                  // decided; markers are being written
	PrepareAbort                   // decided; markers are being written
	CompleteCommit                 // every partition has its marker
	CompleteAbort                  // every partition has its marker
	Dead                           // expired; it is about to be forgotten
	PrepareEpochFence              // the coordinator takes the transaction from its producer, to abort it
)

// stateTable names the states.
var stateTable = [...]string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"}

// String is Kafka's name of the state.
func (s State) String() string {
	if int(s) < len(stateTable) {
		return stateTable[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// idle says whether the id has no transaction: it may begin one, be given a new identity, or expire.
func (s State) idle() bool { return s == Empty || s == CompleteCommit || s == CompleteAbort }

// deciding says whether the end is decided and not complete.
func (s State) deciding() bool { return s == PrepareCommit || s == PrepareAbort }

// completed is what a decision leads to.
func (s State) completed() State {
	if s == PrepareCommit {
		return CompleteCommit
	}
	return CompleteAbort
}

// follows says whether a transition from before to s is one of Kafka's (TransactionMetadata.validPreviousStates). From
// version 2 on an abort may find no transaction: the producer does not know whether a leader has added a partition.
func (s State) follows(before State, version int) bool {
	switch s {
	case Empty, Dead:
		return before.idle()
	case Ongoing:
		return before.idle() || before == Ongoing
	case PrepareCommit, PrepareEpochFence:
		return before == Ongoing
	case PrepareAbort:
		return before == Ongoing || before == PrepareEpochFence || version >= 2 && before.idle()
	case CompleteCommit:
		return before == PrepareCommit
	case CompleteAbort:
		return before == PrepareAbort
	}
	return false
}
