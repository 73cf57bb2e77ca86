package sim

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// World is one run. It is not safe for concurrent use, and one goroutine at a time runs in it.
// New makes one; Reset makes it a fresh one that keeps the memory of the run before.
type World struct {
	History *history.History

	// what happens, and when
	seed   uint64
	now    Time
	seq    uint64
	queue  queue
	events []event // slab, by slot
	free   []int32
	held   int // events held back by pauses
	quiet  quiet
	last   executedEvent

	// who it happens to
	nodes     []*Node
	byName    map[string]*Node
	running   *Proc   // the process whose code runs
	acting    actor   // the handler whose code runs, in a world with watchers
	unwinding bool    // a panic is on its way to guarded
	doomed    []*Proc // died while waiting; unwound when the event is over
	procs     int     // alive
	idle      []*coroutine
	all       []*coroutine

	// how they talk
	latency     rng.Dist
	ops         []opInfo
	opByName    map[string]Op
	hooks       hooks
	attempts    map[uint64]int32
	calls       []call
	freeC       []int32
	packets     []*packet // free
	diskOps     []*diskOp // free
	requests    []*Request
	nextRequest int
	stream      Streams
	streaming   bool                                             // some link is or was lossy
	conns       []*conn                                          // that are not over
	wirePackets []*wirePacket                                    // free
	onWire      func(h *half, kind wireKind, s span) (lose bool) // of scripts: sees each packet; nil = none

	// what is counted, and what ends it
	foreground int
	executed   int64
	background int64
	draws      uint64
	digest     uint64
	marks      []uint64
	limits     Limits
	check      func() *StopReason
	stop       *StopReason
	closing    bool
	everyEvent bool
	forgetful  bool
	sites      bool
	beside     Beside
}

// Config of a world. The zero value of Limits means the defaults.
type Config struct {
	Seed    uint64
	Latency rng.Dist // one network hop
	Streams Streams  // connections over lossy links
	Limits  Limits
	History *history.History // facts go here; nil makes a new one

	// EveryEvent has quiet times executed event by event, for tests of the leap: facts and draws must be the same.
	EveryEvent bool

	// Sites has calls carry file:line of the code that makes them. That costs as much as a kernel event for each call,
	// so it is for telling a story; digests do not see it.
	Sites bool

	// Beside is code beside this world, under its clock; nil = none.
	Beside Beside

	// KillDropsPageCache is a planted bug: a plain kill loses what was not fsynced, as if the power had gone.
	KillDropsPageCache bool
}

// New makes a world.
func New(c Config) *World {
	w := &World{byName: map[string]*Node{}, opByName: map[string]Op{}, attempts: map[uint64]int32{}, requests: make([]*Request, requestRing)}
	w.Reset(c)
	return w
}

// Reset turns w into the world that New(c) makes, reusing its memory. The run before must be closed.
func (w *World) Reset(c Config) {
	if w.procs != 0 || len(w.all) != 0 {
		panic("sim: reset of a world that was not closed")
	}
	clear(w.events)
	clear(w.nodes)
	clear(w.byName)
	clear(w.calls)
	clear(w.conns)
	clear(w.opByName)
	clear(w.attempts)
	for _, r := range w.requests {
		if r != nil {
			*r = Request{}
		}
	}
	h := c.History
	if h == nil {
		h = &history.History{}
	}
	w.queue.reset()
	*w = World{
		History: h, seed: c.Seed, queue: w.queue, events: w.events[:0], free: w.free[:0], nodes: w.nodes[:0],
		byName: w.byName, calls: w.calls[:0], freeC: w.freeC[:0], doomed: w.doomed[:0],
		idle: w.idle[:0], all: w.all[:0], ops: w.ops[:0], opByName: w.opByName, attempts: w.attempts,
		packets: w.packets, diskOps: w.diskOps, requests: w.requests,
		quiet: quiet{anchor: anchor{pending: w.quiet.anchor.pending[:0]}, moving: w.quiet.moving[:0]}, everyEvent: c.EveryEvent, forgetful: c.KillDropsPageCache,
		sites: c.Sites, beside: c.Beside, stream: c.Streams.filled(), conns: w.conns[:0], wirePackets: w.wirePackets,
		latency: c.Latency, limits: c.Limits.filled(), marks: w.marks[:0], digest: rng.Mix(c.Seed),
	}
	h.Reset(w.limits.Facts)
}

// Seed of the run.
func (w *World) Seed() uint64 { return w.seed }

// Now is the global time: what no component may read and every judge uses.
func (w *World) Now() Time { return w.now }

// Stop ends the run after the current event.
func (w *World) Stop(detail string) { w.end(StopReason{Kind: StopAsked, Detail: detail}) }

// end keeps the first reason.
func (w *World) end(r StopReason) {
	if w.stop == nil {
		w.stop = &r
	}
}

// Watchdog is called after every event; a reason it returns ends the run. It decides quiescence and stuckness,
// which need to know what work is outstanding: the kernel does not.
func (w *World) Watchdog(check func() *StopReason) { w.check = check }

// Foreground is the number of pending foreground events.
func (w *World) Foreground() int { return w.foreground }

// Pending is the number of events that are queued or held back by a pause.
func (w *World) Pending() int { return w.queue.len() + w.held }

// Executed counts kernel events, and those of them that were background.
func (w *World) Executed() (total, background int64) { return w.executed, w.background }

// Run executes events until the horizon, or until something ends the run. A run that reached its horizon or was
// drained may be given a later horizon; every other end is final.
func (w *World) Run(horizon Time) StopReason {
	if w.stop != nil && (w.stop.Kind == StopHorizon || w.stop.Kind == StopDrained) && !w.closing {
		w.stop = nil
	}
	for w.next(horizon) {
		w.Step()
	}
	return *w.stop
}

