package rng

import (
	"fmt"
	"strings"
)

// kind tells the distributions apart. Constant is 0, so that the zero Dist is
// the constant 0.
type kind uint8

const (
	kindConstant kind = iota
	kindUniform
	kindLognormal
)

// Dist is a distribution of durations in integer nanoseconds, never negative.
// It is a value and comparable with ==. The zero value is the constant 0.
type Dist struct {
	kind  kind
	a, b  int64 // constant: a; uniform: lo, hi; lognormal: p50, p99
	sigma int64 // lognormal only: see Lognormal; a function of a and b
}

// Quantile returns the inverse of the cumulative distribution at probability
// u/2^64, in nanoseconds. It is monotone in u and never above Max. Given a
// uniform u it is a draw from d.
func (d Dist) Quantile(u uint64) int64 {
	switch d.kind {
	case kindUniform:
		return uniformQuantile(d, u)
	case kindLognormal:
		return lognormalQuantile(d, u)
	}
	return d.a
}

// Mean returns the mean in nanoseconds, rounded to an integer. For a lognormal
// it is the mean after truncation, by a fixed quadrature (relative error below
// 1e-4); that costs about 0.3 ms, so compute it once, not for each event.
func (d Dist) Mean() int64 {
	switch d.kind {
	case kindUniform:
		return uniformMean(d)
	case kindLognormal:
		return lognormalMean(d)
	}
	return d.a
}

// Max returns the largest value Quantile may return, in nanoseconds. For a
// lognormal it is the truncation point, 8×p99, or the largest int64 if that is less.
func (d Dist) Max() int64 {
	switch d.kind {
	case kindUniform:
		return d.b
	case kindLognormal:
		return lognormalMax(d)
	}
	return d.a
}

// String returns the form ParseDist reads: "constant(5ms)",
// "uniform(1ms, 3ms)" or "lognormal(p50 80ms, p99 400ms)".
func (d Dist) String() string {
	switch d.kind {
	case kindUniform:
		return "uniform(" + FormatDuration(d.a) + ", " + FormatDuration(d.b) + ")"
	case kindLognormal:
		return "lognormal(p50 " + FormatDuration(d.a) + ", p99 " + FormatDuration(d.b) + ")"
	}
	return "constant(" + FormatDuration(d.a) + ")"
}

// ParseDist reads what Dist.String writes, and a bare duration such as "5ms" as
// a constant. Spaces around names, values and commas do not matter. Durations
// follow ParseDuration and must be >= 0, with lo <= hi, p50 > 0 and p50 <= p99.
func ParseDist(s string) (Dist, error) {
	d, err := parseDist(strings.TrimSpace(s))
	if err != nil {
		return Dist{}, fmt.Errorf("distribution %q: %w", s, err)
	}
	return d, nil
}

// parseDist reads a distribution without outer spaces.
func parseDist(s string) (Dist, error) {
	name, rest, call := strings.Cut(s, "(")
	if !call {
		return parseConstant([]string{s})
	}
	inner, closed := strings.CutSuffix(rest, ")")
	if !closed {
		return Dist{}, fmt.Errorf("the closing parenthesis is missing")
	}
	args := strings.Split(inner, ",")
	switch strings.TrimSpace(name) {
	case "constant":
		return parseConstant(args)
	case "uniform":
		return parseUniform(args)
	case "lognormal":
		return parseLognormal(args)
	}
	return Dist{}, fmt.Errorf("unknown name; want constant, uniform, lognormal or a duration")
}

// parseArg reads one argument: the label, if there is one, then a duration >= 0.
func parseArg(s, label string) (int64, error) {
	s = strings.TrimSpace(s)
	if label != "" {
		rest, ok := strings.CutPrefix(s, label+" ")
		if !ok {
			return 0, fmt.Errorf("want %q and a duration, not %q", label, s)
		}
		s = strings.TrimSpace(rest)
	}
	ns, err := ParseDuration(s)
	if err != nil {
		return 0, err
	}
	if ns < 0 {
		return 0, fmt.Errorf("%s is negative", s)
	}
	return ns, nil
}

// parsePair reads two arguments with their labels.
func parsePair(args []string, labelA, labelB string) (a, b int64, err error) {
	if len(args) != 2 {
		return 0, 0, fmt.Errorf("want 2 arguments, not %d", len(args))
	}
	if a, err = parseArg(args[0], labelA); err != nil {
		return 0, 0, err
	}
	if b, err = parseArg(args[1], labelB); err != nil {
		return 0, 0, err
	}
	return a, b, nil
}
