package scenarios

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// edgesOf measures the bounds of a stack under fault kinds.
func edgesOf(t *testing.T, sc *Scenario, workers int, kinds []string, stacks ...string) []history.Edge {
	t.Helper()
	edges, err := (&EdgeSearch{Scenario: sc, Stacks: stacks, Kinds: kinds, Base: 1, Workers: workers}).Do(context.Background())
	require.NoError(t, err)
	return edges
}

var forgetting = []string{"clock-skew", "late-replay"}

const day = int64(24 * sim.Hour)

// A key of a day is forgotten by a day: of a replay that long after the work, and of a processor whose clock is that far
// ahead when a killed consumer's work comes again. The clock of nobody else matters to it.
func TestEdgesOfAKeyOfADay(t *testing.T) {
	alone(t)
	edges := edgesOf(t, brief(t), 2, forgetting, "key-event-stage")
	require.Len(t, edges, 2)
	skew, replay := edges[0], edges[1]
	require.Equal(t, []any{history.ClockSkew, history.RedeliveryHorizon}, []any{skew.Dimension, replay.Dimension})
	for _, e := range edges {
		require.InDelta(t, day, e.Breaks, float64(day/50), e.Fault)
		require.InDelta(t, day, e.Holds, float64(day/50), e.Fault)
		require.Equal(t, history.BoundTrue, e.Standing(), e.Fault)
		require.Zero(t, e.Breaches+int(e.Again), e.Fault)
	}
	require.Equal(t, []string{"broker", "consumer", "controller", "customers", "notifier", "payments", "producer"}, skew.Targets)
	require.Equal(t, []string{"payments"}, skew.At(skew.Breaks).Targets)
	require.Equal(t, 500*int64(sim.Millisecond), skew.Inside)
	require.Less(t, replay.Inside, day, "the room that chaos and drain take")
	require.Equal(t, edgeRuns, replay.At(replay.Breaks).Broken)
}

// What is kept for ever has no edge, in a week.
func TestNoEdgeOfAPermanentKey(t *testing.T) {
	alone(t)
	sc := brief(t)
	sc.stackNamed("permanent-key").Contract.Envelope = sc.stackNamed("key-event-stage").Contract.Envelope
	for _, e := range edgesOf(t, sc, 2, forgetting, "permanent-key") {
		require.Equal(t, []int64{7 * day, 0}, []int64{e.Holds, e.Breaks}, e.Fault)
	}
}

// A bound that is too wide is broken inside the envelope, also where only one size that was tried shows it.
func TestADeclaredBoundThatIsWrong(t *testing.T) {
	alone(t)
	sc := brief(t)
	sc.Phases.Chaos = int64(20 * nsSecond) // what comes again comes before the clock is right again
	st := sc.stackNamed("dedup-24h")
	st.Layers[2].With["window"] = "10m"
	st.Contract.Envelope = []history.Bound{{Dimension: history.ClockSkew, Max: 15 * int64(sim.Minute)}}
	edges, err := (&EdgeSearch{Scenario: sc, Stacks: []string{"dedup-24h"}, Kinds: forgetting, Base: 1, Workers: 2, Limit: 20 * int64(sim.Minute)}).Do(context.Background())
	require.NoError(t, err)
	e := edges[0]
	require.Equal(t, history.BoundWrong, e.Standing())
	require.Positive(t, e.Breaches)
	require.Equal(t, []string{"dedup"}, e.At(e.Breaks).Targets)
	require.InDelta(t, 10*int64(sim.Minute), e.Breaks, float64(20*sim.Second))

	// Its case is one of the runs that the edge rests on.
	c, err := EdgeCase(sc, &e, 0)
	require.NoError(t, err)
	require.Equal(t, []any{PlanHunting, e.At(e.Breaks).Seed}, []any{c.Intent.PlanType, c.Witness.Seed})
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	require.False(t, r.Row.Outside)
	require.Positive(t, r.Row.Violations[string(history.PropDuplicateCritical)])
}

