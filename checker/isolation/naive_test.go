package isolation_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/isolation"
)

// The naive way: all edges from pairs, all simple cycles, all ways to take them. It shares nothing with the package but the
// definitions.

// naiveEdges are the kinds of edges from each transaction to each other.
func naiveEdges(h *isolation.History) [][]map[string]bool {
	n := len(h.Transactions)
	edges := make([][]map[string]bool, n)
	for i := range edges {
		edges[i] = make([]map[string]bool, n)
		for j := range edges[i] {
			edges[i][j] = map[string]bool{}
		}
	}
	add := func(from, to int32, kind string) {
		if from != to {
			edges[from][to][kind] = true
		}
	}
	for key := range h.Keys {
		naiveData(h, int32(key), add)
	}
	for i := range h.Transactions {
		for j := range h.Transactions {
			a, b := &h.Transactions[i], &h.Transactions[j]
			if i == j || a.Outcome != isolation.Committed || b.Outcome != isolation.Committed || a.Return >= b.Call {
				continue
			}
			add(int32(i), int32(j), "realtime")
			if a.Session == b.Session && a.Session != isolation.NoSession {
				add(int32(i), int32(j), "session")
			}
		}
	}
	return edges
}

func naiveData(h *isolation.History, key int32, add func(from, to int32, kind string)) {
	k := &h.Keys[key]
	committed := func(w int32) bool {
		return w != isolation.Nobody && h.Transactions[w].Outcome == isolation.Committed
	}
	var order []int32 // writers of committed versions
	place := map[int32]int{}
	for _, v := range k.Order {
		if committed(k.Writers[v]) {
			place[v] = len(order)
			order = append(order, k.Writers[v])
		}
	}
	last := []int32{} // who comes after the order
	for v, w := range k.Writers {
		if k.Unread && v != 0 && !slices.Contains(k.Order, int32(v)) && committed(w) && (len(order) == 0 || w != order[len(order)-1]) {
			last = append(last, w)
		}
	}
	next := func(from int, after, by int32, kind string) {
		for i := from; i < len(order); i++ {
			if order[i] != after {
				add(by, order[i], kind)
				return
			}
		}
		for _, w := range last {
			add(by, w, kind)
		}
	}
	for i, w := range order {
		next(i+1, isolation.Nobody, w, "ww")
	}
	for i := range h.Transactions {
		t := &h.Transactions[i]
		for _, op := range t.Ops {
			w := k.Writers[min(op.Version, int32(len(k.Writers)-1))]
			if op.Write || op.Key != key || t.Outcome != isolation.Committed {
				continue
			}
			at, placed := place[op.Version]
			if op.Version == isolation.Initial {
				at, placed, w = -1, true, isolation.Nobody
			} else if !committed(w) || w == int32(i) {
				continue
			} else {
				add(w, int32(i), "wr")
			}
			if placed && !t.ReadCommitted {
				next(at+1, w, int32(i), "rw")
			}
		}
	}
}

// naiveNames are the names of all classes of cycles there are.
func naiveNames(h *isolation.History) map[string]bool {
	edges, names := naiveEdges(h), map[string]bool{}
	var visit func(path []int, kinds []string)
	visit = func(path []int, kinds []string) {
		at := path[len(path)-1]
		for to := path[0]; to < len(edges); to++ {
			if to != path[0] && slices.Contains(path, to) {
				continue
			}
			for kind := range edges[at][to] {
				if to == path[0] {
					names[naiveName(append(slices.Clone(kinds), kind))] = true
				} else {
					visit(append(slices.Clone(path), to), append(slices.Clone(kinds), kind))
				}
			}
		}
	}
	for i := range edges {
		visit([]int{i}, nil)
	}
	return names
}

// naiveName is the class of a cycle, by its edges.
func naiveName(kinds []string) string {
	anti, adjacent := 0, false
	for i, k := range kinds {
		if k == "rw" {
			anti++
			adjacent = adjacent || kinds[(i+1)%len(kinds)] == "rw"
		}
	}
	name := isolation.G0
	switch {
	case anti == 1:
		name = isolation.GSingle
	case anti > 1 && adjacent:
		name = isolation.G2Item
	case anti > 1:
		name = isolation.GNonadjacent
	case slices.Contains(kinds, "wr"):
		name = isolation.G1c
	}
	switch {
	case slices.Contains(kinds, "realtime"):
		return name + "-realtime"
	case slices.Contains(kinds, "session"):
		return name + "-session"
	}
	return name
}

// broken are the levels that names break.
func broken(names []string) (out []isolation.Level) {
	for _, l := range isolation.Levels() {
		if slices.ContainsFunc(names, l.Violates) {
			out = append(out, l)
		}
	}
	return out
}

