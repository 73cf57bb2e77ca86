package linear_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twiceless/twiceless/checker/linear"
)

// A million operations, some fifty of them open at any moment, one in a thousand of unknown outcome:
//
//	go test -bench Special -benchmem ./checker/linear
func BenchmarkSpecial(b *testing.B) {
	const n = 1_000_000
	for _, x := range []struct {
		name string
		make func(n int) func() linear.Result
	}{{"fifo", largeFIFO}, {"register", largeRegister}, {"set", func(n int) func() linear.Result { return largeSet(n, 20_000) }}, {"log", largeLog}} {
		b.Run(x.name, func(b *testing.B) {
			judge := x.make(n)
			b.ReportAllocs()
			for b.Loop() {
				if got := judge(); got.Verdict != linear.Linearizable {
					b.Fatal(got)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/operation")
		})
	}
}

// A history that is legal and large is found to be so.
func TestLargeHistories(t *testing.T) {
	for name, judge := range map[string]func() linear.Result{
		"fifo": largeFIFO(20_000), "register": largeRegister(20_000), "set": largeSet(20_000, 5), "log": largeLog(20_000),
	} {
		if got := judge(); got.Verdict != linear.Linearizable {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// around is a span around the i-th effect; one in a thousand never returns.
func around(r *rand.Rand, i int) linear.Span {
	const shift, spread = 22, 50
	s := linear.Span{Call: int64(i+spread-r.IntN(spread))<<shift + int64(2*i), Return: int64(i+spread+r.IntN(spread))<<shift + int64(2*i) + 1}
	if r.IntN(1000) == 0 {
		s.Return = linear.Never
	}
	return s
}

func largeFIFO(n int) func() linear.Result {
	r := rand.New(rand.NewPCG(1, 1))
	var ops []linear.FIFOOp
	in, out := int32(0), int32(0)
	for i := range n {
		op := linear.FIFOOp{Span: around(r, i)}
		switch {
		case r.IntN(2) == 0:
			op.Value = in
			in++
		case in == out:
			op.Kind = linear.FIFOEmpty
		default:
			op.Kind, op.Value = linear.FIFODequeue, out
			out++
		}
		ops = append(ops, op)
	}
	return func() linear.Result { return linear.FIFO(ops) }
}

func largeRegister(n int) func() linear.Result {
	r := rand.New(rand.NewPCG(1, 1))
	var ops []linear.RegisterOp
	value := int32(0)
	for i := range n {
		op := linear.RegisterOp{Span: around(r, i), Write: r.IntN(3) == 0}
		if op.Write {
			value++
		}
		op.Value = value
		ops = append(ops, op)
	}
	return func() linear.Result { return linear.Register(0, ops) }
}

func largeSet(n int, elements int32) func() linear.Result {
	r := rand.New(rand.NewPCG(1, 1))
	var ops []linear.SetOp
	inside := make([]bool, elements)
	for i := range n {
		op := linear.SetOp{Span: around(r, i), Kind: linear.SetKind(r.IntN(3)), Element: r.Int32N(elements)}
		was := &inside[op.Element]
		switch op.Kind {
		case linear.SetAdd:
			op.Result, *was = !*was, true
		case linear.SetRemove:
			op.Result, *was = *was, false
		default:
			op.Result = *was
		}
		ops = append(ops, op)
	}
	return func() linear.Result { return linear.Set(ops) }
}

func largeLog(n int) func() linear.Result {
	r := rand.New(rand.NewPCG(1, 1))
	var ops []linear.LogOp
	var values []int32
	for i := range n {
		op := linear.LogOp{Span: around(r, i), Required: linear.NoRequired}
		switch x := r.IntN(10_000); {
		case x == 0:
			op.Kind, op.Values = linear.LogRead, values
		case x < 1000:
			op.Kind, op.Tail = linear.LogTail, int64(len(values))
		default:
			op.Value = int32(len(values))
			values = append(values, op.Value)
			op.Tail = int64(len(values))
		}
		ops = append(ops, op)
	}
	return func() linear.Result { return linear.Log(ops) }
}
