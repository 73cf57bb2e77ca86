package ops

import (
	"bytes"
	"io"
	"slices"
)

// MaxFile is how many bytes a file may have.
const MaxFile = 4 << 30

// limits bound what an untrusted file may cost.
type limits struct {
	file   int64 // bytes
	event  int   // bytes of one line of JSON Lines, or of one event of a list or of EDN
	depth  int   // lists and maps inside of each other
	values int   // of one event; one costs 56 bytes, and the shortest in a file two
	events int64
	window int // bytes that are read at first
}

func standardLimits() limits {
	return limits{file: MaxFile, event: 16 << 20, depth: 64, values: 1 << 22, events: 1 << 26, window: 1 << 18}
}

// window is the part of a file that is being read. It grows until one event fits.
type window struct {
	r    io.Reader
	b    []byte
	at   int // b[:at] is done with
	left int64
	most int
	eof  bool // b is all that is left
	long bool // what follows at is longer than an event may be
	big  bool // the file is
	err  error
}

func newWindow(r io.Reader, l limits) *window {
	return &window{r: r, b: make([]byte, 0, l.window), left: l.file, most: l.event}
}

// more reads on and says whether text was added. It fills the buffer and doubles one that is full: an event that is
// looked at anew after each call costs twice its length and not its square, however little the reader gives at a time.
func (w *window) more() bool {
	if w.eof || w.long {
		return false
	}
	w.b = w.b[:copy(w.b, w.b[w.at:])]
	w.at = 0
	if len(w.b) > w.most {
		w.long = true
		return false
	}
	if len(w.b) == cap(w.b) {
		w.b = slices.Grow(w.b, len(w.b))
	}
	before := len(w.b)
	n, err := io.ReadFull(w.r, w.b[before:cap(w.b)])
	w.b = w.b[:before+n]
	w.left -= int64(n)
	switch {
	case w.left < 0:
		w.big, w.eof = true, true
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		w.eof = true
	case err != nil:
		w.err, w.eof = err, true
	}
	return n > 0
}

// line is the next line without its end; ok is false behind the last one, and where one is too long.
func (w *window) line() (text []byte, ok bool) {
	for seen := 0; ; {
		rest := w.b[w.at:]
		i := bytes.IndexByte(rest[seen:], '\n')
		switch {
		case i >= 0:
			text, ok = rest[:seen+i], true
			w.at += seen + i + 1
		case w.more():
			seen = len(rest)
			continue
		default:
			text = w.b[w.at:]
			ok = len(text) > 0
			w.at = len(w.b)
		}
		if w.long = w.long || len(text) > w.most; w.long || w.big || w.err != nil {
			return nil, false
		}
		return text, ok
	}
}
