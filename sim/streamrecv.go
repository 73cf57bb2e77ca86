package sim

// receiver puts the segments of one half in order and acknowledges them.
type receiver struct {
	next    int64  // the byte that is awaited
	islands []span // what is there beyond, the latest first: disjoint, not touching
	held    int    // segments not acknowledged
}

// segment takes one that has arrived. What is not simply the next one is acknowledged at once, so that the sender knows;
// of the others every second one, and a single one when the delay is over.
func (h *half) segment(s span) {
	r := &h.receiver
	inOrder := len(r.islands) == 0 && s.from == r.next
	r.add(s)
	h.deliver()
	r.held++
	if !inOrder || r.held >= 2 {
		h.acknowledge()
		return
	}
	h.arm(timerAck, h.w.now.Add(h.w.stream.DelayedAck))
}

// acknowledge tells the sender what is there.
func (h *half) acknowledge() {
	h.receiver.held = 0
	h.disarm(timerAck)
	h.put(wireAck, span{0, h.receiver.next})
}

// ride has a segment of the other way tell the sender what is there.
func (h *half) ride() (upTo int64, blocks [3]span) {
	if h.receiver.held > 0 {
		h.receiver.held = 0
		h.disarm(timerAck)
	}
	return h.receiver.state()
}

func (r *receiver) state() (upTo int64, blocks [3]span) {
	copy(blocks[:], r.islands)
	return r.next, blocks
}

// add takes bytes that may be there already, in part.
func (r *receiver) add(s span) {
	if s.to <= r.next {
		return
	}
	s.from = max(s.from, r.next)
	kept := r.islands[:0]
	for _, i := range r.islands {
		if i.to < s.from || s.to < i.from {
			kept = append(kept, i)
			continue
		}
		s.from, s.to = min(s.from, i.from), max(s.to, i.to)
	}
	r.islands = kept
	if s.from == r.next {
		r.next = s.to
		return
	}
	r.islands = append(r.islands, span{})
	copy(r.islands[1:], r.islands)
	r.islands[0] = s
}
