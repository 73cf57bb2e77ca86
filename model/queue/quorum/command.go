package quorum

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue/raft"
	"github.com/twiceless/twiceless/sim"
)

// Commands of the log. At is the leader's clock: the only time that the state knows, so that replicas agree on it.
type (
	put struct {
		letters     bool // into the queue of dead letters
		at, visible sim.Time
		base        int64
		messages    []model.Message
		ids         []string // "" = none
	}
	take struct {
		at         sim.Time
		consumer   string
		most       int
		visibility sim.Duration
	}
	ack struct {
		at       sim.Time
		consumer string
		handles  []int64
		facts    []int64
	}
	extend struct {
		at, until sim.Time
		handles   []int64
	}
	back struct {
		at           sim.Time
		consumer     string
		handles      []int64
		failed, drop bool
	}
	connect struct{ consumer string }
	end     struct {
		at       sim.Time
		consumer string
		skip     bool // see model.SkipsUnacknowledged
	}
	move struct { // what exceeded the limit leaves
		at    sim.Time
		place int64
		base  int64          // position there
		dead  *model.Message // into the queue of dead letters; nil = it is on its way by itself, or dropped
		gone  string         // dead-lettered or dropped
	}
)

// Kinds of commands, as the disk has them.
const (
	kindPut = iota + 1
	kindTake
	kindAck
	kindExtend
	kindBack
	kindConnect
	kindEnd
	kindMove
)

// encode writes a command as the log holds it.
func encode(c raft.Command) string {
	b := make([]byte, 0, 256)
	switch c := c.(type) {
	case put:
		b = numbers(b, kindPut, flag(c.letters), int64(c.at), int64(c.visible), c.base, int64(len(c.messages)))
		for i := range c.messages {
			b = model.AppendText(model.AppendText(b, c.messages[i].Encode()), c.ids[i])
		}
	case take:
		b = numbers(b, kindTake, int64(c.at), int64(c.most), int64(c.visibility))
		b = model.AppendText(b, c.consumer)
	case ack:
		b = model.AppendText(numbers(b, kindAck, int64(c.at)), c.consumer)
		b = list(list(b, c.handles), c.facts)
	case extend:
		b = list(numbers(b, kindExtend, int64(c.at), int64(c.until)), c.handles)
	case back:
		b = model.AppendText(numbers(b, kindBack, int64(c.at), flag(c.failed), flag(c.drop)), c.consumer)
		b = list(b, c.handles)
	case connect:
		b = model.AppendText(numbers(b, kindConnect), c.consumer)
	case end:
		b = model.AppendText(numbers(b, kindEnd, int64(c.at), flag(c.skip)), c.consumer)
	case move:
		b = model.AppendText(numbers(b, kindMove, int64(c.at), c.place, c.base, flag(c.dead != nil)), c.gone)
		if c.dead != nil {
			b = model.AppendText(b, c.dead.Encode())
		}
	default:
		panic(fmt.Sprintf("quorum: a command of type %T", c))
	}
	return string(b)
}

func numbers(b []byte, ns ...int64) []byte {
	for _, n := range ns {
		b = model.AppendNumber(b, n)
	}
	return b
}

func list(b []byte, ns []int64) []byte { return numbers(model.AppendNumber(b, int64(len(ns))), ns...) }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// decode is the inverse of encode, of a record that is whole.
func decode(raw string) raft.Command {
	in := &fields{model.Fields{Rest: raw}}
	var c raft.Command
	switch kind := in.Number(); kind {
	case kindPut:
		c = in.put()
	case kindTake:
		c = take{at: in.time(), most: int(in.Number()), visibility: sim.Duration(in.Number()), consumer: in.Text()}
	case kindAck:
		c = ack{at: in.time(), consumer: in.Text(), handles: in.list(), facts: in.list()}
	case kindExtend:
		c = extend{at: in.time(), until: in.time(), handles: in.list()}
	case kindBack:
		c = back{at: in.time(), failed: in.Number() == 1, drop: in.Number() == 1, consumer: in.Text(), handles: in.list()}
	case kindConnect:
		c = connect{consumer: in.Text()}
	case kindEnd:
		c = end{at: in.time(), skip: in.Number() == 1, consumer: in.Text()}
	case kindMove:
		c = in.move()
	default:
		panic(fmt.Sprintf("quorum: a command of kind %d", kind))
	}
	if in.Bad || in.More() {
		panic("quorum: damaged command " + raw)
	}
	return c
}

// fields of a command. Arguments of one call are evaluated from left to right, in the order of the record.
type fields struct{ model.Fields }

func (f *fields) time() sim.Time { return sim.Time(f.Number()) }

func (f *fields) list() []int64 {
	ns := make([]int64, f.Number())
	for i := range ns {
		ns[i] = f.Number()
	}
	return ns
}

func (f *fields) put() put {
	c := put{letters: f.Number() == 1, at: f.time(), visible: f.time(), base: f.Number()}
	for range f.Number() {
		c.messages = append(c.messages, model.DecodeMessage(f.Text()))
		c.ids = append(c.ids, f.Text())
	}
	return c
}

func (f *fields) move() move {
	c := move{at: f.time(), place: f.Number(), base: f.Number()}
	dead := f.Number() == 1
	c.gone = f.Text()
	if dead {
		m := model.DecodeMessage(f.Text())
		c.dead = &m
	}
	return c
}
