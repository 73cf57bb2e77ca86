package checker

import (
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// Cause labels of losses: what happened first on the way to an effect that never came. Only an event's last
// records count, those that led to no further record of it: a record that was forwarded did its work. One of a transaction
// that was not committed is no record.
//
//	consumer code gave it up                          dropped-without-trace
//	no log took it, and the application heard success never-appended
//	never delivered, and its log does not hold it     truncated
//	taken for a repetition, before the next           suppressed-without-effect
//	the queue gave a last record up                   left-queue
//	a position moved past a last record               committed-before-effect
//	anything else                                     unexplained
//
// Counterexamples: a stack that commits before it handles and then drops a failed event is labelled dropped; one
// that reads a partition with a second group that knows no effects is labelled committed-before-effect by that
// group's position if the facts name no groups; where no elections are stated, a log that lost its last records and took no
// others since is unexplained.

// lossLabel explains why required effects of an intent are missing.
func (l *ledger) lossLabel(a *account) history.Label {
	switch {
	case a.dropped != 0:
		return history.LabelDroppedWithoutTrace
	case a.appended == 0 && a.accepted != 0:
		return history.LabelNeverAppended
	case a.appended == 0:
		return history.LabelUnexplained
	}
	records := l.lastRecords(a)
	if a.delivered == 0 && !slices.ContainsFunc(records, func(id int64) bool { return !l.truncated(l.at(id)) }) {
		return history.LabelTruncated
	}
	passed := l.firstPassed(a, records)
	switch {
	case l.leftQueue(records):
		return history.LabelLeftQueue
	case a.suppressed != 0 && (passed == 0 || a.suppressed < passed):
		return history.LabelSuppressedWithoutEffect
	case passed != 0:
		return history.LabelCommittedBeforeEffect
	}
	return history.LabelUnexplained
}

// lastRecords are the event's records that led to no further record.
func (l *ledger) lastRecords(a *account) []int64 {
	var records, forwarded []int64
	for _, id := range l.of(a) {
		if l.at(int64(id)).Kind != history.KindAppended || l.withdrawn(int64(id)) {
			continue
		}
		records = append(records, int64(id))
		for c := l.at(int64(id)).Cause; c != 0; c = l.at(c).Cause {
			if l.at(c).Kind == history.KindAppended {
				forwarded = append(forwarded, c)
				break
			}
		}
	}
	slices.Sort(forwarded)
	return slices.DeleteFunc(records, func(id int64) bool {
		_, found := slices.BinarySearch(forwarded, id)
		return found
	})
}

// withdrawn says whether a record belongs to a transaction that its log does not have as committed.
func (l *ledger) withdrawn(id int64) bool {
	if l.transacted == nil {
		l.transacted = l.sequenced()
		l.ended = l.endings()
		if l.transacted == nil {
			l.transacted = map[int64]*history.Fact{}
		}
	}
	n := l.transacted[id]
	if n == nil || n.Op == "" {
		return false
	}
	f := l.at(id)
	return !committedBy(l.ended[producerAt{f.Resource, n.Value}], f.Offset)
}

// firstPassed is the first fact by which a position moved past one of these records, 0 = none.
func (l *ledger) firstPassed(a *account, records []int64) int64 {
	group := ""
	if a.delivered != 0 {
		group = l.at(a.delivered).Op
	}
	first := int64(0)
	for _, id := range records {
		f := l.at(id)
		if f.Offset < 0 {
			continue
		}
		if p := l.passed(f.Resource, f.Offset, group); p != 0 && (first == 0 || p < first) {
			first = p
		}
	}
	return first
}
