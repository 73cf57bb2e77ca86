package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// mark finds the facts that decide and says what each means.
func (t *teller) mark() {
	if t.f.Property == history.PropLoss || t.f.Property == history.PropStuck {
		t.markLoss()
		return
	}
	n := 0
	for i := range t.h.Facts {
		fact := &t.h.Facts[i]
		if fact.Kind != history.KindApplied || !fact.Changed || fact.Stage != t.f.Stage {
			continue
		}
		evidence := slices.Contains(t.f.Evidence, fact.ID)
		if t.f.Property == history.PropOrder && !evidence || t.f.Property != history.PropOrder && fact.Event != t.f.Event {
			continue
		}
		n++
		t.marks[fact.ID] = ordinal(n) + " effect"
	}
}

// markLoss marks the turn after which the effect could not come any more.
func (t *teller) markLoss() {
	for i := range t.h.Facts {
		fact := &t.h.Facts[i]
		own := fact.Event == t.f.Event
		mark := ""
		switch {
		case fact.Kind == history.KindCommitted && t.f.Label == history.LabelCommittedBeforeEffect && t.covers(fact) && fact.Offset > t.place.Offset:
			mark = "the position moves past it"
		case fact.Kind == history.KindDropped && own:
			mark = "given up"
		case fact.Kind == history.KindAccepted && own && t.f.Label == history.LabelNeverAppended:
			mark = "accepted, in no log"
		case fact.Kind == history.KindAppended && own && t.f.Label == history.LabelTruncated:
			mark = "taken, later gone"
		case fact.Kind == history.KindSuppressed && own && t.f.Label == history.LabelSuppressedWithoutEffect:
			mark = "taken for a repetition"
		case fact.Kind == history.KindHeld && own:
			mark = "still here"
		}
		if mark == "" {
			continue
		}
		t.marks[fact.ID] = mark
		t.reach(fact)
		return
	}
}

func ordinal(n int) string {
	if words := []string{"first", "second", "third", "fourth", "fifth"}; n <= len(words) {
		return words[n-1]
	}
	return fmt.Sprintf("%dth", n)
}

// headline says what happened, in one line.
func (t *teller) headline(amount string) string {
	subject := t.f.Event
	if subject == "" {
		subject = string(t.f.Property)
	}
	applied, resource, known := 0, t.resource(), false
	for i := range t.h.Facts {
		fact := &t.h.Facts[i]
		if fact.Event != t.f.Event || t.f.Event == "" {
			continue
		}
		switch fact.Kind {
		case history.KindApplied:
			applied += one(fact.Changed && fact.Stage == t.f.Stage)
		case history.KindGaveUp, history.KindParked, history.KindRefused:
			known = true
		}
	}
	property := t.f.Property
	switch {
	case amount != "":
		return subject + ": " + amount
	case strings.HasPrefix(string(property), "duplicate-effect"):
		return fmt.Sprintf("%s: effect %s applied %d times%s", subject, t.f.Stage, applied, prefixed(" at ", resource))
	case property == history.PropLoss && known:
		return fmt.Sprintf("%s: effect %s never applied%s; a record of it remains", subject, t.f.Stage, prefixed(" at ", resource))
	case property == history.PropLoss:
		return fmt.Sprintf("%s: effect %s never applied%s, and nothing tells", subject, t.f.Stage, prefixed(" at ", resource))
	case t.f.Detail != "" && strings.HasPrefix(t.f.Detail, subject):
		return t.f.Detail
	case t.f.Detail != "":
		return subject + ": " + t.f.Detail
	}
	return subject + ": " + string(property)
}

// resource is where the effect was to be applied.
func (t *teller) resource() string {
	for _, r := range t.h.Header.Requires {
		if r.Stage == t.f.Stage {
			return r.Resource
		}
	}
	for _, id := range t.f.Evidence {
		if fact := t.h.At(id); fact.Kind == history.KindApplied {
			return fact.Resource
		}
	}
	return ""
}

// ending says what never came.
func (t *teller) ending() string {
	if t.f.Property != history.PropLoss || t.f.Event == "" {
		return ""
	}
	return fmt.Sprintf("%s of %s was never applied", t.f.Stage, t.f.Event)
}

func (t *teller) who(fact *history.Fact) string {
	switch {
	case fact.Kind == history.KindGeneration:
		return "group " + fact.Resource
	case fact.Node == "":
		return "world"
	}
	return fact.Node
}

