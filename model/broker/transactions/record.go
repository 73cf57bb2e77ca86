package transactions

import (
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// noEpoch is no epoch of a producer: its identity is not given out, or there was none before.
const noEpoch int32 = -1

// never is no time.
const never sim.Time = -1

// metadata is the value of the record of a transactional id: what a coordinator knows of it and what its successor will.
// It is a value; the partitions may be shared and are never changed.
type metadata struct {
	state      State
	version    int // of the protocol in which the state was entered
	producer   wire.ProducerID
	previous   int64 // the producer id before the last transition
	next       int64 // the producer id that the completion goes over to; 0 = it stays
	lastEpoch  int32 // the epoch before the last bump that its owner asked for: its retry is known by it
	timeout    sim.Duration
	partitions []wire.TopicPartition // in the order in which they were added
	began      sim.Time              // when the first partition was added, on the wall clock of the coordinator then
	updated    sim.Time              // of the last change, on the same
	cause      int64                 // the client's fact that led to its beginning; decides nothing
}

// fields of a record before its partitions.
const fields = 11

// encode is the value as the log holds it. The field that decides nothing is the last of the numbers.
func (m *metadata) encode() string {
	b := make([]byte, 0, 64+24*len(m.partitions))
	for _, v := range [fields]int64{
		int64(m.state), int64(m.version), m.producer.ID, int64(m.producer.Epoch), m.previous, m.next, int64(m.lastEpoch),
		int64(m.timeout), int64(m.began), int64(m.updated), m.cause,
	} {
		b = append(strconv.AppendInt(b, v, 10), ' ')
	}
	for i, p := range m.partitions {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, p.Topic...), '/')
		b = strconv.AppendInt(b, int64(p.Partition), 10)
	}
	return string(b)
}

// decode reads a value back. Only what encode has written is ever read: a log gives back whole batches or none.
func decode(text string) metadata {
	var v [fields]int64
	rest := text
	for i := range v {
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		v[i] = number(word, text)
	}
	m := metadata{
		state: State(v[0]), version: int(v[1]), producer: wire.ProducerID{ID: v[2], Epoch: int32(v[3])}, previous: v[4], next: v[5],
		lastEpoch: int32(v[6]), timeout: sim.Duration(v[7]), began: sim.Time(v[8]), updated: sim.Time(v[9]), cause: v[10],
	}
	if rest == "" {
		return m
	}
	for name := range strings.SplitSeq(rest, ",") {
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			panic("transactions: no record of a transaction: " + text)
		}
		m.partitions = append(m.partitions, wire.TopicPartition{Topic: name[:i], Partition: int(number(name[i+1:], text))})
	}
	return m
}

func number(word, text string) int64 {
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		panic("transactions: no record of a transaction: " + text)
	}
	return n
}
