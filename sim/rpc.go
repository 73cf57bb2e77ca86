package sim

import (
	"errors"

	"github.com/twiceless/twiceless/sim/rng"
)

// What a caller may learn of a call that did not come back with a reply. ErrRefused is definite: the request
// never reached anyone. The others are indeterminate: the request may have been applied, or may yet be.
var (
	ErrRefused = errors.New("connection refused")
	ErrReset   = errors.New("connection reset")
	ErrTimeout = errors.New("timeout")
)

// call is one open call of a process. Its slot is reused under a new generation, so a late reply finds nobody.
type call struct {
	gen     uint32
	p       *Proc
	to      *Node
	toInc   int32
	op      Op
	act     Action
	timeout Handle
}

type packetKind uint8

const (
	pktRequest packetKind = iota
	pktReply
	pktReset // the connection is gone: code says how
)

// packet is one message on the wire. Bodies are values: nothing aliases across nodes.
type packet struct {
	kind    packetKind
	from    *Node
	fromInc int32
	to      *Node
	op      Op
	call    uint64
	act     Action
	fact    int64
	body    any
	err     error
}

// Request is a call as its service sees it.
type Request struct {
	Op     string // service.op
	From   string // caller's node
	Action Action
	Body   any
	Fact   int64 // the caller's fact that led here

	w       *World
	at      *Node
	inc     int32
	from    *Node
	fromInc int32
	op      Op
	call    uint64
	bg      bool
	done    bool
}

// Background says whether the caller flagged the call as background.
func (r *Request) Background() bool { return r.bg }

// Applied marks the step at which the service's state has changed durably.
func (r *Request) Applied() {
	if r.at.up && r.at.incarnation == r.inc {
		r.w.step(r.op, stepApplied, r.at, r.from, &r.Action)
	}
}

// Alive says whether the incarnation that received the request still runs: a completion asks before it goes on.
func (r *Request) Alive() bool { return r.at.up && r.at.incarnation == r.inc }

// Reply answers, once. fact is the service's fact that the reply rests on.
func (r *Request) Reply(body any, fact int64) { r.reply(body, nil, fact, r.bg) }

// ReplyForeground answers a background request with work in it: records for a parked poll.
func (r *Request) ReplyForeground(body any, fact int64) { r.reply(body, nil, fact, false) }

// Fail answers with an error of the service.
func (r *Request) Fail(err error, fact int64) { r.reply(nil, err, fact, r.bg) }

func (r *Request) reply(body any, err error, fact int64, bg bool) {
	if !r.Alive() {
		return
	}
	if r.done {
		panic("sim: " + r.Op + " replied twice")
	}
	r.done = true
	if r.call == 0 { // nobody waits
		return
	}
	if r.w.step(r.op, stepReplied, r.at, r.from, &r.Action) || !r.Alive() {
		return
	}
	r.w.send(packet{kind: pktReply, from: r.at, fromInc: r.inc, to: r.from, op: r.op, call: r.call, act: r.Action, fact: fact, body: body, err: err},
		r.fromInc, rng.ReplyLatency, bg)
}

// link is what a node knows of the way to a peer: when the last message arrives, and whether it is cut.
type link struct {
	last    Time
	cut     bool
	extra   Duration
	counter int32
	hash    uint64
}

func (n *Node) link(to *Node) *link {
	for len(n.links) <= int(to.id) {
		n.links = append(n.links, link{})
	}
	l := &n.links[to.id]
	if l.hash == 0 {
		l.hash = rng.Combine(n.hash, to.hash)
	}
	return l
}

// Cut makes messages from n to peer vanish, silently; Mend ends that.
func (n *Node) Cut(to *Node) { n.link(to).cut = true }

// Mend ends a Cut.
func (n *Node) Mend(to *Node) { n.link(to).cut = false }

// Slow adds d to every message from n to peer; 0 ends it.
func (n *Node) Slow(to *Node, d Duration) { n.link(to).extra = d }

// delay draws the latency of one message: keyed by its action, or by link and counter if it has none.
func (w *World) delay(l *link, p *packet, purpose rng.Purpose) Duration {
	act := p.act
	if act.hash == 0 {
		l.counter++
		act, purpose = backgroundAct(l.hash, p.op, l.counter), rng.Background
	}
	return Duration(w.latency.Quantile(w.Draw(purpose, act, 0)))
}

// send puts a packet on the wire. A connection is FIFO: nothing overtakes on one link. toInc is the incarnation
// the connection leads to; what arrives at a later one is not delivered.
func (w *World) send(p packet, toInc int32, purpose rng.Purpose, bg bool) {
	l := p.from.link(p.to)
	at := w.now.Add(w.delay(l, &p, purpose) + l.extra)
	if l.cut {
		return
	}
	at = max(at, l.last)
	l.last = at
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.node, e.inc, e.background, e.pkt = evPacket, p.to, toInc, bg, p
	e.word = p.call ^ uint64(p.op)<<48 ^ uint64(p.kind)<<40
	w.schedule(slot, at, PhaseDeliver, 0)
}

