package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// teller knows a finding and the facts around it.
type teller struct {
	h *history.History
	f history.Finding

	first, last int64            // ids of the window that the story is about
	nodes       []string         // nodes that had to do with the event
	services    []string         // services that were called for it
	place       history.Fact     // where the event lies in a log: Resource and Offset; Kind none if unknown
	faults      map[int64]int    // id of a fault's beginning → its number
	ends        map[int64]int64  // id of a fault's beginning → id of its end
	marks       map[int64]string // id → what the fact means
	died        bool             // a process died with the event in hand: where others died is noise
	answered    map[int64]bool   // id of a call of the event → its caller went on
}

func newTeller(h *history.History, f history.Finding) *teller {
	t := &teller{h: h, f: f, faults: map[int64]int{}, ends: map[int64]int64{}, marks: map[int64]string{}, answered: map[int64]bool{}}
	t.f.Evidence = slices.DeleteFunc(slices.Clone(f.Evidence), func(id int64) bool { return id < 1 || id > int64(h.Len()) })
	for _, id := range t.f.Evidence {
		t.reach(h.At(id))
	}
	number := 0
	for i := range h.Facts {
		fact := &h.Facts[i]
		if fact.Kind == history.KindFaultBegan {
			number++
			t.faults[fact.ID] = number
		}
		if fact.Kind == history.KindFaultEnded {
			t.ends[fact.Cause] = fact.ID
		}
		if f.Event == "" || fact.Event != f.Event {
			continue
		}
		if t.central(fact) {
			t.reach(fact)
		}
		t.died = t.died || fact.Kind == history.KindUnwound
		if fact.Kind == history.KindReturned {
			t.answered[fact.Cause] = true
		}
		if !slices.Contains(t.nodes, fact.Node) {
			t.nodes = append(t.nodes, fact.Node)
		}
		if fact.Kind == history.KindCalled && !slices.Contains(t.services, fact.Resource) {
			t.services = append(t.services, fact.Resource)
		}
		if fact.Offset >= 0 && (fact.Kind == history.KindDelivered || fact.Kind == history.KindAppended && t.place.Kind == history.KindNone) {
			t.place = *fact
		}
	}
	t.mark()
	if f.Property == history.PropLoss {
		t.reachFaults()
	}
	return t
}

// reachFaults widens the window to the faults that may have met the event: what never came has no last fact of its own.
func (t *teller) reachFaults() {
	for i := range t.h.Facts {
		fact := &t.h.Facts[i]
		_, began := t.faults[fact.Cause]
		if fact.Kind == history.KindFaultBegan && t.concerned(fact) || fact.Kind == history.KindUnwound && began && slices.Contains(t.nodes, fact.Node) {
			t.reach(fact)
		}
	}
}

// concerned says whether a fault fell on a node or a service of the event. One that no log took may have met any.
func (t *teller) concerned(fault *history.Fact) bool {
	if t.place.Kind == history.KindNone {
		return true
	}
	met := func(of []string) func(string) bool {
		return func(target string) bool { return slices.Contains(of, target) }
	}
	return slices.ContainsFunc(targets(fault), met(t.nodes)) || slices.ContainsFunc(strings.Split(fault.Resource, ","), met(t.services))
}

// stands says whether a fact is a fault that had begun before the story and was still on in it.
func (t *teller) stands(fact *history.Fact) bool {
	end, over := t.ends[fact.ID]
	return fact.Kind == history.KindFaultBegan && fact.ID < t.first && (!over || end > t.first) && t.concerned(fact)
}

// targets are the nodes that a fault fell on.
func targets(fault *history.Fact) []string {
	if fault.Value == "" {
		return []string{fault.Node}
	}
	return strings.Split(fault.Value, ",")
}

// reach widens the window.
func (t *teller) reach(fact *history.Fact) {
	if t.first == 0 || fact.ID < t.first {
		t.first = fact.ID
	}
	t.last = max(t.last, fact.ID)
}

// central facts of the event belong into the story wherever they lie.
func (t *teller) central(fact *history.Fact) bool {
	switch fact.Kind {
	case history.KindApplied, history.KindReversed, history.KindCalled, history.KindReturned, history.KindSuppressed:
		return fact.Stage == t.f.Stage
	case history.KindDelivered, history.KindAppended, history.KindParked, history.KindOperated, history.KindDropped, history.KindGaveUp, history.KindHeld:
		return true
	}
	return false
}

// moment is one line of a timeline: a fact, or something that did not happen between two facts.
type moment struct {
	id, sub int64 // order: that of facts; sub > 0 stands after the fact
	rank    int   // 0 must be told; the highest goes first when there is no room
	fact    *history.Fact
	who     string
	what    string
	mark    string // what it means, behind ◀
	boxed   bool   // belongs to the fault above it
}

// chosen are the moments of the story in order, and how many more there is no room for. Text and picture tell these.
func (t *teller) chosen() (moments []moment, left int) {
	moments = append(t.told(), t.untold()...)
	slices.SortStableFunc(moments, byRank)
	left = max(0, len(moments)-storyLines)
	moments = moments[:len(moments)-left]
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.sub, b.sub)) })
	return moments, left
}

func byRank(a, b moment) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) }

