package queue

// A handle names one receive of one message: where the message is in its queue, and the how many-th receive it was. A handle
// of an earlier receive is known by its count.

const (
	countBits = 16
	maxCount  = 1<<countBits - 1
)

// Handle of the receive of a message at a place, from 0; receives are counted from 1.
func Handle(place int64, receives int64) int64 {
	if place < 0 || place >= 1<<(63-countBits) || receives < 1 || receives > maxCount {
		panic("queue: a message without a handle")
	}
	return place<<countBits | receives
}

// Place and count of the receive that a handle names.
func Place(handle int64) (place, receives int64) { return handle >> countBits, handle & maxCount }
