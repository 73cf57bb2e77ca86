package scenarios

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// A charge that is done twice: a consumer dies when everything is done and its position is not committed yet.
const (
	twiceCharged = "duplicate-effect (critical)/charge/redelivered-after-commit-lost"
	killAtEnd    = "when notifier.present/replied{event=order-100,stage=present} #1 kill $caller for 1s"
)

// halfMinute is payments with a third of its chaos phase, for speed.
func halfMinute(t testing.TB) *Scenario {
	sc := *payments(t)
	sc.Phases.Chaos = 30 * nsSecond
	return &sc
}

// failing is the case of a plan whose run shows a fingerprint.
func failing(t testing.TB, stack, fingerprint string, plan ...string) *Case {
	t.Helper()
	property, _, _ := strings.Cut(fingerprint, "/")
	c := &Case{Version: CaseVersion, Witness: Witness{Seed: 2}, Intent: Intent{Scenario: halfMinute(t), Stack: stack, Fault: "consumer-kill",
		PlanType: PlanHunting, Plan: plan, Property: property, Fingerprint: fingerprint, Expected: "fail"}}
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	require.True(t, shows(r, fingerprint), "%v", r.Verdicts.Fingerprints())
	c.Witness = r.Witness(2)
	return c
}

// measuredFailing is the case of a cell's run with its first finding; nil if it has none.
func measuredFailing(t testing.TB, sc *Scenario, stack, fault string, seed uint64, mem *Memory) *Case {
	t.Helper()
	c, err := MeasuringCase(sc, stack, fault, 1, seed)
	require.NoError(t, err)
	r, err := Run(c, mem)
	require.NoError(t, err)
	if len(r.Verdicts.Findings) == 0 {
		return nil
	}
	f := r.Verdicts.Findings[0]
	c.Intent.Property, c.Intent.Fingerprint, c.Intent.Expected = string(f.Property), f.Fingerprint(), "fail"
	c.Witness = r.Witness(seed)
	return c
}

func shrunk(t testing.TB, c *Case) *Shrunk {
	t.Helper()
	s, err := Shrink(context.Background(), c, ShrinkOptions{})
	require.NoError(t, err)
	return s
}

// started is a shrinker that has done nothing yet.
func started(t testing.TB, c *Case) *shrinker {
	t.Helper()
	plan, err := Plan(c)
	require.NoError(t, err)
	s := &shrinker{ctx: context.Background(), from: c, opt: ShrinkOptions{Runs: DefaultShrinkRuns}, mem: &Memory{},
		tried: map[string]bool{c.Name(): true}, now: candidateOf(c, plan)}
	require.NoError(t, s.first())
	return s
}

func smaller(a, b Size) bool {
	return a.Faults <= b.Faults && a.Events <= b.Events && a.Members <= b.Members && a.Partitions <= b.Partitions && a.Lasts <= b.Lasts && a.Chaos <= b.Chaos
}

// What is left of a story of 380 events is one event, one member, one partition, one fault at a hook.
func TestShrinkOneStory(t *testing.T) {
	alone(t)
	mem := &Memory{}
	c := measuredFailing(t, payments(t), "at-least-once", "consumer-kill", 2, mem)
	require.NotNil(t, c)
	s := shrunk(t, c)
	require.Equal(t, Size{Faults: 1, Events: 1, Members: 1, Partitions: 1, Lasts: nsMillisecond, Chaos: s.To.Chaos}, s.To)
	require.Less(t, s.To.Chaos, s.From.Chaos)
	require.LessOrEqual(t, s.Runs, 30)
	require.Equal(t, c.Intent.Fingerprint, s.Case.Intent.Fingerprint)
	require.Equal(t, PlanHunting, s.Case.Intent.PlanType, "a plan that was chosen by its outcome measures nothing")
	require.True(t, strings.HasPrefix(s.Case.Intent.Plan[0], "when "), s.Case.Intent.Plan)
	require.Equal(t, &Origin{Case: c.Name(), Faults: 1, Events: s.From.Events}, s.Case.Witness.Shrunk)
	require.Less(t, s.Proof.First.Row.Events, int64(6000), "and its run is cheap: idle brokers are what is left")
	again := shrunk(t, s.Case)
	require.Equal(t, s.Case.Encode(), again.Case.Encode(), "what is smallest stays as it is, with its first origin")
	require.Equal(t, s.From.Events, again.From.Events)
}

