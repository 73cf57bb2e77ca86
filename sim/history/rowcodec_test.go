package history

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawCounts(t *rapid.T, name string) map[string]int64 {
	return rapid.MapOfN(rapid.String(), rapid.Int64(), 0, 3).Draw(t, name)
}

// drawRow draws a row of one of a few keys; its content is a function of the key, as that of a run is.
func drawRow(t *rapid.T) Row {
	r := Row{
		Scenario: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "scenario"), Epoch: rapid.IntRange(0, 1).Draw(t, "epoch"),
		Stack: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "stack"), Fault: rapid.SampledFrom([]string{"none", "pause"}).Draw(t, "fault"),
		Plan: Measuring, Seed: rapid.Uint64Range(0, 2).Draw(t, "seed"),
	}
	r.Offered = int64(r.Seed) + 7
	return r
}

func text(rows []Row) string {
	var b []byte
	for i := range rows {
		b = append(AppendRow(b, &rows[i]), '\n')
	}
	return string(b)
}

func TestRowText(t *testing.T) {
	r := Row{Scenario: "ab12", Epoch: 1, Stack: "at-least-once", Fault: "pause", Plan: Measuring, Seed: 18446744073709551615,
		Offered: 3, Prints: []string{"a/b/c"}, Exercised: map[string]int64{"z": 1, "a": 2}, Recovery: -1, Digest: "00000000000000ff"}
	r.Buckets[Done], r.Excess[Notify], r.Calm[3], r.Calm[63] = 3, 5, 2, 1
	want := `{"scenario":"ab12","epoch":1,"stack":"at-least-once","fault":"pause","plan":"measuring","seed":18446744073709551615,` +
		`"offered":3,"accepted":0,"buckets":{"duplicated":0,"partial":0,"degraded":0,"late":0,"done":3,"refused":0,"parked":0,` +
		`"stuck":0,"absent_unknown":0,"lost_known":0,"lost_silent":0},"excess":{"critical":0,"state":0,"notify":5,"derived":0},` +
		`"transient":0,"phantoms":0,"reorders":0,"suppressed":0,"redelivered":0,"parked":0,"parked_after_replay":0,"faults_fired":0,` +
		`"faults_hit":0,"calls":0,"writes":0,"recovery":-1,"outside":false,"violations":{},"undecided":{},` +
		`"exercised":{"a":2,"z":1},"fingerprints":["a/b/c"],"events":0,"idle_events":0,"sim_time":0,"busy_time":0,"stop":"",` +
		`"digest":"00000000000000ff","calm":[[3,2],[63,1]],"in_fault":[],"after":[]}`
	require.Equal(t, want, string(AppendRow(nil, &r)))
	rows, err := ReadRows(strings.NewReader(want + "\n"))
	require.NoError(t, err)
	require.Equal(t, []Row{r}, rows)
}

func TestRowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "fill"), 1))
		r := drawRow(t)
		r.Seen = drawCounts(t, "seen")
		r.Violations, r.Undecided, r.Exercised = drawCounts(t, "violations"), drawCounts(t, "undecided"), drawCounts(t, "exercised")
		r.Prints = rapid.SliceOf(rapid.String()).Draw(t, "prints")
		work, kernel := r.work(), r.kernel()
		for _, n := range append(work[:], kernel[:]...) {
			*n.at = rng.Int64() - rng.Int64()
		}
		for i := range r.Calm {
			r.Calm[i], r.InFault[i], r.After[i] = rng.Int32N(2), rng.Int32()-rng.Int32(), 0
		}
		first := text([]Row{r, r})
		rows, err := ReadRows(strings.NewReader(first))
		require.NoError(t, err)
		require.Equal(t, first, text(rows))
	})
}

func TestReadRowsRefuses(t *testing.T) {
	good := text([]Row{{}})
	for _, c := range [][2]string{
		{good + good[:20], "line 2: the file ends inside this line"},
		{"{}\n", `line 1: column 2: '"' must be here`},
		{strings.Replace(good, `"epoch"`, `"epoque"`, 1), `field "epoque" where "epoch" must be`},
		{strings.Replace(good, `"violations":{}`, `"violations":{"b":1,"a":1}`, 1), "not in canonical form"},
		{strings.Replace(good, `"calm":[]`, `"calm":[[64,1]]`, 1), "there is no latency bucket 64"},
		{strings.Replace(good, `"calm":[]`, `"calm":[[1,0]]`, 1), "not in canonical form"},
		{strings.Replace(good, "\n", " \n", 1), "more text after the value"},
	} {
		_, err := ReadRows(strings.NewReader(c[0]))
		require.ErrorContains(t, err, c[1])
	}
	rows, err := ReadRows(strings.NewReader(""))
	require.NoError(t, err)
	require.Empty(t, rows)
}

// A merge is the union of sets: how a sweep was split, and in which order it comes together, does not matter.
func TestMergeRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfN(rapid.Custom(drawRow), 0, 8)
		a, b, c := set.Draw(t, "a"), set.Draw(t, "b"), set.Draw(t, "c")
		merge := func(sets ...[]Row) []Row {
			rows, err := MergeRows(sets...)
			require.NoError(t, err)
			return rows
		}
		all := text(merge(a, b, c))
		require.Equal(t, all, text(merge(merge(a, b), c)), "associative")
		require.Equal(t, all, text(merge(a, merge(b, c))), "associative")
		require.Equal(t, all, text(merge(c, b, a)), "commutative")
		require.Equal(t, all, text(merge(a, b, c, a)), "idempotent")
		before := text(a)
		merge(a, b)
		require.Equal(t, before, text(a), "the sets are left alone")
	})
}

func TestMergeRowsConflict(t *testing.T) {
	a := []Row{{Stack: "x", Seed: 1}, {Stack: "x", Seed: 2}}
	b := slices.Clone(a)
	b[1].Offered = 1
	_, err := MergeRows(a, b)
	var conflict *ConflictError
	require.True(t, errors.As(err, &conflict))
	require.Equal(t, b[1].Key(), conflict.Key)
	require.EqualError(t, err, "two different rows for stack x, fault , plan , seed 2 (scenario , epoch 0)")
	rows, err := MergeRows()
	require.NoError(t, err)
	require.Empty(t, rows)
}

func FuzzReadRows(f *testing.F) {
	f.Add([]byte(text([]Row{{Stack: "x"}})))
	f.Fuzz(func(t *testing.T, data []byte) {
		if rows, err := ReadRows(bytes.NewReader(data)); err == nil && text(rows) != string(data) {
			t.Fatalf("read %q, wrote %q", data, text(rows))
		}
	})
}
