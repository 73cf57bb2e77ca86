package isolation

import "slices"

// Found is what was found of one name.
type Found struct {
	Name  string
	Count int64
	// Transactions of the first one: those of the cycle in its order, or some of the component if the budget did not last
	// to find a cycle, or who is concerned by an anomaly that is no cycle: first the one that shows it.
	Transactions []int32
	Steps        []Step // of a cycle; nil = the budget did not last, or it is no cycle
	Key, Version int32  // of an anomaly that is no cycle
}

// Undecided is a class of which it is not known whether it is there.
type Undecided struct {
	Name  string
	Count int64 // in how many components
}

// Cycles is what the graph of a history says.
type Cycles struct {
	Found     []Found // each class once, in the order of the search: the gravest first
	Undecided []Undecided
	Linked    int64 // committed transactions with an edge of the data: on these the answer stands
	Steps     int64 // that searches took
}

// FindCycles names the classes of cycles in a history:
//
//	G0              ww
//	G1c             ww and wr, not all ww
//	G-single        exactly one rw among ww and wr
//	G-nonadjacent   several rw, none next to another
//	G2-item         several rw, two of them next to each other
//	…-session       one of these with edges of sessions, where there is none without them
//	…-realtime      one of these with edges of real time, where there is none without them
//
// Count is the number of components, so it does not depend on the order of the transactions. An edge that is of several
// kinds is taken for the gravest; a component of G-single is not looked through for G-nonadjacent, which violates no level
// that G-single keeps; and a cycle of a session or of real time is told only where its component has no graver one. So
// the set of levels that are broken is complete, not the set of names.
//
// Whether a class is there is decided in linear time, but for one question: G-single or G-nonadjacent? That one takes a
// search for each rw edge, within the budget of steps. If it runs out the component is told as G-nonadjacent, which it is
// at best, and G-single is undecided.
func FindCycles(h *History, budget int64) *Cycles {
	g := newGraph(h)
	f := &finder{search: newSearch(g, budget), told: make([]rank, g.transactions), out: &Cycles{}}
	for i := range f.told {
		f.told[i] = untold
	}
	f.out.Linked = linked(g)
	if !acyclic(walk{g, ww | wr | session | realtime, anywhere}.components()) {
		f.classes(0, "")
		f.classes(session, bySession)
		f.classes(session|realtime, byRealtime)
	}
	f.out.Steps = f.steps
	return f.out
}

// acyclic says whether no state is on a cycle.
func acyclic(components []int32) bool {
	return !slices.ContainsFunc(components, func(c int32) bool { return c != alone })
}

// linked counts the transactions with an edge of the data. A node that stands for many in realtime has no such edges.
func linked(g *graph) (n int64) {
	has := make([]bool, g.nodes)
	for i := range g.edges {
		if e := &g.edges[i]; e.kinds&(ww|wr|rw) != 0 {
			has[e.from], has[e.to] = true, true
		}
	}
	for i := range g.edges { // from nodes that stand for unread writers; they come after all transactions that lead to them
		if e := &g.edges[i]; e.kinds&via != 0 && has[e.from] {
			has[e.to] = true
		}
	}
	for _, is := range has[:g.transactions] {
		if is {
			n++
		}
	}
	return n
}

// rank orders the classes; one of a smaller rank is graver.
type rank int8

const (
	rankG0 rank = iota
	rankG1c
	rankSnapshot // G-single, G-nonadjacent
	rankG2Item
	untold
)

// finder finds the classes, one after the other.
type finder struct {
	*search
	told []rank // by transaction, the gravest class of a component that it was told for
	out  *Cycles
}

// candidate is a component with the edges that make its cycles those of a class.
type candidate struct {
	area
	marks []int32
}

// classes finds the classes that edges of the data and of these kinds make.
func (f *finder) classes(order kinds, suffix string) {
	writes, flow := ww|order, ww|wr|order
	all, snapshot := walk{f.g, flow, anywhere}, walk{f.g, flow, apart}
	areas := all.components()
	if acyclic(areas) {
		return
	}
	w := walk{f.g, writes, never}
	for i, c := range f.candidates(w, w.components(), rankG0, order, func(*edge, int32, int32) bool { return true }) {
		f.tellOne(G0+suffix, i, w, c)
	}
	w = walk{f.g, flow, never}
	for i, c := range f.candidates(w, w.components(), rankG1c, order, func(e *edge, _, _ int32) bool { return e.kinds&writes == 0 }) {
		f.tellOne(G1c+suffix, i, w, c)
	}
	apartAreas := snapshot.components()
	grave := f.grave(apartAreas)
	for _, c := range f.candidates(snapshot, apartAreas, rankSnapshot, order, func(e *edge, _, _ int32) bool { return e.kinds&flow == 0 }) {
		f.tellSnapshot(suffix, snapshot, areas, c, grave[c.number])
	}
	skew := func(e *edge, from, to int32) bool {
		inSnapshot := apartAreas[stateOf(from, false)] != alone && apartAreas[stateOf(from, false)] == apartAreas[stateOf(to, true)]
		return e.kinds&flow == 0 && !inSnapshot
	}
	for i, c := range f.candidates(all, areas, rankG2Item, order, skew) {
		f.tellOne(G2Item+suffix, i, all, c)
	}
}

