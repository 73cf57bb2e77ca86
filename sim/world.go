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

	seed    uint64
	now     Time
	seq     uint64
	queue   queue
	events  []event // slab, by slot
	free    []int32
	nodes   []*Node
	byName  map[string]*Node
	calls   []call
	freeC   []int32
	running *Proc
	doomed  []*Proc // died while waiting; unwound when the event is over
	procs   []*Proc // alive
	idle    []*coroutine
	all     []*coroutine

	ops      []string
	opByName map[string]Op
	hooks    hooks
	attempts map[uint64]int32

	latency    rng.Dist
	foreground int
	limits     Limits
	executed   int64
	background int64
	draws      uint64
	maxQueue   int
	digest     uint64
	marks      []uint64
	last       EventRecord
	lastBG     bool
	stop       *StopReason
	closing    bool
	check      func() *StopReason
}

// Config of a world. The zero value of Limits means the defaults.
type Config struct {
	Seed    uint64
	Latency rng.Dist // one network hop
	Limits  Limits
	History *history.History // facts go here; nil makes a new one
}

// Limits of a run. Zero means the default.
type Limits struct {
	Events    int64 // kernel events; default 20,000,000
	Queue     int   // pending events; default 1,000,000
	Processes int   // alive at once; default 100,000
	Facts     int   // recorded facts; default history.DefaultLimit
}

func (l Limits) filled() Limits {
	if l.Events == 0 {
		l.Events = 20_000_000
	}
	if l.Queue == 0 {
		l.Queue = 1_000_000
	}
	if l.Processes == 0 {
		l.Processes = 100_000
	}
	return l
}

// StopReason says why a run ended. Limit names the limit hit; Detail is for people.
type StopReason struct {
	Kind   StopKind
	Limit  string
	Detail string
}

// StopKind is the type of a stop reason.
type StopKind uint8

// The ways a run ends.
const (
	StopHorizon       StopKind = iota // the time given to Run
	StopDrained                       // no event left at all
	StopQuiescent                     // no foreground event and no outstanding work
	StopStuck                         // outstanding work, and the ledger does not move
	StopLimit                         // a limit, named
	StopPanic                         // code of a process panicked
	StopKillSwallowed                 // a dead process would not end
	StopGoexit                        // code of a process ended the goroutine
	StopAsked                         // the caller of Stop
)

// stopTable names the stop kinds.
var stopTable = [...]string{"horizon", "drained", "quiescent", "stuck", "limit", "panic", "kill-swallowed", "goexit", "asked"}

// String names the reason: "quiescent", "limit events".
func (s StopReason) String() string {
	if s.Kind == StopLimit {
		return "limit " + s.Limit
	}
	return stopTable[s.Kind]
}

// event is one scheduled thing. What is not a delivery is a function, guarded by its node's incarnation.
type event struct {
	kind       eventKind
	background bool
	live       bool
	phase      Phase
	gen        uint32
	node       *Node // nil = the world
	inc        int32
	proc       *Proc
	word       uint64
	fn         func()
	pkt        packet
}

type eventKind uint8

const (
	evNone eventKind = iota
	evFunc
	evWake
	evPacket
	evDisk
)

// eventTable names the event kinds in traces.
var eventTable = [...]string{"none", "func", "wake", "packet", "disk"}

// EventRecord is one executed event as the digest sees it.
type EventRecord struct {
	Time        Time
	Phase       Phase
	Seq         uint64
	Node        string
	Incarnation int32
	Kind        string
	Word        uint64
	Digest      uint64 // after it
}

// String is one line of a trace.
func (r EventRecord) String() string {
	return fmt.Sprintf("t=%-12v phase %d seq %d %s/%d %s word %016x digest %016x",
		r.Time, r.Phase, r.Seq, r.Node, r.Incarnation, r.Kind, r.Word, r.Digest)
}

// New makes a world.
func New(c Config) *World {
	w := &World{byName: map[string]*Node{}, opByName: map[string]Op{}, attempts: map[uint64]int32{}}
	w.Reset(c)
	return w
}

