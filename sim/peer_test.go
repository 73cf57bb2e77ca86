package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/rng"
)

// door is a service that keeps the connections of its callers open and notes what it hears.
type door struct{ heard *[]string }

func (d *door) Receive(_ *Node, r *Request) {
	*d.heard = append(*d.heard, "asked at "+r.w.now.String())
	r.KeepOpen()
	r.KeepOpen()
}

func (d *door) Closed(peer string, incarnation int32) {
	*d.heard = append(*d.heard, peer+" closed")
}

// A service hears once of the end of a process whose connection it keeps open: behind what that has sent, and only if the
// machine can say so.
func TestServiceHearsOfTheEndOfACaller(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(client, server *Node)
		want []string
		then Peer // what a probe finds afterwards
	}{
		{"killed", func(n, _ *Node) { n.Kill(0) }, []string{"asked at 2ms", "asked at 11ms", "client-1 closed"}, PeerGone},
		{"killed with the first request that asks for it on the way", func(n, s *Node) { s.kept = nil; n.Kill(0) }, []string{"asked at 2ms", "asked at 11ms", "client-1 closed"}, PeerGone},
		{"power loss", func(n, _ *Node) { n.PowerLoss(0) }, []string{"asked at 2ms", "asked at 11ms"}, PeerSilent},
		{"killed behind a partition", func(n, s *Node) { n.Cut(s); n.Kill(0) }, []string{"asked at 2ms", "asked at 11ms"}, PeerSilent},
		{"a pause", func(n, _ *Node) { n.Pause() }, []string{"asked at 2ms", "asked at 11ms"}, PeerAlive},
		{"the service was restarted", func(n, s *Node) { s.Kill(0); s.Boot(); n.Kill(0) }, []string{"asked at 2ms"}, PeerGone},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := New(Config{Seed: 1, Latency: rng.Constant(int64(2 * Millisecond))})
			defer w.Close()
			var heard []string
			server := w.Role("server", func(*Node) Handler { return &door{&heard} })
			client := w.Role("client", func(n *Node) Handler {
				n.Go("caller", func(p *Proc) {
					p.Send(server, w.Op("server.ask"), Action{}, nil, 0)
					p.Sleep(9 * Millisecond)
					p.Send(server, w.Op("server.ask"), Action{}, nil, 0)
					p.Sleep(Hour)
				})
				return NoHandler()
			})
			server.Boot()
			client.Boot()
			w.At(Time(10*Millisecond), PhaseFault, func() { c.end(client, server) })
			w.Run(Time(Minute))
			require.Equal(t, c.want, heard)
			require.Equal(t, c.then, server.Probe("client-1", 1))
		})
	}
}
