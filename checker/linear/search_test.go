package linear

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hard is a history that no order explains, and that has n writes open all the time: each order of some of them is
// possible.
func hard(n int) []Operation {
	var out []Operation
	for i := range n {
		out = append(out, Operation{Span: Span{int64(i), Never}, Action: Action{F: "write", Arg: Number(int64(i))}})
	}
	for i := range n {
		at := int64(n + 2*i)
		out = append(out, Operation{Span: Span{at, at + 1}, Action: Action{F: "read", Out: Number(int64(i))}})
	}
	at := int64(4 * n)
	return append(out, Operation{Span: Span{at, at + 1}, Action: Action{F: "read", Out: Number(-1)}})
}

// swaps are hard to search: so many swaps of unknown outcome that the budget ends.
func swaps(n int) []Operation {
	var out []Operation
	for i := range n {
		a := Action{F: "cas", Arg: Number(int64(i % 3)), Arg2: Number(int64((i*i + 1) % 5))}
		out = append(out, Operation{Span: Span{int64(i), Never}, Action: a})
	}
	at := int64(n)
	return append(out,
		Operation{Span: Span{at, at + 1}, Action: Action{F: "write", Arg: Number(0)}},
		Operation{Span: Span{at + 2, at + 3}, Action: Action{F: "read", Out: Number(77)}})
}

// The budget is kept, and what it does not suffice for is unknown, with the reason: the same each time.
func TestBudget(t *testing.T) {
	o := RegisterObject(Value{})
	for _, budget := range []int64{0, 1, 100, 10_000} {
		r := o.Search(swaps(24), budget)
		require.Equal(t, Unknown, r.Verdict)
		require.LessOrEqual(t, r.Steps, budget)
		require.Equal(t, r, o.Search(swaps(24), budget))
		require.Equal(t, fmt.Sprintf("26 operations that overlap, up to 25 at once, 24 of them of unknown outcome, need more than %d steps", budget), r.Because)
	}
	require.Equal(t, Violated, o.Search(swaps(5), 10_000).Verdict, "the same, but fewer")
	require.Equal(t, Violated, o.Search(hard(8), 1000_000).Verdict)
}

// A hard object does not take what the easy ones need, wherever it stands.
func TestSharedBudget(t *testing.T) {
	o := RegisterObject(Value{})
	easy := draw(t, &o, "a: [write 1]  [read -> 1]")
	wrong := draw(t, &o, "a: [write 1]  [read -> 2]")
	for _, parts := range [][][]Operation{{swaps(24), easy, wrong}, {easy, wrong, swaps(24)}} {
		verdicts := map[Verdict]int{}
		total := int64(0)
		for _, r := range o.Shared(parts, 1000) {
			verdicts[r.Verdict]++
			total += r.Steps
		}
		require.Equal(t, map[Verdict]int{Linearizable: 1, Unknown: 1, Violated: 1}, verdicts)
		require.LessOrEqual(t, total, int64(1000))
	}
	require.Empty(t, o.Shared(nil, 1000))
}

// What happens one at a time costs a step each; so do stretches that end with an answer that says all.
func TestLongHistoriesAreCheap(t *testing.T) {
	o := RegisterObject(Value{})
	var history []Operation
	add := func(call, ret int64, a Action) {
		history = append(history, Operation{Span: Span{call, ret}, Action: a})
	}
	n := int64(20_000)
	for i := range n {
		at := 10 * i
		add(at, at+4, Action{F: "write", Arg: Number(i)})
		add(at+1, at+5, Action{F: "write", Arg: Number(-i)})
		add(at+6, at+7, Action{F: "read", Out: Number(i - 2*i*(i%2))})
	}
	r := o.Search(history, 10*n)
	require.Equal(t, Linearizable, r.Verdict, r.Because)
	history[len(history)-1].Out = Number(n)
	r = o.Search(history, 10*n)
	require.Equal(t, Violated, r.Verdict)
	require.Equal(t, len(history)-1, r.Culprit)
}

// A violation is told by what was the first wrong answer, what was open with it, and what it may have met.
func TestExplanation(t *testing.T) {
	o := RegisterObject(Number(0))
	history := draw(t, &o,
		"a: [write 1]  [    write 2      ]               [read -> 2]",
		"b:              [read -> 2]  [read -> 1]  [read -> 7]")
	r := o.Search(history, 1000)
	require.Equal(t, "read gave 1", o.Describe(&history[r.Culprit].Action, true), "before the 7, which is wrong too")
	require.Equal(t, "no order of the operations explains that read gave 1: the only state that it may have met is 2", r.Because)
	require.Equal(t, []int{0, 1, 3, 4}, r.Involved, "not what came later")

	history = draw(t, &o,
		"a: [  write 1              ]",
		"b:   [write 2 ~",
		"c:     [read -> 5]  ")
	r = o.Search(history, 1000)
	require.Equal(t, "no order of the operations explains that read gave 5: it may have met 0, 1", r.Because, "nobody read the 2, so it is left out")
}

