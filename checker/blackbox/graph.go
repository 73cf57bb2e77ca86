package blackbox

// graph is a directed graph of nodes 0 to n-1. Edges are given twice in the same order, first to be counted, then to be
// stored: so it costs eight bytes a node and four an edge.
type graph struct {
	begin []int32 // by node: where its successors begin; one more at the end
	to    []int32
}

// newGraph makes the graph of the edges that each calls its argument with, twice.
func newGraph(n int, each func(edge func(from, to int32))) graph {
	g := graph{begin: make([]int32, n+1)}
	each(func(from, _ int32) { g.begin[from+1]++ })
	for i := range n {
		g.begin[i+1] += g.begin[i]
	}
	g.to = make([]int32, g.begin[n])
	next := append([]int32(nil), g.begin[:n]...)
	each(func(from, to int32) {
		g.to[next[from]] = to
		next[from]++
	})
	return g
}

func (g *graph) next(node int32) []int32 { return g.to[g.begin[node]:g.begin[node+1]] }

// components gives each node the number of its strongly connected component, from 0, and says how many nodes each has:
// a cycle goes through nodes of one component of two or more. Tarjan's algorithm without recursion; linear.
func (g *graph) components() (of, sizes []int32) {
	n := len(g.begin) - 1
	t := &tarjan{g: g, of: make([]int32, n), low: make([]int32, n), number: make([]int32, n)}
	for i := range t.of {
		t.of[i] = none
	}
	for i := range int32(n) {
		if t.number[i] == 0 {
			t.from(i)
		}
	}
	return t.of, t.sizes
}

type tarjan struct {
	g           *graph
	of, sizes   []int32
	low, number []int32 // numbers from 1, in the order of first visits; 0 = not yet
	seen        int32
	open        []int32 // nodes without a component
	path        []step
}

// step is a node on the path of the search and its successors yet to be visited.
type step struct {
	node int32
	rest []int32
}

func (t *tarjan) from(root int32) {
	t.visit(root)
	for len(t.path) > 0 {
		top := &t.path[len(t.path)-1]
		if len(top.rest) == 0 {
			t.finish(top.node)
			continue
		}
		to := top.rest[0]
		top.rest = top.rest[1:]
		switch {
		case t.number[to] == 0:
			t.visit(to)
		case t.of[to] == none:
			t.low[top.node] = min(t.low[top.node], t.number[to])
		}
	}
}

func (t *tarjan) visit(node int32) {
	t.seen++
	t.number[node], t.low[node] = t.seen, t.seen
	t.open = append(t.open, node)
	t.path = append(t.path, step{node, t.g.next(node)})
}

// finish leaves a node; if nothing behind it leads back before it, what is open from it on is a component.
func (t *tarjan) finish(node int32) {
	t.path = t.path[:len(t.path)-1]
	if n := len(t.path); n > 0 {
		up := t.path[n-1].node
		t.low[up] = min(t.low[up], t.low[node])
	}
	if t.low[node] != t.number[node] {
		return
	}
	component, size := int32(len(t.sizes)), int32(0)
	for {
		last := t.open[len(t.open)-1]
		t.open = t.open[:len(t.open)-1]
		t.of[last] = component
		size++
		if last == node {
			break
		}
	}
	t.sizes = append(t.sizes, size)
}

// route is the search for shortest ways. Its slices are used again from one search to the next.
type route struct {
	g     *graph
	of    []int32 // components: a way back never leaves its own
	by    []int32 // by node: whence it was reached; none = not yet
	queue []int32
	steps int64 // taken so far, in all searches
}

func newRoute(g *graph, of []int32) *route {
	r := &route{g: g, of: of, by: make([]int32, len(of))}
	for i := range r.by {
		r.by[i] = none
	}
	return r
}

// find is the shortest way from one node to another one, both included; it has at most most nodes, else it is nil.
// Among equally short ones it is the first in the order of the edges.
func (r *route) find(from, to int32, most int) []int32 {
	r.by[from], r.queue = from, append(r.queue[:0], from)
	for at, depth, ring := 0, 1, 1; at < len(r.queue) && r.by[to] == none && depth < most; at++ {
		r.visit(r.queue[at])
		if ring == at+1 {
			depth, ring = depth+1, len(r.queue)
		}
	}
	var way []int32
	if r.by[to] != none {
		for n := to; ; n = r.by[n] {
			way = append(way, n)
			if n == from {
				break
			}
		}
		for i, k := 0, len(way)-1; i < k; i, k = i+1, k-1 {
			way[i], way[k] = way[k], way[i]
		}
	}
	for _, n := range r.queue {
		r.by[n] = none
	}
	return way
}

func (r *route) visit(node int32) {
	for _, next := range r.g.next(node) {
		r.steps++
		if r.by[next] == none && r.of[next] == r.of[node] {
			r.by[next] = node
			r.queue = append(r.queue, next)
		}
	}
}
