package ops

import (
	"slices"
	"strconv"
)

// Pairs turns events into operations. A process does one operation at a time, so a completion belongs to the open
// invoke of its process. Where Alone is set, a completion without one is an operation of a single moment.
//
// A process with a name whose events are all of type info is no client: Jepsen's nemesis, which breaks things. Its events
// are counted and are no operations. (Where Alone is set, only a process called nemesis is one: any other may state that
// something happened, with unknown outcome.) Memory is one operation per open invoke.
type Pairs struct {
	Alone  bool
	Take   func(*Operation) // in the order of completions, those without one at the end; the operation is lent for the call
	Others int64            // events of processes that are no clients

	p       *Problems
	at      int64
	invoked bool // an invoke was seen
	open    map[string]*Operation
	free    []*Operation
	orphans []Event // completions before the first invoke; values left out
	more    int64   // further ones
}

// NewPairs gives operations to take; what is wrong goes to the problems.
func NewPairs(alone bool, take func(*Operation), p *Problems) *Pairs {
	return &Pairs{Alone: alone, Take: take, p: p, open: map[string]*Operation{}}
}

// Event is the next event of the file.
func (q *Pairs) Event(e *Event) {
	at := q.at
	q.at++
	o := q.open[e.Process]
	switch {
	case e.Type == Invoke:
		q.invoke(o, e, at)
	case o == nil && q.outsider(e):
		q.Others++
	case o == nil && q.Alone:
		o = q.fresh()
		*o = Operation{Process: e.Process, F: e.F, Call: at, Invoked: e.Index, CallTime: e.Time, In: e.Value}
		q.close(o)
		q.complete(o, e, at)
	case o == nil:
		q.orphan(e)
	case o.F != e.F:
		q.p.Add(e.Line, "f", "%s completes %s, but has invoked %s in line %d", e.Process, e.F, o.F, o.Line)
		q.close(o)
	default:
		q.close(o)
		q.complete(o, e, at)
	}
}

func (q *Pairs) invoke(o *Operation, e *Event, at int64) {
	if o != nil {
		if !q.p.unread { // its completion may stand in a line that could not be read
			q.p.Add(e.Line, "process", "%s invokes %s, but its %s of line %d has no completion: a process does one operation at a time; one that crashed completes with info, or goes on under a new number",
				e.Process, e.F, o.F, o.Line)
		}
		q.close(o)
	}
	if !q.invoked {
		q.invoked = true
		for i := range q.orphans {
			q.orphan(&q.orphans[i])
		}
		q.orphans = nil
	}
	o = q.fresh()
	*o = Operation{Process: e.Process, F: e.F, Outcome: Info, Call: at, Return: Never, Invoked: e.Index, Completed: NoIndex,
		Line: e.Line, CallTime: e.Time, CompleteTime: NoTime, In: e.Value}
	q.open[e.Process] = o
}

// outsider says whether a completion without an invoke is what somebody reports who is no client.
func (q *Pairs) outsider(e *Event) bool {
	if e.Type != Info {
		return false
	}
	if _, err := strconv.ParseInt(e.Process, 10, 64); err == nil {
		return false
	}
	return !q.Alone || e.Process == "nemesis"
}

// orphan notes a completion that nobody invoked. As long as nothing was invoked at all it waits: a recorder that leaves
// out every invoke makes one mistake and not thousands.
func (q *Pairs) orphan(e *Event) {
	switch {
	case q.p.unread: // its invoke may stand in a line that could not be read
	case q.invoked:
		q.p.Add(e.Line, "process", "%s completes %s, but has invoked nothing", e.Process, e.F)
	case len(q.orphans) <= maxProblems:
		q.orphans = append(q.orphans, Event{Line: e.Line, Process: e.Process, F: e.F})
	default:
		q.more++
	}
}

func (q *Pairs) complete(o *Operation, e *Event, at int64) {
	o.Outcome, o.Return, o.Completed, o.Line, o.CompleteTime, o.Out = e.Type, at, e.Index, e.Line, e.Time, e.Value
	if e.Type == Info {
		o.Return = Never
	}
	q.Take(o)
}

// close takes an operation from the open ones. It may serve again once it was given away: an operation is only lent.
func (q *Pairs) close(o *Operation) {
	delete(q.open, o.Process)
	q.free = append(q.free, o)
}

func (q *Pairs) fresh() *Operation {
	n := len(q.free)
	if n == 0 {
		return new(Operation)
	}
	o := q.free[n-1]
	q.free = q.free[:n-1]
	return o
}

// End gives the operations that nobody saw complete, in the order of their calls.
func (q *Pairs) End() {
	if n := int64(len(q.orphans)) + q.more; n > 0 && !q.invoked {
		q.p.Add(q.orphans[0].Line, "type", "no event of the file is an invoke, and %d complete an operation: without the moments of invocation nothing can be said of their order", n)
	}
	left := make([]*Operation, 0, len(q.open))
	//det:unordered sorted below
	for _, o := range q.open {
		left = append(left, o)
	}
	slices.SortFunc(left, func(a, b *Operation) int { return int(a.Call - b.Call) })
	for _, o := range left {
		q.Take(o)
	}
}