// Reset turns w into the world that New(c) makes, reusing its memory. The run before must be closed.
func (w *World) Reset(c Config) {
	if len(w.procs) != 0 || len(w.all) != 0 {
		panic("sim: reset of a world that was not closed")
	}
	clear(w.events)
	clear(w.byName)
	clear(w.opByName)
	clear(w.attempts)
	h := c.History
	if h == nil {
		h = &history.History{}
	}
	w.queue.reset()
	*w = World{
		History: h, seed: c.Seed, queue: w.queue, events: w.events[:0], free: w.free[:0], nodes: w.nodes[:0],
		byName: w.byName, calls: w.calls[:0], freeC: w.freeC[:0], doomed: w.doomed[:0], procs: w.procs[:0],
		idle: w.idle[:0], all: w.all[:0], ops: w.ops[:0], opByName: w.opByName, attempts: w.attempts,
		latency: c.Latency, limits: c.Limits.filled(), marks: w.marks[:0], digest: rng.Mix(c.Seed),
	}
	h.Reset(w.limits.Facts)
}

// Seed of the run.
func (w *World) Seed() uint64 { return w.seed }

// Now is the global time: what no component may read and every judge uses.
func (w *World) Now() Time { return w.now }

// Handle names a scheduled event; the zero value names none. A handle outlives its event harmlessly.
type Handle struct {
	slot int32
	gen  uint32
}

func (w *World) alloc() int32 {
	if n := len(w.free); n > 0 {
		slot := w.free[n-1]
		w.free = w.free[:n-1]
		return slot
	}
	w.events = append(w.events, event{})
	return int32(len(w.events) - 1)
}

// schedule queues the event in slot. The caller has filled all but the bookkeeping.
func (w *World) schedule(slot int32, at Time, p Phase, tie uint16) Handle {
	if at < w.now {
		panic(fmt.Sprintf("sim: event at %v scheduled at %v, in the past", at, w.now))
	}
	e := &w.events[slot]
	e.live, e.phase = true, p
	e.gen++
	if !e.background {
		w.foreground++
	}
	w.seq++
	if w.seq > seqMax {
		panic("sim: sequence overflow")
	}
	w.queue.push(item{at: at, ord: order(p, tie, w.seq), slot: slot})
	if n := len(w.queue.heap); n > w.maxQueue {
		w.maxQueue = n
		if n > w.limits.Queue {
			w.end(StopReason{Kind: StopLimit, Limit: "queue", Detail: fmt.Sprintf("%d pending events", n)})
		}
	}
	return Handle{slot + 1, e.gen}
}

// release gives a slot back; what it pointed to is dropped so that nothing leaks into the next run.
func (w *World) release(slot int32) {
	e := &w.events[slot]
	if !e.background {
		w.foreground--
	}
	*e = event{gen: e.gen}
	w.free = append(w.free, slot)
}

// Cancel takes an event out of the queue and reports whether it was still pending.
func (w *World) Cancel(h Handle) bool {
	if h.slot == 0 {
		return false
	}
	slot := h.slot - 1
	e := &w.events[slot]
	if e.gen != h.gen || !e.live {
		return false
	}
	if !w.queue.remove(slot) { // held back by a pause: its place is in the node's backlog
		e.live = false
		return true
	}
	w.release(slot)
	return true
}

// At runs fn at t in the given phase, whatever happens to any node: faults and phase changes.
func (w *World) At(t Time, p Phase, fn func()) Handle {
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.fn, e.node, e.background = evFunc, fn, nil, false
	return w.schedule(slot, t, p, 0)
}

// AtBackground is At for work that must not keep a run from being quiescent.
func (w *World) AtBackground(t Time, p Phase, fn func()) Handle {
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.fn, e.node, e.background = evFunc, fn, nil, true
	return w.schedule(slot, t, p, 0)
}

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

// Pending is the number of queued events.
func (w *World) Pending() int { return len(w.queue.heap) }

// Executed counts kernel events, and those of them that were background.
func (w *World) Executed() (total, background int64) { return w.executed, w.background }

