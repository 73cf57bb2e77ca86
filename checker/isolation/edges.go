package isolation

import (
	"cmp"
	"slices"
)

// newGraph has the edges among the committed transactions of a history. Time and memory are linear in operations and
// versions, but for sorting.
//
// Per key, versions of aborted transactions are passed over, as Adya does: a read of one has no edge, it is G1a.
func newGraph(h *History) *graph {
	n := int32(len(h.Transactions))
	g := &graph{transactions: n, nodes: n}
	orders := make([]keyOrder, len(h.Keys))
	for k := range h.Keys {
		orders[k] = h.order(g, int32(k))
		orders[k].writes(g)
	}
	for i := range h.Transactions {
		t := &h.Transactions[i]
		if t.Outcome != Committed {
			continue
		}
		for _, op := range t.Ops {
			if !op.Write {
				orders[op.Key].read(g, int32(i), op.Version, !t.ReadCommitted)
			}
		}
	}
	h.sessions(g)
	h.realtime(g)
	g.close()
	return g
}

// keyOrder is the order of the committed versions of one key.
type keyOrder struct {
	h     *History
	key   int32
	order []int32 // committed versions, oldest first
	place []int32 // by version, its index in order; notPlaced = none
	// following is, by index in order, that of the next version of another writer; len(order) = there is none.
	following []int32
	unread    unread
}

const notPlaced = -1

// order gathers what is known of the order of a key.
func (h *History) order(g *graph, key int32) keyOrder {
	k := &h.Keys[key]
	o := keyOrder{h: h, key: key, place: make([]int32, len(k.Writers))}
	for v := range o.place {
		o.place[v] = notPlaced
	}
	known := make([]bool, len(k.Writers))
	for _, v := range k.Order {
		known[v] = true
		if w := k.Writers[v]; w != Nobody && h.committed(w) {
			o.place[v] = int32(len(o.order))
			o.order = append(o.order, v)
		}
	}
	o.following = make([]int32, len(o.order))
	for i := len(o.order) - 1; i >= 0; i-- {
		o.following[i] = int32(i + 1)
		if i+1 < len(o.order) && o.writer(int32(i)) == o.writer(int32(i+1)) {
			o.following[i] = o.following[i+1]
		}
	}
	if k.Unread {
		o.unread = o.newUnread(g, known)
	}
	return o
}

// writer is who wrote the version at that place.
func (o *keyOrder) writer(place int32) int32 { return o.h.writerOf(o.key, o.order[place]) }

// writes adds the ww edges.
func (o *keyOrder) writes(g *graph) {
	for i := range len(o.order) - 1 {
		g.add(o.writer(int32(i)), o.writer(int32(i+1)), ww, o.key, o.order[i+1])
	}
	if n := len(o.order); n > 0 {
		o.unread.after(g, o.key, o.writer(int32(n-1)), ww)
	}
}

// read adds the edges of a read: wr from who wrote the version, rw to who wrote the next one. What is next after a version
// that its writer has overwritten is the first one of somebody else: that the read was too early is G1b and no cycle.
func (o *keyOrder) read(g *graph, reader, version int32, anti bool) {
	writer := o.h.writerOf(o.key, version)
	if writer == reader || version != Initial && (writer == Nobody || !o.h.committed(writer)) {
		return
	}
	if version != Initial {
		g.add(writer, reader, wr, o.key, version)
	}
	next := int32(0)
	switch {
	case !anti || version != Initial && o.place[version] == notPlaced:
		return
	case version != Initial:
		next = o.following[o.place[version]]
	}
	if next < int32(len(o.order)) {
		g.add(reader, o.writer(next), rw, o.key, o.order[next])
		return
	}
	o.unread.after(g, o.key, reader, rw)
}

// unread is a set of transactions that wrote versions which come after all that anybody has read, in no known order.
type unread struct {
	writers  []int32 // ascending
	versions []int32 // of each writer the first one
	// Nodes that stand for the first i+1 writers, and for those from i on; nil = there are so few that each gets its edge.
	upTo, from []int32
}

// few writers get an edge from each reader.
const few = 4

