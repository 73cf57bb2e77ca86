package blackbox_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// randomSet makes histories of three elements, with reads that show what they like.
func randomSet(rng *rand.Rand) randomHistory {
	return randomHistory{
		rng: rng, processes: 3, events: 12,
		ask: func() (string, ops.Value) {
			if rng.IntN(2) == 0 {
				return "add", whole(rng.Int64N(3))
			}
			return "read", ops.Value{}
		},
		answer: func(f string, in ops.Value) (ops.Type, ops.Value) {
			if f == "add" {
				return outcome(rng), in
			}
			var shown []ops.Value
			for v := range int64(3) {
				if rng.IntN(2) == 0 {
					shown = append(shown, whole(v))
				}
			}
			if rng.IntN(10) == 0 {
				shown = append(shown, whole(rng.Int64N(3)))
			}
			return outcome(rng), list(shown...)
		},
	}
}

// shows is how often a read shows an element.
func shows(o *ops.Operation, v int64) (n int64) {
	for _, item := range o.Out.Items {
		if item.Int == v {
			n++
		}
	}
	return n
}

// setDefinitions count what the two models have to find, element by element and read by read.
func setDefinitions(history []*ops.Operation) (final, full map[string]int64) {
	final, full = map[string]int64{}, map[string]int64{}
	var reads []*ops.Operation
	var last *ops.Operation
	for _, o := range history {
		if o.F == "read" && o.Outcome == ops.OK {
			reads = append(reads, o)
			if last == nil || o.Call > last.Call {
				last = o
			}
		}
	}
	isFinal := last != nil
	for _, o := range history {
		if o.F == "add" && o.Outcome == ops.OK && last != nil && o.Return > last.Call {
			isFinal = false
		}
	}
	for v := range int64(3) {
		acked, called := int64(ops.Never), int64(ops.Never)
		for _, o := range history {
			if o.F == "add" && o.In.Int == v && o.Outcome != ops.Fail {
				called = min(called, o.Call)
				if o.Outcome == ops.OK {
					acked = min(acked, o.Return)
				}
			}
		}
		known := acked
		for _, o := range reads {
			if shows(o, v) > 1 {
				full["duplicated"]++
			}
			if shows(o, v) > 0 && called > o.Return {
				full["unexpected"]++
			} else if shows(o, v) > 0 {
				known = min(known, o.Return)
			}
		}
		classify(full, reads, v, acked, called, known)
		if last == nil {
			continue
		}
		there, isAcked := shows(last, v), acked != ops.Never
		for name, holds := range map[string]bool{
			"duplicated": there > 1,
			"unexpected": there > 0 && called > last.Return,
			"recovered":  there > 0 && called < last.Return && !isAcked,
			"lost":       there == 0 && isAcked && isFinal,
			"undecided":  there == 0 && isAcked && !isFinal,
		} {
			if holds {
				final[name]++
			}
		}
	}
	return final, full
}

// classify says what became of one element, by all pairs of reads that show and that miss it.
func classify(full map[string]int64, reads []*ops.Operation, v, acked, called, known int64) {
	var shown, missed []*ops.Operation
	for _, o := range reads {
		switch {
		case shows(o, v) > 0 && called < o.Return:
			shown = append(shown, o)
		case o.Call > known && shows(o, v) == 0:
			missed = append(missed, o)
		}
	}
	// The order of the reads decides only if one is after all of the other sort.
	someAfterAll := func(some, all []*ops.Operation) bool {
		for _, a := range some {
			after := true
			for _, b := range all {
				after = after && a.Call > b.Return
			}
			if after {
				return true
			}
		}
		return false
	}
	lost, stable := someAfterAll(missed, shown), someAfterAll(shown, missed)
	switch {
	case called == ops.Never || known == ops.Never:
	case lost:
		full["lost"]++
	case stable:
		full["stable"]++
	default:
		full["undecided"]++
	}
	if len(missed) > 0 && !lost && called != ops.Never {
		full["stale"]++
		full["stale-reads"] += int64(len(missed))
	}
	if acked != ops.Never && len(missed) == 0 && len(shown) == 0 {
		full["never-read"]++
	}
}

