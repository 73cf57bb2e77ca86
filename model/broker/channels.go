package broker

import (
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// channel is a connection of a producer while a broker handles a request that came over it. The next is not read before
// that is answered, with acks=0 before it is appended (kafka.network.SocketServer mutes a channel until the response is
// sent). So of the requests that a producer has in flight one at most is appended and not answered; the others wait in the
// socket, in order, and go down with it: when the producer's process is gone, or has given the connection up.
//
// Other requests are not held back: clients have no more than one of a sort in flight.
type channel struct {
	peer        string
	incarnation int32
	transaction string // which tells the producers of a process apart; "" = the one without
	connection  int
	waiting     []*sim.Request
}

// of says whether a request came over the channel.
func (c *channel) of(r *sim.Request, req *wire.ProduceRequest) bool {
	return c.sameProducer(r, req) && c.connection == req.Connection
}

func (c *channel) sameProducer(r *sim.Request, req *wire.ProduceRequest) bool {
	return c.peer == r.From && c.incarnation == r.CallerIncarnation() && c.transaction == req.Transaction
}

// read says whether a produce request may be handled now; else its channel is muted, and it waits there.
func (b *Broker) read(r *sim.Request, req *wire.ProduceRequest) bool {
	for i := range b.channels {
		if c := &b.channels[i]; c.sameProducer(r, req) && c.connection < req.Connection {
			c.waiting = nil // it was given up
		}
	}
	for i := range b.channels {
		if c := &b.channels[i]; c.of(r, req) {
			c.waiting = append(c.waiting, r)
			r.KeepOpen()
			return false
		}
	}
	b.channels = append(b.channels, channel{peer: r.From, incarnation: r.CallerIncarnation(), transaction: req.Transaction, connection: req.Connection})
	return true
}

// unmute has the next request of a channel handled, now that the one before it is done with.
func (b *Broker) unmute(r *sim.Request, req *wire.ProduceRequest) {
	if !b.alive() {
		return // killed when it had answered
	}
	i := slices.IndexFunc(b.channels, func(c channel) bool { return c.of(r, req) })
	if i < 0 {
		panic("broker: a request is answered that no channel was muted for: " + r.Action.Event)
	}
	c := &b.channels[i]
	if len(c.waiting) == 0 {
		b.channels = slices.Delete(b.channels, i, i+1)
		return
	}
	next := c.waiting[0]
	c.waiting = c.waiting[1:]
	next.After(0, func() { b.begin(next) })
}

// Closed is what the broker hears of a process that has ended: what it had sent and nobody has read is gone.
func (b *Broker) Closed(peer string, incarnation int32) {
	for i := range b.channels {
		if c := &b.channels[i]; c.peer == peer && c.incarnation == incarnation {
			c.waiting = nil
		}
	}
}
