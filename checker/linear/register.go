package linear

import "sort"

// RegisterOp is a write or a read of a register. Values are numbered from 0, without large gaps.
type RegisterOp struct {
	Span
	Write bool
	Value int32 // of a read that never returned it means nothing
}

// What a register's history can show.
const (
	registerNeverWritten = "a value was read that was never written"
	registerTooEarly     = "a value was read before its write was called"
	registerForward      = "two values were each current over a stretch of time, between operations on it, and the stretches overlap"
	registerBackward     = "a value was written or read wholly within a stretch in which another was current before and after"
	registerAmbiguous    = "a value was written twice, so which of the writes a read saw is open"
)

// Register decides whether operations on a register that holds initial at first are linearizable. The cluster of a value
// is its write with the reads of it; its zone lies between the first return f and the last call l in the cluster, and
// is forward if f < l: the value was current from f to l at the least. Otherwise it is backward: all operations of the
// cluster can take place at one moment between l and f. (Gibbons and Korach 1997)
//
//	no read returns before its write is called
//	no two forward zones overlap, and no backward zone lies within a forward one
//
// The initial value counts as written before everything. Assumes that no value is written twice, nor the initial one
// at all, else Unknown. O(n log n); complete, also for operations that never returned: such reads are left out, they say
// nothing, and so are such writes if nobody read them: an order in which one takes place has no read between it and
// the next write, so the order without it is one too. If somebody did it took place, with a return after everything.
func Register(initial int32, ops []RegisterOp) Result {
	r, bad := gatherRegister(initial, ops)
	if bad != nil {
		return *bad
	}
	forward, backward, bad := r.zones()
	if bad != nil {
		return *bad
	}
	return r.judge(forward, backward)
}

// value is the number of the value, 0 where there is none.
func (o *RegisterOp) value() int32 {
	if o.Write || o.Return != Never {
		return o.Value
	}
	return 0
}

// register is a history by values.
type register struct {
	ops      []RegisterOp
	clusters []cluster // by value
}

// cluster is a write with its reads; operations are none where the initial value was there before all of them.
type cluster struct {
	written              bool
	write                int32
	firstReturn          int64 // f
	lastCall             int64 // l
	returnedBy, calledBy int32
}

func gatherRegister(initial int32, ops []RegisterOp) (*register, *Result) {
	n := distinct(ops, (*RegisterOp).value)
	r := &register{ops, make([]cluster, max(n, int(initial)+1))}
	for v := range r.clusters {
		r.clusters[v] = cluster{write: none, firstReturn: Never, lastCall: beforeAll, returnedBy: none, calledBy: none}
	}
	first := &r.clusters[initial]
	first.written, first.firstReturn = true, beforeAll
	twice := false
	for i := range ops {
		o := &ops[i]
		c := &r.clusters[o.value()]
		switch {
		case o.Write:
			twice = twice || c.written
			c.written, c.write = true, int32(i)
			c.take(o.Span, int32(i))
		case o.Return != Never:
			c.take(o.Span, int32(i))
		}
	}
	for i := range ops {
		if o := &ops[i]; !o.Write && o.Return != Never && !r.clusters[o.Value].written {
			bad := violated(registerNeverWritten, int32(i))
			return nil, &bad
		}
	}
	if twice {
		bad := undecided(registerAmbiguous)
		return nil, &bad
	}
	return r, nil
}

// beforeAll is a position before those of all events.
const beforeAll = -Never

func (c *cluster) take(s Span, op int32) {
	if s.Return < c.firstReturn {
		c.firstReturn, c.returnedBy = s.Return, op
	}
	if s.Call > c.lastCall {
		c.lastCall, c.calledBy = s.Call, op
	}
}

// zones are the values whose zones are forward, in the order of their beginnings, and those whose zones are backward.
func (r *register) zones() (forward []moment, backward []int32, bad *Result) {
	for v := range r.clusters {
		c := &r.clusters[v]
		switch {
		case c.write != none && c.firstReturn < r.ops[c.write].Call:
			bad := violated(registerTooEarly, c.returnedBy, c.write)
			return nil, nil, &bad
		case c.calledBy == none: // the initial value, and nobody read it
		case c.firstReturn < c.lastCall:
			forward = append(forward, moment{c.firstReturn, int32(v)})
		default: // also what was written perhaps and never read: with a zone that never ends, it lies within none
			backward = append(backward, int32(v))
		}
	}
	sortMoments(forward)
	return forward, backward, nil
}

func (r *register) judge(forward []moment, backward []int32) Result {
	for i := 1; i < len(forward); i++ {
		a, b := &r.clusters[forward[i-1].of], &r.clusters[forward[i].of]
		if b.firstReturn < a.lastCall {
			stale := a.calledBy
			if b.lastCall > a.lastCall {
				stale = b.calledBy
			}
			return violated(registerForward, stale, a.write, a.returnedBy, a.calledBy, b.write, b.returnedBy, b.calledBy)
		}
	}
	for _, v := range backward {
		b := &r.clusters[v]
		n := sort.Search(len(forward), func(k int) bool { return forward[k].at > b.lastCall })
		if n == 0 {
			continue
		}
		if f := &r.clusters[forward[n-1].of]; b.firstReturn < f.lastCall {
			return violated(registerBackward, f.calledBy, f.write, f.returnedBy, b.write, b.returnedBy, b.calledBy)
		}
	}
	return linearizable()
}
