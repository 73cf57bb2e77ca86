package scenarios

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// planned runs one run with a plan written by hand.
func planned(t testing.TB, sc *Scenario, stack string, seed uint64, mem *Memory, lines ...string) *Result {
	t.Helper()
	r, err := Run(&Case{Version: CaseVersion, Witness: Witness{Seed: seed},
		Intent: Intent{Scenario: sc, Stack: stack, Fault: "none", PlanType: PlanHunting, Plan: lines}}, mem)
	require.NoError(t, err)
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind, "%v seed %d: %s", lines, seed, r.Stop.Detail)
	return r
}

// between are the facts of a kind within (from, to), in seconds of the run.
func between(r *Result, kind history.Kind, from, to int64) (out []history.Fact) {
	for _, f := range r.History.Facts {
		if f.Kind == kind && f.Time > from*int64(sim.Second) && f.Time < to*int64(sim.Second) {
			out = append(out, f)
		}
	}
	return out
}

// What a partition does is decided by who is deaf. Both ways, and with a deaf broker, the member's heartbeats are lost:
// its session ends, its partitions move, and what it had in hand is done again. A deaf member's heartbeats arrive: it
// keeps its partitions, nobody works on them, and its commit is asked for again and again although each arrives; when
// it hears again it goes on where it was, and nothing was done twice.
func TestOneWayPartition(t *testing.T) {
	alone(t)
	sc, mem := payments(t), &Memory{}
	type seen struct{ evicted, delivered, committed, duplicates int64 }
	watch := func(line string) (sum seen) {
		for seed := uint64(1); seed <= 6; seed++ {
			r := planned(t, sc, "at-least-once", seed, mem, line)
			sum.evicted += int64(len(between(r, history.KindEvicted, 20, 40)))
			for _, f := range between(r, history.KindDelivered, 20, 40) {
				if f.Node == "consumer-1" {
					sum.delivered++
				}
			}
			moved := false
			for _, f := range between(r, history.KindCommitted, 21, 40) { // what was on its way at 20 s has arrived by 21 s
				moved = moved || f.Cause != 0 && r.History.At(f.Cause).Node == "consumer-1"
			}
			if moved {
				sum.committed++
			}
			sum.duplicates += r.Row.Excess[history.Critical]
			require.Zero(t, r.Row.Losses(), line)
		}
		return sum
	}
	both := watch("at 20s partition consumer-1 from broker for 20s")
	require.Equal(t, int64(6), both.evicted)
	require.Zero(t, both.delivered)
	require.Zero(t, both.committed)
	require.Positive(t, both.duplicates)

	member := watch("at 20s drop-inbound consumer-1 from broker for 20s")
	require.Equal(t, int64(6), member.evicted, "a heartbeat that is not answered makes it look for another coordinator, and it hears of none")
	require.Zero(t, member.delivered)

	broker := watch("at 20s drop-inbound broker from consumer-1 for 20s")
	require.Equal(t, int64(6), broker.evicted)
	require.Zero(t, broker.committed)
	require.Positive(t, broker.delivered, "the long poll that was parked at the broker is still answered")
	require.Positive(t, broker.duplicates, "and its records are done again elsewhere")
}

// A rolling deploy duplicates exactly where a grace period cuts work off: with the usual 5 s every member finishes,
// commits and leaves; with 20 ms members die with a delivery in hand.
func TestDeployDuplicatesWhenTheGraceIsTooShort(t *testing.T) {
	alone(t)
	sc, mem := payments(t), &Memory{}
	duplicates := int64(0)
	for seed := uint64(1); seed <= 6; seed++ {
		r := planned(t, sc, "at-least-once", seed, mem, "at 20s deploy consumer grace 5s pause 3s")
		began := between(r, history.KindFaultBegan, 19, 21)[0]
		stops := between(r, history.KindStopped, 0, 1000)
		require.Len(t, stops, 3, "each member once")
		for i, f := range stops {
			require.Equal(t, []any{"consumer-" + itoa(i+1), "graceful", began.ID}, []any{f.Node, f.Note, f.Cause})
			boot := between(r, history.KindBooted, 20, 1000)[i]
			require.Equal(t, []any{f.Node, f.Time, int32(2)}, []any{boot.Node, boot.Time, boot.Incarnation}, "back at once, as the new version")
			require.GreaterOrEqual(t, f.Time-began.Time, int64(i)*3*int64(sim.Second), "a pause between them")
		}
		require.Zero(t, r.Row.Excess[history.Critical])
		require.Zero(t, r.Row.Losses())

		r = planned(t, sc, "at-least-once", seed, mem, "at 20s deploy consumer grace 20ms")
		cutOff := int64(0)
		for _, f := range between(r, history.KindStopped, 0, 1000) {
			if f.Note == "kill" {
				cutOff += inHand(r, f.Node, f.ID)
			}
		}
		require.LessOrEqual(t, r.Row.Excess[history.Critical], cutOff, "a kill of an idle member costs nothing")
		duplicates += r.Row.Excess[history.Critical]
		require.Zero(t, r.Row.Losses())
	}
	require.Positive(t, duplicates)
}

