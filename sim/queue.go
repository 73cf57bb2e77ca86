package sim

// queue is an indexed 4-ary heap over (at, ord). It holds small items; the events they stand for live in a slab
// and are named by slot. position[slot] is the item's place in the heap, so a cancelled event leaves at once:
// tombstones cost 2–2.7 times as much and let memory grow without bound.
//
// The event that is being executed leaves a hole at the root, which the first event it schedules fills: most events
// schedule one, and then one descent does the work of two.
type queue struct {
	heap     []item
	position []int32 // by slot; -1 = not queued
	hole     bool    // the root was taken
}

// item is one queued event: ord packs rank, tie and sequence, so that (at, ord) is a total order.
type item struct {
	at   Time
	ord  uint64
	slot int32
}

const (
	seqBits = 45
	tieBits = 16
	seqMax  = 1<<seqBits - 1
)

// order packs rank, tie and sequence into one word that compares like the tuple.
func order(r rank, tie uint16, seq uint64) uint64 {
	return uint64(r)<<(seqBits+tieBits) | uint64(tie)<<seqBits | seq
}

// rank orders the events of one instant: by phase, and within a phase first what a pause held back, since it was
// due before.
type rank uint8

func rankOf(p Phase) rank        { return 2 * rank(p) }
func resumedRankOf(p Phase) rank { return 2*rank(p) - 1 }

func (a *item) before(b *item) bool { return a.at < b.at || a.at == b.at && a.ord < b.ord }

// reset empties the queue and keeps its memory.
func (q *queue) reset() {
	q.heap = q.heap[:0]
	q.position = q.position[:0]
	q.hole = false
}

func (q *queue) len() int {
	if q.hole {
		return len(q.heap) - 1
	}
	return len(q.heap)
}

// least is the next item. The queue must not be empty.
func (q *queue) least() *item {
	q.close()
	return &q.heap[0]
}

// take removes and returns the least item, and leaves a hole. The queue must not be empty.
func (q *queue) take() item {
	q.close()
	top := q.heap[0]
	q.position[top.slot] = -1
	q.hole = true
	return top
}

// close fills the hole with the last item.
func (q *queue) close() {
	if !q.hole {
		return
	}
	q.hole = false
	last := len(q.heap) - 1
	moved := q.heap[last]
	q.heap = q.heap[:last]
	if last > 0 {
		q.down(0, moved)
	}
}

// push adds an event. Its slot must not be queued.
func (q *queue) push(it item) {
	for int(it.slot) >= len(q.position) {
		q.position = append(q.position, -1)
	}
	if q.position[it.slot] >= 0 {
		panic("sim: slot queued twice")
	}
	if q.hole {
		q.hole = false
		q.down(0, it)
		return
	}
	q.heap = append(q.heap, it)
	q.up(len(q.heap)-1, it)
}

// pop is take without a hole.
func (q *queue) pop() item {
	top := q.take()
	q.close()
	return top
}

// holds says whether a slot is queued.
func (q *queue) holds(slot int32) bool { return int(slot) < len(q.position) && q.position[slot] >= 0 }

// remove takes a queued slot out, wherever it stands; it reports whether the slot was queued.
func (q *queue) remove(slot int32) bool {
	if !q.holds(slot) {
		return false
	}
	q.close()
	i := int(q.position[slot])
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
