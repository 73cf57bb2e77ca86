package linear

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/anishathalye/porcupine"
)

// Search decides whether operations on one object, that is in its first state before them, are linearizable:
//
//	there is a sequence of all of them, each at a point between its Call and its Return, in which each finds the state
//	that the one before left and gives what it gave
//
// A pending operation may stand at the end of that sequence, where nobody sees it: it took effect, or it did not.
//
// Where an operation overlaps no other, the order is known, and nothing is searched. What overlaps is searched by
// porcupine, up to the next operation that overlaps none and whose answer alone says which state it left. So cost is
// linear in what happens one at a time, and exponential in how many operations are open at once; it also grows with
// pending operations, since they overlap everything after them.
//
// The budget counts steps of the object. A step of a search over n operations counts 1 + n/1024, because each may keep
// n bits. What is left after a violation was found may be spent on finding its first moment; Result.Steps does not
// count that. Verdict and steps depend neither on the order of the operations given, nor on that of neighbouring calls,
// nor on that of neighbouring returns. Beyond the budget the verdict is Unknown, the same on every machine; an
// operation that the object does not have, or of the wrong shape, makes it Unknown too.
func (o *Object) Search(operations []Operation, budget int64) Result {
	r, _ := o.search(operations, budget)
	return r
}

func (o *Object) search(operations []Operation, budget int64) (r Result, spent int64) {
	for i := range operations {
		if problem := o.Problem(&operations[i].Action, !operations[i].Pending()); problem != "" {
			return Result{Verdict: Unknown, Culprit: NoCulprit, Because: problem}, 0
		}
	}
	s := search{object: o, budget: budget}
	r = s.run(o.ordered(o.prune(operations)))
	return r, s.steps
}

// Shared judges the operations of several objects of one kind, one list each, with one budget. Those with fewest
// operations are judged first, and each may take its part of what is left, so what is easy is decided although
// something else is not.
func (o *Object) Shared(parts [][]Operation, budget int64) []Result {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(parts[a]), len(parts[b])) })
	out := make([]Result, len(parts))
	for n, i := range order {
		var spent int64
		out[i], spent = o.search(parts[i], budget/int64(len(parts)-n))
		budget -= spent
	}
	return out
}

// entry is an operation that is judged.
type entry struct {
	*Operation
	number    int   // in the input
	call, ret int64 // ranks: neighbouring calls share one, so do neighbouring returns; ret is Never if unknown
}

// ordered ranks the positions and sorts operations by them. Those whose ranks are the same are ordered by what they are.
func (o *Object) ordered(entries []entry) []entry {
	type end struct {
		at   int64
		rank *int64
		call bool
	}
	ends := make([]end, 0, 2*len(entries))
	for i := range entries {
		e := &entries[i]
		ends = append(ends, end{e.Call, &e.call, true})
		if e.ret = Never; !e.Pending() {
			ends = append(ends, end{e.Return, &e.ret, false})
		}
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(a.at, b.at) })
	rank := int64(0)
	for i, e := range ends {
		if i > 0 && e.call != ends[i-1].call {
			rank++
		}
		*e.rank = rank
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if c := cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.ret, b.ret)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(o.Describe(&a.Action, !a.Pending()), o.Describe(&b.Action, !b.Pending())), cmp.Compare(a.Call, b.Call))
	})
	return entries
}

// search is one search of one object's operations.
type search struct {
	object *Object
	budget int64
	steps  int64
	over   bool // a step was refused because of the budget
	wrong  *piece
	first  *entry // what cannot be explained in it
}

// piece is a stretch of operations that none outside it overlaps, with the state in which it begins.
type piece struct {
	from    State
	entries []entry
}

