package rng

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Golden quantiles: a change here changes every recorded case.
func TestGoldenQuantiles(t *testing.T) {
	uniform, lognormal := Uniform(1e6, 3e6), Lognormal(80e6, 400e6)
	for _, c := range []struct {
		u                               uint64
		uniform, lognormal, exponential int64
		normal                          int64
	}{
		{0x0, 1000000, 149584, 443614196, -2555836451782656},
		{0x1, 1000000, 149584, 443614196, -2555836451782656},
		{0x100000000, 1000000, 1074382, 221807098, -1753662327095296},
		{0x28f5c28f5c28f5c, 1020000, 16000000, 46051702, -654808945335993},
		{0x4000000000000000, 1500000, 50168852, 13862944, -189851987083264},
		{0x8000000000000000, 2000000, 80000000, 6931472, 0},
		{0xc000000000000000, 2500000, 127569193, 2876821, 189851987083264},
		{u99, 2980000, 400000000, 100503, 654808945335993},
		{0xffbe76c8b4395810, 2998000, 678539396, 10005, 869823215386493},
		{0xffffffff00000000, 3000000, 3200000000, 0, 1753662327095296},
		{0xffffffffffffffff, 3000000, 3200000000, 0, 2555836451782656},
	} {
		if got := uniform.Quantile(c.u); got != c.uniform {
			t.Errorf("uniform %#x: %d, want %d", c.u, got, c.uniform)
		}
		if got := lognormal.Quantile(c.u); got != c.lognormal {
			t.Errorf("lognormal %#x: %d, want %d", c.u, got, c.lognormal)
		}
		if got := Exponential(c.u, 10e6); got != c.exponential {
			t.Errorf("exponential %#x: %d, want %d", c.u, got, c.exponential)
		}
		if got := normalQuantile(c.u); got != c.normal {
			t.Errorf("normal %#x: %d, want %d", c.u, got, c.normal)
		}
	}
}

func TestZeroDist(t *testing.T) {
	var d Dist
	if d != Constant(0) || d.Quantile(1<<63) != 0 || d.Mean() != 0 || d.Max() != 0 || d.String() != "constant(0s)" {
		t.Error("the zero Dist is not the constant 0")
	}
}

func TestMeanAndMax(t *testing.T) {
	for _, c := range []struct {
		d         Dist
		mean, max int64
	}{
		{Constant(5), 5, 5},
		{Uniform(1, 4), 2, 4},
		{Uniform(0, maxInt64), maxInt64 / 2, maxInt64},
		{Lognormal(7, 7), 7, 56},
		{Lognormal(80e6, 400e6), 101629347, 3200e6},
		{Lognormal(maxInt64, maxInt64), maxInt64, maxInt64},
		{Lognormal(1, maxInt64), 107110173165978626, maxInt64},
	} {
		if c.d.Mean() != c.mean || c.d.Max() != c.max {
			t.Errorf("%v: mean %d, max %d; want %d, %d", c.d, c.d.Mean(), c.d.Max(), c.mean, c.max)
		}
	}
}

// truncatedMean is E[min(X, m)] of a lognormal in closed form.
func truncatedMean(p50, p99, m float64) float64 {
	sigma := math.Log(p99/p50) / upperTail(0.01)
	if sigma == 0 {
		return p50
	}
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	k := math.Log(m/p50) / sigma
	return p50*math.Exp(sigma*sigma/2)*phi(k-sigma) + m*phi(-k)
}

func TestLognormalMeanAgainstClosedForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p50 := rapid.Int64Range(1e6, 1e10).Draw(t, "p50")
		p99 := rapid.Int64Range(p50, p50*1000).Draw(t, "p99")
		want := truncatedMean(float64(p50), float64(p99), 8*float64(p99))
		if got := float64(Lognormal(p50, p99).Mean()); math.Abs(got/want-1) > 1e-4 {
			t.Fatalf("mean %.0f, want %.0f", got, want)
		}
	})
}

