package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// commits judges every durable move of a group's position that a member asked for:
//
//	when it asked, the member believed that it owned the partition in the generation of the request, and when the
//	position moved the group had completed no later generation
//
// The first half is the client's rule, the second the coordinator's. A position that a transaction moves (Value) was taken in
// by the group at Until and waits for the marker: it is then that no later generation may have been completed. Who has the
// partition next is told to wait (KIP-447). One of which nobody knows any more when that was, 0, is left out. Assumes that a member states KindAssigned and
// KindRevoked with the partition and its generation, and that the cause of KindCommitted is the KindCommitting. Moves
// without one, such as an operator's, and partitions of which no assignment was ever stated are left out.
//
// Cost: linear, with one map entry per member and partition. Exercised: the moves that are judged.
func commits() Checker {
	return overLedger(Checker{
		Name:       "commits",
		Doc:        "a position is moved only by the member that owns the partition, in the group's present generation",
		Properties: []history.Property{history.PropCommit},
		Weight:     history.Guaranteed,
	}, judgeCommits)
}

// share is one partition as one incarnation of a member knows it.
type share struct {
	node        string
	incarnation int32
	partition   string
}

func judgeCommits(l *ledger) Report {
	r := newReport()
	owned := map[share]*history.Fact{}        // the last assigned or revoked
	stated := map[string]bool{}               // partitions of which assignments are stated
	asked := map[int64]*history.Fact{}        // what the member knew when it asked, by the id of the committing fact
	completed := map[string][]*history.Fact{} // generations of a group
	for f := range l.kinds(history.KindAssigned, history.KindRevoked, history.KindCommitting, history.KindGeneration, history.KindCommitted) {
		mine := share{f.Node, f.Incarnation, f.Resource}
		switch f.Kind {
		case history.KindAssigned:
			stated[f.Resource] = true
			owned[mine] = f
		case history.KindRevoked:
			owned[mine] = f
		case history.KindCommitting:
			asked[f.ID] = owned[mine]
		case history.KindGeneration:
			completed[f.Resource] = append(completed[f.Resource], f)
		case history.KindCommitted:
			if f.Cause == 0 || l.at(f.Cause).Kind != history.KindCommitting || !stated[f.Resource] || f.Value != "" && f.Until == 0 {
				continue
			}
			r.Exercised[history.PropCommit]++
			switch now, last := present(completed[f.Op], f), asked[f.Cause]; {
			case now != nil && f.Fence < now.Fence:
				r.find(notOwned(l.h, f, now, history.LabelNotFenced, fmt.Sprintf("generation %d had begun", now.Fence)))
			case last == nil || last.Kind == history.KindRevoked || last.Fence != f.Fence:
				r.find(notOwned(l.h, f, last, history.LabelNotOwned, "it did not own the partition"))
			}
		}
	}
	return r
}

// present is the generation that a group had when it decided on a move; nil = none is known.
func present(completed []*history.Fact, moved *history.Fact) *history.Fact {
	for i := len(completed) - 1; i >= 0; i-- {
		if moved.Value == "" || completed[i].Time < moved.Until {
			return completed[i]
		}
	}
	return nil
}

// notOwned is the finding of a move; why is the fact that forbids it, nil = there is none.
func notOwned(h *history.History, moved, why *history.Fact, label history.Label, text string) history.Finding {
	by := h.At(moved.Cause)
	var ev evidence
	ev.add(by.Cause, by.ID, moved.ID)
	if why != nil {
		ev.add(why.ID)
	}
	return history.Finding{
		Property: history.PropCommit,
		Event:    by.Event,
		Label:    label,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("a member moved the position of %s to %d in generation %d, but %s",
			moved.Resource, moved.Offset, moved.Fence, text),
	}
}