// inHand counts the deliveries that a node had not committed when a fact was recorded.
func inHand(r *Result, node string, at int64) (open int64) {
	for _, f := range r.History.Facts[:at-1] {
		switch {
		case f.Kind == history.KindDelivered && f.Node == node:
			open++
		case f.Kind == history.KindCommitted && f.Cause != 0 && r.History.At(f.Cause).Node == node:
			open = 0
		}
	}
	return open
}

// withKeep is payments with another keeping time of keys.
func withKeep(t testing.TB, keep string) *Scenario {
	sc := payments(t)
	for i := range sc.Stacks {
		for j := range sc.Stacks[i].Layers {
			if l := &sc.Stacks[i].Layers[j]; l.Kind == "idempotency-key" {
				l.With["keep"] = keep
			}
		}
	}
	return sc
}

// Keys age on the wall clock of the service that keeps them. Its clock steps an hour ahead just when an order has been
// charged and its consumer dies: when the order comes again a key that is kept for 10 minutes has expired and the
// order is charged twice; one that is kept for a day has not. A step back of the same size leaves every key young. A
// step of another node's clock, the consumer's, does nothing: it holds no keys.
func TestClockJumpAgainstTheKeepingTimeOfKeys(t *testing.T) {
	alone(t)
	mem := &Memory{}
	short, day := withKeep(t, "10m"), payments(t)
	for _, c := range []struct {
		sc         *Scenario
		jump       string
		duplicates int64
	}{
		{short, "payments-1 by 1h", 1},
		{short, "payments-1 by 5m", 0},
		{short, "payments-1 by -1h", 0},
		{short, "consumer by 1h", 0},
		{day, "payments-1 by 1h", 0},
		{day, "payments-1 by 25h", 1},
	} {
		const charged = "when payments.charge/applied{event=order-100} #1 "
		r := planned(t, c.sc, "key-event-stage", 1, mem, charged+"kill $caller for 1s", charged+"jump "+c.jump+" until heal")
		require.Equal(t, int64(2), r.Row.FaultsFired)
		require.Equal(t, c.duplicates, r.Row.Excess[history.Critical], c.jump)
		require.Equal(t, 1-c.duplicates, r.Row.Suppressed, c.jump)
		require.Zero(t, r.Row.Losses())
		require.True(t, r.Row.Outside, "an envelope of 500 ms promises nothing here")
	}
}

// The kind as it is drawn: an hour is far outside the envelope's clock skew and well inside the day that keys are kept,
// and no timer or session goes by a wall clock.
func TestClockJumpAtTheDefaults(t *testing.T) {
	alone(t)
	sc, mem := payments(t), &Memory{}
	for seed := uint64(1); seed <= 6; seed++ {
		r := measured(t, sc, "key-event-stage", "clock-jump", seed, mem)
		require.Equal(t, int64(1), r.Row.FaultsFired)
		require.Equal(t, r.Row.Offered, r.Row.Buckets[history.Done])
		require.Empty(t, between(r, history.KindEvicted, 0, 1000))
		require.True(t, r.Row.Outside)
	}
}

