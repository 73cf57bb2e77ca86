package sim_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

type blob int

func (b blob) WireSize() int { return int(b) }

// goodput sends as much as the socket takes for a while over a link with that loss both ways, in bytes a second.
func goodput(seed uint64, trip sim.Duration, loss rng.Ratio, size int, streams sim.Streams, d sim.Duration) int64 {
	w := sim.New(sim.Config{Seed: seed, Latency: constant(trip / 2), Streams: streams})
	defer w.Close()
	got := int64(0)
	server := w.Role("server", func(*sim.Node) sim.Handler {
		return handler(func(r *sim.Request) { got += int64(r.Body.(blob)) })
	})
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		var fill func()
		fill = func() {
			for n.Room(server) >= size {
				n.Send(server, w.Op("server.put"), sim.Action{}, blob(size), 0)
			}
			n.OnRoom(server, fill)
		}
		n.After(0, fill)
		return sim.NoHandler()
	})
	client.Streamed(server, true)
	client.Lossy(server, loss)
	server.Lossy(client, loss)
	server.Boot()
	client.Boot()
	w.Run(sim.Time(d))
	return got * int64(sim.Second) / int64(d)
}

func perMille(n uint64) rng.Ratio { return rng.Ratio{Num: n, Den: 1000} }

// average over some seeds: at large losses a single run rests on few timeouts.
func average(trip sim.Duration, loss rng.Ratio, streams sim.Streams) (sum int64) {
	const seeds = 3
	for seed := range uint64(seeds) {
		sum += goodput(seed, trip, loss, 1000, streams, 30*sim.Second) / seeds
	}
	return sum
}

// At small losses a connection carries what Mathis, Semke, Mahdavi and Ott (1997) say: a segment a round trip, times the root
// of 3/2 over the loss. At large ones it waits for timeouts, and falls with the loss to the second power and more, as
// Padhye, Firoiu, Towsley and Kurose (1998) say. By counting duplicates it waits more often than by time.
func TestGoodputFallsAsItDoes(t *testing.T) {
	const mss, trip = 1448, 60 * ms
	lossy := func() int64 { return goodput(7, trip, perMille(100), 203, sim.Streams{}, 10*sim.Second) }
	require.Equal(t, lossy(), lossy(), "the same each time")
	plain, twice := sim.Streams{SendBuffer: 1 << 20}, sim.Streams{SendBuffer: 1 << 20, Segment: 2 * mss}
	for _, loss := range []uint64{5, 10, 20} { // in 1000
		mathis := float64(mss) / (float64(trip) / float64(sim.Second)) * math.Sqrt(1.5/(float64(loss)/1000))
		require.InEpsilon(t, mathis, average(trip, perMille(loss), plain), 0.15, "%d in 1000", loss)
	}
	one := average(trip, perMille(10), plain)
	require.InEpsilon(t, 2*average(2*trip, perMille(10), plain), one, 0.15, "the round trip")
	require.InEpsilon(t, average(trip, perMille(10), twice), 2*one, 0.15, "the segment")
	ten, twenty := average(trip, perMille(100), plain), average(trip, perMille(200), plain)
	require.Greater(t, ten, 4*twenty, "a collapse")
	require.Greater(t, average(trip, perMille(20), plain), 2*ten, "and none yet")
	require.Less(t, average(trip, perMille(150), sim.Streams{DupAcks: true}), average(trip, perMille(150), plain))
	require.Greater(t, average(trip, perMille(20), sim.Streams{SendBuffer: 1 << 20, Decrease: rng.Ratio{Num: 7, Den: 10}}), average(trip, perMille(20), plain)*6/5)
}

// A link without loss delays nothing but what the initial window holds back and the line takes.
func TestStreamsWithoutLoss(t *testing.T) {
	arrivals := func(streams sim.Streams, sizes ...int) (out []sim.Duration) {
		d := newDuoWith(t, sim.Config{Latency: constant(30 * ms), Streams: streams}, func(n *sim.Node, r *sim.Request) {
			out = append(out, sim.Duration(n.World().Now())/ms)
		}, func(d *duo) {
			d.client.Streamed(d.server, true)
			d.client.Send(d.server, d.Op("server.first"), sim.Action{}, blob(1), 0) // opens the connection
			d.client.After(sim.Second-60*ms, func() {
				for _, size := range sizes {
					d.client.Send(d.server, d.Op("server.put"), sim.Action{}, blob(size), 0)
				}
			})
		})
		d.Run(sim.Time(sim.Minute))
		require.Equal(t, sim.Duration(90), out[0], "a handshake, and the way there")
		for i := range out {
			out[i] -= 970
		}
		return out[1:]
	}
	require.Equal(t, []sim.Duration{0, 0, 0}, arrivals(sim.Streams{}, 1, 1448, 10_000))
	require.Equal(t, []sim.Duration{0, 60}, arrivals(sim.Streams{Segment: 1000}, 9_000, 3_000), "an acknowledgement more")
	require.Equal(t, []sim.Duration{10, 110}, arrivals(sim.Streams{Bandwidth: 100_000}, 1_000, 10_000))
}

