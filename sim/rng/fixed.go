package rng

import (
	"math/bits"
)

const (
	fracBits = 48 // fractional bits of exponents and normal quantiles
	logBits  = 56 // fractional bits of log2

	expIndexBits = 6 // log2 of the length of exp2Table

	maxInt64 = 1<<63 - 1
)

// log2 returns the binary logarithm of x > 0, rounded down to 56 fractional bits
// (error below 2^-55). It squares the mantissa once for each bit; as every step
// rounds down, the result is exactly monotone in x.
func log2(x uint64) uint64 {
	whole := uint64(bits.Len64(x) - 1)
	m := x << (63 - whole) // 1.63 fixed point, in [1, 2)
	var frac uint64
	for range logBits {
		hi, lo := bits.Mul64(m, m) // 2.126 fixed point, in [1, 4)
		bit := hi >> 63
		frac = frac<<1 | bit
		up := 1 ^ bit // below 2: keep one more bit; no branch, as it would be a coin
		m = hi<<(up&63) | lo>>63&up
	}
	return whole<<logBits | frac
}

// exp2 returns 2^f for f in [0, 1) with 48 fractional bits, as 1.63 fixed point.
// The error, a few units of 2^-63, is far below one step of f: it is monotone.
func exp2(f uint64) uint64 {
	f <<= 64 - fracBits // 64 fractional bits
	base := exp2Table[f>>(64-expIndexBits)]
	r, _ := bits.Mul64(f&(1<<(64-expIndexBits)-1), ln2) // rest · ln 2, below 0.011
	hi, lo := bits.Mul64(base, expm1(r))
	sum := base + hi
	return sum + lo>>63
}

// expm1 returns e^r - 1 for 0 <= r < 0.011, both with 64 fractional bits, by
// Horner's scheme up to r^7/7!; the next term is below 2^-66.
func expm1(r uint64) uint64 {
	sum := r / 7
	for n := uint64(6); n >= 1; n-- {
		hi, _ := bits.Mul64(r, sum)
		sum = (r + hi) / n
	}
	return sum
}

// mulExp2 returns x · 2^y, rounded to nearest, for x > 0 and y with 48
// fractional bits; at most the largest int64. It is monotone in y.
func mulExp2(x uint64, y int64) uint64 {
	hi, lo := bits.Mul64(x, exp2(uint64(y)&(1<<fracBits-1)))
	e := y >> fracBits // rounded down
	switch {
	case e >= 63:
		return maxInt64
	case e < -64:
		return 0
	}
	v, ok := shiftRound(hi, lo, uint(63-e))
	if !ok {
		return maxInt64
	}
	return v
}

// shiftRound returns hi:lo / 2^n, rounded to nearest, for 1 <= n <= 127; false if
// that is above the largest int64.
func shiftRound(hi, lo uint64, n uint) (uint64, bool) {
	half := n - 1
	if half >= 64 {
		hi, lo, half = 0, hi, half-64
	}
	if hi>>half != 0 {
		return 0, false
	}
	lo = hi<<(64-half) | lo>>half // twice the value, rounded down
	v := lo>>1 + lo&1
	return v, v <= maxInt64
}

// mulFixed multiplies two numbers with 48 fractional bits, rounding towards 0;
// a must not be negative, and the product must be below 2^15.
func mulFixed(a, b int64) int64 {
	if b < 0 {
		return -mulFixed(a, -b)
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(hi<<(64-fracBits) | lo>>fracBits)
}

// normalQuantile returns the quantile of the standard normal distribution at
// probability u/2^64, with 48 fractional bits. It interpolates linearly in
// normalTable (error below 5e-6), is monotone in u, and odd about u = 2^63, where
// it is 0; u = 0 counts as 1.
func normalQuantile(u uint64) int64 {
	if u < 1<<63 {
		return -normalTail(max(u, 1))
	}
	return normalTail(-u)
}

// normalTail returns z >= 0 such that a standard normal exceeds z with
// probability tail/2^64, for 1 <= tail <= 2^63.
func normalTail(tail uint64) int64 {
	octave := bits.Len64(tail) - 1
	if octave == 63 {
		return 0
	}
	pos := tail << (64 - octave) // place in the octave, 64 fractional bits
	i := octave<<normalCellBits + int(pos>>(64-normalCellBits))
	const up = fracBits - normalFracBits
	upper, lower := uint64(normalTable[i])<<up, uint64(normalTable[i+1])<<up
	fall, _ := bits.Mul64(upper-lower, pos<<normalCellBits)
	return int64(upper - fall)
}
