package blackbox_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/isolation"
	"github.com/twiceless/twiceless/checker/ops"
)

// longHistory is n transactions of ten processes, each of four operations on lists of up to a hundred elements. Of one in
// torn a read is of the list as it was up to thirty appends before; 0 = of none, and the history is strictly serializable.
func longHistory(n, torn int) []ops.Operation {
	rnd := rand.New(rand.NewPCG(7, 7))
	lists := make([][]ops.Value, 16) // the current ones; a full list is replaced
	names := make([]int64, len(lists))
	name := int64(len(lists))
	for i := range names {
		names[i] = int64(i)
	}
	var out []ops.Operation
	value := int64(0)
	at := int64(0)
	for i := range n {
		var in, done []ops.Value
		for range 4 {
			k := rnd.IntN(len(lists))
			key := ops.Value{Kind: ops.Int, Int: names[k]}
			if rnd.IntN(2) == 0 {
				read := lists[k]
				if torn > 0 && rnd.IntN(torn) == 0 {
					read = read[:max(0, len(read)-rnd.IntN(30))]
				}
				m := []ops.Value{{Kind: ops.Text, Text: "r"}, key, {Kind: ops.List, Items: read[:len(read):len(read)]}}
				done = append(done, ops.Value{Kind: ops.List, Items: m})
				in = append(in, ops.Value{Kind: ops.List, Items: m[:2]})
				continue
			}
			value++
			e := ops.Value{Kind: ops.Int, Int: value}
			lists[k] = append(lists[k], e)
			m := ops.Value{Kind: ops.List, Items: []ops.Value{{Kind: ops.Text, Text: "append"}, key, e}}
			in, done = append(in, m), append(done, m)
			if len(lists[k]) == 100 {
				lists[k], names[k] = nil, name
				name++
			}
		}
		// Ten at a time are in work: each began when the tenth before it had just ended.
		o := ops.Operation{Process: strconv.Itoa(i % 10), F: "txn", Outcome: ops.OK, Call: max(0, at-18), Return: at + 1, Invoked: int64(i), Completed: int64(n + i), Line: i + 1,
			In: ops.Value{Kind: ops.List, Items: in}, Out: ops.Value{Kind: ops.List, Items: done}}
		if i < 10 {
			o.Call = int64(-10 + i)
		}
		at += 2
		out = append(out, o)
	}
	return out
}

func judgeAll(t testing.TB, m blackbox.Model, history []ops.Operation) *ops.Report {
	var p ops.Problems
	j := m.New(ops.Header{}, blackbox.Options{Budget: blackbox.DefaultBudget}, &p)
	for i := range history {
		j.Take(&history[i])
	}
	require.NoError(t, p.Error("long"))
	return j.Report()
}

// A long history is judged within the budget, whether nothing is wrong with it or nearly everything.
func TestListAppendOfLongHistories(t *testing.T) {
	m := listAppendOf(t)
	fine := judgeAll(t, m, longHistory(5_000, 0))
	require.Empty(t, fine.Anomalies)
	require.Equal(t, int64(5_000), fine.Numbers["committed"])
	for _, torn := range []int{2, 1_000} {
		r := judgeAll(t, m, longHistory(5_000, torn))
		require.NotEmpty(t, r.Anomalies)
		require.True(t, isolation.Serializable.Violates(r.Anomalies[0].Name))
		require.Zero(t, r.Undecided)
	}
}

func BenchmarkListAppend(b *testing.B) {
	m := listAppendOf(b)
	for _, x := range []struct {
		name string
		torn int
	}{{"clean", 0}, {"one in 1000 torn", 1000}, {"half torn", 2}} {
		history := longHistory(100_000, x.torn)
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				judgeAll(b, m, history)
			}
			b.ReportMetric(float64(len(history))*float64(b.N)/b.Elapsed().Seconds(), "transactions/s")
		})
	}
}
