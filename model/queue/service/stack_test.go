package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/client"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

var engines = []string{"auto-commit", "commit-after", "commit-before"}

// In calm every engine does everything once over every profile, the queue ends empty, and nobody finds anything.
func TestEnginesOverEveryProfile(t *testing.T) {
	for _, kind := range queue.Kinds() {
		for _, engine := range engines {
			t.Run(kind.Name+"/"+engine, func(t *testing.T) {
				g := newRig(t, plan{profile: kind.Name, engine: engine, seed: 1, events: 60, every: 200 * ms, keys: 5, consumers: 3, work: 20 * ms})
				g.run(60 * sec)
				require.Zero(t, g.q.Lag())
				require.Zero(t, g.out)
				require.Equal(t, 60, g.count(history.KindAccepted))
				require.Equal(t, 60, g.count(history.KindSettled))
				v := g.end()
				require.Empty(t, v.Findings)
				if engine == "commit-before" { // a window of loss before every effect is what it is
					delete(v.Seen, history.PropCommitAhead)
				}
				require.Empty(t, v.Seen, "nothing noted either")
				require.EqualValues(t, 60, v.Exercised[history.PropLoss])
				require.Positive(t, v.Exercised[history.PropCorruptedRecord])
				require.Positive(t, v.Exercised[history.PropDrained])
			})
		}
	}
}

// Nodes stop one at a time, consumers at any time. commit-after loses nothing over a queue that keeps what it confirms, and
// commit-before does nothing twice over one that does not hand out again what it has taken out.
func TestEnginesUnderFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom([]string{"jetstream", "pubsub", "rabbitmq-quorum", "sqs", "sqs-fifo"}).Draw(t, "profile")
		engine := rapid.SampledFrom([]string{"commit-after", "commit-before"}).Draw(t, "engine")
		g := newRig(t, plan{profile: profile, engine: engine, seed: rapid.Uint64().Draw(t, "seed"), events: 60, every: 500 * ms, keys: 5, consumers: 3, work: 20 * ms})
		at := 10 * sec
		for range rapid.IntRange(1, 4).Draw(t, "faults") {
			at += sim.Duration(rapid.Int64Range(0, int64(5*sec)).Draw(t, "after"))
			n := append(g.q.Nodes[:3:3], g.consumers...)[rapid.IntRange(0, 5).Draw(t, "node")]
			lasts := sim.Duration(rapid.Int64Range(int64(100*ms), int64(6*sec)).Draw(t, "lasts"))
			g.fault(at, n, rapid.SampledFrom([]string{"kill", "power-loss", "pause"}).Draw(t, "what"), lasts)
			at += lasts
			if n.Role() == queue.Service {
				at += 10 * sec // one at a time: the group is whole again
			}
		}
		g.run(200 * sec)
		require.Zero(t, g.q.Lag(), "drained")
		v := g.end()
		for _, f := range v.Findings {
			switch {
			case f.Property == history.PropDuplicateCritical && (engine == "commit-after" || profile == "sqs"):
			case f.Label == history.LabelPublishedTwice && g.q.Config().DedupWindow == 0:
			case f.Property == history.PropLoss && (engine == "commit-before"):
			case f.Property == history.PropZombie || f.Property == history.PropOrder: // promised by nobody here
			default:
				t.Fatalf("%s over %s: %s %s: %s", engine, profile, f.Property, f.Label, f.Detail)
			}
		}
	})
}

