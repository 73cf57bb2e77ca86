package sim

import (
	"errors"
	"fmt"

	"github.com/twiceless/twiceless/sim/rng"
)

// What a caller may learn of a call that did not come back with a reply. ErrRefused is definite: the request
// never reached anyone. The others are indeterminate: the request may have been applied, or may yet be.
var (
	ErrRefused = errors.New("connection refused")
	ErrReset   = errors.New("connection reset")
	ErrTimeout = errors.New("timeout")

	// ErrCancelled: the caller gave up by itself. Like a timeout it says nothing of what the called party does.
	ErrCancelled = errors.New("cancelled by its caller")
)

// call is one open call of a process, or of a handler. Its slot is reused under a new generation, so a late reply finds
// nobody.
type call struct {
	gen     uint32
	n       *Node // the caller; nil = the slot is free
	p       *Proc // nil = a handler's: then says how it goes on
	then    func(body any, fact int64, err error)
	timer   Handle // of a handler's
	inc     int32
	bg      bool
	to      *Node
	toInc   int32
	op      Op
	hash    uint64 // of its action
	attempt int32
}

type packetKind uint8

const (
	pktRequest packetKind = iota
	pktReply
	pktReset  // the connection is gone: code says how
	pktClosed // the caller's process has ended: see peer.go
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
	conn    *conn    // of a reply: the connection that its request came by; nil = none
	astray  Duration // how much longer it takes than its connection says; others overtake it then
}

// Request is a call as its service sees it. One that is answered before its Receive returns is dead from then on:
// its memory is reused after a while. One that is kept may be kept for ever.
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
	conn    *conn
	bg      bool
	done    bool
}

// Background says whether the caller flagged the call as background.
func (r *Request) Background() bool { return r.bg }

// After runs fn when the monotonic clock of the request's node has advanced by d, unless that incarnation has ended. It is
// work on the request whatever code asks for it: background if the request is, and then it takes no time in quiet time, as
// the message took none.
func (r *Request) After(d Duration, fn func()) Handle {
	if r.bg && r.w.quiet.on {
		d = 0
	}
	return r.at.after(d, fn, r.bg)
}