func (s *search) run(entries []entry) Result {
	all, state := entries, s.object.Init
	for len(entries) > 0 {
		p := piece{state, entries[:s.extent(entries)]}
		entries = entries[len(p.entries):]
		last := &p.entries[len(p.entries)-1]
		var verdict Verdict
		if len(p.entries) == 1 {
			verdict, state = s.alone(&p)
		} else {
			verdict = s.decide(&p, Never)
			if s.object.After != nil {
				state, _ = s.object.After(&last.Action)
			}
		}
		switch verdict {
		case Violated:
			r := Result{Verdict: Violated, Steps: s.steps}
			s.wrong, s.first = &p, s.culprit(&p)
			s.explain(&r, all)
			return r
		case Unknown:
			return Result{Verdict: Unknown, Steps: s.steps, Culprit: NoCulprit, Because: p.beyond(s.budget)}
		}
	}
	return Result{Steps: s.steps, Culprit: NoCulprit}
}

// beyond says what the budget did not suffice for.
func (p *piece) beyond(budget int64) string {
	most, open := 0, 0
	var until []int64 // of those that are open
	for i := range p.entries {
		e := &p.entries[i]
		until = slices.DeleteFunc(until, func(ret int64) bool { return ret < e.call })
		if until = append(until, e.ret); len(until) > most {
			most = len(until)
		}
		if e.Pending() {
			open++
		}
	}
	return fmt.Sprintf("%d operations that overlap, up to %d at once, %d of them of unknown outcome, need more than %d steps", len(p.entries), most, open, budget)
}

// extent is how many operations the next piece has: one, if it overlaps no other, else all up to the next that overlaps
// no other and that leaves a known state; it is the last of the piece. The piece may then be judged on its own: in every
// order that respects time its operations come before all later ones, its last one is the last of them, and so the later
// ones begin in the state which that one left.
func (s *search) extent(entries []entry) int {
	end := entries[0].ret
	for i := 1; i < len(entries); i++ {
		quiet := end < entries[i].call // nothing is open when this one is called
		if quiet && i == 1 {
			return 1
		}
		if quiet && s.leavesKnown(entries[i:]) {
			return i + 1
		}
		end = max(end, entries[i].ret)
	}
	return len(entries)
}

func (s *search) leavesKnown(entries []entry) bool {
	e := &entries[0]
	if e.Pending() || s.object.After == nil || len(entries) > 1 && entries[1].call < e.ret {
		return false
	}
	_, known := s.object.After(&e.Action)
	return known
}

// alone takes the only step that there is.
func (s *search) alone(p *piece) (Verdict, State) {
	if s.steps >= s.budget {
		return Unknown, nil
	}
	s.steps++
	e := &p.entries[0]
	after, possible := s.object.Step(p.from, &e.Action, !e.Pending())
	if !possible {
		return Violated, nil
	}
	return Linearizable, after
}

// decide searches the operations of a piece that were called before a rank, as they were known then.
func (s *search) decide(p *piece, until int64) Verdict {
	operations := p.before(until)
	s.over = false
	switch ok := porcupine.CheckOperations(s.model(p.from, len(operations)), operations); {
	case ok:
		return Linearizable
	case s.over:
		return Unknown
	}
	return Violated
}

// before are the operations that were called at or before a position, as porcupine takes them. Each has a return, for
// porcupine takes a call without one for a return.
func (p *piece) before(until int64) []porcupine.Operation {
	out := make([]porcupine.Operation, 0, len(p.entries))
	for i := range p.entries {
		e := &p.entries[i]
		if e.Call > until {
			continue
		}
		op := porcupine.Operation{Input: e, Call: e.call, Return: e.ret, Output: true}
		if e.Return > until || e.Pending() {
			op.Return, op.Output = Never, false
		}
		out = append(out, op)
	}
	return out
}

var seed = maphash.MakeSeed() // which entries of porcupine's cache lie in one bucket; no result depends on it

// model counts steps. Beyond the budget none is possible, so that the search ends soon.
func (s *search) model(from State, n int) porcupine.Model {
	cost := 1 + int64(n)/1024
	return porcupine.Model{
		Init: func() any { return from },
		Step: func(state, input, output any) (bool, any) {
			if s.steps+cost > s.budget {
				s.over = true
				return false, state
			}
			s.steps += cost
			after, possible := s.object.Step(state, &input.(*entry).Action, output.(bool))
			return possible, after
		},
		Hash: func(state any) uint64 { return maphash.Comparable(seed, state) },
	}
}
