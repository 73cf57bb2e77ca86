package model

import (
	"fmt"
	"strconv"
)

// PartitionOffset names a position: the next offset to read.
type PartitionOffset struct {
	Partition int
	Offset    int64
}

// PartitionName is "orders/3", the resource of facts and plans.
func PartitionName(topic string, partition int) string {
	return topic + "/" + strconv.Itoa(partition)
}

// Token is the fence as facts have it: -1 = none.
func (m *Message) Token() int64 {
	if m.Fence == 0 {
		return -1
	}
	return m.Fence
}

// Encode writes a message as a log's disk holds it.
func (m Message) Encode() string {
	return string(m.AppendTo(make([]byte, 0, 128+len(m.Payload)+len(m.Headers))))
}

// AppendTo appends what Encode writes.
func (m *Message) AppendTo(b []byte) []byte {
	for _, s := range [...]string{m.Event, m.Stage, m.Key, m.Correlation, m.Payload, m.Schema, m.IdempotencyKey, m.Headers} {
		b = AppendText(b, s)
	}
	for _, n := range [...]int64{m.Amount, int64(m.Attempt), m.Cause, m.Stored} {
		b = AppendNumber(b, n)
	}
	return b
}

// DecodeMessage is the inverse of Encode. A disk holds only what Encode wrote and the boot cut off what was
// torn, so anything else is a bug of ours: it panics.
func DecodeMessage(s string) Message {
	in := Fields{Rest: s}
	m := TakeMessage(&in)
	if in.Bad {
		panic(fmt.Sprintf("model: damaged record %q", s))
	}
	return m
}

// TakeMessage takes what AppendTo wrote off the front; it is worthless if in is bad then.
func TakeMessage(in *Fields) (m Message) {
	for _, field := range [...]*string{&m.Event, &m.Stage, &m.Key, &m.Correlation, &m.Payload, &m.Schema, &m.IdempotencyKey, &m.Headers} {
		*field = in.Text()
	}
	m.Amount, m.Attempt, m.Cause, m.Stored = in.Number(), int(in.Number()), in.Number(), in.Number()
	return m
}
