package sim

import (
	"fmt"
	"iter"
	"runtime"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// Proc is a process: straight-line code on a node that awaits. All its methods first check that it lives and is
// the one running; a dead process unwinds by a panic from the method, and from its present await.
type Proc struct {
	w    *World
	n    *Node
	inc  int32
	name string
	fn   func(*Proc)
	co   *coroutine

	dead     bool
	cause    int64 // fact behind its death
	ended    bool
	bg       bool
	waiting  bool
	timedOut bool
	timer    Handle
	call     uint64 // open call, 0 = none
	prev     *Proc  // of the node's processes
	next     *Proc
	signal   *Signal
	swallows int
	blame    func() string // where the code is that this process acts for; nil = where it awaits itself
	id       uint64

	gotBody any
	gotErr  error
	gotFact int64
}

// killed unwinds a dead process; worldOver unwinds every process when the world is closed.
type (
	killed    struct{}
	worldOver struct{}
)

// swallowLimit is how often a dead process may await again before it is ended for good: code that recovers in a
// loop would otherwise defeat a kill for ever.
const swallowLimit = 100

// coroutine is a pooled iter.Pull: it runs one process after the other.
type coroutine struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	job   *Proc
}

func newCoroutine() *coroutine {
	c := &coroutine{}
	c.next, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		c.yield = yield
		for {
			if c.job != nil {
				c.job.run()
				c.job = nil
			}
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return c
}

// Go starts a process on the node at the present instant.
func (n *Node) Go(name string, fn func(*Proc)) *Proc { return n.start(name, fn, n.bg) }

// GoBackground starts one whose awaits are background: heartbeats, scans, idle polls.
func (n *Node) GoBackground(name string, fn func(*Proc)) *Proc { return n.start(name, fn, true) }

func (n *Node) start(name string, fn func(*Proc), bg bool) *Proc {
	w := n.w
	w.living()
	if !n.up {
		panic("sim: process " + name + " on " + n.name + ", which is down")
	}
	if w.procs >= w.limits.Processes {
		w.end(StopReason{Kind: StopLimit, Limit: "processes", Detail: fmt.Sprintf("%d processes alive", w.procs)})
	}
	n.counter++
	p := &Proc{w: w, n: n, inc: n.incarnation, name: name, fn: fn, bg: bg, waiting: true, id: uint64(n.counter), prev: n.last}
	if n.last == nil {
		n.first = p
	} else {
		n.last.next = p
	}
	n.last = p
	w.procs++
	p.wakeAt(evWake, w.now)
	return p
}

// wakeAt queues the process's next wake-up.
func (p *Proc) wakeAt(kind eventKind, at Time) {
	w := p.w
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.what, e.node, e.inc, e.background, e.word = kind, p, p.n, p.inc, p.bg, p.id
	p.timer = w.schedule(slot, at, PhaseTimer, 0)
}

// run is the body of one process on its coroutine.
func (p *Proc) run() {
	returned := false
	defer func() {
		r := recover()
		p.ended = true
		switch r.(type) {
		case nil:
			if !returned {
				p.goexit()
			}
		case killed:
			if !p.w.closing {
				p.w.History.Record(history.Fact{Time: int64(p.w.now), Node: p.n.name, Incarnation: p.inc,
					Kind: history.KindUnwound, Cause: p.cause, Fence: -1, Offset: -1, Op: p.name, Note: p.site()})
			}
		case worldOver:
		default:
			p.panicked(r)
		}
	}()
	p.fn(p)
	returned = true
}

func (p *Proc) goexit() {
	if p.swallows > swallowLimit {
		p.w.end(StopReason{Kind: StopKillSwallowed, Detail: fmt.Sprintf("process %s on %s recovered from its kill %d times", p.name, p.n.name, p.swallows), Site: p.site()})
		return
	}
	p.w.end(StopReason{Kind: StopGoexit, Detail: fmt.Sprintf("process %s on %s ended its goroutine", p.name, p.n.name), Site: p.site()})
}

func (p *Proc) panicked(r any) {
	if p.w.closing {
		return // the run is over, and its history is closed
	}
	site := p.site()
	p.w.end(StopReason{Kind: StopPanic, Detail: fmt.Sprintf("%v at %s (process %s on %s)", r, site, p.name, p.n.name), Site: site})
	p.w.History.Record(history.Fact{Time: int64(p.w.now), Node: p.n.name, Incarnation: p.inc,
		Kind: history.KindPanicked, Fence: -1, Offset: -1, Op: p.name, Note: site, Value: fmt.Sprint(r)})
}

// Blame names who awaits: a process that acts for code elsewhere says with it where that code is. It is asked when the
// process dies, and at each call of a world whose calls have sites.
func (p *Proc) Blame(site func() string) { p.blame = site }

// Site is where the process awaits, or the code that it acts for; see awaitSite.
func (p *Proc) Site() string {
	p.alive()
	return p.site()
}

func (p *Proc) site() string {
	if p.blame != nil {
		return p.blame()
	}
	return awaitSite()
}

// awaitSite is file:line of the innermost frame that is neither the kernel's nor the runtime's (or of testing, whose FailNow ends a goroutine) nor the thin
// context of package model: the await as the author of the process sees it. It is taken while the process
// unwinds, because taking it at every await would cost more than the await.
func awaitSite() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") && !strings.HasPrefix(f.Function, "testing.") && !strings.HasPrefix(f.Function, module+"sim.") && !strings.HasPrefix(f.Function, module+"model.(*") {
			return SiteOf(f)
		}
		if !more {
			return ""
		}
	}
}

