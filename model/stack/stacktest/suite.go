// Package stacktest is the conformance suite of layers: every row of stack.Layers inherits it, in each of its variants.
//
// A layer is tried alone, over a flow with a stage of each kind and an engine that commits after the work. The suite
// reads the row of the layer and the facts of small worlds, and nothing else.
package stacktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim/history"
)

// Layer is a kind with its parameters.
type Layer struct {
	Kind stack.LayerKind
	With map[string]string // as stack.Values
}

func (l *Layer) values() stack.Values { return l.Kind.Values(l.With) }

func (l *Layer) make() model.Layer { return l.Kind.New(l.values()) }

func (l *Layer) keeps() stack.Keeping {
	if l.Kind.Keeps == nil {
		return stack.KeepsNothing
	}
	return l.Kind.Keeps(l.values())
}

// Promise is one thing that every layer keeps. Broken says how a layer breaks it; "" = it does not.
type Promise struct {
	Name   string
	Broken func(*Layer) string
}

// Promises lists what the suite checks.
func Promises() []Promise {
	return []Promise{
		{"transparent without faults", transparent},
		{"bounded work per delivery", bounded},
		{"survives a restart as declared", restarted},
		{"needs and gives are true", truthful},
	}
}

// Run checks every promise of every variant of a layer.
func Run(t *testing.T, k stack.LayerKind) {
	for _, with := range variants(k) {
		for _, p := range Promises() {
			t.Run(fmt.Sprint(with, " ", p.Name), func(t *testing.T) {
				if why := p.Broken(&Layer{k, with}); why != "" {
					t.Fatal(why)
				}
			})
		}
	}
}

// variants are the defaults, and each word of each parameter that takes one of a set.
func variants(k stack.LayerKind) []map[string]string {
	out := []map[string]string{nil}
	for _, p := range k.Params {
		if p.Type != stack.OneOf {
			continue
		}
		for word := range strings.SplitSeq(p.Of, "|") {
			for _, w := range wordsOf(word) {
				if w != p.Default {
					out = append(out, map[string]string{p.Name: w})
				}
			}
		}
	}
	return out
}

func wordsOf(word string) (words []string) {
	if word != "@store" {
		return []string{word}
	}
	for _, k := range store.Kinds() {
		if slices.Contains(k.Gives, model.StoreClaim) {
			words = append(words, k.Name)
		}
	}
	return words
}

// transparent: in a run without faults the services see the same calls in the same order as without the layer, no event
// comes more often, and each is done.
func transparent(l *Layer) string {
	alone, with := newRig(nil), newRig(l)
	defer alone.w.Close()
	defer with.w.Close()
	alone.round(false)
	with.round(false)
	switch {
	case !slices.Equal(alone.effects(), with.effects()):
		return fmt.Sprintf("effects %q; without the layer %q", with.effects(), alone.effects())
	case with.log.delivered != alone.log.delivered:
		return fmt.Sprintf("%d deliveries; without the layer %d", with.log.delivered, alone.log.delivered)
	case with.emits > 0:
		return fmt.Sprintf("%d records written, though nothing went wrong", with.emits)
	}
	for _, f := range with.facts(history.KindHandled) {
		if f.Outcome != history.Acked {
			return fmt.Sprintf("%s is %s: %s", f.Event, f.Outcome, f.Note)
		}
	}
	return ""
}

// perStage bounds what a layer may add to one stage of one delivery: calls, and writes.
const perStage = 3

// bounded: the work of a delivery has a bound that does not depend on what was delivered before, also when everything
// comes a second and a third time.
func bounded(l *Layer) string {
	alone, with := newRig(nil), newRig(l)
	defer alone.w.Close()
	defer with.w.Close()
	const most = events * callingStages * perStage
	var second [2]int
	for round := 1; round <= 3; round++ {
		ownCalls, _ := alone.work()
		calls, writes := with.work()
		delivered := with.log.delivered
		alone.round(false)
		with.round(false)
		ownNow, _ := alone.work()
		callsNow, writesNow := with.work()
		calls, writes = callsNow-calls, writesNow-writes
		switch {
		case with.log.delivered-delivered > events:
			return fmt.Sprintf("time %d: %d deliveries of %d events", round, with.log.delivered-delivered, events)
		case calls > ownNow-ownCalls+most || writes > most:
			return fmt.Sprintf("time %d: %d calls and %d writes for %d events; at most %d calls more than the %d of the flow, and %d writes",
				round, calls, writes, events, most, ownNow-ownCalls, most)
		case round == 3 && (calls > second[0] || writes > second[1]):
			return fmt.Sprintf("the third time takes %d calls and %d writes, the second %d and %d: it grows", calls, writes, second[0], second[1])
		}
		second = [2]int{calls, writes}
	}
	return ""
}

// restarted: what the layer remembers suppresses repetitions. What it declares durable is there after a kill and after a
// power loss of everybody; what it declares to be in the process is gone with it, and all that is left is a flow without
// the layer. Tokens never go back.
func restarted(l *Layer) string {
	all := repetitions(nil, "")
	remembered := repetitions(l, "")
	if remembers := l.keeps() != stack.KeepsNothing; remembers != (remembered < all) {
		return fmt.Sprintf("declared to remember: %t; %d of %d effects are repeated", remembers, remembered, all)
	}
	want := all
	if l.keeps() == stack.KeepsDurably {
		want = remembered
	}
	for _, stop := range []string{"kill", "power loss"} {
		switch got := repetitions(l, stop); {
		case got == tokenWentBack:
			return "a token is lower after a restart by " + stop + " than before it"
		case got != want:
			return fmt.Sprintf("after a restart by %s %d of %d effects are repeated; want %d", stop, got, all, want)
		}
	}
	return ""
}

// tokenWentBack stands for a number of repetitions.
const tokenWentBack = -1

// repetitions is how many effects took place again when all events came again, with a stop of everybody in between;
// tokenWentBack if a service saw one go back.
func repetitions(l *Layer, stop string) int {
	g := newRig(l)
	defer g.w.Close()
	g.round(false)
	first := len(g.effects())
	if stop != "" {
		g.restart(stop != "kill")
	}
	g.round(false)
	token := map[string]int64{}
	for _, f := range g.facts(history.KindApplied) {
		if f.Fence < 0 { // the effect carried none
			continue
		}
		if f.Fence < token[f.Event] {
			return tokenWentBack
		}
		token[f.Event] = f.Fence
	}
	return len(g.effects()) - first
}
