package service_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/quorum"
	"github.com/twiceless/twiceless/model/queue/servers"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// After every event: replicas that have applied the same commands hold the same, whoever leads, is stopped or was.
func TestReplicasAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRig(t, plan{profile: rapid.SampledFrom([]string{"sqs-fifo", "rabbitmq-quorum"}).Draw(t, "profile"), engine: "commit-after",
			seed: rapid.Uint64().Draw(t, "seed"), events: 10, every: 700 * ms, keys: 3, consumers: 2, work: 400 * ms,
			queue: func(c *queue.Config) { c.Visibility, c.MaxReceives, c.DeadLetters = 2*sec, 2, "orders.dlq" }})
		defer g.w.Close()
		for range rapid.IntRange(1, 3).Draw(t, "faults") {
			at := 10*sec + sim.Duration(rapid.Int64Range(0, int64(10*sec)).Draw(t, "at"))
			g.fault(at, g.q.Nodes[rapid.IntRange(0, 2).Draw(t, "node")], rapid.SampledFrom([]string{"kill", "power-loss", "pause"}).Draw(t, "what"), 5*sec)
		}
		at := map[int64]string{}
		seen := map[*quorum.Node]int64{}
		for g.w.Now() < sim.Time(40*sec) && g.w.Step() {
			for _, n := range g.q.Nodes {
				b := quorum.Of(n)
				if b == nil || seen[b] == b.Applied() {
					continue
				}
				seen[b] = b.Applied()
				what := fmt.Sprint(b.Shelf(), " | ", b.DeadLetters())
				if other, known := at[b.Applied()]; known {
					require.Equal(t, other, what, "%s at %d", n.Name(), b.Applied())
				}
				at[b.Applied()] = what
			}
		}
		require.Greater(t, len(at), 10)
	})
}

// Servers that hear each other come to hold the same, whatever they did before.
func TestServersConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRig(t, plan{profile: "sqs", engine: "commit-after", seed: rapid.Uint64().Draw(t, "seed"), events: 20, every: 500 * ms, keys: 3, consumers: 2, work: 100 * ms})
		defer g.w.Close()
		for range rapid.IntRange(1, 4).Draw(t, "faults") {
			at := 10*sec + sim.Duration(rapid.Int64Range(0, int64(10*sec)).Draw(t, "at"))
			a, b := g.q.Nodes[rapid.IntRange(0, 2).Draw(t, "node")], g.q.Nodes[rapid.IntRange(0, 2).Draw(t, "other")]
			if what := rapid.SampledFrom([]string{"kill", "power-loss", "pause", "cut"}).Draw(t, "what"); what != "cut" {
				g.fault(at, a, what, 5*sec)
			} else if a != b {
				g.at(at, func() { a.Cut(b) })
				g.at(at+8*sec, func() { a.Mend(b) })
			}
		}
		g.run(100 * sec)
		require.Equal(t, 20, g.count(history.KindAccepted))
		for _, n := range g.q.Nodes {
			require.Equal(t, "empty", servers.Of(n).Shelf().String(), n.Name())
		}
		require.Len(t, g.applied(), 20)
	})
}

// The published split brain of NATS 2.12.1 loses acknowledged messages with the default sync interval, and none if every
// write is synced before it counts. The schedule is that of Jepsen's nemesis pause-kill, with 30 s of writes.
func TestSplitBrainOfNATS(t *testing.T) {
	for _, sync := range []sim.Duration{2 * sim.Minute, 0} {
		t.Run(sync.String(), func(t *testing.T) {
			lost := 0
			for seed := uint64(1); seed <= 2; seed++ {
				g := newRig(t, plan{profile: "jetstream", engine: "commit-after", seed: seed, events: 400, every: 200 * ms, keys: 5, consumers: 1, work: ms,
					queue: func(c *queue.Config) { c.Servers, c.SyncEvery = 5, sync }})
				n := g.q.Nodes
				for _, c := range g.consumers { // nobody reads before it is over
					c.Pause()
				}
				g.at(20*sec, func() { n[0].Pause(); n[1].Pause() })
				g.at(50*sec, func() {
					n[2].PowerLoss(0)
					n[3].Pause()
					n[4].Pause()
					n[0].Resume()
					n[1].Resume()
				})
				g.at(51*sec, func() { n[2].Boot() })
				g.at(81*sec, func() { n[3].Resume(); n[4].Resume() })
				g.at(3*sim.Minute, func() { g.consumers[0].Resume() })
				g.run(10 * sim.Minute)
				v := g.end()
				lost += int(v.Violations[history.PropLoss])
				if sync == 0 {
					require.Empty(t, v.Findings)
					continue
				}
				require.EqualValues(t, v.Violations[history.PropLoss], v.Violations[history.PropDurability], "what was lost had been acknowledged")
			}
			t.Logf("%d of 800 lost", lost)
			require.Equal(t, sync > 0, lost > 0)
		})
	}
}

