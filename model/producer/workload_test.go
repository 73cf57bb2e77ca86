package producer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// What is offered lies in the chaos phase, in the order of the events' numbers.
func TestArrivalsLieInTheChaosPhase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wl := orders()
		wl.From = sim.Time(rapid.Int64Range(0, int64(sim.Minute)).Draw(t, "from"))
		wl.To = wl.From.Add(sim.Duration(rapid.Int64Range(0, int64(sim.Minute)).Draw(t, "length")))
		wl.Interval = sim.Duration(rapid.Int64Range(int64(sim.Second), int64(sim.Minute)).Draw(t, "interval"))
		last := wl.From
		for i, f := range newRig(t, rapid.Uint64().Draw(t, "seed"), 1, with(settings()), wl).run().facts(history.KindOffered) {
			require.Equal(t, fmt.Sprintf("order-%d", i+1), f.Event)
			require.GreaterOrEqual(t, sim.Time(f.Until), last)
			require.Less(t, sim.Time(f.Until), wl.To)
			last = sim.Time(f.Until)
		}
	})
}

// The gaps are exponential, as those of independent customers are: their mean is the interval, and e⁻¹ of them, 37 %,
// are longer than it.
func TestArrivalsArePoisson(t *testing.T) {
	wl := orders()
	wl.Interval = 100 * ms
	offered := newRig(t, 1, 1, with(settings()), wl).run().facts(history.KindOffered)
	long, last := 0, wl.From
	for _, f := range offered {
		if sim.Time(f.Until).Sub(last) > wl.Interval {
			long++
		}
		last = sim.Time(f.Until)
	}
	require.InEpsilon(t, 6000, len(offered), 0.05)
	require.InEpsilon(t, 0.37, float64(long)/float64(len(offered)), 0.05)
}

// The arrivals depend on the seed and the workload only: another broker, another client and a world that draws and
// acts beside them change nothing. So every stack meets the same intents.
func TestArrivalsAreTheSameInEveryWorld(t *testing.T) {
	want := newRig(t, 1, 1, with(settings()), orders()).run().offers()
	other := newRig(t, 1, 7, with(producer.Librdkafka()), orders())
	other.always("silent", nil)
	other.w.Role("neighbour", func(n *sim.Node) sim.Handler {
		n.Go("chatter", func(p *sim.Proc) {
			for range 100 {
				p.Send(other.c.brokers[0], other.w.Op("broker.produce"), other.w.Act("order-1", "", "chatter"), wire.ProduceRequest{}, 0)
				p.Sleep(sim.Second)
			}
		})
		return sim.NoHandler()
	}).Boot()
	require.Equal(t, want, other.run().offers())
	require.NotEqual(t, want, newRig(t, 2, 1, with(settings()), orders()).run().offers(), "another seed")
}

// An offer is recorded at the time that the business intended, whether the broker answers at once, late or never: the
// loop is open, and a slow system does not get less to do.
func TestOffersDoNotWaitForTheBroker(t *testing.T) {
	wl := orders()
	wl.Interval = 10 * ms
	wl.To = wl.From.Add(sim.Second)
	for _, how := range []string{"late", "silent", "dead"} {
		g := newRig(t, 1, 1, with(settings()), wl)
		switch how {
		case "late":
			g.producer.Slow(g.c.brokers[0], 900*ms)
		case "silent":
			g.always("silent", nil)
		case "dead":
			g.c.brokers[0].Kill(0)
			g.c.brokers[1].Kill(0)
		}
		for _, f := range g.run().facts(history.KindOffered) {
			require.Equal(t, f.Until, f.Time, how)
		}
		require.Greater(t, len(g.facts(history.KindOffered)), 50)
		require.Less(t, len(g.tries), 20, "what has queued goes in one request")
	}
}

// Keys are key-1 … key-n: all alike, or the lower the more frequent.
func TestKeys(t *testing.T) {
	count := func(z *rng.Zipf) map[string]int {
		wl := orders()
		wl.Interval, wl.Zipf = 200*ms, z
		counts := map[string]int{}
		for _, f := range newRig(t, 1, 1, with(settings()), wl).run().facts(history.KindOffered) {
			counts[f.Key]++
		}
		require.Len(t, counts, wl.Keys)
		return counts
	}
	uniform := count(nil)
	z := rng.NewZipf(5, 1000)
	zipf := count(&z)
	for i := 1; i <= 5; i++ {
		key := fmt.Sprintf("key-%d", i)
		require.InEpsilon(t, 600, uniform[key], 0.15, key)
		require.InEpsilon(t, 1314/i, zipf[key], 0.15, key) // 3000 / (1 + 1/2 + … + 1/5) = 1314
	}
}

// All records of a key are in one partition, whatever the other keys do: that is what keeps their order.
func TestAKeyHasOnePartition(t *testing.T) {
	wl := orders()
	wl.Keys, wl.Interval = 20, sim.Second
	partition, used := map[string]string{}, map[string]bool{}
	for _, f := range newRig(t, 1, 4, with(settings()), wl).run().facts(history.KindAppended) {
		if partition[f.Key] == "" {
			partition[f.Key] = f.Resource
		}
		require.Equal(t, partition[f.Key], f.Resource, f.Key)
		used[f.Resource] = true
	}
	require.Len(t, partition, 20)
	require.Len(t, used, 4)
}

// A reduction leaves out events, and nothing else: those that stay keep their times and keys.
func TestKept(t *testing.T) {
	all := newRig(t, 1, 1, with(settings()), orders()).run().offers()
	rapid.Check(t, func(t *rapid.T) {
		kept := map[string]bool{}
		for _, i := range rapid.SliceOf(rapid.IntRange(1, len(all)+1)).Draw(t, "kept") {
			kept[fmt.Sprintf("order-%d", i)] = true
		}
		wl := orders()
		wl.Kept = func(event string) bool { return kept[event] }
		var want []string
		for _, o := range all {
			if kept[strings.Fields(o)[1]] {
				want = append(want, o)
			}
		}
		require.Equal(t, want, newRig(t, 1, 1, with(settings()), wl).run().offers())
	})
}

// What is published names its intent; the offer is where its lineage begins.
func TestMessage(t *testing.T) {
	wl := first()
	wl.Amount = 4000
	g := newRig(t, 1, 1, with(settings()), wl).run()
	offered := g.one(history.KindOffered)
	require.Equal(t, []model.Message{{Intent: model.Intent{Event: "order-1", Key: offered.Key, Correlation: "order-1"},
		Schema: "v1", Payload: "order-1", Amount: 4000, Cause: offered.ID}}, g.c.logs["orders/0"].messages)
}