// phrase is what a fact says, in the words of people; its subject is the node.
func (t *teller) phrase(fact *history.Fact) string {
	effect := strings.TrimSpace(cmp.Or(fact.Stage, fact.Op) + " of " + fact.Event)
	switch fact.Kind {
	case history.KindOffered:
		return "offers " + fact.Event
	case history.KindAccepted, history.KindRefused, history.KindUncertain:
		_, text, _ := strings.Cut(fact.Kind.Doc(), "told ")
		return "tells " + text
	case history.KindAppended:
		return fmt.Sprintf("takes %s into %s at offset %d", fact.Event, fact.Resource, fact.Offset)
	case history.KindDelivered:
		return fmt.Sprintf("is handed %s (%s%s%s)", fact.Event, fact.Resource, numbered(", offset ", fact.Offset, 0), numbered(", attempt ", int64(fact.Attempt), 1))
	case history.KindHandled:
		return "finishes with " + fact.Event + prefixed(": ", fact.Outcome.String())
	case history.KindCalled:
		return "calls " + fact.Resource + "." + fact.Op
	case history.KindReturned:
		return "hears from " + fact.Resource + "." + fact.Op + prefixed(": ", fact.Outcome.String()) + prefixed(", ", fact.Note)
	case history.KindApplied:
		if !fact.Changed {
			return "sees " + effect + " again: no change"
		}
		return "applies " + effect
	case history.KindReversed:
		return "reverses " + effect
	case history.KindInvoke:
		return fmt.Sprintf("asks %s: %s %s", storeOf(fact), fact.Op, effect)
	case history.KindComplete:
		return fmt.Sprintf("hears from %s: %s", storeOf(fact), cmp.Or(fact.Value, fact.Outcome.String()))
	case history.KindDecided:
		return fmt.Sprintf("decides %s %s: %s", fact.Op, effect, fact.Value)
	case history.KindSuppressed:
		return "takes " + effect + " for a repetition and does not apply it"
	}
	return t.phraseOfGroup(fact)
}

// storeOf is the part of a judged object's name that says where it is kept.
func storeOf(fact *history.Fact) string {
	kind, _, _ := strings.Cut(fact.Resource, "/")
	return kind
}

// phraseOfGroup speaks of what is not the event's own: positions, groups, faults, ends.
func (t *teller) phraseOfGroup(fact *history.Fact) string {
	switch fact.Kind {
	case history.KindCommitting:
		return fmt.Sprintf("asks to commit offset %d of %s", fact.Offset, fact.Resource)
	case history.KindCommitted:
		return fmt.Sprintf("position in %s is now %d", fact.Resource, fact.Offset)
	case history.KindCommitFailed:
		return fmt.Sprintf("commit of offset %d fails", fact.Offset) + prefixed(": ", fact.Note)
	case history.KindGeneration:
		return "generation " + t.before(fact) + fmt.Sprint(fact.Fence) + prefixed(": ", fact.Note)
	case history.KindAssigned:
		return "owns " + fact.Resource + " from now on"
	case history.KindRevoked:
		return "no longer owns " + fact.Resource
	case history.KindEvicted:
		return "drops " + fact.Value + " from group " + fact.Resource + prefixed(": ", fact.Note)
	case history.KindOperated:
		return operated(fact)
	case history.KindParked:
		return "parks " + fact.Event + prefixed(" in ", fact.Resource) + prefixed(": ", fact.Note)
	case history.KindSettled:
		return fmt.Sprintf("takes %s out of %s (offset %d): %s", fact.Event, fact.Resource, fact.Offset, fact.Op)
	case history.KindDropped, history.KindGaveUp:
		return "gives " + fact.Event + " up" + prefixed(": ", fact.Note)
	case history.KindHeld:
		return "still holds " + fact.Event + prefixed(" in ", fact.Resource) + prefixed(", ", fact.Op)
	case history.KindFaultBegan:
		return fmt.Sprintf("✗ %s (fault %d)", faultText(fact.Note), t.faults[fact.ID])
	case history.KindFaultEnded:
		return fmt.Sprintf("fault %d is over", t.faults[fact.Cause])
	case history.KindBooted:
		return "starts again from its disk"
	case history.KindStopped:
		return "stops: " + fact.Note
	case history.KindUnwound:
		return fact.Op + " died waiting at " + fact.Note
	case history.KindPanicked:
		return "panicked at " + fact.Note + prefixed(": ", fact.Value)
	}
	return fact.Kind.Doc() + prefixed(": ", fact.Note)
}

// operated is one step of an operator.
func operated(fact *history.Fact) string {
	switch fact.Op {
	case "replay":
		return fmt.Sprintf("publishes dead letter %s again in %s", fact.Event, fact.Value)
	case "reset":
		return fmt.Sprintf("sets the position of group %s in %s to %d", fact.Value, fact.Resource, fact.Offset)
	}
	return fmt.Sprintf("%ss group %s", fact.Op, fact.Resource) + prefixed(": ", fact.Value)
}

// before is the generation that a group had, with an arrow, if the history knows it.
func (t *teller) before(fact *history.Fact) string {
	for id := fact.ID - 1; id > 0; id-- {
		if f := t.h.At(id); f.Kind == history.KindGeneration && f.Resource == fact.Resource {
			return fmt.Sprintf("%d → ", f.Fence)
		}
	}
	return ""
}

// faultText leaves the time of a timed fault to the margin.
func faultText(note string) string {
	if rest, ok := strings.CutPrefix(note, "after drain "); ok {
		if after, fault, ok := strings.Cut(rest, " "); ok {
			return fault + ", " + after + " after the drain"
		}
	}
	if rest, ok := strings.CutPrefix(note, "at "); ok {
		if _, fault, ok := strings.Cut(rest, " "); ok {
			return fault
		}
	}
	return note
}

// numbered is a number with its name, if it is one: least is the smallest that says something.
func numbered(name string, n, least int64) string {
	if n < least {
		return ""
	}
	return fmt.Sprintf("%s%d", name, n)
}
