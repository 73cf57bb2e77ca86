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

// clock runs with a drift of ppm parts per million: base + d·(10⁶+ppm)/10⁶, rounded down, d after since. A change
// of its drift changes its pace and never makes it jump.
type clock struct {
	since Time
	base  int64
	ppm   int64
}

const million = 1_000_000

func (c *clock) read(now Time) int64 {
	if c.ppm == 0 {
		return c.base + int64(now-c.since)
	}
	return c.base + scale(int64(now-c.since), million+c.ppm, million, 0)
}

func (c *clock) drift(now Time, ppm int64) {
	if ppm <= -million || ppm >= million {
		panic("sim: a drift of 10⁶ parts per million or more")
	}
	c.base, c.since, c.ppm = c.read(now), now, ppm
}

// due is the first instant from now on at which the clock has advanced by d since now. A d below 0 counts as 0. What the
// clock shows now it may have shown for a while: it is read rounded down.
func (c *clock) due(now Time, d Duration) Time {
	d = max(d, 0)
	if c.ppm == 0 {
		return now.Add(d)
	}
	ahead := c.read(now) - c.base + int64(d)
	return max(now, c.since.Add(Duration(scale(ahead, million, million+c.ppm, million+c.ppm-1))))
}

// scale is (d·num + up)/den, rounded down for d ≥ 0, in 128 bits.
func scale(d, num, den, up int64) int64 {
	if d < 0 {
		return -scale(-d, num, den, up)
	}
	hi, lo := bits.Mul64(uint64(d), uint64(num))
	lo, carry := bits.Add64(lo, uint64(up), 0)
	if hi += carry; hi >= uint64(den) {
		panic("sim: time overflow")
	}
	q, _ := bits.Div64(hi, lo, uint64(den))
	return int64(q)
}
