package scenarios

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

func hunter(t testing.TB, stack string, base uint64, kinds ...string) *Hunter {
	t.Helper()
	h, err := NewHunter(payments(t), stack, kinds, base, 0)
	require.NoError(t, err)
	return h
}

func huntingPlan(t testing.TB, h *Hunter, seed uint64) []string {
	t.Helper()
	c, err := h.Case(seed)
	require.NoError(t, err)
	return c.Intent.Plan
}

// A plan can be drawn alone, in any order, by anybody; the stack, the kinds and the base are what it depends on besides
// its seed: the base chooses the run that is observed.
func TestHuntingPlansDependOnTheirSeedAlone(t *testing.T) {
	alone(t)
	a, b := hunter(t, "dedup-durable", 5, "consumer-kill", "pause"), hunter(t, "dedup-durable", 5, "consumer-kill", "pause")
	want := map[uint64][]string{}
	for seed := uint64(5); seed < 45; seed++ {
		want[seed] = huntingPlan(t, a, seed)
	}
	for _, i := range rand.Perm(40) {
		require.Equal(t, want[uint64(i)+5], huntingPlan(t, b, uint64(i)+5))
	}
	for what, other := range map[string]*Hunter{
		"the stack": hunter(t, "at-least-once", 5, "consumer-kill", "pause"),
		"the kinds": hunter(t, "dedup-durable", 5, "pause"),
		"the base":  hunter(t, "dedup-durable", 4, "consumer-kill", "pause"),
	} {
		differ := 0
		for seed := uint64(6); seed < 26; seed++ {
			if got := huntingPlan(t, other, seed); len(got) != len(want[seed]) || got[0] != want[seed][0] {
				differ++
			}
		}
		require.Positive(t, differ, what)
	}
	_, err := a.Case(4)
	require.ErrorContains(t, err, "before the base seed")
}

// Every plan is one that the scenario can read back, of at most three faults, most of them at hooks; the first has none.
func TestHuntingPlansAim(t *testing.T) {
	alone(t)
	var kinds []string
	for _, k := range history.FaultKinds() {
		kinds = append(kinds, k.Name)
	}
	for _, stack := range []string{"fire-and-forget", "dedup-durable"} {
		h := hunter(t, stack, 1, kinds...)
		require.Empty(t, huntingPlan(t, h, 1))
		hooked, all := 0, 0
		for seed := uint64(2); seed < 200; seed++ {
			c, err := h.Case(seed)
			require.NoError(t, err)
			plan, err := Plan(c)
			require.NoError(t, err)
			require.NotEmpty(t, plan)
			require.LessOrEqual(t, len(plan), 3)
			for _, f := range plan {
				all++
				if !f.Trigger.Timed() {
					hooked++
				}
			}
		}
		require.Greater(t, hooked*2, all)
	}
}

func witnessed(c *Case) *Case {
	c.Intent.Expected, c.Witness.Digest, c.Witness.HistoryDigest = "pass", "0000000000000000", "0000000000000000"
	return c
}

// A hunting row says so and has no fault kind; only a hunting case may be without one.
func TestHuntIsNoFaultKind(t *testing.T) {
	_, known := history.FaultKindByName(history.HuntFault)
	require.False(t, known)
	c, err := hunter(t, "at-least-once", 1, "pause").Case(2)
	require.NoError(t, err)
	decoded, err := DecodeCase("x", witnessed(c).Encode())
	require.NoError(t, err)
	require.Equal(t, c.Intent, decoded.Intent)
	c.Intent.PlanType = PlanMeasuring
	_, err = DecodeCase("x", witnessed(c).Encode())
	require.ErrorContains(t, err, `intent.fault: unknown fault "hunt"`)
}

// The run without faults that begins a hunt is the control of the same seed, event for event.
func TestTheFirstHuntingRunIsTheControl(t *testing.T) {
	c, err := hunter(t, "key-event-stage", 3).Case(3)
	require.NoError(t, err)
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
	require.Equal(t, history.Hunting, r.Row.Plan)
	require.Equal(t, measured(t, payments(t), "key-event-stage", "none", 3, &Memory{}).Digest, r.Digest)
}

// How many hunting runs there are, in how many parts and by how many workers, changes no row; some are done twice.
func TestHuntsAreTheSameHoweverTheyAreSplit(t *testing.T) {
	sc := payments(t)
	hunt := func(n, workers int, shard [2]int) *Swept {
		s := &Sweep{Scenario: sc, Stacks: []string{"at-least-once", "dedup-durable"}, Faults: []string{"none"}, Runs: 1, Base: 7,
			Hunts: n, Prey: []string{"consumer-kill", "partition"}, Workers: workers, Shard: shard}
		swept, err := s.Do(context.Background())
		require.NoError(t, err)
		require.Empty(t, swept.Crashes)
		require.Empty(t, swept.Drifted)
		return swept
	}
	whole := hunt(10, 2, [2]int{})
	require.Len(t, whole.Rows, 22)
	require.Equal(t, 2, whole.Twice, "a run of a cell and, as that is run 20, a hunting run")
	rows := map[history.Key]history.Row{}
	for _, r := range whole.Rows {
		rows[r.Key()] = r
	}
	again := hunt(3, 1, [2]int{}).Rows
	for i := range 3 {
		again = append(again, hunt(5, 2, [2]int{i + 1, 3}).Rows...)
	}
	require.Len(t, again, 8+12)
	for _, r := range again {
		require.Equal(t, rows[r.Key()], r)
	}
}

// If the run that a hunter observes does not end, that run is what is reported, with its case.
func TestAHuntThatCannotObserve(t *testing.T) {
	s := &Sweep{Scenario: payments(t), Stacks: []string{"at-least-once"}, Base: 3, Hunts: 2, Prey: []string{"pause"}, Shard: [2]int{2, 2}, Patience: 1}
	swept, err := s.Do(context.Background())
	require.NoError(t, err)
	require.Empty(t, swept.Rows)
	require.Len(t, swept.Crashes, 1)
	require.Equal(t, uint64(3), swept.Crashes[0].Case.Witness.Seed)
	require.Empty(t, swept.Crashes[0].Case.Intent.Plan)
}

// A narrowed hunt has fewer faults a plan and fewer kinds, and leaves the hunt that it was made from alone.
func TestNarrowHunt(t *testing.T) {
	sc, err := Load("payments")
	require.NoError(t, err)
	sc.Phases.Chaos = 10 * nsSecond
	h, err := NewHunter(sc, "at-least-once", nil, 0, 0)
	require.NoError(t, err)
	before, err := h.Case(7)
	require.NoError(t, err)
	one := h.Narrow(1, func(k history.FaultKind) bool { return k.Verb == "kill" })
	for seed := range uint64(20) {
		stream := rng.NewStream(seed, "hunt")
		c, err := one.Choose(seed, &stream)
		require.NoError(t, err)
		require.Len(t, c.Intent.Plan, 1)
		require.Contains(t, c.Intent.Plan[0], " kill ")
		require.Equal(t, seed, c.Witness.Seed)
	}
	after, err := h.Case(7)
	require.NoError(t, err)
	require.Equal(t, before, after)
	stream := rng.NewStream(7, "hunt")
	same, err := h.Choose(7, &stream)
	require.NoError(t, err)
	require.Equal(t, before, same, "the plan of a seed is what its stream chooses")
}