// Both ends of a connection: who hears of what when one of them ends, and when its caller has enough.
func TestStreamsEnd(t *testing.T) {
	for _, c := range []struct {
		name          string
		do            func(d *duo)
		served, heard []string
	}{
		{"nothing", func(*duo) {}, []string{"a at 90ms", "b at 150ms"}, []string{"a: ok at 620ms", "b: ok at 680ms"}},
		{"the caller is killed: what it has sent is under way", func(d *duo) { d.client.Kill(0) }, []string{"a at 90ms", "b at 150ms"}, nil},
		{"the caller's machine loses power", func(d *duo) { d.client.PowerLoss(0) }, []string{"a at 90ms"}, nil},
		{"the service is killed", func(d *duo) { d.server.Kill(0) }, []string{"a at 90ms"}, []string{"a: connection reset at 130ms", "b: connection reset at 130ms"}},
		{"the service's machine loses power", func(d *duo) { d.server.PowerLoss(0) }, []string{"a at 90ms"}, []string{"a: timeout at 10s", "b: timeout at 10s"}},
		{"the service stands still: its machine does not", func(d *duo) {
			d.server.Pause()
			d.At(sim.Time(2*sim.Second), sim.PhaseFault, d.server.Resume)
		}, []string{"a at 90ms", "b at 2s"}, []string{"a: ok at 2.03s", "b: ok at 2.53s"}},
		{"the caller closes: its calls end, and what the socket holds is sent", func(d *duo) { d.client.Disconnect(d.server) }, []string{"a at 90ms", "b at 150ms"}, []string{"a: connection reset at 100ms", "b: connection reset at 100ms"}},
		{"a partition that ends: nothing is lost", func(d *duo) {
			d.client.Cut(d.server)
			d.server.Cut(d.client)
			d.At(sim.Time(sim.Second), sim.PhaseFault, func() { d.client.Mend(d.server); d.server.Mend(d.client) })
		}, []string{"a at 90ms", "b at 2.07s"}, []string{"a: ok at 1.4s", "b: ok at 2.6s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var served []string
			d := newDuoWith(t, sim.Config{Latency: constant(30 * ms), Streams: sim.Streams{Segment: 1000}}, func(n *sim.Node, r *sim.Request) {
				served = append(served, r.Body.(named).name+" at "+n.World().Now().String())
				n.After(500*ms, func() { r.Reply("ok", 0) })
			}, func(d *duo) {
				if d.client.Incarnation() > 1 {
					return
				}
				d.client.Streamed(d.server, true)
				for _, m := range []named{{"a", 1_000}, {"b", 12_000}} {
					d.client.Call(d.server, d.Op("server.ask"), sim.Action{}, m, 0, 10*sim.Second, func(reply any, _ int64, err error) {
						if err != nil {
							reply = err
						}
						d.note(m.name, reply)
					})
				}
			})
			d.At(sim.Time(100*ms), sim.PhaseFault, func() { c.do(d) })
			require.Equal(t, sim.StopDrained, d.Run(sim.Time(10*sim.Minute)).Kind)
			require.Equal(t, c.served, served)
			require.Equal(t, c.heard, d.heard)
			require.Zero(t, d.Pending())
		})
	}
}

type named struct {
	name string
	size int
}

func (m named) WireSize() int { return m.size }

// A caller that has closed its connection leaves requests in its socket. They are applied until the service answers one:
// then its machine hears that nobody is there, and takes no more.
func TestAnAnswerEndsAClosedConnection(t *testing.T) {
	served := func(closes sim.Duration, answers bool) (n int) {
		d := newDuoWith(t, sim.Config{Latency: constant(30 * ms), Streams: sim.Streams{Segment: 1000, SendBuffer: 200_000}}, func(_ *sim.Node, r *sim.Request) {
			n++
			if answers {
				r.Reply("ok", 0)
			}
		}, func(d *duo) {
			d.client.Streamed(d.server, true)
			for range 100 {
				d.client.Call(d.server, d.Op("server.ask"), sim.Action{}, blob(1000), 0, sim.Minute, func(any, int64, error) {})
			}
			d.client.After(closes, func() { d.client.Disconnect(d.server) })
		})
		d.Run(sim.Time(sim.Minute))
		return n
	}
	require.Zero(t, served(10*ms, false), "it was not open yet")
	require.Equal(t, 100, served(80*ms, false))
	require.Equal(t, 10, served(100*ms, true), "the first answers were under way, and find it closed")
	require.Equal(t, 30, served(80*ms, true), "two windows: the first answers are there with the acknowledgements of the second")
}

