package linear_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twiceless/twiceless/checker/linear"
)

// A queue's state is a text, a rune a value. An input is a value to enqueue, or dequeue; the output of a dequeue is a
// value or empty.
const (
	dequeue  = int32(-1)
	empty    = int32(-2)
	enqueued = int32(-3)
)

func randomFIFO(*rand.Rand) *object {
	next := int32(0)
	return &object{
		initial: "",
		alone:   true,
		ask: func(r *rand.Rand) any {
			if r.IntN(2) == 0 {
				return dequeue
			}
			next++
			return next - 1
		},
		apply: func(state, in any) (any, any) {
			queue := []rune(state.(string))
			switch {
			case in != dequeue:
				return string(append(queue, 'a'+in.(int32))), enqueued
			case len(queue) == 0:
				return state, empty
			}
			return string(queue[1:]), queue[0] - 'a'
		},
		lie: func(r *rand.Rand, in, out any) any {
			if in != dequeue {
				return out
			}
			if r.IntN(3) == 0 {
				return empty
			}
			return r.Int32N(next + 1)
		},
		judge: func(calls []call) linear.Result {
			var ops []linear.FIFOOp
			for _, c := range calls {
				op := linear.FIFOOp{Span: c.span}
				switch {
				case c.in != dequeue:
					op.Value = c.in.(int32)
				case c.out == nil:
					op.Kind, op.Value = linear.FIFODequeue, 1<<30
				case c.out == empty:
					op.Kind = linear.FIFOEmpty
				default:
					op.Kind, op.Value = linear.FIFODequeue, c.out.(int32)
				}
				ops = append(ops, op)
			}
			return linear.FIFO(ops)
		},
	}
}

func TestFIFOAgreesWithSearch(t *testing.T) { differential(t, randomFIFO) }
