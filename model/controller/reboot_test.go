package controller

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestToldIsDurable kills the controller when an election is in the page cache and not yet on the disk, boots it, and has the power
// fail at any moment from then on: whatever a broker has heard of elections is still so after the next boot. Else a version of
// the metadata would come again with another content, which those who have heard of the first would never ask for.
func TestToldIsDurable(t *testing.T) {
	told := 0
	for after := range 30 {
		w := sim.New(sim.Config{Seed: uint64(after), Latency: rng.Constant(int64(sim.Millisecond))})
		n := w.Role(wire.Controller, New(Config{Topics: []wire.Topic{{Name: "orders", Partitions: 1}}}))
		n.Disk().Timing(rng.Constant(0), rng.Constant(int64(10*sim.Millisecond)))
		var brokers []*sim.Node
		for range 3 {
			brokers = append(brokers, w.Role(wire.Broker, func(*sim.Node) sim.Handler { return sim.NoHandler() }))
		}
		for _, b := range w.Nodes("") {
			b.Boot()
		}
		step := func(fn func(*Controller)) {
			n.After(0, func() { fn(Of(n)) })
			w.Run(w.Now().Add(1))
		}
		for id := range int32(3) {
			step(func(c *Controller) { enter(c, id+1, false); c.unfence(c.broker(id + 1)); c.commit(nil) })
		}
		w.Run(w.Now().Add(sim.Second))
		step(func(c *Controller) { c.fence(c.broker(1)); c.commit(nil) })
		n.Kill(0)
		n.Boot()
		heard := wire.PartitionState{LeaderEpoch: -1}
		brokers[1].After(0, func() {
			brokers[1].Call(n, w.Op(wire.Controller+"."+wire.OpImage), sim.Action{}, wire.ImageRequest{Broker: 2, MaxWait: sim.Second}, 0, sim.Second, func(reply any, _ int64, err error) {
				if err == nil {
					image := reply.(wire.ImageReply)
					heard = image.Partitions[0]
				}
			})
		})
		w.Run(w.Now().Add(sim.Duration(after) * sim.Millisecond))
		n.PowerLoss(0)
		n.Boot()
		if heard.LeaderEpoch >= 0 {
			told++
			now, ok := Of(n).State(heard.Topic, heard.Partition)
			require.True(t, ok)
			require.GreaterOrEqual(t, now.PartitionEpoch, heard.PartitionEpoch, "power lost %d ms after the boot", after)
		}
		w.Close()
	}
	require.Positive(t, told)
}
