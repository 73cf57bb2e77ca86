package groups

import (
	"github.com/twiceless/twiceless/model/wire"
)

// Load rebuilds the groups, their positions and what is pending of open transactions. Sessions begin anew: nobody knows when a
// member was last heard of. What the former coordinator had not written is gone: ids that were promised, who was
// waiting at which barrier, a generation without an assignment. Its members learn that by an answer, and join again.
//
// Every position that is found is stated as committed, because nobody can know whether the former coordinator lived to do
// so. That names the request behind it if it may be news, that is if no later generation has completed since.
func (c *Coordinator) Load(batches []wire.Batch) {
	if c.seq > 0 || len(c.groups) > 0 {
		panic("groups: loaded twice")
	}
	c.loaded = c.n.Now()
	records := map[string]string{} // of groups, by name
	for i := range batches {
		c.seq++
		c.replay(&batches[i], records)
		c.foreign = batches[i].Next()
	}
	groups := c.groups[:0]
	for _, g := range c.groups {
		if record := records[g.name]; record != "" {
			g.decode(record)
		}
		if g.generation > 0 || len(g.positions) > 0 || len(g.pending) > 0 {
			groups = append(groups, g)
		}
	}
	clear(c.groups[len(groups):])
	c.groups = groups
	for _, g := range c.groups {
		g.resume()
	}
	c.n.OnSkew(func() {
		if c.alive() {
			c.expectExpiry()
		}
	})
	c.expectExpiry()
}

// replay takes up one batch.
func (c *Coordinator) replay(b *wire.Batch, records map[string]string) {
	if b.Control != wire.Data {
		for _, g := range c.groups {
			c.endPending(g, b, 0, false)
		}
		return
	}
	for i := range b.Messages {
		m := &b.Messages[i]
		name, topic, partition := parseKey(m.Key)
		g := c.create(name)
		switch {
		case topic == "":
			records[name] = m.Payload
		case m.Payload == "":
			if i, ok := g.place(topic, partition); ok {
				g.positions = append(g.positions[:i], g.positions[i+1:]...)
			}
		default:
			o := decodeOffset(m.Payload)
			o.seq = c.seq
			if !b.Transactional {
				g.take(topic, partition, o)
				continue
			}
			at := wire.TopicPartition{Topic: topic, Partition: partition}
			g.pending = append(g.pending, pendingOffset{TopicPartition: at, moved: o, producer: b.Producer.ID})
		}
	}
}

// resume begins the life of a group that was loaded.
func (g *group) resume() {
	for _, m := range g.members {
		m.expire = func() { g.expired(m) }
		g.touch(m)
	}
	switch {
	case g.server != nil:
		g.server.resume(g)
	case g.state == Stable:
		g.completed("loaded")
	}
	for i := range g.positions {
		p := &g.positions[i]
		said := p.moved
		if said.generation != g.generation {
			said.fact = 0
		}
		g.c.committed(g, p.Topic, p.Partition, &said, "", 0)
	}
}
