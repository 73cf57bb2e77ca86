package sim

// queue is an indexed 4-ary heap over (at, ord). It holds small items; the events they stand for live in a slab
// and are named by slot. position[slot] is the item's place in the heap, so a cancelled event leaves at once:
// tombstones cost 2–2.7 times as much and let memory grow without bound.
type queue struct {
	heap     []item
	position []int32 // by slot; -1 = not queued
}

// item is one queued event: ord packs phase, tie and sequence, so that (at, ord) is a total order.
type item struct {
	at   Time
	ord  uint64
	slot int32
}

const (
	seqBits = 46
	tieBits = 16
	seqMax  = 1<<seqBits - 1
)

// order packs phase, tie and sequence into one word that compares like the tuple.
func order(p Phase, tie uint16, seq uint64) uint64 {
	return uint64(p)<<(seqBits+tieBits) | uint64(tie)<<seqBits | seq
}

func (a *item) before(b *item) bool { return a.at < b.at || a.at == b.at && a.ord < b.ord }

// reset empties the queue and keeps its memory.
func (q *queue) reset() {
	q.heap = q.heap[:0]
	q.position = q.position[:0]
}

// push adds an event. Its slot must not be queued.
func (q *queue) push(it item) {
	for int(it.slot) >= len(q.position) {
		q.position = append(q.position, -1)
	}
	if q.position[it.slot] >= 0 {
		panic("sim: slot queued twice")
	}
	q.heap = append(q.heap, it)
	q.up(len(q.heap)-1, it)
}

// pop removes and returns the least item. The queue must not be empty.
func (q *queue) pop() item {
	top := q.heap[0]
	q.position[top.slot] = -1
	last := len(q.heap) - 1
	moved := q.heap[last]
	q.heap = q.heap[:last]
	if last > 0 {
		q.down(0, moved)
	}
	return top
}

// remove takes a queued slot out, wherever it stands; it reports whether the slot was queued.
func (q *queue) remove(slot int32) bool {
	i := int(q.position[slot])
	if i < 0 {
		return false
	}
	q.position[slot] = -1
	last := len(q.heap) - 1
	moved := q.heap[last]
	q.heap = q.heap[:last]
	if i == last {
		return true
	}
	if i > 0 && moved.before(&q.heap[(i-1)/4]) {
		q.up(i, moved)
	} else {
		q.down(i, moved)
	}
	return true
}

// up and down move a hole instead of swapping: one store per level.
func (q *queue) up(i int, it item) {
	h, pos := q.heap, q.position
	for i > 0 {
		parent := (i - 1) / 4
		if !it.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		pos[h[i].slot] = int32(i)
		i = parent
	}
	h[i] = it
	pos[it.slot] = int32(i)
}

func (q *queue) down(i int, it item) {
	h, pos := q.heap, q.position
	n := len(h)
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, n); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&it) {
			break
		}
		h[i] = h[least]
		pos[h[i].slot] = int32(i)
		i = least
	}
	h[i] = it
	pos[it.slot] = int32(i)
}