// Each step alone makes its own number smaller and no other larger.
func TestShrinkSteps(t *testing.T) {
	alone(t)
	full := failing(t, "at-least-once", twiceCharged, killAtEnd)
	with := func(edit func(*Intent)) *Case {
		c := *full
		edit(&c.Intent)
		return &c
	}
	oneEvent := with(func(in *Intent) { in.Reductions = &Reductions{KeepEvents: []string{"order-100"}} })
	r, err := Run(oneEvent, &Memory{})
	require.NoError(t, err)
	began := r.History.Facts[slices.IndexFunc(r.History.Facts, func(f history.Fact) bool { return f.Kind == history.KindFaultBegan })]
	timed := with(func(in *Intent) {
		in.Reductions = oneEvent.Intent.Reductions
		in.Plan = []string{fmt.Sprintf("at %dns kill %s for 1s", began.Time, began.Node)}
	})
	before := func(ns int64) string { return fmt.Sprintf("at %dns pause notifier-1 for 1ms", began.Time-ns) }
	for _, step := range []struct {
		name string
		from *Case
		do   func(*shrinker)
		less func(now, was Size, s *shrinker) bool
	}{
		{"faults", with(func(in *Intent) {
			in.Plan = []string{before(2 * nsSecond), killAtEnd, before(3 * nsSecond), before(4 * nsSecond)}
		}),
			(*shrinker).fewerFaults, func(now, _ Size, s *shrinker) bool { return now.Faults == 1 && s.now.plan[0].String() == killAtEnd }},
		{"isolate", full, (*shrinker).isolate, func(now, _ Size, _ *shrinker) bool { return now.Events == 1 }},
		{"events", full, (*shrinker).fewerEvents, func(now, _ Size, _ *shrinker) bool { return now.Events == 1 }},
		{"anchor", timed, (*shrinker).anchor, func(_, _ Size, s *shrinker) bool { return !s.now.plan[0].Trigger.Timed() }},
		{"members", full, (*shrinker).fewerMembers, func(now, _ Size, _ *shrinker) bool { return now.Members == 1 }},
		{"partitions", full, (*shrinker).fewerPartitions, func(now, _ Size, _ *shrinker) bool { return now.Partitions == 1 }},
		{"durations", full, (*shrinker).shorterFaults, func(now, _ Size, _ *shrinker) bool { return now.Lasts == nsMillisecond }},
		{"targets", with(func(in *Intent) { in.Plan = []string{strings.Replace(killAtEnd, "$caller", "$caller,notifier-1", 1)} }),
			(*shrinker).fewerTargets, func(_, _ Size, s *shrinker) bool { return len(s.now.plan[0].Targets) == 1 }},
		{"times", timed, (*shrinker).earlier, func(_, _ Size, s *shrinker) bool { return s.now.plan[0].Trigger.At%nsMillisecond == 0 }},
		{"chaos", oneEvent, (*shrinker).shorterChaos, func(now, was Size, _ *shrinker) bool { return now.Chaos <= was.Chaos-5*nsSecond }},
	} {
		s := started(t, step.from)
		was := s.now.size(s.seen.offered)
		step.do(s)
		require.NotZero(t, s.steps, step.name)
		at := s.look()
		now := s.now.size(at.offered)
		require.True(t, step.less(now, was, s), "%s: %+v, was %+v: %v", step.name, now, was, s.now.plan)
		require.True(t, smaller(now, was), "%s: %+v, was %+v", step.name, now, was)
		require.NotEmpty(t, at.stories, "%s: the finding is still there", step.name)
	}
}