// The relative error of a lognormal quantile must stay below 1e-4.
func TestLognormalAgainstMath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p50 := rapid.Int64Range(1e6, 1e10).Draw(t, "p50")
		p99 := rapid.Int64Range(p50, p50*100_000).Draw(t, "p99")
		d, u := Lognormal(p50, p99), rapid.Uint64Min(1).Draw(t, "u")
		tail, sign := min(u, -u), 1.0
		if u < 1<<63 {
			sign = -1
		}
		sigma := math.Log(float64(p99)/float64(p50)) / upperTail(0.01)
		want := float64(p50) * math.Exp(sign*sigma*upperTail(math.Ldexp(float64(tail), -64)))
		want = min(want, float64(d.Max()))
		if got := float64(d.Quantile(u)); math.Abs(got-want) > 1e-4*want+0.5 {
			t.Fatalf("%v at %#x: %.0f, want %.0f", d, u, got, want)
		}
	})
}

func TestLognormalMeetsItsQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p50 := rapid.Int64Range(1, 1e12).Draw(t, "p50")
		p99 := rapid.Int64Range(p50, 1e12).Draw(t, "p99")
		if d := Lognormal(p50, p99); d.Quantile(1<<63) != p50 || d.Quantile(u99) != p99 {
			t.Fatalf("%v: median %d, p99 %d", d, d.Quantile(1<<63), d.Quantile(u99))
		}
	})
}

func drawDist(t *rapid.T) Dist {
	a := rapid.Int64Min(1).Draw(t, "a") >> rapid.IntRange(0, 62).Draw(t, "a shift")
	b := rapid.Int64Min(1).Draw(t, "b") >> rapid.IntRange(0, 62).Draw(t, "b shift")
	lo, hi := min(a, b), max(a, b)
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		return Constant(a)
	case 1:
		return Uniform(lo, hi)
	}
	return Lognormal(max(lo, 1), max(hi, 1))
}

func TestDistProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, u := drawDist(t), rapid.Uint64().Draw(t, "u")
		v := rapid.Uint64Min(u).Draw(t, "v")
		a, b := d.Quantile(u), d.Quantile(v)
		if a < 0 || a > b || b > d.Max() {
			t.Fatalf("%v: %d at %#x, then %d at %#x", d, a, u, b, v)
		}
		if u+1 != 0 && a > d.Quantile(u+1) {
			t.Fatalf("%v falls after %#x", d, u)
		}
		if back, err := ParseDist(d.String()); err != nil || back != d {
			t.Fatalf("%v reads back as %v, %v", d, back, err)
		}
		if m := d.Mean(); m < 0 || m > d.Max() {
			t.Fatalf("%v has mean %d", d, m)
		}
	})
}

// sampleMoments returns mean and standard deviation of n draws.
func sampleMoments(n uint32, draw func(u uint64) int64) (mean, deviation float64) {
	k := Key{Seed: 3, Purpose: ServiceTime, Action: 1}
	var sum, squares float64
	for i := range n {
		x := float64(draw(k.At(i)))
		sum += x
		squares += x * x
	}
	mean = sum / float64(n)
	return mean, math.Sqrt(squares/float64(n) - mean*mean)
}

func TestMoments(t *testing.T) {
	for _, c := range []struct {
		name            string
		draw            func(u uint64) int64
		mean, deviation float64
	}{
		{"constant", Constant(5e6).Quantile, 5e6, 0},
		{"uniform", Uniform(1e6, 3e6).Quantile, 2e6, 2e6 / math.Sqrt(12)},
		{"lognormal", Lognormal(80e6, 400e6).Quantile, 101.63e6, 79.6e6},
		{"exponential", func(u uint64) int64 { return Exponential(u, 10e6) }, 10e6, 10e6},
	} {
		mean, deviation := sampleMoments(200_000, c.draw)
		if math.Abs(mean-c.mean) > 0.01*c.mean || math.Abs(deviation-c.deviation) > 0.03*c.mean {
			t.Errorf("%s: mean %.0f, deviation %.0f; want %.0f, %.0f", c.name, mean, deviation, c.mean, c.deviation)
		}
	}
}