const module = "github.com/twiceless/twiceless/"

// SiteOf shortens a frame to package, file and line, the same on every machine; of our own packages the path within
// the module.
func SiteOf(f runtime.Frame) string {
	file := f.File[strings.LastIndexByte(f.File, '/')+1:]
	pkg := f.Function
	slash := strings.LastIndexByte(pkg, '/')
	if dot := strings.IndexByte(pkg[slash+1:], '.'); dot >= 0 {
		pkg = pkg[:slash+1+dot]
	}
	return fmt.Sprintf("%s/%s:%d", strings.TrimPrefix(pkg, module), file, f.Line)
}

// resume switches to the process and comes back when it awaits or ends.
func (w *World) resume(p *Proc) {
	if p.ended {
		return
	}
	if !p.waiting || w.running != nil {
		panic("sim: resume of process " + p.name + " on " + p.n.name + ", which does not wait, or beside another")
	}
	p.waiting = false
	if p.co == nil {
		if p.dead { // killed before its first instruction
			w.forget(p)
			return
		}
		p.co = w.coroutine()
		p.co.job = p
	}
	w.running = p
	p.co.next()
	w.running = nil
	if p.ended {
		w.forget(p)
	}
}

func (w *World) coroutine() *coroutine {
	if n := len(w.idle); n > 0 {
		c := w.idle[n-1]
		w.idle = w.idle[:n-1]
		return c
	}
	c := newCoroutine()
	w.all = append(w.all, c)
	return c
}

// forget removes an ended process and gives its coroutine back to the pool.
func (w *World) forget(p *Proc) {
	p.ended = true
	if p.co != nil {
		w.idle = append(w.idle, p.co)
		p.co = nil
	}
	n := p.n
	if p.prev == nil {
		n.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		n.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
	w.procs--
	if _, only := n.handler.(*processesOnly); only && n.stopping && n.first == nil && n.up {
		n.Finish()
	}
}

// unwindDoomed ends, in order of their start, the processes killed during the event that is now over.
func (w *World) unwindDoomed() {
	for i := 0; i < len(w.doomed); i++ {
		p := w.doomed[i]
		if p.ended || !p.waiting {
			continue
		}
		p.disarm()
		w.resume(p)
	}
	clear(w.doomed)
	w.doomed = w.doomed[:0]
}

// disarm takes back everything that could still wake the process.
func (p *Proc) disarm() {
	p.w.Cancel(p.timer)
	p.timer = Handle{}
	if p.call != 0 {
		if p.w.openCall(p.call) != nil {
			p.w.closeCall(p.call)
		}
		p.call = 0
	}
	if p.signal != nil {
		p.signal.leave(p)
		p.signal = nil
	}
}

// alive is the first line of every method: the process must live, be the running one, and the world be open.
func (p *Proc) alive() {
	if p.dead || p.w.closing {
		p.die()
	}
	if p.w.running != p {
		panic("sim: process " + p.name + " on " + p.n.name + " was used from outside itself")
	}
}

// die unwinds a process that must not go on, or ends its goroutine if it has recovered from that too often.
func (p *Proc) die() {
	p.swallows++
	if p.swallows > swallowLimit {
		runtime.Goexit()
	}
	if p.w.closing {
		panic(worldOver{})
	}
	panic(killed{})
}

// forever as a timeout means that only something else ends the wait.
const forever = Duration(-1)

// await gives control back until a wake-up; it reports whether the wait timed out.
func (p *Proc) await(timeout Duration) bool {
	p.timedOut = false
	if timeout != forever {
		p.wakeAt(evWake, p.n.mono.due(p.w.now, timeout))
	}
	p.waiting = true
	if !p.co.yield(struct{}{}) || p.dead {
		p.die()
	}
	p.call = 0
	return p.timedOut
}

// wake ends a wait with a result: the timeout leaves the queue, the process runs within the present event.
func (p *Proc) wake(body any, err error, fact int64) {
	if p.dead || !p.waiting {
		return // killed at the hook of this very step: the doomed list unwinds it
	}
	p.w.Cancel(p.timer)
	p.timer = Handle{}
	p.gotBody, p.gotErr, p.gotFact = body, err, fact
	p.w.resume(p)
}

// Sleep waits for d of the node's monotonic clock. A d below 0 counts as 0.
func (p *Proc) Sleep(d Duration) {
	p.alive()
	p.wakeAt(evWake, p.n.mono.due(p.w.now, d))
	p.waiting = true
	if !p.co.yield(struct{}{}) || p.dead { // not await: after a switch each return costs a mispredicted branch
		p.die()
	}
}

// Background flags the process's next awaits: background work does not keep a run from being quiescent.
func (p *Proc) Background(on bool) { p.bg = on }

// Node of the process.
func (p *Proc) Node() *Node { return p.n }

// World of the process.
func (p *Proc) World() *World { return p.w }

// Alive panics if the process has been killed: the check at the head of everything that touches the world.
func (p *Proc) Alive() { p.alive() }

// Record adds a fact that the process knows.
func (p *Proc) Record(f history.Fact) int64 {
	p.alive()
	return p.n.Record(f)
}

// Go starts another process on the same node.
func (p *Proc) Go(name string, fn func(*Proc)) *Proc {
	p.alive()
	return p.n.start(name, fn, p.bg)
}

// GoBackground starts one whose awaits are background.
func (p *Proc) GoBackground(name string, fn func(*Proc)) *Proc {
	p.alive()
	return p.n.start(name, fn, true)
}
