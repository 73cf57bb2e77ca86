package sim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const ms = sim.Millisecond

func constant(d sim.Duration) rng.Dist { return rng.Constant(int64(d)) }

// journal is a service that writes each request down durably, and then answers it.
type journal struct{ received int }

func (j *journal) Receive(n *sim.Node, r *sim.Request) {
	j.received++
	n.Append("journal", r.Body.(string), r.Action, nil)
	n.Fsync("journal", r.Action, func() {
		r.Applied()
		r.Reply("re:"+r.Body.(string), 0)
	})
}

// oneCall is a world in which a client calls a journal once; learnt is what the client knows afterwards.
type oneCall struct {
	*sim.World
	server, client *sim.Node
	learnt         string
	learntAt       sim.Time
}

// callers are the two ways to write one: both learn the same, at the same time.
func callers() []string { return []string{"process", "handler"} }

func newCall(t *testing.T, caller string) *oneCall {
	c := &oneCall{World: sim.New(sim.Config{Seed: 1, Latency: constant(ms)}), learnt: "nothing"}
	t.Cleanup(c.Close)
	c.server = c.Role("server", func(*sim.Node) sim.Handler { return &journal{} })
	c.server.Disk().Timing(rng.Dist{}, constant(5*ms))
	learns := func(err error) {
		c.learnt, c.learntAt = "reply", c.Now()
		if err != nil {
			c.learnt = err.Error()
		}
	}
	c.client = c.Role("client", func(n *sim.Node) sim.Handler {
		act := func() sim.Action { return c.Act("order-1", "s", "server.write") }
		if caller == "handler" {
			n.After(0, func() {
				n.Call(c.server, c.Op("server.write"), act(), "hello", 0, sim.Second, func(_ any, _ int64, err error) { learns(err) })
			})
			return sim.NoHandler()
		}
		n.Go("main", func(p *sim.Proc) {
			_, _, err := p.Call(c.server, c.Op("server.write"), act(), "hello", 0, sim.Second)
			learns(err)
		})
		return sim.NoHandler()
	})
	c.server.Boot()
	c.client.Boot()
	return c
}

// What each party knows after a fault at each of the five steps: what the caller learnt and when, and what is on
// the disk of the service. A drop concerns the two steps that put a message on the wire.
func TestFiveSteps(t *testing.T) {
	type outcome struct {
		learnt string
		at     sim.Duration
		onDisk int
	}
	kill := func(who func(c *oneCall) *sim.Node) func(*oneCall, *sim.Hit) {
		return func(c *oneCall, _ *sim.Hit) { who(c).Kill(0) }
	}
	service := func(c *oneCall) *sim.Node { return c.server }
	caller := func(c *oneCall) *sim.Node { return c.client }
	faults := []struct {
		name  string
		do    func(*oneCall, *sim.Hit)
		after map[string]outcome
	}{
		{"kill of the caller", kill(caller), map[string]outcome{
			"sent": {"nothing", 0, 0}, "arrived": {"nothing", 0, 1}, "applied": {"nothing", 0, 1},
			"replied": {"nothing", 0, 1}, "received": {"nothing", 0, 1},
		}},
		{"kill of the service", kill(service), map[string]outcome{
			"sent": {"connection refused", ms, 0}, "arrived": {"connection reset", 2 * ms, 0}, "applied": {"connection reset", 7 * ms, 1},
			"replied": {"connection reset", 7 * ms, 1}, "received": {"reply", 7 * ms, 1},
		}},
		{"power loss of the service", func(c *oneCall, _ *sim.Hit) { c.server.PowerLoss(0) }, map[string]outcome{
			"sent": {"timeout", sim.Second, 0}, "arrived": {"timeout", sim.Second, 0}, "applied": {"timeout", sim.Second, 1},
			"replied": {"timeout", sim.Second, 1}, "received": {"reply", 7 * ms, 1},
		}},
		{"pause of the service for 100 ms", func(c *oneCall, _ *sim.Hit) {
			c.server.Pause()
			c.At(c.Now().Add(100*ms), sim.PhaseFault, c.server.Resume)
		}, map[string]outcome{
			"sent": {"reply", 106 * ms, 1}, "arrived": {"reply", 107 * ms, 1}, "applied": {"reply", 107 * ms, 1},
			"replied": {"reply", 107 * ms, 1}, "received": {"reply", 7 * ms, 1},
		}},
		{"pause of the caller for 2 s", func(c *oneCall, _ *sim.Hit) {
			c.client.Pause()
			c.At(c.Now().Add(2*sim.Second), sim.PhaseFault, c.client.Resume)
		}, map[string]outcome{ // inbox first: a reply beats the timeout that ran out meanwhile
			"sent": {"reply", 2007 * ms, 1}, "arrived": {"reply", 2001 * ms, 1}, "applied": {"reply", 2006 * ms, 1},
			"replied": {"reply", 2006 * ms, 1}, "received": {"reply", 2007 * ms, 1},
		}},
		{"drop", func(_ *oneCall, h *sim.Hit) { h.Drop = true }, map[string]outcome{
			"sent": {"timeout", sim.Second, 0}, "replied": {"timeout", sim.Second, 1},
		}},
		{"delay by 500 ms", func(_ *oneCall, h *sim.Hit) { h.Delay = 500 * ms }, map[string]outcome{
			"sent": {"reply", 507 * ms, 1}, "arrived": {"reply", 7 * ms, 1}, "applied": {"reply", 7 * ms, 1},
			"replied": {"reply", 507 * ms, 1}, "received": {"reply", 7 * ms, 1},
		}},
		{"delay by 5 s", func(_ *oneCall, h *sim.Hit) { h.Delay = 5 * sim.Second }, map[string]outcome{ // it arrives all the same
			"sent": {"timeout", sim.Second, 1}, "replied": {"timeout", sim.Second, 1},
		}},
		{"delay by 5 s of what is dropped", func(_ *oneCall, h *sim.Hit) { h.Drop, h.Delay = true, 5*sim.Second }, map[string]outcome{
			"sent": {"timeout", sim.Second, 0}, "replied": {"timeout", sim.Second, 1},
		}},
		{"partition for 100 ms", func(c *oneCall, _ *sim.Hit) { // what is on the wire already arrives
			c.server.Cut(c.client)
			c.client.Cut(c.server)
			c.At(c.Now().Add(100*ms), sim.PhaseFault, func() { c.server.Mend(c.client); c.client.Mend(c.server) })
		}, map[string]outcome{
			"sent": {"timeout", sim.Second, 0}, "arrived": {"timeout", sim.Second, 1}, "applied": {"timeout", sim.Second, 1},
			"replied": {"timeout", sim.Second, 1}, "received": {"reply", 7 * ms, 1},
		}},
	}
	for _, f := range faults {
		for _, step := range history.RPCSteps() {
			want, ok := f.after[step]
			if !ok {
				continue
			}
			for _, by := range callers() {
				t.Run(f.name+" at "+step+" of a "+by, func(t *testing.T) {
					c := newCall(t, by)
					hits := 0
					c.Watch("server.write/"+step, func(h *sim.Hit) { hits++; f.do(c, h) })
					r := c.Run(sim.Time(sim.Minute))
					require.Equal(t, sim.StopDrained, r.Kind, r.Detail)
					require.Equal(t, 1, hits)
					require.Equal(t, want, outcome{c.learnt, sim.Duration(c.learntAt), len(c.server.Disk().Read("journal"))})
				})
			}
		}
	}
}

