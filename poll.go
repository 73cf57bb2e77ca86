package twiceless

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Client is the group's client of code that owns its poll loop. It is the same one each time.
func (e *Env) Client() loop.Client {
	if e.m.client == nil {
		panic("twiceless: only code under HostLoop owns its poll loop; a handler is given its messages")
	}
	return e.m.client
}

// client is loop.Client in a world. What belongs to the goroutines of the code is under mu; the rest belongs to the world,
// which stands still while they run.
//
// Polls, and the ends of callbacks, are asks that the loop's process on the node does, one after the other: it waits in
// the model's poll as an engine would. A callback is an answer to the ask that waits: the goroutine that polls runs it and
// asks again.
type client struct {
	m  *member
	in model.Consumer

	asks    []*bubble.Ask // wait to be done by the loop's process
	current *bubble.Ask   // the one that is done; nil = none
	owned   []int         // partitions
	stash   []model.Message
	polled  map[place]model.Message
	closed  bool
	polling bool // the loop's process waits for records

	mu       sync.Mutex
	buffer   []loop.Record
	paused   map[loop.TopicPartition]bool // looked up only
	assigned func(context.Context, []loop.TopicPartition)
	revoked  func(context.Context, []loop.TopicPartition, bool)
}

type place struct {
	partition int
	offset    int64
}

// clientAsk is what the loop's process does.
type clientAsk struct {
	do  clientDo
	max int
}

type clientDo uint8

const (
	doPoll clientDo = iota
	doDone          // a callback has run
	doClose
)

// callback is an answer to an ask of the loop: run this and ask again.
type callback func(context.Context)

// Poll waits for records.
func (cl *client) Poll(ctx context.Context, most int) ([]loop.Record, error) {
	if most <= 0 {
		most = 1 << 30
	}
	for do := doPoll; ; {
		if err := ctx.Err(); err != nil && do == doPoll {
			return nil, err
		}
		v, err := cl.m.group.Ask(ctx, "poll", &clientAsk{do: do, max: most})
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case callback:
			v(context.WithoutCancel(ctx))
			do = doDone
		case []model.Message:
			cl.add(v)
			if out := cl.next(most); len(out) > 0 {
				return out, nil
			}
			do = doPoll
		}
	}
}

// add keeps polled records until they are returned.
func (cl *client) add(ms []model.Message) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for i := range ms {
		cl.buffer = append(cl.buffer, cl.record(&ms[i]))
	}
}

// next are the first records that are not paused.
func (cl *client) next(most int) (out []loop.Record) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	rest := cl.buffer[:0:0]
	for _, r := range cl.buffer {
		if len(out) < most && !cl.paused[r.TopicPartition()] {
			out = append(out, r)
		} else {
			rest = append(rest, r)
		}
	}
	cl.buffer = rest
	return out
}

// ready says whether there is a record to return without a poll.
func (cl *client) ready() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return slices.ContainsFunc(cl.buffer, func(r loop.Record) bool { return !cl.paused[r.TopicPartition()] })
}

// eventHeader carries the id of the business event.
const eventHeader = "event"

func (cl *client) record(m *model.Message) loop.Record {
	r := loop.Record{Topic: m.Topic, Partition: int32(m.Partition), Offset: m.Offset, Value: []byte(cl.m.gu.h.brought.payloadOf(*m)),
		Headers: []loop.Header{{Key: eventHeader, Value: []byte(m.Event)}}, Time: time.Now().Truncate(time.Millisecond)}
	if m.Key != "" {
		r.Key = []byte(m.Key)
	}
	return r
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
	_, err := cl.m.group.Ask(ctx, text, &commitAsk{records})
	return err
}

type commitAsk struct{ records []loop.Record }

