package scenarios

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim/history"
)

// A stack that promises something says how far: each bound is a number, and at that number the promise still holds.
// The plans load one dimension right up to its bound; a party may be a
// service, a consumer or the stack's own store.
func TestStacksKeepTheirPromisesUpToTheBounds(t *testing.T) {
	alone(t)
	for _, name := range []string{"payments", "variants"} {
		t.Run(name, func(t *testing.T) { keepUpToTheBounds(t, name) })
	}
}

func keepUpToTheBounds(t *testing.T, scenario string) {
	sc, err := Load(scenario)
	require.NoError(t, err)
	mem := &Memory{}
	sc.Phases.Chaos = 20 * nsSecond
	plans := map[history.Dimension][]string{
		history.Outage:    {"at 12s refuse payments,notifier for BOUND", "at 12s partition consumer from broker for BOUND", "at 12s kill dedup-1 for BOUND"},
		history.ClockSkew: {"at 12s skew payments-1 by BOUND for 1m", "at 12s skew dedup-1 by BOUND for 1m"},
	}
	for i := range sc.Stacks {
		st := &sc.Stacks[i]
		require.NotEmpty(t, st.Contract.Envelope, "%s promises without a limit", st.Name)
		for _, b := range st.Contract.Envelope {
			if b.Max == 0 {
				continue // nothing of the dimension
			}
			for _, plan := range plans[b.Dimension] {
				if strings.Contains(plan, "dedup") && !sc.CanHappen(st.Name, "dedup-down") {
					continue
				}
				r := keptAt(t, sc, st, mem, strings.Replace(plan, "BOUND", boundText(b), 1))
				require.False(t, r.Row.Outside, "%s: %s", st.Name, plan)
			}
		}
	}
}

// keptAt is a run in which no promise of the stack is broken or undecided.
func keptAt(t *testing.T, sc *Scenario, st *Stack, mem *Memory, plan string) *Result {
	t.Helper()
	r, err := Run(&Case{Version: CaseVersion, Witness: Witness{Seed: 1},
		Intent: Intent{Scenario: sc, Stack: st.Name, Fault: "none", PlanType: PlanMeasuring, Plan: []string{plan}}}, mem)
	require.NoError(t, err)
	why, bad := r.Failed()
	require.False(t, bad, "%s: %s: %s", st.Name, plan, why)
	for _, p := range checker.Promised(st.Contract) {
		require.Zero(t, r.Row.Violations[string(p)], "%s: %s: %s", st.Name, plan, p)
		require.Zero(t, r.Row.Undecided[string(p)], "%s: %s: %s", st.Name, plan, p)
		require.Positive(t, r.Row.Exercised[string(p)])
	}
	return r
}

// A horizon is measured from the first delivery: a replay that comes after the bound less chaos and the limits of both drains is surely inside, and
// one just beyond the bound shows why it is there.
func TestStacksKeepTheirPromisesUpToTheHorizon(t *testing.T) {
	alone(t)
	sc, mem := payments(t), &Memory{}
	sc.Phases.Chaos = 20 * nsSecond
	for _, name := range []string{"key-event-stage", "dedup-24h"} {
		st := sc.stackNamed(name)
		keptAt(t, sc, st, mem, "after drain 23h50m replay workers") // the drain took seconds, not its limit
		r := keptAt(t, sc, st, mem, "after drain 23h replay workers")
		require.False(t, r.Row.Outside)
		r = planned(t, sc, name, 1, mem, "after drain 24h1m replay workers")
		require.True(t, r.Row.Outside)
		require.Positive(t, r.Row.Excess[history.Critical])
	}
}