// deliver hands a packet to its node.
func (w *World) deliver(p *packet) {
	switch p.kind {
	case pktRequest:
		r := &Request{Op: w.ops[p.op], From: p.from.name, Action: p.act, Body: p.body, Fact: p.fact,
			w: w, at: p.to, inc: p.to.incarnation, from: p.from, fromInc: p.fromInc, op: p.op, call: p.call, bg: w.lastBG}
		w.step(p.op, stepArrived, p.to, p.from, &p.act)
		if !r.Alive() {
			return
		}
		n := p.to
		n.bg = r.bg
		n.handler.Receive(n, r)
		n.bg = false
	case pktReply:
		if c := w.openCall(p.call); c != nil {
			proc := c.p
			w.step(p.op, stepReceived, c.p.n, c.p.n, &p.act)
			w.closeCall(p.call)
			proc.wake(p.body, p.err, p.fact)
		}
	case pktReset:
		if c := w.openCall(p.call); c != nil {
			proc := c.p
			w.closeCall(p.call)
			proc.wake(nil, p.err, p.fact)
		}
	}
}

func (w *World) openCall(id uint64) *call {
	c := &w.calls[uint32(id)]
	if c.gen != uint32(id>>32) || c.p == nil {
		return nil
	}
	return c
}

func (w *World) newCall(p *Proc, to *Node, op Op, act Action) uint64 {
	var i uint32
	if n := len(w.freeC); n > 0 {
		i = uint32(w.freeC[n-1])
		w.freeC = w.freeC[:n-1]
	} else {
		w.calls = append(w.calls, call{})
		i = uint32(len(w.calls) - 1)
	}
	c := &w.calls[i]
	*c = call{gen: c.gen + 1, p: p, to: to, toInc: to.incarnation, op: op, act: act}
	return uint64(c.gen)<<32 | uint64(i)
}

func (w *World) closeCall(id uint64) {
	c := &w.calls[uint32(id)]
	*c = call{gen: c.gen}
	w.freeC = append(w.freeC, int32(uint32(id)))
}

// resetCalls tells the callers of a killed node, one link delay later, that their connection is gone.
func (w *World) resetCalls(dead *Node) {
	for i := range w.calls {
		c := &w.calls[i]
		if c.p == nil || c.to != dead || c.toInc != dead.incarnation {
			continue
		}
		w.send(packet{kind: pktReset, from: dead, fromInc: dead.incarnation, to: c.p.n, op: c.op, call: uint64(c.gen)<<32 | uint64(i), act: c.act, err: ErrReset},
			c.p.n.incarnation, rng.ReplyLatency, c.p.bg)
	}
}

// Call sends a request and waits for its reply, at most for timeout on the caller's monotonic clock. The five
// steps of it are hooks. act is the zero Action for calls that belong to no domain action; fact is the caller's
// fact that the request rests on. It returns the reply's body and the fact it rests on.
func (p *Proc) Call(to *Node, op Op, act Action, body any, fact int64, timeout Duration) (any, int64, error) {
	p.alive()
	w := p.w
	dropped := w.step(op, stepSent, p.n, p.n, &act)
	p.alive()
	id := w.newCall(p, to, op, act)
	p.call = id
	switch {
	case dropped:
	case !to.up && !to.dark && !p.n.link(to).cut && !to.link(p.n).cut:
		// The peer's machine answers for its dead process: the refusal takes one link delay.
		w.send(packet{kind: pktReset, from: to, to: p.n, op: op, call: id, act: act, err: ErrRefused}, p.n.incarnation, rng.ReplyLatency, p.bg)
	default:
		w.send(packet{kind: pktRequest, from: p.n, fromInc: p.n.incarnation, to: to, op: op, call: id, act: act, fact: fact, body: body},
			to.incarnation, rng.RequestLatency, p.bg)
	}
	if p.await(timeout) {
		w.closeCall(id)
		return nil, 0, ErrTimeout
	}
	return p.gotBody, p.gotFact, p.gotErr
}

// Send is a request that nobody waits for: it arrives, or it does not.
func (p *Proc) Send(to *Node, op Op, act Action, body any, fact int64) {
	p.alive()
	if p.w.step(op, stepSent, p.n, p.n, &act) {
		return
	}
	p.alive()
	if !to.up {
		return
	}
	p.w.send(packet{kind: pktRequest, from: p.n, fromInc: p.n.incarnation, to: to, op: op, act: act, fact: fact, body: body},
		to.incarnation, rng.RequestLatency, p.bg)
}
