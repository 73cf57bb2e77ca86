package groups

import (
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Positions expire at the multiples of RetentionCheck since the load, as Kafka's scan has it. A scan that finds nothing changes
// nothing, so only the next one that may find something is a timer: an idle coordinator has none.

// due is when a position may go, by the wall clock; false = not while things are as they are. A group of the classic protocol
// loses all of them together when it has been empty for long enough (KIP-211); simple consumers and server-side groups
// lose each after its last commit, and so does a group that goes on but reads the topic no more. Nothing goes from under a
// commit that is on its way.
func (g *group) due(p *position) (sim.Time, bool) {
	retention := g.c.cfg.OffsetsRetention
	switch {
	case p.seq == 0, p.leaving, g.unstable(p.TopicPartition):
		return 0, false
	case g.c.cfg.ExpireActive:
		return p.time.Add(retention), true
	case g.server == nil && g.classic && g.state == Empty:
		return g.emptied.Add(retention), true
	case g.inhabited() && (g.state != Stable && g.server == nil || g.subscribed(p.Topic)):
		return 0, false
	}
	return p.time.Add(retention), true
}

// subscribed says whether a member reads the topic.
func (g *group) subscribed(topic string) bool {
	reads := func(topics []string) bool { return slices.Contains(topics, topic) }
	if g.server != nil {
		return slices.ContainsFunc(g.server.members, func(m *reconciled) bool { return reads(m.topics) })
	}
	return slices.ContainsFunc(g.members, func(m *member) bool { return reads(m.topics) })
}

// deserted says whether nothing is left of a group but its name.
func (g *group) deserted() bool {
	return !g.inhabited() && len(g.positions)+len(g.pending)+len(g.promised) == 0
}

// expectExpiry arms the scan for what may expire first.
func (c *Coordinator) expectExpiry() {
	var first sim.Time
	found := false
	for _, g := range c.groups {
		if g.deserted() {
			first, found = c.n.Wall(), true
		}
		for i := range g.positions {
			if at, ok := g.due(&g.positions[i]); ok && (!found || at < first) {
				first, found = at, true
			}
		}
	}
	if found {
		c.expect(first)
	}
}

// expectExpiryOfCommit arms the scan for positions of which a commit is no longer on its way. A scan that is armed comes before they expire, and
// then looks for the next.
func (c *Coordinator) expectExpiryOfCommit(g *group) {
	if !g.inhabited() || c.cfg.ExpireActive {
		c.expect(c.n.Wall().Add(c.cfg.OffsetsRetention))
	}
}

// expectExpiryOfUnsubscribed arms the scan for what a new generation reads no more.
func (c *Coordinator) expectExpiryOfUnsubscribed(g *group) {
	if slices.ContainsFunc(g.positions, func(p position) bool { return !g.subscribed(p.Topic) }) {
		c.expectExpiry()
	}
}

// expect arms the scan for the first multiple of RetentionCheck at which the wall clock, going on as it goes, has come to due.
func (c *Coordinator) expect(due sim.Time) {
	check := c.cfg.RetentionCheck
	wait := c.n.Now().Sub(c.loaded) + max(due.Sub(c.n.Wall()), 1)
	at := c.loaded.Add((wait + check - 1) / check * check)
	if c.scanAt > 0 && c.scanAt <= at {
		return
	}
	c.n.Cancel(c.scan)
	c.scanAt = at
	c.scan = c.n.AfterBackground(at.Sub(c.n.Now()), c.expire)
}

// expire is one scan.
func (c *Coordinator) expire() {
	c.scanAt = 0
	for _, g := range slices.Clone(c.groups) {
		if c.expireOf(g); !c.alive() {
			return
		}
	}
	c.expectExpiry()
}

// expireOf deletes what has expired of a group, and the group if nothing is left. They are gone when that is replicated.
func (c *Coordinator) expireOf(g *group) {
	b := wire.Batch{Sequence: -1}
	var gone []wire.TopicPartition
	for i := range g.positions {
		p := &g.positions[i]
		if at, ok := g.due(p); ok && at <= c.n.Wall() {
			b.Messages = append(b.Messages, message(offsetKey(g.name, p.Topic, p.Partition), ""))
			gone = append(gone, p.TopicPartition)
			p.leaving = true
		}
	}
	last := len(gone) == len(g.positions) && !g.inhabited() && len(g.pending)+len(g.promised) == 0
	if last {
		b.Messages = append(b.Messages, message(groupKey(g.name), ""))
	}
	if len(b.Messages) == 0 {
		return
	}
	c.seq++
	c.append(b, sim.Action{}, &write{done: func(err error) { c.deleted(g, gone, err) }, told: func(error) {}})
}

// deleted is what becomes of positions that have expired. A commit that is on its way lies behind the deletion in the log, and
// goes on. If the log refuses, the next scan tries again. A group of which nothing is left is dead.
func (c *Coordinator) deleted(g *group, gone []wire.TopicPartition, err error) {
	for _, at := range gone {
		i, _ := g.place(at.Topic, at.Partition)
		p := &g.positions[i]
		p.leaving = false
		switch {
		case err != nil:
		case p.under > 0:
			p.moved = moved{}
		default:
			g.positions = slices.Delete(g.positions, i, i+1)
		}
	}
	if err != nil {
		c.expectExpiry()
		return
	}
	if i, ok := c.index(g.name); ok && c.groups[i] == g && g.deserted() {
		c.groups = slices.Delete(c.groups, i, i+1)
	}
}