// What an object does not have is not judged, and nothing panics.
func TestForeignCalls(t *testing.T) {
	for _, o := range Objects() {
		for _, a := range []Action{{}, {F: "explode"}, {F: o.Functions[0].Name, Result: "no such result", Arg: Number(1), Arg2: Number(1), Out: Text("x")}} {
			r := o.Search([]Operation{{Span: Span{0, 1}, Action: a}}, 1000)
			if o.Problem(&a, true) == "" {
				continue // the object has but one result
			}
			require.Equal(t, Unknown, r.Verdict)
			require.Equal(t, o.Problem(&a, true), r.Because)
			require.Equal(t, Unknown, o.Witness([]Witnessed{{Operation: Operation{Span: Span{0, 1}, Action: a}}}).Verdict)
		}
		r := rand.New(rand.NewPCG(5, 6))
		for range 500 { // arguments and answers of any kind: a verdict, whichever
			var a []Operation
			for i := range int64(4) {
				anything := func() Value { return []Value{{}, Number(-1), Text("x"), Truth(true)}[r.IntN(4)] }
				f := o.Functions[r.IntN(len(o.Functions))]
				result := append(f.Results, "", "x")[r.IntN(len(f.Results)+2)]
				a = append(a, Operation{Span: Span{i, i + 5}, Action: Action{F: f.Name, Arg: anything(), Arg2: anything(), Result: result, Out: anything(), Outs: []Value{anything()}}})
			}
			r := o.Search(a, 1000)
			require.LessOrEqual(t, r.Verdict, Violated)
		}
	}
}

// The verdict and the steps do not depend on the order in which operations are given, nor on that of neighbours that
// it does not matter for: a call before another call, a return before another return.
func TestOrderOfTheInputDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, o := range Objects() {
		for range 50 {
			history := changed(r, &o, operationsOf(someHistory(r, &o, 8, 6)))
			want := o.Search(history, 10_000)
			mixed := append([]Operation{}, history...)
			r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			got := o.Search(mixed, 10_000)
			require.Equal(t, want.Verdict, got.Verdict)
			require.Equal(t, want.Steps, got.Steps)
			require.Equal(t, want.Because, got.Because)
			turned := neighboursExchanged(history)
			got = o.Search(turned, 10_000)
			require.Equal(t, want.Verdict, got.Verdict, show(&o, history))
			require.Equal(t, want.Steps, got.Steps, show(&o, history))
		}
	}
}

// neighboursExchanged turns pairs of neighbouring calls, and of neighbouring returns.
func neighboursExchanged(in []Operation) []Operation {
	out := append([]Operation{}, in...)
	at := map[int64]*int64{}
	last := int64(0)
	isCall := map[int64]bool{}
	for i := range out {
		at[out[i].Call], isCall[out[i].Call] = &out[i].Call, true
		last = max(last, out[i].Call)
		if !out[i].Pending() {
			at[out[i].Return] = &out[i].Return
			last = max(last, out[i].Return)
		}
	}
	for p := int64(0); p < last; p++ {
		a, b := at[p], at[p+1]
		if a != nil && b != nil && isCall[p] == isCall[p+1] {
			*a, *b = *b, *a
			p++
		}
	}
	return out
}

// A picture is the same each time, and shows what people need: every operation, and the longest orders.
func TestPicture(t *testing.T) {
	o := RegisterObject(Value{})
	history := draw(t, &o,
		"a: [write 1]  [  write 2         ]   [write <b> ~",
		"b:   [write 3]  [write 4]           [read -> 3]",
		"c:   [write 5]  [cas 4 6 -> ok]")
	var first bytes.Buffer
	require.NoError(t, o.Picture(history, 1000, &first))
	for range 20 {
		var again bytes.Buffer
		require.NoError(t, o.Picture(history, 1000, &again))
		require.Equal(t, first.String(), again.String())
	}
	for _, want := range []string{"cas 4 6 gave ok", "read gave 3", "write 5"} {
		require.Contains(t, first.String(), want)
	}
	_, data, _ := strings.Cut(first.String(), "const data =")
	require.NotContains(t, data, "<b>", "text is escaped")
	require.ErrorIs(t, o.Picture(history[:2], 1000, &first), ErrNoPicture, "nothing is wrong with these")
}

// Porcupine gives the orders that it found in no order; the picture does not show that.
func TestPicturesOfManyOrders(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	o := QueueObject()
	pictures := 0
	for range 150 {
		history := changed(r, &o, operationsOf(someHistory(r, &o, 12, 8)))
		var first, second, third bytes.Buffer
		if o.Picture(history, 10_000, &first) != nil {
			continue
		}
		pictures++
		require.NoError(t, o.Picture(history, 10_000, &second))
		require.NoError(t, o.Picture(history, 10_000, &third))
		require.True(t, first.String() == second.String() && second.String() == third.String(), show(&o, history))
	}
	require.Greater(t, pictures, 20)
}

// A picture of a long history is small.
func TestPictureIsSmall(t *testing.T) {
	o := RegisterObject(Value{})
	var history []Operation
	for i := range int64(5000) {
		history = append(history, Operation{Span: Span{2 * i, 2*i + 1}, Action: Action{F: "write", Arg: Text(strings.Repeat("x", 1000))}})
	}
	history = append(history, draw(t, &o, strings.Repeat(" ", 20_000)+"[read -> 3]")...)
	var b bytes.Buffer
	require.NoError(t, o.Picture(history, 10_000, &b))
	require.Less(t, b.Len(), 1<<20)
}
