package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// pass is one step of an event's way, as those see it whose code it passes.
type pass struct {
	order int    // place on the way
	rank  int    // as of a moment
	site  string // file:line of the team's code; "" = none of theirs
	what  string
	then  string // what came of it
	mark  string // what it means
	times int    // that it happened in a row

	failed bool   // a call whose caller heard no success
	again  string // the handler begins anew, so much later; "" = it does not
}

// way follows an event through the code.
type way struct {
	*teller
	others []string // events of the evidence beside the finding's own
	steps  []pass
	calls  map[int64]int    // id of a call → its step; looked up only
	hands  map[string]*hand // by node: who has the event in hand; looked up only
	before *history.Fact    // the latest delivery
	asked  *history.Fact    // the call of the event that waits for its answer; nil = none does
	logged int              // records of the event
}

// hand is a node with a delivery of the event.
type hand struct {
	delivery int64
	called   []int64 // calls of the delivery
	waits    bool    // for the answer of the last
	done     bool    // the handler has returned
	beside   bool    // no handler's: somebody works on the event in the background
}

// way is the event's way. It is made of the same facts as the story, told by calls and not by nodes: a call, what the
// service did and what the caller heard are one step.
func (t *teller) way() []pass {
	w := &way{teller: t, calls: map[int64]int{}, hands: map[string]*hand{}}
	for _, id := range t.f.Evidence {
		if e := t.h.At(id); e.Kind == history.KindApplied && e.Event != t.f.Event && !slices.Contains(w.others, e.Event) {
			w.others = append(w.others, e.Event)
		}
	}
	for i := range t.h.Facts {
		w.take(&t.h.Facts[i])
	}
	if end := t.ending(); end != "" {
		w.add(rankTurn, pass{what: "at the end " + end})
	}
	return w.steps
}

func (w *way) add(rank int, p pass) {
	p.order, p.rank = len(w.steps), rank
	w.steps = append(w.steps, p)
}

// take adds what a fact says to the way.
func (w *way) take(fact *history.Fact) {
	switch fact.Kind {
	case history.KindCalled:
		w.called(fact)
	case history.KindApplied, history.KindReversed, history.KindSuppressed:
		w.answered(fact)
	case history.KindReturned:
		w.returned(fact)
	case history.KindDelivered:
		w.delivered(fact)
	case history.KindFaultBegan, history.KindFaultEnded:
		w.struck(fact)
	case history.KindStopped:
		w.stopped(fact)
	case history.KindAppended:
		w.appended(fact)
	default:
		w.other(fact)
	}
}

// concerns says whether a fact is of the event, or of one that the evidence compares it with.
func (w *way) concerns(fact *history.Fact) bool {
	return fact.Event != "" && (fact.Event == w.f.Event || slices.Contains(w.others, fact.Event) && fact.Stage == w.f.Stage)
}

func callText(fact *history.Fact) string {
	return fmt.Sprintf("%s.%s(%s)", fact.Resource, fact.Op, fact.Event)
}

func (w *way) called(fact *history.Fact) {
	if !w.concerns(fact) {
		return
	}
	if in := w.hands[fact.Node]; in != nil && !in.done && fact.Event == w.f.Event {
		w.again(in, fact)
		in.called, in.waits = append(in.called, fact.ID), true
		w.asked = fact
	} else if fact.Event == w.f.Event && teamSite(fact.Site) != "" {
		w.hands[fact.Node] = &hand{delivery: deliveryOf(w.h, fact), called: []int64{fact.ID}, waits: true, beside: true}
		w.asked = fact
		w.add(rankKey, pass{what: fact.Node + " goes on with " + fact.Event + " in the background"})
	}
	rank := rankColour
	switch site := teamSite(fact.Site); {
	case fact.Stage == w.f.Stage || w.f.Stage == "":
		rank = rankMust
	case site != "":
		rank = rankDetail
	}
	w.calls[fact.ID] = len(w.steps)
	w.add(rank, pass{site: teamSite(fact.Site), what: callText(fact)})
}

