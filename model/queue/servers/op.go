package servers

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// op is one thing that a server did to the queue. Each server numbers its own from 0, and tells them to the others in that
// order. Those of different servers may be heard in any order.
type op struct {
	kind     opKind
	place    int64
	at       sim.Time // by the clock of who did it
	until    sim.Time // put: not before; hide: hidden until
	receives int32
	message  model.Message // of a put
}

type opKind uint8

// put: a message was stored. hide: it was received, or given back. gone: it was taken out. letter: a message was put into the
// queue of dead letters.
const (
	opPut opKind = iota
	opHide
	opGone
	opLetter
)

// file holds the ops that a server knows, its own and those of others, each as soon as it knows them.
const file = "queue"

// encode writes an op of a server, by its number.
func (o *op) encode(origin int, number int64) string {
	var b []byte
	for _, n := range [...]int64{int64(origin), number, int64(o.kind), o.place, int64(o.at), int64(o.until), int64(o.receives)} {
		b = model.AppendNumber(b, n)
	}
	if o.kind == opPut || o.kind == opLetter {
		b = model.AppendText(b, o.message.Encode())
	}
	return model.Seal(b)
}

// decode is the inverse of encode; ok is false for a torn record.
func decode(record string) (o op, origin int, number int64, ok bool) {
	in, ok := model.Open(record)
	if !ok {
		return op{}, 0, 0, false
	}
	origin, number = int(in.Number()), in.Number()
	o = op{kind: opKind(in.Number()), place: in.Number(), at: sim.Time(in.Number()), until: sim.Time(in.Number()), receives: int32(in.Number())}
	if o.kind == opPut || o.kind == opLetter {
		o.message = model.DecodeMessage(in.Text())
	}
	return o, origin, number, true
}

// A place says which server took the message in, and as its how many-th: so that places of all servers are about in the
// order of arrival.
const originBits = 4

func placeOf(origin int, position int64) int64 { return position<<originBits | int64(origin) }

func (o *op) origin() int     { return int(o.place & (1<<originBits - 1)) }
func (o *op) position() int64 { return o.place >> originBits }
