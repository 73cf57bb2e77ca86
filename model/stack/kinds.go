package stack

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Params are the parameters of a layer, as a scenario states them. A kind reads its own and ignores the rest;
// which ones belong to which kind is checked when the file is read.
type Params struct {
	Backoff  string // retry: exponential or none
	From, To sim.Duration
	Budget   int      // tries after the first
	KeyFrom  []string // idempotency-key: event, stage
	Keep     sim.Duration
	Topic    string // dead-letter
	Variant  string // dedup-store
}

// EngineKind is one row of the table of engines.
type EngineKind struct {
	Name, Doc string
	New       func() model.Engine
}

// LayerKind is one row of the table of layers.
type LayerKind struct {
	Name, Doc string
	New       func(Params) model.Layer
}

// Engines lists the engines, sorted by name.
func Engines() []EngineKind {
	return []EngineKind{
		{"commit-after", "at-least-once: handle the event, then commit its position, so that what was in work comes again (M02)", func() model.Engine { return commitAfter{} }},
		{"commit-before", "at-most-once: commit the position, then handle the event, so that what was in work is gone (M01)", func() model.Engine { return commitBefore{} }},
	}
}

// Layers lists the layers, sorted by name.
func Layers() []LayerKind {
	return []LayerKind{
		{"dead-letter", "what is given up goes to a topic with its reason and origin (M25)", newDeadLetter},
		{"dedup-store", "a durable store claims each critical effect before it is called (M29)", newDedupStore},
		{"idempotency-key", "the called service recognises a repetition by a key (M28)", newIdempotencyKey},
		{"retry", "a failed handler runs again after a growing delay, in place (M23)", newRetry},
	}
}

// EngineByName finds an engine.
func EngineByName(name string) (model.Engine, bool) {
	for _, k := range Engines() {
		if k.Name == name {
			return k.New(), true
		}
	}
	return nil, false
}

// LayerByName makes a layer.
func LayerByName(name string, p Params) (model.Layer, bool) {
	for _, k := range Layers() {
		if k.Name == name {
			return k.New(p), true
		}
	}
	return nil, false
}
