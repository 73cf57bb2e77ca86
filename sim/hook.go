package sim

import (
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Hit is one passage through a hook. A watcher may stop nodes, and on the steps that put a message on the wire (sent,
// replied) it may set Drop: the message then never arrives; or Delay: it takes that much longer, later messages overtake it,
// and it arrives whether or not anybody still waits. It runs as the world: what it records, it records even if
// the node of the hook is dead by now.
//
// Code stops where its node is stopped. If a watcher kills the node of the code that met the hook, process or
// handler, that code unwinds there. If it pauses the node, a process goes on from there when the pause ends; a
// handler runs to its end, being atomic, but a request that has only arrived, what waits for a disk, and replies
// wait for the end of the pause. The message of sent and replied is not on the wire yet.
type Hit struct {
	Hook   string
	Node   *Node  // where it happens
	Caller *Node  // of an RPC; nil otherwise
	Event  string // "" = none
	Stage  string
	Drop   bool
	Delay  Duration // 0 = as long as the link takes
}

// hooks interns ids; an id nobody watches costs one comparison.
type hooks struct {
	byID     map[string]func(*Hit)
	watched  []bool // by Op·5+step
	observer func(*Hit)
	passed   int64 // passages that somebody watched, but for those without an event that only the observer saw
}

// active says whether anybody watches anything: only a watcher can stop code at its own hook.
func (h *hooks) active() bool { return h.byID != nil || h.observer != nil }

// Op is an interned "service.op".
type Op int32

type opInfo struct {
	name  string
	hash  uint64
	hooks [steps]string
}

const (
	stepSent = iota
	stepArrived
	stepApplied
	stepReplied
	stepReceived
	steps
)

// Op interns "service.op".
func (w *World) Op(name string) Op {
	if op, ok := w.opByName[name]; ok {
		return op
	}
	info := opInfo{name: name, hash: rng.Hash(name)}
	for i, s := range history.RPCSteps() {
		info.hooks[i] = history.RPCHook(name, s)
		w.hooks.watched = append(w.hooks.watched, w.hooks.byID[info.hooks[i]] != nil || w.hooks.observer != nil)
	}
	w.ops = append(w.ops, info)
	op := Op(len(w.ops) - 1)
	w.opByName[name] = op
	return op
}

// OpName is the text of an op.
func (w *World) OpName(op Op) string { return w.ops[op].name }

// Watch calls fn at every passage through the hook with that id. Several watchers of one id run in order.
func (w *World) Watch(id string, fn func(*Hit)) {
	if w.hooks.byID == nil {
		w.hooks.byID = map[string]func(*Hit){}
	}
	if old := w.hooks.byID[id]; old != nil {
		both := fn
		fn = func(h *Hit) { old(h); both(h) }
	}
	w.hooks.byID[id] = fn
	for op := range w.ops {
		for i, hook := range w.ops[op].hooks {
			if hook == id {
				w.hooks.watched[op*steps+i] = true
			}
		}
	}
}

// Observe calls fn at every passage through any hook: how hunting learns which hooks a workload reaches. Passages
// without an event are left out where quiet time passes by whole cycles, so that an observed run is the run itself.
func (w *World) Observe(fn func(*Hit)) {
	w.hooks.observer = fn
	for i := range w.hooks.watched {
		w.hooks.watched[i] = true
	}
}

// fate is what the watchers of a step want to become of its message.
type fate struct {
	dropped bool
	delay   Duration
}

// step fires one step of an RPC.
func (w *World) step(op Op, s int, at, caller *Node, act *Action) fate {
	if !w.hooks.watched[int(op)*steps+s] {
		return fate{}
	}
	h := Hit{Hook: w.ops[op].hooks[s], Node: at, Caller: caller, Event: act.Event, Stage: act.Stage}
	w.fire(&h)
	if h.Delay < 0 {
		panic("sim: a message on " + h.Hook + " held back by less than nothing")
	}
	return fate{h.Drop, h.Delay}
}

// fire runs the watchers as the world. The code that met the hook calls obey next.
func (w *World) fire(h *Hit) {
	p, acting := w.running, w.acting
	w.running, w.acting = nil, actor{}
	fn := w.hooks.byID[h.Hook]
	if fn != nil || h.Event != "" {
		w.hooks.passed++
	}
	if fn != nil {
		fn(h)
	}
	if w.hooks.observer != nil {
		w.hooks.observer(h)
	}
	w.running, w.acting = p, acting
}

// obey stops the code that met a hook if the watchers stopped its node.
func (w *World) obey() {
	if w.hooks.active() {
		w.obeyWatchers()
	}
}

func (w *World) obeyWatchers() {
	p, n := w.running, w.acting.n
	switch {
	case p != nil && p.dead:
		p.die()
	case p != nil && p.n.paused:
		p.await(0) // the wake-up is held back until the pause ends
	case n != nil && (!n.up || n.incarnation != w.acting.inc):
		w.unwinding = true
		panic(killed{})
	}
}

// Reached fires the hook of an engine's transition at this node: group/revoked, unit/committing.
func (n *Node) Reached(id string, act Action) {
	n.w.living()
	if n.w.hooks.active() {
		n.w.fire(&Hit{Hook: id, Node: n, Event: act.Event, Stage: act.Stage})
		n.w.obey()
	}
}