// KillSwallowed ends the run: code that acts for a killed process would not end.
func (w *World) KillSwallowed(detail string) {
	w.end(StopReason{Kind: StopKillSwallowed, Detail: detail})
}

// Sites says whether calls carry where they are made.
func (w *World) Sites() bool { return w.sites }

// Beside is code that is not written against the kernel and runs beside it, under the same clock: it sleeps, has
// deadlines, and asks the world for something in the middle of that. The world stands still while it runs, and it stands
// still while the world does, so that still only one of them runs at any moment.
type Beside interface {
	// Reach lets the time there come to t, or to the first moment before t at which somebody there asks for something.
	// It returns that moment, and what hands over the asks: it is called when the world has come there too; nil = nobody
	// asks.
	Reach(t Time) (at Time, asks func())
}

// together lets what runs beside come to the time of the next event, and takes up what it asks for on the way.
func (w *World) together() {
	for w.queue.len() > 0 && w.stop == nil {
		next := w.queue.least().at
		at, asks := w.quiet.ahead, w.quiet.asks
		if asks == nil {
			at, asks = w.beside.Reach(next)
		}
		if asks == nil || w.quiet.asks != nil && at > next {
			return
		}
		w.quiet.asks = nil
		if at < w.now || at > next {
			panic(fmt.Sprintf("sim: what runs beside is at %v, between %v and %v of the world", at, w.now, next))
		}
		w.now = at
		asks()
	}
}

// next reports whether the run goes on with one more event; if not, it has a reason.
func (w *World) next(horizon Time) bool {
	if w.beside != nil {
		w.together()
	}
	switch {
	case w.stop != nil:
	case w.queue.len() == 0:
		w.end(StopReason{Kind: StopDrained})
	case w.queue.least().at > horizon:
		w.now = max(w.now, horizon)
		w.end(StopReason{Kind: StopHorizon})
	default:
		return true
	}
	return false
}

// Stopped says whether and why the run has ended.
func (w *World) Stopped() (StopReason, bool) {
	if w.stop == nil {
		return StopReason{}, false
	}
	return *w.stop, true
}

// Step executes the next event and reports whether there was one.
func (w *World) Step() bool {
	if w.closing {
		panic("sim: step of a world that is closed")
	}
	if w.queue.len() == 0 {
		return false
	}
	it := w.queue.take()
	w.now = it.at
	e := &w.events[it.slot]
	w.executed++
	if e.background {
		w.background++
	}
	w.fold(it, e)
	w.dispatch(it.slot, e)
	if len(w.doomed) > 0 {
		w.unwindDoomed()
	}
	if w.executed >= w.limits.Events || w.check != nil || w.History.Full() {
		w.guard()
	}
	if w.quiet.on {
		w.rest()
	}
	return true
}

func (w *World) guard() {
	if w.executed >= w.limits.Events {
		w.end(StopReason{Kind: StopLimit, Limit: "events", Detail: fmt.Sprintf("%d kernel events", w.executed)})
	}
	if w.History.Full() {
		w.end(StopReason{Kind: StopLimit, Limit: "facts", Detail: fmt.Sprintf("%d facts", w.History.Len())})
	}
	if w.check != nil && w.stop == nil {
		if r := w.check(); r != nil {
			w.end(*r)
		}
	}
}

// Close ends every process and gives its coroutine back. It must be called once, on the goroutine that ran the
// world, also after a panic: a process that recovers even from this is ended by Goexit, which ends that goroutine
// too, after its deferred calls.
func (w *World) Close() {
	w.closing = true
	if w.stop == nil {
		w.end(StopReason{Kind: StopAsked, Detail: "closed"})
	}
	defer func() { // also after a Goexit
		if len(w.all) > 0 {
			w.Close()
		}
	}()
	for len(w.all) > 0 {
		c := w.all[len(w.all)-1]
		w.all = w.all[:len(w.all)-1]
		if c.job != nil {
			w.running = c.job
		}
		c.stop()
	}
	w.procs, w.idle, w.doomed, w.running = 0, w.idle[:0], w.doomed[:0], nil
}

// Record adds a fact of the world itself.
func (w *World) Record(f history.Fact) int64 {
	w.living()
	f.Time = int64(w.now)
	return w.History.Record(f)
}

// Draw is one keyed draw; it is counted.
func (w *World) Draw(p rng.Purpose, a Action, step uint32) uint64 {
	w.draws++
	return rng.Key{Seed: w.seed, Purpose: p, Action: a.hash, Attempt: uint32(a.Attempt)}.At(step)
}

// Action is a domain action: what draws and facts are keyed by. The zero value is no action.
type Action struct {
	Event   string
	Stage   string
	Attempt int32 // the n-th time the world sees this action, from 1
	hash    uint64
}

// Act counts one more attempt at (event, stage, op) and returns it.
func (w *World) Act(event, stage, op string) Action {
	w.living()
	h := rng.ActionOf(event, stage, op)
	n := w.attempts[h] + 1
	w.attempts[h] = n
	return Action{Event: event, Stage: stage, Attempt: n, hash: h}
}

// backgroundAct keys what belongs to no domain action: by owner, kind and a counter of that owner and kind.
func backgroundAct(owner, kind uint64, counter int32) Action {
	return Action{Attempt: counter, hash: rng.Combine(rng.Combine(owner, 0xB6), kind)}
}

// Peek names an action for a hook without counting an attempt.
func (w *World) Peek(event, stage string) Action { return Action{Event: event, Stage: stage} }
