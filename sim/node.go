package sim

import (
	"fmt"

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
	boot        func(*Node) Handler
	handler     Handler
	seen        []Handler
	disk        Disk
	backlog     []int32 // events held back by a pause, deliveries first when it ends
	links       []link  // by peer id
	driftPPM    int64
	wallOffset  int64
	wallDrift   int64
	bg          bool // what the handler schedules now is background
	counter     int32
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
	k := 1
	for _, n := range w.nodes {
		if n.role == role {
			k++
		}
	}
	name := fmt.Sprintf("%s-%d", role, k)
	n := &Node{w: w, id: int32(len(w.nodes)), name: name, role: role, hash: rng.Hash(name), boot: factory}
	n.disk.n = n
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
	n.Record(history.Fact{Kind: history.KindBooted, Fence: -1, Offset: -1, Note: note})
	h := n.boot(n)
	for _, old := range n.seen {
		if old == h {
			panic("sim: " + n.name + " booted an instance that lived before")
		}
	}
	n.seen = append(n.seen, h)
	n.handler = h
}

// Kill ends the process: its page cache survives, peers' connections are reset after one link delay.
func (n *Node) Kill(cause int64) { n.stop("kill", cause, false) }

// PowerLoss ends the machine: what was not fsynced is lost, perhaps but for a torn part; peers meet silence.
func (n *Node) PowerLoss(cause int64) { n.stop("power-loss", cause, true) }

func (n *Node) stop(how string, cause int64, dark bool) {
	if !n.up {
		panic("sim: " + how + " of " + n.name + ", which is down")
	}
	n.Record(history.Fact{Kind: history.KindStopped, Fence: -1, Offset: -1, Cause: cause, Note: how})
	n.up, n.dark, n.paused = false, dark, false
	n.dropBacklog()
	if dark {
		n.disk.losePower()
	} else {
		n.w.resetCalls(n)
	}
	n.killProcs()
	n.handler = nil
	n.disk.reset()
}

// killProcs dooms every process of the node, the running one too: it unwinds at its own hook.
func (n *Node) killProcs() {
	for _, p := range n.w.procs {
		if p.n == n && !p.dead {
			p.dead = true
			if p != n.w.running {
				n.w.doomed = append(n.w.doomed, p)
			}
		}
	}
}

// AskStop begins a graceful stop: code that asks Stopping finishes its work, hands back and ends. Whoever asks
// kills the node when the grace period is over.
func (n *Node) AskStop() { n.stopping = true }

// Pause makes the node stand still: nothing runs, time passes, nobody is told, peers' data is buffered.
func (n *Node) Pause() {
	if n.up {
		n.paused = true
	}
}

// Resume ends a pause: first what arrived, then the overdue timers in due order.
func (n *Node) Resume() {
	if !n.paused {
		return
	}
	n.paused = false
	held := n.backlog
	n.backlog = nil
	for _, phase := range []Phase{PhaseDeliver, PhaseTimer} {
		for _, slot := range held {
			e := &n.w.events[slot]
			if (e.phase == PhaseTimer) != (phase == PhaseTimer) {
				continue
			}
			if !e.live { // cancelled while it was held back
				n.w.release(slot)
				continue
			}
			n.w.requeue(slot, phase)
		}
	}
}

// requeue puts a held event back at the present instant; its handle stays valid.
func (w *World) requeue(slot int32, p Phase) {
	w.seq++
	w.queue.push(item{at: w.now, ord: order(p, 0, w.seq), slot: slot})
}

func (n *Node) hold(slot int32) { n.backlog = append(n.backlog, slot) }

func (n *Node) dropBacklog() {
	for _, slot := range n.backlog {
		n.w.release(slot)
	}
	n.backlog = n.backlog[:0]
}

// Now is the monotonic clock: true time with the node's drift. Timers and sessions use it.
func (n *Node) Now() Time { return Time(drifting(int64(n.w.now), n.driftPPM)) }

// Wall is the wall clock: offset, drift and jumps. Stored expiries and time stamps use it.
func (n *Node) Wall() Time {
	return Time(drifting(int64(n.w.now), n.wallDrift) + n.wallOffset)
}

// SkewWall moves the wall clock by d, backwards too.
func (n *Node) SkewWall(d Duration) { n.wallOffset += int64(d) }

// Drift sets both clocks' drift in parts per million; |ppm| < 10⁶.
func (n *Node) Drift(mono, wall int64) { n.driftPPM, n.wallDrift = mono, wall }

// After runs fn when the node's monotonic clock has advanced by d, unless this incarnation has ended.
func (n *Node) After(d Duration, fn func()) Handle {
	slot := n.w.alloc()
	e := &n.w.events[slot]
	e.kind, e.fn, e.node, e.inc, e.background = evFunc, fn, n, n.incarnation, n.bg
	return n.w.schedule(slot, n.w.now.Add(Duration(undrifting(int64(d), n.driftPPM))), PhaseTimer, 0)
}

// AfterBackground is After for periodic work that must not keep a run from being quiescent.
func (n *Node) AfterBackground(d Duration, fn func()) Handle {
	old := n.bg
	n.bg = true
	h := n.After(d, fn)
	n.bg = old
	return h
}

// Cancel takes a timer back.
func (n *Node) Cancel(h Handle) bool { return n.w.Cancel(h) }

// Record adds a fact that this node knows.
func (n *Node) Record(f history.Fact) int64 {
	f.Time, f.Node, f.Incarnation = int64(n.w.now), n.name, n.incarnation
	return n.w.History.Record(f)
}

// Disk of the node.
func (n *Node) Disk() *Disk { return &n.disk }
