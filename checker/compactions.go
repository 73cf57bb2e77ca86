package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// compactions judges every record that a compaction of a replica takes away, at that moment:
//
//	a later record of its key is in that replica's log and does not belong to a transaction that did not commit; and
//	if it is a tombstone without a later record, no older record of its key is left
//
// Where the first does not hold for a value, the last value of the key is gone (last-value-gone); where the second does
// not hold, a deleted key is back (key-reappears). Records of transactions that did not commit may go at any time. Assumes
// that KindAppended names the key, and that a pass states what it takes in order of offset, so that a tombstone comes after
// what it deletes.
//
// Cost: linear, a map entry per replica and key, kept only where something is compacted. Exercised: the removals.
func compactions() Checker {
	return overLedger(Checker{
		Name:       "compactions",
		Doc:        "a compaction leaves the last committed value of each key, and no key that was deleted",
		Properties: []history.Property{history.PropCompaction},
		Weight:     history.Guaranteed,
	}, judgeCompactions)
}

// keyAt is a key in one replica's log.
type keyAt struct{ node, partition, key string }

func judgeCompactions(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindCompacted]) == 0 {
		return r
	}
	idle := l.uncommitted()
	kept := map[keyAt][]*history.Fact{} // the committed records of a key, ascending
	for f := range l.kinds(history.KindAppended, history.KindReplicated, history.KindTruncated, history.KindCompacted) {
		switch f.Kind {
		case history.KindTruncated:
			cutKeys(kept, f)
			continue
		case history.KindAppended, history.KindReplicated:
			record := f
			if f.Kind == history.KindReplicated {
				record = l.record(f.Cause)
			}
			if record != nil && !idle[record.ID] {
				at := keyAt{f.Node, record.Resource, record.Key}
				kept[at] = append(kept[at], record)
			}
			continue
		}
		record := l.record(f.Cause)
		if record == nil {
			continue
		}
		r.Exercised[history.PropCompaction]++
		if idle[record.ID] {
			continue
		}
		at := keyAt{f.Node, record.Resource, record.Key}
		left, last := without(kept[at], record)
		kept[at] = left
		switch tombstone := record.Op == opTombstone; {
		case last && !tombstone:
			r.find(l.compactionLoss(f, record, nil, history.LabelLastValueGone))
		case last && len(left) > 0:
			r.find(l.compactionLoss(f, record, left[0], history.LabelKeyReappears))
		}
	}
	return r
}

// without are the records of a key without one of them; last says whether that was the last. A pass takes the first, as a
// rule.
func without(records []*history.Fact, record *history.Fact) (left []*history.Fact, last bool) {
	i, _ := slices.BinarySearchFunc(records, record.Offset, func(f *history.Fact, o int64) int { return cmp.Compare(f.Offset, o) })
	switch {
	case i == len(records):
		return records, true
	case records[i] != record:
		return records, false
	case i == 0:
		return records[1:], len(records) == 1
	}
	return slices.Delete(records, i, i+1), i == len(records)-1
}

// cutKeys takes away what a truncation cut off. Keys do not depend on each other.
func cutKeys(kept map[keyAt][]*history.Fact, cut *history.Fact) {
	//det:unordered each key is cut by itself
	for at, records := range kept {
		if at.node != cut.Node || at.partition != cut.Resource {
			continue
		}
		n := len(records)
		for n > 0 && records[n-1].Offset >= cut.Offset {
			n--
		}
		kept[at] = records[:n]
	}
}

// uncommitted are the records of transactions that their log does not have committed.
func (l *ledger) uncommitted() map[int64]bool {
	idle := map[int64]bool{}
	var ends map[producerAt][]marker
	for f := range l.kinds(history.KindSequenced) {
		record := l.record(f.Cause)
		if f.Op == "" || record == nil {
			continue
		}
		if ends == nil {
			ends = l.endings()
		}
		if !committedBy(ends[producerAt{record.Resource, f.Value}], record.Offset) {
			idle[record.ID] = true
		}
	}
	return idle
}

func (l *ledger) compactionLoss(taken, record, left *history.Fact, label history.Label) history.Finding {
	var ev evidence
	ev.add(record.ID, taken.ID)
	text := "no later one has its key"
	if left != nil {
		ev.add(left.ID)
		text = fmt.Sprintf("the older record at offset %d is left", left.Offset)
	}
	return history.Finding{
		Property: history.PropCompaction,
		Event:    record.Event,
		Label:    label,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("a compaction of %s took the record at offset %d under key %q away, and %s", record.Resource, record.Offset, record.Key, text),
	}
}
