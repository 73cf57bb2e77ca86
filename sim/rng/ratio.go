package rng

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// maxPercentDecimals is the number of decimals a percentage may have.
const maxPercentDecimals = 6

// Ratio is a probability as an exact fraction, with Den > 0 and Num <= Den. The
// zero value means never.
type Ratio struct{ Num, Den uint64 }

// Hit reports whether the draw u falls under r, that is u/2^64 < Num/Den,
// compared exactly; the only bias is that of 64-bit draws, under 2^-64. For one
// u, a hit under some ratio is a hit under every larger one. It panics if Num > Den.
func (r Ratio) Hit(u uint64) bool {
	if r.Num > r.Den {
		panic("rng: Ratio above 1")
	}
	return Below(u, r.Den) < r.Num
}

// String returns r in lowest terms, as in "1/500"; never is "0" and always is
// "1". ParseRatio reads it back to the same probability.
func (r Ratio) String() string {
	r = r.reduced()
	switch r.Num {
	case 0:
		return "0"
	case r.Den:
		return "1"
	}
	return strconv.FormatUint(r.Num, 10) + "/" + strconv.FormatUint(r.Den, 10)
}

// reduced returns r in lowest terms, and the zero value for never.
func (r Ratio) reduced() Ratio {
	if r.Num == 0 {
		return Ratio{}
	}
	a, b := r.Num, r.Den
	for b != 0 {
		a, b = b, a%b
	}
	return Ratio{r.Num / a, r.Den / a}
}

// ParseRatio reads a probability: "1/500", "0.2%" (at most 6 decimals), "0" or
// "1". The result is in lowest terms; never is the zero value. It fails on any
// other form, on a zero denominator and on a probability above 1.
func ParseRatio(s string) (Ratio, error) {
	r, err := parseRatio(s)
	if err == nil && (r.Den == 0 || r.Num > r.Den) {
		err = fmt.Errorf("must lie between 0 and 1")
	}
	if err != nil {
		return Ratio{}, fmt.Errorf("ratio %q: %w", s, err)
	}
	return r.reduced(), nil
}

// parseRatio reads the forms of ParseRatio without checking the range.
func parseRatio(s string) (Ratio, error) {
	if num, den, ok := strings.Cut(s, "/"); ok {
		return parseFraction(num, den)
	}
	if percent, ok := strings.CutSuffix(s, "%"); ok {
		return parsePercent(percent)
	}
	switch s {
	case "0":
		return Ratio{0, 1}, nil
	case "1":
		return Ratio{1, 1}, nil
	}
	return Ratio{}, fmt.Errorf("want a form like 1/500, 0.2%%, 0 or 1")
}

// parseFraction reads the two sides of "1/500".
func parseFraction(num, den string) (Ratio, error) {
	n, err := parseDigits(num)
	if err != nil {
		return Ratio{}, err
	}
	d, err := parseDigits(den)
	if err != nil {
		return Ratio{}, err
	}
	return Ratio{n, d}, nil
}

// parsePercent reads "0.2", a percentage, as an integer over 100·10^decimals.
func parsePercent(s string) (Ratio, error) {
	whole, decimals, point := strings.Cut(s, ".")
	if point && (decimals == "" || len(decimals) > maxPercentDecimals) {
		return Ratio{}, fmt.Errorf("a percentage has 1 to %d decimals after its point", maxPercentDecimals)
	}
	if w, err := parseDigits(whole); err != nil || w > 100 {
		return Ratio{}, fmt.Errorf("want a percentage between 0%% and 100%%")
	}
	n, err := parseDigits(whole + decimals)
	if err != nil {
		return Ratio{}, err
	}
	den := uint64(100)
	for range len(decimals) {
		den *= 10
	}
	return Ratio{n, den}, nil
}

// parseDigits reads decimal digits and nothing else (no sign, no underscore).
func parseDigits(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number below 2^64", s)
	}
	return n, nil
}

// Below maps a draw to [0, n): floor(u*n / 2^64), without rejection. It is
// monotone in u; the bias is under n/2^64. Below(u, 0) is 0.
func Below(u uint64, n uint64) uint64 {
	hi, _ := bits.Mul64(u, n)
	return hi
}

// Between maps a draw to [lo, hi], both included, monotone in u. It panics if
// lo > hi.
func Between(u uint64, lo, hi int64) int64 {
	if lo > hi {
		panic("rng: Between with lo > hi")
	}
	n := uint64(hi) - uint64(lo) + 1
	if n == 0 { // all of int64
		return int64(uint64(lo) + u)
	}
	return int64(uint64(lo) + Below(u, n))
}
