package ops

import "io"

// Limits of a test. A limit that is zero is the one of every file.
type Limits struct {
	File         int64
	Event, Depth int
	Values       int
	Events       int64
	Window       int
}

// ReadWithin is Read with other limits.
func ReadWithin(l Limits, r io.Reader, f Format, to Sink, p *Problems) error {
	w := standardLimits()
	set(&w.file, l.File)
	set(&w.event, l.Event)
	set(&w.depth, l.Depth)
	set(&w.values, l.Values)
	set(&w.events, l.Events)
	set(&w.window, l.Window)
	return readWithin(w, r, f, to, p)
}

func set[T int | int64](limit *T, to T) {
	if to != 0 {
		*limit = to
	}
}
