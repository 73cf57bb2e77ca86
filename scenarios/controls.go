package scenarios

import (
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// controls is what the injector may do to a world beyond its nodes.
type controls world

// leaveGrace is how long a member that is asked to leave may take.
const leaveGrace = 5 * sim.Second

func (c *controls) Nodes(role string) []*sim.Node { return c.sim.Nodes(role) }

func (c *controls) Node(name string) *sim.Node { return c.sim.Node(name) }

func (c *controls) Leader(string, int) *sim.Node { return c.broker }

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

func (c *controls) Heal() int64 { return int64(c.healAt) }

func (c *controls) OnHeal(fn func()) { c.onHeal = append(c.onHeal, fn) }
