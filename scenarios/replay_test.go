package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

func factsOf(r *Result, wanted func(*history.Fact) bool) (out []history.Fact) {
	for i := range r.History.Facts {
		if f := &r.History.Facts[i]; wanted(f) {
			out = append(out, *f)
		}
	}
	return out
}

func ofKind(k history.Kind) func(*history.Fact) bool {
	return func(f *history.Fact) bool { return f.Kind == k }
}

func notes(facts []history.Fact) (out []string) {
	for _, f := range facts {
		out = append(out, f.Note)
	}
	return out
}

// An operator who sets the group back a day later has everything done again, unless a record of it is still there: a key
// of a day is not, one that is kept for ever is, and so is the store's.
func TestLateReplay(t *testing.T) {
	alone(t)
	permanent := payments(t)
	permanent.stackNamed("key-event-stage").Layers[2].With["keep"] = "0s"
	mem := &Memory{}
	for _, c := range []struct {
		name, stack string
		sc          *Scenario
		again       bool // done again
		outside     bool
	}{
		{name: "fire-and-forget", stack: "fire-and-forget", again: true, outside: true},
		{name: "at-most-once", stack: "at-most-once", again: true, outside: true},
		{name: "at-least-once", stack: "at-least-once", again: true},
		{name: "a key of a day", stack: "key-event-stage", again: true, outside: true},
		{name: "a key for ever", stack: "key-event-stage", sc: permanent, outside: true}, // its envelope says a day all the same
		{name: "dedup-durable", stack: "dedup-durable"},
	} {
		if c.sc == nil {
			c.sc = payments(t)
		}
		r := measured(t, c.sc, c.stack, "late-replay", 2, mem)
		require.Equal(t, sim.StopQuiescent, r.Stop.Kind, c.name)
		require.Equal(t, c.outside, r.Row.Outside, c.name)
		require.Equal(t, []int64{1, 1}, []int64{r.Row.FaultsFired, r.Row.FaultsHit}, "%s: the replay touches what comes again", c.name)
		require.Equal(t, r.Row.Offered, r.Row.Redelivered, c.name)
		require.Equal(t, r.Row.Offered, r.Row.Excess[history.Notify], "%s: nothing recognises a repeated notification", c.name)
		if c.again {
			require.Equal(t, r.Row.Offered, r.Row.Excess[history.Critical], c.name)
			require.Contains(t, r.Row.Prints, "duplicate-effect (critical)/charge/redelivered-after-replay", c.name)
		} else {
			require.Zero(t, r.Row.Excess[history.Critical], c.name)
			require.Equal(t, r.Row.Offered, r.Row.Suppressed, c.name)
		}
		require.Zero(t, r.Row.Losses(), c.name)
		require.Zero(t, r.Row.Recovery, "%s: all had been done when the operator came", c.name)
	}
}

// What the operator does is told step by step, with the fault as the cause: members stop, positions go back, members
// start, everything is handed out again.
func TestOperatorSteps(t *testing.T) {
	r := measured(t, payments(t), "at-least-once", "late-replay", 1, &Memory{})
	require.Equal(t, []string{"warm-up", "chaos", "heal", "drain", "quiet", "replay", "drain"}, notes(factsOf(r, ofKind(history.KindPhase))))
	fault := factsOf(r, ofKind(history.KindFaultBegan))[0]
	phases := factsOf(r, ofKind(history.KindPhase))
	require.Equal(t, 26*int64(sim.Hour), fault.Time-phases[4].Time, "the time counts from the end of the drain")
	require.Equal(t, "consumer-1,consumer-2,consumer-3", fault.Value)

	var steps []string
	for _, f := range factsOf(r, ofKind(history.KindOperated)) {
		steps = append(steps, f.Op+" "+f.Resource)
		require.Equal(t, []any{"operator-1", fault.ID}, []any{f.Node, f.Cause})
	}
	require.Equal(t, []string{"stop workers", "reset orders/0", "reset orders/1", "reset orders/2", "reset orders/3", "reset orders/4", "reset orders/5", "start workers"}, steps)
	stopped := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindStopped })
	require.Equal(t, []string{"graceful", "graceful", "graceful"}, notes(stopped))
	for _, f := range stopped {
		require.Equal(t, "stop", r.History.At(f.Cause).Op)
	}
	back := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindCommitted && f.Fence == wire.NoGeneration })
	require.Len(t, back, 6)
	for _, f := range back {
		reset := r.History.At(f.Cause)
		require.Equal(t, []any{"reset", f.Resource, int64(0)}, []any{reset.Op, reset.Resource, f.Offset})
		require.Greater(t, f.ID, stopped[2].ID, "the coordinator takes it from a group without members only")
	}
	ended := factsOf(r, ofKind(history.KindFaultEnded))
	require.Len(t, ended, 1)
	again := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindDelivered && f.Time > fault.Time })
	require.Len(t, again, int(r.Row.Offered))
	require.Greater(t, again[0].Time, ended[0].Time)
}

