package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// echo answers every request with its body after writing it down durably.
type echo struct{ got int }

func (e *echo) Receive(n *Node, r *Request) {
	e.got++
	n.Append("log", r.Body.(string), r.Action, nil)
	n.Fsync("log", r.Action, func() {
		r.Applied()
		r.Reply("re:"+r.Body.(string), 0)
	})
}

func TestCallKillReset(t *testing.T) {
	w := New(Config{Seed: 1, Latency: rng.Constant(int64(Millisecond))})
	defer w.Close()
	server := w.Role("server", func(*Node) Handler { return &echo{} })
	var got []string
	var errs []error
	client := w.Role("client", func(n *Node) Handler {
		n.Go("main", func(p *Proc) {
			for range 3 {
				body, _, err := p.Call(server, w.Op("server.echo"), w.Act("order-1", "s", "server.echo"), "hello", 0, Second)
				errs = append(errs, err)
				if err == nil {
					got = append(got, body.(string))
				}
				p.Sleep(Second)
			}
		})
		return NoHandler()
	})
	server.Boot()
	client.Boot()
	w.Watch("server.echo/applied", func(h *Hit) {
		if h.Node.Incarnation() == 1 {
			h.Node.Kill(0)
			w.At(w.Now().Add(1500*Millisecond), PhaseFault, func() { h.Node.Boot() })
		}
	})
	r := w.Run(Time(Minute))
	require.Equal(t, StopDrained, r.Kind, r.Detail)
	require.Equal(t, []error{ErrReset, ErrRefused, nil}, errs)
	require.Equal(t, []string{"re:hello"}, got)
	require.Equal(t, []string{"hello", "hello"}, server.Disk().Read("log"), "a kill keeps the page cache")
}

func TestKillUnwindsAtTheAwait(t *testing.T) {
	w := New(Config{Seed: 1})
	defer w.Close()
	n := w.Role("c", func(n *Node) Handler {
		n.Go("main", func(p *Proc) { p.Sleep(Hour) })
		return NoHandler()
	})
	n.Boot()
	w.At(Time(Second), PhaseFault, func() { n.Kill(0) })
	w.Run(Time(Minute))
	var unwound []history.Fact
	for _, f := range w.History.Facts {
		if f.Kind == history.KindUnwound {
			unwound = append(unwound, f)
		}
	}
	require.Len(t, unwound, 1)
	require.Equal(t, 0, w.Pending(), "the sleeper's timer leaves the queue")
}
