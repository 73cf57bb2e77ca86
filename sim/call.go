package sim

import "fmt"

// A handler, too, asks other nodes: a follower its leader, a coordinator the leaders of partitions. It does not wait;
// what came back is an event of its node like any other, and so is that nothing came. Each step is a hook, as of a call
// by a process.

// Call sends a request; then runs, once, in an event of this node, with the reply and the fact it rests on, or with an
// error: ErrRefused, ErrReset, ErrTimeout or the service's own. The timeout is on the node's monotonic clock. It does not run
// if this incarnation has ended by then. act is the zero Action for calls that belong to no domain action. What is
// called from background work is background, as of timers.
func (n *Node) Call(to *Node, op Op, act Action, body any, fact int64, timeout Duration, then func(reply any, fact int64, err error)) {
	n.call(to, op, act, body, fact, timeout, n.background(), then)
}

// CallBackground is Call for a request that must not keep a run from being quiescent, whoever asks for it: one that is asked again
// and again, by its own answer too. Called from foreground work once, it would be foreground for ever.
func (n *Node) CallBackground(to *Node, op Op, act Action, body any, fact int64, timeout Duration, then func(reply any, fact int64, err error)) {
	n.call(to, op, act, body, fact, timeout, true, then)
}

func (n *Node) call(to *Node, op Op, act Action, body any, fact int64, timeout Duration, bg bool, then func(reply any, fact int64, err error)) {
	fate := n.sends(op, act)
	if timeout < 0 {
		panic(fmt.Sprintf("sim: call of %s with a timeout of %v", n.w.OpName(op), timeout))
	}
	if n.paused { // at that hook: the call begins when the pause ends, and its timeout with it
		n.later(bg, func() { n.open(fate, to, op, act, body, fact, timeout, bg, then) })
		return
	}
	n.open(fate, to, op, act, body, fact, timeout, bg, then)
}

// open begins a call: from here on there is a timeout, and somebody who waits.
func (n *Node) open(f fate, to *Node, op Op, act Action, body any, fact int64, timeout Duration, bg bool, then func(any, int64, error)) {
	w := n.w
	id, c := w.newCall(n, to, op, &act, bg)
	c.then = then
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.what, e.node, e.inc, e.word, e.background = evGiveUp, nil, n, n.incarnation, id, bg
	c.timer = w.schedule(slot, n.mono.due(w.now, timeout), PhaseTimer, 0)
	if !f.dropped {
		w.request(n, to, op, &act, body, fact, id, f.delay, bg)
	}
}

// Send is a request of a handler that nobody waits for: it arrives, or it does not.
func (n *Node) Send(to *Node, op Op, act Action, body any, fact int64) {
	f, bg := n.sends(op, act), n.background()
	switch {
	case f.dropped:
	case n.paused: // at that hook
		n.later(bg, func() {
			held := act
			n.w.request(n, to, op, &held, body, fact, 0, f.delay, bg)
		})
	default:
		n.w.request(n, to, op, &act, body, fact, 0, f.delay, bg)
	}
}

// sends is the first step of a request: code that is killed there unwinds, and has sent nothing.
func (n *Node) sends(op Op, act Action) fate {
	n.w.living()
	if !n.up {
		panic("sim: a request of " + n.name + ", which is down")
	}
	fate := n.w.step(op, stepSent, n, n, &act)
	n.w.obey()
	return fate
}

// dropCalls forgets the open calls of a handler that has ended: nobody is left to hear of them.
func (w *World) dropCalls(n *Node) {
	for i := range w.calls {
		if c := &w.calls[i]; c.n == n && c.p == nil {
			w.closeCall(uint64(c.gen)<<32 | uint64(i))
		}
	}
}

// giveUpTag tells the timeouts of a node's calls apart, the same in each cycle.
func (w *World) giveUpTag(id uint64) uint64 {
	if c := w.openCall(id); c != nil {
		return uint64(c.to.id)<<32 | uint64(c.op)
	}
	return 0
}
