package sim_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// latencies runs a world in which a client makes calls, and returns what each action's call took.
func latencies(calls []string, extra func(w *sim.World, server *sim.Node)) map[string]sim.Duration {
	w := sim.New(sim.Config{Seed: 7, Latency: rng.Uniform(int64(ms), int64(50*ms))})
	defer w.Close()
	took := map[string]sim.Duration{}
	if extra != nil {
		w.Op("another.op") // the numbers of ops are not part of any key
		extra(w, nil)
	}
	server := w.Role("server", func(*sim.Node) sim.Handler { return &journal{} })
	server.Disk().Timing(rng.Uniform(int64(ms), int64(5*ms)), rng.Uniform(int64(ms), int64(5*ms)))
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		for _, name := range calls {
			n.Go(name, func(p *sim.Proc) {
				act := sim.Action{}
				if name != "background" {
					act = w.Act(name, "s", "server.write")
				}
				start := w.Now()
				_, _, err := p.Call(server, w.Op("server.write"), act, name, 0, sim.Minute)
				if err == nil && took[name] == 0 {
					took[name] = w.Now().Sub(start)
				}
				p.Sleep(sim.Second)
			})
		}
		return sim.NoHandler()
	})
	server.Boot()
	client.Boot()
	w.Run(sim.Time(sim.Hour))
	return took
}

// The first charge of an event meets the same latency and the same disk, whatever else is called, and adding a
// node, an operation or a fault changes no draw of the rest.
func TestDrawsAreKeyed(t *testing.T) {
	alone := latencies([]string{"order-1"}, nil)
	background := latencies([]string{"background"}, nil)
	require.NotZero(t, alone["order-1"])
	another := func(w *sim.World, _ *sim.Node) {
		n := w.Role("another", func(n *sim.Node) sim.Handler {
			n.Go("noise", func(p *sim.Proc) {
				for i := range 20 {
					p.Send(n, w.Op("another.op"), sim.Action{}, i, 0)
					p.Sleep(ms)
				}
			})
			return sim.NoHandler()
		})
		n.Boot()
		w.At(sim.Time(5*ms), sim.PhaseFault, func() { n.Kill(0); n.Boot() })
	}
	require.Equal(t, alone, latencies([]string{"order-1"}, another))
	require.Equal(t, background, latencies([]string{"background"}, another))
	// Other calls share the connection and the disk, so only the network's draw is the same: compare the bare draws.
	w := sim.New(sim.Config{Seed: 7})
	a := w.Act("order-1", "s", "server.write")
	before := w.Draw(rng.RequestLatency, a, 0)
	for range 10 {
		w.Draw(rng.RequestLatency, w.Act("order-2", "s", "server.write"), 0)
	}
	require.Equal(t, before, w.Draw(rng.RequestLatency, a, 0))
	require.NotEqual(t, before, w.Draw(rng.RequestLatency, w.Act("order-1", "s", "server.write"), 0), "a second attempt is another draw")
}

// program is a small world drawn at random: what its nodes do, and what is done to them.
type program struct {
	seed    uint64
	nodes   int
	actions [][]int // by process: what it does, one digit after the other
	faults  []fault
}

type fault struct {
	at   int
	what string
	node int
}

func drawProgram(t *rapid.T) program {
	nodes := rapid.IntRange(1, 4).Draw(t, "nodes")
	return program{
		seed:    rapid.Uint64().Draw(t, "seed"),
		nodes:   nodes,
		actions: rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 99), 0, 8), nodes, 6).Draw(t, "actions"),
		faults: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fault {
			return fault{rapid.IntRange(0, 300).Draw(t, "at"), rapid.SampledFrom([]string{"kill", "power", "pause", "resume", "boot", "cut", "mend", "hook-kill", "hook-pause", "hook-drop"}).Draw(t, "what"), rapid.IntRange(0, nodes-1).Draw(t, "node")}
		}), 0, 12).Draw(t, "faults"),
	}
}

