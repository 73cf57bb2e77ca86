package controller

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// TestElections has brokers come, go, stop and lose power, and leaders ask for any in-sync set that they may, and asserts of
// each change of a partition's state what KIP-966 proves replicas complete by.
func TestElections(t *testing.T) {
	clean, unclean := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := sim.New(sim.Config{})
		defer w.Close()
		topic := wire.Topic{Name: "orders", Partitions: 2, MinInSync: rapid.IntRange(1, 3).Draw(t, "min"), Unclean: rapid.Bool().Draw(t, "unclean")}
		cfg := Config{Topics: []wire.Topic{topic}, WithoutELR: rapid.Bool().Draw(t, "without elr")}
		n := w.Role(wire.Controller, New(cfg))
		for range 3 {
			w.Role(wire.Broker, func(*sim.Node) sim.Handler { return sim.NoHandler() })
		}
		n.Boot()
		do := func(fn func(*Controller)) {
			n.After(0, func() {
				c := Of(n)
				before := states(c)
				fn(c)
				for i, s := range states(c) {
					if assertChange(t, &before[i], &s, &topic, cfg.WithoutELR) {
						if s.Unclean {
							unclean++
						} else {
							clean++
						}
					}
				}
				c.commit(nil)
			})
			w.Run(w.Now().Add(1))
		}
		for id := range int32(3) {
			do(func(c *Controller) { enter(c, id+1, false) })
			do(func(c *Controller) { c.unfence(c.broker(id + 1)) })
		}
		for range rapid.IntRange(5, 40).Draw(t, "steps") {
			id := int32(rapid.IntRange(1, 3).Draw(t, "broker"))
			switch rapid.SampledFrom([]string{"register", "register", "unfence", "unfence", "expire", "stop", "alter", "alter", "preferred", "reboot"}).Draw(t, "step") {
			case "register":
				lost := rapid.Bool().Draw(t, "unclean stop")
				do(func(c *Controller) { enter(c, id, lost) })
			case "unfence":
				do(func(c *Controller) {
					if b := c.broker(id); b.alive && b.fenced {
						c.unfence(b)
					}
				})
			case "expire":
				do(func(c *Controller) {
					if b := c.broker(id); b.alive {
						c.expire(b)
					}
				})
			case "stop":
				do(func(c *Controller) {
					if b := c.broker(id); b.alive && !b.stopping {
						c.beginStop(b)
					}
				})
			case "alter":
				keep := rapid.IntRange(0, 7).Draw(t, "isr")
				do(func(c *Controller) { alterTo(c, keep) })
			case "preferred":
				do(func(c *Controller) { c.each(c.imbalanced, wish{preferred: true}) })
			case "reboot":
				told := states(Of(n))
				n.PowerLoss(0)
				n.Boot()
				for i, s := range states(Of(n)) {
					require.Equal(t, told[i].PartitionEpoch, s.PartitionEpoch, "what was told is on the disk")
					require.Equal(t, told[i].Leader, s.Leader)
				}
			}
		}
	})
	require.Positive(t, clean)
	require.Positive(t, unclean)
}

// enter registers a broker whose last session has ended.
func enter(c *Controller, id int32, lost bool) {
	b := c.broker(id)
	if b.alive && !b.fenced {
		return
	}
	b.epoch, b.stopping, b.dirty = c.version+1, false, true
	c.beginSession(b)
	if lost && !c.cfg.WithoutELR {
		c.distrust(id)
	}
}

// alterTo has each leader ask for itself and some others.
func alterTo(c *Controller, others int) {
	for _, p := range c.partitions {
		if p.Leader == wire.NoLeader {
			continue
		}
		req := wire.AlterPartitionRequest{Broker: p.Leader, BrokerEpoch: c.broker(p.Leader).epoch, Topic: p.Topic, Partition: p.Partition, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch}
		var isr []int32
		for _, id := range p.Replicas {
			if id == p.Leader || others&(1<<id>>1) != 0 {
				isr, req.ISR = append(isr, id), append(req.ISR, wire.InSync{Broker: id, Epoch: c.broker(id).epoch})
			}
		}
		if c.alterable(p, &req) == nil {
			c.rebuild(p, wish{isr: isr})
		}
	}
}

func states(c *Controller) (out []wire.PartitionState) {
	for _, p := range c.partitions[:2] {
		out = append(out, p.PartitionState)
	}
	return out
}

// assertChange asserts what must hold of a state, and of how it came from the one before; it says whether a leader was
// elected.
func assertChange(t *rapid.T, old, s *wire.PartitionState, topic *wire.Topic, withoutELR bool) (elected bool) {
	least := topic.MinISR(len(s.Replicas))
	for _, id := range s.ELR {
		require.NotContains(t, s.ISR, id, "nobody is in sync and eligible")
	}
	if len(s.ISR) >= least || withoutELR {
		require.Empty(t, s.ELR, "when the high watermark can move nobody outside the in-sync set is complete")
	}
	if s.Leader != wire.NoLeader {
		require.Contains(t, s.ISR, s.Leader)
		require.Empty(t, s.LastKnownELR, "the last leader is remembered while there is none")
	}
	require.GreaterOrEqual(t, s.LeaderEpoch, old.LeaderEpoch)
	require.GreaterOrEqual(t, s.PartitionEpoch, old.PartitionEpoch)
	if s.Leader == old.Leader && s.LeaderEpoch == old.LeaderEpoch {
		return false
	}
	require.Greater(t, s.LeaderEpoch, old.LeaderEpoch, "an epoch has one leader")
	require.Greater(t, s.PartitionEpoch, old.PartitionEpoch)
	if s.Leader == wire.NoLeader || old.LeaderEpoch < 0 {
		return false
	}
	complete := append(append([]int32(nil), old.ISR...), old.ELR...)
	if !s.Unclean {
		require.Contains(t, complete, s.Leader, "who leads cleanly is complete")
		if !contains(old.ISR, s.Leader) {
			require.Equal(t, []int32{s.Leader}, s.ISR, "who is eligible only leads when nobody is in sync")
		}
	} else {
		require.Equal(t, []int32{s.Leader}, s.ISR, "who leads uncleanly is alone")
		require.Empty(t, s.ELR, "and nobody is known to have what it has")
		require.True(t, topic.Unclean || contains(old.LastKnownELR, s.Leader))
	}
	return true
}
