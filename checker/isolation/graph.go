package isolation

import (
	"cmp"
	"slices"
)

// kinds is a set of kinds of edges.
type kinds uint8

// The kinds, the gravest first: an edge of several is told by the first that a class admits. A via edge leads out of a
// node that stands for many transactions; what it means was said by the edge that led there.
const (
	ww kinds = 1 << iota
	wr
	session
	realtime
	rw
	via
)

// edge leads from a node to another. Key and version say why, of the gravest kind among ww, wr and rw.
type edge struct {
	from, to     int32
	kinds        kinds
	key, version int32
}

// graph has the transactions as its first nodes, by their number. Behind them come nodes that stand for many: where each
// of a set has edges to each of another, edges to and from a node between them say the same in linear space.
type graph struct {
	transactions int32
	nodes        int32
	edges        []edge  // by from, then to; no two lead from one node to the same
	first        []int32 // by node, the first of its edges; one more at the end
}

// out are the edges of a node.
func (g *graph) out(node int32) []edge { return g.edges[g.first[node]:g.first[node+1]] }

// add adds an edge. One that leads to its own beginning says nothing.
func (g *graph) add(from, to int32, k kinds, key, version int32) {
	if from != to {
		g.edges = append(g.edges, edge{from, to, k, key, version})
	}
}

// node makes a node that stands for many.
func (g *graph) node() int32 {
	g.nodes++
	return g.nodes - 1
}

// close sorts the edges and makes one of those that are parallel.
func (g *graph) close() {
	g.byBeginning()
	n := int32(0)
	for node := range g.nodes {
		out := g.edges[g.first[node]:g.first[node+1]]
		slices.SortFunc(out, func(a, b edge) int {
			return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.kinds, b.kinds), cmp.Compare(a.key, b.key), cmp.Compare(a.version, b.version))
		})
		g.first[node] = n
		for _, e := range out {
			if n > g.first[node] && g.edges[n-1].to == e.to {
				g.edges[n-1].merge(&e)
				continue
			}
			g.edges[n] = e
			n++
		}
	}
	g.first[g.nodes] = n
	g.edges = g.edges[:n]
}

// merge makes an edge that says what both do. The other one is not graver.
func (e *edge) merge(o *edge) {
	if data := ww | wr | rw; e.kinds&data == 0 && o.kinds&data != 0 {
		e.key, e.version = o.key, o.version
	}
	e.kinds |= o.kinds
}

// byBeginning puts the edges in the order of the nodes from which they lead.
func (g *graph) byBeginning() {
	g.first = make([]int32, g.nodes+1)
	for i := range g.edges {
		g.first[g.edges[i].from+1]++
	}
	for i := range g.nodes {
		g.first[i+1] += g.first[i]
	}
	next := slices.Clone(g.first)
	sorted := make([]edge, len(g.edges))
	for i := range g.edges {
		from := g.edges[i].from
		sorted[next[from]] = g.edges[i]
		next[from]++
	}
	g.edges = sorted
}
