package broker

import (
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/sim"
)

// View is one replica as tests look at it.
type View struct {
	Leads, Follows, Exposed bool
	Epoch                   int32
	ISR                     []int32
	Log                     *partition.Log
}

// Look is the replica of a partition on a node; ok is false if there is none, or the node is down.
func Look(n *sim.Node, topic string, index int) (v View, ok bool) {
	b := Of(n)
	if b == nil {
		return v, false
	}
	rep := b.find(topic, index)
	if rep == nil || rep.log == nil {
		return v, false
	}
	return View{rep.role == leading, rep.role == following, rep.exposed(), rep.epoch, rep.state.ISR, rep.log}, true
}