// again tells that a handler begins anew: it makes the first call of its delivery once more after one that did not succeed.
func (w *way) again(in *hand, fact *history.Fact) {
	if len(in.called) == 0 || !sameCall(fact, w.h.At(in.called[0])) {
		return
	}
	last := w.steps[w.calls[in.called[len(in.called)-1]]]
	if last.failed {
		w.add(rankKey, pass{what: fact.Node + " tries again", again: spanShort(fact.Time - w.h.At(in.called[0]).Time)})
		in.called = in.called[:0]
	}
}

// answered is what a service did. It stands beside the call, unless something happened in between: then the moment is
// the point.
func (w *way) answered(fact *history.Fact) {
	if !w.concerns(fact) {
		return
	}
	did := "→ recognised, not applied again"
	switch {
	case fact.Kind == history.KindReversed:
		did = "→ reversed"
	case fact.Kind == history.KindApplied && !fact.Changed:
		did = "→ no change"
	case fact.Kind == history.KindApplied && w.appliedBefore(fact):
		did = "→ applied again"
	case fact.Kind == history.KindApplied:
		did = "→ applied"
	}
	at, known := w.calls[fact.Cause]
	if !known {
		w.add(w.rank(fact), pass{what: w.who(fact) + " " + w.phrase(fact), mark: w.meaning(fact)})
		return
	}
	if at != len(w.steps)-1 {
		w.add(w.steps[at].rank, pass{site: w.steps[at].site, what: w.steps[at].what, then: did + ", only now", mark: w.meaning(fact)})
		w.calls[fact.Cause] = len(w.steps) - 1
		return
	}
	w.steps[at].then, w.steps[at].mark = did, w.meaning(fact)
}

// appliedBefore says whether the effect of a fact had been applied already.
func (w *way) appliedBefore(fact *history.Fact) bool {
	return slices.ContainsFunc(w.h.Facts[:fact.ID-1], func(f history.Fact) bool {
		return f.Kind == history.KindApplied && f.Changed && f.Event == fact.Event && f.Stage == fact.Stage && f.Resource == fact.Resource && f.Op == fact.Op
	})
}

// meaning is the mark of a fact where it adds something: "applied again" needs no "second effect".
func (w *way) meaning(fact *history.Fact) string {
	switch w.f.Property {
	case history.PropLoss, history.PropStuck, history.PropOrder, history.PropZombie:
		return w.marks[fact.ID]
	}
	return ""
}

func (w *way) returned(fact *history.Fact) {
	at, known := w.calls[fact.Cause]
	if !known {
		return
	}
	if in := w.hands[fact.Node]; in != nil {
		in.waits = false
	}
	if w.asked != nil && w.asked.ID == fact.Cause {
		w.asked = nil
	}
	w.steps[at].failed = fact.Outcome != history.Acked
	then := &w.steps[at].then
	switch {
	case fact.Outcome == history.Indeterminate && *then != "":
		*then += ", reply lost" + prefixed(": ", fact.Note)
	case fact.Outcome == history.Indeterminate:
		*then = "→ no reply" + prefixed(": ", fact.Note)
	case fact.Outcome == history.Failed:
		*then = "→ fails" + prefixed(": ", fact.Note)
	case *then == "":
		*then = "→ answered"
	}
}

func (w *way) delivered(fact *history.Fact) {
	if fact.Event != w.f.Event && !slices.Contains(w.f.Evidence, fact.ID) {
		return
	}
	w.hands[fact.Node] = &hand{delivery: fact.ID}
	what := fmt.Sprintf("%s delivered to %s", fact.Event, fact.Node)
	if w.before != nil {
		what = fmt.Sprintf("redelivered to %s, %s later", fact.Node, spanShort(fact.Time-w.before.Time))
	}
	w.before = fact
	w.add(rankKey, pass{what: what})
}

func (w *way) appended(fact *history.Fact) {
	if fact.Event != w.f.Event {
		return
	}
	w.logged++
	if mark := w.meaning(fact); mark != "" || w.logged > 1 {
		w.add(rankKey, pass{what: w.who(fact) + " " + w.phrase(fact), mark: mark})
	}
}

