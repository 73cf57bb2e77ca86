package scenarios

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/cost"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// With a cost profile a record is acknowledged later by the time for which brokers are busy with it, to the nanosecond: nothing else
// of a run without queues changes. acks=1 waits for the leader's append, acks=all for the append of a follower besides, and for
// its next fetch, a request without records.
func TestBrokersAreBusy(t *testing.T) {
	const file = `
version: 1
name: busy
broker: { topics: { orders: { partitions: 1, min_insync: 2 } }, append: constant(0s) COSTS }
workload: { arrival: poisson(2/s) }
flow: [ { stage: charge, kind: effect, calls: payments, effect: critical } ]
downstreams: { payments: { kind: payments-api, latency: constant(1ms) } }
producer: { record_bytes: 200, linger: 0s }
consumers: { members: 1 }
network: { latency: constant(300us) }
stacks:
  - { name: leader, engine: commit-after, acks: 1, retries: true }
  - { name: all, engine: commit-after, acks: all, retries: true }
`
	acknowledged := func(stack, costs string) map[string]int64 {
		sc, err := Decode("busy.yaml", []byte(strings.Replace(file, " COSTS", costs, 1)))
		require.NoError(t, err)
		r := measured(t, sc, stack, "none", 1, &Memory{})
		require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
		require.Equal(t, r.Row.Offered, r.Row.Buckets[history.Done])
		took := map[string]int64{}
		for i := range r.History.Facts {
			switch f := &r.History.Facts[i]; f.Kind {
			case history.KindOffered:
				took[f.Event] -= f.Time
			case history.KindAccepted:
				took[f.Event] += f.Time
			}
		}
		require.Len(t, took, int(r.Row.Offered))
		return took
	}
	p, _ := cost.Named("kafka-v2")
	busy := p.BrokerCost()
	append := busy(1, 1, 61+200)
	for _, c := range []struct {
		stack string
		least sim.Duration
	}{{"leader", append}, {"all", append + busy(1, 1, 0) + busy(1, 0, 0)}} {
		free, later := acknowledged(c.stack, ""), acknowledged(c.stack, ", costs: kafka-v2")
		exact := 0
		for _, event := range SortedKeys(free) {
			d := sim.Duration(later[event] - free[event])
			require.GreaterOrEqual(t, d, c.least, "%s: %s", c.stack, event)
			require.Less(t, d, c.least+2*sim.Microsecond+40*append, "%s: %s", c.stack, event)
			if d == c.least {
				exact++
			}
		}
		t.Logf("%s: %d of %d exact", c.stack, exact, len(free))
		if c.stack == "leader" {
			require.Greater(t, exact, len(free)*8/10, "the others met a fetch, a beat or each other")
		}
	}
}

// Costs are those of the log: a queue's servers take no such profile.
func TestCostsOfAQueue(t *testing.T) {
	sc, err := Load("payments-queue")
	require.NoError(t, err)
	sc.Broker.Costs = "kafka-v2"
	require.ErrorContains(t, sc.Rebuild(), "broker.costs")
}
