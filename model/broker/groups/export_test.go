package groups

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/model/wire"
)

// Dump is what a coordinator of the same log must know, in text: groups with their members, shares, positions and what is
// pending. A generation that is not complete is left out, because it is on no log.
func (c *Coordinator) Dump() string {
	var b strings.Builder
	for _, g := range c.groups {
		state := c.State(g.name)
		if state == Empty && len(g.positions)+len(g.pending) == 0 && g.generation == 0 {
			continue // nobody has written anything of it
		}
		if g.server != nil || state == Stable || state == Empty {
			fmt.Fprintf(&b, "%s %v %d %s %s\n", g.name, state, g.generation, g.protocol, g.leader)
			for _, m := range g.members {
				fmt.Fprintf(&b, "  %s %s %s %v %v %v\n", m.id, m.instance, m.client, m.topics, m.protocols, m.share)
			}
		}
		if g.server != nil {
			for _, m := range g.server.members {
				fmt.Fprintf(&b, "  %s %s epoch %d %d %v %v %v %v\n", m.id, m.instance, m.epoch, m.progress, m.topics, m.assigned, m.revoking, m.target)
			}
		}
		for _, p := range g.positions {
			if p.seq > 0 {
				fmt.Fprintf(&b, "  %s/%d = %d of generation %d\n", p.Topic, p.Partition, p.offset, p.generation)
			}
		}
		for _, p := range g.pending {
			fmt.Fprintf(&b, "  %s/%d = %d of producer %d\n", p.Topic, p.Partition, p.offset, p.producer)
		}
	}
	return b.String()
}

// TwoOwners names a partition that two members of a server-side group may hold; "" = there is none.
func (c *Coordinator) TwoOwners() string {
	for _, g := range c.groups {
		if g.server == nil {
			continue
		}
		owner := map[wire.TopicPartition]string{}
		for _, m := range g.server.members {
			for _, p := range append(append([]wire.TopicPartition(nil), m.assigned...), m.revoking...) {
				if other, ok := owner[p]; ok {
					return fmt.Sprintf("%s/%d of %s: %s and %s", p.Topic, p.Partition, g.name, other, m.id)
				}
				owner[p] = m.id
			}
		}
	}
	return ""
}

// Members of a group that a generation was told to, sorted by id; leader and generation too.
func (c *Coordinator) Membership(name string) string {
	g := c.find(name)
	if g == nil {
		return ""
	}
	var ids []string
	for _, m := range g.members {
		ids = append(ids, m.id)
	}
	return strings.Join(ids, " ")
}

// Unsettled is how many writes nobody has answered for.
func (c *Coordinator) Unsettled() int { return len(c.writes) }