// All nodes lose their power at once: what was confirmed is there, where it was fsynced before.
func TestEverybodyLosesPower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom([]string{"pubsub", "rabbitmq-quorum", "sqs", "sqs-fifo"}).Draw(t, "profile")
		g := newRig(t, plan{profile: profile, engine: "commit-after", seed: rapid.Uint64().Draw(t, "seed"), events: 20, every: 20 * ms, keys: 5, consumers: 2, work: 5 * ms})
		g.at(10*sec+sim.Duration(rapid.Int64Range(0, int64(sec)).Draw(t, "at")), func() {
			for _, n := range g.q.Nodes {
				n.PowerLoss(0)
				g.w.At(g.w.Now().Add(sec), sim.PhaseFault, n.Boot)
			}
		})
		g.run(2 * sim.Minute)
		v := g.end()
		require.Zero(t, v.Violations[history.PropLoss])
		require.Zero(t, v.Violations[history.PropDurability])
		require.Zero(t, g.q.Lag())
	})
}

// A node may end, or stand still, inside of anything that it does: at any step of a request and of a write.
func TestStoppedAtAnyHook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom([]string{"jetstream", "pubsub", "rabbitmq-quorum", "sqs", "sqs-fifo"}).Draw(t, "profile")
		g := newRig(t, plan{profile: profile, engine: "commit-after", seed: rapid.Uint64().Draw(t, "seed"), events: 15, every: 100 * ms, keys: 5, consumers: 2, work: 5 * ms,
			queue: func(c *queue.Config) { c.DeadLetters, c.MaxReceives = "orders.dlq", 3 }})
		left := rapid.IntRange(1, 1500).Draw(t, "hit")
		how := rapid.SampledFrom([]string{"kill", "power-loss", "pause"}).Draw(t, "how")
		if profile == "jetstream" && how == "power-loss" {
			how = "kill"
		}
		g.w.Observe(func(h *sim.Hit) {
			if h.Node.Role() != queue.Service {
				return
			}
			if left--; left == 0 {
				switch how {
				case "kill":
					h.Node.Kill(0)
				case "power-loss":
					h.Node.PowerLoss(0)
				default:
					h.Node.Pause()
				}
				n := h.Node
				g.w.At(g.w.Now().Add(2*sec), sim.PhaseFault, func() {
					if !n.Up() {
						n.Boot()
					}
					n.Resume()
				})
			}
		})
		g.run(100 * sec)
		v := g.end()
		require.Zero(t, v.Violations[history.PropLoss])
		for _, f := range v.Findings {
			require.Contains(t, []history.Property{history.PropDuplicateCritical, history.PropOrder, history.PropZombie}, f.Property, f.Detail)
		}
		require.Zero(t, g.q.Lag())
	})
}

// What a message costs, sent, received and acknowledged: kernel events and nanoseconds.
func BenchmarkMessage(b *testing.B) {
	for _, kind := range queue.Kinds() {
		b.Run(kind.Name, func(b *testing.B) {
			g := newRig(b, plan{profile: kind.Name, engine: "commit-after", seed: 1, events: b.N, every: 20 * ms, keys: 50, consumers: 3, work: ms})
			b.ReportAllocs()
			b.ResetTimer()
			g.run(20*sec + sim.Duration(b.N)*20*ms)
			events, _ := g.w.Executed()
			b.ReportMetric(float64(events)/float64(b.N), "events/op")
			g.w.Close()
		})
	}
}
