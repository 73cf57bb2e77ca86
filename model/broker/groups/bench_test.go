package groups_test

import (
	"testing"

	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// BenchmarkHeartbeat is the idle work of a group: a heartbeat and its answer, the two messages included. The requests
// are boxed once, so that what is allocated is the coordinator's.
func BenchmarkHeartbeat(b *testing.B) {
	for name, classic := range map[string]bool{"classic": true, "server-side": false} {
		b.Run(name, func(b *testing.B) {
			g := newRig(groups.Config{}, 1)
			defer g.w.Close()
			g.told = func(c *client, op, _ string, err error) { c.proceeds(op, err) }
			c := g.clients[0]
			op, body := g.w.Op("broker.heartbeat"), any(nil)
			if classic {
				live(g)
				body = wire.HeartbeatRequest{Group: "workers", Member: c.id, Generation: c.generation}
			} else {
				c.report(0, nil)
				g.run(sim.Second, func() {})
				op = g.w.Op("broker.group-heartbeat")
				body = wire.GroupHeartbeatRequest{Group: "workers", Member: c.id, Client: c.n.Name(), Epoch: c.generation, RebalanceTimeout: c.patience, Topics: c.topics, Owned: c.owned}
			}
			failed := 0
			c.n.Go("beat", func(p *sim.Proc) {
				for {
					if _, _, err := p.Call(g.p.n, op, sim.Action{}, body, 0, sim.Minute); err != nil {
						failed++
					}
				}
			})
			b.ReportAllocs()
			b.ResetTimer()
			g.run(sim.Duration(b.N)*2*sim.Millisecond, func() {})
			if failed > 0 {
				b.Fatal(failed, "heartbeats were refused")
			}
		})
	}
}
