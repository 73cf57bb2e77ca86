// Package coordinator is what coordinators of groups and of transactions have in common: each lives on the leader of one
// partition of an internal topic, keeps its state there as records, and rebuilds it from them where the partition moves
// to.
//
// It imports sim, model and model/wire. The coordinators are siblings: groups and transactions. The host is the broker.
package coordinator

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Host is what a coordinator needs of the broker that it lives on. It is the coordinator's for as long as the broker
// leads the partition in one epoch: once that is over every method but Node and Alive does nothing, and what waits in
// Append is told so.
type Host interface {
	// Node is the broker's: clocks, timers, facts, hooks, calls.
	Node() *sim.Node

	// Alive says whether the broker's incarnation runs and still leads the partition in this epoch. A coordinator asks
	// after whatever may have met a hook.
	Alive() bool

	// Epoch is the leader epoch of the partition: the coordinator epoch of markers.
	Epoch() int32

	// Append writes a batch to the partition as an acks=all producer does; then is called once, in an event of the node
	// or before Append returns: nil when the high watermark has passed it; ErrNotCoordinator when the leadership was lost
	// before; ErrRequestTimedOut or ErrNotEnoughAfter when nobody can say; ErrNotEnoughReplicas when nothing was
	// written. The batch has Producer and Transactional set if it belongs to a transaction, and messages with Key and
	// Payload; an empty Payload deletes the key.
	Append(b wire.Batch, act sim.Action, then func(error))

	// Partitions of a topic as the broker knows it; 0 = unknown.
	Partitions(topic string) int

	// Leader of a partition as the broker knows it; nil = none.
	Leader(topic string, partition int) *sim.Node

	// OffsetsPartition is where a group lives.
	OffsetsPartition(group string) int

	// ProducerID takes one from the broker's block; then is called once.
	ProducerID(then func(id int64, err error))
}

// Coordinator is the state of one partition of an internal topic on its leader.
type Coordinator interface {
	// Load rebuilds the state from the batches of the partition up to its high watermark, markers too, in order. It is
	// called once, before anything else.
	Load(batches []wire.Batch)

	// Marker is told of a marker that the partition has taken after Load, once it is below the high watermark.
	Marker(b wire.Batch)

	// Receive handles one request for this coordinator.
	Receive(r *sim.Request)

	// Unload ends it: the broker leads the partition no more. It cancels its timers and answers what is parked with
	// ErrNotCoordinator.
	Unload()
}
