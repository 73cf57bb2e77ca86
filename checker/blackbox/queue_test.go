package blackbox_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// randomQueue makes histories of two values, with dequeues that are as often wrong as right.
func randomQueue(rng *rand.Rand) randomHistory {
	return randomHistory{
		rng: rng, processes: 3, events: 12,
		ask: func() (string, ops.Value) {
			if rng.IntN(2) == 0 {
				return "enqueue", whole(rng.Int64N(2))
			}
			return [...]string{"dequeue", "dequeue", "drain"}[rng.IntN(3)], ops.Value{}
		},
		answer: func(f string, in ops.Value) (ops.Type, ops.Value) {
			typ := outcome(rng)
			switch {
			case f == "enqueue":
				return typ, in
			case f == "dequeue" && rng.IntN(4) > 0:
				return typ, whole(rng.Int64N(2))
			case f == "dequeue":
				return typ, ops.Value{}
			}
			return typ, list([]ops.Value{whole(0), whole(1)}[:rng.IntN(3)]...)
		},
	}
}

// taken are the values that an operation surely took.
func taken(o *ops.Operation) []int64 {
	if o.Outcome != ops.OK || o.F == "enqueue" || o.Out.IsNull() {
		return nil
	}
	var all []int64
	for _, v := range append([]ops.Value{o.Out}, o.Out.Items...) {
		if v.Kind == ops.Int {
			all = append(all, v.Int)
		}
	}
	return all
}

// The queue rule says exactly whether every dequeue can be matched with an enqueue of its own that was called before it
// returned: as many dequeues are wrong as the best matching leaves over.
func TestQueueAgainstMatchings(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	wrong, right := 0, 0
	for range rounds(4000) {
		history := randomQueue(rng).operations(t)
		n := counts(judged(t, "queue", ops.Value{}, blackbox.Options{}, history))
		left := unmatched(history)
		require.Equal(t, int64(left), n["unexpected"]+n["duplicated"], described(history))
		if left > 0 {
			wrong++
		} else {
			right++
		}
	}
	t.Logf("%d legal, %d illegal", right, wrong)
	require.Greater(t, min(right, wrong), 500, "both sorts")
}

// unmatched is how many dequeues the best matching leaves over, by augmenting paths.
func unmatched(history []*ops.Operation) int {
	type dequeue struct{ value, returned int64 }
	var enqueues []*ops.Operation
	var dequeues []dequeue
	for _, o := range history {
		if o.F == "enqueue" && o.Outcome != ops.Fail {
			enqueues = append(enqueues, o)
		}
		for _, v := range taken(o) {
			dequeues = append(dequeues, dequeue{v, o.Return})
		}
	}
	owner := make([]int, len(enqueues)) // dequeue plus one
	var claim func(d int, seen []bool) bool
	claim = func(d int, seen []bool) bool {
		for i, e := range enqueues {
			if e.In.Int != dequeues[d].value || e.Call > dequeues[d].returned || seen[i] {
				continue
			}
			if seen[i] = true; owner[i] == 0 || claim(owner[i]-1, seen) {
				owner[i] = d + 1
				return true
			}
		}
		return false
	}
	left := 0
	for d := range dequeues {
		if !claim(d, make([]bool, len(enqueues))) {
			left++
		}
	}
	return left
}

// The balance against its definition, counted value by value.
func TestTotalQueueAgainstItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 5))
	seen := map[string]int64{}
	for range rounds(4000) {
		history := randomQueue(rng).operations(t)
		r := judged(t, "total-queue", ops.Value{}, blackbox.Options{}, history)
		want, open := balance(history)
		got := counts(r)
		for _, name := range []string{"unexpected", "duplicated", "recovered", "lost"} {
			require.Equal(t, want[name], got[name], "%s\n%s", name, described(history))
			seen[name] += want[name]
		}
		require.Equal(t, open, r.Undecided, described(history))
		seen["undecided"] += open
	}
	t.Log(seen)
	for _, name := range []string{"unexpected", "duplicated", "recovered", "lost", "undecided"} {
		require.Positive(t, seen[name], name)
	}
}

// balance counts what total-queue has to find, and how many losses are open.
func balance(history []*ops.Operation) (found map[string]int64, open int64) {
	found = map[string]int64{}
	look, vague, crashed := int64(-1), int64(0), false
	for _, o := range history {
		switch {
		case o.F == "enqueue":
		case o.Outcome == ops.Info:
			vague++
			crashed = crashed || o.F == "drain"
		case o.Outcome == ops.OK && (o.F == "drain" || o.Out.IsNull()):
			look = max(look, o.Call)
		}
	}
	var gone int64
	for v := range int64(2) {
		var attempted, acked, due, out int64
		for _, o := range history {
			for _, w := range taken(o) {
				if w == v {
					out++
				}
			}
			if o.F != "enqueue" || o.In.Int != v || o.Outcome == ops.Fail {
				continue
			}
			attempted++
			if o.Outcome == ops.OK {
				acked++
			}
			if o.Outcome == ops.OK && o.Return < look {
				due++
			}
		}
		if attempted == 0 {
			found["unexpected"] += out
		} else {
			found["duplicated"] += max(0, out-attempted)
		}
		found["recovered"] += max(0, min(out, attempted)-acked)
		gone += max(0, due-out)
		open += max(0, acked-out) - max(0, due-out)
	}
	if crashed {
		vague = gone
	}
	found["lost"] = max(0, gone-vague)
	return found, open + gone - found["lost"]
}

// A promise says which of duplicates and losses break it, and losses that break nothing leave nothing open.
func TestTotalQueuePromises(t *testing.T) {
	enqueue := func(v, at int64) *ops.Operation {
		return &ops.Operation{F: "enqueue", Outcome: ops.OK, Call: at, Return: at + 1, In: whole(v)}
	}
	drained := func(at int64, values ...ops.Value) *ops.Operation {
		return &ops.Operation{F: "drain", Outcome: ops.OK, Call: at, Return: at + 1, Out: list(values...)}
	}
	crashed := &ops.Operation{F: "drain", Outcome: ops.Info, Call: 8, Return: ops.Never}
	twice := []*ops.Operation{enqueue(1, 0), drained(2, whole(1), whole(1))}
	lost := []*ops.Operation{enqueue(1, 0), enqueue(2, 2), drained(4, whole(1))}
	open := append(lost[:3:3], crashed)
	for _, c := range []struct {
		promise           string
		twice, lost, open checker.Verdict
	}{
		{"", checker.Fail, checker.Fail, checker.Unknown},
		{"exactly-once", checker.Fail, checker.Fail, checker.Unknown},
		{"at-least-once", checker.Pass, checker.Fail, checker.Unknown},
		{"at-most-once", checker.Fail, checker.Pass, checker.Pass},
	} {
		verdict := func(history []*ops.Operation) checker.Verdict {
			return judged(t, "total-queue", ops.Value{}, blackbox.Options{Promise: c.promise}, history).Verdict()
		}
		require.Equal(t, c.twice, verdict(twice), "duplicated under %q", c.promise)
		require.Equal(t, c.lost, verdict(lost), "lost under %q", c.promise)
		require.Equal(t, c.open, verdict(open), "perhaps lost under %q", c.promise)
	}
}
