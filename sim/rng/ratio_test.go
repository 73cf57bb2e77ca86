package rng

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParseRatio(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Ratio
		out  string
	}{
		{"1/500", Ratio{1, 500}, "1/500"},
		{"2/1000", Ratio{1, 500}, "1/500"},
		{"0.2%", Ratio{1, 500}, "1/500"},
		{"100%", Ratio{1, 1}, "1"},
		{"12.5%", Ratio{1, 8}, "1/8"},
		{"0.000001%", Ratio{1, 100_000_000}, "1/100000000"},
		{"0", Ratio{}, "0"},
		{"0/7", Ratio{}, "0"},
		{"0.00%", Ratio{}, "0"},
		{"1", Ratio{1, 1}, "1"},
		{"18446744073709551614/18446744073709551615", Ratio{1<<64 - 2, 1<<64 - 1}, "18446744073709551614/18446744073709551615"},
	} {
		got, err := ParseRatio(c.in)
		if err != nil || got != c.want || got.String() != c.out {
			t.Errorf("ParseRatio(%q) = %+v %q, %v; want %+v %q", c.in, got, got, err, c.want, c.out)
		}
	}
	for _, in := range []string{
		"", "2", "0.5", "1/0", "0/0", "3/2", "-1/2", "1/-2", "+1/2", "1/2/3", "1 /2", "101%", "100.1%", "%", ".5%", "5.%",
		"0.0000001%", "-1%", "1_0/20", "18446744073709551616/18446744073709551617",
	} {
		if r, err := ParseRatio(in); err == nil || r != (Ratio{}) {
			t.Errorf("ParseRatio(%q) = %+v, %v; want an error", in, r, err)
		}
	}
}

func drawRatio(t *rapid.T, name string) Ratio {
	den := rapid.Uint64Min(1).Draw(t, name+" den")
	return Ratio{rapid.Uint64Max(den).Draw(t, name+" num"), den}
}

// Hit must equal u·Den < Num·2^64 in unbounded arithmetic.
func TestHitIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, u := drawRatio(t, "r"), rapid.Uint64().Draw(t, "u")
		left := new(big.Int).Mul(word(u), word(r.Den))
		right := new(big.Int).Lsh(word(r.Num), 64)
		if r.Hit(u) != (left.Cmp(right) < 0) {
			t.Fatal("Hit is not exact")
		}
		if back, err := ParseRatio(r.String()); err != nil || back != r.reduced() || back.Hit(u) != r.Hit(u) {
			t.Fatalf("%v reads back as %v, %v", r, back, err)
		}
	})
}

func word(x uint64) *big.Int { return new(big.Int).SetUint64(x) }

func TestHitEdges(t *testing.T) {
	half := Ratio{1, 2}
	if !half.Hit(1<<63-1) || half.Hit(1<<63) {
		t.Error("one half does not end at 2^63")
	}
	always := Ratio{7, 7}
	if (Ratio{}).Hit(0) || (Ratio{0, 5}).Hit(0) || !always.Hit(1<<64-1) {
		t.Error("never or always is wrong")
	}
	mustPanic(t, func() { Ratio{2, 1}.Hit(0) })
	mustPanic(t, func() { Ratio{1, 0}.Hit(0) })
}

func TestHitFrequency(t *testing.T) {
	k, r, hits := Key{Seed: 9, Purpose: Loss}, Ratio{1, 50}, 0
	for i := range uint32(100_000) {
		if r.Hit(k.At(i)) {
			hits++
		}
	}
	if hits < 1800 || hits > 2200 {
		t.Errorf("%d hits of 100000 at 1/50", hits)
	}
}

func TestBelow(t *testing.T) {
	if Below(1<<64-1, 10) != 9 || Below(0, 10) != 0 || Below(1<<63, 10) != 5 || Below(5, 0) != 0 {
		t.Error("Below is wrong")
	}
}

func TestBetween(t *testing.T) {
	const lowest, highest = -1 << 63, 1<<63 - 1
	if Between(0, -3, 3) != -3 || Between(1<<64-1, -3, 3) != 3 || Between(1<<63, 5, 5) != 5 {
		t.Error("Between misses its bounds")
	}
	if Between(0, lowest, highest) != lowest || Between(1<<64-1, lowest, highest) != highest {
		t.Error("Between is wrong over all of int64")
	}
	mustPanic(t, func() { Between(0, 1, 0) })
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Int64().Draw(t, "lo")
		hi := rapid.Int64Min(lo).Draw(t, "hi")
		u := rapid.Uint64().Draw(t, "u")
		a, b := Between(u, lo, hi), Between(rapid.Uint64Min(u).Draw(t, "v"), lo, hi)
		if lo > a || a > b || b > hi {
			t.Fatalf("Between gives %d then %d in [%d, %d]", a, b, lo, hi)
		}
	})
}

func FuzzParseRatio(f *testing.F) {
	for _, s := range []string{"1/500", "0.2%", "0", "1", "100%", "2/1", "x", "1/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRatio(s)
		if err != nil {
			return
		}
		if back, err := ParseRatio(r.String()); err != nil || back != r {
			t.Errorf("%q: %v reads back as %v, %v", s, r, back, err)
		}
	})
}
