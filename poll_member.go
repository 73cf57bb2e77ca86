package twiceless

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// client is loop.Client in a world. What the goroutines of the code share with the world is under mu; the rest belongs to
// the world, which stands still while they run.
//
// Poll and Close are asks that the loop's process on the node does: it waits in the model's poll, as an engine would, for
// as long as the loop waits in its own. A callback is an answer to the ask that waits: the goroutine that polls runs it and
// asks again.
type client struct {
	m  *member
	in model.Consumer

	ask     *bubble.Ask // the Poll or Close that waits; nil = none does
	waiting bool        // the process is in the model's poll
	leaving bool        // Close has begun
	left    bool        // the group
	closed  bool        // Close has returned
	called  bool        // the callback has run
	owned   []int       // partitions, ascending
	polled  map[place]model.Message

	mu       sync.Mutex
	buffer   []model.Message              // was fetched and not returned: for a poll that had ended, or of a paused partition
	mine     map[loop.TopicPartition]bool // looked up only
	paused   map[loop.TopicPartition]bool // looked up only
	assigned func(context.Context, []loop.TopicPartition)
	revoked  func(context.Context, []loop.TopicPartition, bool)
	told     []loop.TopicPartition // what the callbacks have said that the loop has
}

type place struct {
	partition int
	offset    int64
}

// runLoop is the process of a member whose code owns its loop.
func (gu *guest) runLoop(c model.Ctx, in model.Consumer) {
	m := gu.present(c)
	cl := &client{m: m, in: in, polled: map[place]model.Message{}, mine: map[loop.TopicPartition]bool{}, paused: map[loop.TopicPartition]bool{}}
	m.client = cl
	in.OnAssign(cl.onAssign)
	in.OnRevoke(cl.onRevoke)
	in.Steer(model.Steering{Enough: cl.enough, Skip: cl.skips})
	m.do(c, &delivery{}, func() { m.loopErr = gu.h.loop(m.env)(m.env.Context()) })
	cl.ask, cl.closed = nil, true
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

var errInside = errors.New("loop: Poll or Close called while one of them is running")

// take keeps an ask for the loop's process. It reports whether code goes on at once.
func (cl *client) take(a *bubble.Ask) (goesOn bool) {
	a.Work = cl
	switch {
	case a.What.(*clientAsk).do == doDone:
		cl.called, goesOn = true, true
		a.Answer(nil, nil)
	case cl.ask != nil:
		a.Answer(nil, errInside)
		return true
	default:
		cl.ask = a
	}
	cl.m.changed.Broadcast()
	return goesOn
}

// quit answers an ask whose context has ended. Records that are on their way come with the next poll; a client that was
// told to close does so all the same.
func (cl *client) quit(a *bubble.Ask) {
	if cl.ask == a {
		cl.ask = nil
		if a.What.(*clientAsk).do == doClose {
			cl.leaving, cl.closed = true, true
		}
		cl.m.changed.Broadcast()
	}
	a.Answer(nil, a.Ctx.Err())
}

// polls says whether it is a Poll that waits.
func (cl *client) polls() bool { return cl.ask != nil && cl.ask.What.(*clientAsk).do == doPoll }

// wanted says whether there is something for the process to do.
func (cl *client) wanted() bool { return cl.ask != nil || cl.leaving && !cl.left }

// working is 1 if the code does anything but wait for records.
func (cl *client) working() int {
	if cl.waiting && cl.polls() {
		return 0
	}
	return 1
}

// serve does what is wanted; see member.do.
func (cl *client) serve(c model.Ctx) {
	switch {
	case !cl.polls():
		cl.close(c)
	case cl.closed || cl.left || c.Stopping():
		cl.answer(nil, loop.ErrClosed)
	default:
		cl.poll(c)
	}
}

func (cl *client) close(c model.Ctx) {
	if cl.leaving = true; !cl.left {
		cl.in.Leave(c)
		cl.left = true
	}
	cl.closed = true
	cl.answer(nil, nil)
}

// poll waits for records. The model's poll is gone through even if some are there: it is what keeps the membership, and
// what tells of rebalances.
func (cl *client) poll(c model.Ctx) {
	cl.waiting = true
	ms, ok := cl.in.Poll(c, min(cl.ask.What.(*clientAsk).max, 1<<20))
	cl.waiting = false
	if !ok {
		cl.answer(nil, loop.ErrClosed)
		return
	}
	cl.keep(ms)
	if cl.polls() && cl.ready() {
		cl.answer(nil, nil)
	}
}

// keep has records wait for the code, and keeps what calls and commits are looked up by.
func (cl *client) keep(ms []model.Message) {
	for i := range ms {
		cl.polled[place{ms[i].Partition, ms[i].Offset}] = ms[i]
	}
	cl.m.hand(ms)
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.buffer = append(cl.buffer, ms...)
}

// ready says whether there is a record that a poll may return.
func (cl *client) ready() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return slices.ContainsFunc(cl.buffer, func(m model.Message) bool { return !cl.paused[cl.of(m.Partition)] })
}

// enough ends the model's poll when the loop does not wait for it any more.
func (cl *client) enough() bool { return !cl.polls() || cl.ready() || cl.m.run.Ended() }

