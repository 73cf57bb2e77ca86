package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// FinalState records what the log holds at the end: of a topic that groups read, every record that some group
// has not committed ("queue"); of a topic that nobody reads, a dead letter topic, every record ("parked"). It
// reads the node's disk, so it works while the broker is down.
func FinalState(n *sim.Node) {
	disk := n.Disk()
	c := readCatalog(disk)
	for _, t := range c.topics {
		from, read := c.positions(disk, t)
		how := "parked"
		if read {
			how = "queue"
		}
		for i := range t.Partitions {
			held(n, model.PartitionName(t.Name, i), how, from[i])
		}
	}
}

// positions are those of the group that is furthest behind; read is false when no group reads the topic.
func (c *catalog) positions(d *sim.Disk, t Topic) (from []int64, read bool) {
	from = make([]int64, t.Partitions)
	for _, g := range c.groups {
		if g.topic != t.Name {
			continue
		}
		committed := readGroup(d, g.name, t.Partitions).committed
		for i := range from {
			if !read || committed[i] < from[i] {
				from[i] = committed[i]
			}
		}
		read = true
	}
	return from, read
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
