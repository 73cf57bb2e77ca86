package linear_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twiceless/twiceless/checker/linear"
)

// A register's state is its value; an input is a value to write, or read.
const (
	read    = int32(-1)
	written = int32(-2)
)

func randomRegister(r *rand.Rand) *object {
	next := int32(1)
	return &object{
		initial: int32(0),
		alone:   true,
		ask: func(r *rand.Rand) any {
			if r.IntN(3) > 0 {
				return read
			}
			next++
			return next - 1
		},
		apply: func(state, in any) (any, any) {
			if in == read {
				return state, state
			}
			return in, written
		},
		lie: func(r *rand.Rand, in, out any) any {
			if in != read {
				return out
			}
			return r.Int32N(next + 1)
		},
		judge: func(calls []call) linear.Result {
			var ops []linear.RegisterOp
			for _, c := range calls {
				op := linear.RegisterOp{Span: c.span, Write: c.in != read}
				switch {
				case op.Write:
					op.Value = c.in.(int32)
				case c.out != nil:
					op.Value = c.out.(int32)
				}
				ops = append(ops, op)
			}
			return linear.Register(0, ops)
		},
	}
}

func TestRegisterAgreesWithSearch(t *testing.T) { differential(t, randomRegister) }
