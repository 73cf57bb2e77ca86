package sim

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/rng"
)

// EventRecord is one executed event as the digest sees it.
type EventRecord struct {
	Time        Time
	Phase       Phase
	Seq         uint64
	Node        string
	Incarnation int32
	Kind        string
	Word        uint64
	Digest      uint64 // after it
}

// String is one line of a trace.
func (r EventRecord) String() string {
	return fmt.Sprintf("t=%-12v phase %d seq %d %s/%d %s word %016x digest %016x",
		r.Time, r.Phase, r.Seq, r.Node, r.Incarnation, r.Kind, r.Word, r.Digest)
}

const markEvery = 4096

// fold mixes the event into the digest: what happened, where and when; never memory or addresses.
func (w *World) fold(it item, e *event) {
	var node uint64
	if e.node != nil {
		node = uint64(uint32(e.node.id)+1)<<32 | uint64(uint32(e.inc))
	}
	d := w.digest
	d = (d ^ uint64(it.at)) * 0x9E3779B97F4A7C15
	d ^= d >> 32
	d = (d ^ it.ord) * 0xD6E8FEB86659FD93
	d ^= d >> 32
	d = (d ^ node ^ e.word ^ uint64(e.kind)<<56) * 0x9E3779B97F4A7C15
	w.digest = d ^ d>>29
	if w.executed%markEvery == 0 {
		w.marks = append(w.marks, w.digest)
	}
	w.last = EventRecord{Time: it.at, Phase: e.phase, Seq: it.ord & seqMax, Incarnation: e.inc, Kind: eventTable[e.kind], Word: e.word, Digest: w.digest}
	if e.node != nil {
		w.last.Node = e.node.name
	}
}

// Last is the event executed most recently.
func (w *World) Last() EventRecord { return w.last }

// Digest of the run so far: every event, the number of draws, and the history.
func (w *World) Digest() uint64 {
	return rng.Combine(rng.Combine(w.digest, w.draws), w.History.Digest())
}

// Marks are the digests after every 4,096 events.
func (w *World) Marks() []uint64 { return w.marks }

