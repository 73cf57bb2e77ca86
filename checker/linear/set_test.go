package linear_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twiceless/twiceless/checker/linear"
)

// A set of two elements is two bits.
type setCall struct {
	kind    linear.SetKind
	element int32
}

func randomSet(r *rand.Rand) *object {
	elements := 1 + r.Int32N(2)
	return &object{
		initial: 0,
		ask: func(r *rand.Rand) any {
			return setCall{linear.SetKind(r.IntN(3)), r.Int32N(elements)}
		},
		apply: func(state, in any) (any, any) {
			c, bits := in.(setCall), state.(int)
			bit := 1 << c.element
			switch inside := bits&bit != 0; c.kind {
			case linear.SetAdd:
				return bits | bit, !inside
			case linear.SetRemove:
				return bits &^ bit, inside
			default:
				return bits, inside
			}
		},
		lie: func(_ *rand.Rand, _, out any) any { return !out.(bool) },
		judge: func(calls []call) linear.Result {
			var ops []linear.SetOp
			for _, c := range calls {
				in := c.in.(setCall)
				ops = append(ops, linear.SetOp{Span: c.span, Kind: in.kind, Element: in.element, Result: c.out == true})
			}
			return linear.Set(ops)
		},
	}
}

func TestSetAgreesWithSearch(t *testing.T) { differential(t, randomSet) }
