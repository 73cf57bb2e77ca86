package rng

import (
	"fmt"
	"math/bits"
)

const (
	// u99 is the draw of probability 0.99.
	u99 = 0xfd70a3d70a3d70a4
	// truncation is the multiple of p99 at which a lognormal is cut.
	truncation = 8
	// meanCells is how many cells of the quadrature an octave has; a power of 2.
	meanCells = 32
)

// Lognormal returns the lognormal distribution with the given median and 99th
// percentile, both in nanoseconds. Its values are truncated at 8×p99: what would
// lie above is exactly there. With p50 = p99 it is constant. It panics unless
// 0 < p50 <= p99.
func Lognormal(p50, p99 int64) Dist {
	if p50 <= 0 || p50 > p99 {
		panic("rng: Lognormal wants 0 < p50 <= p99")
	}
	return Dist{kind: kindLognormal, a: p50, b: p99, sigma: lognormalSigma(p50, p99)}
}

// lognormalSigma returns log2(p99/p50) per standard deviation, in 48 fractional
// bits. It divides by the table's own z(0.99), so that p99 is met exactly.
func lognormalSigma(p50, p99 int64) int64 {
	ratio := log2(uint64(p99)) - log2(uint64(p50))
	hi, lo := bits.Mul64(ratio, 1<<(2*fracBits-logBits))
	sigma, _ := bits.Div64(hi, lo, uint64(normalQuantile(u99)))
	return int64(sigma)
}

// lognormalQuantile is p50 · 2^(sigma·z), truncated.
func lognormalQuantile(d Dist, u uint64) int64 {
	y := mulFixed(d.sigma, normalQuantile(u))
	return min(int64(mulExp2(uint64(d.a), y)), lognormalMax(d))
}

func lognormalMax(d Dist) int64 {
	if d.b > maxInt64/truncation {
		return maxInt64
	}
	return truncation * d.b
}

// lognormalMean integrates the quantile function by the midpoint rule: each
// octave of both tails has meanCells cells, so that the tails are as fine in
// ratio as the middle. The weights add up to 2^64.
func lognormalMean(d Dist) int64 {
	acc := accumulator{}
	acc.add(d, meanCells/2, meanCells)
	for octave := uint64(meanCells); octave < 1<<63; octave *= 2 {
		width := octave / meanCells
		for i := range uint64(meanCells) {
			acc.add(d, octave+i*width+width/2, width)
		}
	}
	return acc.mean()
}

// accumulator is a 128-bit weighted sum of durations.
type accumulator struct{ hi, lo uint64 }

// add counts the quantiles at tail and at its mirror, each with that weight.
func (a *accumulator) add(d Dist, tail, weight uint64) {
	sum := uint64(d.Quantile(tail)) + uint64(d.Quantile(-tail))
	hi, lo := bits.Mul64(sum, weight)
	var carry uint64
	a.lo, carry = bits.Add64(a.lo, lo, 0)
	a.hi, _ = bits.Add64(a.hi, hi, carry)
}

// mean returns the sum over the weight 2^64, rounded.
func (a *accumulator) mean() int64 { return int64(a.hi + a.lo>>63) }

// parseLognormal reads the arguments of "lognormal(p50 80ms, p99 400ms)".
func parseLognormal(args []string) (Dist, error) {
	p50, p99, err := parsePair(args, "p50", "p99")
	switch {
	case err != nil:
		return Dist{}, err
	case p50 == 0:
		return Dist{}, fmt.Errorf("p50 must be above 0")
	case p50 > p99:
		return Dist{}, fmt.Errorf("p50 is above p99")
	}
	return Lognormal(p50, p99), nil
}
