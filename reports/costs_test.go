package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// costInput has three stacks without a fault and under one: the second calls twice as much, the third is as good and
// calls less.
func costInput(excessOfLast int64) Input {
	in := Input{Scenario: "x", RunsPerCell: 2, Costs: true, Faults: testFaults()[:2], Cases: map[[2]string]string{}, CellContracts: map[[2]string]string{}}
	for i, s := range []StackInfo{{Name: "base", Parts: []string{"a"}}, {Name: "dear", Parts: []string{"a", "b"}}, {Name: "cheap", Parts: []string{"a", "c"}}} {
		s.Verdict, s.Contract.Loss = "pass", history.Never
		in.Stacks = append(in.Stacks, s)
		for _, k := range in.Faults {
			for seed := range uint64(2) {
				r := history.Row{Stack: s.Name, Fault: k.Name, Plan: history.Measuring, Seed: 1 + seed, Offered: 10, FaultsHit: 1, Calls: []int64{30, 60, 45}[i], Writes: 40}
				if k.Name != Control {
					r.Excess[history.Critical] = []int64{3, 0, excessOfLast}[i]
					r.Buckets[history.ParkedB], r.Parked = int64(seed), int64(seed)
				}
				in.Rows = append(in.Rows, r)
			}
		}
	}
	return in
}

func costTable(t *testing.T, in Input) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteTable(&b, in, "text"))
	return b.String()
}

// Costs are shares of the first stack that promises to lose nothing; what is parked is told as intents.
func TestCosts(t *testing.T) {
	text := costTable(t, costInput(0))
	require.Regexp(t, `base +100 % +100 % .* 0\.5 \(1\) +–`, text)
	require.Regexp(t, `dear +200 % +100 %`, text)
	require.Regexp(t, `cheap +150 % +100 %`, text)
	in := costInput(0)
	in.Costs = false
	require.NotContains(t, costTable(t, in), "200 %")
}

// Of the stacks that showed nothing the one of the fewest parts is named, then the one that calls least.
func TestSmallestStackThatHolds(t *testing.T) {
	line := func(in Input) string {
		_, rest, _ := strings.Cut(costTable(t, in), "smallest holds")
		return strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0])
	}
	require.Contains(t, line(costInput(0)), "cheap · a + c · 150 % of the calls")
	require.Contains(t, line(costInput(1)), "dear · a + b · 200 % of the calls")
	in := costInput(1)
	in.Stacks[1].Verdict = "fail" // a hunt broke it
	require.Contains(t, line(in), "none: every stack duplicates or loses")
}
