package sim

import "github.com/twiceless/twiceless/sim/history"

// Hit is one passage through a hook. A watcher may stop nodes, and may set Drop on the steps that put a message
// on the wire (sent, replied): it then never arrives.
type Hit struct {
	Hook   string
	Node   *Node  // where it happens
	Caller *Node  // of an RPC; nil otherwise
	Event  string // "" = none
	Stage  string
	Drop   bool
}

// hooks interns ids; an id nobody watches costs one comparison.
type hooks struct {
	byID     map[string]func(*Hit)
	watched  []bool // by Op·5+step
	observer func(*Hit)
}

// Op is an interned "service.op".
type Op int32

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
	w.ops = append(w.ops, name)
	op := Op(len(w.ops) - 1)
	w.opByName[name] = op
	for _, s := range history.RPCSteps() {
		id := history.RPCHook(name, s)
		w.hooks.watched = append(w.hooks.watched, w.hooks.byID[id] != nil || w.hooks.observer != nil)
	}
	return op
}

// OpName is the text of an op.
func (w *World) OpName(op Op) string { return w.ops[op] }

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
	for op, name := range w.ops {
		for s, step := range history.RPCSteps() {
			if history.RPCHook(name, step) == id {
				w.hooks.watched[op*steps+s] = true
			}
		}
	}
}

// Observe calls fn at every passage through any hook: how hunting learns which hooks a workload reaches.
func (w *World) Observe(fn func(*Hit)) {
	w.hooks.observer = fn
	for i := range w.hooks.watched {
		w.hooks.watched[i] = true
	}
}

// step fires one step of an RPC and reports whether the message is to be dropped.
func (w *World) step(op Op, s int, at, caller *Node, act *Action) bool {
	if !w.hooks.watched[int(op)*steps+s] {
		return false
	}
	return w.fire(&Hit{Hook: history.RPCHook(w.ops[op], history.RPCSteps()[s]), Node: at, Caller: caller, Event: act.Event, Stage: act.Stage})
}

func (w *World) fire(h *Hit) bool {
	if fn := w.hooks.byID[h.Hook]; fn != nil {
		fn(h)
	}
	if w.hooks.observer != nil {
		w.hooks.observer(h)
	}
	return h.Drop
}

// Reached fires the hook of an engine's transition at this node: group/revoked, unit/committing.
func (n *Node) Reached(id string, act Action) {
	if n.w.hooks.byID == nil && n.w.hooks.observer == nil {
		return
	}
	n.w.fire(&Hit{Hook: id, Node: n, Event: act.Event, Stage: act.Stage})
}
