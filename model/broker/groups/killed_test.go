package groups_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// TestKilledAtHooks: the broker dies in the middle of what it does, wherever a fault may fall, and boots from its log. Nobody
// waits for ever; the group comes together again.
func TestKilledAtHooks(t *testing.T) {
	hooks := []string{"group/generation"}
	for _, op := range []string{wire.OpJoin, wire.OpSync, wire.OpHeartbeat, wire.OpLeave, wire.OpCommit, wire.OpTxnCommit, wire.OpOffsets} {
		hooks = append(hooks, wire.Broker+"."+op+"/replied")
	}
	for _, op := range []string{wire.OpJoin, wire.OpSync, wire.OpCommit, wire.OpTxnCommit} {
		hooks = append(hooks, wire.Broker+"."+op+"/applied")
	}
	for _, hook := range hooks {
		times := 3
		if hook == "group/generation" || hook == "broker.leave/replied" { // no more come along
			times = 1
		}
		for nth := range times {
			t.Run(fmt.Sprintf("%s %d", hook, nth+1), func(t *testing.T) {
				g := newRig(groups.Config{}, 3)
				defer g.w.Close()
				g.told = func(c *client, op, _ string, err error) { c.proceeds(op, err) }
				killed := killAt(g, hook, nth)
				live(g)
				require.True(t, *killed, "never reached")
				live(g)
				require.Equal(t, groups.Stable, g.p.c.State("workers"))
				require.Equal(t, 3, g.p.c.Members("workers"))
				require.EqualValues(t, 9, g.p.c.Committed("workers", "orders", 0))
				g.run(20*sim.Minute, func() {})
				require.Zero(t, g.open)
			})
		}
	}
}

// TestServerSideKilledAtHooks is the same for a server-side group.
func TestServerSideKilledAtHooks(t *testing.T) {
	for _, hook := range []string{"group/generation", "broker.group-heartbeat/replied", "broker.group-heartbeat/applied"} {
		for nth := range 2 {
			t.Run(fmt.Sprintf("%s %d", hook, nth+1), func(t *testing.T) {
				g := newRig(groups.Config{}, 3)
				defer g.w.Close()
				killed := killAt(g, hook, nth)
				for range 20 {
					for _, c := range g.clients {
						c.report(c.generation, c.owned)
						g.run(100*sim.Millisecond, func() {})
					}
				}
				require.True(t, *killed, "never reached")
				require.Equal(t, groups.Stable, g.p.c.State("workers"))
				require.Zero(t, g.open)
			})
		}
	}
}

// killAt kills the broker at the nth passage of a hook, for one second.
func killAt(g *rig, hook string, nth int) *bool {
	killed := false
	g.w.Watch(hook, func(h *sim.Hit) {
		if nth--; nth < 0 && !killed {
			killed = true
			g.p.n.Kill(0)
			g.w.At(g.w.Now().Add(sim.Second), sim.PhaseFault, g.p.n.Boot)
		}
	})
	return &killed
}

// live is some time in the life of a group: members join, commit, and one of them leaves and comes back.
func live(g *rig) {
	for i := range 40 {
		for k, c := range g.clients {
			switch {
			case c.busy:
			case i == 20 && k == 2 && c.id != "":
				c.ask(wire.OpLeave, wire.LeaveRequest{Group: c.group, Member: c.id})
				c.restart()
			case c.next == wire.OpSync:
				c.busy = true
				c.sync(roundRobin(c.members))
			case c.next == wire.OpHeartbeat:
				c.heartbeat()
				c.commit(c.generation, []wire.GroupOffset{{Topic: "orders", Offset: 9, Epoch: -1}})
				c.txnCommit(c.id, c.generation, 1, []wire.GroupOffset{{Topic: "orders", Partition: 1, Offset: 9, Epoch: -1}})
				c.ask(wire.OpOffsets, wire.OffsetsRequest{Group: c.group, Partitions: []wire.TopicPartition{{Topic: "orders"}}})
			default:
				c.busy = true
				c.join()
			}
		}
		g.run(500*sim.Millisecond, func() {})
	}
}
