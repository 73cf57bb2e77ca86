package rng

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
		out  string
	}{
		{"250ms", 250e6, "250ms"},
		{"1h30m", 90 * minute, "1h30m"},
		{"1d12h", 36 * hour, "36h"},
		{"26h", 26 * hour, "26h"},
		{"1.5s", 1.5e9, "1.5s"},
		{"0", 0, "0s"},
		{"-0s", 0, "0s"},
		{"1h5s", hour + 5*second, "1h5s"},
		{"1m0.5s", minute + second/2, "1m0.5s"},
		{".5s", 5e8, "500ms"},
		{"1.s", 1e9, "1s"},
		{"+3ns", 3, "3ns"},
		{"-1.5ms", -1500000, "-1.5ms"},
		{"10us", 10000, "10µs"},
		{"1.25µs", 1250, "1.25µs"},
		{"1.25μs", 1250, "1.25µs"},
		{"0.000000001d", 86400, "86.4µs"},
		{"1.000000001s", 1000000001, "1.000000001s"},
		{"1s1h", hour + second, "1h1s"},
		{"2562047h47m16.854775807s", 1<<63 - 1, "2562047h47m16.854775807s"},
		{"-9223372036854775808ns", -1 << 63, "-2562047h47m16.854775808s"},
	} {
		got, err := ParseDuration(c.in)
		if err != nil || got != c.want || FormatDuration(got) != c.out {
			t.Errorf("ParseDuration(%q) = %d %s, %v; want %d %s", c.in, got, FormatDuration(got), err, c.want, c.out)
		}
	}
}

func TestParseDurationErrors(t *testing.T) {
	for in, part := range map[string]string{
		"":                        "want a number",
		"-":                       "want a number",
		"+-1s":                    "want a number",
		"s":                       "want a number",
		".s":                      "want a number",
		"1":                       "missing unit",
		"1 s":                     "unknown",
		"1x":                      "unknown",
		"1e3s":                    "unknown",
		"1..5s":                   "unknown",
		"1.5ns":                   "finer",
		"1.0000000001s":           "decimals",
		"9223372036854775808ns":   "too long",
		"-9223372036854775809ns":  "too long",
		"99999999999999999999s":   "too long",
		"106751d106751d":          "too long",
		"106752d":                 "too long",
		"9223372036854775807.9us": "too long",
	} {
		ns, err := ParseDuration(in)
		if err == nil || ns != 0 || !strings.Contains(err.Error(), part) {
			t.Errorf("ParseDuration(%q) = %d, %v; want an error with %q", in, ns, err, part)
		}
	}
}

func TestDurationRoundTripAgainstGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64().Draw(t, "ns") >> rapid.IntRange(0, 62).Draw(t, "shift")
		s := FormatDuration(ns)
		if back, err := ParseDuration(s); err != nil || back != ns {
			t.Fatalf("%s reads back as %d, %v", s, back, err)
		}
		d := time.Duration(ns)
		if back, err := ParseDuration(d.String()); err != nil || back != ns {
			t.Fatalf("Go's %s reads as %d, %v", d, back, err)
		}
		if len(s) > len(d.String()) {
			t.Fatalf("%s is longer than Go's %s", s, d)
		}
		if back, err := time.ParseDuration(s); err != nil || back != d {
			t.Fatalf("Go reads %s as %s, %v", s, back, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"250ms", "1h30m", "1d12h", "-1.5s", "0", ".5us", "2562047h47m16.854775807s", "1", "1.5ns"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ns, err := ParseDuration(s)
		if err != nil {
			return
		}
		if back, err := ParseDuration(FormatDuration(ns)); err != nil || back != ns {
			t.Errorf("%q: %d reads back as %d, %v", s, ns, back, err)
		}
		if d, err := time.ParseDuration(s); err == nil && int64(d) != ns {
			t.Errorf("%q: %d, but Go says %d", s, ns, d)
		}
	})
}
