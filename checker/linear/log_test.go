package linear_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twiceless/twiceless/checker/linear"
)

// A log's state is a text, a rune a value.
type logCall struct {
	kind     linear.LogKind
	value    int32
	required int64
}

// refused is the output of an append whose required tail was not there: it did not take place.
const refused = int64(-1)

func randomLog(r *rand.Rand) *object {
	next, ambiguous := int32(0), r.IntN(8) == 0
	return &object{
		initial: "",
		refused: refused,
		ask: func(r *rand.Rand) any {
			switch r.IntN(8) {
			case 0:
				return logCall{kind: linear.LogTail}
			case 1, 2:
				return logCall{kind: linear.LogRead}
			}
			if !ambiguous || next == 0 || r.IntN(3) > 0 {
				next++
			}
			c := logCall{kind: linear.LogAppend, value: next - 1, required: linear.NoRequired}
			if r.IntN(4) == 0 {
				c.required = r.Int64N(4)
			}
			return c
		},
		apply: func(state, in any) (any, any) {
			c, values := in.(logCall), []rune(state.(string))
			switch tail := int64(len(values)); {
			case c.kind == linear.LogTail:
				return state, tail
			case c.kind == linear.LogRead:
				return state, state
			case c.required != linear.NoRequired && c.required != tail:
				return state, refused
			default:
				return state.(string) + string('a'+c.value), tail + 1
			}
		},
		lie: func(r *rand.Rand, _, out any) any {
			values, isRead := out.(string)
			switch {
			case !isRead:
				return max(0, out.(int64)+r.Int64N(3)-1)
			case values != "" && r.IntN(2) == 0:
				return values[:len(values)-1]
			}
			return values + string('a'+r.Int32N(next+1))
		},
		judge: func(calls []call) linear.Result { return linear.Log(logOps(calls)) },
	}
}

func logOps(calls []call) []linear.LogOp {
	var ops []linear.LogOp
	for _, c := range calls {
		in := c.in.(logCall)
		op := linear.LogOp{Span: c.span, Kind: in.kind, Value: in.value, Required: in.required}
		switch out := c.out.(type) {
		case int64:
			op.Tail = out
		case string:
			for _, v := range out {
				op.Values = append(op.Values, v-'a')
			}
		}
		ops = append(ops, op)
	}
	return ops
}

func TestLogAgreesWithSearch(t *testing.T) { differential(t, randomLog) }
