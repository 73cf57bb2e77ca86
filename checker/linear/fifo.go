package linear

import "sort"

// FIFOKind is what an operation on a queue did.
type FIFOKind uint8

// The kinds. A dequeue that never returned is a FIFODequeue with Return Never; its value means nothing.
const (
	FIFOEnqueue FIFOKind = iota
	FIFODequeue          // it gave Value
	FIFOEmpty            // a dequeue that answered: empty
)

// FIFOOp is an operation on a queue that is empty at first. Values are numbered from 0, without large gaps.
type FIFOOp struct {
	Span
	Kind  FIFOKind
	Value int32
}

// What a queue's history can show. For distinct values and operations that all returned these shapes are all there are
// (Henzinger, Sezgin and Vafeiadis 2013).
const (
	fifoNeverEnqueued = "a value was dequeued that was never enqueued"
	fifoTwice         = "a value was enqueued once and dequeued twice"
	fifoTooEarly      = "a value was dequeued before its enqueue was called"
	fifoOvertaken     = "a value was enqueued wholly before another and had not left when that one had: it was overtaken"
	fifoNotEmpty      = "a dequeue answered empty, and at each of its moments some value was certainly in the queue"
	fifoAmbiguous     = "a value was enqueued twice, so which of the two a dequeue gave is open"
)

// FIFO decides whether operations on a queue are linearizable. With in(x) and out(x) the spans of the enqueue and of the
// dequeue of x, out(x) = never where x was not dequeued:
//
//	each dequeued value was enqueued, and dequeued once; out(x) does not return before in(x) is called
//	no x, y:  in(x) before in(y)  and  out(y) before out(x)
//	no empty answer lies within ⋃ { (in(x).Return, out(x).Call) }: there x is certainly inside
//
// Assumes that no value was enqueued twice, else Unknown. O(n log n); complete, also for operations that never returned:
//
// An enqueue of unknown outcome took place if its value was dequeued. If not it is left out, which is sound, for it may
// never have happened, and loses nothing: in an order in which x enters and stays, nothing that entered after x leaves
// and no later dequeue finds the queue empty, so the order without x is one too; if a dequeue of unknown outcome took
// x, the order without both is.
//
// A dequeue of unknown outcome takes one of the values that nobody else dequeued and whose enqueue returned, or none.
// Each such x has a moment before which the dequeue that takes it must have been called: the earliest return of an
// out(y) with in(x) before in(y), and the earliest moment after in(x).Return at which the queue has to be empty.
// Both are the later the later in(x) returned, wherever these moments of emptiness are chosen. Earliest calls therefore
// meet earliest demands: if any assignment will do, so will that of the k-th call to the k-th return. What it takes
// beyond need does no harm, as such a dequeue may be last of all.
func FIFO(ops []FIFOOp) Result {
	q, bad := gatherFIFO(ops)
	if bad != nil {
		return *bad
	}
	q.resolve()
	for _, rule := range []func() *Result{q.tooEarly, q.overtaken, q.notEmpty} {
		if bad := rule(); bad != nil {
			return *bad
		}
	}
	return linearizable()
}

// value is the number of the value, 0 where there is none.
func (o *FIFOOp) value() int32 {
	if o.Kind == FIFOEnqueue || o.Kind == FIFODequeue && o.Return != Never {
		return o.Value
	}
	return 0
}

// fifo is a history by values.
type fifo struct {
	ops      []FIFOOp
	passages []passage // by value, then only those that count
	pending  []moment  // calls of dequeues that never returned
	empties  []int32   // operations that answered empty
	entered  []moment  // passages by in.Return
}

// passage is the way of a value through the queue.
type passage struct {
	enqueue, dequeue int32 // operations, none = not there
	in, out          Span
}

var never = Span{Call: Never, Return: Never}

