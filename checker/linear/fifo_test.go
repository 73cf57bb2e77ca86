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

func judgeFIFO(t *testing.T, lines []drawn) linear.Result {
	var ops []linear.FIFOOp
	for _, d := range lines {
		op := linear.FIFOOp{Span: d.span}
		switch {
		case d.words[0] == "enqueue":
			op.Value = number(t, d.words[1])
		case len(d.words) > 1 && d.words[1] == "empty":
			op.Kind = linear.FIFOEmpty
		case len(d.words) > 1:
			op.Kind, op.Value = linear.FIFODequeue, number(t, d.words[1])
		default:
			op.Kind = linear.FIFODequeue
		}
		ops = append(ops, op)
	}
	return linear.FIFO(ops)
}

// What a queue may answer, and what not.
func TestFIFO(t *testing.T) {
	hold(t, judgeFIFO, []drawing{
		{"first in, first out", legal, `
			enqueue 1      |--|
			enqueue 2           |--|
			dequeue 1                |--|
			dequeue 2                     |--|
			dequeue empty                      |--|`},
		{"a value from nowhere", "never enqueued", `
			enqueue 1      |--|
			dequeue 2           |--|`},
		{"a value of an enqueue that nobody saw return", legal, `
			enqueue 1      |--------->
			dequeue 1           |--|`},
		{"one value for two", "dequeued twice", `
			enqueue 1      |--|
			dequeue 1           |--|
			dequeue 1               |--|`},
		{"the second never heard what it took", legal, `
			enqueue 1      |--|
			dequeue 1           |--|
			dequeue             |------>`},
		{"out before in", "before its enqueue was called", `
			dequeue 1      |--|
			enqueue 1           |--|`},
		{"out while still going in", legal, `
			dequeue 1      |--|
			enqueue 1         |--|`},
		{"the second leaves first", "overtaken", `
			enqueue 1      |--|
			enqueue 2           |--|
			dequeue 2                |--|
			dequeue 1                     |--|`},
		{"they went in together, so any order is first", legal, `
			enqueue 1      |----|
			enqueue 2           |--|
			dequeue 2                |--|
			dequeue 1                     |--|`},
		{"they left together", legal, `
			enqueue 1      |--|
			enqueue 2           |--|
			dequeue 2                |--|
			dequeue 1                   |--|`},
		{"the first never leaves", "overtaken", `
			enqueue 1      |--|
			enqueue 2           |--|
			dequeue 2                |--|`},
		{"the first never leaves, but nobody knows that it came", legal, `
			enqueue 1      |-------------->
			enqueue 2           |--|
			dequeue 2                |--|`},
		{"the first was taken by one that never told", legal, `
			enqueue 1      |--|
			enqueue 2           |--|
			dequeue                     |-->
			dequeue 2                |--|`},
		{"the one that never told asked too late", "overtaken", `
			enqueue 1      |--|
			enqueue 2           |--|
			dequeue 2                |--|
			dequeue                       |-->`},
		{"one that never told cannot have taken two", "overtaken", `
			enqueue 1      |--|
			enqueue 2           |--|
			enqueue 3               |--|
			dequeue                      |-->
			dequeue 3                    |--|`},
		{"two that never told can", legal, `
			enqueue 1      |--|
			enqueue 2           |--|
			enqueue 3               |--|
			dequeue                      |-->
			dequeue                        |-->
			dequeue 3                    |--|`},
		{"empty, and one is in", "answered empty", `
			enqueue 1      |--|
			dequeue empty       |--|
			dequeue 1                |--|`},
		{"empty before it was in", legal, `
			enqueue 1      |----|
			dequeue empty     |--|
			dequeue 1                |--|`},
		{"empty after it was out", legal, `
			enqueue 1      |--|
			dequeue empty       |------|
			dequeue 1                |--|`},
		{"one is in until the other is", "answered empty", `
			enqueue 1      |--|
			dequeue empty       |-----------|
			enqueue 2              |--|
			dequeue 1                     |--|
			dequeue 2                           |--|`},
		{"between two there is a moment", legal, `
			enqueue 1      |--|
			dequeue empty       |-----------|
			dequeue 1             |--|
			enqueue 2                |--|
			dequeue 2                           |--|`},
		{"empty, and what is in was taken by one that never told", legal, `
			enqueue 1      |--|
			dequeue             |-->
			dequeue empty       |--|`},
		{"empty before anybody else asked", "answered empty", `
			enqueue 1      |--|
			dequeue empty       |--|
			dequeue                  |-->`},
		{"empty, and nobody knows that it came", legal, `
			enqueue 1      |-------->
			dequeue empty       |--|`},
		{"two of one value", nobodyCanTell + "enqueued twice", `
			enqueue 1      |--|
			enqueue 1           |--|
			dequeue 1                |--|`},
		{"a value from nowhere among two of one value", "never enqueued", `
			enqueue 1      |--|
			enqueue 1           |--|
			dequeue 3                |--|`},
	})
}
