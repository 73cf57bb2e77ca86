package broker

import (
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// The disk holds log/<topic>/<partition> (encoded messages), group/<name> (what a coordinator must not forget)
// and meta (which topics and groups there are: a disk lists no files). Records of the last two are packed fields.
const metaFile = "meta"

func groupFile(name string) string { return "group/" + name }

// pack seals fields, so that a torn record never unpacks.
func pack(fields ...string) string {
	var b []byte
	for _, f := range fields {
		b = model.AppendText(b, f)
	}
	return model.Seal(b)
}

// unpack is the inverse of pack; ok is false for a torn record.
func unpack(s string) (fields []string, ok bool) {
	in, ok := model.Open(s)
	for in.More() {
		fields = append(fields, in.Text())
	}
	return fields, ok && !in.Bad
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("broker: damaged record: " + err.Error())
	}
	return n
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

// catalog is what the meta file says.
type catalog struct {
	topics []Topic
	groups []struct{ name, topic string }
}

func topicRecord(t Topic) string            { return pack("topic", t.Name, strconv.Itoa(t.Partitions)) }
func groupRecord(name, topic string) string { return pack("group", name, topic) }

func readCatalog(d *sim.Disk) (c catalog) {
	for _, record := range d.Read(metaFile) {
		f, ok := unpack(record)
		switch {
		case !ok:
		case f[0] == "topic":
			c.topics = append(c.topics, Topic{f[1], int(number(f[2]))})
		case f[0] == "group":
			c.groups = append(c.groups, struct{ name, topic string }{f[1], f[2]})
		}
	}
	return c
}

func (c *catalog) partitions(topic string) int {
	for _, t := range c.topics {
		if t.Name == topic {
			return t.Partitions
		}
	}
	return 0
}

// A group's file has three kinds of records: a generation was issued, a generation was completed with these
// members and shares, positions were committed.

func issuedRecord(generation int64) string { return pack("issued", text(generation)) }

func completedRecord(generation int64, members []*member) string {
	f := []string{"completed", text(generation)}
	for _, m := range members {
		f = append(f, m.id, m.client, text(int64(m.session)), text(int64(m.rebalance)), packInts(m.share))
	}
	return pack(f...)
}

func committedRecord(offsets []model.PartitionOffset) string {
	f := []string{"committed"}
	for _, o := range offsets {
		f = append(f, strconv.Itoa(o.Partition), text(o.Offset))
	}
	return pack(f...)
}

func packInts(ns []int) string {
	f := make([]string, len(ns))
	for i, n := range ns {
		f[i] = strconv.Itoa(n)
	}
	return pack(f...)
}

func unpackInts(s string) (ns []int) {
	f, _ := unpack(s)
	for _, n := range f {
		ns = append(ns, int(number(n)))
	}
	return ns
}

// stored is what a group's file says: the newest of each.
type stored struct {
	issued, completed int64
	members           []*member
	committed         []int64 // by partition
}

func readGroup(d *sim.Disk, name string, partitions int) (s stored) {
	s.committed = make([]int64, partitions)
	for _, record := range d.Read(groupFile(name)) {
		f, ok := unpack(record)
		if !ok {
			continue
		}
		kind, f := f[0], f[1:]
		switch kind {
		case "issued":
			s.issued = number(f[0])
		case "completed":
			s.completed, s.members = number(f[0]), nil
			for f = f[1:]; len(f) > 0; f = f[5:] {
				s.members = append(s.members, &member{id: f[0], client: f[1],
					session: sim.Duration(number(f[2])), rebalance: sim.Duration(number(f[3])), share: unpackInts(f[4])})
			}
		case "committed":
			for ; len(f) > 0; f = f[2:] {
				s.committed[number(f[0])] = number(f[1])
			}
		}
	}
	return s
}
