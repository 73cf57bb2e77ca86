package reports

import (
	"math"

	"github.com/twiceless/twiceless/sim/history"
)

// counter is a count of one run.
type counter func(*history.Row) int64

func criticalExcess(r *history.Row) int64 { return r.Excess[history.Critical] }
func lostIntents(r *history.Row) int64    { return r.Losses() }

// term is one cell of a weighted sum of means: its mean with the interval, and the runs that correlate with others.
type term struct {
	weight float64
	Interval
	seeds  []uint64 // ascending
	counts []int64  // of the runs with these seeds
}

// term is the mean of a count over the cell's runs, with a weight.
func (c *cell) term(weight float64, count counter) term {
	t := term{weight: weight, Interval: c.mean(count)}
	for _, r := range c.rows {
		t.seeds, t.counts = append(t.seeds, r.Seed), append(t.counts, count(r))
	}
	return t
}

// combined is Σ weight × mean with a 95 % interval, by the method of variance estimates recovery (G. Zou, A. Donner,
// "Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008): each end lies as far
// from the sum as the root of the terms' squared distances to their own ends. So skewed terms stay skewed, and a cell
// of zeros adds its bound to hi and nothing to value and lo.
//
// Terms are not taken for independent: run i of every cell meets the same environment, and the moments of its faults are
// those of one sequence, shifted (at-least-once in payments: correlations between kinds up to 0.21). So the cross terms
// carry the correlation of the counts over the seeds that two cells share. In a difference this is what pairing gains.
func combined(terms []term) Interval {
	var out Interval
	below, above := make([]float64, len(terms)), make([]float64, len(terms))
	for i, t := range terms {
		out.Value += t.weight * t.Value
		below[i], above[i] = t.weight*(t.Value-t.Lo), t.weight*(t.Hi-t.Value)
		if t.weight < 0 { // the sum is small when the term is large; the sign is for the cross terms
			below[i], above[i] = t.weight*(t.Hi-t.Value), t.weight*(t.Value-t.Lo)
		}
	}
	var lo, hi float64
	for i := range terms {
		lo += below[i] * below[i]
		hi += above[i] * above[i]
		for j := range i {
			r := correlation(&terms[i], &terms[j])
			lo += 2 * r * below[i] * below[j]
			hi += 2 * r * above[i] * above[j]
		}
	}
	out.Lo, out.Hi = out.Value-math.Sqrt(max(0, lo)), out.Value+math.Sqrt(max(0, hi))
	return out
}

// correlation is that of two terms' counts over the seeds that both have; 0 if one of them does not vary.
func correlation(a, b *term) float64 {
	var n, sumA, sumB, squareA, squareB, product float64
	for i, j := 0, 0; i < len(a.seeds) && j < len(b.seeds); {
		switch {
		case a.seeds[i] < b.seeds[j]:
			i++
		case a.seeds[i] > b.seeds[j]:
			j++
		default:
			x, y := float64(a.counts[i]), float64(b.counts[j]) // whole numbers: the sums are exact
			n, sumA, sumB = n+1, sumA+x, sumB+y
			squareA, squareB, product = squareA+x*x, squareB+y*y, product+x*y
			i, j = i+1, j+1
		}
	}
	varied := (n*squareA - sumA*sumA) * (n*squareB - sumB*sumB)
	if varied <= 0 {
		return 0
	}
	return (n*product - sumA*sumB) / math.Sqrt(varied)
}
