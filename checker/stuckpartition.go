package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// stuckPartition judges, when a run has settled:
//
//	∀ group g, partition p with unread records:  nobody alive owned p, or g's position in p moved within the limit
//
// It is the head of the line that holds up all behind it: a record that fails for ever and is never given up, a member that
// hangs and is never evicted. An owner is a member that stated KindAssigned and neither KindRevoked nor the end of its
// incarnation since; a partition without one is an outage of the group and drained's matter. Transactions that are never ended
// hold up those who read only what is committed; what facts say of them is not judged here.
//
// Cost: linear in records, deliveries and assignments. Noted. Exercised: partitions that a group reads, with records;
// undecided: with unread ones in a run that ended before it was settled.
func stuckPartition() Checker {
	return overLedger(Checker{
		Name:       "stuck-partition",
		Doc:        "after the last fault no group stands still at records that a live member owns",
		Properties: []history.Property{history.PropStuckPartition},
		Weight:     history.Noted,
	}, judgeStuckPartition)
}

func judgeStuckPartition(l *ledger) Report {
	r := newReport()
	e := l.ending()
	if !e.judged {
		return r
	}
	owners := l.owners()
	for _, b := range l.backlogs() {
		if b.lag() > 0 && !e.settled {
			r.Undecided[history.PropStuckPartition]++
			continue
		}
		r.Exercised[history.PropStuckPartition]++
		owner := owners[b.partition]
		if b.lag() == 0 || owner == 0 || !e.stuck && b.moved != 0 && l.at(b.moved).Time > e.end-l.h.Header.Heal {
			continue
		}
		r.note(history.PropStuckPartition, func() history.Finding {
			var ev evidence
			ev.add(owner, b.appended, b.moved, e.began, e.last)
			return history.Finding{Property: history.PropStuckPartition, Label: history.LabelNothingMoves, Evidence: ev.sorted(),
				Detail: fmt.Sprintf("group %s has not read %d records of %s, which a live member owns", b.group, b.lag(), b.partition)}
		})
	}
	return r
}

// owners are the facts by which partitions came to the members that own them at the end.
func (l *ledger) owners() map[string]int64 {
	owners := map[string]int64{}
	for f := range l.kinds(history.KindAssigned, history.KindRevoked, history.KindStopped) {
		switch f.Kind {
		case history.KindAssigned:
			owners[f.Resource] = f.ID
		case history.KindRevoked:
			if id := owners[f.Resource]; id != 0 && l.at(id).Node == f.Node {
				delete(owners, f.Resource)
			}
		case history.KindStopped:
			for _, p := range history.SortedKeys(owners) {
				if l.at(owners[p]).Node == f.Node {
					delete(owners, p)
				}
			}
		}
	}
	return owners
}
