package transactions

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// transaction is what the coordinator knows of one transactional id. A change goes in two steps: prepare announces the
// state, and from then on nobody else changes anything; complete takes it over when the log has it.
type transaction struct {
	metadata
	c       *Coordinator
	name    string
	moving  bool // a transition is prepared
	pending State
	fact    int64 // of the last decision

	// failedFence: an epoch was taken to fence the producer and the log did not take the abort. It was given to nobody, so
	// the next attempt uses it again (KAFKA-9666).
	failedFence bool
}

// prepare announces a transition.
func (t *transaction) prepare(to State, version int) {
	if t.moving {
		panic(fmt.Sprintf("transactions: %s cannot prepare %v while it prepares %v", t.name, to, t.pending))
	}
	if !to.follows(t.state, version) {
		panic(fmt.Sprintf("transactions: %s cannot go from %v to %v", t.name, t.state, to))
	}
	t.moving, t.pending = true, to
}

// settle takes an announcement back: the state is what it was.
func (t *transaction) settle() {
	if !t.moving {
		panic("transactions: " + t.name + " has no transition to take back")
	}
	t.moving = false
}

// complete is the transition, once the log has it.
func (t *transaction) complete(next metadata) {
	switch {
	case !t.moving || t.pending != next.state:
		panic(fmt.Sprintf("transactions: %s completes %v, which it has not prepared", t.name, next.state))
	case next.producer.ID == t.producer.ID && next.producer.Epoch < t.producer.Epoch:
		panic(fmt.Sprintf("transactions: the epoch of %s goes back from %d to %d", t.name, t.producer.Epoch, next.producer.Epoch))
	case next.producer.Epoch < 0 || next.producer.Epoch > wire.MaxEpoch:
		panic(fmt.Sprintf("transactions: %s has no epoch %d", t.name, next.producer.Epoch))
	}
	t.moving, t.metadata = false, next
}

// to is the value that a transition leads to, but for what the transition itself changes.
func (t *transaction) to(s State) metadata {
	next := t.metadata
	next.state, next.previous, next.updated = s, t.producer.ID, t.c.host.Node().Wall()
	return next
}

// exhausted says whether the epoch is the last that a producer may hold: the one behind it is kept for fencing.
func exhausted(epoch int32) bool { return epoch >= wire.MaxEpoch-1 }

// epochAfter is the epoch behind the present one. Behind the last there is none: an abort goes through under the last one,
// any other step cannot be taken.
func (t *transaction) epochAfter(abort bool) (int32, bool) {
	if t.producer.Epoch < wire.MaxEpoch {
		return t.producer.Epoch + 1, true
	}
	return wire.MaxEpoch, abort && !t.c.cfg.endsAtLastEpoch()
}

// contains says whether the partitions belong to the transaction.
func (t *transaction) contains(ps []wire.TopicPartition) bool {
	for _, p := range ps {
		if !slices.Contains(t.partitions, p) {
			return false
		}
	}
	return true
}

// write appends the record of a prepared transition; then runs when the log has taken it, and the transition is complete,
// or with what a client is told of the failure, and the state is as before. The log may have taken it all the same: the
// next coordinator will then go by what this one did not know.
func (t *transaction) write(next metadata, act sim.Action, then func(error)) {
	t.append(next, act, func(err error) {
		if err != nil {
			t.settle()
		} else {
			t.complete(next)
		}
		then(err)
	})
}

// append writes the record. Nothing comes of it once the coordinator has ended.
func (t *transaction) append(next metadata, act sim.Action, then func(error)) {
	if next.state == Ongoing && t.c.inMemory() {
		then(nil)
		return
	}
	t.c.append(t.name, next.encode(), act, then)
}

// record states a step of the transaction.
func (t *transaction) record(op string, cause int64, note string) int64 {
	return t.c.host.Node().Record(history.Fact{
		Kind: history.KindTransaction, Op: op, Resource: strconv.FormatInt(t.producer.ID, 10), Fence: int64(t.producer.Epoch),
		Value: t.name, Cause: cause, Offset: -1, Note: note,
	})
}
