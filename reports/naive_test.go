package reports

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim/history"
)

// TestEveryFigureIsWhatItSays recomputes the cells of random rows the slow way: one loop a figure, straight from rows.
func TestEveryFigureIsWhatItSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := Input{ScenarioHash: testHash, Epoch: 1, Stacks: []StackInfo{{Name: "a"}, {Name: "b"}}, Faults: testFaults()[:3]}
		for i := range rapid.IntRange(0, 40).Draw(rt, "rows") {
			in.Rows = append(in.Rows, randomRow(rt, uint64(i)))
		}
		for _, c := range Cells(in) {
			checkCell(rt, in.Rows, c)
		}
	})
}

func randomRow(t *rapid.T, seed uint64) history.Row {
	small := rapid.Custom(func(t *rapid.T) int64 {
		if rapid.Bool().Draw(t, "zero") {
			return 0
		}
		return int64(rapid.IntRange(1, 30).Draw(t, "count"))
	})
	r := history.Row{Scenario: testHash, Epoch: 1, Seed: seed,
		Stack: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "stack"),
		Fault: rapid.SampledFrom([]string{"none", "consumer-kill"}).Draw(t, "fault"),
		Plan:  rapid.SampledFrom([]string{history.Measuring, history.Measuring, history.Hunting}).Draw(t, "plan"),
	}
	for b := range r.Buckets {
		r.Buckets[b] = small.Draw(t, "bucket")
		r.Offered += r.Buckets[b]
	}
	for c := range r.Excess {
		r.Excess[c] = small.Draw(t, "excess")
	}
	r.FaultsHit, r.Calls, r.Writes = small.Draw(t, "hit"), small.Draw(t, "calls"), small.Draw(t, "writes")
	r.Reorders, r.Phantoms, r.Transient = small.Draw(t, "reorders"), small.Draw(t, "phantoms"), small.Draw(t, "transient")
	r.Suppressed, r.Redelivered, r.ParkedAfter = small.Draw(t, "suppressed"), small.Draw(t, "redelivered"), small.Draw(t, "after")
	r.Parked = small.Draw(t, "parked")
	return r
}

func checkCell(t *rapid.T, all []history.Row, c Cell) {
	sum := func(figure func(history.Row) int64) (n int64) {
		for _, r := range all {
			if r.Plan == history.Measuring && r.Stack == c.Stack && r.Fault == c.Fault {
				n += figure(r)
			}
		}
		return n
	}
	some := func(figure func(history.Row) int64) int {
		return int(sum(func(r history.Row) int64 { return min(figure(r), 1) }))
	}
	duplicates := func(r history.Row) int64 { return r.Excess[history.Critical] }
	losses := func(r history.Row) int64 { return r.Buckets[history.LostSilent] + r.Buckets[history.LostKnown] }
	hits := func(r history.Row) int64 { return r.FaultsHit }
	want := map[string][2]int64{
		"runs":        {int64(c.Runs), sum(func(history.Row) int64 { return 1 })},
		"faults_hit":  {int64(c.FaultsHit), int64(some(hits))},
		"offered":     {c.Offered, sum(func(r history.Row) int64 { return r.Offered })},
		"duplicates":  {c.Duplicates, sum(duplicates)},
		"notify":      {c.DuplicatesByClass.Notify, sum(func(r history.Row) int64 { return r.Excess[history.Notify] })},
		"state":       {c.DuplicatesByClass.State, sum(func(r history.Row) int64 { return r.Excess[history.State] })},
		"derived":     {c.DuplicatesByClass.Derived, sum(func(r history.Row) int64 { return r.Excess[history.Derived] })},
		"losses":      {c.Losses, sum(losses)},
		"lost_silent": {c.LostSilent, sum(func(r history.Row) int64 { return r.Buckets[history.LostSilent] })},
		"partial":     {c.Partial, sum(func(r history.Row) int64 { return r.Buckets[history.Partial] })},
		"stuck":       {c.Stuck, sum(func(r history.Row) int64 { return r.Buckets[history.StuckB] })},
		"parked":      {c.Parked, sum(func(r history.Row) int64 { return r.Parked })},
		"after":       {c.ParkedAfter, sum(func(r history.Row) int64 { return r.ParkedAfter })},
		"late":        {c.Late, sum(func(r history.Row) int64 { return r.Buckets[history.Late] })},
		"degraded":    {c.Degraded, sum(func(r history.Row) int64 { return r.Buckets[history.Degraded] })},
		"reorders":    {c.Reorders, sum(func(r history.Row) int64 { return r.Reorders })},
		"phantoms":    {c.Phantoms, sum(func(r history.Row) int64 { return r.Phantoms })},
		"transient":   {c.Transient, sum(func(r history.Row) int64 { return r.Transient })},
		"suppressed":  {c.Suppressed, sum(func(r history.Row) int64 { return r.Suppressed })},
		"redelivered": {c.Redelivered, sum(func(r history.Row) int64 { return r.Redelivered })},
		"with dup":    {int64(c.RunsWithDuplicate), int64(some(duplicates))},
		"with loss":   {int64(c.RunsWithLoss), int64(some(losses))},
		"buckets":     {sumOf(c.Buckets), c.Offered},
	}
	for name, pair := range want {
		require.Equal(t, pair[1], pair[0], name)
	}
	touched := some(hits)
	if c.Fault == Control {
		touched = c.Runs
	}
	checkMean(t, c.DuplicatesPerFault, naiveCounts(all, c.Stack, c.Fault, duplicates), touched)
	checkMean(t, c.LossesPerFault, naiveCounts(all, c.Stack, c.Fault, losses), touched)
	checkShare(t, c.PDuplicate, some(duplicates), c.Runs, touched)
	checkShare(t, c.PLoss, some(losses), c.Runs, touched)
	calls := 0.0
	if c.Offered > 0 { // nothing offered: nothing to divide by
		calls = float64(sum(func(r history.Row) int64 { return r.Calls })) / float64(c.Offered)
	}
	require.InEpsilon(t, 1+calls, 1+c.CallsPerIntent, 1e-5)
}

