package tell

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// MarkEvery is the number of events between two checkpoints of a digest.
const MarkEvery = 4096

// Drift explains two runs of a case that should be equal: a third and a fourth, in lockstep, show the first event in
// which they differ; if these two happen to agree, the histories at hand say what they can.
func Drift(c *scenarios.Case, a, b *scenarios.Result) string {
	if at, ok, err := scenarios.Diverge(c); err == nil && ok {
		return at.String()
	}
	return divergence(a, b)
}

// divergence says where two runs that should be equal part: the events between two checkpoints, and the first facts
// that differ, with the last ones that do not.
func divergence(a, b *scenarios.Result) string {
	var lines []string
	lines = append(lines, fmt.Sprintf("  they part within the %d events from %d on", MarkEvery, Parting(a.Marks, hexes(b.Marks))))
	at := 0
	var left, right []byte
	for ; at < a.History.Len() && at < b.History.Len(); at++ {
		left = history.AppendFact(left[:0], &a.History.Facts[at])
		right = history.AppendFact(right[:0], &b.History.Facts[at])
		if string(left) != string(right) {
			break
		}
	}
	if at == a.History.Len() && at == b.History.Len() {
		return strings.Join(append(lines, "  their facts are equal: events or draws differ that no fact tells of"), "\n")
	}
	for i := max(0, at-3); i < at; i++ {
		lines = append(lines, "  both "+string(history.AppendFact(nil, &a.History.Facts[i])))
	}
	return strings.Join(append(lines, "  one  "+factOrEnd(a.History, at), "  two  "+factOrEnd(b.History, at)), "\n")
}

func factOrEnd(h *history.History, i int) string {
	if i >= h.Len() {
		return "(the history ends)"
	}
	return string(history.AppendFact(nil, &h.Facts[i]))
}

// Parting is the number of the first event of the stretch in which two lists of checkpoints begin to differ.
func Parting(marks []uint64, b []string) int {
	a := hexes(marks)
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i * MarkEvery
		}
	}
	return n * MarkEvery
}

func hexes(marks []uint64) []string {
	out := make([]string, len(marks))
	for i, m := range marks {
		out[i] = fmt.Sprintf("%016x", m)
	}
	return out
}