func TestParseDist(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Dist
		out  string
	}{
		{"5ms", Constant(5e6), "constant(5ms)"},
		{"0", Dist{}, "constant(0s)"},
		{"constant(5ms)", Constant(5e6), "constant(5ms)"},
		{"uniform(1ms, 3ms)", Uniform(1e6, 3e6), "uniform(1ms, 3ms)"},
		{" uniform ( 1ms,3ms ) ", Uniform(1e6, 3e6), "uniform(1ms, 3ms)"},
		{"lognormal(p50 80ms, p99 400ms)", Lognormal(80e6, 400e6), "lognormal(p50 80ms, p99 400ms)"},
		{"lognormal(p50 1d, p99 1.5d)", Lognormal(day, 36*hour), "lognormal(p50 24h, p99 36h)"},
	} {
		got, err := ParseDist(c.in)
		if err != nil || got != c.want || got.String() != c.out {
			t.Errorf("ParseDist(%q) = %v, %v; want %v", c.in, got, err, c.out)
		}
	}
}

func TestParseDistErrors(t *testing.T) {
	for in, part := range map[string]string{
		"":                               "want a number",
		"-5ms":                           "negative",
		"constant(-5ms)":                 "negative",
		"constant()":                     "want a number",
		"constant(1s, 2s)":               "want 1 argument, not 2",
		"uniform(1ms)":                   "want 2 arguments, not 1",
		"uniform(3ms, 1ms)":              "first bound is above",
		"uniform(1ms, 3ms":               "closing parenthesis",
		"uniform(1ms, 3ms) x":            "closing parenthesis",
		"uniform(1ms, 3)":                "missing unit",
		"normal(1ms, 3ms)":               "unknown name",
		"lognormal(80ms, 400ms)":         `want "p50"`,
		"lognormal(p99 80ms, p50 400ms)": `want "p50"`,
		"lognormal(p50 0s, p99 400ms)":   "p50 must be above 0",
		"lognormal(p50 2s, p99 1s)":      "p50 is above p99",
	} {
		d, err := ParseDist(in)
		if err == nil || d != (Dist{}) || !strings.Contains(err.Error(), part) {
			t.Errorf("ParseDist(%q) = %v, %v; want an error with %q", in, d, err, part)
		}
	}
}

func TestConstructorsPanic(t *testing.T) {
	mustPanic(t, func() { Constant(-1) })
	mustPanic(t, func() { Uniform(-1, 1) })
	mustPanic(t, func() { Uniform(2, 1) })
	mustPanic(t, func() { Lognormal(0, 1) })
	mustPanic(t, func() { Lognormal(2, 1) })
	mustPanic(t, func() { Exponential(1, -1) })
}

func FuzzParseDist(f *testing.F) {
	for _, s := range []string{
		"5ms", "constant(5ms)", "uniform(1ms, 3ms)", "lognormal(p50 80ms, p99 400ms)", "uniform(3ms, 1ms)", "x(", "lognormal(p50 1d,p99 2d)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDist(s)
		if err != nil {
			return
		}
		if back, err := ParseDist(d.String()); err != nil || back != d {
			t.Errorf("%q: %v reads back as %v, %v", s, d, back, err)
		}
	})
}

func TestExponential(t *testing.T) {
	if Exponential(0, maxInt64) != maxInt64 || Exponential(0, 0) != 0 || Exponential(1<<64-1, maxInt64) < 0 {
		t.Error("Exponential is wrong at its ends")
	}
	rapid.Check(t, func(t *rapid.T) {
		mean := rapid.Int64Range(0, 1e15).Draw(t, "mean")
		u := rapid.Uint64Min(1).Draw(t, "u")
		got := Exponential(u, mean)
		want := -math.Log(math.Ldexp(float64(u), -64)) * float64(mean)
		if math.Abs(float64(got)-want) > 1e-9*want+1 {
			t.Fatalf("%d, want %f", got, want)
		}
		if got > Exponential(u-1, mean) {
			t.Fatal("does not fall")
		}
	})
}

func BenchmarkLognormal(b *testing.B) {
	d, s := Lognormal(80e6, 400e6), NewStream(1, "b")
	for range b.N {
		benchSink += uint64(d.Quantile(s.Uint64()))
	}
}

func BenchmarkExponential(b *testing.B) {
	s := NewStream(1, "b")
	for range b.N {
		benchSink += uint64(Exponential(s.Uint64(), 10e6))
	}
}

func BenchmarkLognormalMean(b *testing.B) {
	d := Lognormal(80e6, 400e6)
	for range b.N {
		benchSink += uint64(d.Mean())
	}
}
