package rng

import (
	"testing"

	"pgregory.net/rapid"
)

// Golden values: a change here changes every recorded case.
func TestGoldenDraws(t *testing.T) {
	k := Key{Seed: 42, Purpose: RequestLatency, Action: ActionOf("e117", "charge", "bank.charge"), Attempt: 1}
	s := NewStream(42, "nemesis")
	for _, c := range []struct {
		what      string
		got, want uint64
	}{
		{"Mix(0)", Mix(0), 0},
		{"Mix(1)", Mix(1), 0x5692161d100b05e5},
		{"SplitMix64 reference, seed 0", Mix(gamma), 0xe220a8397b1dcdaf},
		{"empty hash", Hash(""), 0xf52a15e9a9b5e89b},
		{"hash", Hash("nemesis"), 0x0c87d71c988b3690},
		{"combine", Combine(1, 2), 0xd424f2654f316ee0},
		{"step 0", k.At(0), 0x02b517698362d769},
		{"step 1", k.At(1), 0x82c52f08e5738e8c},
		{"last step", k.At(1<<32 - 1), 0x8cb62cfb610946ad},
		{"stream draw 0", s.Uint64(), 0x5d5459408d280980},
		{"stream draw 1", s.Uint64(), 0x87e99a5c0d44b9d9},
	} {
		if c.got != c.want {
			t.Errorf("%s = %#x, want %#x", c.what, c.got, c.want)
		}
	}
}

func TestPurposeNamesAreUnique(t *testing.T) {
	seen := map[string]bool{"": true}
	for p := Arrival; p < purposeEnd; p++ {
		if seen[p.String()] {
			t.Errorf("purpose %d has the name %q, empty or taken", p, p)
		}
		seen[p.String()] = true
	}
	if Background != 13 || Purpose(0).String() != "invalid-purpose" || purposeEnd.String() != "invalid-purpose" {
		t.Error("the purpose table changed")
	}
}

func TestInvalidPurposePanics(t *testing.T) {
	mustPanic(t, func() { Key{}.At(0) })
	mustPanic(t, func() { Key{}.Source() })
	mustPanic(t, func() { Key{Purpose: purposeEnd}.At(0) })
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}

func drawKey(t *rapid.T) Key {
	return Key{
		Seed:    rapid.Uint64().Draw(t, "seed"),
		Purpose: Purpose(rapid.IntRange(1, int(purposeEnd)-1).Draw(t, "purpose")),
		Action:  rapid.Uint64().Draw(t, "action"),
		Attempt: rapid.Uint32().Draw(t, "attempt"),
	}
}

func TestOneFieldChangesTheDraw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, step := drawKey(t), rapid.Uint32().Draw(t, "step")
		seed, action, attempt, purpose := k, k, k, k
		seed.Seed ^= 1 << rapid.IntRange(0, 63).Draw(t, "seed bit")
		action.Action ^= 1 << rapid.IntRange(0, 63).Draw(t, "action bit")
		attempt.Attempt ^= 1 << rapid.IntRange(0, 31).Draw(t, "attempt bit")
		purpose.Purpose = k.Purpose%(purposeEnd-1) + 1
		for _, other := range []Key{seed, action, attempt, purpose} {
			if other.At(step) == k.At(step) {
				t.Fatalf("%+v and %+v draw the same", k, other)
			}
		}
		if k.At(step) == k.At(step+1) {
			t.Fatal("two steps draw the same")
		}
	})
}

// A change of one bit of the key must flip about half of the bits of the draw.
func TestAvalanche(t *testing.T) {
	const rounds = 4000
	flips := 0
	for i := range uint64(rounds) {
		k := Key{Seed: i, Purpose: Loss, Action: Hash("a")}
		next := k
		next.Attempt = 1
		flips += popcount(k.At(0)^next.At(0)) + popcount(k.At(0)^k.At(1))
		next = k
		next.Seed++
		flips += popcount(k.At(0) ^ next.At(0))
	}
	if mean := float64(flips) / (3 * rounds); mean < 31.8 || mean > 32.2 {
		t.Errorf("a change flips %.2f bits on average, want 32", mean)
	}
}

func popcount(x uint64) (n int) {
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

func TestSourceIsAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKey(t)
		d := k.Source()
		var source Source = &d
		for step := range uint32(20) {
			if source.Uint64() != k.At(step) {
				t.Fatalf("step %d differs from At", step)
			}
		}
	})
}