// While the store is down nobody can say what is a repetition, so nothing is charged: the claims fail, the consumers
// wait, and after 30 s they go on. Killed between claim and mark, the store comes back with the claim pending, and what
// comes again is parked. Nothing is lost and nothing is charged twice.
func TestDedupDown(t *testing.T) {
	alone(t)
	sc, mem := payments(t), &Memory{}
	settled := func(r *Result) {
		require.Zero(t, r.Row.Excess[history.Critical])
		require.Zero(t, r.Row.Losses())
		b := &r.Row.Buckets
		require.Equal(t, r.Row.Offered, b[history.Done]+b[history.Late]+b[history.ParkedB])
	}
	charges := func(r *Result, from, to int64) int {
		return len(slices.DeleteFunc(between(r, history.KindApplied, from, to), func(f history.Fact) bool { return f.Stage != "charge" }))
	}
	for seed := uint64(1); seed <= 4; seed++ {
		r := planned(t, sc, "dedup-durable", seed, mem, "at 20s kill dedup-1 for 30s")
		settled(r)
		require.Zero(t, charges(r, 21, 50), "what was claimed before 20 s is charged by 21 s")
		require.Positive(t, charges(r, 50, 90))
	}
	const claimed, charged = "when dedup.claim/applied{event=order-100} #1 ", "when payments.charge/applied{event=order-100} #1 "
	settled(planned(t, sc, "dedup-durable", 1, mem, claimed+"kill dedup-1 for 30s"))
	r := planned(t, sc, "dedup-durable", 1, mem, charged+"kill dedup-1 for 30s", charged+"kill $caller for 1s")
	settled(r)
	parked := between(r, history.KindParked, 0, 1000)
	require.Len(t, parked, 1)
	require.Equal(t, "order-100", parked[0].Event)
}

// Every stack meets the same plan. One without a store misses the fault, by a fact, and its run is the control's;
// a report is told that the cell cannot happen. A plan by hand that names a store which is not there is bad input.
func TestDedupDownWithoutAStore(t *testing.T) {
	alone(t)
	require.Equal(t, stack.DedupService, faults.RoleDedup)
	sc, mem := payments(t), &Memory{}
	var plans [][]string
	for _, st := range stacksOf(sc) {
		c, err := MeasuringCase(sc, st, "dedup-down", 1, 2)
		require.NoError(t, err)
		plans = append(plans, c.Intent.Plan)
		r := measured(t, sc, st, "dedup-down", 2, mem)
		missed := between(r, history.KindFaultMissed, 0, 1000)
		if sc.CanHappen(st, "dedup-down") {
			require.Contains(t, []string{"dedup-durable", "dedup-24h", "dedup-replicated"}, st)
			require.Equal(t, int64(1), r.Row.FaultsFired)
			require.Empty(t, missed)
			continue
		}
		require.Len(t, missed, 1, st)
		require.Equal(t, "dedup-1 is nobody at this moment", missed[0].Value)
		require.Equal(t, r.Row.Offered, r.Row.Buckets[history.Done])
	}
	for _, p := range plans {
		require.Equal(t, plans[0], p)
	}
	for _, k := range history.FaultKinds() {
		if !strings.HasPrefix(k.Name, "dedup-") {
			require.True(t, sc.CanHappen("at-least-once", k.Name), k.Name)
		}
	}
	_, err := Plan(&Case{Intent: Intent{Scenario: sc, Stack: "at-least-once", PlanType: PlanHunting, Plan: plans[0]}})
	require.ErrorContains(t, err, `unknown node or role "dedup-1"`)
}

// A store of one node has nobody to fail over to: the fault misses, by a fact, and the store goes on.
func TestDedupFailOverWithoutReplicas(t *testing.T) {
	require.Equal(t, store.SentinelService, stack.SentinelService)
	sc, mem := payments(t), &Memory{}
	for _, st := range []string{"at-least-once", "dedup-durable", "dedup-replicated"} {
		r := measured(t, sc, st, "dedup-failover", 2, mem)
		has := st == "dedup-replicated"
		require.Equal(t, has, sc.CanHappen(st, "dedup-failover"))
		require.Equal(t, has, r.Row.FaultsFired == 1, st)
		require.Equal(t, has, len(between(r, history.KindFaultMissed, 0, 1000)) == 0, st)
		require.Zero(t, r.Row.Excess[history.Critical])
	}
}