// A leap over the quiet time shows in nothing but the number of events: whichever stack idles, the run that executes
// every event has the same facts at the same times, before and after.
func TestQuietTimeIsTheSameEventByEvent(t *testing.T) {
	alone(t)
	sc := payments(t)
	for _, stack := range stacksOf(sc) {
		const plan = "after drain 20m replay workers"
		fast := planned(t, sc, stack, 5, &Memory{}, plan)
		slow := planned(t, sc, stack, 5, &Memory{everyEvent: true}, plan)
		require.Equal(t, slow.History.Facts, fast.History.Facts, stack)
		require.Equal(t, slow.History.Digest(), fast.History.Digest(), stack)
		require.Greater(t, slow.Row.Events, fast.Row.Events+10_000, stack)
		fast.Row.Events, fast.Row.IdleEvents, fast.Row.Digest = slow.Row.Events, slow.Row.IdleEvents, slow.Row.Digest
		require.Equal(t, slow.Row, fast.Row, stack)
	}
}

// How long the quiet time is changes hardly anything about its cost.
func TestQuietTimeIsCheap(t *testing.T) {
	sc := payments(t)
	minute := planned(t, sc, "at-least-once", 5, &Memory{}, "after drain 1m replay workers")
	week := planned(t, sc, "at-least-once", 5, &Memory{}, "after drain 160h replay workers")
	require.InDelta(t, minute.Row.Events, week.Row.Events, 15_000, "until the periods of all that idles have met")
	require.Greater(t, week.Row.SimTime, 160*int64(sim.Hour))
	require.Equal(t, minute.Row.Redelivered, week.Row.Redelivered)
	gone := planned(t, sc, "at-least-once", 5, &Memory{}, "after drain 720h replay workers")
	require.Zero(t, gone.Row.Redelivered, "retention has taken what could come again")
}

// Clocks go on while nothing happens, and whoever reads one at use reads the truth: a key of a day is known after 23
// hours and forgotten after 24.
func TestExpiryAfterQuietTime(t *testing.T) {
	sc := payments(t)
	early := planned(t, sc, "key-event-stage", 5, &Memory{}, "after drain 23h replay workers")
	require.False(t, early.Row.Outside)
	require.Zero(t, early.Row.Excess[history.Critical])
	require.Equal(t, early.Row.Offered, early.Row.Suppressed)
	late := planned(t, sc, "key-event-stage", 5, &Memory{}, "after drain 24h replay workers")
	require.True(t, late.Row.Outside)
	require.Equal(t, late.Row.Offered, late.Row.Excess[history.Critical])
}

// A clock that was an hour and a half ahead when a key was stored, and is right again, keeps that key for so much longer.
func TestExpiryBySkewedClockAfterQuietTime(t *testing.T) {
	r := planned(t, payments(t), "key-event-stage", 5, &Memory{}, "at 40s skew payments-1 by 90m until heal", "after drain 25h replay workers")
	faults := factsOf(r, func(f *history.Fact) bool { return f.Op == "skew" })
	began, ended := faults[0].Time, faults[1].Time
	skewed := map[string]bool{} // charged while the clock was ahead
	charges, suppressed := map[string]int{}, map[string]bool{}
	for _, f := range factsOf(r, func(f *history.Fact) bool { return f.Resource == "payments" }) {
		switch f.Kind {
		case history.KindApplied:
			charges[f.Event]++
			skewed[f.Event] = skewed[f.Event] || began <= f.Time && f.Time < ended
		case history.KindSuppressed:
			suppressed[f.Event] = true
		}
	}
	require.Positive(t, len(suppressed))
	require.Less(t, len(suppressed), len(charges))
	for event, n := range charges {
		require.Equal(t, skewed[event], suppressed[event], event)
		require.Equal(t, skewed[event], n == 1, event)
	}
}

// A member that is down when the operator comes is not theirs to start: here one that joined for ten seconds and left.
func TestOperatorLeavesTheDeadAlone(t *testing.T) {
	r := planned(t, payments(t), "at-least-once", 5, &Memory{}, "at 20s join consumer for 10s", "after drain 26h replay workers")
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
	for _, f := range factsOf(r, ofKind(history.KindOperated)) {
		require.NotContains(t, f.Value, "consumer-4")
	}
	require.Len(t, factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindBooted && f.Node == "consumer-4" }), 1)
	require.GreaterOrEqual(t, r.Row.Redelivered, r.Row.Offered, "the others read everything again")
}

