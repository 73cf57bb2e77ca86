package twiceless

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/model"
)

// Client is the group's client of code that owns its poll loop. It is the same one each time.
func (e *Env) Client() loop.Client {
	if e.m.client == nil {
		panic("twiceless: only code under HostLoop owns its poll loop; a handler is given its messages")
	}
	return e.m.client
}

// This file is the half of client that the code's goroutines run; poll_member.go is the half of the world.

// clientAsk is what Poll and Close ask of the loop's process.
type clientAsk struct {
	do  clientDo
	max int // of a poll
}

type clientDo uint8

const (
	doPoll clientDo = iota
	doClose
	doDone // a callback has run
)

// callback is an answer to an ask: run this, say doDone and ask again.
type callback func(context.Context)

// Poll waits for records.
func (cl *client) Poll(ctx context.Context, most int) ([]loop.Record, error) {
	if most <= 0 {
		most = math.MaxInt
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := cl.m.group.Ask(ctx, "poll", &clientAsk{do: doPoll, max: most})
		if err != nil {
			return nil, err
		}
		if run, called := v.(callback); called {
			cl.call(context.WithoutCancel(ctx), run)
		} else if out := cl.next(most); len(out) > 0 {
			return out, nil
		}
	}
}

// Close leaves the group.
func (cl *client) Close(ctx context.Context) error {
	for {
		v, err := cl.m.group.Ask(ctx, "close", &clientAsk{do: doClose})
		run, called := v.(callback)
		if !called {
			return err
		}
		cl.call(ctx, run)
	}
}

// call runs a callback. Nothing but the end of the process ends the ask behind it: the group waits for it.
func (cl *client) call(ctx context.Context, run callback) {
	run(ctx)
	_, _ = cl.m.group.Ask(context.WithoutCancel(ctx), "callback done", &clientAsk{do: doDone})
}

// next are the first records that are not paused.
func (cl *client) next(most int) (out []loop.Record) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	rest := cl.buffer[:0:0]
	for i := range cl.buffer {
		if m := &cl.buffer[i]; len(out) < most && !cl.paused[cl.of(m.Partition)] {
			out = append(out, cl.record(m))
		} else {
			rest = append(rest, *m)
		}
	}
	cl.buffer = rest
	return out
}

// Commit moves the group's positions.
func (cl *client) Commit(ctx context.Context, records ...loop.Record) error {
	if len(records) == 0 {
		return nil
	}
	text := "commit"
	for _, r := range records {
		if r.Offset < 0 {
			return fmt.Errorf("loop: commit of a record of %s that was not read from the log", r.Topic)
		}
		text += " " + model.PartitionName(r.Topic, int(r.Partition)) + "@" + strconv.FormatInt(r.Offset, 10)
	}
	_, err := cl.m.group.Ask(ctx, text, &commitAsk{ctx, records})
	return sent(err)
}

// Produce appends a record.
func (cl *client) Produce(ctx context.Context, r loop.Record) error {
	m := messageOf(r)
	_, err := cl.m.group.Ask(ctx, "produce "+r.Topic+" "+m.Event+" "+m.Payload, &appendAsk{produceAsk{topic: r.Topic, m: m}})
	return sent(err)
}

// sent is the error of a request: unless it was refused for certain, nobody knows what came of it.
func sent(err error) error {
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if err == nil || model.Definite(err) && !ended {
		return err
	}
	return fmt.Errorf("%w (%w)", loop.ErrUnknown, err)
}

// Pause stops records of these partitions. Those that are not the client's are passed over.
func (cl *client) Pause(ps ...loop.TopicPartition) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for _, p := range ps {
		if cl.mine[p] {
			cl.paused[p] = true
		}
	}
}

// Resume undoes Pause. A poll that waits sees it when its present fetch ends.
func (cl *client) Resume(ps ...loop.TopicPartition) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for _, p := range ps {
		delete(cl.paused, p)
	}
}

// Assigned sets a callback.
func (cl *client) Assigned(fn func(context.Context, []loop.TopicPartition)) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.assigned = fn
}

// Revoked sets a callback.
func (cl *client) Revoked(fn func(context.Context, []loop.TopicPartition, bool)) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.revoked = fn
}
