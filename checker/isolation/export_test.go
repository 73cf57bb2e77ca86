package isolation

// Components numbers, by transaction, the cycles of ww, wr and rw edges; -1 = on none.
func Components(h *History) []int32 {
	g := newGraph(h)
	of := walk{g, ww | wr, anywhere}.components()
	var out []int32
	for t := range g.transactions {
		out = append(out, of[stateOf(t, false)])
	}
	return out
}

// GraphSize is how many nodes and edges the graph of a history has.
func GraphSize(h *History) (nodes, edges int) {
	g := newGraph(h)
	return int(g.nodes), len(g.edges)
}
