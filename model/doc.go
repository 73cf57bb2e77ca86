// Package model is the composition contract: what a flow, a stage, a unit of work, an engine, a layer and an
// assembly are, and the messages that all components share.
//
// Three ideas carry every strategy stack. The flow is data: stages with a kind and an effect, which engines
// schedule. A unit of work belongs to the engine; effects, offsets and marks enlist in it. Layers contribute at
// named ports of an assembly, in the order of their list: the first is the outermost at every port.
//
// It may import sim, sim/rng and sim/history. Its sub-packages (broker, producer, consumer, downstream, store,
// stack) are siblings: they meet in the messages of this package and never import each other.
//
// Invariants: messages are values whose strings are never changed; identity (Intent) never contains an attempt;
// a context belongs to one process and dies with it.
//
// To add a layer or an engine see package model/stack. What to read next: contract.go, context.go, wire.go.
package model
