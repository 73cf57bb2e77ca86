package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// aimed is one run of a stack under a plan that aims.
func aimed(t *testing.T, sc *Scenario, stack string, plan ...string) *Result {
	t.Helper()
	r := planned(t, sc, stack, 7, &Memory{}, plan...)
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
		require.Equal(t, c.killed, extraCharges(aimed(t, sc, c.stack, kill)), c.stack)
		require.Equal(t, c.lost, extraCharges(aimed(t, sc, c.stack, lose)), c.stack)
	}
}

// What forgets by a clock forgets when the clock is wrong.
func TestPermanentKeySurvivesAWrongClock(t *testing.T) {
	const (
		kill = "when payments.charge/applied{event=order-5} #1 kill $caller for 1s"
		skew = "when payments.charge/replied{event=order-6} #1 skew payments-1 by 25h for 60s"
	)
	sc := brief(t)
	require.Equal(t, int64(1), extraCharges(aimed(t, sc, "key-event-stage", kill, skew)))
	require.Zero(t, extraCharges(aimed(t, sc, "permanent-key", kill, skew)))
}

// C21: what a process remembers dies with it; a cache in front of a store does not matter.
func TestDedupCacheFailsOnRestart(t *testing.T) {
	const kill = "when notifier.present/arrived{event=order-5} #1 kill $caller for 1s"
	sc := brief(t)
	r := aimed(t, sc, "dedup-cache", kill)
	require.Equal(t, int64(1), extraCharges(r))
	require.Contains(t, r.Verdicts.Fingerprints(), "duplicate-effect (critical)/charge/dedup-record-lost")
	for _, variant := range []string{"cached-durable", "durable"} {
		sc.stackNamed("dedup-cache").Layers[2].With["variant"] = variant
		require.Zero(t, extraCharges(aimed(t, sc, "dedup-cache", kill)), variant)
	}
}

// A window counts by the wall clock of the store: one that jumps ahead forgets at once.
func TestDedupWindowFollowsTheStoresClock(t *testing.T) {
	const (
		kill = "when notifier.present/arrived{event=order-5} #1 kill $caller for 1s"
		skew = "when notifier.present/arrived{event=order-5} #1 skew dedup-1 by 25h for 60s"
	)
	sc := brief(t)
	require.Zero(t, extraCharges(aimed(t, sc, "dedup-24h", kill)))
	r := aimed(t, sc, "dedup-24h", kill, skew)
	require.Equal(t, int64(1), extraCharges(r))
	require.Contains(t, r.Verdicts.Fingerprints(), "duplicate-effect (critical)/charge/dedup-record-expired")
	require.Zero(t, extraCharges(aimed(t, sc, "dedup-durable", kill, skew)))
}

// A window shorter than the time after which an event comes again is no protection, with every clock right.
func TestDedupWindowShorterThanTheRedelivery(t *testing.T) {
	const pause = "when notifier.present/sent{event=order-5} #1 pause $node for 60s"
	sc := brief(t)
	sc.stackNamed("dedup-24h").Layers[2].With["window"] = "5s"
	r := aimed(t, sc, "dedup-24h", pause)
	require.Positive(t, extraCharges(r))
	require.Contains(t, r.Verdicts.Fingerprints(), "duplicate-effect (critical)/charge/dedup-record-expired")
	require.Zero(t, extraCharges(aimed(t, sc, "dedup-durable", pause)))
}

// A consumer is paused right before a charge, its partition moves, the successor charges, and then the zombie's call
// goes out. Only a party that checks at the service stops it; a lease that nobody checks there does not.
func TestFenceStopsAZombieAtTheService(t *testing.T) {
	const pause = "when payments.charge/sent{event=order-5} #1 pause $node for 60s"
	sc := brief(t)
	require.Positive(t, extraCharges(aimed(t, sc, "at-least-once", pause)))
	for variant, extra := range map[string]int64{"generation": 0, "token": 0, "lease": 1, "none": extraCharges(aimed(t, sc, "at-least-once", pause))} {
		sc.stackNamed("fenced").Layers[2].With["variant"] = variant
		require.Equal(t, extra, extraCharges(aimed(t, sc, "fenced", pause)), variant)
	}
}