// A caller that is killed at its own hook unwinds at that line; any other killed process at its await. Both name
// the line of the author's code.
func TestKillNamesTheLine(t *testing.T) {
	for _, step := range history.RPCSteps() {
		c := newCall(t, "process")
		c.Watch("server.write/"+step, func(*sim.Hit) { c.client.Kill(0) })
		c.Run(sim.Time(sim.Minute))
		unwound := facts(c.World, history.KindUnwound)
		require.Len(t, unwound, 1, step)
		require.True(t, strings.HasPrefix(unwound[0].Note, "sim_test/steps_test.go:"), unwound[0].Note)
	}
}

// Of two messages on one connection none overtakes, however the latencies fall; a new incarnation is a new
// connection and does not wait behind the old one.
func TestConnectionsAreFIFO(t *testing.T) {
	w := sim.New(sim.Config{Seed: 3, Latency: rng.Uniform(0, int64(100*ms))})
	defer w.Close()
	got := &inbox{}
	server := w.Role("server", func(*sim.Node) sim.Handler { got = &inbox{}; return got })
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("main", func(p *sim.Proc) {
			for i := range 50 {
				p.Send(server, w.Op("server.put"), sim.Action{}, i, 0)
				p.Sleep(ms)
			}
			n.Slow(server, sim.Hour)
			p.Send(server, w.Op("server.put"), sim.Action{}, 50, 0)
			n.Slow(server, 0)
			p.Sleep(sim.Second)
			require.Len(t, got.bodies, 50, "the slowed one is on the wire, and whatever comes after it waits behind it")
			server.Kill(0)
			server.Boot()
			p.Send(server, w.Op("server.put"), sim.Action{}, 51, 0)
			p.Sleep(sim.Second)
		})
		return sim.NoHandler()
	})
	server.Boot()
	first := got
	client.Boot()
	r := w.Run(sim.Time(sim.Minute))
	require.Equal(t, sim.StopDrained, r.Kind, r.Detail)
	require.IsIncreasing(t, first.bodies)
	require.Equal(t, []int{51}, got.bodies)
}

type inbox struct{ bodies []int }

func (i *inbox) Receive(_ *sim.Node, r *sim.Request) { i.bodies = append(i.bodies, r.Body.(int)) }

func facts(w *sim.World, kind history.Kind) []history.Fact {
	var out []history.Fact
	for _, f := range w.History.Facts {
		if f.Kind == kind {
			out = append(out, f)
		}
	}
	return out
}

// A late reply finds nobody: its call's slot belongs to another call by then.
func TestLateReplyDoesNotAnswerTheNextCall(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1, Latency: constant(ms)})
	defer w.Close()
	var kept []*sim.Request
	server := w.Role("server", func(n *sim.Node) sim.Handler {
		return handler(func(r *sim.Request) {
			kept = append(kept, r)
			n.After(sim.Second, func() { r.Reply(r.Body, 0) })
		})
	})
	var got []any
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("main", func(p *sim.Proc) {
			for i, timeout := range []sim.Duration{500 * ms, 2 * sim.Second} {
				body, _, err := p.Call(server, w.Op("server.echo"), sim.Action{}, i, 0, timeout)
				got = append(got, body, err)
			}
		})
		return sim.NoHandler()
	})
	server.Boot()
	client.Boot()
	w.Run(sim.Time(sim.Minute))
	require.Equal(t, []any{nil, sim.ErrTimeout, 1, nil}, got)
	require.Panics(t, func() { kept[0].Reply(nil, 0) }, "a request that was kept may not be answered twice, ever")
}

func handler(fn func(*sim.Request)) sim.Handler { return &funcHandler{fn} }

type funcHandler struct{ fn func(*sim.Request) }

func (h *funcHandler) Receive(_ *sim.Node, r *sim.Request) { h.fn(r) }
