package linear_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/linear"
)

// A drawing is a history as people sketch it, an operation a line, time from left to right:
//
//	enqueue 1     |---|            called at the first bar, returned at the second
//	dequeue 1         |------>     never returned
//
// Two bars one above the other overlap.
type drawing struct {
	name string
	want string // the rule that is broken, or a part of it; "" = linearizable
	text string
}

const (
	legal         = ""
	nobodyCanTell = "unknown: "
)

// drawn is a line of a drawing.
type drawn struct {
	words []string
	span  linear.Span
}

func parse(t *testing.T, text string) []drawn {
	t.Helper()
	var out []drawn
	for row, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		words, bars, _ := strings.Cut(strings.TrimSpace(line), "|")
		from := utf8.RuneCountInString(words)
		d := drawn{strings.Fields(words), linear.Span{Call: int64(from*200 + row), Return: linear.Never}}
		if length, returned := strings.CutSuffix(bars, "|"); returned {
			d.span.Return = int64((from+1+len(length))*200 + 100 + row)
		} else {
			require.True(t, strings.HasSuffix(bars, ">"), line)
		}
		out = append(out, d)
	}
	return out
}

// hold judges drawings. Each rule that is broken in one must be what breaks it, and no other.
func hold(t *testing.T, judge func(*testing.T, []drawn) linear.Result, drawings []drawing) {
	t.Helper()
	planted, near := 0, 0
	for _, d := range drawings {
		t.Run(d.name, func(t *testing.T) {
			got := judge(t, parse(t, d.text))
			switch rule, open := strings.CutPrefix(d.want, nobodyCanTell); {
			case d.want == legal:
				near++
				require.Equal(t, linear.Linearizable, got.Verdict, got.Because)
				require.Equal(t, linear.NoCulprit, got.Culprit)
			case open:
				require.Equal(t, linear.Unknown, got.Verdict)
				require.Contains(t, got.Because, rule)
			default:
				planted++
				require.Equal(t, linear.Violated, got.Verdict)
				require.Contains(t, got.Because, rule)
				require.Contains(t, got.Involved, got.Culprit)
			}
		})
	}
	t.Logf("%d planted, %d near misses", planted, near)
}

func number(t *testing.T, word string) int32 {
	t.Helper()
	n, err := strconv.ParseInt(word, 10, 32)
	require.NoError(t, err)
	return int32(n)
}

// Of what is wrong, the first is told, with no more operations than it takes; the culprit is told first.
func TestInvolved(t *testing.T) {
	for _, x := range []struct {
		name     string
		judge    func(*testing.T, []drawn) linear.Result
		text     string
		involved []int
		culprit  int
	}{
		{"the value that left first", judgeFIFO, `
			enqueue 1      |--|
			enqueue 2           |--|
			dequeue 2                |--|
			enqueue 3                       |--|
			enqueue 4                            |--|
			dequeue 4                                 |--|`, []int{0, 1, 2}, 2},
		{"as few values as show that it was never empty", judgeFIFO, `
			enqueue 1      |--|
			enqueue 2             |--|
			enqueue 3                |--|
			dequeue empty       |-----------|
			dequeue 1                      |--|
			dequeue 2                        |--|
			dequeue 3                            |--|
			enqueue 4                                 |--|`, []int{0, 2, 3, 4, 6}, 3},
		{"the stale read, not the fresh one", judgeRegister, `
			write 1    |--|
			read 1          |--|
			write 2               |--|
			read 2                     |--|
			read 1                          |--|`, []int{0, 2, 3, 4}, 4},
		{"the later of two stale reads", judgeRegister, `
			write 1    |----|
			write 2     |---|
			read 1             |--|
			read 2                  |--|
			read 1                       |--|
			read 2                            |--|`, []int{0, 1, 4, 5}, 5},
		{"what the element's state came from", judgeSet, `
			add 1 yes        |--|
			remove 1 yes          |--|
			add 2 yes                  |--|
			contains 1 yes                  |--|`, []int{1, 3}, 3},
		{"an answer, and the append that it does not know of", judgeLog, `
			append 5 → 1        |--|
			append 6 → 2             |--|
			read                          |--|`, []int{0, 2}, 2},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := x.judge(t, parse(t, x.text))
			require.Equal(t, linear.Violated, got.Verdict)
			require.Equal(t, x.involved, got.Involved)
			require.Equal(t, x.culprit, got.Culprit)
		})
	}
}