func gatherFIFO(ops []FIFOOp) (*fifo, *Result) {
	q := &fifo{ops: ops, passages: make([]passage, distinct(ops, (*FIFOOp).value))}
	for v := range q.passages {
		q.passages[v] = passage{enqueue: none, dequeue: none, in: never, out: never}
	}
	twice := false
	for i := range ops {
		if o := &ops[i]; o.Kind == FIFOEnqueue {
			p := &q.passages[o.Value]
			twice = twice || p.enqueue != none
			p.enqueue, p.in = int32(i), o.Span
		}
	}
	var again *Result
	for i := range ops {
		o := &ops[i]
		switch {
		case o.Kind == FIFOEnqueue:
		case o.Return == Never:
			q.pending = append(q.pending, moment{o.Call, int32(i)})
		case o.Kind == FIFOEmpty:
			q.empties = append(q.empties, int32(i))
		default:
			p := &q.passages[o.Value]
			if p.enqueue == none {
				r := violated(fifoNeverEnqueued, int32(i))
				return nil, &r
			}
			if p.dequeue != none && again == nil {
				r := violated(fifoTwice, int32(i), p.enqueue, p.dequeue)
				again = &r
			}
			p.dequeue, p.out = int32(i), o.Span
		}
	}
	if twice {
		r := undecided(fifoAmbiguous)
		return nil, &r
	}
	return q, again
}

// resolve gives the dequeues of unknown outcome what they may best have taken. An enqueue of unknown outcome that nobody
// saw comes last and has no return: no rule takes notice of it.
func (q *fifo) resolve() {
	kept := q.passages[:0]
	for _, p := range q.passages {
		if p.enqueue != none {
			q.entered = append(q.entered, moment{p.in.Return, int32(len(kept))})
			kept = append(kept, p)
		}
	}
	q.passages = kept
	sortMoments(q.entered)
	sortMoments(q.pending)
	next := q.pending
	for _, m := range q.entered {
		if p := &q.passages[m.of]; p.dequeue == none && len(next) > 0 {
			p.dequeue, p.out = next[0].of, q.ops[next[0].of].Span
			next = next[1:]
		}
	}
}

func (q *fifo) tooEarly() *Result {
	for i := range q.passages {
		if p := &q.passages[i]; p.out.Before(p.in) {
			r := violated(fifoTooEarly, p.dequeue, p.enqueue)
			return &r
		}
	}
	return nil
}

// overtaken walks x from the last return of an enqueue to the first, with the earliest departure among the y that were
// called after it, and tells of the y that left first.
func (q *fifo) overtaken() *Result {
	called := make([]moment, len(q.passages))
	for i := range q.passages {
		called[i] = moment{q.passages[i].in.Call, int32(i)}
	}
	sortMoments(called)
	first, x, y := int64(Never), int32(none), int32(none)
	left, by := int64(Never), int32(none)
	for i := len(q.entered) - 1; i >= 0; i-- {
		m := q.entered[i]
		for ; len(called) > 0 && called[len(called)-1].at > m.at; called = called[:len(called)-1] {
			if p := called[len(called)-1].of; q.passages[p].out.Return < left {
				left, by = q.passages[p].out.Return, p
			}
		}
		if left < q.passages[m.of].out.Call && left <= first && by != none {
			first, x, y = left, m.of, by
		}
	}
	if x == none {
		return nil
	}
	a, b := &q.passages[x], &q.passages[y]
	r := violated(fifoOvertaken, b.dequeue, a.enqueue, a.dequeue, b.enqueue)
	return &r
}

// notEmpty merges the stretches in which values are certainly inside and looks for an empty answer within one.
func (q *fifo) notEmpty() *Result {
	if len(q.empties) == 0 {
		return nil
	}
	var full []Span
	for _, m := range q.entered {
		until := q.passages[m.of].out.Call
		switch last := len(full) - 1; {
		case m.at >= until:
		case last >= 0 && m.at < full[last].Return:
			full[last].Return = max(full[last].Return, until)
		default:
			full = append(full, Span{m.at, until})
		}
	}
	for _, i := range q.empties {
		e := q.ops[i].Span
		n := sort.Search(len(full), func(k int) bool { return full[k].Call > e.Call })
		if n > 0 && e.Return < full[n-1].Return {
			r := violated(fifoNotEmpty, i, q.inside(e)...)
			return &r
		}
	}
	return nil
}

// inside are operations on the fewest values that show the queue was never empty during a span.
func (q *fifo) inside(e Span) []int32 {
	var shown []int32
	reached, best := e.Call, int32(none)
	for _, m := range q.entered {
		if m.at > reached {
			shown, reached = q.show(shown, best)
			if reached > e.Return {
				return shown
			}
		}
		if best == none || q.passages[m.of].out.Call > q.passages[best].out.Call {
			best = m.of
		}
	}
	shown, _ = q.show(shown, best)
	return shown
}

func (q *fifo) show(shown []int32, passage int32) ([]int32, int64) {
	p := &q.passages[passage]
	return append(shown, p.enqueue, p.dequeue), p.out.Call
}
