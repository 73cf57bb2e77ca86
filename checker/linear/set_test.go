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

func judgeSet(t *testing.T, lines []drawn) linear.Result {
	kinds := map[string]linear.SetKind{"add": linear.SetAdd, "remove": linear.SetRemove, "contains": linear.SetContains}
	var ops []linear.SetOp
	for _, d := range lines {
		ops = append(ops, linear.SetOp{Span: d.span, Kind: kinds[d.words[0]], Element: number(t, d.words[1]), Result: d.words[len(d.words)-1] == "yes"})
	}
	return linear.Set(ops)
}

// What a set may answer, and what not.
func TestSet(t *testing.T) {
	hold(t, judgeSet, []drawing{
		{"in and out and in again", legal, `
			add 1 yes        |--|
			contains 1 yes        |--|
			add 1 no                   |--|
			remove 1 yes                    |--|
			contains 1 no                        |--|
			remove 1 no                               |--|
			add 1 yes                                      |--|`},
		{"added twice", "was added that was inside", `
			add 1 yes        |--|
			add 1 yes             |--|`},
		{"added twice, removed between", legal, `
			add 1 yes        |--|
			add 1 yes             |-----|
			remove 1 yes            |-----|`},
		{"added twice, perhaps removed between", legal, `
			add 1 yes        |--|
			remove 1         |------------->
			add 1 yes             |--|`},
		{"added three times, removed once at the most", "was added that was inside", `
			add 1 yes        |--|
			remove 1         |------------->
			add 1 yes             |--|
			add 1 yes                  |--|`},
		{"another was added", legal, `
			add 1 yes        |--|
			add 2 yes             |--|`},
		{"removed and never added", "was removed that was not inside", `
			add 2 yes        |--|
			remove 1 yes          |--|`},
		{"removed while it was added", legal, `
			remove 1 yes     |--|
			add 1 yes           |--|`},
		{"removed by two", "was removed that was not inside", `
			add 1 yes        |--|
			remove 1 yes          |--|
			remove 1 yes           |--|`},
		{"removed by one of two", legal, `
			add 1 yes        |--|
			remove 1 no           |--|
			remove 1 yes           |--|`},
		{"found after it was removed", "found inside", `
			add 1 yes        |--|
			remove 1 yes          |--|
			contains 1 yes             |--|`},
		{"found while it was removed", legal, `
			add 1 yes        |--|
			remove 1 yes          |----|
			contains 1 yes             |--|`},
		{"found, and the addition never told", legal, `
			add 1            |------------->
			contains 1 no         |--|
			contains 1 yes             |--|`},
		{"there already, and nobody put it there", "found inside", `
			add 1 no         |--|`},
		{"missing after it was added", "found missing", `
			add 1 yes        |--|
			contains 1 no         |--|`},
		{"missing while it was added", legal, `
			add 1 yes        |----|
			contains 1 no         |--|`},
		{"missing for a moment", legal, `
			add 1 yes        |--|
			contains 1 no         |-------------|
			remove 1 yes             |--|
			add 1 yes                     |--|`},
		{"a removal cannot serve two additions", "was added that was inside", `
			add 1 yes        |--|
			add 1 yes             |------|
			add 1 yes             |-----|
			remove 1 yes          |----|`},
		{"a question that nobody heard answered", legal, `
			contains 1       |-->`},
	})
}
