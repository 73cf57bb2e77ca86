package faults

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

func poissonPlan(t *testing.T, multiplier int64, seed uint64, all ...Occurrence) []Fault {
	t.Helper()
	m, err := Poisson(multiplier, seed, demoSpace(), all)
	require.NoError(t, err)
	return m.Plan()
}

// Counts are those of Poisson processes: mean and variance of a run's faults are what rate × time says, kind by kind,
// and the multiplier is common to all kinds.
func TestPoissonPlansComeAsOftenAsTheyShould(t *testing.T) {
	chaos := demoSpace().ChaosEnd - demoSpace().ChaosBegin
	kill, lost := Occurrence{"consumer-kill", 1, 20 * chaos}, Occurrence{"reply-lost", 3, 20 * chaos}
	const runs, multiplier = 4000, 10 // 0.5 kills and 1.5 lost replies a run
	var sum, square [2]float64
	for seed := range uint64(runs) {
		var n [2]float64
		at := int64(-1)
		for _, f := range poissonPlan(t, multiplier, seed, kill, lost) {
			require.GreaterOrEqual(t, f.Trigger.At, max(at, demoSpace().ChaosBegin))
			require.Less(t, f.Trigger.At, demoSpace().ChaosEnd)
			at = f.Trigger.At
			n[one(f.Verb == "lose-reply")]++
		}
		for i := range n {
			sum[i], square[i] = sum[i]+n[i], square[i]+n[i]*n[i]
		}
	}
	for i, want := range []float64{0.5, 1.5} {
		mean := sum[i] / runs
		require.InDelta(t, want, mean, 0.06)
		require.InDelta(t, want, square[i]/runs-mean*mean, 0.15, "a Poisson count varies as much as it is large")
	}
}

func TestPoissonPlansDependOnWhatTheySay(t *testing.T) {
	chaos := demoSpace().ChaosEnd - demoSpace().ChaosBegin
	kill, lost := Occurrence{"consumer-kill", 1, chaos}, Occurrence{"reply-lost", 1, chaos}
	both := Lines(poissonPlan(t, 3, 7, kill, lost))
	require.Equal(t, both, Lines(poissonPlan(t, 3, 7, lost, kill)), "another order of the kinds changes nothing")
	require.Subset(t, both, Lines(poissonPlan(t, 3, 7, kill)), "nor does one kind more")
	require.NotEqual(t, both, Lines(poissonPlan(t, 3, 8, kill, lost)))
	require.NotEqual(t, both, Lines(poissonPlan(t, 4, 7, kill, lost)))
	require.Empty(t, poissonPlan(t, 1, 7, Occurrence{"pause", 1, maxPer}))
}

func TestPoissonPlansRefused(t *testing.T) {
	for want, o := range map[string]Occurrence{
		"could recur":               {"none", 1, second},
		`no fault kind "pausee"`:    {"pausee", 1, second},
		"after a run, not in it":    {"late-replay", 1, second},
		"pause: 0 in":               {"pause", 0, second},
		"more than 1000 faults":     {"pause", 1_000_000, second},
		"reply-lost: 1 in 1 ns":     {"reply-lost", 1, 1},
		"rebalance: 2000000000 in ": {"rebalance", 2_000_000_000, second},
	} {
		_, err := Poisson(1, 1, demoSpace(), []Occurrence{o})
		require.ErrorContains(t, err, want)
	}
	_, err := Poisson(0, 1, demoSpace(), nil)
	require.ErrorContains(t, err, "multiplier 0")
}

// A profile says how often each party is hit; a system has some of them.
func TestRecurring(t *testing.T) {
	e := Exposure{Lines: []Frequency{
		{Kind: "consumer-kill", Rate: Rate{2, day, RoleConsumer}}, {Kind: "pause", Rate: Rate{0, day, RoleConsumer}},
		{Kind: "rebalance", Rate: Rate{1, day, ScopeSystem}}, {Kind: "late-replay", Rate: Rate{1, day, ScopeSystem}},
	}}
	all := e.Recurring([]string{"none", "consumer-kill", "pause", "late-replay"}, demoSpace().Parties)
	require.Equal(t, []Occurrence{{"consumer-kill", 2 * int64(demoSpace().Members), day}}, all)
	multiplier, ok := history.ParsePoissonFault(history.PoissonFault(200))
	require.True(t, ok)
	require.Equal(t, int64(200), multiplier)
	for _, other := range []string{"", "hunt", "poisson-x", "poisson-x0", "poisson-x01", "poisson-x-1", "poisson-x+1"} {
		_, ok := history.ParsePoissonFault(other)
		require.False(t, ok, other)
	}
}