// What is in a stream counts as its messages do: a heartbeat that waits for a timeout keeps no run going, work that waits
// behind it does.
func TestStreamsKnowBackgroundWork(t *testing.T) {
	d := newDuoWith(t, sim.Config{Latency: constant(30 * ms)}, func(*sim.Node, *sim.Request) {}, func(d *duo) {
		d.client.Streamed(d.server, true)
		d.client.AfterBackground(sim.Second, func() { d.client.Send(d.server, d.Op("server.beat"), sim.Action{}, nil, 0) })
	})
	d.At(sim.Time(500*ms), sim.PhaseFault, func() { d.client.Cut(d.server) })
	var fore []int
	look := func(at sim.Duration) {
		d.AtBackground(sim.Time(at), sim.PhaseTimer, func() { fore = append(fore, d.Foreground()) })
	}
	look(2 * sim.Second)
	d.AtBackground(sim.Time(3*sim.Second), sim.PhaseFault, func() { d.client.Send(d.server, d.Op("server.work"), sim.Action{}, nil, 0) })
	look(4 * sim.Second)
	d.AtBackground(sim.Time(5*sim.Second), sim.PhaseFault, func() { d.client.Mend(d.server) })
	look(sim.Minute)
	require.Equal(t, sim.StopDrained, d.Run(sim.Time(2*sim.Minute)).Kind)
	require.Equal(t, []int{0, 1, 0}, fore)
}

// When a link is good again its connections carry what they have, and then it is the plain link again: nothing overtakes, and
// a reply to what came by a connection still finds its caller.
func TestALinkHeals(t *testing.T) {
	var order []string
	var parked *sim.Request
	d := newDuoWith(t, sim.Config{Latency: constant(30 * ms)}, func(n *sim.Node, r *sim.Request) {
		order = append(order, r.Body.(named).name)
		if r.Body.(named).name == "0" {
			parked = r
		}
	}, func(d *duo) {
		d.client.Lossy(d.server, perMille(300))
		d.client.Call(d.server, d.Op("server.park"), sim.Action{}, named{"0", 100}, 0, sim.Minute, func(reply any, _ int64, err error) { d.note("parked", reply) })
		for i := 1; i < 40; i++ {
			d.client.After(sim.Duration(i)*100*ms, func() {
				d.client.Send(d.server, d.Op("server.put"), sim.Action{}, named{string(rune('0' + i)), 3000}, 0)
			})
		}
	})
	d.At(sim.Time(2*sim.Second), sim.PhaseFault, func() { d.client.Lossy(d.server, rng.Ratio{}) })
	d.At(sim.Time(30*sim.Second), sim.PhaseFault, func() { parked.Reply("late", 0) })
	d.Run(sim.Time(sim.Minute))
	require.Len(t, order, 40)
	require.IsIncreasing(t, order)
	require.Equal(t, []string{"parked: late at 30.03s"}, d.heard)
	require.Equal(t, sim.AnyRoom, d.client.Room(d.server))
}

// A connection that is opened under loss takes its handshake, a second more for each that is lost; what is held back by a
// fault goes its own way, and what is lost by one is not in the stream at all.
func TestStreamsMeetFaultsOfMessages(t *testing.T) {
	var served []string
	d := newDuoWith(t, sim.Config{Latency: constant(30 * ms)}, func(n *sim.Node, r *sim.Request) {
		served = append(served, r.Body.(named).name+" at "+n.World().Now().String())
	}, func(d *duo) {
		d.client.Streamed(d.server, true)
		for _, m := range []string{"dropped", "held", "sent"} {
			d.client.Send(d.server, d.Op("server."+m), sim.Action{}, named{m, 100}, 0)
		}
	})
	d.Watch("server.dropped/sent", func(h *sim.Hit) { h.Drop = true })
	d.Watch("server.held/sent", func(h *sim.Hit) { h.Delay = sim.Second })
	d.server.Cut(d.client)
	d.At(sim.Time(1500*ms), sim.PhaseFault, func() { d.server.Mend(d.client) })
	d.Run(sim.Time(sim.Minute))
	require.Equal(t, []string{"held at 1.03s", "sent at 3.09s"}, served)
}