// Who does the searches changes nothing; their parts are those of the whole.
func TestEdgesAreTheSameForAnyWorkers(t *testing.T) {
	sc := brief(t)
	search := EdgeSearch{Scenario: sc, Stacks: []string{"fire-and-forget", "dedup-24h"}, Kinds: []string{"late-replay", "consumer-kill"}, Base: 1,
		Limit: 20 * int64(sim.Second)}
	done := func(workers int, shard [2]int) []history.Edge {
		s := search
		s.Workers, s.Shard = workers, shard
		edges, err := s.Do(context.Background())
		require.NoError(t, err)
		return edges
	}
	whole := done(1, [2]int{})
	require.Len(t, whole, 3)
	require.Equal(t, whole, done(3, [2]int{}))
	var parts []history.Edge
	for i := range 2 {
		parts = append(parts, done(1, [2]int{i + 1, 2})...)
	}
	require.ElementsMatch(t, whole, parts)
	require.Equal(t, history.BoundEmpty, whole[0].Standing(), "a bound of nothing")

	stopped, stop := context.WithCancel(context.Background())
	stop()
	_, err := search.Do(stopped)
	require.ErrorIs(t, err, context.Canceled)
}

// The plans of one run at two sizes differ in the size alone.
func TestEdgePlansArePaired(t *testing.T) {
	sc := payments(t)
	for _, name := range []string{"clock-skew", "late-replay", "downstream-outage", "partition"} {
		kind, _ := history.FaultKindByName(name)
		p, err := newEdgePlans(sc, "key-event-stage", kind, 1, 0)
		require.NoError(t, err)
		for i := range p.runs() {
			small, err := p.plan(i, 1000)
			require.NoError(t, err)
			large, err := p.plan(i, 2000)
			require.NoError(t, err)
			require.NotEqual(t, faults.Lines(small), faults.Lines(large))
			for j := range small {
				f := &large[j]
				switch {
				case j > 0: // the companion
				case name == "clock-skew":
					f.By = 1000
				case name == "late-replay":
					f.Trigger.At = 1000
				default:
					f.For = 1000
				}
			}
			require.Equal(t, faults.Lines(small), faults.Lines(large))
		}
	}
}

// A key of a day does not stand a replay that comes a day after the drain, because the work lies further back than the
// drain's end. Its contract says nothing of such a replay, and nothing of it is called broken.
func TestAReplayNeedsRoomInsideTheHorizon(t *testing.T) {
	sc := payments(t)
	late := planned(t, sc, "key-event-stage", 5, &Memory{}, "after drain 23h59m replay workers")
	require.Positive(t, late.Row.Excess[history.Critical])
	require.True(t, late.Row.Outside)
	plan := func(lines ...string) []faults.Fault {
		parsed, err := faults.ParseLines(lines)
		require.NoError(t, err)
		return parsed
	}
	room := 2*(sc.Phases.Chaos+sc.Phases.Drain) + 1
	at := sim.Duration(day - room).String()
	in, _ := sc.Inside("key-event-stage", plan("after drain "+at+" replay workers"))
	require.True(t, in)
	in, d := sc.Inside("key-event-stage", plan("after drain "+at+" replay workers", "at 40s join consumer for 1ns"))
	require.False(t, in, "the heal waits for it")
	require.Equal(t, history.RedeliveryHorizon, d)
	in, _ = sc.Inside("key-event-stage", plan("after drain "+at+" replay workers", "after drain 0s replay workers"))
	require.False(t, in, "a drain more")
	in, _ = sc.Inside("at-most-once", plan("at 40s kill consumer-1 for 1s"))
	require.True(t, in, "a bound of 0s forbids replays and nothing else")
	in, _ = sc.Inside("at-most-once", plan("after drain 0s replay workers"))
	require.False(t, in)
}
