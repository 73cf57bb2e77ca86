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

// judgeLog reads "append 5 → 1" (value, tail after), "append 5 at 0 → 1" (required tail), "read 5 6", "tail 2"; what never
// returned has no answer.
func judgeLog(t *testing.T, lines []drawn) linear.Result {
	var ops []linear.LogOp
	for _, d := range lines {
		op := linear.LogOp{Span: d.span, Required: linear.NoRequired}
		switch args := d.words[1:]; d.words[0] {
		case "append":
			op.Value = number(t, args[0])
			if len(args) > 2 && args[1] == "at" {
				op.Required = int64(number(t, args[2]))
			}
			if d.span.Return != linear.Never {
				op.Tail = int64(number(t, args[len(args)-1]))
			}
		case "read":
			op.Kind = linear.LogRead
			for _, v := range args {
				op.Values = append(op.Values, number(t, v))
			}
		default:
			op.Kind, op.Tail = linear.LogTail, int64(number(t, args[0]))
		}
		ops = append(ops, op)
	}
	return linear.Log(ops)
}

// What an append-only log may answer, and what not.
func TestLog(t *testing.T) {
	hold(t, judgeLog, []drawing{
		{"one after the other", legal, `
			append 5 → 1        |--|
			append 6 at 1 → 2        |--|
			read 5 6                      |--|
			tail 2                             |--|`},
		{"in whatever order they are told", legal, `
			read 0                              |--|
			read 0                         |--|
			read                     |-->
			append 0            |---------------->`},
		{"a tail is a number from 0", "a tail was negative", `
			append 5 → 1        |--|
			tail -1                  |--|`},
		{"an append leaves something", "fewer than one", `
			append 5 → 0        |--|`},
		{"more than was appended", "more in the log than was ever appended", `
			append 5 → 1        |--|
			tail 2                   |--|`},
		{"one more may have been appended", legal, `
			append 5 → 1        |--|
			append 6            |--------->
			tail 2                   |--|`},
		{"the required tail was not there", "not the one that it required", `
			append 5 → 1        |--|
			append 6 at 0 → 2        |--|`},
		{"the required tail was not there, and it shows up", "not the one that it required", `
			append 5 → 1        |--|
			append 6 at 0            |------->
			read 5 6                   |--|`},
		{"the required tail was not there, and it does not show up", legal, `
			append 5 → 1        |--|
			append 6 at 0            |------->
			read 5                     |--|`},
		{"two at one offset", "one offset", `
			append 5 → 1        |--|
			append 6 → 1         |--|`},
		{"reads that disagree", "two reads show different values", `
			append 5            |----------->
			append 6            |----------->
			read 5                   |--|
			read 6                      |--|`},
		{"a short read and a long one", legal, `
			append 5            |----------->
			append 6            |----------->
			read 5                   |--|
			read 5 6                    |--|`},
		{"another value than was acknowledged", "where an append was acknowledged", `
			append 5 → 1        |--|
			append 6            |-------->
			read 6                   |--|`},
		{"a value from nowhere", "never appended", `
			append 5            |-------->
			read 7                   |--|`},
		{"acknowledged elsewhere", "another offset than its append was given", `
			append 5 → 2        |--|
			append 6            |-------->
			read 5                   |--|`},
		{"a value twice that was appended once", "shows a value twice", `
			append 5            |-------->
			append 6            |-------->
			read 5 5                 |--|`},
		{"a value twice that was appended twice", legal, `
			append 5 → 1        |--|
			append 5            |-------->
			read 5 5                 |--|`},
		{"a value twice that was acknowledged twice", legal, `
			append 5 → 1        |--|
			append 5 → 2        |--|
			read 5 5                 |--|`},
		{"nothing below the tail can have come so early", "by the time that later offsets were known", `
			append 5 → 2        |--|
			append 6                 |------>`},
		{"something below the tail came from one that never told", legal, `
			append 5 → 2        |----|
			append 6                 |------>`},
		{"the only one that came so early requires another tail", "by the time that later offsets were known", `
			append 5 → 2        |----|
			append 6 at 1         |------->
			append 7                   |-->`},
		{"one came so early, another requires the place", legal, `
			append 5 → 3        |----|
			append 6 at 0         |------->
			append 7             |-------->`},
		{"of two that require the place, one came so early", legal, `
			append 5 → 2        |----|
			append 6 at 0              |-->
			append 7 at 0         |------->`},
		{"offsets against time", "given the lower offset", `
			append 5 → 2        |--|
			append 6 → 1             |--|`},
		{"offsets of two at once", legal, `
			append 5 → 2        |--|
			append 6 → 1           |--|`},
		{"read before it was appended", "before its append was called", `
			read 5              |--|
			append 5 → 1             |--|`},
		{"read while it was appended", legal, `
			read 5              |--|
			append 5 → 1           |--|`},
		{"acknowledged and not there", "knows nothing of an append", `
			append 5 → 1        |--|
			read                     |--|`},
		{"not there before it was acknowledged", legal, `
			append 5 → 1        |----|
			read                     |--|`},
		{"the tail does not know of it", "knows nothing of an append", `
			append 5 → 1        |--|
			append 6 → 2             |--|
			tail 1                        |--|`},
		{"there and gone", "shows less of the log", `
			append 5            |----------------->
			read 5                   |--|
			read                          |--|`},
		{"there for one of two at once", legal, `
			append 5            |----------------->
			read 5                   |--|
			read                        |--|`},
		{"two of unknown outcome with one value, and it is read", nobodyCanTell + "two appends of unknown outcome", `
			append 5            |-------->
			append 5             |------->
			read 5                   |--|`},
		{"two of unknown outcome with one value, and nobody reads it", legal, `
			append 5            |-------->
			append 5             |------->
			tail 2                   |--|`},
	})
}
