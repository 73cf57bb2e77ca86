package linear

// SetKind is what an operation on a set asked for.
type SetKind uint8

// The kinds.
const (
	SetAdd SetKind = iota
	SetRemove
	SetContains
)

// SetOp is an operation on one element of a set that is empty at first. Elements are numbered from 0, without large
// gaps; each may be added and removed any number of times.
type SetOp struct {
	Span
	Kind    SetKind
	Element int32
	Result  bool // it was added, it was removed, it was inside; of an operation that never returned it means nothing
}

// What a set's history can show.
const (
	setAddedTwice   = "an element was added that was inside already, and no removal of it can have come between"
	setRemovedTwice = "an element was removed that was not inside, and no addition of it can have come between"
	setSeen         = "an element was found inside that was never inside during the operation"
	setMissed       = "an element was found missing that was inside during the whole operation"
)

// Set decides whether operations on a set are linearizable. Elements do not touch each other, so each is judged alone
// (linearizability is local): its state is absent or present, and
//
//	add = true     absent → present        remove = true    present → absent
//	add = false, contains = true           present, no change
//	remove = false, contains = false       absent, no change
//
// The rule is a schedule that is lazy: nothing changes the state before an operation has to, which is at its return. If
// the state is the wrong one then, the change that is needed is made by the open operation that returns first. What only
// looks at the state takes place as soon as the state is right. A set's history is linearizable iff that never gets stuck.
//
// Complete by exchange. Take an order that agrees with the schedule so far, and X that returns now. Whatever that order
// puts before X and is still to be placed is open now, for X returns first; so it may as well come after X. Where X
// needs another state, that order makes the change by some Y; our Z returns no later than Y and is open, so Z and Y
// change places. Where X changes the state itself, it changes places with the first that made the same change.
//
// An add or remove that never returned may change the state at any time after its call, or never: it is one that
// returns last of all and never has to. A contains that never returned says nothing. O(n log n), one table entry per
// element beside the operations.
func Set(ops []SetOp) Result {
	s := schedule{ops: ops, placed: make([]bool, len(ops))}
	for _, of := range byElement(ops) {
		if bad := s.judge(of); bad != nil {
			return *bad
		}
	}
	return linearizable()
}

// byElement are the operations of each element, by number.
func byElement(ops []SetOp) [][]int32 {
	n := distinct(ops, func(o *SetOp) int32 { return o.Element })
	sizes := make([]int32, n)
	for i := range ops {
		sizes[ops[i].Element]++
	}
	all, lists := make([]int32, len(ops)), make([][]int32, n)
	for e, size := range sizes {
		lists[e], all = all[:0:size], all[size:]
	}
	for i := range ops {
		e := ops[i].Element
		lists[e] = append(lists[e], int32(i))
	}
	return lists
}

// need is the state that an operation has to meet, and whether it changes it.
func (o *SetOp) need() (present, change bool) {
	result := o.Result || o.Return == Never
	switch o.Kind {
	case SetAdd:
		return !result, result
	case SetRemove:
		return result, result
	default:
		return result, false
	}
}

// schedule is that of one element. Its buffers serve one element after the other.
type schedule struct {
	ops     []SetOp
	placed  []bool
	present bool
	by      int32          // the operation that brought the state about, none = nothing did
	changes [2]returnQueue // open operations that would change an absent element, a present one
	looks   [2][]int32     // open ones that wait to see it absent, present
	events  []moment
}

func state(present bool) int {
	if present {
		return 1
	}
	return 0
}

// judge places the operations of one element at their calls and returns.
func (s *schedule) judge(of []int32) *Result {
	s.reset(of)
	for _, e := range s.events {
		switch o := &s.ops[e.of]; {
		case e.at == o.Call:
			s.open(e.of)
		case !s.placed[e.of]:
			if bad := s.close(e.of); bad != nil {
				return bad
			}
		}
	}
	return nil
}

func (s *schedule) reset(of []int32) {
	s.present, s.by, s.events = false, none, s.events[:0]
	for i := range 2 {
		s.changes[i], s.looks[i] = s.changes[i][:0], s.looks[i][:0]
	}
	for _, i := range of {
		s.events = append(s.events, moment{s.ops[i].Call, i})
		if s.ops[i].Return != Never {
			s.events = append(s.events, moment{s.ops[i].Return, i})
		}
	}
	sortMoments(s.events)
}

func (s *schedule) open(i int32) {
	present, change := s.ops[i].need()
	switch at := state(present); {
	case change:
		s.changes[at].push(moment{s.ops[i].Return, i})
	case present == s.present:
		s.placed[i] = true
	default:
		s.looks[at] = append(s.looks[at], i)
	}
}

// close places an operation that returns now.
func (s *schedule) close(i int32) *Result {
	present, change := s.ops[i].need()
	if present != s.present && !s.flip() {
		bad := violated(s.ops[i].because(), i, s.by)
		return &bad
	}
	if change {
		s.flip() // it is the first to return, so this places it
	}
	return nil
}

// flip changes the state by the open operation that returns first, and places all that waited to see the new one.
func (s *schedule) flip() bool {
	open := &s.changes[state(s.present)]
	if len(*open) == 0 {
		return false
	}
	s.by = open.pop().of
	s.placed[s.by] = true
	s.present = !s.present
	seen := &s.looks[state(s.present)]
	for _, i := range *seen {
		s.placed[i] = true
	}
	*seen = (*seen)[:0]
	return true
}

// because is the rule that an operation breaks that meets the wrong state.
func (o *SetOp) because() string {
	present, change := o.need()
	switch {
	case change && present:
		return setRemovedTwice
	case change:
		return setAddedTwice
	case present:
		return setSeen
	default:
		return setMissed
	}
}