// draw is a random history of few transactions over few keys, in which anything may happen.
func draw(rnd *rand.Rand) *isolation.History {
	sparse := rnd.IntN(2) == 0 // each key is written once at most, so that cycles need reads
	h := &isolation.History{Keys: make([]isolation.Key, 1+rnd.IntN(3))}
	for i := range h.Keys {
		h.Keys[i] = isolation.Key{Writers: []int32{isolation.Nobody}, Unread: rnd.IntN(4) > 0}
	}
	n := 2 + rnd.IntN(4)
	if sparse {
		n = 4 + rnd.IntN(2)
	}
	times := rnd.Perm(2 * n)
	for i := range n {
		t := isolation.Transaction{Session: int32(rnd.IntN(3)) - 1, Outcome: isolation.Outcome(max(0, rnd.IntN(12)-9)), ReadCommitted: rnd.IntN(10) == 0}
		if sparse {
			t.Outcome = isolation.Committed
		}
		a, b := int64(times[2*i]), int64(times[2*i+1])
		if t.Call, t.Return = min(a, b), max(a, b); rnd.IntN(5) == 0 {
			t.Return = isolation.Never
		}
		for range 2 + rnd.IntN(2) {
			key := int32(rnd.IntN(len(h.Keys)))
			k := &h.Keys[key]
			op := isolation.Op{Key: key, Write: rnd.IntN(2) == 0 && (!sparse || len(k.Writers) == 1), Version: int32(rnd.IntN(4))}
			if op.Write {
				op.Version = int32(len(k.Writers))
				k.Writers = append(k.Writers, int32(i))
			}
			t.Ops = append(t.Ops, op)
		}
		overlaps := func(o isolation.Transaction) bool {
			return o.Session == t.Session && o.Call < ended(&t) && t.Call < ended(&o)
		}
		if slices.ContainsFunc(h.Transactions, overlaps) {
			t.Session = isolation.NoSession // a client asks for one thing after the other
		}
		h.Transactions = append(h.Transactions, t)
	}
	for i := range h.Keys {
		k := &h.Keys[i]
		for _, v := range rnd.Perm(len(k.Writers)) {
			if v != isolation.Initial && (sparse || rnd.IntN(4) > 0) {
				k.Order = append(k.Order, int32(v))
			}
		}
	}
	for i := range h.Transactions { // versions were guessed before they were all known
		for j := range h.Transactions[i].Ops {
			op := &h.Transactions[i].Ops[j]
			op.Version = min(op.Version, int32(len(h.Keys[op.Key].Writers)-1))
		}
	}
	return h
}

// ended is when a client went on.
func ended(t *isolation.Transaction) int64 {
	if t.Return == isolation.Never {
		return t.Call + 1
	}
	return t.Return
}

// histories is how many random histories are judged; with TWICELESS_FULL set it is full.
func histories(some, full int) int {
	if os.Getenv("TWICELESS_FULL") != "" {
		return full
	}
	return some
}

// What is found is there, and it breaks the same levels as all that is there. Full: TWICELESS_FULL=1.
func TestFindCyclesAgainstAllCycles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 5))
	seen := map[string]int{}
	clean, several := 0, 0
	for i := range histories(10_000, 1_000_000) {
		h := draw(rnd)
		want := naiveNames(h)
		got := isolation.FindCycles(h, 1_000_000)
		require.Empty(t, got.Undecided)
		edges := naiveEdges(h)
		var names []string
		for _, f := range got.Found {
			require.True(t, want[f.Name], "history %d: there is no %s: %+v", i, f.Name, h)
			holds(t, edges, f)
			seen[f.Name]++
			names = append(names, f.Name)
		}
		require.Equal(t, broken(slices.Sorted(maps.Keys(want))), broken(names), "history %d: found %v of %v: %+v", i, names, want, h)
		if len(names) == 0 {
			clean++
		}
		if len(names) > 1 {
			several++
		}
	}
	require.GreaterOrEqual(t, len(seen), histories(12, 15), "classes of cycles that were met: %v", seen)
	t.Logf("clean %d, with several classes %d, by class %v", clean, several, seen)
}

// holds checks a cycle that is shown: its edges are there, and it is of the class that it is told for.
func holds(t *testing.T, edges [][]map[string]bool, f isolation.Found) {
	t.Helper()
	require.NotEmpty(t, f.Steps, f.Name)
	var kinds []string
	for i, s := range f.Steps {
		require.True(t, edges[s.From][s.To][s.Kind], "%s: no %s edge from %d to %d", f.Name, s.Kind, s.From, s.To)
		require.Equal(t, s.To, f.Steps[(i+1)%len(f.Steps)].From)
		kinds = append(kinds, s.Kind)
	}
	require.Equal(t, f.Name, naiveName(kinds), fmt.Sprint(f.Steps))
}

// A budget that runs out changes no level that is broken, except that G-single is undecided where it might be.
func TestBudgetLeavesExistenceDecided(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 5))
	undecided := 0
	for range histories(1_000, 100_000) {
		h := draw(rnd)
		var full, short []string
		for _, f := range isolation.FindCycles(h, 1_000_000).Found {
			full = append(full, f.Name)
		}
		none := isolation.FindCycles(h, 0)
		for _, f := range none.Found {
			require.Empty(t, f.Steps)
			require.NotEmpty(t, f.Transactions)
			require.False(t, strings.HasPrefix(f.Name, isolation.GSingle), "that takes a search")
			short = append(short, f.Name)
		}
		for _, u := range none.Undecided {
			short = append(short, u.Name)
			undecided++
		}
		for _, l := range broken(full) {
			require.Contains(t, broken(short), l, "%v without a budget, %v with one: %+v", short, full, h)
		}
		for _, u := range none.Undecided {
			short = slices.DeleteFunc(short, func(n string) bool { return n == u.Name })
		}
		for _, l := range broken(short) {
			require.Contains(t, broken(full), l)
		}
	}
	require.Positive(t, undecided)
}
