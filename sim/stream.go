package sim

import (
	"github.com/twiceless/twiceless/sim/rng"
)

// A link that loses packets is none that loses messages: TCP hides the loss and turns it into delay, and the delay into a
// rate at which a sender can no longer send. A link that is lossy therefore carries its messages over stream connections:
// one for each caller and service, each way a stream of bytes in segments, with
//
//   - slow start and congestion avoidance (RFC 5681), window counted in segments and grown only while it is the limit;
//   - loss detection by time, as RACK does it (RFC 8985), or by three duplicate acknowledgements (RFC 6675);
//   - selective acknowledgements of up to three blocks (RFC 2018), delayed acknowledgements (RFC 1122), which ride on
//     data of the other way and are lost as segments are;
//   - a retransmission timeout (RFC 6298) with exponential backoff; a handshake when a connection is opened anew.
//
// A message is delivered when its last byte is there in order. Nagle's algorithm is off, as all brokers' clients have it:
// what finds an open window leaves at once in a segment of its own, what waits leaves in full segments.
//
// The transport is the machine's: it goes on while the process stands still, a partition makes it try again, and the end
// of either process ends the connection. Whoever is killed leaves to its machine what it has sent; a machine without power
// sends nothing more.
//
// Invariants: what is delivered is what was sent, in order, each message once; the bytes in flight are accounted for after
// each event; a link without loss delays nothing but what the initial window holds back. Draws are keyed by connection and
// packet, so that a packet more here changes no draw elsewhere. In quiet time a lossy link draws, so nothing is skipped.
//
// Known deviations: the receive window is without bounds, and the socket's buffer does not grow; the reduction of the window
// is at once (no PRR); there is no tail loss probe; resets and the notices of KeepOpen take the plain way of links without
// loss; a connection that is in use when its link becomes lossy goes on with a fresh window.

// Streams configures the connections over lossy links. Zero values mean the defaults.
type Streams struct {
	Segment       int       // bytes of a full segment; 1448, of an Ethernet frame with timestamps
	Offload       int       // full segments that leave at one instant as one packet, as with segmentation offload, and are lost as one; 1
	InitialWindow int       // segments; 10 (RFC 6928)
	SendBuffer    int       // bytes that a socket takes; 46,080: two initial windows of what Linux counts for a segment
	Bandwidth     int64     // bytes a second, each way of each connection; 0 = without limit
	MinRTO        Duration  // the least variance in the timeout, as Linux has it: it is at least this much over the round trip; 200 ms
	MaxRTO        Duration  // 120 s
	DelayedAck    Duration  // 40 ms
	Decrease      rng.Ratio // what is left of the window after a loss; 1/2 (Reno)
	DupAcks       bool      // losses are found by three duplicate acknowledgements, not by time
}

func (s Streams) filled() Streams {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	wait := func(v *Duration, d Duration) {
		if *v == 0 {
			*v = d
		}
	}
	set(&s.Segment, 1448)
	set(&s.Offload, 1)
	set(&s.InitialWindow, 10)
	set(&s.SendBuffer, 46_080)
	wait(&s.MinRTO, 200*Millisecond)
	wait(&s.MaxRTO, 120*Second)
	wait(&s.DelayedAck, 40*Millisecond)
	if s.Decrease.Den == 0 {
		s.Decrease = rng.Ratio{Num: 1, Den: 2}
	}
	return s
}

// Sized is a body that says how many bytes it takes on the wire, all headers of its own protocol included.
type Sized interface{ WireSize() int }

// DefaultWireSize is what a body takes that is not Sized: about what a request with a short record takes in Kafka's
// protocol. Replies and errors take as much.
const DefaultWireSize = 200

func wireSize(body any) int64 {
	if s, ok := body.(Sized); ok {
		return int64(max(1, s.WireSize()))
	}
	return DefaultWireSize
}