// skips leaves paused partitions out of what is fetched.
func (cl *client) skips(partition int) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.paused[cl.of(partition)]
}

// answer ends the present ask.
func (cl *client) answer(v any, err error) {
	if a := cl.ask; a != nil {
		cl.ask = nil
		a.Answer(v, err)
		cl.m.gu.settle()
	}
}

// tell has the goroutine that polls run a callback, and waits until it has. It waits for such a goroutine too, as a group
// does, unless there will be none.
func (cl *client) tell(c model.Ctx, fn callback) {
	for cl.ask == nil {
		if cl.closed || cl.m.run.Ended() {
			return
		}
		c.Process().Wait(&cl.m.changed, -1)
	}
	waiting := cl.waiting
	cl.waiting, cl.called = false, false
	for cl.answer(fn, nil); !cl.called && !cl.m.run.Ended(); {
		c.Process().Wait(&cl.m.changed, -1)
	}
	cl.waiting = waiting
}

func (cl *client) onAssign(c model.Ctx, ps []model.PartitionOffset) {
	cl.owned = nil
	for _, p := range ps {
		cl.owned = append(cl.owned, p.Partition)
	}
	slices.Sort(cl.owned)
	cl.mu.Lock()
	fn, which := cl.assigned, cl.partitions()
	for _, p := range which {
		cl.mine[p] = true
	}
	cl.mu.Unlock()
	if fn == nil {
		cl.hold(which)
		return
	}
	cl.tell(c, func(ctx context.Context) {
		cl.hold(which)
		fn(ctx, which)
	})
}

// hold notes what the loop is told that it has.
func (cl *client) hold(ps []loop.TopicPartition) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.told = ps
}

func (cl *client) onRevoke(c model.Ctx) {
	lost := cl.in.Lost()
	cl.mu.Lock()
	fn, which := cl.revoked, cl.partitions()
	cl.buffer = nil
	clear(cl.mine)
	clear(cl.paused)
	cl.mu.Unlock()
	if fn != nil && len(which) > 0 {
		cl.tell(c, func(ctx context.Context) {
			cl.hold(nil)
			fn(ctx, which, lost)
		})
	}
	cl.owned = nil
	clear(cl.polled)
}

// partitions are those that the client owns, of the topic of the flow.
func (cl *client) partitions() []loop.TopicPartition {
	var out []loop.TopicPartition
	for _, p := range cl.owned {
		out = append(out, cl.of(p))
	}
	return out
}

// of is a partition of the topic of the flow.
func (cl *client) of(partition int) loop.TopicPartition {
	return loop.TopicPartition{Topic: cl.m.gu.hall.Scenario.Workload.Topic, Partition: int32(partition)}
}

// goodbye ends what the loop waits for when the world is over. A close is told what goes, as it would have been.
func (cl *client) goodbye(a *bubble.Ask) {
	q := a.What.(*clientAsk)
	cl.mu.Lock()
	fn, which := cl.revoked, cl.told
	cl.mu.Unlock()
	switch {
	case q.do == doPoll:
		a.Answer(nil, loop.ErrClosed)
	case q.do == doClose && fn != nil && len(which) > 0:
		cl.hold(nil)
		a.Answer(callback(func(ctx context.Context) { fn(ctx, which, false) }), nil)
	default:
		a.Answer(nil, nil)
	}
}

// commitAsk moves positions, for as long as the caller waits.
type commitAsk struct {
	ctx     context.Context
	records []loop.Record
}

func (q *commitAsk) do(c model.Ctx, gu *guest, _ *delivery) (any, error) { //nolint:unparam // asked demands it
	cl := gu.present(c).client
	if cl.closed {
		return nil, loop.ErrClosed
	}
	var ms []model.Message
	for _, r := range q.records {
		if r.Topic != gu.hall.Scenario.Workload.Topic || !slices.Contains(cl.owned, int(r.Partition)) {
			return nil, loop.ErrFenced
		}
		m, known := cl.polled[place{int(r.Partition), r.Offset}]
		if !known {
			m = model.Message{Topic: r.Topic, Partition: int(r.Partition), Offset: r.Offset}
		}
		ms = append(ms, m)
	}
	err := cl.in.Commit(asking{c.With(ms[len(ms)-1].Intent), q.ctx}, ms)
	if errors.Is(err, wire.ErrIllegalGeneration) || errors.Is(err, wire.ErrUnknownMember) || errors.Is(err, wire.ErrFencedInstance) {
		err = fmt.Errorf("%w (%w)", loop.ErrFenced, err)
	}
	return nil, err
}

// asking is the context of a process that acts for code which may give up.
type asking struct {
	model.Ctx
	code context.Context
}

// Err is that of the code's context.
func (a asking) Err() error {
	_ = a.Ctx.Err() // a process that is dead ends here
	return a.code.Err()
}

// appendAsk is what a loop produces.
type appendAsk struct{ produceAsk }

func (q *appendAsk) do(c model.Ctx, gu *guest, d *delivery) (any, error) {
	if gu.present(c).client.closed {
		return nil, loop.ErrClosed
	}
	return q.produceAsk.do(c, gu, d)
}
