package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// planned is one run of a stack under a plan that aims.
func planned(t *testing.T, sc *Scenario, stack string, plan ...string) *Result {
	t.Helper()
	c := &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: stack, Fault: "none", PlanType: PlanHunting, Plan: plan}, Witness: Witness{Seed: 7}}
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	why, bad := r.Failed()
	require.False(t, bad, "%s: %s", stack, why)
	require.Equal(t, int64(len(plan)), r.Row.FaultsFired, "%s: every fault of the plan takes effect", stack)
	require.Zero(t, r.Row.Losses(), stack)
	return r
}

// extraCharges is how often charges were applied once too often.
func extraCharges(r *Result) int64 { return r.Row.Excess[history.Critical] }

// brief is the scenario payments with less to do: runs that aim at order-5 need no more.
func brief(t *testing.T) *Scenario {
	sc := payments(t)
	sc.Phases.Chaos = int64(5 * nsSecond)
	return sc
}

// A key is worth what it has in common with that of the repetition.
func TestKeysUnderAKillAndALostReply(t *testing.T) {
	const (
		kill = "when payments.charge/applied{event=order-5} #1 kill $caller for 1s"
		lose = "at 9s lose-reply payments"
	)
	sc := brief(t)
	for _, c := range []struct {
		stack        string
		killed, lost int64
	}{
		{"at-least-once", 1, 1},
		{"key-per-attempt", 1, 1},
		{"key-event-stage", 0, 0},
		{"permanent-key", 0, 0},
	} {
		require.Equal(t, c.killed, extraCharges(planned(t, sc, c.stack, kill)), c.stack)
		require.Equal(t, c.lost, extraCharges(planned(t, sc, c.stack, lose)), c.stack)
	}
}

// What forgets by a clock forgets when the clock is wrong.
func TestPermanentKeySurvivesAWrongClock(t *testing.T) {
	const (
		kill = "when payments.charge/applied{event=order-5} #1 kill $caller for 1s"
		skew = "when payments.charge/replied{event=order-6} #1 skew payments-1 by 25h until heal"
	)
	sc := brief(t)
	require.Equal(t, int64(1), extraCharges(planned(t, sc, "key-event-stage", kill, skew)))
	require.Zero(t, extraCharges(planned(t, sc, "permanent-key", kill, skew)))
}