// Lossy makes each packet from n to peer get lost with that probability, of data and of acknowledgements alike; the zero
// Ratio ends it. Connections between the two are streams while either way is lossy, and until all that they carry then
// is delivered.
func (n *Node) Lossy(to *Node, loss rng.Ratio) {
	n.link(to).loss = loss
	n.w.streaming = true
}

// Streamed has the connections between n and peer be streams, lossy or not, or ends that.
func (n *Node) Streamed(to *Node, on bool) {
	n.link(to).streamed = on
	n.w.streaming = true
}

// streams says whether what is sent over the link goes by stream connections.
func (n *Node) streams(to *Node) bool { return n.link(to).lossy() || to.link(n).lossy() }

func (l *link) lossy() bool { return l.streamed || l.loss.Num > 0 }

// AnyRoom is the room where the connection is no stream: without bounds.
const AnyRoom = 1<<63 - 1

// Room is how many bytes the socket to a peer takes now, 0 if it is full; AnyRoom where the connection is no
// stream. A request that is sent all the same waits in the process for the socket.
func (n *Node) Room(to *Node) int {
	c := n.link(to).conn
	switch {
	case c != nil && !c.over:
		return int(max(0, int64(n.w.stream.SendBuffer)-c.up.queued()))
	case n.streams(to):
		return n.w.stream.SendBuffer
	}
	return AnyRoom
}

// OnRoom has fn called once, in an event of the node, when the socket to a peer has room again: a third of its buffer, as
// Linux has it. At once if there is room already, and when the connection ends. Asking again replaces fn.
func (n *Node) OnRoom(to *Node, fn func()) {
	c := n.link(to).conn
	if c == nil || c.over || c.up.roomy() {
		n.After(0, fn)
		return
	}
	c.room, c.roomBg = fn, n.background()
}

// Disconnect closes the connection to a peer: open calls over it end with ErrReset, each in an event of this node, and
// replies to them find nobody. What the socket holds is still sent, and may still be applied, until the peer answers and
// learns that nobody is there. The next request opens a new connection.
func (n *Node) Disconnect(to *Node) {
	w := n.w
	w.living()
	l := n.link(to)
	if c := l.conn; c != nil {
		c.close()
	}
	l.conn, l.redial = nil, true
	for i := range w.calls {
		if c := &w.calls[i]; c.n == n && c.to == to {
			id := uint64(c.gen)<<32 | uint64(i)
			n.after(0, func() { w.finish(id, nil, ErrReset, 0) }, c.bg)
		}
	}
}

// conn is one connection that client has opened to server. Its halves are the two ways.
type conn struct {
	w              *World
	client, server *Node
	clientInc      int32
	serverInc      int32
	up, down       half
	dials          int      // of the handshake; 0 = it is open
	trip           Duration // of the handshake
	closed         bool     // by the client: what is sent is still on its way
	over           bool     // nothing moves any more
	plain          bool     // since what it carried goes by the plain link again
	room           func()
	roomBg         bool
}

// sendStream sends a packet over the connection that it belongs to; false = it goes by the plain link.
func (w *World) sendStream(pkt *packet, l *link, toInc int32, bg bool) bool {
	if !pkt.to.up || pkt.to.incarnation != toInc {
		return false
	}
	switch c, gone := w.connFor(pkt, l, toInc); {
	case gone:
		w.freePacket(pkt)
	case c == nil:
		return false
	case pkt.kind == pktRequest:
		c.up.take(pkt, toInc, bg)
	default:
		c.down.take(pkt, toInc, bg)
	}
	return true
}