// struck is a fault that met the event's nodes or services, or was on already.
func (w *way) struck(fact *history.Fact) {
	if fact.Kind == history.KindFaultEnded {
		if began := w.h.At(fact.Cause); began.Op == "pause" && w.hands[began.Node] != nil && fact.ID < w.last {
			w.add(rankTurn, pass{what: began.Node + " goes on where it stood"})
		}
		return
	}
	met := fact.ID >= w.first && fact.ID <= w.last || w.stands(fact)
	if !met || !w.concerned(fact) {
		return
	}
	what := "✗ " + faultOf(fact)
	if !w.stops(fact) && w.meets(fact) {
		what += " here"
	}
	w.add(rankMust, pass{what: what})
}

// meets says whether a fault fell on a party to the call that waits.
func (w *way) meets(fault *history.Fact) bool {
	if w.asked == nil {
		return false
	}
	party := func(name string) bool {
		return name == w.asked.Node || name == w.asked.Resource || strings.HasPrefix(name, w.asked.Resource+"-")
	}
	return slices.ContainsFunc(targets(fault), party) || slices.ContainsFunc(strings.Split(fault.Resource, ","), party)
}

// stops says whether a fault stopped its node at once.
func (w *way) stops(fault *history.Fact) bool {
	return int(fault.ID) < w.h.Len() && w.h.At(fault.ID+1).Kind == history.KindStopped
}

// faultOf is a fault without its trigger, with the node that it fell on.
func faultOf(fact *history.Fact) string {
	plan, err := faults.ParseLines([]string{fact.Note})
	if err != nil || len(plan) != 1 || plan[0].Trigger.Drained {
		return faultText(fact.Note)
	}
	text := strings.TrimPrefix(fact.Note, plan[0].Trigger.String()+" ")
	return strings.NewReplacer("$caller", fact.Node, "$node", fact.Node).Replace(text)
}

// stopped is the end of a node that had the event in hand.
func (w *way) stopped(fact *history.Fact) {
	in := w.hands[fact.Node]
	if in == nil {
		return
	}
	delete(w.hands, fact.Node)
	if in.beside && !in.waits {
		return // it may long be through
	}
	step := pass{what: fmt.Sprintf("✗ %s %s", fact.Node, stopWord(fact.Note))}
	site := w.diedAt(fact)
	if in.beside {
		site = teamSite(w.h.At(in.called[len(in.called)-1]).Site)
	}
	switch {
	case in.done:
		step.what += " after the handler was done with " + w.f.Event
	case len(in.called) == 0:
		step.what += " before it came to " + w.f.Event
	case site != "" && len(w.steps) > 0 && site == w.lastSite():
		step.what += " here"
	case site != "":
		step.what, step.site = step.what+" here", site
	}
	if n := len(w.steps); n > 0 && fact.Cause == fact.ID-1 && w.h.At(fact.Cause).Kind == history.KindFaultBegan && strings.HasPrefix(w.steps[n-1].what, "✗ ") {
		w.steps = w.steps[:n-1] // the fault and the stop are one
	}
	w.add(rankMust, step)
	if !in.done {
		w.neverReached(in)
	}
}

// lastSite is where the code was last seen.
func (w *way) lastSite() string {
	for i := len(w.steps) - 1; i >= 0; i-- {
		if w.steps[i].site != "" {
			return w.steps[i].site
		}
	}
	return ""
}

// diedAt is where the team's code waited when its node stopped.
func (w *way) diedAt(stop *history.Fact) string {
	for id := int(stop.ID) + 1; id <= w.h.Len() && w.h.At(int64(id)).Kind == history.KindUnwound; id++ {
		if dead := w.h.At(int64(id)); dead.Node == stop.Node && teamSite(dead.Note) != "" {
			return dead.Note
		}
	}
	return ""
}

// stopWord says how a node ended.
func stopWord(how string) string {
	switch how {
	case "kill":
		return "killed"
	case "power-loss":
		return "lost power"
	}
	return "stopped"
}

// neverReached is the call that the code would have come to next, if another delivery shows it.
func (w *way) neverReached(in *hand) {
	for _, mine := range []bool{true, false} {
		if next := w.next(in, mine); next != nil {
			w.add(rankTurn, pass{site: teamSite(next.Site), what: fmt.Sprintf("%s.%s(%s)", next.Resource, next.Op, w.f.Event), then: "never reached"})
			return
		}
	}
}