// told are the moments that are facts.
func (t *teller) told() []moment {
	var moments []moment
	var sites []string // an await is told once, however many processes died there
	inFault := false
	for i := range t.h.Facts {
		fact := &t.h.Facts[i]
		rank := t.rank(fact)
		if rank < 0 {
			continue
		}
		if fact.Kind == history.KindUnwound {
			if slices.Contains(sites, fact.Note) {
				continue
			}
			sites = append(sites, fact.Note)
		}
		stop := fact.Kind == history.KindStopped || fact.Kind == history.KindUnwound || fact.Kind == history.KindFaultMissed
		inFault = fact.Kind == history.KindFaultBegan || inFault && stop
		moments = append(moments, moment{
			id: fact.ID, rank: rank, fact: fact, who: t.who(fact), what: t.phrase(fact), mark: t.marks[fact.ID],
			boxed: inFault && stop,
		})
	}
	return moments
}

// Ranks of moments: what goes first when there is no room has the highest. A negative one is no part of the story.
const (
	rankMust = iota
	rankKey
	rankTurn
	rankDetail
	rankColour
	rankNever = -1
)

// rank says how much the story needs a fact.
func (t *teller) rank(fact *history.Fact) int {
	if slices.Contains(t.f.Evidence, fact.ID) || t.marks[fact.ID] != "" {
		return rankMust
	}
	if t.f.Event != "" && fact.Event == t.f.Event {
		return t.rankOfEvent(fact)
	}
	if t.stands(fact) {
		return rankMust
	}
	if fact.ID < t.first || fact.ID > t.last {
		return rankNever
	}
	concerned := fact.Node == "" || slices.Contains(t.nodes, fact.Node)
	switch fact.Kind {
	case history.KindFaultBegan:
		return rankMust // few, and each may be the reason
	case history.KindFaultEnded, history.KindBooted:
		if concerned {
			return rankColour
		}
	case history.KindUnwound:
		if concerned && !t.died {
			return rankTurn
		}
	case history.KindOperated:
		if fact.Op != "reset" || t.covers(fact) {
			return rankTurn
		}
	case history.KindEvicted:
		return rankTurn
	case history.KindStopped:
		if concerned && fact.Cause == 0 {
			return rankTurn
		}
	case history.KindGeneration:
		return rankTurn
	case history.KindAssigned, history.KindRevoked:
		if t.covers(fact) {
			return rankDetail
		}
	case history.KindCommitting, history.KindCommitted, history.KindCommitFailed:
		if t.covers(fact) && fact.Offset == t.place.Offset+1 {
			return rankKey
		}
	case history.KindPanicked:
		return rankKey
	}
	return rankNever
}

// rankOfEvent ranks the facts of the event itself.
func (t *teller) rankOfEvent(fact *history.Fact) int {
	own := fact.Stage == t.f.Stage || fact.Stage == "" || t.f.Stage == ""
	switch fact.Kind {
	case history.KindDelivered, history.KindParked, history.KindOperated, history.KindDropped, history.KindGaveUp, history.KindHeld:
		return rankKey
	case history.KindApplied, history.KindReversed, history.KindSuppressed:
		if own {
			return rankKey
		}
	case history.KindReturned:
		if own && fact.Outcome != history.Acked {
			return rankKey
		}
	case history.KindUnwound, history.KindRefused, history.KindUncertain:
		return rankTurn
	case history.KindAppended, history.KindAccepted:
		return rankDetail
	case history.KindCalled:
		switch {
		case own:
		case t.answered[fact.ID]:
			return rankNever
		default: // what it was waiting for when it died
			return rankTurn
		}
	case history.KindHandled:
		if !own {
			return rankNever
		}
	case history.KindOffered:
		return rankColour
	}
	if own {
		return rankColour
	}
	return rankNever
}

// covers says whether a fact about a partition is about the one where the event lies.
func (t *teller) covers(fact *history.Fact) bool {
	return t.place.Kind != history.KindNone && fact.Resource == t.place.Resource
}

// untold are the commits that never took place between an effect and the next delivery.
func (t *teller) untold() []moment {
	if t.place.Kind == history.KindNone {
		return nil
	}
	var moments []moment
	var applied, asked, anchor *history.Fact
	boxed := false
	for i := range t.h.Facts {
		fact := &t.h.Facts[i]
		switch {
		case fact.Kind == history.KindApplied && fact.Changed && fact.Event == t.f.Event && fact.Stage == t.f.Stage:
			applied, anchor, asked, boxed = fact, fact, nil, false
		case applied == nil:
		case fact.Kind == history.KindFaultBegan, boxed && fact.Kind == history.KindUnwound && t.rank(fact) >= 0:
			anchor, boxed = fact, true
		case fact.Kind == history.KindCommitting && t.covers(fact) && fact.Offset > t.place.Offset:
			asked, anchor, boxed = fact, fact, false
		case (fact.Kind == history.KindCommitted || fact.Kind == history.KindCommitFailed) && t.covers(fact) && fact.Offset > t.place.Offset:
			applied = nil // its fate is a fact
		case fact.Kind == history.KindDelivered && fact.Event == t.f.Event && fact.Offset == t.place.Offset && fact.Resource == t.place.Resource:
			what := fmt.Sprintf("commit of offset %d never sent", t.place.Offset+1)
			if asked != nil {
				what = fmt.Sprintf("commit of offset %d never took place", asked.Offset)
			}
			moments = append(moments, moment{id: anchor.ID, sub: 1, rank: rankKey, fact: anchor, what: what, boxed: boxed})
			applied = nil
		}
	}
	return moments
}
