package producer_test

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const (
	ms  = sim.Millisecond
	hop = ms // from node to node
)

// tb is a *testing.T or a *rapid.T.
type tb interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// rig is a world with one producer and one broker, both up from the first instant.
type rig struct {
	t                tb
	w                *sim.World
	broker, producer *sim.Node
	out              producer.Outstanding
	tries            []sim.Time // when a request was handed to the network
}

// config has one partition, so that all that waits waits together.
func config() producer.Config {
	return producer.Config{Topic: "orders", Partitions: 1, Acks: 1,
		RequestTimeout: sim.Second, DeliveryTimeout: 10 * sim.Second, Backoff: 100 * ms}
}

// patient is config with retries.
func patient() producer.Config {
	cfg := config()
	cfg.Retries = true
	return cfg
}

// orders is ten minutes of orders, about one in ten seconds.
func orders() producer.Workload {
	return producer.Workload{Event: "order", Interval: 10 * sim.Second, From: sim.Time(sim.Minute), To: sim.Time(11 * sim.Minute), Keys: 5}
}

// first is the first order alone.
func first() producer.Workload { return only("order-1") }

func only(events ...string) producer.Workload {
	wl := orders()
	wl.Kept = func(event string) bool {
		for _, e := range events {
			if e == event {
				return true
			}
		}
		return false
	}
	return wl
}

// realBroker has the topic of the configuration; an fsync takes 2 ms.
func realBroker(partitions int) func(*sim.Node) sim.Handler {
	return broker.New(broker.Config{Topics: []broker.Topic{{Name: "orders", Partitions: partitions}}})
}

// fake is a broker that does with the n-th request, from 1, what the test says.
type fake struct {
	n  int
	do func(n int, r *sim.Request)
}

func (f *fake) Receive(_ *sim.Node, r *sim.Request) {
	f.n++
	f.do(f.n, r)
}

func fakeBroker(do func(n int, r *sim.Request)) func(*sim.Node) sim.Handler {
	return func(*sim.Node) sim.Handler { return &fake{do: do} }
}

// took answers as a log that has no facts.
func took(r *sim.Request) {
	r.Reply(model.ProduceReply{Stored: make([]int64, len(messages(r)))}, 0)
}

// silent never answers.
func silent(int, *sim.Request) {}

func newRig(t tb, seed uint64, b func(*sim.Node) sim.Handler, cfg producer.Config, wl producer.Workload) *rig {
	g := &rig{t: t, w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(hop))})}
	t.Cleanup(g.w.Close)
	g.broker = g.w.Role("broker", b)
	g.broker.Disk().Timing(rng.Constant(int64(100*sim.Microsecond)), rng.Constant(int64(2*ms)))
	g.producer = g.w.Role("producer", producer.New(cfg, wl, func() *sim.Node { return g.broker }, &g.out))
	g.w.Watch("broker.produce/sent", func(*sim.Hit) { g.tries = append(g.tries, g.w.Now()) })
	g.broker.Boot()
	g.producer.Boot()
	return g
}

// at schedules a fault.
func (g *rig) at(t sim.Time, fn func()) { g.w.At(t, sim.PhaseFault, fn) }

// run goes on until nothing is left to happen.
func (g *rig) run() *rig {
	g.t.Helper()
	r := g.w.Run(sim.Time(sim.Hour))
	require.Equal(g.t, sim.StopDrained, r.Kind, r.Detail)
	return g
}

func (g *rig) facts(kinds ...history.Kind) []history.Fact {
	var out []history.Fact
	for _, f := range g.w.History.Facts {
		for _, k := range kinds {
			if f.Kind == k {
				out = append(out, f)
			}
		}
	}
	return out
}

// one is the only fact of its kind.
func (g *rig) one(k history.Kind) history.Fact {
	g.t.Helper()
	found := g.facts(k)
	require.Len(g.t, found, 1, "facts of kind %v", k)
	return found[0]
}

// answers are what the application was told.
func (g *rig) answers() []history.Fact {
	return g.facts(history.KindAccepted, history.KindRefused, history.KindUncertain)
}

func events(facts []history.Fact) []string {
	out := make([]string, len(facts))
	for i := range facts {
		out[i] = facts[i].Event
	}
	return out
}

// offers tells what was offered: which event, when, under which key.
func (g *rig) offers() []string {
	var out []string
	for _, f := range g.facts(history.KindOffered) {
		out = append(out, fmt.Sprintf("%v %s %s", sim.Time(f.Until), f.Event, f.Key))
	}
	return out
}

// firstOffer is when order-1 is offered, whatever becomes of it.
func firstOffer(t tb, seed uint64) sim.Time {
	g := newRig(t, seed, fakeBroker(silent), config(), first())
	return sim.Time(g.run().one(history.KindOffered).Until)
}

// messages of a produce request.
func messages(r *sim.Request) []model.Message { return r.Body.(model.ProduceRequest).Messages }
