package producer_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// rush is about 40 orders of 5 keys in two seconds.
func rush() producer.Workload {
	wl := orders()
	wl.Interval = 50 * ms
	wl.To = wl.From.Add(2 * sim.Second)
	return wl
}

// troubled is a rush over three partitions whose requests and replies are lost at drawn moments, to a real broker that
// is killed and booted at others.
func troubled(t *rapid.T, cfg producer.Config) *rig {
	cfg.Partitions = 3
	g := newRig(t, rapid.Uint64().Draw(t, "seed"), realBroker(3), cfg, rush())
	lost := rapid.SliceOfN(rapid.IntRange(1, 30), 0, 10)
	for hook, hits := range map[string][]int{"broker.produce/sent": lost.Draw(t, "lost requests"), "broker.produce/replied": lost.Draw(t, "lost replies")} {
		n := 0
		g.w.Watch(hook, func(h *sim.Hit) { n++; h.Drop = slices.Contains(hits, n) })
	}
	at := rush().From
	for range rapid.IntRange(0, 2).Draw(t, "kills") {
		at = at.Add(sim.Duration(rapid.Int64Range(1, int64(sim.Second)).Draw(t, "kill after")))
		g.at(at, func() { g.broker.Kill(0) })
		at = at.Add(sim.Duration(rapid.Int64Range(1, int64(sim.Second)).Draw(t, "boot after")))
		g.at(at, g.broker.Boot)
	}
	return g
}

// One request of a partition is in flight, and the next goes when it is answered or given up. So the records of a
// partition are first appended in the order of their offers, whatever had to be tried again.
func TestOrderIsKeptAcrossRetries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := troubled(t, patient()).run()
		last, seen := map[string]int64{}, map[string]bool{}
		for _, f := range g.facts(history.KindAppended) {
			if seen[f.Event] {
				continue
			}
			seen[f.Event] = true
			require.Greater(t, f.Cause, last[f.Resource], "%s is behind a later offer", f.Event)
			last[f.Resource] = f.Cause
		}
	})
}

// Each offer gets one answer, and it does not lie: what was accepted is in the log, what was refused is not.
func TestEveryOfferIsAnsweredOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := config()
		cfg.Retries = rapid.Bool().Draw(t, "retries")
		g := troubled(t, cfg).run()
		offered, answered := events(g.facts(history.KindOffered)), events(g.answers())
		slices.Sort(offered)
		slices.Sort(answered)
		require.Equal(t, offered, answered)
		appended := events(g.facts(history.KindAppended))
		for _, f := range g.facts(history.KindAccepted, history.KindRefused) {
			require.Equal(t, f.Kind == history.KindAccepted, slices.Contains(appended, f.Event), "%s %v", f.Event, f.Kind)
		}
		require.Zero(t, g.out.N)
	})
}

// unhurried waits long for an answer.
func unhurried() producer.Config {
	cfg := config()
	cfg.RequestTimeout, cfg.DeliveryTimeout = 20*sim.Minute, 20*sim.Minute
	return cfg
}

// What is handed over while a request is in flight waits for it, and goes together in the next one, in order.
func TestBatches(t *testing.T) {
	var batches [][]string
	var waiting []*sim.Request
	g := newRig(t, 1, fakeBroker(func(_ int, r *sim.Request) {
		var batch []string
		for _, m := range messages(r) {
			batch = append(batch, m.Event)
		}
		batches = append(batches, batch)
		waiting = append(waiting, r)
	}), unhurried(), only("order-1", "order-2", "order-3"))
	offered := newRig(t, 1, fakeBroker(silent), config(), only("order-1", "order-3")).run().facts(history.KindOffered)
	answer := func() {
		require.Len(t, waiting, 1, "one in flight")
		took(waiting[0])
		waiting = nil
	}
	g.at(sim.Time(offered[1].Until).Add(sim.Second), answer)
	g.at(sim.Time(offered[1].Until).Add(2*sim.Second), answer)
	g.run()
	require.Equal(t, [][]string{{"order-1"}, {"order-2", "order-3"}}, batches)
}

// Outstanding counts what was handed to the client and has no answer yet: it grows while the broker is silent and is
// back at 0 when all is answered.
func TestOutstanding(t *testing.T) {
	g := newRig(t, 1, fakeBroker(silent), unhurried(), rush())
	most := 0
	g.at(rush().To.Add(sim.Minute), func() { most = g.out.N })
	offered := len(g.run().facts(history.KindOffered))
	require.Equal(t, offered, most)
	require.Greater(t, offered, 20)
	require.Zero(t, g.out.N)
}
