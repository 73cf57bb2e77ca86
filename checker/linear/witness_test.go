package linear

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// witnessed gives points to the operations of a drawing, in the order in which they stand there.
func witnessed(history []Operation, points ...int64) []Witnessed {
	var out []Witnessed
	for i, op := range history {
		out = append(out, Witnessed{op, points[i]})
	}
	return out
}

// A witness is believed only if its points lie where the clients allow it and its order gives what they were given.
func TestWitness(t *testing.T) {
	o := RegisterObject(Number(0))
	history := draw(t, &o,
		"a: [ write 1                        ]",
		"b:     [read -> 0]   [read -> 1]",
		"c:  [write 2 ~")
	call, ret := history[0].Call, history[0].Return
	right := witnessed(history, history[1].Return+1, history[1].Return, history[2].Return, Never)
	require.Equal(t, Linearizable, o.Witness(right).Verdict)

	for _, c := range []struct {
		name    string
		points  []int64
		culprit int
		because string
	}{
		{"too early", []int64{call - 1, 0, 0, 0}, 0, "write 1 is said to have taken effect before it was asked for"},
		{"too late", []int64{ret + 1, 0, 0, 0}, 0, "write 1 is said to have taken effect after it was answered"},
		{"answered and never done", []int64{Never, 0, 0, 0}, 0, "write 1 was answered, and is said never to have taken effect"},
		{"the other way round", []int64{ret, history[1].Return, history[2].Return, Never}, 2, "read gave 1, where its witness has it meet 0"},
		{"a write that nobody saw", []int64{history[1].Return + 1, history[1].Return, history[2].Return, history[2].Return - 1}, 2, "read gave 1, where its witness has it meet 2"},
	} {
		r := o.Witness(witnessed(history, c.points...))
		require.Equal(t, Violated, r.Verdict, c.name)
		require.Equal(t, c.culprit, r.Culprit, c.name)
		require.Contains(t, r.Involved, c.culprit)
		require.Equal(t, c.because, r.Because, c.name)
	}
}

// Where a witness explains a history, search finds an order too; where search finds none, no witness explains it. So
// the two judges cannot contradict each other, whatever the witness says.
func TestWitnessAgreesWithSearch(t *testing.T) {
	for _, o := range Objects() {
		r := rand.New(rand.NewPCG(9, 10))
		explained := 0
		for range times(200, 20_000) {
			history := someHistory(r, &o, 2+r.IntN(6), 1+r.IntN(6))
			changedWitness(r, &o, history)
			witness, search := o.Witness(history), o.Search(operationsOf(history), 100_000)
			if witness.Verdict == Linearizable {
				explained++
				require.Equal(t, Linearizable, search.Verdict, show(&o, operationsOf(history)))
			}
			if search.Verdict == Violated {
				require.Equal(t, Violated, witness.Verdict)
			}
		}
		require.Positive(t, explained)
	}
}

// changedWitness changes an answer, or a point.
func changedWitness(r *rand.Rand, o *Object, history []Witnessed) {
	w := &history[r.IntN(len(history))]
	if r.IntN(2) == 0 {
		w.Point = int64(r.IntN(20))
		return
	}
	other := answers(o, w.Action)
	w.Action = other[r.IntN(len(other))]
}