// Shrinking keeps the fingerprint, makes nothing larger, and leaves a case file that does the same run again:
// for measuring plans and for what hunting brings, of several faults.
func TestShrinkKeepsTheFinding(t *testing.T) {
	alone(t)
	mem, sc := &Memory{}, halfMinute(t)
	var cases []*Case
	for _, cell := range [][2]string{{"at-least-once", "consumer-kill"}, {"key-event-stage", "partition"}, {"dedup-durable", "pause"}, {"at-most-once", "consumer-kill"}} {
		for seed := uint64(1); seed < 60; seed++ {
			if c := measuredFailing(t, sc, cell[0], cell[1], seed, mem); c != nil {
				cases = append(cases, c)
				break
			}
		}
	}
	require.Len(t, cases, 4)
	for seed := uint64(1); seed < 40 && len(cases) < 6; seed++ {
		hunt, err := faults.Hunt(seed, sc.space(), []string{"consumer-kill", "broker-kill", "partition", "pause", "rebalance", "clock-skew"}, nil)
		require.NoError(t, err)
		c := &Case{Version: CaseVersion, Witness: Witness{Seed: seed}, Intent: Intent{Scenario: sc, Stack: "at-least-once", Fault: "pause",
			PlanType: PlanHunting, Plan: hunt.Lines(), Expected: "fail"}}
		r, err := Run(c, mem)
		require.NoError(t, err)
		if len(r.Verdicts.Findings) > 0 {
			c.Intent.Fingerprint, c.Witness = r.Verdicts.Findings[0].Fingerprint(), r.Witness(seed)
			cases = append(cases, c)
		}
	}
	require.Len(t, cases, 6)
	for _, c := range cases {
		s := shrunk(t, c)
		label := fmt.Sprintf("%s %v → %v", c.Intent.Fingerprint, c.Intent.Plan, s.Case.Intent.Plan)
		require.True(t, smaller(s.To, s.From), "%s: %+v, was %+v", label, s.To, s.From)
		require.LessOrEqual(t, s.To.Faults, 2, label)
		require.LessOrEqual(t, s.To.Events, int64(2), label)
		require.LessOrEqual(t, s.Runs, 150, label)
		read, err := DecodeCase("shrunk.case", s.Case.Encode())
		require.NoError(t, err, label)
		twice, err := Replay(read, 0)
		require.NoError(t, err)
		require.True(t, twice.Same && twice.Fresh, label)
		require.True(t, shows(twice.First, c.Intent.Fingerprint), label)
	}
}

// The same case gives the same bytes, whatever else the process does.
func TestShrinkIsDeterministic(t *testing.T) {
	c := failing(t, "at-least-once", twiceCharged, killAtEnd)
	want := string(shrunk(t, c).Case.Encode())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	require.Equal(t, want, string(shrunk(t, c).Case.Encode()))
	runtime.GOMAXPROCS(2)
	texts := make(chan string, 2)
	for range 2 {
		go func() {
			s, err := Shrink(context.Background(), c, ShrinkOptions{Patience: time.Minute})
			if err != nil {
				texts <- err.Error()
				return
			}
			texts <- string(s.Case.Encode())
		}()
	}
	require.Equal(t, want, <-texts)
	require.Equal(t, want, <-texts)
}