// Replays of one plan come one after the other, each when the drain before it has ended.
func TestTwoReplays(t *testing.T) {
	r := planned(t, payments(t), "at-least-once", 5, &Memory{}, "after drain 1h replay workers", "after drain 0s replay workers", "after drain 5s replay workers")
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
	require.Equal(t, 3*r.Row.Offered, r.Row.Excess[history.Critical])
	require.Equal(t, int64(3), r.Row.FaultsFired)
	began := factsOf(r, ofKind(history.KindFaultBegan))
	require.Equal(t, []string{"after drain 0s replay workers", "after drain 5s replay workers", "after drain 1h replay workers"}, notes(began))
	quiet := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindPhase && f.Note == "quiet" })
	require.Equal(t, int64(sim.Hour), began[2].Time-quiet[0].Time, "all times count from the first drain")
	require.Equal(t, quiet[1].Time, began[1].Time, "one whose time has passed comes at once")
}

// quitter is an engine that works well but for one thing.
type quitter struct {
	stuckAgain bool   // what comes a second time is never finished
	stuckAt    string // this event is never finished
	stubborn   bool   // it does not end when it is asked to stop
}

func (quitter) Name() string              { return "quitter" }
func (quitter) Needs() []model.Capability { return nil }
func (quitter) Gives() []model.Capability { return nil }

func (q quitter) Build(a model.Assembly, f model.Flow) {
	seen := map[string]bool{}
	a.Consume(f.Source, model.Workers, func(c model.Ctx, in model.Consumer, handle model.Batch) {
		for {
			batch, ok := in.Poll(c, 0)
			switch {
			case !ok && q.stubborn:
				c.Sleep(sim.Minute)
				return
			case !ok:
				return
			}
			for i := range batch {
				if seen[batch[i].Event] && q.stuckAgain || batch[i].Event == q.stuckAt {
					c.Process().Wait(&sim.Signal{}, -1)
				}
				seen[batch[i].Event] = true
			}
			handle(c, batch)
			_ = in.Commit(c, batch)
		}
	})
}

// The second drain is judged as the first one is: work that nobody finishes is stuck, and named so.
func TestStuckInTheSecondDrain(t *testing.T) {
	r := runSpike(t, quitter{stuckAgain: true}, []string{"after drain 26h replay workers"})
	require.Equal(t, sim.StopStuck, r.Stop.Kind, "%s", r.Stop)
	require.Contains(t, r.Stop.Detail, "outstanding, nothing moved for")
	second := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindPhase && f.Note == "drain" })
	require.Len(t, second, 2)
	chain := r.Row.SimTime - second[1].Time
	require.InDelta(t, float64(payments(t).Phases.Chain), float64(chain), float64(30*sim.Second))
}

// A drain that does not end has no replay after it: the operator waits for a group that has nothing to do.
func TestNoReplayAfterAStuckDrain(t *testing.T) {
	r := runSpike(t, quitter{stuckAt: "order-7"}, []string{"after drain 26h replay workers"})
	require.Equal(t, sim.StopStuck, r.Stop.Kind)
	missed := factsOf(r, ofKind(history.KindFaultMissed))
	require.Equal(t, []string{"after drain 26h replay workers"}, notes(missed))
	require.Less(t, r.Row.SimTime, int64(sim.Hour))
}

// A member that does not stop in time is killed. The coordinator holds it for a member until its session is over, and the
// operator's commit is refused until then.
func TestOperatorWaitsForTheSession(t *testing.T) {
	r := runSpike(t, quitter{stubborn: true}, []string{"after drain 26h replay workers"})
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind, r.Stop.Detail)
	killed := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindStopped && f.Note == "kill" })
	require.Len(t, killed, 3)
	require.Equal(t, "stop", r.History.At(killed[0].Cause).Op)
	evicted := factsOf(r, ofKind(history.KindEvicted))
	back := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindCommitted && f.Fence == wire.NoGeneration })
	require.Len(t, evicted, 3)
	require.Len(t, back, 6)
	require.Greater(t, back[0].ID, evicted[2].ID)
	require.Equal(t, r.Row.Offered, r.Row.Redelivered)
}

// A worker that has simulated a day does the next run as a fresh one does.
func TestMemoryReuseAcrossQuietTime(t *testing.T) {
	sc := payments(t)
	a := measured(t, sc, "key-event-stage", "late-replay", 3, &Memory{}).Digest
	b := measured(t, sc, "dedup-durable", "pause", 4, &Memory{}).Digest
	mem := &Memory{}
	require.Equal(t, a, measured(t, sc, "key-event-stage", "late-replay", 3, mem).Digest)
	require.Equal(t, b, measured(t, sc, "dedup-durable", "pause", 4, mem).Digest)
	require.Equal(t, a, measured(t, sc, "key-event-stage", "late-replay", 3, mem).Digest)
}

// BenchmarkLateReplay is the cost of a whole run with 26 idle hours in it.
func BenchmarkLateReplay(b *testing.B) {
	sc := payments(b)
	mem := &Memory{}
	for b.Loop() {
		measured(b, sc, "at-least-once", "late-replay", 1, mem)
	}
}
