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

// executedEvent is what Last needs: an EventRecord is built only when somebody asks.
type executedEvent struct {
	at    Time
	ord   uint64
	node  uint64 // id+1 and incarnation
	word  uint64
	phase Phase
	kind  eventKind
	bg    bool
}

const markEvery = 4096

// fold mixes the event into the digest: what happened, where and when; never memory or addresses.
func (w *World) fold(it item, e *event) {
	node := uint64(uint32(e.inc))
	if e.node != nil {
		node |= uint64(uint32(e.node.id)+1) << 32
	}
	w.digest = foldWords(w.digest, uint64(it.at), it.ord, node, e.word+uint64(e.kind)*kindStep)
	if w.executed%markEvery == 0 {
		w.marks = append(w.marks, w.digest)
	}
	w.last = executedEvent{it.at, it.ord, node, e.word, e.phase, e.kind, e.background}
}

const kindStep = 0xD1B54A32D192ED03 // odd: kinds and words do not meet

// foldWords takes four words into d. Each is multiplied by the state of a lane before the lanes meet, so that
// they do not wait for each other.
func foldWords(d, a, b, c, e uint64) uint64 {
	x := (d ^ a) * 0x9E3779B97F4A7C15
	y := (b*0xBF58476D1CE4E5B9 ^ c) * 0xD6E8FEB86659FD93
	x = (x ^ x>>32 ^ e) * 0x94D049BB133111EB
	y ^= y >> 29
	x = (x ^ x>>29 ^ y) * 0x9E3779B97F4A7C15
	return x ^ x>>32
}

// Last is the event executed most recently.
func (w *World) Last() EventRecord {
	l := w.last
	r := EventRecord{Time: l.at, Phase: l.phase, Seq: l.ord & seqMax, Incarnation: int32(l.node), Kind: eventTable[l.kind], Word: l.word, Digest: w.digest}
	if id := int(l.node >> 32); id > 0 {
		r.Node = w.nodes[id-1].name
	}
	return r
}

// Digest of the run so far: every event, the number of draws, and the history.
func (w *World) Digest() uint64 {
	return rng.Combine(rng.Combine(w.digest, w.draws), w.History.Digest())
}

// Marks are the digests after every 4,096 events.
func (w *World) Marks() []uint64 { return w.marks }
