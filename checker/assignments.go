package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// assignments follows each member through its deliveries:
//
//	a record is handed out only of a partition that the member has been assigned and has not given up since
//
// It is a rule of the client, whatever the group thinks. Assumes KindAssigned and KindRevoked; partitions of which no
// assignment was ever stated are left out: those who read them are members of no group. An incarnation that ends holds
// nothing any more.
//
// Cost: linear, a map entry per incarnation of a member and partition. Exercised: the deliveries that are judged.
func assignments() Checker {
	return overLedger(Checker{
		Name:       "assignments",
		Doc:        "a member is handed records of its own partitions only",
		Properties: []history.Property{history.PropOutsideAssignment},
		Weight:     history.Guaranteed,
	}, judgeAssignments)
}

// holding is what a member does with one partition.
type holding struct {
	stated *history.Fact // the last assigned or revoked
	next   int64         // the offset that comes next; -1 = not known
	last   int64         // the delivery before, 0 = none
}

// holdings walks the deliveries of partitions with stated assignments; each sees what its member holds, nil = it never
// held the partition.
func (l *ledger) holdings(visit func(delivered *history.Fact, held *holding)) {
	if len(l.byKind[history.KindAssigned]) == 0 {
		return
	}
	stated := map[string]bool{}
	members := map[share]*holding{}
	var mine share
	var held *holding
	for f := range l.kinds(history.KindAssigned, history.KindRevoked, history.KindDelivered) {
		if at := (share{f.Node, f.Incarnation, f.Resource}); at != mine {
			mine, held = at, members[at]
		}
		switch f.Kind {
		case history.KindAssigned:
			stated[f.Resource] = true
			held = &holding{stated: f, next: f.Offset}
			members[mine] = held
		case history.KindRevoked:
			if held != nil {
				held.stated = f
			}
		case history.KindDelivered:
			if held == nil && !stated[f.Resource] {
				continue
			}
			visit(f, held)
			if held != nil {
				held.next, held.last = f.Offset+1, f.ID
			}
		}
	}
}

func judgeAssignments(l *ledger) Report {
	r := newReport()
	n := int64(0)
	l.holdings(func(f *history.Fact, held *holding) {
		n++
		if held != nil && held.stated.Kind == history.KindAssigned {
			return
		}
		var ev evidence
		ev.add(f.Cause, f.ID)
		text := "never had"
		if held != nil {
			ev.add(held.stated.ID)
			text = "had given up"
		}
		r.find(history.Finding{
			Property: history.PropOutsideAssignment,
			Event:    f.Event,
			Label:    history.LabelNotOwned,
			Evidence: ev.sorted(),
			Detail:   fmt.Sprintf("%s was handed to a member at offset %d of %s, which it %s", f.Event, f.Offset, f.Resource, text),
		})
	})
	if n > 0 {
		r.Exercised[history.PropOutsideAssignment] = n
	}
	return r
}