// naiveCounts are the counts of a cell's measuring runs.
func naiveCounts(all []history.Row, stack, fault string, figure func(history.Row) int64) (counts []float64) {
	for _, r := range all {
		if r.Plan == history.Measuring && r.Stack == stack && r.Fault == fault {
			counts = append(counts, float64(figure(r)))
		}
	}
	return counts
}

func sumOf(b Buckets) (n int64) {
	for _, count := range b {
		n += count
	}
	return n
}

func checkMean(t *rapid.T, iv Interval, counts []float64, touched int) {
	value, lo, hi := naiveMean(counts, touched)
	require.InDelta(t, value, iv.Value, 1e-5*(1+value))
	require.InDelta(t, lo, iv.Lo, 1e-4*(1+lo))
	require.InDelta(t, hi, iv.Hi, 1e-4*(1+hi))
}

// naiveMean finds the ends of the interval by search: those t at which the cubic g(t) reaches the quantiles of
// Student's t, and the means that have these t.
func naiveMean(counts []float64, touched int) (value, lo, hi float64) {
	n := float64(len(counts))
	if value = stat.Mean(counts, nil); len(counts) == 0 || value == 0 {
		return 0, 0, naiveBound(touched)
	}
	if slices.Min(counts) == slices.Max(counts) {
		return value, value, value
	}
	a := stat.MomentAbout(3, counts, value, nil) / math.Pow(stat.MomentAbout(2, counts, value, nil), 1.5) / math.Sqrt(n)
	g := func(t float64) float64 { return t + a*t*t/3 + a*a*t*t*t/27 + a/6 }
	inverse := func(x float64) float64 {
		least, most := -1e9, 1e9
		for range 200 {
			if mid := (least + most) / 2; g(mid) < x {
				least = mid
			} else {
				most = mid
			}
		}
		return least
	}
	quantile := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975)
	spread := stat.StdDev(counts, nil) / math.Sqrt(n)
	return value, math.Max(0, value-spread*inverse(quantile)), value - spread*inverse(-quantile)
}

// naiveBound is the share of bad runs under which that many clean ones have a chance of 5 %, found by search.
func naiveBound(clean int) float64 {
	least, most := 0.0, 1.0
	for range 100 {
		if mid := (least + most) / 2; clean == 0 || math.Pow(1-mid, float64(clean)) > 0.05 {
			least = mid
		} else {
			most = mid
		}
	}
	return most
}

func checkZero(t *rapid.T, iv Interval, touched int) {
	require.Zero(t, iv.Value)
	require.Zero(t, iv.Lo)
	if touched == 0 {
		require.Equal(t, 1.0, iv.Hi)
		return
	}
	// The bound is the probability under which n clean runs have a chance of 5 %.
	require.InDelta(t, 0.05, math.Pow(1-iv.Hi, float64(touched)), 1e-4)
}

// checkShare inverts the binomial: at the lower end k or more, at the upper end k or fewer, have a chance of 2.5 %.
func checkShare(t *rapid.T, iv Interval, k, n, touched int) {
	if k == 0 {
		checkZero(t, iv, touched)
		return
	}
	chance := func(p float64, from, to int) (sum float64) {
		for i := from; i <= to; i++ {
			sum += float64(combin.Binomial(n, i)) * math.Pow(p, float64(i)) * math.Pow(1-p, float64(n-i))
		}
		return sum
	}
	require.InEpsilon(t, float64(k)/float64(n), iv.Value, 1e-5)
	require.InDelta(t, 0.025, chance(iv.Lo, k, n), 1e-4, fmt.Sprint(k, " of ", n))
	if k == n {
		require.Equal(t, 1.0, iv.Hi)
		return
	}
	require.InDelta(t, 0.025, chance(iv.Hi, 0, k), 1e-4, fmt.Sprint(k, " of ", n))
}
