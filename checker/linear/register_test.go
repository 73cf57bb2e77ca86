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

func judgeRegister(t *testing.T, lines []drawn) linear.Result {
	var ops []linear.RegisterOp
	for _, d := range lines {
		op := linear.RegisterOp{Span: d.span, Write: d.words[0] == "write"}
		if len(d.words) > 1 {
			op.Value = number(t, d.words[1])
		}
		ops = append(ops, op)
	}
	return linear.Register(0, ops)
}

// What a register that holds 0 at first may answer, and what not.
func TestRegister(t *testing.T) {
	hold(t, judgeRegister, []drawing{
		{"what was written last is read", legal, `
			read 0     |--|
			write 1         |--|
			read 1               |--|`},
		{"nobody wrote it", "never written", `
			write 1    |--|
			read 2          |--|`},
		{"a write that nobody saw return", legal, `
			write 1    |--------->
			read 1          |--|`},
		{"read too early", "before its write was called", `
			read 1     |--|
			write 1         |--|`},
		{"read while it is written", legal, `
			read 1     |--|
			write 1      |--|`},
		{"the first value after the second", "the stretches overlap", `
			write 1    |--|
			read 1          |--|
			write 2               |--|
			read 2                     |--|
			read 1                          |--|`},
		{"stale, and nobody read the new value", "wholly within a stretch", `
			write 1    |--|
			write 2         |--|
			read 1               |--|`},
		{"stale while it is written", legal, `
			write 1    |--|
			write 2         |--|
			read 1            |--|`},
		{"stale, and nobody saw the new one return", legal, `
			write 1    |--|
			write 2         |----------->
			read 1               |--|
			read 2                    |--|`},
		{"the new one was read, and then the old one", "wholly within a stretch", `
			write 1    |--|
			write 2         |-------------->
			read 2               |--|
			read 1                    |--|`},
		{"two at once may fall either way, once", legal, `
			write 1    |----|
			write 2     |----|
			read 2             |--|
			read 2                  |--|`},
		{"and not both ways", "stretches overlap", `
			write 1    |----|
			write 2     |----|
			read 2             |--|
			read 1                  |--|
			read 2                       |--|`},
		{"the initial value comes back", "wholly within a stretch", `
			write 1    |--|
			read 0          |--|`},
		{"the initial value while another is written", legal, `
			write 1    |------|
			read 0          |--|`},
		{"a read that nobody heard", legal, `
			write 1    |--|
			read            |-->`},
		{"two writes of one value", nobodyCanTell + "written twice", `
			write 1    |--|
			write 1         |--|
			read 1               |--|`},
		{"the initial value is written again", nobodyCanTell + "written twice", `
			write 0    |--|
			read 0          |--|`},
	})
}