// Both set models against their definitions.
func TestSetsAgainstTheirDefinitions(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 5))
	seen := map[string]int64{}
	for range rounds(4000) {
		history := randomSet(rng).operations(t)
		final, full := setDefinitions(history)
		for model, want := range map[string]map[string]int64{"set": final, "set-full": full} {
			r := judged(t, model, ops.Value{}, blackbox.Options{}, history)
			got := counts(r)
			got["undecided"] = r.Undecided
			got["stable"], got["stale-reads"] = r.Numbers["stable"], r.Numbers["stale-reads"]
			for _, name := range []string{"lost", "unexpected", "duplicated", "recovered", "stale", "stale-reads", "never-read", "stable", "undecided"} {
				require.Equal(t, want[name], got[name], "%s: %s\n%s", model, name, described(history))
				seen[model+" "+name] += want[name]
			}
		}
	}
	t.Log(seen)
	for _, name := range []string{"set lost", "set recovered", "set undecided", "set-full lost", "set-full stale", "set-full never-read", "set-full stable", "set-full undecided"} {
		require.Positive(t, seen[name], name)
	}
}

// Stale reads break linearizability and nothing less.
func TestStaleReadsAndTheirPromise(t *testing.T) {
	history := []*ops.Operation{
		{F: "add", Outcome: ops.OK, Call: 0, Return: 1, In: whole(1)},
		{F: "read", Outcome: ops.OK, Call: 2, Return: 3, Out: list()},
		{F: "read", Outcome: ops.OK, Call: 4, Return: 5, Out: list(whole(1))},
	}
	for promise, want := range map[string]checker.Verdict{"": checker.Pass, "eventual": checker.Pass, "linearizable": checker.Fail} {
		r := judged(t, "set-full", ops.Value{}, blackbox.Options{Promise: promise}, history)
		require.Equal(t, want, r.Verdict(), promise)
		require.Equal(t, int64(1), counts(r)["stale"], promise)
	}
}

// Latencies are told in ns where all times are stated: how long a stable element was missed, how long a lost one was seen.
func TestSetLatencies(t *testing.T) {
	at := func(f string, begin, end int64, in, out ops.Value) *ops.Operation {
		return &ops.Operation{F: f, Outcome: ops.OK, Call: begin, Return: end, CallTime: 100 * begin, CompleteTime: 100 * end, In: in, Out: out}
	}
	history := []*ops.Operation{
		at("add", 0, 1, whole(1), whole(1)),
		at("add", 2, 3, whole(2), whole(2)),
		at("add", 4, 5, whole(3), whole(3)),
		at("read", 6, 7, ops.Value{}, list(whole(2), whole(3))),           // misses 1, which came at 100
		at("read", 8, 9, ops.Value{}, list(whole(1), whole(2), whole(3))), // the last that shows 2, which came at 300
		at("read", 10, 11, ops.Value{}, list(whole(1), whole(3))),
	}
	r := judged(t, "set-full", ops.Value{}, blackbox.Options{}, history)
	for name, want := range map[string]int64{
		"stable-latency-ns-p50": 0, "stable-latency-ns-p100": 500, "lost-latency-ns-p50": 600, "lost-latency-ns-p100": 600, "stale-reads": 1,
	} {
		require.Equal(t, want, r.Numbers[name], name)
	}
	history[0].CompleteTime = ops.NoTime
	for name := range judged(t, "set-full", ops.Value{}, blackbox.Options{}, history).Numbers {
		require.NotContains(t, name, "latency", "a time is not stated")
	}
}

// A large set is judged in time near the size of its reads, also if its elements never show.
func TestSetFullWithManyReads(t *testing.T) {
	const n = 20_000
	var history []*ops.Operation
	for i := range int64(n) {
		history = append(history, &ops.Operation{F: "add", Outcome: ops.OK, Call: 2 * i, Return: 2*i + 1, In: whole(i)})
	}
	for i := range int64(n) {
		at := 2*n + 2*i
		history = append(history, &ops.Operation{F: "read", Outcome: ops.OK, Call: at, Return: at + 1, Out: list(whole(i))})
	}
	r := judged(t, "set-full", ops.Value{}, blackbox.Options{}, history)
	require.Equal(t, int64(n-1), counts(r)["lost"], "all but the one that the last read shows")
	require.Equal(t, int64(n-1), r.Numbers["stale-reads"], "and that one was missed by all others")
}
