package linear_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/linear"
)

// The special algorithms are held to porcupine, which searches: on random small histories, legal ones and others, both
// have to say the same. TWICELESS_FULL=1 takes 250,000 per object, otherwise it is a sample.

const (
	sampled = 2_000
	inFull  = 250_000
)

// call is an operation of a random history; out is nil where nobody saw it return.
type call struct {
	in, out any
	span    linear.Span
}

// object is what the differential needs of a kind of object.
type object struct {
	ask     func(*rand.Rand) any                // a random operation; a new one each history
	apply   func(state, in any) (next, out any) // the sequential object
	initial any                                 // its state at first
	lie     func(r *rand.Rand, in, out any) any // another output
	refused any                                 // the output of an operation that did not take place
	judge   func([]call) linear.Result          // the special algorithm
	alone   bool                                // the operations involved show the violation alone
}

func (o *object) model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return o.initial },
		Step: func(state, in, out any) (bool, any) {
			next, want := o.apply(state, in)
			return out == nil || out == want, next
		},
	}
}

func (o *object) legal(calls []call) bool {
	var list []porcupine.Operation
	for _, c := range calls {
		list = append(list, porcupine.Operation{Input: c.in, Call: c.span.Call, Output: c.out, Return: c.span.Return})
	}
	return porcupine.CheckOperations(o.model(), list)
}

var offsets = regexp.MustCompile(` \(offset \d+\)`)

// differential compares an algorithm with porcupine.
func differential(t *testing.T, make func(*rand.Rand) *object) {
	t.Helper()
	n := sampled
	if os.Getenv("TWICELESS_FULL") != "" {
		n = inFull
	}
	var legal, indeterminate, unknown int
	rules := map[string]int{}
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		o := make(r)
		calls := o.history(r)
		if slices.ContainsFunc(calls, func(c call) bool { return c.out == nil }) {
			indeterminate++
		}
		got, want := o.judge(calls), o.legal(calls)
		if want {
			legal++
		}
		if got.Verdict == linear.Unknown {
			unknown++
			continue
		}
		require.Equal(t, want, got.Verdict == linear.Linearizable, "seed %d: %v of\n%v", seed, got, calls)
		if got.Verdict == linear.Violated {
			rules[offsets.ReplaceAllString(got.Because, "")]++
			o.explained(t, calls, got)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		t.Logf("%6d × %s", rules[rule], rule)
	}
	t.Logf("%d histories: %d legal, %d not, %d with indeterminate operations, %d unknown, 0 mismatches",
		n, legal, n-legal, indeterminate, unknown)
	require.GreaterOrEqual(t, min(legal, n-legal), n*3/10, "legal and illegal histories are both common")
	require.GreaterOrEqual(t, indeterminate, n*3/10)
	require.LessOrEqual(t, unknown, n/10)
}

// explained holds a violation to what a Result promises, and where the object allows it, to being shown by the operations
// involved alone.
func (o *object) explained(t *testing.T, calls []call, got linear.Result) {
	t.Helper()
	require.NotEmpty(t, got.Because)
	require.True(t, slices.IsSorted(got.Involved))
	require.Contains(t, got.Involved, got.Culprit)
	if !o.alone {
		return
	}
	var some []call
	for _, i := range got.Involved {
		some = append(some, calls[i])
	}
	require.False(t, o.legal(some), "%v does not show it alone: %v of\n%v", some, got, calls)
}

// history is a run of some clients, which is legal. Half of them are then changed, step by step, until they are legal no
// more, so that many are only just illegal.
func (o *object) history(r *rand.Rand) []call {
	calls := o.run(r, 2+r.IntN(3), 3+r.IntN(8))
	if calls = slices.DeleteFunc(calls, func(c call) bool { return o.refused != nil && c.out == o.refused }); len(calls) == 0 {
		return nil
	}
	changed := r.IntN(2) == 0
	for try := 0; changed && try < 40 && o.legal(calls); try++ {
		if r.IntN(3) == 0 {
			o.tell(r, calls)
		} else {
			hurry(r, calls)
		}
	}
	r.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	return calls
}

// run lets clients take turns: a call, its effect, its return. In two histories of three clients may die before the effect or
// after it, and go on as others.
func (o *object) run(r *rand.Rand, clients, n int) []call {
	const idle, called, done = 0, 1, 2
	var calls []call
	stage, of := make([]int, clients), make([]int, clients)
	state, at, frailty := o.initial, int64(0), r.IntN(3)
	for open := 0; len(calls) < n || open > 0; {
		c := r.IntN(clients)
		if stage[c] != idle && r.IntN(12) < frailty {
			calls[of[c]].out = nil
			stage[c], open = idle, open-1
			continue
		}
		switch x := &calls; stage[c] {
		case idle:
			if len(calls) == n {
				continue
			}
			*x = append(*x, call{in: o.ask(r), span: linear.Span{Call: at, Return: linear.Never}})
			stage[c], of[c], at, open = called, len(calls)-1, at+1, open+1
		case called:
			state, (*x)[of[c]].out = o.apply(state, (*x)[of[c]].in)
			stage[c] = done
		default:
			(*x)[of[c]].span.Return = at
			stage[c], at, open = idle, at+1, open-1
		}
	}
	return calls
}

// tell changes an output.
func (o *object) tell(r *rand.Rand, calls []call) {
	if c := &calls[r.IntN(len(calls))]; c.out != nil {
		c.out = o.lie(r, c.in, c.out)
	}
}

// hurry exchanges two neighbouring events of different operations; rarely a return with the call after it, which only
// allows more orders.
func hurry(r *rand.Rand, calls []call) {
	p := r.Int64N(int64(2 * len(calls)))
	var call, ret [2]*int64 // of positions p and p+1
	for i := range calls {
		s := &calls[i].span
		if s.Call == p && s.Return == p+1 {
			return
		}
		for k := range int64(2) {
			if s.Call == p+k {
				call[k] = &s.Call
			}
			if s.Return == p+k {
				ret[k] = &s.Return
			}
		}
	}
	if ret[0] != nil && call[1] != nil && r.IntN(4) > 0 {
		return
	}
	for k := range int64(2) {
		for _, at := range []*int64{call[k], ret[k]} {
			if at != nil {
				*at = p + 1 - k
			}
		}
	}
}
