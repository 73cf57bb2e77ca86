package scenarios

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

func payments(t testing.TB) *Scenario {
	t.Helper()
	sc, err := Load("payments")
	require.NoError(t, err)
	return sc
}

// measured runs one run of a cell on fresh memory.
func measured(t testing.TB, sc *Scenario, stack, fault string, seed uint64, mem *Memory) *Result {
	t.Helper()
	c, err := MeasuringCase(sc, stack, fault, 1, seed)
	require.NoError(t, err)
	r, err := Run(c, mem)
	require.NoError(t, err)
	why, bad := r.Failed()
	require.False(t, bad, "%s/%s seed %d: %s", stack, fault, seed, why)
	return r
}

func stacksOf(sc *Scenario) []string {
	var out []string
	for i := range sc.Stacks {
		out = append(out, sc.Stacks[i].Name)
	}
	return out
}

// Without faults every stack does everything exactly once: the control must be clean.
func TestControlIsClean(t *testing.T) {
	alone(t)
	sc := payments(t)
	mem := &Memory{}
	for _, st := range stacksOf(sc) {
		r := measured(t, sc, st, "none", 1, mem)
		require.Equal(t, sim.StopQuiescent, r.Stop.Kind, "%s: %s %s", st, r.Stop, r.Stop.Detail)
		require.Positive(t, r.Row.Offered)
		require.Equal(t, r.Row.Offered, r.Row.Buckets[history.Done], "%s: %v", st, r.Row.Buckets)
		require.Equal(t, [history.ClassCount]int64{}, r.Row.Excess, st)
	}
}

// The counts that do not depend on the machine are budgets: at most 80 kernel events per offered intent, and at
// most 160 idle events per simulated second.
func TestEventBudgets(t *testing.T) {
	alone(t)
	sc := payments(t)
	for _, st := range stacksOf(sc) {
		r := measured(t, sc, st, "none", 1, &Memory{})
		perIntent := (r.Row.Events - r.Row.IdleEvents) / r.Row.Offered
		idle := r.Row.IdleEvents * int64(sim.Second) / r.Row.SimTime
		t.Logf("%-16s %3d events per intent (%d in all), %2d idle events per simulated second", st, perIntent, r.Row.Events/r.Row.Offered, idle)
		require.LessOrEqual(t, r.Row.Events/r.Row.Offered, int64(80), st)
		require.LessOrEqual(t, idle, int64(160), st)
	}
}

// A worker reuses its memory: run A, B, A on one equals three fresh ones, with any GOMAXPROCS.
func TestMemoryReuseAndGOMAXPROCS(t *testing.T) {
	sc := payments(t)
	a := measured(t, sc, "at-least-once", "consumer-kill", 3, &Memory{}).Digest
	b := measured(t, sc, "dedup-durable", "broker-kill", 4, &Memory{}).Digest
	require.NotEqual(t, a, b)
	for _, procs := range []int{1, 2} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		mem := &Memory{}
		require.Equal(t, a, measured(t, sc, "at-least-once", "consumer-kill", 3, mem).Digest)
		require.Equal(t, b, measured(t, sc, "dedup-durable", "broker-kill", 4, mem).Digest)
		require.Equal(t, a, measured(t, sc, "at-least-once", "consumer-kill", 3, mem).Digest)
	}
}

// The environment is paired: every stack is offered the same intents at the same times, and the first charge of
// an event meets the same service time, whatever else its stack calls.
func TestStacksShareTheirEnvironment(t *testing.T) {
	sc := payments(t)
	offered := func(h *history.History) (out []string) {
		for _, f := range h.Facts {
			if f.Kind == history.KindOffered {
				out = append(out, fmt.Sprint(f.Event, f.Key, f.Until))
			}
		}
		return out
	}
	charge := func(h *history.History) map[string]int64 {
		called, took := map[string]int64{}, map[string]int64{}
		for _, f := range h.Facts {
			switch {
			case f.Kind == history.KindCalled && f.Resource == "payments" && f.Attempt == 1:
				called[f.Event] = f.Time
			case f.Kind == history.KindReturned && f.Resource == "payments" && f.Attempt == 1:
				took[f.Event] = f.Time - called[f.Event]
			}
		}
		return took
	}
	a := measured(t, sc, "at-least-once", "none", 5, &Memory{})
	b := measured(t, sc, "dedup-durable", "none", 5, &Memory{})
	require.Equal(t, offered(a.History), offered(b.History))
	same, all := 0, 0
	other := charge(b.History)
	for event, d := range charge(a.History) {
		all++
		if other[event] == d {
			same++
		}
	}
	// Queueing at the service may add to a draw; the draw itself is the same.
	require.Greater(t, same*100, all*80, "%d of %d first charges take the same time", same, all)
}

