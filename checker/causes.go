package checker

import (
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// Cause labels of duplicates: rules over the causes of facts.
//
// Causes form a forest: offered ← appended ← delivered ← called ← applied. Two applications of one effect have a
// last common cause, and below it the two branches part. Where they part says what failed first:
//
//	an operator published a dead letter of it
//	again on the way to one of the two            redelivered-after-replay
//	no record in common, each branch has one      published-twice
//	parted after one delivery                     by the call behind the first application: see below
//	parted after one record, two deliveries       the first delivery was put back by consumer code: by its call;
//	                                              an operator set the position back: redelivered-after-replay;
//	                                              the first node lost the partition alive, or the second node was
//	                                              a zombie, which acted under an older generation than the first:
//	                                              redelivered-after-rebalance;
//	                                              else redelivered-after-commit-lost; of a queue, which has no
//	                                              partitions to lose: it had taken the message out before it
//	                                              handed it out: redelivered-after-ack; the first node had stopped:
//	                                              redelivered-after-commit-lost; else redelivered-after-timeout
//	before all these, if the dedup store, or the table of a process that has stopped since, had this effect down
//	as done and it was then granted again         dedup-record-expired or dedup-record-lost
//	by that call: came back acked                 handler-retried; done-mark-lost if the caller's node stopped then
//	                   came back indeterminate, or never: applied-reply-lost (published-twice if the branches
//	                   part at a call that appends)
//	anything else                                 unexplained
//
// Counterexamples, where the label is right about the facts and a person may see it differently:
//
//   - A service that applies, then answers "failed": the caller was told wrongly and no rule says so. Unexplained.
//     Models record such an answer as indeterminate, which is what a caller knows of an error after the effect.
//   - A node that is stopped after its partition moved: it may have applied while it was a zombie. Between the two
//     deliveries lies a stop, so the label says commit lost.
//   - A rebalance of its own accord between a lost commit and the redelivery: the label says rebalance, although
//     the event would have come again without one.
//   - An expiry by a skewed wall clock at a store that does not say so: its record tells until when it holds in the
//     store's time, the facts say when it was granted in global time. If these disagree the label says lost instead of
//     expired. A store that notes "expired" on what it grants is believed.

// duplicateLabel explains why an effect was applied at both facts.
func (l *ledger) duplicateLabel(a *account, first, second int64) history.Label {
	if label := l.forgotten(a, l.at(first).Stage, second); label != "" {
		return label
	}
	f := l.part(first, second)
	if f.left > f.right { // the successor was faster than the zombie, or the second call than the first
		first, second, f.left, f.right = second, first, f.right, f.left
	}
	switch {
	case l.replayedBelow(first, f.join) || l.replayedBelow(second, f.join):
		return history.LabelRedeliveredAfterReplay
	case f.left == 0 || f.right == 0:
		return history.LabelUnexplained
	case !l.hasRecord(f.join):
		if l.appendsBelow(first, f.join) && l.appendsBelow(second, f.join) {
			return history.LabelPublishedTwice
		}
		return l.callLabel(a, first, f.join, false)
	case l.at(f.left).Kind == history.KindDelivered && l.at(f.right).Kind == history.KindDelivered:
		return l.redeliveryLabel(a, first, f)
	case l.at(f.left).Kind == history.KindAppended && l.at(f.right).Kind == history.KindAppended:
		return history.LabelPublishedTwice
	}
	label := l.callLabel(a, first, f.join, l.appendsBelow(first, f.join) && l.appendsBelow(second, f.join))
	if label == history.LabelHandlerRetried && l.callerStopped(first, f.join, second) {
		return history.LabelMarkLost
	}
	return label
}

// callerStopped says whether the node that called for the first of two facts has stopped before the second: what it called
// again under the same cause, it knew from its disk.
func (l *ledger) callerStopped(first, join, second int64) bool {
	call := l.callAbove(first, join)
	for _, id := range between(l.members, call, second, len(l.members)) {
		if m := l.at(id); m.Kind == history.KindStopped && m.Node == l.at(call).Node {
			return true
		}
	}
	return false
}

// fork is where the causes of two facts part: the last common cause (0 = none) and the first fact of each branch.
type fork struct{ join, left, right int64 }

// part finds it. A cause always lies before its effect, so the later of two facts is never a cause of the other.
func (l *ledger) part(a, b int64) fork {
	var f fork
	for a != b {
		if a > b {
			f.left, a = a, l.at(a).Cause
		} else {
			f.right, b = b, l.at(b).Cause
		}
	}
	f.join = a
	return f
}

// hasRecord says whether a fact is a record or was caused by one.
func (l *ledger) hasRecord(id int64) bool { return l.appendsBelow(id, 0) }

// appendsBelow says whether a log took a record on the way from a cause down to a fact, the cause left out.
func (l *ledger) appendsBelow(id, cause int64) bool {
	for ; id != cause && id != 0; id = l.at(id).Cause {
		if l.at(id).Kind == history.KindAppended {
			return true
		}
	}
	return false
}

// callLabel explains a second application under the same delivery by the fate of the call behind the first: the
// nearest call above it, or, if the branch leads through a further record, the call that appended that record.
func (l *ledger) callLabel(a *account, first, join int64, appends bool) history.Label {
	call := l.callAbove(first, join)
	if appends {
		call = l.callAbove(l.firstRecord(first, join), join)
	}
	fate := history.Indeterminate
	if call != 0 {
		fate = l.returned(a, call)
	}
	switch {
	case fate == history.Acked:
		return history.LabelHandlerRetried
	case fate == history.Failed || call == 0 && !appends:
		return history.LabelUnexplained
	case appends:
		return history.LabelPublishedTwice
	}
	return history.LabelReplyLost
}

// callAbove is the nearest call on the way from a fact up to a cause, 0 = none.
func (l *ledger) callAbove(id, join int64) int64 {
	for ; id != join && id != 0; id = l.at(id).Cause {
		if l.at(id).Kind == history.KindCalled {
			return id
		}
	}
	return 0
}

// firstRecord is the record next to the cause on the way from it down to a fact.
func (l *ledger) firstRecord(id, join int64) int64 {
	record := int64(0)
	for ; id != join && id != 0; id = l.at(id).Cause {
		if l.at(id).Kind == history.KindAppended {
			record = id
		}
	}
	return record
}

// returned is how a call came back; a call that never did is indeterminate.
func (l *ledger) returned(a *account, call int64) history.Outcome {
	for _, id := range l.of(a) {
		if f := l.at(int64(id)); f.Kind == history.KindReturned && f.Cause == call {
			return f.Outcome
		}
	}
	return history.Indeterminate
}

// redeliveryLabel explains two deliveries of one record, left before right; first was applied under the left one.
func (l *ledger) redeliveryLabel(a *account, first int64, f fork) history.Label {
	left := l.at(f.left)
	if l.putBack(a, f.left) {
		if l.callAbove(first, f.left) != 0 {
			return l.callLabel(a, first, f.left, false)
		}
	}
	if l.replayed(f) {
		return history.LabelRedeliveredAfterReplay
	}
	if ofQueue(left) {
		return l.receiveLabel(f)
	}
	if right := l.at(f.right); right.Fence >= 0 && right.Fence < left.Fence && right.Op == left.Op {
		return history.LabelRedeliveredAfterRebalance
	}
	lost, stopped := false, false
	for _, id := range between(l.members, f.left, f.right, len(l.members)) {
		m := l.at(id)
		switch m.Kind {
		case history.KindGeneration:
			lost = lost || left.Op == "" || m.Resource == left.Op
		case history.KindEvicted:
			lost = lost || m.Value == left.Node
		case history.KindRevoked:
			lost = lost || m.Node == left.Node && m.Resource == left.Resource
		case history.KindStopped:
			stopped = stopped || m.Node == left.Node
		}
	}
	if lost && !stopped {
		return history.LabelRedeliveredAfterRebalance
	}
	return history.LabelRedeliveredAfterCommitLost
}

// opReset is what an operator does to a position, opReplay to a dead letter.
const (
	opReset  = "reset"
	opReplay = "replay"
)

// replayedBelow says whether an operator published a dead letter again on the way from a cause down to a fact.
func (l *ledger) replayedBelow(id, cause int64) bool {
	for ; id != cause && id != 0; id = l.at(id).Cause {
		if f := l.at(id); f.Kind == history.KindOperated && f.Op == opReplay {
			return true
		}
	}
	return false
}

// replayed says whether an operator set the group's position back between two deliveries.
func (l *ledger) replayed(f fork) bool {
	left := l.at(f.left)
	for _, id := range between(l.replays, f.left, f.right, len(l.replays)) {
		if reset := l.at(id); reset.Resource == left.Resource && reset.Value == left.Op && reset.Offset <= left.Offset {
			return true
		}
	}
	return false
}

// putBack says whether consumer code itself asked for the next delivery.
func (l *ledger) putBack(a *account, delivery int64) bool {
	for _, id := range l.of(a) {
		if f := l.at(int64(id)); f.Kind == history.KindHandled && f.Cause == delivery {
			return f.Outcome == history.Retried
		}
	}
	return false
}

// elsewhere says whether the record still is where it was made, in a process that lives, and another process asked
// its own table: nothing was forgotten, the two never knew of each other. Records of a store are everybody's.
func (l *ledger) elsewhere(done, granted *history.Fact) bool {
	if strings.HasPrefix(done.Resource, dedupPrefix) {
		return false
	}
	for _, id := range between(l.members, done.ID, granted.ID, len(l.members)) {
		if m := l.at(id); m.Kind == history.KindStopped && m.Node == done.Node {
			return false
		}
	}
	return true
}

// forgotten says whether the dedup store had this effect down as done and then granted it again.
func (l *ledger) forgotten(a *account, stage string, before int64) history.Label {
	var done *history.Fact
	for _, id := range l.of(a) {
		if int64(id) >= before {
			break
		}
		f := l.at(int64(id))
		if f.Kind != history.KindComplete || f.Cause == 0 || f.Stage != stage && f.Stage != "" || f.Outcome == history.Failed {
			continue
		}
		switch op := l.at(f.Cause).Op; {
		case op == opDone && f.Value == resultOK:
			done = f
		case op == opClaim && f.Value == resultGranted && done != nil && !l.elsewhere(done, f):
			return gone(done, f)
		}
	}
	return ""
}
