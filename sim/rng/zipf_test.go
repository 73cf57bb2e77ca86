package rng

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Golden ranks: a change here changes every recorded case.
func TestGoldenZipf(t *testing.T) {
	z := NewZipf(1000, 1100)
	for _, c := range []struct {
		u    uint64
		rank int
	}{
		{0x0, 0}, {0x2000000000000000, 0}, {0x4000000000000000, 1}, {0x8000000000000000, 11},
		{0xc000000000000000, 85}, {u99, 895}, {0xffffffffffffffff, 999},
	} {
		if got := z.Rank(c.u); got != c.rank {
			t.Errorf("rank at %#x = %d, want %d", c.u, got, c.rank)
		}
	}
	if z.cumulative[0] != 9007199254740992 || z.cumulative[999] != 50195560286045218 {
		t.Errorf("sums %d and %d", z.cumulative[0], z.cumulative[999])
	}
}

func TestZipfWeights(t *testing.T) {
	for _, milli := range []int{0, 500, 1000, 1100, 2500} {
		z := NewZipf(5000, milli)
		one := float64(z.cumulative[0])
		for r := 1; r < 5000; r++ {
			got := float64(z.cumulative[r]-z.cumulative[r-1]) / one
			want := math.Pow(float64(r+1), -float64(milli)/1000)
			if math.Abs(got-want) > 1e-9*want+1/one {
				t.Fatalf("exponent %d: weight of rank %d is %v, want %v", milli, r, got, want)
			}
		}
	}
}

func TestZipfProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		z := NewZipf(n, rapid.IntRange(0, 100_000).Draw(t, "exponent"))
		u := rapid.Uint64().Draw(t, "u")
		a, b := z.Rank(u), z.Rank(rapid.Uint64Min(u).Draw(t, "v"))
		if a < 0 || a > b || b >= n {
			t.Fatalf("ranks %d and %d of %d", a, b, n)
		}
		if target := Below(u, z.cumulative[n-1]); z.cumulative[a] <= target || a > 0 && z.cumulative[a-1] > target {
			t.Fatal("the binary search misses its cell")
		}
	})
}

func TestZipfEdges(t *testing.T) {
	var zero Zipf
	one := NewZipf(1, 1100)
	if zero.Rank(1<<64-1) != 0 || one.Rank(1<<64-1) != 0 {
		t.Error("a single rank is not 0")
	}
	mustPanic(t, func() { NewZipf(0, 1000) })
	mustPanic(t, func() { NewZipf(1<<24+1, 1000) })
	mustPanic(t, func() { NewZipf(5, -1) })
	mustPanic(t, func() { NewZipf(5, 100_001) })
}

func BenchmarkZipf(b *testing.B) {
	z, s := NewZipf(1000, 1100), NewStream(1, "b")
	for range b.N {
		benchSink += uint64(z.Rank(s.Uint64()))
	}
}