// newUnread gathers the writers of unread versions. The writer of the newest version that was read is left out: whoever
// read that version has seen it, if too early, and it does not come after itself.
func (o *keyOrder) newUnread(g *graph, known []bool) unread {
	type write struct{ writer, version int32 }
	var all []write
	newest := int32(Nobody)
	if n := len(o.order); n > 0 {
		newest = o.writer(int32(n - 1))
	}
	for v, w := range o.h.Keys[o.key].Writers {
		if v != Initial && !known[v] && w != Nobody && w != newest && o.h.committed(w) {
			all = append(all, write{w, int32(v)})
		}
	}
	slices.SortFunc(all, func(a, b write) int {
		return cmp.Or(cmp.Compare(a.writer, b.writer), cmp.Compare(a.version, b.version))
	})
	var u unread
	for i, w := range all {
		if i == 0 || w.writer != all[i-1].writer {
			u.writers, u.versions = append(u.writers, w.writer), append(u.versions, w.version)
		}
	}
	if len(u.writers) > few {
		u.share(g, o.key)
	}
	return u
}

// share makes the nodes that stand for many writers.
func (u *unread) share(g *graph, key int32) {
	n := len(u.writers)
	u.upTo, u.from = make([]int32, n), make([]int32, n)
	for i := range n {
		j := n - 1 - i
		u.upTo[i], u.from[j] = g.node(), g.node()
		g.add(u.upTo[i], u.writers[i], via, key, u.versions[i])
		g.add(u.from[j], u.writers[j], via, key, u.versions[j])
		if i > 0 {
			g.add(u.upTo[i], u.upTo[i-1], via, key, 0)
			g.add(u.from[j], u.from[j+1], via, key, 0)
		}
	}
}

// after adds edges from a transaction to all of the set but itself.
func (u *unread) after(g *graph, key, t int32, k kinds) {
	if u.upTo == nil {
		for i, w := range u.writers {
			g.add(t, w, k, key, u.versions[i])
		}
		return
	}
	last := len(u.writers) - 1
	switch i, within := slices.BinarySearch(u.writers, t); {
	case !within:
		g.add(t, u.upTo[last], k, key, 0)
	default:
		if i > 0 {
			g.add(t, u.upTo[i-1], k, key, 0)
		}
		if i < last {
			g.add(t, u.from[i+1], k, key, 0)
		}
	}
}

// sessions adds an edge from each transaction to those that its client asked for next, up to the first that returned. Of
// one whose end the client never learned nothing follows: it may have taken effect later.
func (h *History) sessions(g *graph) {
	var all []int32
	for i := range h.Transactions {
		if t := &h.Transactions[i]; t.Outcome == Committed && t.Session != NoSession {
			all = append(all, int32(i))
		}
	}
	slices.SortFunc(all, func(a, b int32) int {
		x, y := &h.Transactions[a], &h.Transactions[b]
		return cmp.Or(cmp.Compare(x.Session, y.Session), cmp.Compare(x.Call, y.Call))
	})
	before := int32(Nobody)
	for _, i := range all {
		t := &h.Transactions[i]
		if before != Nobody && h.Transactions[before].Session != t.Session {
			before = Nobody
		}
		if before != Nobody && h.Transactions[before].Return < t.Call {
			g.add(before, i, session, 0, 0)
		}
		if t.Return != Never {
			before = i
		}
	}
}

// realtime adds a node for each moment at which transactions are called after others have returned: those others lead to
// it, and it leads to those that are called from then on, and to the next such node. So the edges are as many as the
// transactions, though each comes after all that returned before it.
func (h *History) realtime(g *graph) {
	type moment struct {
		at     int64
		t      int32
		called bool
	}
	var all []moment
	for i := range h.Transactions {
		if t := &h.Transactions[i]; t.Outcome == Committed {
			all = append(all, moment{t.Call, int32(i), true})
			if t.Return != Never {
				all = append(all, moment{t.Return, int32(i), false})
			}
		}
	}
	slices.SortFunc(all, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	now := int32(Nobody)
	var returned []int32
	for _, m := range all {
		if !m.called {
			returned = append(returned, m.t)
			continue
		}
		if len(returned) > 0 {
			next := g.node()
			for _, t := range returned {
				g.add(t, next, realtime, 0, 0)
			}
			if now != Nobody {
				g.add(now, next, via, 0, 0)
			}
			now, returned = next, returned[:0]
		}
		if now != Nobody {
			g.add(now, m.t, via, 0, 0)
		}
	}
}
