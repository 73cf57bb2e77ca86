package groups

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// What the offsets topic holds: for each group its members and their shares, under the key of the group, and for each of its
// positions a record of its own. The last record of a key counts, and an empty one deletes it.
const (
	groupTag  = "group"
	offsetTag = "offset"
)

func groupKey(name string) string {
	return string(model.AppendText(model.AppendText(nil, groupTag), name))
}

func offsetKey(group, topic string, partition int) string {
	b := model.AppendText(make([]byte, 0, 64), offsetTag)
	b = model.AppendText(model.AppendText(b, group), topic)
	return string(model.AppendNumber(b, int64(partition)))
}

// parseKey is the inverse of both; topic is "" for a group.
func parseKey(key string) (group, topic string, partition int) {
	in := model.Fields{Rest: key}
	switch tag := in.Text(); tag {
	case groupTag:
		group = in.Text()
	case offsetTag:
		group, topic, partition = in.Text(), in.Text(), int(in.Number())
	default:
		in.Bad = true
	}
	mustBeWhole(&in, key)
	return group, topic, partition
}

// mustBeWhole panics over what no coordinator has written: the log gives back what it was given.
func mustBeWhole(in *model.Fields, record string) {
	if in.Bad || in.Rest != "" {
		panic(fmt.Sprintf("groups: damaged record %q", record))
	}
}

// encode writes a position as a record's payload.
func (o *moved) encode() string {
	b := make([]byte, 0, 64)
	for _, n := range [...]int64{o.offset, int64(o.epoch), int64(o.time), o.generation, o.fact} {
		b = model.AppendNumber(b, n)
	}
	return string(model.AppendText(b, o.event))
}

func decodeOffset(payload string) (o moved) {
	in := model.Fields{Rest: payload}
	o.offset, o.epoch, o.time, o.generation, o.fact = in.Number(), int32(in.Number()), sim.Time(in.Number()), in.Number(), in.Number()
	o.event = in.Text()
	mustBeWhole(&in, payload)
	return o
}

// encode writes a group as a record's payload: first what both protocols have.
func (g *group) encode() string {
	b := make([]byte, 0, 512)
	b = model.AppendNumber(b, g.generation)
	b = appendBool(b, g.server != nil)
	if g.server != nil {
		return string(g.server.append(b))
	}
	b = appendBool(b, g.classic)
	b = model.AppendNumber(b, int64(g.emptied))
	b = model.AppendText(model.AppendText(b, g.protocol), g.leader)
	b = model.AppendNumber(b, int64(len(g.members)))
	for _, m := range g.members {
		b = m.append(b)
	}
	return string(b)
}

// decode is the inverse. A classic group that has members had completed its generation: no other is written.
func (g *group) decode(payload string) {
	in := model.Fields{Rest: payload}
	g.generation = in.Number()
	if takeBool(&in) {
		g.server = &server{}
		g.server.take(&in)
		mustBeWhole(&in, payload)
		return
	}
	g.classic = takeBool(&in)
	g.emptied = sim.Time(in.Number())
	g.protocol, g.leader = in.Text(), in.Text()
	for range in.Number() {
		g.members = append(g.members, takeMember(&in))
	}
	mustBeWhole(&in, payload)
	if len(g.members) > 0 {
		g.state = Stable
	}
}

func (m *member) append(b []byte) []byte {
	for _, s := range [...]string{m.id, m.instance, m.client} {
		b = model.AppendText(b, s)
	}
	b = model.AppendNumber(model.AppendNumber(b, int64(m.session)), int64(m.rebalance))
	b = appendTexts(b, m.topics)
	b = appendPartitions(b, m.share)
	b = model.AppendNumber(b, int64(len(m.protocols)))
	for i := range m.protocols {
		p := &m.protocols[i]
		b = model.AppendNumber(model.AppendText(b, p.Name), p.Generation)
		b = appendPartitions(b, p.Owned)
	}
	return b
}

func takeMember(in *model.Fields) *member {
	m := &member{id: in.Text(), instance: in.Text(), client: in.Text(), synced: true}
	m.session, m.rebalance = sim.Duration(in.Number()), sim.Duration(in.Number())
	m.topics, m.share = takeTexts(in), takePartitions(in)
	for range in.Number() {
		m.protocols = append(m.protocols, wire.Protocol{Name: in.Text(), Generation: in.Number(), Owned: takePartitions(in)})
	}
	return m
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return model.AppendNumber(b, 1)
	}
	return model.AppendNumber(b, 0)
}

func takeBool(in *model.Fields) bool { return in.Number() == 1 }

func appendTexts(b []byte, list []string) []byte {
	b = model.AppendNumber(b, int64(len(list)))
	for _, s := range list {
		b = model.AppendText(b, s)
	}
	return b
}

func takeTexts(in *model.Fields) (list []string) {
	for range in.Number() {
		list = append(list, in.Text())
	}
	return list
}

func appendPartitions(b []byte, list []wire.TopicPartition) []byte {
	b = model.AppendNumber(b, int64(len(list)))
	for _, p := range list {
		b = model.AppendNumber(model.AppendText(b, p.Topic), int64(p.Partition))
	}
	return b
}

func takePartitions(in *model.Fields) (list []wire.TopicPartition) {
	for range in.Number() {
		list = append(list, wire.TopicPartition{Topic: in.Text(), Partition: int(in.Number())})
	}
	return list
}

// byPartition orders by topic and partition.
func byPartition(a, b wire.TopicPartition) int {
	if c := strings.Compare(a.Topic, b.Topic); c != 0 {
		return c
	}
	return cmp.Compare(a.Partition, b.Partition)
}

func sortPartitions(list []wire.TopicPartition) { slices.SortFunc(list, byPartition) }
