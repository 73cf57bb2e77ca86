package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// A crash while the worker has a queue: the client has committed what nobody has done. In the loop, the same crash
// only repeats.
func TestHandOffLosesItsQueue(t *testing.T) {
	lost := func(stack string) (silent, duplicated int64) {
		c := &Case{Version: CaseVersion, Intent: Intent{Scenario: payments(t), Stack: stack, Fault: "downstream-outage", PlanType: PlanHunting,
			Plan: []string{"at 20s refuse payments for 1m", "at 40s kill consumer-1 for 1s"}}, Witness: Witness{Seed: 1}}
		r, err := Run(c, &Memory{})
		require.NoError(t, err)
		return r.Row.Buckets[history.LostSilent], r.Row.Buckets[history.Duplicated]
	}
	silent, _ := lost("hand-off")
	require.Greater(t, silent, int64(20))
	silent, duplicated := lost("auto-commit")
	require.Zero(t, silent)
	require.Positive(t, duplicated)
}

// The Java client commits in a poll what earlier polls returned, and the loop has done that by then; librdkafka commits by a
// timer what it has handed over, done or not: a crash in the middle of the work loses it, without any worker.
func TestStoredPositionsLoseWhatIsInWork(t *testing.T) {
	lost := func(client string) int64 {
		sc := payments(t)
		sc.Consumers.Client = client
		c := &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: "auto-commit", Fault: "downstream-outage", PlanType: PlanHunting,
			Plan: []string{"at 20s refuse payments for 1m", "at 40s kill consumer-1 for 1s"}}, Witness: Witness{Seed: 1}}
		r, err := Run(c, &Memory{})
		require.NoError(t, err)
		return r.Row.Buckets[history.LostSilent]
	}
	require.Zero(t, lost("java"))
	require.Positive(t, lost("librdkafka"))
}

// What comes again after a crash is what was done since the last commit: seconds of work instead of one batch.
func TestAutoCommitRepeatsMoreThanCommitAfter(t *testing.T) {
	alone(t)
	sc, mem := payments(t), &Memory{}
	extra := func(stack string) (sum int64) {
		for seed := uint64(1); seed <= 12; seed++ {
			sum += measured(t, sc, stack, "consumer-kill", seed, mem).Row.Excess[history.Critical]
		}
		return sum
	}
	require.Greater(t, extra("auto-commit"), 3*extra("at-least-once"))
}
