package checker

import (
	"strconv"

	"github.com/twiceless/twiceless/sim/history"
)

// A queue has no positions. What a log's consumers say by moving one, a queue says of each message: it took it out
// (KindSettled). A delivery of a queue has a receipt handle (Value) and counts the receives of that one message (Fence), which
// are no generations: nobody owns what lies beside it. When the queue handed it out (Until) may be long before it was delivered.
//
// What a queue holds at the end it states itself (KindHeld), so that nobody has to know by which rule a message left.
type queueFacts struct {
	topics  map[string]bool    // that are queues
	settled map[place][]int64  // facts that took a message out, ascending
	waiting map[string][]int64 // by partition: what is held in it at the end
	last    map[string]int64   // by partition: the last that was taken out
}

// Ops of KindSettled and KindHeld.
const (
	opAcked   = "acked"
	heldQueue = "queue"
)

// ofQueue says whether a delivery came from a queue.
func ofQueue(delivered *history.Fact) bool { return delivered.Value != "" }

// queues are what the facts say of queues; built when the first checker asks.
func (l *ledger) queues() *queueFacts {
	if l.queueFacts != nil {
		return l.queueFacts
	}
	q := &queueFacts{map[string]bool{}, map[place][]int64{}, map[string][]int64{}, map[string]int64{}}
	l.queueFacts = q
	for f := range l.kinds(history.KindSettled) {
		q.topics[topicOf(f.Resource)] = true
		at := place{f.Resource, f.Offset}
		q.settled[at] = append(q.settled[at], f.ID)
		q.last[f.Resource] = f.ID
	}
	topic := ""
	for f := range l.kinds(history.KindDelivered) {
		if ofQueue(f) && f.Resource != topic {
			topic = f.Resource
			q.topics[topicOf(topic)] = true
		}
	}
	if len(q.topics) == 0 {
		return q
	}
	for f := range l.kinds(history.KindHeld) {
		if f.Op == heldQueue && q.topics[topicOf(f.Resource)] {
			q.waiting[f.Resource] = append(q.waiting[f.Resource], f.ID)
		}
	}
	return q
}

// settledBy is the first fact by which a queue took a message out, 0 = none.
func (q *queueFacts) settledBy(partition string, offset int64) int64 {
	if ids := q.settled[place{partition, offset}]; len(ids) > 0 {
		return ids[0]
	}
	return 0
}

// guardedBy is what a delivery is of, as far as owners replace each other: the partition, or the one message of a queue.
func guardedBy(d *history.Fact) string {
	if ofQueue(d) {
		return d.Resource + ":" + strconv.FormatInt(d.Offset, 10)
	}
	return d.Resource
}

// receiveLabel explains two deliveries of one message of a queue, in the order in which the queue handed them out: a reply
// may wait for a consumer that stands still, or be on its way, while the message is handed out again and taken out.
func (l *ledger) receiveLabel(f fork) history.Label {
	first, again := l.at(f.left), l.at(f.right)
	if first.Until != 0 && again.Until != 0 && again.Until < first.Until {
		first, again = again, first
	}
	if by := l.queues().settledBy(first.Resource, first.Offset); by != 0 && l.handedAfter(again, by) {
		return history.LabelRedeliveredAfterAck
	}
	if l.stoppedBetween(first.Node, first.ID, again.ID) {
		return history.LabelRedeliveredAfterCommitLost
	}
	return history.LabelRedeliveredAfterTimeout
}

// handedAfter says whether a queue handed a delivery out after another fact: as it says itself, or else by when it was
// delivered.
func (l *ledger) handedAfter(d *history.Fact, other int64) bool {
	if d.Until != 0 {
		return d.Until > l.at(other).Time
	}
	return d.ID > other
}

// leftQueue says whether the queue itself gave up one of these records.
func (l *ledger) leftQueue(records []int64) bool {
	q := l.queues()
	for _, id := range records {
		r := l.at(id)
		if by := q.settledBy(r.Resource, r.Offset); by != 0 && l.at(by).Op != opAcked {
			return true
		}
	}
	return false
}