func (q *commitAsk) do(c model.Ctx, gu *guest, _ *delivery) (any, error) {
	cl := gu.present(c).client
	var ms []model.Message
	for _, r := range q.records {
		if !slices.Contains(cl.owned, int(r.Partition)) {
			return nil, loop.ErrFenced
		}
		m, known := cl.polled[place{int(r.Partition), r.Offset}]
		if !known {
			m = model.Message{Topic: r.Topic, Partition: int(r.Partition), Offset: r.Offset}
		}
		ms = append(ms, m)
	}
	if cl.closed {
		return nil, loop.ErrClosed
	}
	err := cl.in.Commit(c.With(ms[len(ms)-1].Intent), ms)
	switch {
	case err == nil:
		return nil, nil
	case errors.Is(err, model.ErrIllegalGeneration), errors.Is(err, model.ErrUnknownMember):
		return nil, fmt.Errorf("%w (%w)", loop.ErrFenced, err)
	case !model.Definite(err):
		return nil, fmt.Errorf("%w (%w)", loop.ErrUnknown, err)
	}
	return nil, err
}

// Produce appends a record.
func (cl *client) Produce(ctx context.Context, r loop.Record) error {
	m := model.Message{Intent: model.Intent{Key: string(r.Key)}, Payload: string(r.Value)}
	for _, h := range r.Headers {
		if h.Key == eventHeader {
			m.Event, m.Correlation = string(h.Value), string(h.Value)
		}
	}
	_, err := cl.m.group.Ask(ctx, "produce "+r.Topic+" "+m.Event+" "+m.Payload, &produceAsk{topic: r.Topic, m: m})
	if err != nil && !model.Definite(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w (%w)", loop.ErrUnknown, err)
	}
	return err
}

// Pause stops records of these partitions.
func (cl *client) Pause(ps ...loop.TopicPartition) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for _, p := range ps {
		cl.paused[p] = true
	}
}

// Resume undoes Pause.
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

// Close leaves the group.
func (cl *client) Close(ctx context.Context) error {
	for do := doClose; ; do = doDone {
		v, err := cl.m.group.Ask(ctx, "close", &clientAsk{do: do})
		run, called := v.(callback)
		if !called {
			return err
		}
		run(ctx)
	}
}

// take keeps an ask for the loop's process.
func (cl *client) take(a *bubble.Ask) {
	a.Work = cl
	cl.asks = append(cl.asks, a)
	cl.m.changed.Broadcast()
}

// quit answers a poll whose context has ended, and a close. Records that are on their way come with the next poll.
func (cl *client) quit(a *bubble.Ask) {
	if cl.current == a {
		cl.current = nil
	}
	cl.asks = slices.DeleteFunc(cl.asks, func(x *bubble.Ask) bool { return x == a })
	if a.What.(*clientAsk).do == doDone {
		cl.take(a) // the world waits for it
		return
	}
	a.Answer(nil, a.Ctx.Err())
}

// working is 1 if the code does anything but wait for records.
func (cl *client) working() int {
	if cl.polling && cl.current != nil {
		return 0
	}
	return 1
}

// runLoop is the process of a member whose code owns its loop.
func (gu *guest) runLoop(c model.Ctx, in model.Consumer) {
	m := gu.present(c)
	cl := &client{m: m, in: in, polled: map[place]model.Message{}, paused: map[loop.TopicPartition]bool{}}
	m.client = cl
	in.OnAssign(cl.onAssign)
	in.OnRevoke(cl.onRevoke)
	m.do(c, &delivery{}, func() { m.loopErr = gu.h.loop(m.env)(m.env.Context()) })
	cl.current = nil
	if !c.Stopping() {
		gu.restart(m)
	}
}

// restart is what a supervisor does with a process that ends without having been asked to: it is started again.
func (gu *guest) restart(m *member) {
	w, n, inc := gu.hall.World, m.node, m.inc
	gu.h.remark(fmt.Sprintf("a poll loop returned although nobody had asked it to stop (error: %v); its process was started again", m.loopErr))
	w.At(w.Now(), sim.PhaseFault, func() {
		if n.Up() && n.Incarnation() == inc {
			n.Kill(0)
			w.At(w.Now().Add(restartAfter), sim.PhaseFault, n.Boot)
		}
	})
}

