package checker_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

// Every line of the table keeps the contract of checkers.
func TestConformance(t *testing.T) {
	for _, c := range checker.Kinds() {
		t.Run(c.Name, func(t *testing.T) { checkertest.Conformance(t, c) })
	}
}

// Every property is judged by one checker, and every example names one that is judged. With -v the counts are told.
func TestCorpus(t *testing.T) {
	planted, near := map[history.Property]int{}, map[history.Property]int{}
	for _, e := range checkertest.Planted() {
		planted[e.Property]++
	}
	for _, e := range checkertest.Near() {
		near[e.Property]++
	}
	properties := 0
	names := map[string]bool{}
	for _, c := range checker.Kinds() {
		require.False(t, names[c.Name], "two checkers are named %s", c.Name)
		names[c.Name] = true
		for _, p := range c.Properties {
			properties++
			t.Logf("%-32s %d planted, %d near misses", p, planted[p], near[p])
			delete(planted, p)
			delete(near, p)
		}
	}
	require.Empty(t, planted, "nobody judges these, or two do")
	require.Empty(t, near, "nobody judges these, or two do")
	t.Logf("%d checkers, %d properties, %d planted histories, %d near misses, %d clean ones",
		len(checker.Kinds()), properties, len(checkertest.Planted()), len(checkertest.Near()), len(checkertest.Clean()))
}

// The table is sorted by name: so `simulate list checkers` is.
func TestKindsAreSorted(t *testing.T) {
	var names []string
	for _, c := range checker.Kinds() {
		names = append(names, c.Name)
	}
	require.IsIncreasing(t, names)
}

// A history that lost facts, or in which some are doubled, moved or changed, is judged like any other: the same way twice,
// with counts that fit.
func TestMutatedHistories(t *testing.T) {
	corpus := slices.Concat(checkertest.Planted(), checkertest.Near(), checkertest.Clean())
	rapid.Check(t, func(t *rapid.T) {
		h := rapid.SampledFrom(corpus).Draw(t, "history").History
		for range rapid.IntRange(1, 4).Draw(t, "mutations") {
			h = mutated(t, h)
		}
		v := checker.CheckAll(h)
		var row history.Row
		checker.FillRow(&row, h, v)
		found := map[history.Property]int64{}
		for _, f := range v.Findings {
			found[f.Property]++
		}
		require.Equal(t, found, v.Violations)
		require.Equal(t, v, checker.CheckAll(h))
		require.Equal(t, row.Offered, sum(row.Buckets[:]), "each offered intent is in one bucket")
	})
}

func sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// mutated is a history in which one fact is left out, doubled, exchanged with its neighbour, or changed in one field. Causes
// follow their facts; a cause that is gone, or would come later, is none.
func mutated(t *rapid.T, h *history.History) *history.History {
	if h.Len() == 0 {
		return h
	}
	facts := slices.Clone(h.Facts)
	i := rapid.IntRange(0, len(facts)-1).Draw(t, "fact")
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		facts = slices.Delete(facts, i, i+1)
	case 1:
		facts = slices.Insert(facts, i, facts[i])
	case 2:
		j := min(i+1, len(facts)-1)
		facts[i], facts[j] = facts[j], facts[i]
	case 3:
		change(t, &facts[i], facts[rapid.IntRange(0, len(facts)-1).Draw(t, "like")])
	}
	out := &history.History{Header: h.Header}
	renumbered := map[int64]int64{}
	for _, f := range facts {
		old := f.ID
		f.Cause = renumbered[f.Cause]
		renumbered[old] = out.Record(f)
	}
	return out
}

// change gives a fact one field of another one, or a number of its own.
func change(t *rapid.T, f *history.Fact, like history.Fact) {
	n := rapid.Int64Range(-1, 3).Draw(t, "number")
	switch rapid.IntRange(0, 12).Draw(t, "field") {
	case 0:
		f.Kind = like.Kind
	case 1:
		f.Node = like.Node
	case 2:
		f.Event = like.Event
	case 3:
		f.Resource = like.Resource
	case 4:
		f.Op = like.Op
	case 5:
		f.Key = like.Key
	case 6:
		f.Value = like.Value
	case 7:
		f.Cause = like.Cause
	case 8:
		f.Outcome = like.Outcome
	case 9:
		f.Offset = n
	case 10:
		f.Fence = n
	case 11:
		f.Changed = !f.Changed
	case 12:
		f.Hash = uint64(n)
	}
}