// Applied marks the step at which the service's state has changed durably.
func (r *Request) Applied() {
	if r.Alive() {
		r.w.step(r.op, stepApplied, r.at, r.from, &r.Action)
		r.w.obey()
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
	r.w.living()
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
	if r.at.paused { // at an earlier hook of this handler: the reply waits for the end of the pause
		late := *r
		r.at.later(bg, func() { late.send(body, err, fact, bg) })
		return
	}
	r.send(body, err, fact, bg)
}

// send is the step at which the reply is handed to the network: a service that dies here has not sent it.
func (r *Request) send(body any, err error, fact int64, bg bool) {
	fate := r.w.step(r.op, stepReplied, r.at, r.from, &r.Action)
	r.w.obey()
	if fate.dropped || !r.Alive() {
		return
	}
	pkt := r.w.newPacket()
	pkt.kind, pkt.from, pkt.fromInc, pkt.to, pkt.op, pkt.call = pktReply, r.at, r.inc, r.from, r.op, r.call
	pkt.act, pkt.fact, pkt.body, pkt.err, pkt.astray, pkt.conn = r.Action, fact, body, err, fate.delay, r.conn
	if r.at.paused { // at that hook
		w, toInc := r.w, r.fromInc
		r.at.later(bg, func() { w.send(pkt, toInc, rng.ReplyLatency, bg) })
		return
	}
	r.w.send(pkt, r.fromInc, rng.ReplyLatency, bg)
}

// link is what a node knows of the way to a peer. A new incarnation at either end is a new connection.
type link struct {
	fromInc, toInc int32
	last           Time // when the last message of this connection arrives
	cut            bool
	streamed       bool // see Streamed
	redial         bool // the next connection is a new one
	loss           rng.Ratio
	extra          Duration
	conn           *conn // that this node has opened to the peer
	conns          int32 // so far
	hash           uint64
	backgrounds    []backgroundKey // of messages that belong to no action, by 2·op + 1 if a reply
}

// backgroundKey is the key of the next such message of one kind.
type backgroundKey struct {
	hash    uint64
	counter int32
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

// Cut makes messages from n to peer vanish, silently; Mend ends that. What is on the wire already arrives.
func (n *Node) Cut(to *Node) { n.link(to).cut = true }

// Mend ends a Cut.
func (n *Node) Mend(to *Node) { n.link(to).cut = false }

// Slow adds d to every message from n to peer; 0 ends it.
func (n *Node) Slow(to *Node, d Duration) {
	if d < 0 {
		panic("sim: a link slowed by less than nothing")
	}
	n.link(to).extra = d
}

// delay draws the latency of one message: keyed by its action, or by link, kind and counter if it has none.
// In quiet time the latter take no time.
func (w *World) delay(l *link, pkt *packet, purpose rng.Purpose) Duration {
	if pkt.act.hash != 0 {
		return Duration(w.latency.Quantile(w.Draw(purpose, pkt.act, 0)))
	}
	if w.quiet.on {
		return 0 // see quiet
	}
	kind := 2 * int(pkt.op)
	if pkt.kind != pktRequest {
		kind++
	}
	for k := len(l.backgrounds); k <= kind; k++ {
		owner := l.hash + uint64(k&1)
		l.backgrounds = append(l.backgrounds, backgroundKey{hash: backgroundAct(owner, w.ops[k/2].hash, 0).hash})
	}
	b := &l.backgrounds[kind]
	b.counter++
	return Duration(w.latency.Quantile(w.Draw(rng.Background, Action{Attempt: b.counter, hash: b.hash}, 0)))
}

// send puts a packet on the wire. A connection is FIFO: nothing overtakes on it, but for what a fault has led astray, as
// if it were still under way on a connection that both sides have given up. toInc is the incarnation the
// connection leads to; what is sent to one that has ended is lost.
func (w *World) send(pkt *packet, toInc int32, purpose rng.Purpose, bg bool) {
	from, to := pkt.from, pkt.to
	l := from.link(to)
	if w.streaming && pkt.kind <= pktReply && pkt.astray == 0 && w.sendStream(pkt, l, toInc, bg) {
		return
	}
	at := w.now.Add(w.delay(l, pkt, purpose) + l.extra)
	if l.cut || !to.up || to.incarnation != toInc {
		w.freePacket(pkt)
		return
	}
	if l.fromInc != from.incarnation || l.toInc != toInc {
		l.fromInc, l.toInc, l.last = from.incarnation, toInc, 0
	}
	at = max(l.last, at)
	if pkt.astray > 0 {
		at = at.Add(pkt.astray)
	} else {
		l.last = at
	}
	w.schedulePacket(pkt, toInc, at, bg)
}

// schedulePacket has a packet arrive.
func (w *World) schedulePacket(pkt *packet, toInc int32, at Time, bg bool) {
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.node, e.inc, e.background, e.what = evPacket, pkt.to, toInc, bg, pkt
	e.word = pkt.call*kindStep ^ uint64(pkt.op)<<2 ^ uint64(pkt.kind)
	w.schedule(slot, at, PhaseDeliver, 0)
}

// deliver hands a packet to its node.
func (w *World) deliver(pkt *packet) {
	switch pkt.kind {
	case pktRequest:
		w.arrive(pkt)
		return
	case pktClosed:
		w.closed(pkt)
		return
	}
	c := w.openCall(pkt.call)
	if c == nil {
		return // a late reply: nobody waits any more
	}
	n := c.n
	if pkt.kind == pktReply {
		w.step(pkt.op, stepReceived, n, n, &pkt.act)
	}
	if n.paused { // at that hook
		id, body, err, fact := pkt.call, pkt.body, pkt.err, pkt.fact
		n.later(w.last.bg, func() { w.finish(id, body, err, fact) })
		return
	}
	w.finish(pkt.call, pkt.body, pkt.err, pkt.fact)
}

// finish ends a call with what its caller learns.
func (w *World) finish(id uint64, body any, err error, fact int64) {
	c := w.openCall(id)
	if c == nil {
		return
	}
	p, n, then, timer := c.p, c.n, c.then, c.timer
	w.closeCall(id)
	if p != nil {
		p.wake(body, err, fact)
		return
	}
	w.Cancel(timer)
	n.bg = w.last.bg
	w.handle(n, func() { then(body, fact, err) })
	n.bg = false
}

// CancelCall has an open call of the process end with ErrCancelled, by an event of its node at the present instant:
// a node that stands still gives nothing up, and what has arrived meanwhile comes first. A process that does not wait
// for a call by then is left alone. It is called from outside the process.
func (p *Proc) CancelCall() {
	id := p.call
	if id == 0 || p.dead || p.ended {
		return
	}
	p.n.after(0, func() {
		if !p.dead && p.call == id {
			p.w.finish(id, nil, ErrCancelled, 0)
		}
	}, p.bg)
}

// arrive makes a Request of a packet.
func (w *World) arrive(pkt *packet) {
	n := pkt.to
	r := w.newRequest()
	r.Op, r.From, r.Action, r.Body, r.Fact = w.ops[pkt.op].name, pkt.from.name, pkt.act, pkt.body, pkt.fact
	r.w, r.at, r.inc, r.from, r.fromInc = w, n, n.incarnation, pkt.from, pkt.fromInc
	r.op, r.call, r.conn, r.bg, r.done = pkt.op, pkt.call, pkt.conn, w.last.bg, false
	w.step(pkt.op, stepArrived, n, pkt.from, &pkt.act)
	switch {
	case !r.Alive():
	case n.paused: // at that hook
		n.later(r.bg, func() { w.receive(n, r) })
	default:
		w.receive(n, r)
	}
	w.parted(r)
}

func (w *World) receive(n *Node, r *Request) {
	n.bg = r.bg
	if w.hooks.active() {
		w.guarded(n, func() { n.handler.Receive(n, r) })
	} else {
		n.handler.Receive(n, r)
	}
	n.bg = false
}

// requestRing is how many requests pass before the memory of an answered one is used again: a handler that wrongly
// answers a dead request again meets its mark for that long.
const requestRing = 256

// newRequest is the memory of the next request. At most one is between newRequest and parted.
func (w *World) newRequest() *Request {
	if w.requests[w.nextRequest] == nil {
		w.requests[w.nextRequest] = &Request{}
	}
	return w.requests[w.nextRequest]
}

// parted keeps the memory of a request that is answered and leaves any other to the handler that holds it.
func (w *World) parted(r *Request) {
	if !r.done {
		w.requests[w.nextRequest] = nil
	}
	w.nextRequest = (w.nextRequest + 1) % requestRing
}

func (w *World) newPacket() *packet {
	if k := len(w.packets); k > 0 {
		pkt := w.packets[k-1]
		w.packets = w.packets[:k-1]
		return pkt
	}
	return &packet{}
}

// freePacket takes back a packet that nobody will read again.
func (w *World) freePacket(pkt *packet) {
	pkt.body, pkt.err, pkt.conn = nil, nil, nil
	w.packets = append(w.packets, pkt)
}

func (w *World) openCall(id uint64) *call {
	c := &w.calls[uint32(id)]
	if c.gen != uint32(id>>32) || c.n == nil {
		return nil
	}
	return c
}

func (w *World) newCall(from *Node, to *Node, op Op, act *Action, bg bool) (id uint64, c *call) {
	var i uint32
	if n := len(w.freeC); n > 0 {
		i = uint32(w.freeC[n-1])
		w.freeC = w.freeC[:n-1]
	} else {
		w.calls = append(w.calls, call{})
		i = uint32(len(w.calls) - 1)
	}
	c = &w.calls[i]
	c.gen++
	c.n, c.inc, c.bg = from, from.incarnation, bg
	c.to, c.toInc, c.op, c.hash, c.attempt = to, to.incarnation, op, act.hash, act.Attempt
	return uint64(c.gen)<<32 | uint64(i), c
}

func (w *World) closeCall(id uint64) {
	c := w.openCall(id)
	if c == nil {
		panic(fmt.Sprintf("sim: call %x closed twice", id))
	}
	c.n, c.p, c.to, c.then, c.timer = nil, nil, nil, nil, Handle{}
	w.freeC = append(w.freeC, int32(uint32(id)))
}

// resetCalls tells the callers of a killed node, one link delay later, that their connection is gone.
func (w *World) resetCalls(dead *Node) {
	for i := range w.calls {
		c := &w.calls[i]
		if c.n == nil || c.to != dead || c.toInc != dead.incarnation {
			continue
		}
		pkt := w.newPacket()
		*pkt = packet{kind: pktReset, from: dead, to: c.n, op: c.op, call: uint64(c.gen)<<32 | uint64(i), act: Action{Attempt: c.attempt, hash: c.hash}, err: ErrReset}
		w.send(pkt, c.inc, rng.ReplyLatency, c.bg)
	}
}

// Call sends a request and waits for its reply, at most for timeout on the caller's monotonic clock. The five
// steps of it are hooks. act is the zero Action for calls that belong to no domain action; fact is the caller's
// fact that the request rests on. It returns the reply's body and the fact it rests on.
func (p *Proc) Call(to *Node, op Op, act Action, body any, fact int64, timeout Duration) (any, int64, error) {
	p.alive()
	w := p.w
	if timeout < 0 {
		panic(fmt.Sprintf("sim: call of %s with a timeout of %v", w.OpName(op), timeout))
	}
	fate := w.step(op, stepSent, p.n, p.n, &act)
	w.obey()
	id, c := w.newCall(p.n, to, op, &act, p.bg)
	c.p = p
	p.call = id
	if !fate.dropped {
		w.request(p.n, to, op, &act, body, fact, id, fate.delay, p.bg)
	}
	if p.await(timeout) {
		w.closeCall(id)
		return nil, 0, ErrTimeout
	}
	return p.gotBody, p.gotFact, p.gotErr
}

// request puts a request on the wire. If only the process of the peer is dead, its machine answers for it, one
// link delay later.
func (w *World) request(from, to *Node, op Op, act *Action, body any, fact int64, id uint64, astray Duration, bg bool) {
	pkt := w.newPacket()
	if id != 0 && !to.up && !to.dark && !from.link(to).cut {
		*pkt = packet{kind: pktReset, from: to, to: from, op: op, call: id, act: *act, err: ErrRefused}
		w.send(pkt, from.incarnation, rng.ReplyLatency, bg)
		return
	}
	pkt.kind, pkt.from, pkt.fromInc, pkt.to, pkt.op, pkt.call = pktRequest, from, from.incarnation, to, op, id
	pkt.act, pkt.fact, pkt.body, pkt.err, pkt.astray, pkt.conn = *act, fact, body, nil, astray, nil
	w.send(pkt, to.incarnation, rng.RequestLatency, bg)
}

// Send is a request that nobody waits for: it arrives, or it does not.
func (p *Proc) Send(to *Node, op Op, act Action, body any, fact int64) {
	p.alive()
	fate := p.w.step(op, stepSent, p.n, p.n, &act)
	p.w.obey()
	if !fate.dropped {
		p.w.request(p.n, to, op, &act, body, fact, 0, fate.delay, p.bg)
	}
}