func TestActionParts(t *testing.T) {
	a := ActionOf("ab", "c", "s.op")
	for _, b := range []uint64{
		ActionOf("a", "bc", "s.op"), ActionOf("c", "ab", "s.op"), ActionOf("ab", "s.op", "c"), ActionOf("abc", "", "s.op"),
	} {
		if a == b {
			t.Error("two actions share a word")
		}
	}
}

// chiSquare returns the statistic of n draws in 256 cells by their top 8 bits
// plus that by their low 8 bits: 510 degrees of freedom.
func chiSquare(n int, draw func(i int) uint64) float64 {
	var top, low [256]int
	for i := range n {
		u := draw(i)
		top[u>>56]++
		low[u&255]++
	}
	want, sum := float64(n)/256, 0.0
	for i := range 256 {
		a, b := float64(top[i])-want, float64(low[i])-want
		sum += (a*a + b*b) / want
	}
	return sum
}

func TestDrawsLookUniform(t *testing.T) {
	key := Key{Seed: 1, Purpose: Size, Action: ActionOf("e", "s", "o")}
	stream := NewStream(1, "election")
	for _, c := range []struct {
		name string
		draw func(i int) uint64
	}{
		{"steps", func(i int) uint64 { return key.At(uint32(i)) }},
		{"attempts", func(i int) uint64 { k := key; k.Attempt = uint32(i); return k.At(0) }},
		{"seeds", func(i int) uint64 { k := key; k.Seed = uint64(i); return k.At(0) }},
		{"actions", func(i int) uint64 { k := key; k.Action = uint64(i); return k.At(0) }},
		{"stream", func(int) uint64 { return stream.Uint64() }},
	} {
		// 510 degrees of freedom: standard deviation 32; five of them each way.
		if x := chiSquare(100_000, c.draw); x < 350 || x > 670 {
			t.Errorf("%s: chi-square %.0f, want about 510", c.name, x)
		}
	}
}

func TestStreams(t *testing.T) {
	a, b, c := NewStream(1, "a"), NewStream(1, "b"), NewStream(2, "a")
	again := NewStream(1, "a")
	key := Key{Seed: 1, Purpose: Arrival, Action: Hash("a")}
	for i := range uint32(1000) {
		x := a.Uint64()
		if x != again.Uint64() {
			t.Fatal("the same stream differs")
		}
		if x == b.Uint64() || x == c.Uint64() || x == key.At(i) {
			t.Fatal("two streams share a draw")
		}
	}
	if a.Count() != 1000 {
		t.Errorf("Count = %d, want 1000", a.Count())
	}
}

func TestDrawsDoNotAllocate(t *testing.T) {
	k := Key{Seed: 1, Purpose: Loss, Action: 7}
	dist, zipf := Lognormal(80e6, 400e6), NewZipf(1000, 1100)
	stream := NewStream(1, "a")
	var sink uint64
	n := testing.AllocsPerRun(100, func() {
		d := k.Source()
		sink += k.At(3) + d.Uint64() + stream.Uint64()
		sink += uint64(dist.Quantile(sink)) + uint64(Exponential(sink, 5)) + uint64(zipf.Rank(sink))
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var benchSink uint64

func BenchmarkKeyAt(b *testing.B) {
	action := ActionOf("e", "s", "o")
	b.ReportAllocs()
	var sum uint64
	for i := range b.N {
		sum += Key{1, RequestLatency, action, uint32(i)}.At(uint32(i))
	}
	benchSink = sum
}

func BenchmarkKeySource(b *testing.B) {
	action := ActionOf("e", "s", "o")
	b.ReportAllocs()
	var sum uint64
	for i := range b.N {
		d := Key{1, RequestLatency, action, uint32(i)}.Source()
		sum += d.Uint64()
	}
	benchSink = sum
}

// BenchmarkKeyAtChained makes each draw wait for the one before: the latency.
func BenchmarkKeyAtChained(b *testing.B) {
	k := Key{Seed: 1, Purpose: RequestLatency, Action: ActionOf("e", "s", "o")}
	for range b.N {
		k.Seed = k.At(0)
	}
	benchSink = k.Seed
}