func (c program) build(w *sim.World) {
	op := w.Op("peer.work")
	var sig sim.Signal
	for i := range c.nodes {
		n := w.Role("peer", func(n *sim.Node) sim.Handler {
			for j, todo := range c.actions {
				if j%c.nodes == i {
					n.Go(fmt.Sprint("p", j), func(p *sim.Proc) { c.run(w, p, op, &sig, todo) })
				}
			}
			return &journal{}
		})
		n.Disk().Timing(rng.Uniform(0, int64(3*ms)), rng.Uniform(0, int64(9*ms)))
	}
	for _, n := range w.Nodes("peer") {
		n.Boot()
	}
	hook := ""
	w.Observe(func(h *sim.Hit) {
		what := hook
		hook = ""
		switch {
		case !h.Node.Up():
		case what == "hook-kill":
			h.Node.Kill(0)
		case what == "hook-pause":
			h.Node.Pause()
		case what == "hook-drop":
			h.Drop = true
		}
	})
	for _, f := range c.faults {
		w.At(sim.Time(f.at)*sim.Time(ms), sim.PhaseFault, func() { f.apply(w.Nodes("peer")[f.node], &hook) })
	}
	w.At(sim.Time(sim.Second), sim.PhaseFault, func() { // heal
		hook = ""
		for _, n := range w.Nodes("peer") {
			n.Resume()
		}
	})
}

func (f fault) apply(n *sim.Node, hook *string) {
	peer := n.World().Nodes("peer")[0]
	switch {
	case f.what == "kill" && n.Up():
		n.Kill(0)
	case f.what == "power" && n.Up():
		n.PowerLoss(0)
	case f.what == "boot" && !n.Up():
		n.Boot()
	case f.what == "pause":
		n.Pause()
	case f.what == "resume":
		n.Resume()
	case f.what == "cut":
		n.Cut(peer)
	case f.what == "mend":
		n.Mend(peer)
	default:
		*hook = f.what
	}
}

func (c program) run(w *sim.World, p *sim.Proc, op sim.Op, sig *sim.Signal, todo []int) {
	for i, x := range todo {
		peer := w.Nodes("peer")[x/10%c.nodes]
		act := sim.Action{}
		if x%2 == 0 {
			act = w.Act(fmt.Sprint("e", x), "s", "peer.work")
		}
		switch x % 7 {
		case 0, 1:
			p.Sleep(sim.Duration(x) * ms)
		case 2, 3:
			_, _, err := p.Call(peer, op, act, fmt.Sprint(p.Node().Name(), i), 0, sim.Duration(x)*ms)
			p.Record(history.Fact{Kind: history.KindReturned, Note: fmt.Sprint(err)})
		case 4:
			p.Send(peer, op, act, "sent", 0)
		case 5:
			p.Write("own", fmt.Sprint(i), act)
		case 6:
			sig.Broadcast()
			p.Node().After(sim.Duration(x)*ms, func() {})
		}
	}
}

func execute(w *sim.World, c program) (uint64, sim.StopReason) {
	c.build(w)
	r := w.Run(sim.Time(sim.Minute))
	w.Close()
	return w.Digest(), r
}

func configOf(c program) sim.Config {
	return sim.Config{Seed: c.seed, Latency: rng.Uniform(0, int64(20*ms)), Limits: sim.Limits{Events: 100_000}}
}

// Whatever a small program does and whatever is done to it: it runs to its end without a panic, twice to the same
// digest, in lockstep without a difference, and nothing is left over.
func TestRandomProgramsRunTwiceAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawProgram(t)
		w := sim.New(configOf(c))
		first, r := execute(w, c)
		require.Equal(t, sim.StopDrained, r.Kind, r.Detail)
		require.Zero(t, w.Foreground())
		require.Zero(t, w.Pending())
		w.Reset(configOf(c))
		second, _ := execute(w, c)
		require.Equal(t, first, second)
		a, b := sim.New(configOf(c)), sim.New(configOf(c))
		c.build(a)
		c.build(b)
		at, ok := sim.Diverge(a, b, sim.Time(sim.Minute))
		require.False(t, ok, at.String())
		require.Equal(t, first, a.Digest())
		a.Close()
		b.Close()
	})
}

