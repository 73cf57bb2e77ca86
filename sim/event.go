package sim

import "fmt"

// event is one scheduled thing, in a slab and named by its slot. What it carries depends on its kind. An event of
// a node belongs to one incarnation: when that ends, its events leave the queue with it. One field holds what any
// kind carries: at thousands of pending events, the time of an event is that of fetching it, and size is what counts.
type event struct {
	what       any    // func(), *Proc, *packet or *diskOp, by kind
	node       *Node  // nil = the world
	word       uint64 // what the digest sees of it
	gen        uint32 // counts the events that had this slot
	inc        int32  // of node
	kind       eventKind
	phase      Phase
	background bool
	live       bool // queued, or held back by a pause
}

type eventKind uint8

const (
	evNone eventKind = iota
	evFunc
	evWake   // a process's timeout
	evSignal // a process's wake-up by a broadcast
	evPacket
	evDisk
	evGiveUp // the timeout of a handler's call: word is the call
	evStream // a segment or an acknowledgement of a connection
	evStreamTimer
)

// eventTable names the event kinds in traces.
var eventTable = [...]string{"none", "func", "wake", "signal", "packet", "disk", "give-up", "stream", "stream-timer"}

// Handle names a scheduled event; the zero value names none. A handle outlives its event harmlessly.
type Handle struct {
	slot int32 // plus one
	gen  uint32
}

func (w *World) alloc() int32 {
	if n := len(w.free); n > 0 {
		slot := w.free[n-1]
		w.free = w.free[:n-1]
		return slot
	}
	w.events = append(w.events, event{})
	return int32(len(w.events) - 1)
}

// admit makes the event in slot pending. The caller has filled all but the bookkeeping and then queues or holds it.
func (w *World) admit(slot int32, p Phase) Handle {
	e := &w.events[slot]
	e.live, e.phase = true, p
	e.gen++
	if !e.background {
		w.foreground++
	}
	return Handle{slot + 1, e.gen}
}

// schedule queues the event in slot.
func (w *World) schedule(slot int32, at Time, p Phase, tie uint16) Handle {
	if at < w.now {
		panic(fmt.Sprintf("sim: event at %v scheduled at %v, in the past", at, w.now))
	}
	h := w.admit(slot, p)
	w.queue.push(item{at: at, ord: order(rankOf(p), tie, w.nextSeq()), slot: slot})
	if n := w.Pending(); n > w.limits.Queue {
		w.end(StopReason{Kind: StopLimit, Limit: "queue", Detail: fmt.Sprintf("%d pending events", n)})
	}
	return h
}

// requeue puts a held event back at the present instant, ahead of what is due now in its phase; its handle stays
// valid.
func (w *World) requeue(slot int32) {
	w.queue.push(item{at: w.now, ord: order(resumedRankOf(w.events[slot].phase), 0, w.nextSeq()), slot: slot})
}

func (w *World) nextSeq() uint64 {
	w.seq++
	if w.seq > seqMax {
		panic("sim: sequence overflow")
	}
	return w.seq
}

// release gives a slot back. What it pointed to stays until the slot is used again or the world is reset: the slab
// is bounded by what was live at once, and clearing costs more than that is worth.
func (w *World) release(slot int32) {
	e := &w.events[slot]
	if !e.background {
		w.foreground--
	}
	e.live = false
	w.free = append(w.free, slot)
}

// Cancel takes an event out of the queue and reports whether it was still pending.
func (w *World) Cancel(h Handle) bool {
	if h.slot == 0 {
		return false
	}
	slot := h.slot - 1
	e := &w.events[slot]
	if e.gen != h.gen || !e.live {
		return false
	}
	if !w.queue.remove(slot) {
		e.node.unhold(slot)
	}
	w.release(slot)
	return true
}

// dropEvents takes out everything that waits for the present incarnation of n, which ends: its timers, its disk
// completions, and what is on the wire to it.
func (w *World) dropEvents(n *Node) {
	n.backlog, w.held = n.backlog[:0], w.held-len(n.backlog)
	for slot := range w.events {
		if e := &w.events[slot]; e.live && e.node == n {
			w.queue.remove(int32(slot))
			w.release(int32(slot))
		}
	}
}

// At runs fn at t in the given phase, whatever happens to any node: faults and phase changes.
func (w *World) At(t Time, p Phase, fn func()) Handle { return w.at(t, p, fn, false) }

// AtBackground is At for work that must not keep a run from being quiescent.
func (w *World) AtBackground(t Time, p Phase, fn func()) Handle { return w.at(t, p, fn, true) }

func (w *World) at(t Time, p Phase, fn func(), background bool) Handle {
	w.living()
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.what, e.node, e.inc, e.word, e.background = evFunc, fn, nil, 0, 0, background
	return w.schedule(slot, t, p, 0)
}

// dispatch executes one event. Its slot is free before its code runs, so the code may reuse it.
func (w *World) dispatch(slot int32, e *event) {
	n := e.node
	if n == nil {
		w.dispatchWorld(slot, e)
		return
	}
	if n.paused {
		n.hold(slot)
		return
	}
	if e.inc != n.incarnation || !n.up {
		panic(fmt.Sprintf("sim: %s event for %s/%d, which is no more", eventTable[e.kind], n.name, e.inc))
	}
	switch e.kind {
	case evFunc:
		fn := e.what.(func())
		n.bg = e.background
		w.release(slot)
		w.handle(n, fn)
		n.bg = false
	case evWake, evSignal:
		p := e.what.(*Proc)
		p.timedOut = e.kind == evWake
		p.timer = Handle{}
		w.release(slot)
		w.resume(p)
	case evPacket:
		pkt := e.what.(*packet)
		w.release(slot)
		w.deliver(pkt)
		w.freePacket(pkt)
	case evGiveUp:
		id := e.word
		w.release(slot)
		w.finish(id, nil, ErrTimeout, 0)
	case evDisk:
		op := e.what.(*diskOp)
		w.release(slot)
		n.diskDone(op)
	default:
		panic("sim: event of no kind")
	}
}

// dispatchWorld executes an event that belongs to no node's process.
func (w *World) dispatchWorld(slot int32, e *event) {
	switch e.kind {
	case evStream:
		p := e.what.(*wirePacket)
		w.release(slot)
		w.arrived(p)
	case evStreamTimer:
		h, k := e.what.(*half), timerKind(e.word)
		w.release(slot)
		h.fired(k)
	default:
		fn := e.what.(func())
		w.release(slot)
		fn()
	}
}

// handle runs code of a node's handler.
func (w *World) handle(n *Node, fn func()) {
	if w.hooks.active() {
		w.guarded(n, fn)
		return
	}
	fn()
}

// guarded runs code of a node's handler in a world with watchers. Code whose node is stopped at its own hook
// unwinds to here, so that nothing acts for an incarnation that has ended. Any other panic passes.
func (w *World) guarded(n *Node, fn func()) {
	running, acting := w.running, w.acting
	w.running, w.acting = nil, actor{n, n.incarnation}
	defer func() {
		w.running, w.acting = running, acting
		if w.unwinding {
			w.unwinding = false
			_ = recover()
		}
	}()
	fn()
}

// actor is the incarnation whose handler code runs.
type actor struct {
	n   *Node
	inc int32
}

// living unwinds code that runs on in a dead process: deferred functions, code that recovered from its kill.
func (w *World) living() {
	if p := w.running; p != nil && (p.dead || w.closing) {
		p.die()
	}
}
