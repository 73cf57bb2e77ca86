package sim

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Node is an inbox, two clocks, a disk and processes. What its handler and processes know dies with an
// incarnation; what is on its disk survives.
type Node struct {
	w           *World
	id          int32
	name, role  string
	hash        uint64
	incarnation int32
	up          bool
	dark        bool // stopped by power loss: peers meet silence
	paused      bool
	stopping    bool
	stopCause   int64 // fact behind a graceful stop
	onStop      []func(cause int64)
	boot        func(*Node) Handler
	handler     Handler
	seen        []Handler
	disk        Disk
	backlog     []int32 // events held back by a pause, in the order in which they were due
	links       []link  // by peer id
	mono, wall  clock
	wallOffset  int64
	bg          bool  // what the handler schedules now is background
	counter     int32 // processes started
	first, last *Proc // alive, in order of their start
	onLeap      []func(since Time, by Duration)
	onSkew      []func()
	kept        []kept // connections whose end the handler wants to hear of
}

// Handler is a state machine on a node. A node whose code is all processes returns an empty one.
type Handler interface {
	// Receive handles one request atomically. The request may be answered now or later, once or never.
	Receive(n *Node, r *Request)
}

// NoHandler is the instance of a node whose code is all processes: it answers nothing. Each call returns a new
// instance, as every boot must.
func NoHandler() Handler { return &processesOnly{live: true} }

type processesOnly struct{ live bool }

func (*processesOnly) Receive(*Node, *Request) {}

// Role adds node role-k (k counts from 1) that is down until Boot. The factory makes the instance of each
// incarnation from the disk alone; returning an instance seen before is a bug and panics.
func (w *World) Role(role string, factory func(*Node) Handler) *Node {
	if role == "" || factory == nil {
		panic("sim: a role needs a name and a factory")
	}
	k := 1
	for _, n := range w.nodes {
		if n.role == role {
			k++
		}
	}
	name := fmt.Sprintf("%s-%d", role, k)
	n := &Node{w: w, id: int32(len(w.nodes)), name: name, role: role, hash: rng.Hash(name), boot: factory}
	n.disk.n = n
	for i, what := range diskHookTable {
		n.disk.hookIDs[i] = role + ".disk." + what
	}
	w.nodes = append(w.nodes, n)
	w.byName[name] = n
	return n
}

// Node finds a node by name; nil when there is none.
func (w *World) Node(name string) *Node { return w.byName[name] }

// Nodes of a role, in order of their numbers; every node when role is empty.
func (w *World) Nodes(role string) []*Node {
	var out []*Node
	for _, n := range w.nodes {
		if role == "" || n.role == role {
			out = append(out, n)
		}
	}
	return out
}

// Name is role-k.
func (n *Node) Name() string { return n.name }

// Role of the node.
func (n *Node) Role() string { return n.role }

// World of the node.
func (n *Node) World() *World { return n.w }

// Incarnation counts boots, from 1.
func (n *Node) Incarnation() int32 { return n.incarnation }

// Up says whether the node runs (a paused node is up).
func (n *Node) Up() bool { return n.up }

// Paused says whether it stands still.
func (n *Node) Paused() bool { return n.paused }

// Stopping says whether a graceful stop was asked for.
func (n *Node) Stopping() bool { return n.stopping }

// Handler is the present instance.
func (n *Node) Handler() Handler { return n.handler }

// Boot starts a new incarnation from the disk. The node must be down.
func (n *Node) Boot() {
	if n.up {
		panic("sim: boot of " + n.name + ", which is up")
	}
	n.incarnation++
	n.up, n.dark, n.paused, n.stopping, n.bg = true, false, false, false, false
	torn := n.disk.recover()
	note := ""
	if torn > 0 {
		note = fmt.Sprintf("%d torn records cut off", torn)
	}
	n.Record(history.Fact{Kind: history.KindBooted, Fence: -1, Offset: n.disk.records(), Note: note})
	n.w.handle(n, func() {
		h := n.boot(n)
		n.assertFresh(h)
		n.seen = append(n.seen, h)
		n.handler = h
	})
}