// candidates are the components that have an edge which marks the class, in the order of their first. With an order, those
// in which something as grave was told before are left out.
func (f *finder) candidates(w walk, of []int32, r rank, order kinds, marks func(e *edge, from, to int32) bool) []candidate {
	var out []candidate
	place := make([]int32, len(of))
	if order != 0 {
		for t, told := range f.told {
			for _, s := range [...]int32{stateOf(int32(t), false), stateOf(int32(t), true)} {
				if told <= r && of[s] != alone {
					place[of[s]] = -1
				}
			}
		}
	}
	for i := range f.g.edges {
		e := &f.g.edges[i]
		from := stateOf(e.from, false)
		to, ok := w.step(from, e)
		if !ok || e.kinds&via != 0 || of[from] == alone || of[from] != of[to] || place[of[from]] < 0 || !marks(e, e.from, e.to) {
			continue
		}
		at := &place[of[from]]
		if *at == 0 {
			out = append(out, candidate{area: area{of, of[from]}})
			*at = int32(len(out))
		}
		out[*at-1].marks = append(out[*at-1].marks, int32(i))
	}
	for t := range f.told {
		for _, s := range [...]int32{stateOf(int32(t), false), stateOf(int32(t), true)} {
			if of[s] != alone && place[of[s]] > 0 {
				f.told[t] = min(f.told[t], r)
			}
		}
	}
	return out
}

// closing is the shortest cycle within an area that begins with an edge.
func (f *finder) closing(w walk, within area, mark int32) []Step {
	e := &f.g.edges[mark]
	at, _ := w.step(stateOf(e.from, false), e)
	way := f.way(w, within, at, stateOf(e.from, false))
	if way == nil {
		return nil
	}
	return f.tell(w, append([]int32{mark}, way...))
}

// tries is how many edges of a component are tried for the shortest cycle to show.
const tries = 16

// tellOne tells of the i-th component of a class. The first has a short cycle to show.
func (f *finder) tellOne(name string, i int, w walk, c candidate) {
	var shortest []Step
	if i == 0 {
		for _, mark := range c.marks[:min(len(c.marks), tries)] {
			if cycle := f.closing(w, c.area, mark); cycle != nil && (shortest == nil || len(cycle) < len(shortest)) {
				shortest = cycle
			}
		}
	}
	f.found(name, c, shortest)
}

// tellSnapshot decides what a component is that snapshot isolation rules out. In the whole graph an rw edge with a way back
// by the other edges is G-single. If there is none, a shortest cycle with its rw edges apart is G-nonadjacent: cut where
// it came to a transaction twice, one part would be shorter and still of the kind, unless that part has no rw at all, and
// then it was told as G0 or G1c.
func (f *finder) tellSnapshot(suffix string, w walk, areas []int32, c candidate, grave bool) {
	whole := area{areas, areas[stateOf(f.g.edges[c.marks[0]].from, false)]}
	flow := walk{f.g, w.deps, never}
	for _, mark := range c.marks {
		e := &f.g.edges[mark]
		if back := f.way(flow, whole, stateOf(e.to, false), stateOf(e.from, false)); back != nil {
			f.found(GSingle+suffix, c, f.tell(flow, append([]int32{mark}, back...)))
			return
		}
	}
	unsure := f.spent()
	if unsure {
		f.undecided(GSingle + suffix)
	}
	for _, mark := range c.marks {
		if cycle := f.closing(w, c.area, mark); cycle != nil && simple(cycle) {
			f.found(GNonadjacent+suffix, c, cycle)
			return
		}
	}
	switch {
	case !grave:
		f.found(GNonadjacent+suffix, c, nil)
	case unsure || f.spent():
		f.undecided(GNonadjacent + suffix)
	}
}

// grave says, by component, whether a transaction of it was told of with G0 or G1c.
func (f *finder) grave(of []int32) []bool {
	out := make([]bool, len(of))
	for t, told := range f.told {
		for _, s := range [...]int32{stateOf(int32(t), false), stateOf(int32(t), true)} {
			if told <= rankG1c && of[s] != alone {
				out[of[s]] = true
			}
		}
	}
	return out
}

// shown is how many transactions of a component are named where there is no cycle to show.
const shown = 16

func (f *finder) found(name string, c candidate, steps []Step) {
	i := slices.IndexFunc(f.out.Found, func(x Found) bool { return x.Name == name })
	if i < 0 {
		x := Found{Name: name, Steps: steps}
		for _, s := range steps {
			x.Transactions = append(x.Transactions, s.From)
		}
		for _, mark := range c.marks[:min(len(c.marks), shown)] {
			if steps == nil {
				x.Transactions = append(x.Transactions, f.g.edges[mark].from)
			}
		}
		x.Transactions = unrepeated(x.Transactions)
		f.out.Found = append(f.out.Found, x)
		i = len(f.out.Found) - 1
	}
	f.out.Found[i].Count++
}

// unrepeated is a list without what it has had before.
func unrepeated(list []int32) []int32 {
	var out []int32
	for _, t := range list {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func (f *finder) undecided(name string) {
	i := slices.IndexFunc(f.out.Undecided, func(u Undecided) bool { return u.Name == name })
	if i < 0 {
		f.out.Undecided = append(f.out.Undecided, Undecided{Name: name})
		i = len(f.out.Undecided) - 1
	}
	f.out.Undecided[i].Count++
}
