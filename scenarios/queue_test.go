package scenarios

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// What a profile has not is an input error, not a field that nobody reads or a queue that gives nothing.
func TestQueueFields(t *testing.T) {
	for _, c := range []struct {
		name   string
		set    func(*Broker)
		path   string // "" = it is fine
		reason string
	}{
		{"as it is", func(*Broker) {}, "", ""},
		{"single active without connections", func(b *Broker) { b.Queue.SingleActive = true }, "broker.queue.single_active", "sqs knows no connections"},
		{"single active of RabbitMQ", func(b *Broker) { b.Queue = profile("rabbitmq-quorum"); b.Queue.SingleActive = true }, "", ""},
		{"repetitions of SQS", func(b *Broker) { b.Queue.DedupWindow = nsMinute }, "broker.queue.dedup_window", "no repetition"},
		{"late fsyncs", func(b *Broker) { b.Queue = profile("sqs-fifo"); b.Queue.SyncEvery = nsMinute }, "broker.queue.sync_every", "before it confirms"},
		{"fsyncs of JetStream", func(b *Broker) { b.Queue = profile("jetstream"); b.Queue.SyncEvery = 0 }, "", ""},
		{"answers that are there", func(b *Broker) { b.Queue.Confirmed = true }, "broker.queue.confirmed", "every acknowledgement"},
		{"dead letters of JetStream", func(b *Broker) { b.Queue = profile("jetstream"); b.Queue.DeadLetters = true }, "broker.queue.dead_letters", "keeps what"},
		{"confirmed by the same queue", func(b *Broker) { b.Queue.DeadLetters, b.Queue.DeadLettersConfirmed = true, true }, "broker.queue.dead_letters_confirmed", "at once"},
		{"nothing to confirm", func(b *Broker) { b.Queue = profile("rabbitmq-quorum"); b.Queue.DeadLettersConfirmed = true }, "broker.queue.dead_letters_confirmed", "moves nothing"},
		{"a limit for nothing", func(b *Broker) { b.Queue.MaxReceives = 3 }, "broker.queue.max_receives", "only for dead letters"},
		{"one server", func(b *Broker) {
			b.Nodes = 1
			b.Topics["orders"] = Topic{Partitions: 6, Replication: 1, MinInsync: 1}
		}, "broker.nodes", "two servers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc, err := Load("payments-queue")
			require.NoError(t, err)
			c.set(&sc.Broker)
			issues := checkScenario(sc)
			if c.path == "" {
				require.Empty(t, issues)
				return
			}
			require.Len(t, issues, 1)
			require.Equal(t, c.path, issues[0].path)
			require.Contains(t, issues[0].message, c.reason)
		})
	}
}

// A dead-letter layer needs a queue for its letters. That the queue itself moves messages there is for the scenario to say.
func TestLettersOfALayer(t *testing.T) {
	sc, err := Load("payments-queue")
	require.NoError(t, err)
	topics := []topicSpec{{name: "orders.dlq", partitions: 1}}
	byLayer := sc.queueConfig(topics)
	require.Equal(t, "orders.dlq", byLayer.DeadLetters)
	require.False(t, byLayer.Redrives())
	sc.Broker.Queue.DeadLetters = true
	both := sc.queueConfig(topics)
	require.True(t, both.Redrives())
	alone := sc.queueConfig(nil)
	require.True(t, alone.Redrives())
}

// A queue is one queue: an engine that puts a topic behind it would read the same messages twice over.
func TestOneQueueHasNoSecondTopic(t *testing.T) {
	sc, err := Load("payments-queue")
	require.NoError(t, err)
	sc.Stacks = sc.Stacks[1:2]
	sc.Stacks[0].Engine = "publish-commit"
	issues := checkScenario(sc)
	require.NotEmpty(t, issues)
	require.Equal(t, "stacks[0].engine", issues[0].path)
	require.Contains(t, issues[0].message, "second topic")
}

