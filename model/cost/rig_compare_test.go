package cost_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/cost"
	"github.com/twiceless/twiceless/sim"
)

func profile(t testing.TB, name string) cost.Profile {
	p, ok := cost.Named(name)
	require.True(t, ok, name)
	return p
}

// The published figures come out of a producer that is busy for as long as its hook says, message by message, and not out of
// the formula alone.
func TestSimulatedProducer(t *testing.T) {
	p := profile(t, "netdb11")
	for batch, published := range map[int]int64{1: 50_000, 50: 400_000} {
		g := newRig(t, p, cost.Flow{Payload: 200, Batch: batch, Replicas: 1})
		require.InEpsilon(t, published, g.measure(t, 100*sim.Millisecond), 0.0005, "batch %d", batch)
	}
}

// span is long enough to see some transactions.
func span(f *cost.Flow) sim.Duration {
	return 100*sim.Millisecond + 40*sim.Microsecond*sim.Duration(f.Transaction)
}

// What the formula says of a flow is what nodes do that know nothing of it: throughput and visible latency. Where batches overlap and
// replicas are awaited, the formula ends a transaction as if its last batch met the mean of a queue; elsewhere both agree to rounding.
func TestFormulaAgainstNodes(t *testing.T) {
	for _, c := range []struct {
		name    string
		flow    cost.Flow
		batches []int
		within  float64
	}{
		{"none", cost.Flow{Replicas: 1}, []int{1, 5, 50, 200}, 0.005},
		{"leader awaited", cost.Flow{Replicas: 1, Acks: cost.AcksLeader, InFlight: 1}, []int{1, 50}, 0.005},
		{"leader awaited, replicas", cost.Flow{Replicas: 3, Acks: cost.AcksLeader, InFlight: 1}, []int{1, 50}, 0.005},
		{"all awaited", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 1}, []int{1, 10, 200}, 0.005},
		{"leader, five in flight", cost.Flow{Replicas: 1, Acks: cost.AcksLeader, InFlight: 5}, []int{1, 10, 200}, 0.005},
		{"all, five in flight", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 5}, []int{1, 2, 5, 10, 50, 200}, 0.02},
		{"a transaction each, v1", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 5, Transaction: 1, Version: 1}, []int{1}, 0.01},
		{"a transaction each, v2", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 5, Transaction: 1, Version: 2}, []int{1}, 0.01},
		{"transactions of 100, v1", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 5, Transaction: 100, Version: 1}, []int{1, 10, 50, 100}, 0.02},
		{"transactions of 100, v2", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 5, Transaction: 100, Version: 2}, []int{1, 10, 50, 100}, 0.02},
		{"transactions of 20 000, v1", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 5, Transaction: 20_000, Version: 1}, []int{50}, 0.02},
		{"transactions of 100, one in flight", cost.Flow{Replicas: 3, Acks: cost.AcksAll, InFlight: 1, Transaction: 100, Version: 1}, []int{5, 50}, 0.02},
		{"transactions of 40 000, bound by the client", cost.Flow{Replicas: 1, Acks: cost.AcksAll, InFlight: 10, Transaction: 40_000, Version: 1}, []int{50}, 0.02},
	} {
		for _, batch := range c.batches {
			t.Run(fmt.Sprintf("%s/%d", c.name, batch), func(t *testing.T) {
				p, f := profile(t, "kafka-v2"), c.flow
				f.Payload, f.Batch = 200, batch
				want := p.Estimate(f)
				g := newRig(t, p, f)
				got := g.measure(t, span(&f))
				t.Logf("formula %d/s %v %s, nodes %d/s %v", want.PerSecond, want.Visible, want.Limit, got, g.visible(t))
				require.InEpsilon(t, want.PerSecond, got, c.within)
				if want.Limit == cost.ByRoundTrip && f.InFlight == 1 || f.Transaction > 0 { // nothing waits, and the consumer's fetch is there first
					require.InEpsilon(t, int64(want.Visible), int64(g.visible(t)), c.within)
				}
			})
		}
	}
}

// How long the coordinator is at work after a commit shows in how often the next transaction is sent back, if that is not for long.
func TestTransactionsThatAskAgainSoon(t *testing.T) {
	for _, backoff := range []sim.Duration{0, 100 * sim.Microsecond, 700 * sim.Microsecond, 2 * sim.Millisecond} {
		for version := 1; version <= 2; version++ {
			p := profile(t, v2)
			p.Backoff.N = int64(backoff)
			f := cost.Flow{Payload: 200, Batch: 1, Replicas: 3, Acks: cost.AcksAll, InFlight: 5, Transaction: 1, Version: version}
			want, g := p.Estimate(f), newRig(t, p, f)
			require.InEpsilon(t, want.PerSecond, g.measure(t, span(&f)), 0.02, "v%d, again after %v", version, backoff)
			require.InEpsilon(t, int64(want.Visible), int64(g.visible(t)), 0.02, "v%d, again after %v", version, backoff)
		}
	}
}
