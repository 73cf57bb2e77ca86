package producer_test

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// rig is a world with one publishing application and brokers, all up from the first instant.
type rig struct {
	t        tb
	w        *sim.World
	c        *cluster
	producer *sim.Node
	out      producer.Outstanding
	tries    []sim.Time // when a request was handed to the network
}

// settings are a client that is quick to give up.
func settings() producer.Settings {
	s := producer.Java()
	s.RequestTimeout, s.DeliveryTimeout = sim.Second, 10*sim.Second
	return s
}

// plain is settings without idempotence.
func plain() producer.Settings {
	s := settings()
	s.Idempotence = false
	return s
}

// orders is ten minutes of orders, about one in ten seconds.
func orders() producer.Workload {
	return producer.Workload{Event: "order", Interval: 10 * sim.Second, From: sim.Time(sim.Minute), To: sim.Time(11 * sim.Minute), Keys: 5}
}

// rush is about 40 orders of 5 keys in two seconds.
func rush() producer.Workload {
	wl := orders()
	wl.Interval = 50 * ms
	wl.To = wl.From.Add(2 * sim.Second)
	return wl
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

// newRig has two brokers that share so many partitions.
func newRig(t tb, seed uint64, partitions int, app producer.Application, wl producer.Workload) *rig {
	g := &rig{t: t, w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(hop))})}
	t.Cleanup(g.w.Close)
	g.c = newCluster(g.w, 2, map[string]int{"orders": partitions})
	app.Topic, app.Cluster = "orders", client.Config{Bootstrap: g.c.brokers}
	g.producer = g.w.Role("producer", app.Boot(wl, &g.out))
	g.w.Watch("broker.produce/sent", func(*sim.Hit) { g.tries = append(g.tries, g.w.Now()) })
	g.producer.Boot()
	return g
}

// with is the application of a client with these settings, without layers.
func with(s producer.Settings) producer.Application { return producer.Application{Client: s} }

// at schedules a fault.
func (g *rig) at(t sim.Time, fn func()) { g.w.At(t, sim.PhaseFault, fn) }

// run goes on until nothing is left to happen.
func (g *rig) run() *rig {
	g.t.Helper()
	r := g.w.Run(sim.Time(sim.Hour))
	require.Equal(g.t, sim.StopDrained, r.Kind, r.Detail)
	return g
}

// facts lists those of these kinds.
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

// firstOffer is when order-1 is offered.
func firstOffer(t tb, seed uint64) sim.Time {
	return sim.Time(newRig(t, seed, 1, with(settings()), first()).run().one(history.KindOffered).Until)
}

// attach gives another node a client.
func attach(g *rig, n *sim.Node, s producer.Settings) *producer.Client {
	return producer.Attach(n, s, client.New(n, client.Config{Bootstrap: g.c.brokers}))
}