// A lease on each message, by its receives: every consumer of a queue works, and one that has lost its message while it stood
// still charges no more. Without it, it does.
func TestLeasesOfMessages(t *testing.T) {
	const file = `
version: 1
name: leases
broker: { kind: queue, topics: { orders: {} }, queue: { profile: PROFILE } }
workload: { arrival: poisson(4/s) }
flow: [ { stage: charge, kind: effect, calls: payments, effect: critical } ]
downstreams: { payments: { kind: payments-api, fencing: offered } }
stacks:
  - { name: free, engine: commit-after, layers: [ { retry: {} } ] }
  - { name: token, engine: commit-after, layers: [ { retry: {} }, { fence: { variant: token } } ] }
`
	for _, name := range []string{"jetstream", "pubsub", "rabbitmq-quorum", "sqs", "sqs-fifo"} {
		t.Run(name, func(t *testing.T) {
			sc, err := Decode("leases.yaml", []byte(strings.Replace(file, "PROFILE", name, 1)))
			require.NoError(t, err)
			for stack, zombies := range map[string]int64{"free": 1, "token": 0} {
				c := &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: stack, Fault: "pause", PlanType: PlanHunting,
					Plan: []string{"when payments.charge/sent{event=order-60} #1 pause $caller for 90s"}}, Witness: Witness{Seed: 1}}
				r, err := Run(c, &Memory{})
				require.NoError(t, err)
				require.Equal(t, sim.StopQuiescent, r.Stop.Kind, stack)
				require.EqualValues(t, zombies, r.Verdicts.Violations[history.PropZombie], stack)
				by := map[string]bool{}
				for _, f := range r.History.Facts {
					by[f.Node] = by[f.Node] || f.Kind == history.KindHandled && f.Outcome == history.Acked
				}
				require.True(t, by["consumer-1"] && by["consumer-2"] && by["consumer-3"], "everybody works")
			}
		})
	}
}

// A server that was cut off serves what it knows, which is little, until it has heard of the rest: a run does not end before that.
func TestServersThatMeetLast(t *testing.T) {
	sc, err := Load("payments-queue")
	require.NoError(t, err)
	r := planned(t, sc, "at-least-once", 42, &Memory{}, "at 55s kill broker-2 for 5s", "at 31s partition broker-3 from broker-1 for 100s")
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
	require.Zero(t, r.Verdicts.Violations[history.PropStuck])
	require.Empty(t, factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindHeld && f.Op == "queue" }))
}

// Whatever becomes of the nodes of a queue, of consumers and of the producer: in the end every run is over, and what was accepted is
// done or parked. TWICELESS_FULL tries hundreds.
func TestQueueStorms(t *testing.T) {
	alone(t)
	worlds := 5
	if os.Getenv("TWICELESS_FULL") != "" {
		worlds = 300
	}
	mem := &Memory{}
	for _, name := range []string{"jetstream", "pubsub", "rabbitmq-quorum", "sqs", "sqs-fifo"} {
		sc, err := Load("payments-queue")
		require.NoError(t, err)
		sc.Broker.Queue = profile(name)
		sc.derive()
		for seed := range worlds {
			s := storm{draws: rng.Key{Seed: uint64(seed), Purpose: rng.Target}, nodes: []string{"broker-1", "broker-2", "broker-3", "consumer-1", "consumer-2", "producer"}, later: 3}
			plan := s.plan()
			r := planned(t, sc, "at-least-once", uint64(seed), mem, plan...)
			what := fmt.Sprintf("%s seed %d %q", name, seed, plan)
			require.Equal(t, sim.StopQuiescent, r.Stop.Kind, "%s: %s", what, r.Stop.Detail)
			require.Zero(t, r.Verdicts.Violations[history.PropStuck], what)
			if name != "jetstream" || !strings.Contains(strings.Join(plan, ""), "power-loss") {
				require.Zero(t, r.Verdicts.Violations[history.PropLoss], what)
			}
		}
	}
}

// profile is a queue with the defaults of a profile.
func profile(name string) *Queue {
	p := choice(name)
	return resolveQueue(&fileQueue{Profile: &p})
}