// next is the call that follows the calls of a hand in another delivery, of the event itself or of another; nil = none
// does.
func (w *way) next(in *hand, mine bool) *history.Fact {
	reached := map[int64]int{} // by delivery: how many of the calls it repeated; -1 = it went another way
	for i := range w.h.Facts {
		fact := &w.h.Facts[i]
		if fact.Kind != history.KindCalled || mine != (fact.Event == w.f.Event) || teamSite(fact.Site) == "" {
			continue
		}
		from := deliveryOf(w.h, fact)
		n := reached[from]
		switch {
		case from == 0 || n < 0 || from == in.delivery:
		case n == len(in.called):
			return fact
		case sameCall(fact, w.h.At(in.called[n])):
			reached[from]++
		default:
			reached[from] = -1
		}
	}
	return nil
}

func sameCall(a, b *history.Fact) bool {
	return a.Site == b.Site && a.Resource == b.Resource && a.Op == b.Op
}

// deliveryOf is the delivery that led to a fact; 0 = none.
func deliveryOf(h *history.History, fact *history.Fact) int64 {
	for id := fact.Cause; id != 0; id = h.At(id).Cause {
		if h.At(id).Kind == history.KindDelivered {
			return id
		}
	}
	return 0
}

// other facts are told in the words of the story, where they are a turn of it.
func (w *way) other(fact *history.Fact) {
	rank := w.rank(fact)
	if fact.Kind == history.KindHandled && fact.Event == w.f.Event {
		if in := w.hands[fact.Node]; in != nil {
			in.done = true
		}
		if fact.Outcome == history.Acked {
			return
		}
		rank = rankKey
	}
	if fact.Kind == history.KindCommitted && fact.Cause != 0 && w.covers(fact) && fact.Offset > w.place.Offset {
		w.settled(w.h.At(fact.Cause).Node)
	}
	switch mark := w.meaning(fact); {
	case rank == rankNever:
	case fact.Kind == history.KindPanicked:
		w.add(rankMust, pass{site: teamSite(fact.Note), what: "✗ panics: " + firstLine(fact.Value)})
	case fact.Kind == history.KindCommitted && mark != "":
		site := ""
		if fact.Cause != 0 {
			site = teamSite(w.h.At(fact.Cause).Site)
		}
		w.add(rank, pass{site: site, what: w.phrase(fact), mark: mark})
	case mark != "" || tellsItself(fact.Kind):
		w.add(rank, pass{what: w.who(fact) + " " + w.phrase(fact), mark: mark})
	}
}

// settled forgets a hand that is through with the event: what becomes of its node later is no part of the way. A handler
// that is still at work may yet act.
func (w *way) settled(node string) {
	if in := w.hands[node]; in != nil && in.done {
		delete(w.hands, node)
	}
}

// tellsItself says whether facts of a kind are turns that a team knows without knowing the simulator.
func tellsItself(kind history.Kind) bool {
	switch kind {
	case history.KindHandled, history.KindParked, history.KindDropped, history.KindGaveUp, history.KindRefused, history.KindUncertain,
		history.KindHeld, history.KindOperated, history.KindEvicted, history.KindCommitFailed:
		return true
	}
	return false
}

// OfTeam says whether a site lies in a team's code and not in that of an engine or a layer: those of our own packages are
// named by their path within the module. Tests of ours that stand for a team's code lie in internal/doortest.
func OfTeam(site string) bool {
	if strings.HasPrefix(site, "internal/doortest") {
		return true
	}
	ours := []string{"sim/", "model/", "faults/", "checker/", "scenarios/", "internal/", "sqldoor/", "loop/", "github.com/twiceless/twiceless/"}
	return site != "" && !slices.ContainsFunc(ours, func(pkg string) bool { return strings.HasPrefix(site, pkg) })
}

// teamSite is a site if it lies in a team's code.
func teamSite(site string) string {
	if !OfTeam(site) {
		return ""
	}
	return site
}

// spanShort is a time as people say it: to a tenth of a second, whole seconds from a minute on, milliseconds below one.
func spanShort(ns int64) string {
	const second = 1_000_000_000
	unit := int64(second / 10)
	switch {
	case ns >= 60*second:
		unit = second
	case ns < second:
		unit = second / 1000
	}
	return rng.FormatDuration(ns / unit * unit)
}
