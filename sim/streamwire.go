package sim

import "github.com/twiceless/twiceless/sim/rng"

// half is one way of a connection: its sender at from, its receiver at to.
type half struct {
	w        *World
	c        *conn
	from, to *Node
	hash     uint64
	packets  [wireKinds]int32 // drawn so far
	last     [wireKinds]Time  // when the latest of them arrives: a path is FIFO
	busy     Time             // the sender's line
	group    group
	sender   sender
	receiver receiver
	timers   [timerKinds]streamTimer
	messages []outgoing // not delivered yet
	fore     int        // of these, foreground
}

// group is the packet that the last segment has left in.
type group struct {
	at   Time
	end  int64
	took Duration
	left int // segments that it still takes
	full bool
	lost bool
}

// outgoing is a message in the stream.
type outgoing struct {
	end   int64 // the byte behind it
	pkt   *packet
	toInc int32
	bg    bool
}

type wireKind uint8

const (
	wireSegment wireKind = iota
	wireAck
	wireSyn
	wireKinds
)

// wirePacket is a segment or an acknowledgement on the wire.
type wirePacket struct {
	h      *half // whose data it is about
	kind   wireKind
	span   span    // wireSegment: its bytes
	upTo   int64   // what is there of the data that it acknowledges: a segment, that of the other way
	blocks [3]span // and beyond, the latest first
}

// span is a range of bytes of a stream; empty = none.
type span struct{ from, to int64 }

type streamTimer struct {
	handle Handle
	at     Time
	bg     bool
}

type timerKind uint8

const (
	timerRTO     timerKind = iota
	timerReorder           // RACK: a segment may only be late
	timerAck               // delayed acknowledgement
	timerDial              // the handshake again
	timerOpen              // the handshake is over
	timerReset             // the server learns that nobody is there
	timerKinds
)

func (h *half) begin(c *conn, from, to *Node, hash uint64) {
	h.w, h.c, h.from, h.to, h.hash = c.w, c, from, to, hash
	h.sender.begin(&c.w.stream)
}

// other is the way back.
func (h *half) other() *half {
	if h == &h.c.up {
		return &h.c.down
	}
	return &h.c.up
}

// queued counts the bytes that are not acknowledged.
func (h *half) queued() int64 { return h.sender.end - h.sender.una }

func (h *half) roomy() bool { return 3*h.queued() <= 2*int64(h.w.stream.SendBuffer) }

func (h *half) idle() bool { return h.queued() == 0 && len(h.messages) == 0 }

// passage draws one packet: how long it takes, or that it is lost.
func (h *half) passage(kind wireKind) (Duration, bool) {
	from, to := h.from, h.to
	if kind == wireAck {
		from, to = to, from
	}
	l, w := from.link(to), h.w
	h.packets[kind]++
	act := backgroundAct(h.hash, uint64(kind), h.packets[kind])
	took := Duration(w.latency.Quantile(w.Draw(rng.Background, act, 0))) + l.extra
	lost := l.cut || l.loss.Num > 0 && l.loss.Hit(w.Draw(rng.Loss, act, 1))
	return took, lost
}

// put puts a packet on the wire.
func (h *half) put(kind wireKind, s span) {
	w := h.w
	leaves := w.now
	if bw := w.stream.Bandwidth; bw > 0 && kind == wireSegment {
		h.busy = max(h.busy, w.now).Add(Duration((s.to - s.from) * int64(Second) / bw))
		leaves = h.busy
	}
	upTo, blocks := h.tells(kind)
	took, lost := h.fate(kind, s)
	if w.onWire != nil {
		lost = w.onWire(h, kind, s) || lost
	}
	if lost {
		return
	}
	at := max(h.last[kind], leaves.Add(took))
	if kind == wireSegment {
		at = max(at, h.plain())
	}
	h.last[kind] = at
	p := w.newWirePacket()
	p.h, p.kind, p.span, p.upTo, p.blocks = h, kind, s, upTo, blocks
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.what, e.node, e.inc, e.background = evStream, p, nil, 0, h.fore == 0
	e.word = h.hash ^ uint64(s.from)<<8 ^ uint64(kind)
	w.schedule(slot, at, PhaseDeliver, 0)
}

// tells is what a packet acknowledges, whether or not it arrives.
func (h *half) tells(kind wireKind) (upTo int64, blocks [3]span) {
	if kind == wireAck {
		return h.receiver.state()
	}
	return h.other().ride()
}

