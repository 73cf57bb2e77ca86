package consumer

import (
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Start is the factory of one member's node. A member that its group has fenced is made anew, as whoever supervises a program
// starts it again when it has ended with an error.
func Start(opts Options, dir *model.Directory, loop Loop) func(*sim.Node) sim.Handler {
	opts.check()
	return func(n *sim.Node) sim.Handler {
		c := newConsumer(n, opts)
		n.Go("poll-loop", func(p *sim.Proc) {
			for {
				p.Sleep(opts.Restart)
				ctx := model.NewContext(p, dir)
				loop(ctx, c)
				c.Leave(ctx)
				if !c.fatal || n.Stopping() {
					return
				}
				p.Background(true)
				p.Sleep(opts.BackoffMax)
				c = newConsumer(n, opts)
			}
		})
		return sim.NoHandler()
	}
}

func newConsumer(n *sim.Node, opts Options) *Consumer {
	c := &Consumer{n: n, opts: opts, ops: opsOf(n.World()), cooperative: opts.cooperative()}
	c.generation, c.round, c.rejoin = wire.NoGeneration, wire.NoGeneration, true
	c.cluster = client.New(n, client.Config{Bootstrap: opts.Bootstrap, MetadataMaxAge: opts.MetadataMaxAge, RequestTimeout: opts.RequestTimeout,
		Backoff: opts.Backoff, BackoffMax: opts.BackoffMax})
	if opts.Protocol == ServerSide { // it names itself, once in its life: a join that is repeated is known as such
		c.id = n.Name() + "#" + strconv.Itoa(int(n.Incarnation()))
	}
	c.interval = opts.Heartbeat
	if opts.Static {
		c.instance = opts.Group + "/" + n.Name()
	}
	n.OnLeap(c.leapt)
	return c
}

// Consumer is one member of a group: its view of the group, and what it has fetched. It implements model.Consumer.
type Consumer struct {
	n           *sim.Node
	opts        Options
	cluster     *client.Cluster
	ops         operations
	cooperative bool

	// The poll loop.
	loop     *sim.Proc // the process that polls
	polling  bool      // it is inside Poll, and not in a callback
	lastPoll sim.Time  // when it last left
	watching bool      // the timer of the poll interval is armed
	wake     sim.Signal
	ended    bool // it has left for good
	fatal    bool // the group has fenced it: it polls no more
	onRevoke func(model.Ctx)
	onAssign func(model.Ctx, []model.PartitionOffset)
	steering model.Steering

	membership
	fetches
	autoDue   sim.Time // of the next auto-commit
	autoArmed bool     // its timer is
}

type operations struct{ join, sync, heartbeat, leave, groupHeartbeat, commit, offsets, fetch, list, epochEnd sim.Op }

func opsOf(w *sim.World) operations {
	op := func(name string) sim.Op { return w.Op(wire.Broker + "." + name) }
	return operations{op(wire.OpJoin), op(wire.OpSync), op(wire.OpHeartbeat), op(wire.OpLeave), op(wire.OpGroupHeartbeat), op(wire.OpCommit),
		op(wire.OpOffsets), op(wire.OpFetch), op(wire.OpListOffsets), op(wire.OpEpochEnd)}
}

// Poll waits for records, however long that takes; ok is false when the member is to stop. All that the group wants of
// the application happens in it: giving up and taking over of partitions, with the callbacks. While it waits the poll
// interval does not run: a loop that comes round again and again is what it stands for. No records and ok is the answer to a
// loop that has had enough; see Steer.
func (c *Consumer) Poll(ctx model.Ctx, most int) ([]model.Message, bool) {
	c.enter(ctx.Process())
	ms, ok := c.await(ctx, most)
	c.exit()
	return ms, ok
}

func (c *Consumer) await(ctx model.Ctx, most int) ([]model.Message, bool) {
	p := c.loop
	for {
		if c.n.Stopping() || c.ended || c.fatal {
			return nil, false
		}
		c.autoCommit()
		if c.attend(ctx) {
			continue
		}
		if c.steering.Enough != nil && c.steering.Enough() {
			return nil, true
		}
		ms := c.collect(p, most)
		c.pump()
		if len(ms) > 0 {
			return ms, true
		}
		p.Wait(&c.wake, c.patience())
		p.Background(true)
	}
}

// enter begins a time in which the loop waits for the client.
func (c *Consumer) enter(p *sim.Proc) {
	c.loop, c.polling = p, true
	p.Background(true)
}

// exit ends it: the application's code runs, and the poll interval with it.
func (c *Consumer) exit() {
	c.polling = false
	c.loop.Background(false)
	c.lastPoll = c.n.Now()
	c.watchPolls()
}

// callback runs code of the application inside a poll. It may take as long as any handler.
func (c *Consumer) callback(fn func()) {
	p := c.loop
	c.exit()
	fn()
	c.enter(p)
}

// patience is how long the loop waits before it looks around: a graceful stop wakes nobody, but each answer of a broker
// does.
func (c *Consumer) patience() sim.Duration {
	if c.fetching() {
		return -1
	}
	return c.opts.FetchMaxWait
}

// rouse has a loop that waits in Poll look around. With records for it that is foreground work.
func (c *Consumer) rouse(records bool) {
	if !c.polling {
		return
	}
	if records {
		c.loop.Background(false)
	}
	c.wake.Broadcast()
}

// OnRevoke sets what runs before the member gives up partitions: all it has, or with a cooperative protocol those that
// Revoking tells.
func (c *Consumer) OnRevoke(fn func(model.Ctx)) { c.onRevoke = fn }

// OnAssign sets what runs when the member has got partitions, with a cooperative protocol those that it did not have.
func (c *Consumer) OnAssign(fn func(model.Ctx, []model.PartitionOffset)) { c.onAssign = fn }

// AutoCommits says whether the client commits by itself what it has handed over.
func (c *Consumer) AutoCommits() bool { return c.opts.AutoCommit != CommitsNothing }

// Steer has a loop decide about polls that wait.
func (c *Consumer) Steer(by model.Steering) { c.steering = by }

// Seek moves the position from which the member reads on. What it has fetched of the partition is dropped.
func (c *Consumer) Seek(to model.PartitionOffset) {
	if p := c.partition(to.Partition); p != nil {
		p.moveTo(to.Offset, -1)
		p.state = ready
	}
}

// Leave gives up the share and leaves the group, the loop's own end or that of a graceful stop. A static member gives its
// share up and stays: its group waits for it until its session ends.
func (c *Consumer) Leave(ctx model.Ctx) {
	if c.ended {
		return
	}
	p := ctx.Process()
	c.enter(p)
	if c.opts.AutoCommit == CommitsPolled && !c.lost {
		c.commitNow(p, c.owned, c.opts.CommitTimeout)
	}
	c.revoke(ctx, c.owned, c.lost)
	c.exit()
	c.ended = true
	c.sayGoodbye(p)
}

// watchPolls has the poll interval noticed, however long the loop works. The timer is armed once for many polls.
func (c *Consumer) watchPolls() {
	if c.watching || c.ended {
		return
	}
	c.watching = true
	c.n.AfterBackground(c.lastPoll.Add(c.opts.MaxPollInterval).Sub(c.n.Now()), c.watchedPolls)
}

func (c *Consumer) watchedPolls() {
	c.watching = false
	if c.polling || c.ended {
		return
	}
	if c.n.Now().Sub(c.lastPoll) < c.opts.MaxPollInterval {
		c.watchPolls()
		return
	}
	c.expire()
}

// leapt moves what the member notes in each cycle of idle work.
func (c *Consumer) leapt(since sim.Time, by sim.Duration) {
	for _, t := range []*sim.Time{&c.lastPoll, &c.autoDue, &c.lastBeat} {
		if *t >= since {
			*t = t.Add(by)
		}
	}
}

// wait is the backoff after so many failures in a row. It has no jitter: what fails again and again is to repeat itself.
func (c *Consumer) wait(failures int) sim.Duration {
	d := c.opts.Backoff
	for ; failures > 1 && d < c.opts.BackoffMax; failures-- {
		d *= 2
	}
	return min(d, max(c.opts.BackoffMax, c.opts.Backoff))
}

func (c *Consumer) partition(id int) *partition {
	for _, p := range c.owned {
		if p.id == id {
			return p
		}
	}
	return nil
}
