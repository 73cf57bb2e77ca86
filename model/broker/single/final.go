package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// FinalState records what the log holds at the end: of a topic that members of groups read, every record that some group
// has not committed ("queue"); of a topic that has no such readers, a dead letter topic, every record behind the position
// of those who read it without being members, if there are any ("parked"). It reads the node's disk, so it works while
// the broker is down.
func FinalState(n *sim.Node) {
	disk := n.Disk()
	c := readCatalog(disk)
	for _, t := range c.topics {
		from, joined := c.positions(disk, t)
		how := "parked"
		if joined {
			how = "queue"
		}
		for i := range t.Partitions {
			held(n, model.PartitionName(t.Name, i), how, from[i])
		}
	}
}

// positions are those of the group that is furthest behind; joined is false when no group of the topic ever had members,
// so that nobody takes up by himself what is there.
func (c *catalog) positions(d *sim.Disk, t Topic) (from []int64, joined bool) {
	from = make([]int64, t.Partitions)
	read := false
	for _, g := range c.groups {
		if g.topic != t.Name {
			continue
		}
		s := readGroup(d, g.name, t.Partitions)
		for i := range from {
			if !read || s.committed[i] < from[i] {
				from[i] = s.committed[i]
			}
		}
		read, joined = true, joined || s.issued > 0
	}
	return from, joined
}

func held(n *sim.Node, name, how string, from int64) {
	records := n.Disk().Read(logFile(name))
	for i := from; i < int64(len(records)); i++ {
		m, whole := decode(records[i])
		if !whole { // torn by a power loss: the next boot cuts it off
			break
		}
		n.Held(m.Event, m.Stage, name, how, i)
	}
}

// decode reads a record of a node that may be down, whose last record may be torn: no proper prefix of an
// encoded message decodes.
func decode(record string) (m model.Message, whole bool) {
	defer func() { whole = recover() == nil }()
	return model.DecodeMessage(record), true
}
