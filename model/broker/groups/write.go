package groups

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// write is a batch that the coordinator has appended to its partition. Two things come of it, at different times: what it
// stands for takes effect when the high watermark has passed it (done), and whoever waits is answered, by then or when
// its patience ends (told). A request that was given up on may take effect later all the same.
type write struct {
	done     func(error) // once: nil, or why the batch is not in the log; never, if nobody can say
	told     func(error) // once: nil; wire.ErrRequestTimedOut or wire.ErrNotCoordinator if it may yet take effect; else why it will not
	timer    sim.Handle
	records  int64
	settled  bool // done was called, or never will be
	answered bool
}

// append writes to the partition. The order of appends is that of the log, so that what is known of one batch is known of
// all before it: a write that nobody could answer for is settled by the next one that is replicated.
func (c *Coordinator) append(b wire.Batch, act sim.Action, w *write) {
	c.writes = append(c.writes, w)
	w.records = b.Records()
	c.own += w.records
	w.timer = c.n.After(c.cfg.CommitTimeout, func() { w.tell(wire.ErrRequestTimedOut) })
	c.h.Append(b, act, func(err error) { c.appended(w, err) })
}

// appended is what the log says of a write.
func (c *Coordinator) appended(w *write, err error) {
	c.n.Cancel(w.timer)
	switch {
	case c.over, errors.Is(err, wire.ErrNotCoordinator):
		w.tell(wire.ErrNotCoordinator) // it may be in the log of the next one, who will know
	case errors.Is(err, wire.ErrNotEnoughAfter), errors.Is(err, wire.ErrRequestTimedOut):
		w.tell(wire.ErrRequestTimedOut) // it is in the log and waits for the high watermark
	case err == nil:
		c.replicated(w)
	case !w.settled:
		c.forget(w)
		c.own -= w.records
		w.settled = true
		w.done(err)
		w.tell(refusal(err))
	}
}

// replicated settles a write and all before it.
func (c *Coordinator) replicated(last *write) {
	for !last.settled {
		w := c.writes[0]
		c.writes = slices.Delete(c.writes, 0, 1)
		w.settled = true
		c.n.Cancel(w.timer)
		w.done(nil)
		if w.tell(nil); !c.alive() {
			return
		}
	}
}

// forget takes a write out that is not in the log.
func (c *Coordinator) forget(w *write) {
	i := slices.Index(c.writes, w)
	c.writes = slices.Delete(c.writes, i, i+1)
}

// tell answers whoever waits, once.
func (w *write) tell(err error) {
	if !w.answered {
		w.answered = true
		w.told(err)
	}
}

// refusal is what a client hears of a write that the log refused: nothing was written.
func refusal(err error) error {
	if errors.Is(err, wire.ErrNotEnoughReplicas) || errors.Is(err, wire.ErrUnknownTopic) {
		return wire.ErrNoCoordinator
	}
	return err
}

// message is one record of the offsets topic.
func message(key, payload string) model.Message {
	return model.Message{Intent: model.Intent{Key: key}, Payload: payload}
}
