package reports

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

func changed(t *testing.T, was, is Input) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteChanges(&b, Side{"before", was}, Side{"after", is}))
	return b.String()
}

// TestChangesOfAModel: a new model epoch in which one stack no longer duplicates under pauses, and now loses under them.
func TestChangesOfAModel(t *testing.T) {
	was, is := testInput(20), testInput(20)
	is.Epoch, is.ScenarioHash = 2, "c0ffee0000000002"
	for i := range is.Rows {
		r := &is.Rows[i]
		r.Epoch, r.Scenario = 2, is.ScenarioHash
		if r.Stack == "at-least-once" && r.Fault == "pause" {
			r.Buckets[history.Done] += r.Buckets[history.Duplicated] - 9
			r.Buckets[history.Duplicated], r.Excess[history.Critical], r.Buckets[history.LostSilent] = 0, 0, 9
		}
		if r.Stack == "at-least-once" && r.Fault == "partition" && r.Seed == 1 {
			r.Excess[history.Critical]++ // inside the interval
		}
	}
	is.Stacks[2].Verdict, is.Stacks[2].Promises = "fail", map[string]string{"loss": "fail", "order (per key)": "pass"}
	golden(t, "changes.golden", []byte(changed(t, was, is)))
}

func TestNothingChanged(t *testing.T) {
	text := changed(t, testInput(20), testInput(20))
	require.Contains(t, text, "the same for every stack and promise")
	require.Contains(t, text, "0 changed beyond their intervals, 0 within, 50 have the same damage")
	require.NotContains(t, text, "gone")
}

func TestWhatOnlyOneSideHas(t *testing.T) {
	was, is := testInput(5), testInput(5)
	was.Stacks, is.Faults = was.Stacks[1:], is.Faults[:4]
	text := changed(t, was, is)
	require.Contains(t, text, "gone       pause, clock-skew")
	require.Contains(t, text, "new        fire-and-forget")
}

// TestAZeroIsNotAnInterval: one duplicate in twenty runs does not contradict none in twenty.
func TestAZeroIsNotAnInterval(t *testing.T) {
	zero, one := Cell{Runs: 20, PDuplicate: share(0, 20, 20), DuplicatesPerFault: mean(make([]int64, 20), 20)}, Cell{Runs: 20, Duplicates: 9}
	one.PDuplicate, one.DuplicatesPerFault = share(1, 20, 20), Interval{0.45, 0.3, 0.9} // lo above the bound of the share
	require.Empty(t, damageChanges(&zero, &one))
	one.PDuplicate = share(20, 20, 20)
	require.Len(t, damageChanges(&zero, &one), 1)
}
