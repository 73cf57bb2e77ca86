package linear

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// fully asks for long runs: TWICELESS_FULL=1 go test ./checker/linear
var fully = os.Getenv("TWICELESS_FULL") != ""

func times(few, many int) int {
	if fully {
		return many
	}
	return few
}

// someCall is a random call of an object, with few different values so that they meet.
func someCall(r *rand.Rand, o *Object) Action {
	f := o.Functions[r.IntN(len(o.Functions))]
	a := Action{F: f.Name}
	args := []*Value{&a.Arg, &a.Arg2}
	for i := range f.Args {
		switch {
		case f.Number:
			*args[i] = Number(int64(r.IntN(3)))
		case f.Text:
			*args[i] = Text([]string{"a", "b", "ab"}[r.IntN(3)])
		default:
			*args[i] = []Value{Number(1), Number(2), Text("a")}[r.IntN(3)]
		}
	}
	if o.Name == "log" && a.F == "append" && r.IntN(3) == 0 {
		a.Arg2 = Number(int64(r.IntN(3)))
	}
	if f.By {
		a.By = []string{"p", "q"}[r.IntN(2)]
	}
	return a
}

// answers are some answers that a call might get.
func answers(o *Object, a Action) []Action {
	f := o.function(a.F)
	results := f.Results
	if len(results) == 0 {
		results = []string{""}
	}
	var out []Action
	for _, result := range results {
		b := a
		b.Result = result
		switch {
		case f.Lists:
			for _, list := range [][]Value{nil, {Number(1)}, {Number(2)}, {Text("a")}, {Number(1), Number(2)}, {Number(2), Number(1)}, {Number(1), Number(1)}} {
				b.Outs = list
				out = append(out, b)
			}
		case f.Gives:
			outs := []Value{{}, Number(1), Number(2), Text("a"), Text("ab")}
			if f.Number || o.Name == "log" {
				outs = []Value{{}, Number(0), Number(1), Number(2), Number(3)}
			}
			for _, v := range outs {
				b.Out = v
				out = append(out, b)
			}
		default:
			out = append(out, b)
		}
	}
	return out
}

// someHistory is what clients of a real object saw: n calls that it did one at a time, each at a point within a random
// interval. The points are the witness's. Some outcomes are not known.
func someHistory(r *rand.Rand, o *Object, n, width int) []Witnessed {
	var out []Witnessed
	state := o.Init
	for at := int64(0); len(out) < n; at++ {
		asked := someCall(r, o)
		possible := answers(o, asked)
		r.Shuffle(len(possible), func(i, j int) { possible[i], possible[j] = possible[j], possible[i] })
		for _, a := range possible {
			after, fits := o.Step(state, &a, true)
			if !fits {
				continue
			}
			w := Witnessed{Operation{Span: Span{at - int64(r.IntN(width)), at + int64(r.IntN(width))}, Action: a}, at}
			pending := r.IntN(6) == 0
			if pending {
				w.Return = Never
				_, fits = o.Step(state, &a, false)
				after, _ = o.Step(state, &a, false)
				if r.IntN(3) == 0 {
					w.Point = Never
					after = state
				}
			}
			require.True(panicking{}, fits, "an unknown call is always possible")
			out = append(out, w)
			state = after
			break
		}
	}
	return apart(r, out)
}

type panicking struct{}

func (panicking) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panicking) FailNow()                          {}

// apart moves calls, points and returns of one moment apart, in a random order that keeps call ≤ point ≤ return.
func apart(r *rand.Rand, in []Witnessed) []Witnessed {
	type edge struct {
		at    int64
		phase int
		tie   int
		set   *int64
	}
	var edges []edge
	for i := range in {
		w := &in[i]
		edges = append(edges, edge{w.Call, 0, r.Int(), &w.Call})
		if w.Point != Never {
			edges = append(edges, edge{w.Point, 1, i, &w.Point})
		}
		if !w.Pending() {
			edges = append(edges, edge{w.Return, 2, r.Int(), &w.Return})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		if a.phase != b.phase {
			return a.phase - b.phase
		}
		return compareInts(a.tie, b.tie)
	})
	for i, e := range edges {
		*e.set = int64(i)
	}
	return in
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func operationsOf(in []Witnessed) []Operation {
	var out []Operation
	for _, w := range in {
		out = append(out, w.Operation)
	}
	return out
}

// What a real object did is never called a violation, by search or by its witness, however many clients it had.
func TestRealHistoriesAreLinearizable(t *testing.T) {
	for _, o := range Objects() {
		t.Run(o.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			unknown := 0
			n := times(100, 5_000)
			for range n {
				history := someHistory(r, &o, 1+r.IntN(30), 1+r.IntN(8))
				w := o.Witness(history)
				require.Equal(t, Linearizable, w.Verdict, "%s\n%s", w.Because, show(&o, operationsOf(history)))
				s := o.Search(operationsOf(history), 20_000)
				require.NotEqual(t, Violated, s.Verdict, "%s\n%s", s.Because, show(&o, operationsOf(history)))
				if s.Verdict == Unknown {
					unknown++
				}
			}
			require.Less(t, unknown, n/10, "most are decided")
		})
	}
}

// Search says what trying every order says, of histories that were changed in one answer, or one point in time.
func TestSearchAgreesWithEveryOrder(t *testing.T) {
	for _, o := range Objects() {
		t.Run(o.Name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(3, 4))
			legal, illegal, n := 0, 0, times(700, 60_000)
			for range n {
				history := changed(r, &o, operationsOf(someHistory(r, &o, 2+r.IntN(5), 1+r.IntN(5))))
				want := bruteForce(&o, history)
				got := o.Search(history, 100_000)
				require.Equal(t, want, got.Verdict == Linearizable, "%s%s: %s", show(&o, history), got.Verdict, got.Because)
				require.NotEqual(t, Unknown, got.Verdict)
				if want {
					legal++
				} else {
					illegal++
					explained(t, &o, history, got)
				}
			}
			require.Greater(t, legal, n/20)
			require.Greater(t, illegal, n/20)
			t.Logf("%d legal, %d illegal", legal, illegal)
		})
	}
}

// changed gives one operation another answer, or makes another of it.
func changed(r *rand.Rand, o *Object, history []Operation) []Operation {
	op := &history[r.IntN(len(history))]
	if r.IntN(4) > 0 {
		asked := op.Action
		if r.IntN(3) == 0 {
			asked = someCall(r, o)
		}
		other := answers(o, asked)
		op.Action = other[r.IntN(len(other))]
		if r.IntN(2) == 0 && op.Pending() {
			op.Return = 1000
		}
	}
	return history
}

// explained: the culprit is the first completion that is too much. What was known before it can be explained.
func explained(t *testing.T, o *Object, history []Operation, r Result) {
	t.Helper()
	require.NotEqual(t, NoCulprit, r.Culprit)
	end := history[r.Culprit].Return
	require.False(t, bruteForce(o, until(history, end)), "with the culprit %d\n%s", r.Culprit, show(o, history))
	require.True(t, bruteForce(o, until(history, end-1)), "before the culprit %d\n%s", r.Culprit, show(o, history))
	require.Contains(t, r.Because, "met", "the states are told of small histories")
}

// until is what was known at a position.
func until(history []Operation, at int64) []Operation {
	var out []Operation
	for _, op := range history {
		if op.Call > at {
			continue
		}
		if op.Return > at {
			op.Return = Never
		}
		out = append(out, op)
	}
	return out
}
