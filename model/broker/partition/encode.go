package partition

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// seal stands before a record: its length in as many digits, so that the front can be written last.
const seal = "0000000000:"

// Encode makes of a batch the record of a disk. What the reader of a message adds to it (topic, partition, offset,
// generation) and what belongs to calls (guard, fence, asked) is not in it.
func Encode(b *wire.Batch) string {
	out := append(make([]byte, 0, len(seal)+96+192*len(b.Messages)), seal...)
	flags := int64(b.Control) << 1
	if b.Transactional {
		flags |= 1
	}
	for _, n := range [...]int64{b.Base, int64(b.LeaderEpoch), b.Producer.ID, int64(b.Producer.Epoch), b.Sequence, flags,
		int64(b.CoordinatorEpoch), int64(b.Time), int64(len(b.Messages))} {
		out = model.AppendNumber(out, n)
	}
	for i := range b.Messages {
		out = b.Messages[i].AppendTo(out)
	}
	for i, n := len(seal)-2, len(out)-len(seal); n > 0; i, n = i-1, n/10 {
		out[i] = byte('0' + n%10)
	}
	return string(out)
}

// Decode is the inverse of Encode, with Raw set; ok is false for a record that is torn.
func Decode(raw string) (b wire.Batch, ok bool) {
	in, ok := model.Open(raw)
	if !ok {
		return wire.Batch{}, false
	}
	b = wire.Batch{Base: in.Number(), LeaderEpoch: int32(in.Number()), Producer: wire.ProducerID{ID: in.Number(), Epoch: int32(in.Number())},
		Sequence: in.Number(), Raw: raw}
	flags := in.Number()
	b.Transactional, b.Control = flags&1 != 0, wire.Control(flags>>1)
	b.CoordinatorEpoch, b.Time = int32(in.Number()), sim.Time(in.Number())
	if n := in.Number(); n > 0 && n <= int64(len(raw)) {
		b.Messages = make([]model.Message, n)
	}
	for i := range b.Messages {
		b.Messages[i] = model.TakeMessage(&in)
	}
	if in.Bad || in.Rest != "" {
		return wire.Batch{}, false
	}
	return b, true
}