// What each stack does under a kill of a consumer, over the runs of a small cell.
func TestConsumerKill(t *testing.T) {
	if testing.Short() {
		t.Skip("a cell of runs")
	}
	s := &Sweep{Scenario: payments(t), Stacks: []string{"at-least-once", "at-most-once", "key-event-stage", "dedup-durable"}, Faults: []string{"consumer-kill"},
		Runs: 20, Base: 1, Workers: 2}
	swept, err := s.Do(context.Background())
	require.NoError(t, err)
	require.Empty(t, swept.Crashes)
	require.Empty(t, swept.Drifted)
	sum := map[string]*history.Row{}
	for i := range swept.Rows {
		r := &swept.Rows[i]
		if sum[r.Stack] == nil {
			sum[r.Stack] = &history.Row{}
		}
		for c := range r.Excess {
			sum[r.Stack].Excess[c] += r.Excess[c]
		}
		for b := range r.Buckets {
			sum[r.Stack].Buckets[b] += r.Buckets[b]
		}
	}
	require.Positive(t, sum["at-least-once"].Excess[history.Critical], "at-least-once duplicates")
	require.Zero(t, sum["at-least-once"].Losses(), "and never loses")
	require.Positive(t, sum["at-most-once"].Losses(), "at-most-once loses")
	require.Zero(t, sum["at-most-once"].Excess[history.Critical], "and never duplicates")
	for _, st := range []string{"key-event-stage", "dedup-durable"} {
		require.Zero(t, sum[st].Excess[history.Critical], "%s holds its promise", st)
		require.Zero(t, sum[st].Losses(), "%s holds its promise", st)
		require.Positive(t, sum[st].Excess[history.Notify], "%s: nothing recognises a repeated notification", st)
	}
}

// Every fault kind, every stack: no run may end by a fault of the simulator, stuck, or at a limit.
func TestEveryCellEnds(t *testing.T) {
	sc := payments(t)
	var kinds []string
	for _, k := range history.FaultKinds() {
		kinds = append(kinds, k.Name)
	}
	stacks := stacksOf(sc)
	if testing.Short() {
		stacks = stacks[len(stacks)-2:]
	}
	s := &Sweep{Scenario: sc, Stacks: stacks, Faults: kinds, Runs: 1, Base: 100, Workers: 2}
	swept, err := s.Do(context.Background())
	require.NoError(t, err)
	for _, c := range swept.Crashes {
		t.Errorf("%s under %v: %v", c.Case.Intent.Stack, c.Case.Intent.Plan, c.Err)
	}
	for i := range swept.Rows {
		r := &swept.Rows[i]
		require.Equal(t, "quiescent", r.Stop, "%s %s seed %d", r.Stack, r.Fault, r.Seed)
		var buckets int64
		for _, n := range r.Buckets {
			buckets += n
		}
		require.Equal(t, r.Offered, buckets, "buckets sum to offered")
	}
	require.Empty(t, swept.Drifted)
}

// Rows from any shards are the rows of one machine.
func TestShardsAreTheWhole(t *testing.T) {
	sc := payments(t)
	whole := &Sweep{Scenario: sc, Stacks: []string{"at-least-once"}, Faults: []string{"none", "consumer-kill"}, Runs: 2, Base: 1, Workers: 2}
	want, err := whole.Do(context.Background())
	require.NoError(t, err)
	var parts [][]history.Row
	for i := range 3 {
		part := *whole
		part.Shard = [2]int{i + 1, 3}
		got, err := part.Do(context.Background())
		require.NoError(t, err)
		parts = append(parts, got.Rows)
	}
	merged, err := history.MergeRows(parts[2], parts[0], parts[1])
	require.NoError(t, err)
	one, err := history.MergeRows(want.Rows)
	require.NoError(t, err)
	require.Equal(t, one, merged)
}

// Worlds leave no goroutines behind.
func TestNoGoroutineIsLeft(t *testing.T) {
	sc := payments(t)
	mem := &Memory{}
	measured(t, sc, "at-least-once", "pause", 1, mem)
	before := runtime.NumGoroutine()
	for seed := uint64(2); seed < 8; seed++ {
		measured(t, sc, "at-least-once", "consumer-kill", seed, mem)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// BenchmarkPayments is the cost of a whole run per offered intent: build, simulate, judge.
func BenchmarkPayments(b *testing.B) {
	sc := payments(b)
	mem := &Memory{}
	var offered, events int64
	for b.Loop() {
		r := measured(b, sc, "at-least-once", "consumer-kill", 3, mem)
		offered += r.Row.Offered
		events += r.Row.Events
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(offered), "µs/intent")
	b.ReportMetric(float64(events)/float64(offered), "events/intent")
}

// alone skips a test of code without concurrency where that is what is tested: under the race detector, with -short, a run
// takes ten times as long.
func alone(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("no concurrency in it")
	}
}