// Run executes events until the horizon, or until something ends the run.
func (w *World) Run(horizon Time) StopReason {
	for w.stop == nil {
		if len(w.queue.heap) == 0 {
			w.end(StopReason{Kind: StopDrained})
			break
		}
		if w.queue.heap[0].at > horizon {
			w.now = horizon
			w.end(StopReason{Kind: StopHorizon})
			break
		}
		w.Step()
	}
	return *w.stop
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
	if len(w.queue.heap) == 0 {
		return false
	}
	it := w.queue.pop()
	w.now = it.at
	e := &w.events[it.slot]
	w.executed++
	w.lastBG = e.background
	if e.background {
		w.background++
	}
	w.fold(it, e)
	w.dispatch(it.slot, e)
	if len(w.doomed) > 0 {
		w.unwindDoomed()
	}
	w.guard()
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

// dispatch executes one event. Its slot is free before its function runs, so the function may reuse it.
func (w *World) dispatch(slot int32, e *event) {
	n := e.node
	if n == nil {
		fn := e.fn
		w.release(slot)
		fn()
		return
	}
	if e.inc != n.incarnation || !n.up {
		w.release(slot) // for an instance that is no more
		return
	}
	if n.paused {
		n.hold(slot)
		return
	}
	switch e.kind {
	case evFunc, evDisk:
		fn := e.fn
		w.release(slot)
		fn()
	case evWake:
		p := e.proc
		w.release(slot)
		p.timer = Handle{}
		p.timedOut = true
		w.resume(p)
	case evPacket:
		pkt := e.pkt
		w.release(slot)
		w.deliver(&pkt)
	default:
		panic("sim: event of no kind")
	}
}

const markEvery = 4096

// fold mixes the event into the digest: what happened, where and when; never memory or addresses.
func (w *World) fold(it item, e *event) {
	var node uint64
	if e.node != nil {
		node = uint64(uint32(e.node.id)+1)<<32 | uint64(uint32(e.inc))
	}
	d := w.digest
	d = (d ^ uint64(it.at)) * 0x9E3779B97F4A7C15
	d ^= d >> 32
	d = (d ^ it.ord) * 0xD6E8FEB86659FD93
	d ^= d >> 32
	d = (d ^ node ^ e.word ^ uint64(e.kind)<<56) * 0x9E3779B97F4A7C15
	w.digest = d ^ d>>29
	if w.executed%markEvery == 0 {
		w.marks = append(w.marks, w.digest)
	}
	w.last = EventRecord{Time: it.at, Phase: e.phase, Seq: it.ord & seqMax, Incarnation: e.inc, Kind: eventTable[e.kind], Word: e.word, Digest: w.digest}
	if e.node != nil {
		w.last.Node = e.node.name
	}
}

// Last is the event executed most recently.
func (w *World) Last() EventRecord { return w.last }

// Digest of the run so far: every event, the number of draws, and the history.
func (w *World) Digest() uint64 {
	return rng.Combine(rng.Combine(w.digest, w.draws), w.History.Digest())
}

// Marks are the digests after every 4,096 events.
func (w *World) Marks() []uint64 { return w.marks }

// Close ends every process and gives its coroutine back. It must be called once, also after a panic.
func (w *World) Close() {
	w.closing = true
	if w.stop == nil {
		w.end(StopReason{Kind: StopAsked, Detail: "closed"})
	}
	for len(w.all) > 0 {
		c := w.all[len(w.all)-1]
		w.all = w.all[:len(w.all)-1]
		c.stop()
	}
	w.procs, w.idle, w.doomed, w.running = w.procs[:0], w.idle[:0], w.doomed[:0], nil
}

// Record adds a fact of the world itself.
func (w *World) Record(f history.Fact) int64 {
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
	h := rng.ActionOf(event, stage, op)
	n := w.attempts[h] + 1
	w.attempts[h] = n
	return Action{Event: event, Stage: stage, Attempt: n, hash: h}
}

// backgroundAct keys what belongs to no domain action: by owner, kind and a counter of that owner.
func backgroundAct(owner uint64, kind Op, counter int32) Action {
	return Action{Attempt: counter, hash: rng.Combine(rng.Combine(owner, 0xB6), uint64(kind))}
}

// Peek names an action for a hook without counting an attempt.
func (w *World) Peek(event, stage string) Action { return Action{Event: event, Stage: stage} }
