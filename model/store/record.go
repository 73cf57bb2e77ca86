package store

import (
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// file is the name of a store's only file: the changes of its records, in order.
const file = "claims"

// name identifies a record.
type name struct{ event, stage string }

// state of a record; token is empty when absent.
type state struct {
	is    status
	token string
}

type status uint8

const (
	absent status = iota
	pending
	done
)

// change is one line of the file: a record's new state, when it came about by the store's wall clock, and the caller's fact
// that asked for it.
type change struct {
	name
	state
	at    sim.Time
	cause int64
}

// encode writes a change; one that is cut short anywhere does not decode.
func (c *change) encode() string {
	b := make([]byte, 0, 64)
	for _, s := range [...]string{c.event, c.stage, c.token} {
		b = model.AppendText(b, s)
	}
	b = model.AppendNumber(b, int64(c.is))
	b = model.AppendNumber(b, int64(c.at))
	return model.Seal(model.AppendNumber(b, c.cause))
}

func decode(s string) (c change, ok bool) {
	in, ok := model.Open(s)
	c.event, c.stage, c.token, c.is, c.at, c.cause = in.Text(), in.Text(), in.Text(), status(in.Number()), sim.Time(in.Number()), in.Number()
	return c, ok && !in.Bad && !in.More()
}

// changes reads a file of changes; the node may be down. A line torn by a power loss, which the next boot would cut off,
// is left out.
func changes(n *sim.Node, file string) []change {
	lines := n.Disk().Read(file)
	out := make([]change, 0, len(lines))
	for i, s := range lines {
		c, ok := decode(s)
		if !ok && i == len(lines)-1 {
			break
		}
		if !ok {
			panic("store: damaged record " + strconv.Quote(s))
		}
		out = append(out, c)
	}
	return out
}

// FinalState states what a store still holds undecided: one fact per pending record, in order of first insertion, and per
// row of an outbox that waits or is parked. Of
// several replicas the primary of the latest epoch speaks. It reads disks only, so it works while nodes are down.
func FinalState(nodes ...*sim.Node) {
	n := Primary(nodes)
	epoch, _ := lastTerm(n)
	all := changes(n, fileOf(epoch))
	last := make(map[name]state, len(all))
	for i := range all {
		last[all[i].name] = all[i].state
	}
	for i := range all {
		if last[all[i].name].is == pending {
			n.Held(all[i].event, all[i].stage, Service, "undecided", -1)
			delete(last, all[i].name)
		}
	}
	heldRows(n)
}
