package isolation

// anti says where a walk may use rw edges.
type anti uint8

// Apart means: never two in a row, also not over the end of a cycle.
const (
	never anti = iota
	apart
	anywhere
)

// walk says which edges of the graph may be used: those that have one of these kinds, rw edges where anti lets them, and
// via edges.
type walk struct {
	g    *graph
	deps kinds
	anti anti
}

// A state is where a walk is: a node, and whether it came there by an rw edge that the next edge must not follow.
func stateOf(node int32, byAnti bool) int32 {
	if byAnti {
		return 2*node + 1
	}
	return 2 * node
}

func nodeOf(state int32) int32 { return state / 2 }

// step is where an edge leads from a state. An edge that is also something else than rw is taken for that, which forbids
// nothing afterwards.
func (w walk) step(state int32, e *edge) (next int32, ok bool) {
	byAnti := state&1 == 1
	switch {
	case e.kinds&via != 0:
		return stateOf(e.to, byAnti), true
	case e.kinds&w.deps != 0:
		return stateOf(e.to, false), true
	case e.kinds&rw == 0 || w.anti == never || byAnti:
		return 0, false
	}
	return stateOf(e.to, w.anti == apart), true
}

// alone is the component of a state that lies on no cycle.
const alone = -1

// components numbers, by state, the cycles of a walk: two states have the same number if each is reached from the other.
// A state that lies on no cycle has the number alone. This is Tarjan's algorithm with a stack of its own: linear.
func (w walk) components() []int32 {
	t := tarjan{w: w, of: make([]int32, 2*w.g.nodes), index: make([]int32, 2*w.g.nodes), low: make([]int32, 2*w.g.nodes)}
	for i := range t.of {
		t.of[i] = alone
	}
	for i := range w.g.transactions {
		if s := stateOf(i, false); t.index[s] == 0 {
			t.visit(s)
		}
	}
	return t.of
}

type tarjan struct {
	w     walk
	of    []int32
	index []int32 // order of discovery from 1; 0 = not yet
	low   []int32 // the earliest state on the stack that is known to be reached; 0 = the state has left the stack
	count int32
	found int32
	stack []int32 // states whose component is not known yet
	calls []frame
}

// frame is a state with the first of its edges that has not been followed.
type frame struct{ state, edge int32 }

func (t *tarjan) enter(s int32) {
	t.count++
	t.index[s], t.low[s] = t.count, t.count
	t.stack = append(t.stack, s)
	t.calls = append(t.calls, frame{s, t.w.g.first[nodeOf(s)]})
}

func (t *tarjan) visit(root int32) {
	t.enter(root)
	for len(t.calls) > 0 {
		f := &t.calls[len(t.calls)-1]
		s := f.state
		if f.edge == t.w.g.first[nodeOf(s)+1] {
			t.calls = t.calls[:len(t.calls)-1]
			if t.low[s] == t.index[s] {
				t.leave(s)
			} else {
				caller := t.calls[len(t.calls)-1].state
				t.low[caller] = min(t.low[caller], t.low[s])
			}
			continue
		}
		next, ok := t.w.step(s, &t.w.g.edges[f.edge])
		f.edge++
		switch {
		case !ok:
		case t.index[next] == 0:
			t.enter(next)
		case t.low[next] != 0:
			t.low[s] = min(t.low[s], t.index[next])
		}
	}
}

// leave takes the component that began with a state from the stack.
func (t *tarjan) leave(root int32) {
	first := len(t.stack) - 1
	for t.stack[first] != root {
		first--
	}
	members := t.stack[first:]
	t.stack = t.stack[:first]
	for _, s := range members {
		t.low[s] = 0
		if len(members) > 1 {
			t.of[s] = t.found
		}
	}
	if len(members) > 1 {
		t.found++
	}
}
