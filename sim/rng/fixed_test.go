package rng

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// upperTail returns z with P(N > z) = p, by Newton's method on the logarithm.
func upperTail(p float64) float64 {
	if p == 0.5 {
		return 0
	}
	z := math.Sqrt(-math.Log(p))
	for range 100 {
		f := math.Erfc(z/math.Sqrt2) / 2
		z += math.Log(f/p) * f / (math.Exp(-z*z/2) / math.Sqrt(2*math.Pi))
	}
	return z
}

func TestNormalTable(t *testing.T) {
	for j, entry := range normalTable {
		p := math.Ldexp(1+float64(j%128)/128, j/128-64)
		if got := math.Ldexp(float64(entry), -normalFracBits); math.Abs(got-upperTail(p)) > 1e-8 {
			t.Fatalf("entry %d is %.10f, want %.10f", j, got, upperTail(p))
		}
		if j > 0 && entry >= normalTable[j-1] {
			t.Fatalf("entry %d does not fall", j)
		}
	}
}

func TestExp2Table(t *testing.T) {
	root := big.NewFloat(2).SetPrec(200)
	for range expIndexBits {
		root.Sqrt(root)
	}
	x := new(big.Float).SetPrec(200).SetInt64(1 << 62)
	x.Add(x, x)
	for i, entry := range exp2Table {
		nearest, _ := new(big.Float).Add(x, big.NewFloat(0.5)).Uint64()
		if entry != nearest {
			t.Fatalf("entry %d is %#x, want %#x", i, entry, nearest)
		}
		x.Mul(x, root)
	}
}

// Between the entries the error must stay below 5e-6, and z must be monotone.
func TestNormalQuantileProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := rapid.Uint64Range(1, 1<<63).Draw(t, "u") >> rapid.IntRange(0, 62).Draw(t, "shift")
		u = max(u, 1)
		z := normalQuantile(u)
		if z != -normalQuantile(-u) {
			t.Fatal("not odd")
		}
		if want := -upperTail(math.Ldexp(float64(u), -64)); math.Abs(math.Ldexp(float64(z), -fracBits)-want) > 5e-6 {
			t.Fatalf("z = %f, want %f", math.Ldexp(float64(z), -fracBits), want)
		}
		if normalQuantile(u-1) > z || z > normalQuantile(u+1) {
			t.Fatal("not monotone")
		}
	})
}

func TestLog2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Uint64Min(1).Draw(t, "x")
		got := math.Ldexp(float64(log2(x)), -logBits)
		if math.Abs(got-math.Log2(float64(x))) > 1e-13 {
			t.Fatalf("log2 = %v, want %v", got, math.Log2(float64(x)))
		}
		if x > 1 && log2(x-1) > log2(x) {
			t.Fatal("not monotone")
		}
	})
	for i := range 64 {
		if log2(1<<i) != uint64(i)<<logBits {
			t.Errorf("log2(2^%d) is not exact", i)
		}
	}
}

func TestExp2(t *testing.T) {
	check := func(f uint64) bool {
		want := math.Exp2(math.Ldexp(float64(f), -fracBits))
		return math.Abs(math.Ldexp(float64(exp2(f)), -63)-want) < 1e-15
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Uint64Range(1, 1<<fracBits-1).Draw(t, "f")
		if !check(f) || exp2(f-1) >= exp2(f) {
			t.Fatalf("exp2(%d) is off or does not rise", f)
		}
	})
	for i := uint64(1); i < 64; i++ { // where the table moves on
		if f := i << (fracBits - expIndexBits); exp2(f-1) >= exp2(f) || exp2(f) != exp2Table[i] {
			t.Errorf("exp2 breaks at entry %d", i)
		}
	}
	if exp2(0) != 1<<63 || exp2(1<<fracBits-1) < 1<<63 {
		t.Error("exp2 is wrong at its ends")
	}
}

func TestMulExp2(t *testing.T) {
	const one = 1 << fracBits
	for _, c := range []struct {
		x    uint64
		y    int64
		want uint64
	}{
		{5, 0, 5}, {5, one, 10}, {5, -one, 3}, {5, -3 * one, 1}, {5, -4 * one, 0}, {1, 62 * one, 1 << 62},
		{1, 63 * one, maxInt64}, {3, 62 * one, maxInt64}, {1, 200 * one, maxInt64}, {maxInt64, -64 * one, 0},
		{maxInt64, -63 * one, 1}, {maxInt64, -62 * one, 2}, {maxInt64, -500 * one, 0}, {maxInt64, 0, maxInt64},
		{1000, one / 2, 1414}, {1000, -one / 2, 707},
	} {
		if got := mulExp2(c.x, c.y); got != c.want {
			t.Errorf("%d · 2^%v = %d, want %d", c.x, float64(c.y)/one, got, c.want)
		}
	}
}

func TestShiftRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hi, lo := rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")
		hi >>= rapid.IntRange(0, 64).Draw(t, "shift")
		n := rapid.UintRange(1, 127).Draw(t, "n")
		want := new(big.Int).Or(new(big.Int).Lsh(word(hi), 64), word(lo))
		want.Add(want, new(big.Int).Lsh(word(1), n-1)).Rsh(want, n)
		got, ok := shiftRound(hi, lo, n)
		fits := want.IsInt64()
		if ok != fits || fits && got != want.Uint64() {
			t.Fatalf("got %d %v, want %s", got, ok, want)
		}
	})
}
