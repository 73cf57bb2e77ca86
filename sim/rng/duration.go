package rng

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Units in nanoseconds.
const (
	microsecond = 1000
	millisecond = 1000 * microsecond
	second      = 1000 * millisecond
	minute      = 60 * second
	hour        = 60 * minute
	day         = 24 * hour
)

const (
	maxDecimals = 9             // decimals a duration may have
	decimalOne  = 1_000_000_000 // 10^maxDecimals
)

// ParseDuration reads a duration into nanoseconds, in integer arithmetic. The
// syntax is that of Go's time.ParseDuration plus the unit d (24 hours): an
// optional sign, then numbers with units (ns, us, µs, ms, s, m, h, d), as in
// "250ms", "1h30m", "1d12h" or "1.5s"; "0" needs no unit. Unlike Go it never
// drops a fraction: it fails on more than 9 decimals and on parts of a
// nanosecond, besides any other syntax and overflow of int64.
func ParseDuration(s string) (int64, error) {
	ns, err := parseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("duration %q: %w", s, err)
	}
	return ns, nil
}

func parseDuration(s string) (int64, error) {
	rest, negative := strings.CutPrefix(s, "-")
	if !negative {
		rest, _ = strings.CutPrefix(s, "+")
	}
	if rest == "0" {
		return 0, nil
	}
	sum, err := parseTerms(rest)
	if err != nil {
		return 0, err
	}
	if negative && sum <= 1<<63 {
		return int64(-sum), nil
	}
	if sum > maxInt64 {
		return 0, errTooLong()
	}
	return int64(sum), nil
}

// parseTerms adds up terms such as "1h" and "30m", of which there is at least one.
func parseTerms(s string) (uint64, error) {
	var sum uint64
	for first := true; first || s != ""; first = false {
		ns, rest, err := parseTerm(s)
		if err != nil {
			return 0, err
		}
		if sum += ns; sum > 1<<63 {
			return 0, errTooLong()
		}
		s = rest
	}
	return sum, nil
}

// parseTerm reads one number with its unit from the front of s. The result is
// at most 2^63.
func parseTerm(s string) (ns uint64, rest string, err error) {
	whole, s := cutDigits(s)
	var decimals string
	if after, point := strings.CutPrefix(s, "."); point {
		decimals, s = cutDigits(after)
	}
	if whole == "" && decimals == "" {
		return 0, "", fmt.Errorf("want a number and a unit, such as 250ms")
	}
	name, rest := cutUnit(s)
	unit, ok := unitOf(name)
	if !ok {
		return 0, "", fmt.Errorf("unknown or missing unit %q; want ns, us, ms, s, m, h or d", name)
	}
	ns, err = scaleTerm(whole, decimals, unit)
	return ns, rest, err
}

// scaleTerm returns (whole.decimals) × unit, exactly.
func scaleTerm(whole, decimals string, unit uint64) (uint64, error) {
	if len(decimals) > maxDecimals {
		return 0, fmt.Errorf("more than %d decimals", maxDecimals)
	}
	n, err := strconv.ParseUint("0"+whole, 10, 64)
	if err != nil {
		return 0, errTooLong()
	}
	f, _ := strconv.ParseUint((decimals + "000000000")[:maxDecimals], 10, 64) // digits only
	hi, lo := bits.Mul64(f, unit)
	part, rem := bits.Div64(hi, lo, decimalOne)
	if rem != 0 {
		return 0, fmt.Errorf("finer than a nanosecond")
	}
	hi, lo = bits.Mul64(n, unit)
	if hi != 0 || lo > 1<<63 || lo+part > 1<<63 {
		return 0, errTooLong()
	}
	return lo + part, nil
}

func errTooLong() error { return fmt.Errorf("too long: the limit is about 292 years") }

// cutDigits splits s after its leading decimal digits.
func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// cutUnit splits s before its first digit or point.
func cutUnit(s string) (unit, rest string) {
	i := 0
	for i < len(s) && s[i] != '.' && !isDigit(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// unitOf returns the nanoseconds of a unit.
func unitOf(name string) (uint64, bool) {
	switch name {
	case "ns":
		return 1, true
	case "us", "µs", "μs": // ASCII, U+00B5 micro sign, U+03BC Greek mu
		return microsecond, true
	case "ms":
		return millisecond, true
	case "s":
		return second, true
	case "m":
		return minute, true
	case "h":
		return hour, true
	case "d":
		return day, true
	}
	return 0, false
}

// FormatDuration returns the shortest form with Go's units, as in "250ms",
// "1h30m", "26h", "1.5s" or "0s": what Go prints, without parts that are zero.
// Any int64 is accepted; ParseDuration reads it back to the same value.
func FormatDuration(ns int64) string {
	switch {
	case ns == 0:
		return "0s"
	case ns < 0:
		return "-" + formatMagnitude(-uint64(ns))
	}
	return formatMagnitude(uint64(ns))
}

// formatMagnitude formats a duration above 0.
func formatMagnitude(ns uint64) string {
	switch {
	case ns < microsecond:
		return formatPart(ns, 1, "ns")
	case ns < millisecond:
		return formatPart(ns, microsecond, "µs")
	case ns < second:
		return formatPart(ns, millisecond, "ms")
	}
	return formatPart(ns/hour*hour, hour, "h") +
		formatPart(ns%hour/minute*minute, minute, "m") +
		formatPart(ns%minute, second, "s")
}

// formatPart formats ns in one unit, a fraction only with a decimal unit. A part
// that is zero is empty.
func formatPart(ns, unit uint64, name string) string {
	if ns == 0 {
		return ""
	}
	number := strconv.FormatUint(ns/unit, 10)
	if ns%unit != 0 { // unit+rest has one digit more than the decimals
		rest := strconv.FormatUint(unit+ns%unit, 10)[1:]
		number += "." + strings.TrimRight(rest, "0")
	}
	return number + name
}
