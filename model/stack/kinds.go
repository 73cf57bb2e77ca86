package stack

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// EngineKind is one row of the table of engines.
type EngineKind struct {
	Name, Doc string
	New       func() model.Engine
}

// LayerKind is one row of the table of layers, and all that a scenario has to know about the layer.
type LayerKind struct {
	Name, Doc string
	Params    []Param
	Check     func(*Site, Values)                     // reports what is wrong where the layer stands; nil = nothing can be
	Chain     func(Values, sim.Duration) sim.Duration // longest time that the layer may keep a message, if one run of what is inside may take so long; nil = as long
	Keeps     func(Values) Keeping                    // where what it knows of past events is kept; nil = it knows nothing of them
	New       func(Values) model.Layer
}

// Keeping is what becomes of what a layer knows of past events when nodes stop.
type Keeping uint8

// KeepsNothing: a repetition is like the first time. KeepsInProcess: what is known is gone with the process.
// KeepsDurably: it is there after a kill and after a power loss of whoever keeps it.
const (
	KeepsNothing Keeping = iota
	KeepsInProcess
	KeepsDurably
)

// Engines lists the engines, sorted by name.
func Engines() []EngineKind {
	return []EngineKind{
		{"auto-commit", "at-least-once by default of the client: every 5 s it commits what earlier polls returned, and in the loop that is done by then (M03)", func() model.Engine { return autoCommit{} }},
		{"auto-commit-hand-off", "neither: as auto-commit, but a worker does the records while the loop polls on, so that positions move past what nobody has done (M03)", func() model.Engine { return autoCommit{handOff: true} }},
		{"broker-transaction", "read, process, write: what the pure and reading stages made of an event and the position behind it become visible in one transaction of the broker; effects come behind it, from a topic of committed events (M04)", func() model.Engine { return brokerTransaction{} }},
		{"broker-transaction-inline", "wrong on purpose: as broker-transaction, but effects are called inside the transaction, which does not cover them (M04)", func() model.Engine { return brokerTransaction{inline: true} }},
		{"broker-transaction-no-rewind", "wrong on purpose: as broker-transaction, but after an aborted transaction the consumer reads on, and what was aborted is lost (M04)", func() model.Engine { return brokerTransaction{onward: true} }},
		{"broker-transaction-state", "as broker-transaction, and what is kept by key, a count, is in memory and in a changelog of the broker, in the same transaction; whoever gets a partition restores it up to the high watermark, once everything below is decided (M04)", func() model.Engine { return brokerTransaction{state: true} }},
		{"broker-transaction-state-lso", "wrong on purpose: as broker-transaction-state, but it is restored up to the last stable offset, which is below what was committed behind a transaction that somebody has left open (M04)", func() model.Engine { return brokerTransaction{state: true, stable: true} }},
		{"broker-transaction-uncommitted", "wrong on purpose: as broker-transaction, but who has the effects reads what is open or was aborted too (M04)", func() model.Engine { return brokerTransaction{open: true} }},
		{"commit-after", "at-least-once: handle the event, then commit its position, so that what was in work comes again (M02)", func() model.Engine { return commitAfter{} }},
		{"commit-before", "at-most-once: commit the position, then handle the event, so that what was in work is gone (M01)", func() model.Engine { return commitBefore{} }},
		{"publish-commit", "at-least-once: publish what the pure and reading stages made of an event, then commit the position behind it; effects come behind it, from a second topic (M02)", func() model.Engine { return publishCommit{} }},
		{"sink-transaction", "the position lives in the database of the critical effect and commits with it, in one transaction (M05)", func() model.Engine { return sinkTransaction{} }},
		{"sink-transaction-blind", "wrong on purpose: as sink-transaction, but nobody looks at what the position was before, so that a consumer that was replaced writes on (M05)", func() model.Engine { return sinkTransaction{blind: true} }},
		{"sink-transaction-unique", "as sink-transaction, and a unique constraint refuses what a producer has published twice (M05, M52)", func() model.Engine { return sinkTransaction{unique: true} }},
		{"sink-two-commits", "wrong on purpose: as sink-transaction, but effect and position commit one after the other, in two transactions (M05)", func() model.Engine { return sinkTransaction{apart: true} }},
	}
}

// Layers lists the layers, sorted by name.
func Layers() []LayerKind {
	return []LayerKind{
		deadLetterKind(),
		dedupStoreKind(),
		fenceKind(),
		idempotencyKeyKind(),
		outboxKind(),
		retryKind(),
		stageRecordKind(),
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

// CheckEngine reports what is wrong with an engine where it stands. An engine that can stand wrong has a method Check.
func CheckEngine(s *Site) {
	if engine, known := EngineByName(s.Engine); known {
		if c, can := engine.(interface{ Check(*Site) }); can {
			c.Check(s)
		}
	}
}

// LayerByName finds a kind of layer.
func LayerByName(name string) (LayerKind, bool) {
	for _, k := range Layers() {
		if k.Name == name {
			return k, true
		}
	}
	return LayerKind{}, false
}
