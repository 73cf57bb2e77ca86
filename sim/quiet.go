package sim

import "slices"

// A quiet time is a stretch in which nothing comes from outside and all that happens is background work: heartbeats,
// long polls that park and expire, sessions that are renewed. It is executed by whole cycles at once. How that is
// right:
//
//   - In quiet time a message that belongs to no action takes no time and draws nothing. So idle work is exactly
//     periodic, no counter of a draw moves, and what is drawn afterwards is what would have been drawn. The alternative,
//     drawn latencies, never repeats: each cycle is longer than the one before by another draw, and to know where it
//     ends one must draw them all.
//   - The world is compared with itself: all that is pending, its order, and how far away it is. Between two equal
//     states nothing may have happened but background events: no fact, no draw, no hook that somebody watches.
//   - An event that was pending all through the cycle is standing: a timer of an hour, the end of the quiet time. No
//     leap reaches one.
//   - Only global time and the times of the moving events change. So all clocks go on, and whoever reads one at use
//     (expiry) reads the truth. What a component notes again in each cycle it moves itself: see Node.OnLeap.
//
// What lies outside the queue the kernel cannot compare: idle work must be memoryless, so that what it does next
// follows from what is pending. A component that counts its idle cycles and acts on the count needs a standing timer
// instead. Timers of one node are told apart by when they are due alone. A node whose monotonic clock drifts rounds
// each timer differently, so a world with one is executed event by event.
type quiet struct {
	on     bool
	anchor anchor
	moving []pending // scratch

	ahead Time   // what runs beside has come so far in a leap
	asks  func() // and asks for this; nil = nothing
}

// anchor is the state that later ones are compared with.
type anchor struct {
	set      bool
	at       Time
	seq      uint64
	kind     eventKind // of the event that led to it
	node     uint64
	executed int64
	window   int64 // events until a later anchor is tried: doubled each time, so that a start that never comes again does no harm
	still    stillness
	pending  []pending
}

// stillness is what must not change while nothing happens.
type stillness struct {
	facts      int
	draws      uint64
	passed     int64
	foreground int64
}

// pending is one queued event as cycles are compared by: without the names of calls, which count up.
type pending struct {
	in   Duration // from the anchor
	ord  uint64   // phase and tie
	slot int32
	gen  uint32
	node int32
	inc  int32
	kind eventKind
	tag  uint64 // which process; which message from whom
}

// firstWindow is how many events the first anchor is kept.
const firstWindow = 64

// Quiet says that for d nothing comes from outside, and runs then at its end. Messages that belong to no action take
// no time until then, and idle cycles are skipped. Foreground work may go on all the same: it is executed as ever.
func (w *World) Quiet(d Duration, then func()) {
	w.quiet.on = true
	w.quiet.anchor.set, w.quiet.anchor.window = false, firstWindow
	w.At(w.now.Add(d), PhaseFault, func() {
		w.quiet.on = false
		then()
	})
}

// OnLeap has fn called when idle cycles were skipped, until this incarnation ends: what the node noted at since or
// later it would have noted again, by later. Both are of its monotonic clock.
func (n *Node) OnLeap(fn func(since Time, by Duration)) { n.onLeap = append(n.onLeap, fn) }

// rest looks for a cycle after each event of a quiet time.
func (w *World) rest() {
	a := &w.quiet.anchor
	switch {
	case !a.set || a.still != w.stillness() || w.held > 0:
		a.window = firstWindow
		w.setAnchor()
	case a.kind == w.last.kind && a.node == w.last.node && w.now > a.at && w.repeats():
		w.leap()
		w.setAnchor()
	case w.executed-a.executed >= a.window:
		a.window *= 2
		w.setAnchor()
	}
}

func (w *World) stillness() stillness {
	return stillness{w.History.Len(), w.draws, w.hooks.passed, w.executed - w.background}
}

