package sim

import "github.com/twiceless/twiceless/sim/rng"

// A service that keeps something for as long as a caller's connection lasts (a transaction, a lock) learns of its end as
// a server does. A process that ends, killed or by itself, has its machine close its connections: the notice arrives one
// link delay later, behind everything that was sent before. A machine without power and a partition say nothing; what
// tells the service then is a probe of its own.

// ConnectionHandler is a handler that is told of callers whose connections it keeps open.
type ConnectionHandler interface {
	Handler
	// Closed says that the process of that incarnation of a node is no more.
	Closed(peer string, incarnation int32)
}

// kept is a connection that a service wants to hear the end of.
type kept struct {
	from *Node
	inc  int32
	op   Op // names its messages in draws
}

// KeepOpen has the service's handler, a ConnectionHandler, told when the caller's process ends, if its machine can say so.
// Asking again for the same incarnation changes nothing. If the process has ended since it sent the request, the notice
// comes right behind the request.
func (r *Request) KeepOpen() {
	for _, k := range r.at.kept {
		if k.from == r.from && k.inc == r.fromInc {
			return
		}
	}
	r.at.kept = append(r.at.kept, kept{r.from, r.fromInc, r.op})
	if ended := !r.from.up || r.from.incarnation != r.fromInc; ended && !r.from.dark {
		r.w.sendClosed(r.from, r.fromInc, r.at, r.op)
	}
}

// CallerIncarnation is which incarnation of node From sent the request.
func (r *Request) CallerIncarnation() int32 { return r.fromInc }

// closeConnections tells the services that keep connections of a dead process open.
func (w *World) closeConnections(dead *Node) {
	for _, n := range w.nodes {
		for _, k := range n.kept {
			if k.from != dead || k.inc != dead.incarnation || !n.up {
				continue
			}
			w.sendClosed(dead, dead.incarnation, n, k.op)
		}
	}
}

func (w *World) sendClosed(dead *Node, inc int32, to *Node, op Op) {
	pkt := w.newPacket()
	*pkt = packet{kind: pktClosed, from: dead, fromInc: inc, to: to, op: op}
	w.send(pkt, to.incarnation, rng.RequestLatency, false)
}

// closed hands the notice to the handler.
func (w *World) closed(pkt *packet) {
	n, peer, inc := pkt.to, pkt.from.name, pkt.fromInc
	for i, k := range n.kept {
		if k.from == pkt.from && k.inc == inc {
			n.kept = append(n.kept[:i:i], n.kept[i+1:]...)
			break
		}
	}
	w.handle(n, func() { n.handler.(ConnectionHandler).Closed(peer, inc) })
}

// Peer is what a probe of a connection finds.
type Peer uint8

// PeerAlive: the process answers, or its machine for it while it stands still. PeerGone: the machine answers that it knows
// no such connection. PeerSilent: nothing comes back.
const (
	PeerAlive Peer = iota
	PeerGone
	PeerSilent
)

// Probe asks the machine of a node whether the process of that incarnation is there, as a TCP keepalive does. The round
// trip, which is short against any interval of probing, takes no time here.
func (n *Node) Probe(peer string, incarnation int32) Peer {
	to := n.w.byName[peer]
	switch {
	case !to.up && to.dark, n.link(to).cut, to.link(n).cut:
		return PeerSilent
	case to.up && to.incarnation == incarnation:
		return PeerAlive
	}
	return PeerGone
}