// Stops of any nodes and consumers and cuts between any two, one way or both, as many at a time as there are; some time after
// the last has been lifted nothing is left in the queue, nobody is owed an answer, and what was confirmed was done or is with
// the dead letters.
func TestNothingIsBlockedForEver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom([]string{"jetstream", "pubsub", "rabbitmq-quorum", "sqs", "sqs-fifo"}).Draw(t, "profile")
		g := newRig(t, plan{profile: profile, engine: rapid.SampledFrom([]string{"commit-after", "auto-commit"}).Draw(t, "engine"), seed: rapid.Uint64().Draw(t, "seed"),
			events: 60, every: 500 * ms, keys: 5, consumers: 3, work: sim.Duration(rapid.SampledFrom([]int64{int64(5 * ms), int64(300 * ms)}).Draw(t, "work")),
			queue: func(c *queue.Config) {
				c.SingleActive = c.Connected && rapid.Bool().Draw(t, "single active")
				if profile != "jetstream" && rapid.Bool().Draw(t, "dead letters") {
					c.DeadLetters, c.MaxReceives, c.DeadLetterConfirmed = "orders.dlq", 2, true
				}
			},
			client: func(c *client.Config) {
				if profile != "rabbitmq-quorum" && rapid.Bool().Draw(t, "extends") {
					c.Visibility, c.Extend = 10*sec, 3*sec
				}
			}})
		defer g.w.Close()
		all := append(append(append([]*sim.Node{g.producer}, g.q.Nodes...), g.q.Letters...), g.consumers...)
		for range rapid.IntRange(1, 8).Draw(t, "faults") {
			at := 10*sec + sim.Duration(rapid.Int64Range(0, int64(40*sec)).Draw(t, "at"))
			lasts := sim.Duration(rapid.Int64Range(int64(100*ms), int64(80*sec)).Draw(t, "lasts"))
			a, b := all[rapid.IntRange(1, len(all)-1).Draw(t, "node")], all[rapid.IntRange(0, len(all)-1).Draw(t, "other")]
			what := rapid.SampledFrom([]string{"kill", "power-loss", "pause", "cut", "cut one way"}).Draw(t, "what")
			switch {
			case what == "power-loss" && profile == "jetstream":
			case !strings.HasPrefix(what, "cut"):
				g.fault(at, a, what, lasts)
			case a != b:
				g.at(at, func() { a.Cut(b) })
				g.at(at+lasts, func() { a.Mend(b) })
				if what == "cut" {
					g.at(at, func() { b.Cut(a) })
					g.at(at+lasts, func() { b.Mend(a) })
				}
			}
		}
		g.run(20 * sim.Minute) // less than RabbitMQ would leave a message with a consumer
		require.Zero(t, g.q.Lag())
		require.Zero(t, g.out)
		if g.q.Letters == nil {
			v := g.end()
			require.Zero(t, v.Violations[history.PropStuck])
			require.Zero(t, v.Violations[history.PropLoss], "%v", v.Findings)
		}
	})
}

// fault stops a node for a while.
func (g *rig) fault(at sim.Duration, n *sim.Node, what string, lasts sim.Duration) {
	g.at(at, func() {
		switch {
		case !n.Up():
			return
		case what == "kill":
			n.Kill(0)
		case what == "power-loss":
			n.PowerLoss(0)
		default:
			n.Pause()
		}
		g.w.At(g.w.Now().Add(lasts), sim.PhaseFault, func() {
			if n.Up() {
				n.Resume()
			} else {
				n.Boot()
			}
		})
	})
}

// A handler that is slower than the visibility timeout has every event done twice (awspring/spring-cloud-aws#196), unless
// it extends what it has in work. In a FIFO queue the delete of the slow one fails.
func TestSlowerThanTheVisibilityTimeout(t *testing.T) {
	for _, profile := range []string{"sqs", "sqs-fifo"} {
		p := plan{profile: profile, engine: "commit-after", seed: 1, events: 3, every: sec, keys: 3, consumers: 2, work: 31 * sec,
			client: func(c *client.Config) { c.Batch = 1 }}
		g := newRig(t, p).run(10 * sim.Minute)
		v := g.end()
		require.Positive(t, v.Violations[history.PropDuplicateCritical], profile)
		require.Equal(t, history.LabelRedeliveredAfterTimeout, v.Findings[0].Label)

		p.client = func(c *client.Config) { c.Batch, c.Visibility, c.Extend = 1, 30*sec, 10*sec }
		g = newRig(t, p).run(10 * sim.Minute)
		v = g.end()
		require.Empty(t, v.Findings, profile)
		require.Len(t, g.applied(), 3)
	}
}

// A consumer stands still while the queue answers its poll. What it was given is another's by then, done and deleted; it hears
// of it when it goes on, and does it again: the receive has expired, and the queue has handed nothing out after a delete.
func TestToldLate(t *testing.T) {
	g := newRig(t, plan{profile: "sqs", engine: "commit-after", seed: 1, events: 2, every: ms, keys: 1, consumers: 2, work: ms,
		client: func(c *client.Config) { c.Batch = 1 }})
	g.at(9900*ms, g.consumers[0].Pause)
	g.at(sim.Minute, g.consumers[0].Resume)
	v := g.run(2 * sim.Minute).end()
	require.EqualValues(t, 1, v.Violations[history.PropDuplicateCritical])
	require.Equal(t, history.LabelRedeliveredAfterTimeout, v.Findings[0].Label)
}

