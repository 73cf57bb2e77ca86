package checker

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// ownership notes, for each partition of a group:
//
//	two members believe at one time that they own it
//
// A member believes so from its KindAssigned until its KindRevoked or until its incarnation ends, whatever the group thinks:
// that a coordinator replaced a member which does not know it is what a zombie is, and no rule of the components forbids it.
// So it is noted: it is the danger that fencing is for. Under one generation it is the group that gave the partition to
// two (given-to-two), else one of them is out of date (stale-owner). Two groups may each have an owner; the group of a
// member is that of its deliveries and commits, and members that have neither count as of one group.
//
// Cost: an interval sweep in the order of the facts: linear in them times the owners at one time. Seen: assignments that
// met another owner. Exercised: assignments.
func ownership() Checker {
	return overLedger(Checker{
		Name:       "ownership",
		Doc:        "two members of a group believed at one time that they own a partition",
		Properties: []history.Property{history.PropDoubleOwner},
		Weight:     history.Noted,
	}, judgeOwnership)
}

func judgeOwnership(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindAssigned]) == 0 {
		return r
	}
	owners := map[string][]*history.Fact{} // by partition the assignments that hold
	groups := groupsOf{l: l}
	ended := func(node string) { // an incarnation holds nothing after its end
		//det:unordered each partition loses the node by itself
		for partition, held := range owners {
			owners[partition] = slices.DeleteFunc(held, func(f *history.Fact) bool { return f.Node == node })
		}
	}
	for f := range l.kinds(history.KindAssigned, history.KindRevoked, history.KindStopped) {
		if f.Kind == history.KindStopped {
			ended(f.Node)
			continue
		}
		held := slices.DeleteFunc(owners[f.Resource], func(o *history.Fact) bool { return o.Node == f.Node })
		if f.Kind == history.KindAssigned {
			r.Exercised[history.PropDoubleOwner]++
			for _, o := range held {
				if groups.of(o) == groups.of(f) {
					r.note(history.PropDoubleOwner, func() history.Finding { return twoOwners(o, f) })
					break
				}
			}
			held = append(held, f)
		}
		owners[f.Resource] = held
	}
	return r
}

// groupsOf knows the groups of members, once somebody asks.
type groupsOf struct {
	l      *ledger
	byNode map[string]string // by node and partition
}

func (g *groupsOf) of(f *history.Fact) string {
	if g.byNode == nil {
		g.byNode = map[string]string{}
		for d := range g.l.kinds(history.KindDelivered, history.KindCommitting) {
			g.byNode[d.Node+" "+d.Resource] = d.Op
		}
	}
	return g.byNode[f.Node+" "+f.Resource]
}

func twoOwners(old, taken *history.Fact) history.Finding {
	label := history.LabelStaleOwner
	if old.Fence == taken.Fence {
		label = history.LabelGivenToTwo
	}
	var ev evidence
	ev.add(old.ID, taken.ID)
	return history.Finding{
		Property: history.PropDoubleOwner,
		Label:    label,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s had an owner of generation %d when one of generation %d believed that it owned it",
			taken.Resource, old.Fence, taken.Fence),
	}
}