// connFor is the connection that carries a packet; nil = none does, but the plain link. gone says that the one it
// belongs to is no more.
func (w *World) connFor(pkt *packet, l *link, toInc int32) (c *conn, gone bool) {
	client, server, inc, own := pkt.to, pkt.from, toInc, pkt.fromInc
	if pkt.kind == pktRequest {
		client, server, inc, own = pkt.from, pkt.to, pkt.from.incarnation, toInc
	} else if c = pkt.conn; c != nil && !c.plain {
		if c.closed && !c.over {
			c.refuse()
		}
		return c, c.over || c.closed
	}
	cl := client.link(server)
	if c = cl.conn; c != nil && !c.over && c.clientInc == inc && c.serverInc == own {
		if client.streams(server) || !c.idle() {
			return c, false
		}
		c.end()
		c.plain = true
		return nil, false
	}
	if !client.streams(server) {
		return nil, false
	}
	used := l.last > 0 && l.fromInc == pkt.from.incarnation && l.toInc == toInc && !cl.redial
	return w.connect(client, server, inc, own, !used), false
}

// connect opens a connection. One that the plain link has carried already is there.
func (w *World) connect(client, server *Node, clientInc, serverInc int32, dial bool) *conn {
	c := &conn{w: w, client: client, server: server, clientInc: clientInc, serverInc: serverInc}
	l := client.link(server)
	l.conn, l.redial = c, false
	l.conns++
	hash := rng.Combine(l.hash, uint64(l.conns))
	c.up.begin(c, client, server, rng.Combine(hash, 1))
	c.down.begin(c, server, client, rng.Combine(hash, 2))
	w.conns = append(w.conns, c)
	if dial {
		c.dial()
	}
	return c
}

// dial sends a SYN and awaits its answer: lost ones are sent again after 1, 2, 4 … seconds (RFC 6298).
func (c *conn) dial() {
	c.dials++
	there, lostThere := c.up.passage(wireSyn)
	back, lostBack := c.down.passage(wireSyn)
	if lostThere || lostBack {
		wait := Second << min(c.dials-1, 6)
		c.up.arm(timerDial, c.w.now.Add(wait))
		return
	}
	c.trip = there + back
	c.up.arm(timerOpen, c.w.now.Add(c.trip))
}

func (c *conn) opened() {
	c.dials = 0
	c.up.sample(c.trip)
	c.down.sample(c.trip)
	c.up.pump()
	c.down.pump()
}

// idle says whether all that was sent is delivered and acknowledged.
func (c *conn) idle() bool { return c.dials == 0 && c.up.idle() && c.down.idle() }

// close is what the end of the client, or its wish, does: its machine still sends what it has taken.
func (c *conn) close() {
	c.closed = true
	c.down.drop()
	c.tellRoom()
	if c.up.idle() || c.dials > 0 {
		c.end()
	}
}

// refuse is what becomes of a closed connection when the server sends on it: a round trip later it learns that nobody is
// there, and takes no more from it.
func (c *conn) refuse() {
	if c.down.timers[timerReset].handle != (Handle{}) {
		return
	}
	there, _ := c.down.passage(wireSyn)
	back, _ := c.up.passage(wireSyn)
	c.down.arm(timerReset, c.w.now.Add(there+back))
}

// end takes back all that could still happen on the connection.
func (c *conn) end() {
	if c.over {
		return
	}
	c.over = true
	c.up.drop()
	c.down.drop()
	c.tellRoom()
	if l := c.client.link(c.server); l.conn == c {
		l.conn = nil
	}
	for i, other := range c.w.conns {
		if other == c {
			c.w.conns = append(c.w.conns[:i], c.w.conns[i+1:]...)
			break
		}
	}
}

func (c *conn) tellRoom() {
	if fn := c.room; fn != nil && c.client.up && c.client.incarnation == c.clientInc {
		c.room = nil
		c.client.after(0, fn, c.roomBg)
	}
}

// endStreams ends the connections of a node that stops. What a killed client has sent is on its way.
func (w *World) endStreams(n *Node, dark bool) {
	for i := len(w.conns) - 1; i >= 0; i-- {
		switch c := w.conns[i]; {
		case c.client == n && !dark && c.clientInc == n.incarnation:
			c.room = nil
			c.close()
		case c.client == n && dark, c.server == n:
			c.end()
		}
	}
}