// assertFresh panics if an instance lived before. Only a pointer to something has a state of its own; what has
// another form must have no state at all.
func (n *Node) assertFresh(h Handler) {
	if h == nil {
		panic("sim: the factory of " + n.name + " returned no handler")
	}
	if t := reflect.TypeOf(h); t.Kind() != reflect.Pointer {
		if t.Size() > 0 {
			panic("sim: the handler of " + n.name + " is no pointer: the world cannot tell its instances apart")
		}
		return
	} else if t.Elem().Size() == 0 {
		return
	}
	for _, old := range n.seen {
		if old == h {
			panic("sim: " + n.name + " booted an instance that lived before")
		}
	}
}

// Kill ends the process: its page cache survives, peers' connections are reset after one link delay.
func (n *Node) Kill(cause int64) { n.stop("kill", cause, false) }

// PowerLoss ends the machine: what was not fsynced is lost, perhaps but for a torn part; peers meet silence.
func (n *Node) PowerLoss(cause int64) { n.stop("power-loss", cause, true) }

// Finish ends a graceful stop whose code has ended by itself: to peers and disk a kill, in the history graceful.
// A node whose code is all processes finishes when its last process returns.
func (n *Node) Finish() {
	if !n.stopping || n.first != nil {
		panic("sim: " + n.name + " was not asked to stop, or has not ended its processes")
	}
	n.stop("graceful", n.stopCause, false)
}

func (n *Node) stop(how string, cause int64, dark bool) {
	if !n.up {
		panic("sim: " + how + " of " + n.name + ", which is down")
	}
	n.Record(history.Fact{Kind: history.KindStopped, Fence: -1, Offset: n.disk.records(), Cause: cause, Note: how})
	n.up, n.dark, n.paused = false, dark, false
	n.w.dropEvents(n)
	if len(n.w.conns) > 0 {
		n.w.endStreams(n, dark)
	}
	if dark {
		n.disk.losePower()
	} else {
		if n.w.forgetful {
			n.disk.dropPageCache()
		}
		n.w.resetCalls(n)
		n.w.closeConnections(n)
	}
	for p := n.first; p != nil; p = p.next {
		if !p.dead { // one that runs unwinds at its own hook, the others when the event is over
			p.dead, p.cause = true, cause
			n.w.doomed = append(n.w.doomed, p)
		}
	}
	n.w.dropCalls(n)
	n.handler, n.onLeap, n.onSkew, n.kept = nil, nil, nil, nil
	n.disk.reset()
	for _, fn := range n.onStop {
		n.w.At(n.w.now, PhaseFault, func() { fn(cause) })
	}
	n.onStop = nil
}

// OnStop has fn called once, at the instant at which the present incarnation ends, however it ends, with the fact
// behind that. It is an event of its own, so that the processes are unwound by then and the node may boot in it. The
// node must be up.
func (n *Node) OnStop(fn func(cause int64)) {
	if !n.up {
		panic("sim: the end of " + n.name + " awaited, which is down")
	}
	n.onStop = append(n.onStop, fn)
}

// StopHandler is a handler that is told of a graceful stop. It calls Finish when it has handed over its work.
type StopHandler interface {
	Handler
	// Stop begins the graceful stop, in an event of the node. It is called once.
	Stop()
}

// AskStop begins a graceful stop: code that asks Stopping finishes its work, hands back and ends, and a StopHandler is
// told. Whoever asks kills the node when the grace period is over. cause is the fact behind it, 0 = none.
func (n *Node) AskStop(cause int64) {
	told := n.stopping
	n.stopping, n.stopCause = true, cause
	if h, ok := n.handler.(StopHandler); ok && !told {
		n.After(0, h.Stop)
	}
}

