package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// alarms is something beside a world that asks for something at certain times.
type alarms struct {
	w    *World
	due  []Time
	rang []Time
	then func(at Time)
}

func (a *alarms) Reach(t Time) (Time, func()) {
	if len(a.due) == 0 || a.due[0] > t {
		return t, nil
	}
	at := a.due[0]
	a.due = a.due[1:]
	return at, func() {
		a.rang = append(a.rang, a.w.Now())
		if a.then != nil {
			a.then(at)
		}
	}
}

// What is asked for beside a world comes between its events at its own time, and behind those of the same instant that
// were there before.
func TestBeside(t *testing.T) {
	a := &alarms{due: []Time{5, 10, 10, 12}}
	w := New(Config{Beside: a, Latency: rng.Constant(1)})
	defer w.Close()
	a.w = w
	var order []string
	a.then = func(at Time) {
		w.At(at, PhaseFault, func() { order = append(order, "asked") })
	}
	for _, at := range []Time{3, 10, 20} {
		w.At(at, PhaseFault, func() { order = append(order, "event") })
	}
	require.Equal(t, StopDrained, w.Run(100).Kind)
	require.Equal(t, []Time{5, 10, 10, 12}, a.rang)
	require.Equal(t, []string{"event", "asked", "event", "asked", "asked", "asked", "event"}, order)
}

// A call that its caller gives up ends at that instant, indeterminate, and its late reply finds nobody; on a node that
// stands still it ends when the node goes on, and what has arrived meanwhile comes first.
func TestCancelCall(t *testing.T) {
	for _, c := range []struct {
		name   string
		pause  bool
		err    error
		resume Time
	}{
		{"at once", false, ErrCancelled, 0},
		{"while the node stands still the reply comes first", true, nil, Time(Second)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := New(Config{Latency: rng.Constant(int64(10 * Millisecond))})
			defer w.Close()
			server := w.Role("server", func(n *Node) Handler { return &parrot{} })
			var p *Proc
			var got error
			var ended Time
			client := w.Role("client", func(n *Node) Handler {
				p = n.Go("caller", func(p *Proc) {
					_, _, got = p.Call(server, w.Op("server.ask"), Action{}, "x", 0, Minute)
					ended = w.Now()
					p.Sleep(Second)
				})
				return NoHandler()
			})
			server.Boot()
			client.Boot()
			w.At(Time(5*Millisecond), PhaseFault, func() {
				if c.pause {
					client.Pause()
					w.At(c.resume, PhaseFault, client.Resume)
				}
				p.CancelCall()
			})
			w.Run(Time(Minute))
			require.Equal(t, c.err, got)
			if c.pause {
				require.Equal(t, c.resume, ended)
			} else {
				require.Equal(t, Time(5*Millisecond), ended)
			}
		})
	}
}

type parrot struct{ answered int }

func (e *parrot) Receive(_ *Node, r *Request) {
	e.answered++
	r.Reply(r.Body, 0)
}

// A process that acts for code elsewhere dies where that code is.
func TestBlame(t *testing.T) {
	w := New(Config{Latency: rng.Constant(1)})
	defer w.Close()
	n := w.Role("client", func(n *Node) Handler {
		n.Go("guest", func(p *Proc) {
			p.Blame(func() string { return "shop/charge.go:41" })
			p.Sleep(Minute)
		})
		return NoHandler()
	})
	n.Boot()
	w.At(Time(Second), PhaseFault, func() { n.Kill(0) })
	w.Run(Time(Minute))
	var sites []string
	for _, f := range w.History.Facts {
		if f.Kind == history.KindUnwound {
			sites = append(sites, f.Note)
		}
	}
	require.Equal(t, []string{"shop/charge.go:41"}, sites)
}
