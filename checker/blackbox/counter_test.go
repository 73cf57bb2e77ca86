package blackbox_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// The bounds are the least and the greatest sum over all choices of adds that may have come before a read.
func TestCounterAgainstAllChoices(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	wrong, right := 0, 0
	for range rounds(4000) {
		history := randomHistory{
			rng: rng, processes: 3, events: 12,
			ask: func() (string, ops.Value) {
				if rng.IntN(3) == 0 {
					return "read", ops.Value{}
				}
				return "add", whole(rng.Int64N(7) - 2)
			},
			answer: func(f string, in ops.Value) (ops.Type, ops.Value) {
				if f == "read" {
					return outcome(rng), whole(rng.Int64N(9) - 2)
				}
				return outcome(rng), in
			},
		}.operations(t)
		want := 0
		for _, o := range history {
			if o.F == "read" && o.Outcome == ops.OK && !possible(o, history) {
				want++
			}
		}
		n := counts(judged(t, "counter", ops.Value{}, blackbox.Options{}, history))
		require.Equal(t, int64(want), n["out-of-bounds"], described(history))
		if want > 0 {
			wrong++
		} else {
			right++
		}
	}
	t.Logf("%d legal, %d illegal", right, wrong)
	require.Greater(t, min(right, wrong), 500, "both sorts")
}

// possible says whether a read lies between the least and the greatest sum of all choices.
func possible(read *ops.Operation, history []*ops.Operation) bool {
	sums := []int64{0}
	for _, o := range history {
		switch {
		case o.F != "add" || o.Outcome == ops.Fail || o.Call > read.Return:
		case o.Outcome == ops.OK && o.Return < read.Call:
			for i := range sums {
				sums[i] += o.In.Int
			}
		default:
			for _, s := range sums {
				sums = append(sums, s+o.In.Int)
			}
		}
	}
	least, greatest := int64(math.MaxInt64), int64(math.MinInt64)
	for _, s := range sums {
		least, greatest = min(least, s), max(greatest, s)
	}
	return least <= read.Out.Int && read.Out.Int <= greatest
}