// Over partitions and pauses at moments nobody chose: once the service has heard of a generation, no earlier one is
// applied, and little of the damage is left. The rest is what was done before the partition moved.
func TestFencedUnderPartitionAndPause(t *testing.T) {
	alone(t)
	sc := payments(t)
	sc.Phases.Chaos = 30 * nsSecond
	mem := &Memory{}
	var plain, fenced int64
	for _, fault := range []string{"partition", "pause"} {
		for seed := range uint64(8) {
			plain += extraCharges(measured(t, sc, "at-least-once", fault, seed+1, mem))
			r := measured(t, sc, "fenced", fault, seed+1, mem)
			fenced += extraCharges(r)
			require.Zero(t, r.Row.Losses())
			newest := int64(0)
			for _, f := range r.History.Facts {
				if f.Kind == history.KindApplied && f.Resource == "payments" {
					require.GreaterOrEqual(t, f.Fence, newest)
					newest = f.Fence
				}
			}
			require.Positive(t, newest)
		}
	}
	t.Logf("extra charges: %d without the fence, %d with it", plain, fenced)
	require.Less(t, 2*fenced, plain)
}

// The flow tells first and charges then, so that a failing charge repeats the notification. A stage record ends that;
// it does not close the gap between an effect and its record.
func TestStageRecordKeepsALaterFailureFromRepeatingAnEffect(t *testing.T) {
	const (
		lose = "at 9s lose-reply payments"
		kill = "when notifier.present/replied{event=order-5} #1 kill $caller for 1s"
		late = "when payments.charge/arrived{event=order-5} #1 kill $caller for 1s"
	)
	sc := brief(t)
	sc.Flow[2], sc.Flow[3] = sc.Flow[3], sc.Flow[2]
	notified := func(stack, plan string) int64 { return aimed(t, sc, stack, plan).Row.Excess[history.Notify] }
	for _, c := range []struct {
		variant          string // "" = without the layer
		lost, gap, after int64
	}{
		{"", 1, 1, 1},
		{"memory", 0, 1, 1},
		{"durable", 0, 1, 0},
	} {
		name := "at-least-once"
		if c.variant != "" {
			name = "stage-record-durable"
			sc.stackNamed(name).Layers[2].With["variant"] = c.variant
		}
		require.Equal(t, c.lost, notified(name, lose), "%q: the charge is retried in place", c.variant)
		require.Equal(t, c.gap, notified(name, kill), "%q: killed between effect and record", c.variant)
		require.Equal(t, c.after, notified(name, late), "%q: killed after the record", c.variant)
	}
}

// M23: a budget parks what an outage outlasts, and the rest goes on; without one nothing is parked, and everything behind
// the first failure waits for the end, past its deadline.
func TestRetryWithoutABudgetBlocksUntilTheOutageEnds(t *testing.T) {
	const outage = "at 12s refuse payments for 4m"
	sc := payments(t)
	sc.Phases.Chaos = 20 * nsSecond
	budget, blocking := aimed(t, sc, "at-least-once", outage), aimed(t, sc, "retry-blocking", outage)
	require.Positive(t, budget.Row.Buckets[history.ParkedB])
	require.Zero(t, blocking.Row.Buckets[history.ParkedB])
	require.Greater(t, blocking.Row.Buckets[history.Late], budget.Row.Buckets[history.Late])
	require.Zero(t, extraCharges(blocking), "nobody was charged while it lasted")
	t.Logf("with a budget %d late and %d parked, without one %d late", budget.Row.Buckets[history.Late], budget.Row.Buckets[history.ParkedB], blocking.Row.Buckets[history.Late])
}

// C20b: the primary dies between its answer and the replica's hearing of it. A consumer that lives does not care; if the
// event also comes again, the promoted replica grants what was done. A store that is durable on one node makes it wait.
func TestFailOverOfTheDedupStore(t *testing.T) {
	const (
		fail = "when notifier.present/sent{event=order-5} #1 kill $leader(dedup/0) for 60s"
		kill = "when notifier.present/sent{event=order-5} #1 kill $caller for 1s"
	)
	sc := brief(t)
	require.Zero(t, extraCharges(aimed(t, sc, "dedup-replicated", fail)))
	require.Zero(t, extraCharges(aimed(t, sc, "dedup-replicated", kill)))
	r := aimed(t, sc, "dedup-replicated", fail, kill)
	require.Equal(t, int64(1), extraCharges(r))
	require.True(t, r.Row.Outside, "two faults")
	require.Contains(t, r.Verdicts.Fingerprints(), "duplicate-effect (critical)/charge/dedup-record-lost")
	require.Zero(t, extraCharges(aimed(t, sc, "dedup-durable", "when notifier.present/sent{event=order-5} #1 kill dedup-1 for 60s", kill)))

	during := func(stack, plan string) int {
		return len(between(aimed(t, sc, stack, plan), history.KindApplied, 13, 60))
	}
	require.Zero(t, during("dedup-durable", "at 9s kill dedup-1 for 60s"))
	require.Positive(t, during("dedup-replicated", "at 9s kill $leader(dedup/0) for 60s"), "the replica is promoted long before the primary is back")
}
