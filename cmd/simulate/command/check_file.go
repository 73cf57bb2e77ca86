package command

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// historyFile is a history that can be read more than once: it is judged first, then the events that the report names
// are fetched. Nobody has to hold a whole history in memory for that.
type historyFile struct {
	name   string
	format ops.Format
	ctx    context.Context
	f      *os.File
	remove bool // the file is a copy of standard input
	enough bool // nothing further is wanted of this reading
}

// openHistory opens a regular file, or copies standard input into one.
func (a *app) openHistory(ctx context.Context, path, input string) (*historyFile, error) {
	h := &historyFile{name: path, ctx: ctx}
	if path == "-" {
		if err := h.spool(a.stdin); err != nil {
			h.discard()
			return nil, failf(exitInput, "<stdin>: %v", reason(err))
		}
	} else if f, err := openRegular(path); err != nil {
		return nil, err
	} else {
		h.f = f
	}
	first := make([]byte, 512)
	n, err := io.ReadFull(h.f, first)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		h.discard()
		return nil, failf(exitInput, "%s: %v", h.name, reason(err))
	}
	switch input {
	case "jsonl":
		h.format = ops.JSONLines
	case "edn":
		h.format = ops.EDN
	default:
		h.format = ops.Detect(path, first[:n])
	}
	return h, nil
}

// spool copies standard input into a file that goes away with the command.
func (h *historyFile) spool(stdin io.Reader) (err error) {
	h.name = "<stdin>"
	if h.f, err = os.CreateTemp("", "history.*"); err != nil {
		return err
	}
	h.remove = true
	_, err = io.Copy(h.f, io.LimitReader(&interruptible{stdin, h.ctx}, ops.MaxFile+1)) // the reader of histories says what is too long
	if err == nil {
		_, err = h.f.Seek(0, io.SeekStart)
	}
	return err
}

// discard closes the file.
func (h *historyFile) discard() {
	if h.f == nil {
		return
	}
	_ = h.f.Close()
	if h.remove {
		_ = os.Remove(h.f.Name())
	}
}

// again is the file from its beginning.
func (h *historyFile) again() (io.Reader, error) {
	if _, err := h.f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	h.enough = false
	return h, nil
}

// Read is the file until nothing further is wanted, or the command is interrupted.
func (h *historyFile) Read(b []byte) (int, error) {
	if h.enough {
		return 0, io.EOF
	}
	return (&interruptible{h.f, h.ctx}).Read(b)
}

func (h *historyFile) judge(model string, o blackbox.Options) (*blackbox.Judged, error) {
	r, err := h.again()
	if err != nil {
		return nil, err
	}
	return blackbox.Check(blackbox.Source{Name: h.name, Format: h.format, Reader: r}, model, o)
}

// events are those of the file that the first anomaly of a report names, in the order of the file. The file is without
// problems: it has been judged.
func (h *historyFile) events(r *ops.Report) ([]ops.Event, error) {
	if len(r.Anomalies) == 0 {
		return nil, nil
	}
	wanted := r.Anomalies[0].Evidence
	last := slices.Max(wanted)
	in, err := h.again()
	if err != nil {
		return nil, err
	}
	var found []ops.Event
	err = ops.Read(in, h.format, ops.Sink{
		Header: func(ops.Header) {},
		Event: func(e *ops.Event) {
			if _, ok := slices.BinarySearch(wanted, e.Index); ok {
				found = append(found, *e)
			}
			h.enough = e.Index >= last // indices ascend
		},
	}, &ops.Problems{})
	return found, err
}

// interruptible ends with an error when the command is interrupted.
type interruptible struct {
	r   io.Reader
	ctx context.Context
}

func (i *interruptible) Read(b []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(b)
}