// restartAfter is the delay of that supervisor.
const restartAfter = sim.Second

// serve does what the loop's asks want until the code has ended; see member.do.
func (cl *client) serve(c model.Ctx) {
	if len(cl.asks) == 0 {
		return
	}
	cl.current, cl.asks = cl.asks[0], cl.asks[1:]
	switch q := cl.current.What.(*clientAsk); {
	case q.do == doClose:
		cl.closing(c)
	case cl.closed:
		cl.answer(nil, loop.ErrClosed)
	default:
		cl.poll(c, q.max)
	}
}

func (cl *client) closing(c model.Ctx) {
	if !cl.closed {
		cl.in.Leave(c)
	}
	cl.closed = true
	cl.answer(nil, nil)
}

// poll waits for records unless some are there.
func (cl *client) poll(c model.Ctx, most int) {
	if c.Stopping() {
		cl.answer(nil, loop.ErrClosed)
		return
	}
	if len(cl.stash) == 0 && !cl.ready() {
		cl.polling = true
		ms, ok := cl.in.Poll(c, min(most, 1<<20))
		cl.polling = false
		if !ok {
			cl.answer(nil, loop.ErrClosed)
			return
		}
		cl.stash = append(cl.stash, ms...)
		cl.remember(ms)
	}
	if cl.current != nil {
		ms := cl.stash
		cl.stash = nil
		cl.answer(ms, nil)
	}
}

// remember keeps what calls and commits are looked up by.
func (cl *client) remember(ms []model.Message) {
	for i := range ms {
		cl.polled[place{ms[i].Partition, ms[i].Offset}] = ms[i]
	}
	cl.m.hand(ms)
}

// answer ends the present ask.
func (cl *client) answer(v any, err error) {
	if a := cl.current; a != nil {
		cl.current = nil
		a.Answer(v, err)
		cl.m.gu.settle()
	}
}

// call has the goroutine that polls run a callback, and waits until it has; without such a goroutine there is nobody left
// to call.
func (cl *client) call(c model.Ctx, fn callback) {
	for cl.current == nil {
		if !cl.await(c) {
			return
		}
	}
	polling := cl.polling
	cl.polling = false
	cl.answer(fn, nil)
	for cl.current == nil || cl.current.What.(*clientAsk).do != doDone {
		if !cl.await(c) {
			return
		}
	}
	cl.polling = polling
}

// await waits for the next ask; false says that the code has ended.
func (cl *client) await(c model.Ctx) bool {
	for len(cl.asks) == 0 {
		if cl.m.run == nil || cl.m.run.Ended() {
			return false
		}
		c.Process().Wait(&cl.m.changed, -1)
	}
	cl.current, cl.asks = cl.asks[0], cl.asks[1:]
	return true
}

func (cl *client) onAssign(c model.Ctx, ps []model.PartitionOffset) {
	cl.owned = nil
	for _, p := range ps {
		cl.owned = append(cl.owned, p.Partition)
	}
	slices.Sort(cl.owned)
	cl.mu.Lock()
	fn, which := cl.assigned, cl.partitions()
	cl.mu.Unlock()
	if fn != nil {
		cl.call(c, func(ctx context.Context) { fn(ctx, which) })
	}
}

func (cl *client) onRevoke(c model.Ctx) {
	lost := cl.in.Lost()
	cl.mu.Lock()
	fn, which := cl.revoked, cl.partitions()
	cl.buffer = nil
	clear(cl.paused)
	cl.mu.Unlock()
	cl.stash = nil
	if fn != nil && len(which) > 0 {
		cl.call(c, func(ctx context.Context) { fn(ctx, which, lost) })
	}
	cl.owned = nil
	clear(cl.polled)
}

// partitions are those that the client owns, of the topic of the flow.
func (cl *client) partitions() []loop.TopicPartition {
	var out []loop.TopicPartition
	for _, p := range cl.owned {
		out = append(out, loop.TopicPartition{Topic: cl.m.gu.hall.Scenario.Workload.Topic, Partition: int32(p)})
	}
	return out
}