func (w *World) setAnchor() {
	a := &w.quiet.anchor
	a.set, a.at, a.seq, a.kind, a.node, a.executed, a.still = true, w.now, w.seq, w.last.kind, w.last.node, w.executed, w.stillness()
	a.pending = w.appendPending(a.pending[:0], 0)
}

// appendPending adds what was scheduled after the sequence number, in order.
func (w *World) appendPending(to []pending, after uint64) []pending {
	w.queue.close()
	for _, it := range w.queue.heap {
		if it.ord&seqMax > after {
			e := &w.events[it.slot]
			p := pending{in: it.at.Sub(w.now), ord: it.ord, slot: it.slot, gen: e.gen, node: -1, inc: e.inc, kind: e.kind, tag: e.tag()}
			if e.node != nil {
				p.node = e.node.id
			}
			to = append(to, p)
		}
	}
	slices.SortFunc(to, func(a, b pending) int {
		if a.in == b.in && a.ord < b.ord || a.in < b.in {
			return -1
		}
		return 1
	})
	for i := range to {
		to[i].ord >>= seqBits
	}
	return to
}

// tag says which of its kind an event is, the same in each cycle.
func (e *event) tag() uint64 {
	switch e.kind {
	case evWake, evSignal:
		return e.word
	case evGiveUp:
		return e.node.w.giveUpTag(e.word)
	case evPacket:
		pkt := e.what.(*packet)
		return uint64(pkt.from.id)<<40 | uint64(pkt.op)<<8 | uint64(pkt.kind)
	}
	return 0
}

// repeats says whether the moving events are again what they were at the anchor.
func (w *World) repeats() bool {
	q := &w.quiet
	q.moving = w.appendPending(q.moving[:0], q.anchor.seq)
	i := 0
	for _, p := range q.anchor.pending {
		if w.queue.holds(p.slot) && w.events[p.slot].gen == p.gen {
			continue // standing
		}
		if i == len(q.moving) {
			return false
		}
		m := q.moving[i]
		m.slot, m.gen = p.slot, p.gen
		if m != p {
			return false
		}
		i++
	}
	return i == len(q.moving)
}

// leap skips as many whole cycles as fit before the next standing event.
func (w *World) leap() {
	q := &w.quiet
	cycle, room := w.now.Sub(q.anchor.at), Duration(1<<62)
	for _, it := range w.queue.heap {
		if it.ord&seqMax <= q.anchor.seq {
			room = min(room, it.at.Sub(w.now)-1)
		}
	}
	by := room / cycle * cycle
	if w.everyEvent || by <= 0 || slices.ContainsFunc(w.nodes, (*Node).drifts) {
		return
	}
	if by = w.leapBeside(by, cycle); by <= 0 {
		return
	}
	for _, p := range q.moving {
		it := w.queue.heap[w.queue.position[p.slot]]
		w.queue.remove(p.slot)
		it.at = it.at.Add(by)
		w.queue.push(it)
	}
	before := w.now
	w.now = w.now.Add(by)
	for _, n := range w.nodes {
		n.leapt(q.anchor.at, before, by)
	}
}

// leapBeside has what runs beside come along, and shortens a leap by the cycles behind which it asks for something. What is
// executed up to then is idle and has no answers for it.
func (w *World) leapBeside(by, cycle Duration) Duration {
	if w.beside == nil {
		return by
	}
	at, asks := w.beside.Reach(w.now.Add(by))
	if asks == nil {
		return by
	}
	w.quiet.ahead, w.quiet.asks = at, asks
	return at.Sub(w.now) / cycle * cycle
}

// drifts says whether the node runs with a monotonic clock that is not true.
func (n *Node) drifts() bool { return n.up && n.mono.ppm != 0 }

// leapt moves what the node and its connections note in each cycle.
func (n *Node) leapt(since, before Time, by Duration) {
	for i := range n.links {
		if l := &n.links[i]; l.last > before { // on the wire
			l.last = l.last.Add(by)
		}
	}
	for _, fn := range n.onLeap {
		fn(Time(n.mono.read(since)), by)
	}
}
