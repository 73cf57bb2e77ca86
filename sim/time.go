package sim

import (
	"math/bits"

	"github.com/twiceless/twiceless/sim/rng"
)

// Time is nanoseconds since the start of the world; Duration is a difference of two.
type (
	Time     int64
	Duration int64
)

// Units of Duration.
const (
	Nanosecond  Duration = 1
	Microsecond          = 1000 * Nanosecond
	Millisecond          = 1000 * Microsecond
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
)

// Add returns t+d and panics on overflow: a run of 292 years is a bug.
func (t Time) Add(d Duration) Time {
	r := t + Time(d)
	if (d > 0) != (r > t) && d != 0 {
		panic("sim: time overflow")
	}
	return r
}

// Sub returns t-u.
func (t Time) Sub(u Time) Duration { return Duration(t - u) }

// String prints as durations do: 1.2017s.
func (t Time) String() string { return rng.FormatDuration(int64(t)) }

// String prints as Go's durations do: 250ms, 1h30m.
func (d Duration) String() string { return rng.FormatDuration(int64(d)) }

// Phase orders the events of one instant.
type Phase uint8

// The phases, in order.
const (
	PhaseFault Phase = iota
	PhaseDeliver
	PhaseTimer
)

// drifting converts a duration by a drift of ppm parts per million: d·(10⁶+ppm)/10⁶, rounded down.
func drifting(d int64, ppm int64) int64 { return scale(d, 1_000_000+ppm, 1_000_000) }

// undrifting is the true time in which a clock with that drift counts d.
func undrifting(d int64, ppm int64) int64 { return scale(d, 1_000_000, 1_000_000+ppm) }

func scale(d, num, den int64) int64 {
	if num == den {
		return d
	}
	if d < 0 {
		return -scale(-d, num, den)
	}
	hi, lo := bits.Mul64(uint64(d), uint64(num))
	q, _ := bits.Div64(hi, lo, uint64(den))
	return int64(q)
}
