package scenarios

import (
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// controls is what the injector may do to a world beyond its nodes.
type controls world

// leaveGrace is how long a member that is asked to leave may take.
const leaveGrace = 5 * sim.Second

func (c *controls) Nodes(role string) []*sim.Node { return c.sim.Nodes(role) }

func (c *controls) Node(name string) *sim.Node { return c.sim.Node(name) }

// Leader of a partition is a broker; that of a store is its primary, if it has replicas.
func (c *controls) Leader(topic string, partition int) *sim.Node {
	if topic != faults.RoleDedup {
		return c.bus.leader(topic, partition)
	}
	for i := range c.asm.stores {
		if c.asm.stores[i].Name == topic && len(c.stores[i]) > 1 {
			return store.Primary(c.stores[i])
		}
	}
	return nil
}

// Join boots one more member of the group.
func (c *controls) Join(role string) *sim.Node {
	for i := range c.asm.loops {
		if l := &c.asm.loops[i]; l.role == role {
			n := (*world)(c).addMember(l)
			n.Boot()
			return n
		}
	}
	return nil
}

// Leave asks for a graceful stop and kills what is still there after the grace period.
func (c *controls) Leave(n *sim.Node, cause int64) {
	n.AskStop(cause)
	c.sim.At(c.sim.Now().Add(leaveGrace), sim.PhaseFault, func() {
		if n.Up() {
			n.Kill(cause)
		}
	})
}

func (c *controls) Refuse(service string, on bool) { c.refusing[service] = on }

// LoseReply drops the next reply of an effect op of the service.
func (c *controls) LoseReply(service string, lost func()) {
	armed := true
	for i := range c.sc.Flow {
		s := &c.sc.Flow[i]
		if s.Service != service || s.Kind != "effect" {
			continue
		}
		c.sim.Watch(history.RPCHook(service+"."+s.Op, history.StepReplied), func(h *sim.Hit) {
			if armed {
				armed = false
				h.Drop = true
				lost()
			}
		})
	}
}

// Members are the nodes of the group's role.
func (c *controls) Members(group string) []*sim.Node {
	if l := c.asm.loopOf(group); l != nil {
		return c.sim.Nodes(l.role)
	}
	return nil
}

// Replay adds the operator: a world into which none comes is the same as before there were any.
func (c *controls) Replay(group string, cause int64, done func()) {
	c.sim.Role("operator", c.bus.replay(group, c.asm.loopOf(group).topic, cause, done)).Boot()
}

// replayDeadLetters adds the operator who publishes them again.
func (c *controls) replayDeadLetters(r model.DeadLetterReplay) {
	c.sim.Role("operator", c.bus.letters(r)).Boot()
}

// operatorPause is between two looks of an operator.
const operatorPause = sim.Second

func (c *controls) Heal() int64 { return int64(c.healAt) }

func (c *controls) OnHeal(fn func()) { c.onHeal = append(c.onHeal, fn) }
