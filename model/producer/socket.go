package producer

import "github.com/twiceless/twiceless/sim"

// Socket is the sending end of a connection as the client sees it: how much it takes before it is written out. What does
// not fit waits in the client, under its delivery timeout.
type Socket interface {
	// Takes says whether a request of so many bytes may be handed over now.
	Takes(bytes int) bool

	// WhenWritable has fn called, once, in an event of the node, when that may have changed. It is asked for only while
	// Takes says no, and not again before fn was called.
	WhenWritable(fn func())

	// Close gives the connection up: a request was not answered in time. What was handed over may still arrive.
	Close()
}

// stream is the kernel's connection to a broker. It has bounds while the link loses packets, and takes everything else.
// As a socket does, it takes the whole of a request once there is any room.
type stream struct{ n, broker *sim.Node }

func (s stream) Takes(int) bool         { return s.n.Room(s.broker) > 0 }
func (s stream) WhenWritable(fn func()) { s.n.OnRoom(s.broker, fn) }

func (s stream) Close() {
	if s.n.Room(s.broker) != sim.AnyRoom {
		s.n.Disconnect(s.broker)
	}
}