// conformance are three programs with everything in them; their digests are pinned below.
func conformance() []program {
	var all [][]int
	for i := range 6 {
		all = append(all, []int{16 + i, 2, 30 + i, 5, 51, 12 + i, 4, 44, 6, 37})
	}
	return []program{
		{seed: 1, nodes: 3, actions: all},
		{seed: 2, nodes: 3, actions: all, faults: []fault{{20, "kill", 0}, {40, "boot", 0}, {50, "pause", 1}, {90, "resume", 1}, {95, "power", 2}, {140, "boot", 2}}},
		{seed: 3, nodes: 2, actions: all, faults: []fault{{10, "hook-kill", 0}, {30, "boot", 0}, {30, "boot", 1}, {35, "hook-pause", 0}, {60, "hook-drop", 0}, {70, "cut", 1}, {90, "mend", 1}}},
	}
}

// Golden digests of the kernel. They change when the order of events, a key of a draw, the digest's fold or the
// shape of a fact changes: then every recorded case is stale, and the model epoch goes up with them. They never
// change with the machine, the Go version or the speed of anything.
func TestGoldenDigests(t *testing.T) {
	golden := []string{"5e023a0a9d07c734", "71b92fe2fda1143a", "7f72a4f5fe614bd3"}
	for i, c := range conformance() {
		d, r := execute(sim.New(configOf(c)), c)
		require.Equal(t, sim.StopDrained, r.Kind, r.Detail)
		require.Equal(t, golden[i], fmt.Sprintf("%016x", d))
	}
}

// A worker reuses one world: run A, B, A on it equals three fresh worlds.
func TestReuseEqualsFresh(t *testing.T) {
	cs := conformance()
	w := sim.New(configOf(cs[2])) // and what ran before does not matter either
	execute(w, cs[2])
	for _, i := range []int{0, 1, 0} {
		fresh, _ := execute(sim.New(configOf(cs[i])), cs[i])
		w.Reset(configOf(cs[i]))
		reused, _ := execute(w, cs[i])
		require.Equal(t, fresh, reused)
	}
	open := sim.New(sim.Config{})
	n := open.Role("n", func(n *sim.Node) sim.Handler {
		n.Go("p", func(p *sim.Proc) { p.Sleep(1) })
		return sim.NoHandler()
	})
	n.Boot()
	require.Panics(t, func() { open.Reset(sim.Config{}) }, "the run before must be closed")
	open.Close()
}

// Planted non-determinism is explained by the first event in which it shows: here the 21st order is charged twice
// as late in every second world, as a map's order or a clock would do it.
func TestDivergeExplains(t *testing.T) {
	worlds := 0
	build := func(plant string) *sim.World {
		worlds++
		odd := worlds%2 == 1
		w := sim.New(sim.Config{Seed: 1, Latency: constant(ms)})
		t.Cleanup(w.Close)
		n := w.Role("shop", func(n *sim.Node) sim.Handler {
			n.Go("main", func(p *sim.Proc) {
				for i := range 40 {
					d := sim.Second
					switch {
					case i != 20 || !odd:
					case plant == "event":
						d = 2 * sim.Second
					case plant == "facts":
						p.Record(history.Fact{Kind: history.KindOffered})
					case plant == "draws":
						w.Draw(rng.Jitter, sim.Action{}, 0)
					case plant == "end":
						w.Stop("early")
					}
					p.Sleep(d)
				}
			})
			return sim.NoHandler()
		})
		n.Boot()
		return w
	}
	for plant, at := range map[string]sim.Duration{"event": 21 * sim.Second, "facts": 20 * sim.Second, "draws": 20 * sim.Second, "end": 20 * sim.Second} {
		d, ok := sim.Diverge(build(plant), build(plant), sim.Time(sim.Hour))
		require.True(t, ok, plant)
		require.Equal(t, plant, d.What)
		later := max(d.A.Time, d.B.Time)
		require.Contains(t, []sim.Time{sim.Time(at), sim.Time(at + sim.Second)}, later, d.String())
		require.Len(t, d.Common, 10)
		require.Contains(t, d.String(), "shop-1/1 wake")
	}
	_, ok := sim.Diverge(build(""), build(""), sim.Time(sim.Hour))
	require.False(t, ok)
	other := sim.New(sim.Config{Seed: 2})
	d, ok := sim.Diverge(build(""), other, sim.Time(sim.Hour))
	require.True(t, ok)
	require.Equal(t, "start", d.What)
	other.Close()
}
