package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// jumps notes what a member is handed of its partitions:
//
//	a record that is not the one behind the record before, nor at the position of the assignment, nor the first behind
//	these that the log has
//
// A jump back hands records out again, a jump forward skips some. Code may seek, and no fact says so: so it is noted.
// Offsets at which the log took no record, or holds a marker or a record of a transaction that it has not committed, are not
// skipped: who reads committed records is handed none of these. Assumes KindAssigned with the position
// (Offset, -1 = not stated: then the first record tells it).
//
// Cost: as assignments; a binary search per jump. Exercised: deliveries with a position before them.
func jumps() Checker {
	return overLedger(Checker{
		Name:       "jumps",
		Doc:        "a member was handed a record that is not the next one",
		Properties: []history.Property{history.PropPositionJump},
		Weight:     history.Noted,
	}, judgeJumps)
}

func judgeJumps(l *ledger) Report {
	r := newReport()
	n := int64(0)
	var uncommitted map[int64]bool // read when a member has passed over something
	l.holdings(func(f *history.Fact, held *holding) {
		if held == nil || held.next < 0 {
			return
		}
		n++
		switch {
		case f.Offset < held.next:
			r.note(history.PropPositionJump, func() history.Finding { return jumped(f, held, history.LabelMovedBack) })
		case f.Offset > held.next:
			if uncommitted == nil {
				uncommitted = l.uncommitted()
			}
			if !l.tookBetween(f.Resource, held.next, f.Offset, uncommitted) {
				return
			}
			r.note(history.PropPositionJump, func() history.Finding { return jumped(f, held, history.LabelMovedForward) })
		}
	})
	if n > 0 {
		r.Exercised[history.PropPositionJump] = n
	}
	return r
}

// tookBetween says whether a log holds a record at an offset from one up to and without another, not counting some. Markers are none.
func (l *ledger) tookBetween(partition string, from, to int64, but map[int64]bool) bool {
	p := l.log(partition)
	if p == nil {
		return true
	}
	records := p.standing().records
	for i := p.standing().from(from); i < len(records) && records[i].offset < to; i++ {
		if l.at(records[i].origin).Kind == history.KindAppended && !but[records[i].origin] {
			return true
		}
	}
	return false
}

func jumped(f *history.Fact, held *holding, label history.Label) history.Finding {
	var ev evidence
	ev.add(held.stated.ID, held.last, f.Cause, f.ID)
	return history.Finding{
		Property: history.PropPositionJump,
		Event:    f.Event,
		Label:    label,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s was handed out at offset %d of %s, where %d came next", f.Event, f.Offset, f.Resource, held.next),
	}
}
