package rng

import (
	"math/bits"
)

// ln2 is the natural logarithm of 2, in 64 fractional bits.
const ln2 = 0xb17217f7d1cf79ab

// Exponential returns -ln(u/2^64) × mean, rounded, in the unit of mean: an
// exponential draw, as for the gaps of Poisson arrivals. It falls as u grows; u =
// 0 counts as 1, which gives the largest value, 44.36 × mean, or the largest
// int64 if that is less. A mean of 0 gives 0. It panics if mean < 0.
func Exponential(u uint64, mean int64) int64 {
	if mean < 0 {
		panic("rng: Exponential with a mean below 0")
	}
	minusLog2 := uint64(64)<<logBits - log2(max(u, 1))
	minusLn, _ := bits.Mul64(minusLog2, ln2)
	hi, lo := bits.Mul64(minusLn, uint64(mean))
	v, ok := shiftRound(hi, lo, logBits)
	if !ok {
		return maxInt64
	}
	return int64(v)
}
