package rng

import "math/bits"

// Limits of NewZipf.
const (
	maxZipfRanks    = 1 << 24
	maxZipfExponent = 100_000
)

// Zipf draws ranks 0 … n-1 where rank r has weight 1/(r+1)^s. It is built once
// and never changes; copies share its table (8 bytes for each rank). The zero
// value always draws rank 0.
type Zipf struct {
	cumulative []uint64 // sums of the weights up to and including each rank
}

// NewZipf builds the table for n ranks and an exponent in thousandths: 1100 is
// s = 1.1, and 0 makes all ranks equally likely. It panics unless 1 <= n <= 2^24
// and 0 <= exponentMilli <= 100000.
func NewZipf(n int, exponentMilli int) Zipf {
	if n < 1 || n > maxZipfRanks || exponentMilli < 0 || exponentMilli > maxZipfExponent {
		panic("rng: NewZipf wants 1 to 2^24 ranks and an exponent of 0 to 100000 thousandths")
	}
	one := uint64(1) << (63 - bits.Len(uint(n))) // n weights stay below 2^63
	cumulative := make([]uint64, n)
	var sum uint64
	for r := range cumulative {
		sum += zipfWeight(one, uint64(r)+1, uint64(exponentMilli))
		cumulative[r] = sum
	}
	return Zipf{cumulative}
}

// zipfWeight returns one / position^(milli/1000), rounded.
func zipfWeight(one, position, milli uint64) uint64 {
	hi, lo := bits.Mul64(log2(position)>>(logBits-fracBits), milli)
	y, _ := bits.Div64(hi, lo, 1000)
	return mulExp2(one, -int64(y))
}

// Rank returns the rank, from 0, of the draw u. It is monotone in u.
func (z *Zipf) Rank(u uint64) int {
	lo, hi := 0, len(z.cumulative)-1
	if hi < 0 {
		return 0
	}
	target := Below(u, z.cumulative[hi])
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if z.cumulative[mid] > target {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
