package ops

import "slices"

// Pairs turns events into operations. A process does one operation at a time, so a completion belongs to the open
// invoke of its process. Where Alone is set, a completion without one is an operation of a single moment.
type Pairs struct {
	Alone bool
	Take  func(*Operation) // in the order of completions, those without one at the end
	p     *Problems
	at    int64
	open  map[string]*Operation
	seen  []*Operation // open ones in the order of their calls
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
	case e.Type == Invoke && o != nil:
		q.p.Add(e.Line, "process", "%s invokes %s, but its %s of line %d has no completion: a process does one operation at a time; one that crashed goes on under a new number",
			e.Process, e.F, o.F, o.Line)
	case e.Type == Invoke:
		o = &Operation{Process: e.Process, F: e.F, Outcome: Info, Call: at, Return: Never, Invoked: e.Index, Completed: NoIndex,
			Line: e.Line, CallTime: e.Time, CompleteTime: NoTime, In: e.Value}
		q.open[e.Process] = o
	case o == nil && !q.Alone:
		q.p.Add(e.Line, "process", "%s completes %s, but has invoked nothing", e.Process, e.F)
	case o == nil:
		o = &Operation{Process: e.Process, F: e.F, Call: at, Invoked: e.Index, Line: e.Line, CallTime: e.Time, In: e.Value}
		q.complete(o, e, at)
	case o.F != e.F:
		q.p.Add(e.Line, "f", "%s completes %s, but has invoked %s in line %d", e.Process, e.F, o.F, o.Line)
	default:
		delete(q.open, e.Process)
		q.complete(o, e, at)
	}
}

func (q *Pairs) complete(o *Operation, e *Event, at int64) {
	o.Outcome, o.Return, o.Completed, o.Line, o.CompleteTime, o.Out = e.Type, at, e.Index, e.Line, e.Time, e.Value
	if e.Type == Info {
		o.Return = Never
	}
	q.Take(o)
}

// End gives the operations that nobody saw complete.
func (q *Pairs) End() {
	//det:unordered sorted below
	for _, o := range q.open {
		q.seen = append(q.seen, o)
	}
	slices.SortFunc(q.seen, func(a, b *Operation) int { return int(a.Call - b.Call) })
	for _, o := range q.seen {
		q.Take(o)
	}
}
