package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/model/broker/single/brokertest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

func TestConformance(t *testing.T) { brokertest.Conformance(t, broker.New) }

// TestFinalStateOfADarkBroker: the last record of a disk whose power is gone may be torn; what the next boot would
// find is what is held.
func TestFinalStateOfADarkBroker(t *testing.T) {
	torn := 0
	for seed := range uint64(40) {
		w := sim.New(sim.Config{Seed: seed})
		n := w.Role("broker", broker.New(broker.Config{Topics: []broker.Topic{{Name: "orders", Partitions: 1}}}))
		n.Boot()
		client := w.Role("client", func(n *sim.Node) sim.Handler {
			n.Go("main", func(p *sim.Proc) {
				p.Sleep(sim.Second)
				req := model.ProduceRequest{Topic: "orders", Acks: 1, Messages: make([]model.Message, 5)}
				_, _, _ = p.Call(n.World().Node("broker-1"), n.World().Op("broker.produce"), sim.Action{}, req, 0, sim.Second)
			})
			return sim.NoHandler()
		})
		client.Boot()
		armed := false
		w.At(sim.Time(500*sim.Millisecond), sim.PhaseFault, func() { armed = true })
		w.Watch("broker.disk.fsync/started", func(*sim.Hit) {
			if armed {
				n.PowerLoss(0)
			}
		})
		w.Run(sim.Time(sim.Minute))
		require.Nil(t, broker.Of(n))
		found := len(n.Disk().Read("log/orders/0"))
		broker.FinalState(n)
		held := 0
		for _, f := range w.History.Facts {
			if f.Kind == history.KindHeld {
				held++
			}
		}
		n.Boot()
		left := len(n.Disk().Read("log/orders/0"))
		require.Equal(t, left, held, "seed %d", seed)
		torn += found - left
		w.Close()
	}
	require.Positive(t, torn, "no seed tore a record")
}
