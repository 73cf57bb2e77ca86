package isolation

import "slices"

// search looks for short ways in a graph. All of them together may take budget steps; a step is one edge looked at.
type search struct {
	g      *graph
	budget int64
	steps  int64

	// Of the way being looked for: by state the round in which it was reached, and how.
	round   int32
	reached []int32
	by      []int32 // index of the edge
	before  []int32 // the state that the edge came from
}

func newSearch(g *graph, budget int64) *search {
	n := 2 * g.nodes
	return &search{g: g, budget: budget, reached: make([]int32, n), by: make([]int32, n), before: make([]int32, n)}
}

// spent says that the budget has run out: what was not found may be there.
func (s *search) spent() bool { return s.steps >= s.budget }

// area is a set of nodes: those one of whose states has that number.
type area struct {
	of     []int32
	number int32
}

func (a area) has(node int32) bool {
	return a.of[stateOf(node, false)] == a.number || a.of[stateOf(node, true)] == a.number
}

// way is a shortest way within an area from a state to another, in edges that are not via; nil if there is none or the
// budget has run out. A state is no way to itself.
func (s *search) way(w walk, within area, from, to int32) []int32 {
	s.round++
	s.reached[from], s.before[from] = s.round, from
	for now := []int32{from}; len(now) > 0; {
		now = s.through(w, within, now)
		var next []int32
		for _, state := range now {
			if s.follow(w, within, state, &next); s.reached[to] == s.round {
				return s.back(from, to)
			}
		}
		now = next
	}
	return nil
}

// through adds to states those to which via edges lead: they cost nothing. Transactions have none.
func (s *search) through(w walk, within area, now []int32) []int32 {
	for i := 0; i < len(now); i++ {
		if nodeOf(now[i]) >= s.g.transactions {
			s.follow(w, within, now[i], &now)
		}
	}
	return now
}

// follow goes along the edges of a state, to states that were not reached before.
func (s *search) follow(w walk, within area, state int32, to *[]int32) {
	first := s.g.first[nodeOf(state)]
	for j := range s.g.out(nodeOf(state)) {
		if s.spent() {
			return
		}
		s.steps++
		i := first + int32(j)
		next, ok := w.step(state, &s.g.edges[i])
		if ok && s.reached[next] != s.round && within.has(s.g.edges[i].to) {
			s.reached[next], s.by[next], s.before[next] = s.round, i, state
			*to = append(*to, next)
		}
	}
}

// back is the way that was found, as indices of edges.
func (s *search) back(from, to int32) []int32 {
	var way []int32
	for at := to; at != from; at = s.before[at] {
		way = append(way, s.by[at])
	}
	slices.Reverse(way)
	return way
}

// Step is one edge of a cycle, between transactions.
type Step struct {
	From, To int32
	Kind     string // ww, wr, rw, session or realtime
	// Of ww and rw the version that To wrote, of wr the one that it read; of session and realtime nothing.
	Key, Version int32
}

// tell makes steps of the edges of a cycle: nodes that stand for many are passed over.
func (s *search) tell(w walk, edges []int32) []Step {
	var steps []Step
	for _, i := range edges {
		e := &s.g.edges[i]
		if e.kinds&via == 0 {
			steps = append(steps, Step{From: e.from, Kind: w.name(e)})
		}
		last := &steps[len(steps)-1]
		if last.To = e.to; last.Kind != "session" && last.Kind != "realtime" {
			last.Key, last.Version = e.key, e.version
		}
	}
	return steps
}

// name is the gravest kind of an edge that the walk may use.
func (w walk) name(e *edge) string {
	for _, k := range []struct {
		kind kinds
		name string
	}{{ww, "ww"}, {wr, "wr"}, {session, "session"}, {realtime, "realtime"}} {
		if e.kinds&w.deps&k.kind != 0 {
			return k.name
		}
	}
	return "rw"
}

// simple says whether a cycle comes to no transaction twice.
func simple(steps []Step) bool {
	var at []int32
	for _, s := range steps {
		at = append(at, s.From)
	}
	slices.Sort(at)
	return len(slices.Compact(at)) == len(steps)
}