// Pause makes the node stand still: nothing runs, time passes, nobody is told, peers' data is buffered.
func (n *Node) Pause() {
	if n.up {
		n.paused = true
	}
}

// Resume ends a pause: first what arrived, in order of arrival, then the overdue timers in due order. Each goes
// before what arrives or is due at this very instant.
func (n *Node) Resume() {
	if !n.paused {
		return
	}
	n.paused = false
	for _, slot := range n.backlog {
		n.w.requeue(slot)
	}
	n.w.held -= len(n.backlog)
	n.backlog = n.backlog[:0]
}

func (n *Node) hold(slot int32) {
	n.backlog = append(n.backlog, slot)
	n.w.held++
}

func (n *Node) unhold(slot int32) {
	i := slices.Index(n.backlog, slot)
	n.backlog = slices.Delete(n.backlog, i, i+1)
	n.w.held--
}

// later continues what a pause interrupted at a hook: it goes on, ahead of everything else, when the pause ends.
func (n *Node) later(bg bool, fn func()) {
	slot := n.w.alloc()
	e := &n.w.events[slot]
	e.kind, e.what, e.node, e.inc, e.word, e.background = evFunc, fn, n, n.incarnation, 0, bg
	n.w.admit(slot, PhaseDeliver)
	n.hold(slot)
}

// Now is the monotonic clock: true time with the node's drift. Timers and sessions use it.
func (n *Node) Now() Time { return Time(n.mono.read(n.w.now)) }

// Wall is the wall clock: offset, drift and jumps. Stored expiries and time stamps use it.
func (n *Node) Wall() Time { return Time(n.wall.read(n.w.now) + n.wallOffset) }

// SkewWall moves the wall clock by d, backwards too.
func (n *Node) SkewWall(d Duration) {
	n.wallOffset += int64(d)
	for _, fn := range n.onSkew {
		n.AfterBackground(0, fn)
	}
}

// OnSkew has fn called, in an event of the node, when its wall clock has stepped, until this incarnation ends: what it has
// computed from that clock, like when a timer is due, may be wrong since.
func (n *Node) OnSkew(fn func()) { n.onSkew = append(n.onSkew, fn) }

// Drift sets both clocks' drift in parts per million; |ppm| < 10⁶. Neither clock jumps by that, and timers that
// are armed keep the instant at which they are due.
func (n *Node) Drift(mono, wall int64) {
	n.mono.drift(n.w.now, mono)
	n.wall.drift(n.w.now, wall)
}

// After runs fn when the node's monotonic clock has advanced by d (at once if d < 0), unless this incarnation has
// ended.
func (n *Node) After(d Duration, fn func()) Handle { return n.after(d, fn, n.background()) }

// AfterBackground is After for periodic work that must not keep a run from being quiescent.
func (n *Node) AfterBackground(d Duration, fn func()) Handle { return n.after(d, fn, true) }

func (n *Node) after(d Duration, fn func(), bg bool) Handle {
	w := n.w
	w.living()
	if !n.up {
		panic("sim: timer on " + n.name + ", which is down")
	}
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.what, e.node, e.inc, e.word, e.background = evFunc, fn, n, n.incarnation, 0, bg
	return w.schedule(slot, n.mono.due(w.now, d), PhaseTimer, 0)
}

// background says whether the code that runs now does background work.
func (n *Node) background() bool {
	if p := n.w.running; p != nil {
		return p.bg
	}
	return n.bg
}

// Cancel takes a timer back.
func (n *Node) Cancel(h Handle) bool { return n.w.Cancel(h) }

// Record adds a fact that this node knows.
func (n *Node) Record(f history.Fact) int64 {
	n.w.living()
	f.Time, f.Node, f.Incarnation = int64(n.w.now), n.name, n.incarnation
	return n.w.History.Record(f)
}

// Disk of the node.
func (n *Node) Disk() *Disk { return &n.disk }