// A budget ends the search and never the proof.
func TestShrinkBudget(t *testing.T) {
	alone(t)
	c := failing(t, "at-least-once", twiceCharged, killAtEnd)
	for _, runs := range []int{4, 6, 9} {
		s, err := Shrink(context.Background(), c, ShrinkOptions{Runs: runs})
		require.NoError(t, err)
		require.LessOrEqual(t, s.Runs, runs)
		require.True(t, s.RanOut)
		require.True(t, shows(s.Proof.First, twiceCharged))
		require.True(t, smaller(s.To, s.From))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := Shrink(ctx, c, ShrinkOptions{})
	require.NoError(t, err)
	require.Equal(t, c.Intent, s.Case.Intent)
}

func TestShrinkNeedsAFinding(t *testing.T) {
	c := failing(t, "at-least-once", twiceCharged, killAtEnd)
	gone := *c
	gone.Intent.Stack = "key-event-stage"
	_, err := Shrink(context.Background(), &gone, ShrinkOptions{})
	require.ErrorIs(t, err, ErrFindingGone)
	gone.Intent.Fingerprint = ""
	_, err = Shrink(context.Background(), &gone, ShrinkOptions{})
	require.ErrorIs(t, err, ErrNoFinding)
}

// A run outside the envelope breaks no promise, so shrinking does not go there from inside.
func TestShrinkStaysInsideTheEnvelope(t *testing.T) {
	c := failing(t, "at-least-once", twiceCharged, killAtEnd)
	sc := *c.Intent.Scenario
	sc.Stacks = slices.Clone(sc.Stacks)
	for i := range sc.Stacks {
		if sc.Stacks[i].Name == "at-least-once" {
			sc.Stacks[i].Contract.Envelope = []history.Bound{{Dimension: history.Outage, Max: nsSecond}}
		}
	}
	c.Intent.Scenario = &sc
	s := started(t, c)
	k := s.now
	k.plan = slices.Clone(k.plan)
	k.plan[0].For = 2 * nsSecond
	require.False(t, s.try(k), "two seconds are more than the envelope allows")
	require.False(t, shrunk(t, c).Proof.First.Row.Outside)
}

// What remains is exactly what is needed, however it lies in the list.
func TestMinimise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		needed := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, min(n, 5), rapid.ID[int]).Draw(t, "needed")
		var list []int
		for i := range n {
			list = append(list, i)
		}
		calls := 0
		minimise(list, func(rest []int) bool {
			calls++
			for _, v := range needed {
				if !slices.Contains(rest, v) {
					return false
				}
			}
			list = rest
			return true
		})
		sort.Ints(needed)
		require.Equal(t, needed, list)
		require.LessOrEqual(t, calls, 4*n+4)
	})
}

// BenchmarkShrink shrinks what a comparison leaves, cell by cell, and reports medians.
func BenchmarkShrink(b *testing.B) {
	mem := &Memory{}
	var cases []*Case
	for _, st := range stacksOf(payments(b)) {
		for _, k := range history.FaultKinds() {
			for seed := uint64(1); seed <= 6; seed++ {
				if c := measuredFailing(b, payments(b), st, k.Name, seed, mem); c != nil {
					cases = append(cases, c)
				}
			}
		}
	}
	for b.Loop() {
		var runs, ms, sizes, events, small []int
		for _, c := range cases {
			began := time.Now()
			s := shrunk(b, c)
			runs, ms = append(runs, s.Runs), append(ms, int(time.Since(began).Milliseconds()))
			sizes, events = append(sizes, s.To.Faults), append(events, int(s.To.Events))
			if s.To.Faults <= 2 && s.To.Events <= 2 && s.Runs <= 150 {
				small = append(small, 1)
			}
		}
		for _, m := range []struct {
			list []int
			unit string
		}{{runs, "runs"}, {ms, "ms"}, {sizes, "faults"}, {events, "events"}} {
			sort.Ints(m.list)
			b.ReportMetric(float64(m.list[len(m.list)/2]), "median-"+m.unit)
			b.ReportMetric(float64(m.list[len(m.list)-1]), "worst-"+m.unit)
		}
		b.ReportMetric(float64(100*len(small))/float64(len(cases)), "%small")
		b.ReportMetric(float64(len(cases)), "cases")
	}
}