// The node that serves dies while a consumer has one event in work for long. What the consumer says meanwhile reaches the next
// one: that it still has the message in work (sqs-fifo, which extends the receive), that it is there (RabbitMQ), and the ack
// that nobody waits for (JetStream).
func TestTheServingNodeDiesDuringTheWork(t *testing.T) {
	for profile, work := range map[string]sim.Duration{"sqs": 45 * sec, "sqs-fifo": 45 * sec, "jetstream": 15 * sec, "rabbitmq-quorum": 90 * sec} {
		t.Run(profile, func(t *testing.T) {
			g := newRig(t, plan{profile: profile, engine: "commit-after", seed: 1, events: 1, every: sec, keys: 1, consumers: 2, work: work,
				client: func(c *client.Config) {
					c.Visibility, c.Extend, c.Unconfirmed = 30*sec, 10*sec, profile == "jetstream"
					if profile == "rabbitmq-quorum" || profile == "jetstream" {
						c.Visibility, c.Extend = 0, 0
					}
				}})
			g.at(12*sec, func() { g.q.Serving().Kill(0) })
			v := g.run(10 * sim.Minute).end()
			require.Empty(t, v.Findings)
			require.Len(t, g.applied(), 1)
		})
	}
}

// A batch of ten that takes 40 s in all: the last of them come back while they wait for the first.
func TestABatchExpiresWhileItsFirstIsInWork(t *testing.T) {
	p := plan{profile: "sqs-fifo", engine: "commit-after", seed: 1, events: 10, every: 10 * ms, keys: 1, consumers: 2, work: 4 * sec}
	v := newRig(t, p).run(20 * sim.Minute).end()
	require.Positive(t, v.Violations[history.PropDuplicateCritical])
	p.client = func(c *client.Config) { c.Batch = 1 }
	v = newRig(t, p).run(20 * sim.Minute).end()
	require.Empty(t, v.Findings)
}

// The reply to a send is lost and the producer is away for longer than the deduplication window: its retry is a new message.
func TestARetryBehindTheDedupWindow(t *testing.T) {
	for away, records := range map[sim.Duration]int{4 * sim.Minute: 1, 6 * sim.Minute: 2} {
		t.Run(away.String(), func(t *testing.T) {
			g := newRig(t, plan{profile: "sqs-fifo", engine: "commit-after", seed: 1, events: 1, every: sec, keys: 1, consumers: 1, work: ms,
				sender: func(c *client.SenderConfig) { c.DeliveryTimeout = sim.Hour }})
			g.loseReply("broker.send", func() {
				g.producer.Pause()
				g.w.At(g.w.Now().Add(away), sim.PhaseFault, g.producer.Resume)
			})
			g.run(20 * sim.Minute)
			require.Equal(t, records, g.count(history.KindAppended))
			v := g.end()
			require.EqualValues(t, records-1, v.Violations[history.PropDuplicateCritical])
		})
	}
}

// Events wait behind a batch, and the producer stands still for longer than its delivery timeout: when it goes on, the
// application is told that they were not sent, and they are not.
func TestTooLateToBeSent(t *testing.T) {
	g := newRig(t, plan{profile: "sqs-fifo", engine: "commit-after", seed: 1, events: 200, every: 10 * ms, keys: 1, consumers: 1, work: ms})
	for _, n := range g.q.Nodes {
		g.at(11*sec, n.Pause)
		g.at(13*sec, n.Resume)
	}
	g.at(12*sec, g.producer.Pause)
	g.at(4*sim.Minute, g.producer.Resume)
	g.run(20 * sim.Minute)
	require.Zero(t, g.out)
	require.Positive(t, g.count(history.KindRefused))
	for _, f := range g.w.History.Facts {
		switch f.Kind {
		case history.KindRefused:
			require.Zero(t, g.applied()[f.Event], "%s was refused, and is there", f.Event)
		case history.KindUncertain:
			t.Errorf("nobody knows what became of %s", f.Event)
		}
	}
}

