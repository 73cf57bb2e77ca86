package rng

import "fmt"

// Uniform returns the distribution in which every nanosecond from lo to hi,
// both included, is equally likely. It panics unless 0 <= lo <= hi.
func Uniform(lo, hi int64) Dist {
	if lo < 0 || lo > hi {
		panic("rng: Uniform wants 0 <= lo <= hi")
	}
	return Dist{kind: kindUniform, a: lo, b: hi}
}

func uniformQuantile(d Dist, u uint64) int64 { return Between(u, d.a, d.b) }

func uniformMean(d Dist) int64 { return d.a + (d.b-d.a)/2 }

// parseUniform reads the arguments of "uniform(1ms, 3ms)".
func parseUniform(args []string) (Dist, error) {
	lo, hi, err := parsePair(args, "", "")
	if err != nil {
		return Dist{}, err
	}
	if lo > hi {
		return Dist{}, fmt.Errorf("the first bound is above the second")
	}
	return Uniform(lo, hi), nil
}
