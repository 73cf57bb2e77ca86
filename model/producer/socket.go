package producer

// Socket is the sending end of a connection as the client sees it: how much it takes before it is written out. What does
// not fit waits in the client, under its delivery timeout.
type Socket interface {
	// Takes says whether a request of so many bytes may be handed over now.
	Takes(bytes int) bool

	// WhenWritable has fn called, once, in an event of the node, when that may have changed. It is asked for only while
	// Takes says no, and not again before fn was called.
	WhenWritable(fn func())
}
