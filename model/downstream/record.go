package downstream

import (
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// file is the name of a service's only file: what it did, in order.
const file = "effects"

// record is one atomic step of a service: the effect, the idempotency key it ran under and the rows it wrote
// become durable together or not at all.
type record struct {
	effect            bool // it is one application of an effect; otherwise only rows moved
	event, stage, key string
	op, result        string
	class             history.Class
	hash              uint64 // payload and amount
	attempt           int32
	cause             int64

	guard string // "" = no fence
	fence int64

	idemKey string // "" = none
	params  uint64 // what a repetition of the key must match
	wall    sim.Time

	writes []model.Write // of a database
	done   transacted    // of a database

	// Of a transaction of SQL statements: its changes, and its effects, of which one transaction may have several.
	changes []Change
	parts   []record
}

// applications are the effects that a record states.
func (r *record) applications() []record {
	if r.effect {
		return []record{*r}
	}
	return r.parts
}

// Effect is one applied effect as a service's disk holds it.
type Effect struct {
	Event, Stage, Key, Op, Result string
	Hash                          uint64
}

// Effects reads what a service has applied from its disk; the node may be down. A record torn by a power loss, which
// the next boot would cut off, is left out.
func Effects(n *sim.Node) []Effect {
	var out []Effect
	for _, rec := range records(n) {
		for _, a := range rec.applications() {
			out = append(out, Effect{a.event, a.stage, a.key, a.op, a.result, a.hash})
		}
	}
	return out
}

func records(n *sim.Node) []record {
	lines := n.Disk().Read(file)
	out := make([]record, 0, len(lines))
	for i, s := range lines {
		rec, ok := decode(s)
		if !ok && i == len(lines)-1 {
			break
		}
		if !ok {
			panic("downstream: damaged record " + strconv.Quote(s))
		}
		out = append(out, rec)
	}
	return out
}

// encode writes a record; one that is cut short anywhere does not decode.
func (r *record) encode() string {
	b := make([]byte, 0, 128)
	for _, s := range [...]string{r.event, r.stage, r.key, r.op, r.result, r.idemKey, r.guard} {
		b = model.AppendText(b, s)
	}
	for _, v := range [...]int64{flag(r.effect) + 2*flag(r.changes != nil) + 4*flag(r.done.store != ""), int64(r.class), int64(r.hash), int64(r.attempt), r.cause, int64(r.params), int64(r.wall), r.fence} {
		b = model.AppendNumber(b, v)
	}
	if r.done.store != "" {
		b = r.done.append(b)
	}
	if r.changes != nil {
		b = model.AppendNumber(b, int64(len(r.parts)))
	}
	for i := range r.parts {
		b = model.AppendText(b, r.parts[i].encode())
	}
	for i := range r.changes {
		b = model.AppendText(b, r.changes[i].encode())
	}
	for _, w := range r.writes {
		b = model.AppendText(b, w.Key)
		b = model.AppendText(b, w.Value)
	}
	return model.Seal(b)
}

func decode(s string) (r record, ok bool) {
	in, ok := model.Open(s)
	r.event, r.stage, r.key, r.op, r.result, r.idemKey, r.guard = in.Text(), in.Text(), in.Text(), in.Text(), in.Text(), in.Text(), in.Text()
	form := in.Number()
	r.effect, r.class, r.hash = form&1 != 0, history.Class(in.Number()), uint64(in.Number())
	r.attempt, r.cause, r.params, r.wall, r.fence = int32(in.Number()), in.Number(), uint64(in.Number()), sim.Time(in.Number()), in.Number()
	if form&4 != 0 {
		r.done.take(&in)
	}
	if form&2 != 0 {
		r.decodeChanges(&in)
	}
	for in.More() {
		r.writes = append(r.writes, model.Write{Key: in.Text(), Value: in.Text()})
	}
	return r, ok && !in.Bad
}

// decodeChanges takes what is left of the record of an SQL transaction.
func (r *record) decodeChanges(in *model.Fields) {
	for n := in.Number(); n > 0 && !in.Bad; n-- {
		part, ok := decode(in.Text())
		in.Bad = in.Bad || !ok
		r.parts = append(r.parts, part)
	}
	for in.More() {
		c, ok := decodeChange(in.Text())
		in.Bad = in.Bad || !ok
		r.changes = append(r.changes, c)
	}
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}