// A letter is put into the queue of dead letters while the node that is asked first stands still: another one takes it.
func TestALetterPastANodeThatStandsStill(t *testing.T) {
	for _, profile := range []string{"jetstream", "pubsub", "sqs", "sqs-fifo"} {
		t.Run(profile, func(t *testing.T) {
			g := newRig(t, plan{profile: profile, engine: "commit-after", seed: 1, every: sec, keys: 1, queue: func(c *queue.Config) { c.DeadLetters = "orders.dlq" }})
			defer g.w.Close()
			told := errors.New("no answer yet")
			cfg := client.For(g.q.Config(), true)
			writer := g.w.Role("writer", client.New(cfg, &model.Directory{}, g.q.Nodes, func(c model.Ctx, _ model.Consumer) {
				c.Sleep(30 * sec)
				told = client.Emit(c, queue.Service, g.q.Nodes, "orders.dlq", model.Message{Intent: model.Intent{Event: "order-1", Key: "anna"}}, 2*sec)
			}))
			g.at(0, writer.Boot)
			g.at(15*sec, g.q.Nodes[0].Pause)
			g.run(sim.Minute)
			require.NoError(t, told)
		})
	}
}

// loseReply has the reply to the first request of an op that took effect vanish; then runs at that moment.
func (g *rig) loseReply(op string, then func()) {
	applied, lost := false, false
	g.w.Watch(op+"/applied", func(*sim.Hit) { applied = true })
	g.w.Watch(op+"/replied", func(h *sim.Hit) {
		if applied && !lost {
			lost, h.Drop = true, true
			then()
		}
	})
}

// A consumer that commits by itself acknowledges a message once, also if the queue has handed it out again meanwhile.
func TestAutoCommitOfALapsedReceive(t *testing.T) {
	g := newRig(t, plan{profile: "sqs-fifo", engine: "auto-commit", seed: 1, events: 1, every: sec, keys: 1, consumers: 2, work: 45 * sec})
	acks := 0
	g.w.Watch("broker.ack/sent", func(*sim.Hit) { acks++ })
	g.run(10 * sim.Minute)
	require.LessOrEqual(t, acks, g.count(history.KindDelivered))
}

// Every publish to Pub/Sub is a message of its own, also one that repeats another: exactly-once delivery does not help.
func TestAPublishIsAMessageOfItsOwn(t *testing.T) {
	g := newRig(t, plan{profile: "pubsub", engine: "commit-after", seed: 1, events: 1, every: sec, keys: 1, consumers: 1, work: ms})
	g.loseReply("broker.send", func() {})
	g.run(5 * sim.Minute)
	v := g.end()
	require.EqualValues(t, 1, v.Violations[history.PropDuplicateCritical])
	require.Equal(t, history.LabelPublishedTwice, v.Findings[0].Label)
}

// A JetStream ack that nobody confirms may be lost, and its message comes again; a double ack is asked for until it counts.
func TestAnAckThatIsLost(t *testing.T) {
	for _, confirmed := range []bool{false, true} {
		t.Run(fmt.Sprintf("confirmed %v", confirmed), func(t *testing.T) {
			g := newRig(t, plan{profile: "jetstream", engine: "commit-after", seed: 1, events: 1, every: sec, keys: 1, consumers: 2, work: ms,
				client: func(c *client.Config) { c.Unconfirmed = !confirmed }})
			lost := false
			g.w.Watch("broker.ack/sent", func(h *sim.Hit) { h.Drop, lost = !lost, true })
			g.run(3 * sim.Minute)
			v := g.end()
			require.Equal(t, confirmed, v.Violations[history.PropDuplicateCritical] == 0)
		})
	}
}

// What a queue costs at rest, with three nodes and three consumers that wait; and a day of it passes by whole cycles.
func TestIdle(t *testing.T) {
	for _, kind := range queue.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			g := newRig(t, plan{profile: kind.Name, engine: "commit-after", seed: 1, events: 5, every: sec, keys: 1, consumers: 3, work: ms})
			defer g.w.Close()
			g.run(sim.Minute)
			from, _ := g.w.Executed()
			g.run(2 * sim.Minute)
			to, _ := g.w.Executed()
			perSecond := float64(to-from) / 60
			t.Logf("%.1f events a second", perSecond)
			require.Less(t, perSecond, 30.0)
			over := false
			g.w.Quiet(24*sim.Hour, func() { over = true })
			for !over {
				require.True(t, g.w.Step())
			}
			spent, _ := g.w.Executed()
			require.Less(t, spent-to, int64(20_000))
		})
	}
}