// fate is that of a packet: of its own, or of the one that the segment before has left in.
func (h *half) fate(kind wireKind, s span) (Duration, bool) {
	g := &h.group
	if kind == wireSegment && g.full && g.at == h.w.now && g.end == s.from && g.left > 0 {
		g.left--
	} else {
		took, lost := h.passage(kind)
		if kind != wireSegment {
			return took, lost
		}
		*g = group{at: h.w.now, took: took, lost: lost, left: h.w.stream.Offload - 1}
	}
	g.end, g.full = s.to, s.to-s.from == int64(h.w.stream.Segment)
	return g.took, g.lost
}

// plain is when the last message arrives that went between these two before the connection was a stream.
func (h *half) plain() Time {
	if l := h.from.link(h.to); l.fromInc == h.from.incarnation && l.toInc == h.to.incarnation {
		return l.last
	}
	return 0
}

// take puts a message behind what the stream holds.
func (h *half) take(pkt *packet, toInc int32, bg bool) {
	h.sender.end += wireSize(pkt.body)
	h.messages = append(h.messages, outgoing{end: h.sender.end, pkt: pkt, toInc: toInc, bg: bg})
	if !bg {
		h.fore++
		h.foreground()
	}
	h.pump()
}

// deliver hands over the messages whose last byte is there.
func (h *half) deliver() {
	w, k := h.w, 0
	for ; k < len(h.messages) && h.messages[k].end <= h.receiver.next; k++ {
		m := h.messages[k]
		if !m.bg {
			h.fore--
		}
		if !h.to.up || h.to.incarnation != m.toInc {
			w.freePacket(m.pkt)
			continue
		}
		m.pkt.conn = h.c
		w.schedulePacket(m.pkt, m.toInc, w.now, m.bg)
	}
	h.messages = append(h.messages[:0], h.messages[k:]...)
}

// drop forgets what was not delivered, and every timer. What is on the wire meets a connection that is over.
func (h *half) drop() {
	for _, m := range h.messages {
		h.w.freePacket(m.pkt)
	}
	h.messages, h.fore = nil, 0
	for k := range timerKinds {
		h.disarm(k)
	}
	h.sender.una, h.sender.next, h.sender.flight, h.sender.pipe = h.sender.end, h.sender.end, nil, 0
}

// arm sets a timer of the machine, in place of the one of its kind.
func (h *half) arm(k timerKind, at Time) {
	t, w := &h.timers[k], h.w
	if t.handle != (Handle{}) && t.at == at && t.bg == (h.fore == 0) {
		return
	}
	w.Cancel(t.handle)
	t.at, t.bg = at, h.fore == 0
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.what, e.node, e.inc, e.background = evStreamTimer, h, nil, 0, t.bg
	e.word = uint64(k)
	t.handle = w.schedule(slot, at, PhaseTimer, 0)
}

func (h *half) disarm(k timerKind) {
	h.w.Cancel(h.timers[k].handle)
	h.timers[k].handle = Handle{}
}

// foreground has the timers that are armed keep the run going: something in the stream matters.
func (h *half) foreground() {
	for k := range timerKinds {
		if t := &h.timers[k]; t.handle != (Handle{}) && t.bg {
			h.arm(k, t.at)
		}
	}
}

// fired runs a timer.
func (h *half) fired(k timerKind) {
	h.timers[k].handle = Handle{}
	switch k {
	case timerRTO:
		h.timedOut()
	case timerReorder:
		h.detect()
		h.pump()
	case timerAck:
		h.acknowledge()
	case timerDial:
		h.c.dial()
	case timerOpen:
		h.c.opened()
	case timerReset:
		h.c.end()
	}
}

// arrived is a packet at its end of the wire.
func (w *World) arrived(p *wirePacket) {
	h := p.h
	switch {
	case h.c.over:
	case p.kind == wireSegment && h.c.closed && h == &h.c.down:
		h.c.end() // the client's machine answers that nobody is there
	case p.kind == wireSegment:
		h.other().acked(p.upTo, p.blocks)
		if !h.c.over {
			h.segment(p.span)
		}
	default:
		h.acked(p.upTo, p.blocks)
	}
	if h.c.closed && !h.c.over && h.c.up.idle() {
		h.c.end()
	}
	p.h = nil
	w.wirePackets = append(w.wirePackets, p)
}

func (w *World) newWirePacket() *wirePacket {
	if k := len(w.wirePackets); k > 0 {
		p := w.wirePackets[k-1]
		w.wirePackets = w.wirePackets[:k-1]
		return p
	}
	return &wirePacket{}
}
