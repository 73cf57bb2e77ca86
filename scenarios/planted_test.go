package scenarios

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

var (
	plantedHunts = flag.Int("planted-hunts", 3, "hunts for each planted bug, of which the median counts")
	plantedClean = flag.Int("planted-clean", 0, "hunting seeds of each planted bug that must be clean without it, beyond those of the hunts")
	updatePages  = flag.Bool("update-docs", false, "write docs/planted-bugs.md anew")
)

// A prey is what one planted bug is hunted in. The plans are those that every hunt of the stack draws from these fault
// kinds; none of them knows of the bug.
type prey struct {
	bug, scenario, stack string
	kinds                []string
	property             history.Property // that it breaks
}

// preys has a line for each bug. Where payments does not lead a run to the place where the bug lives, a scenario of its
// own does; that file says how.
func preys() []prey {
	return []prey{
		{"attempt-derived-key", "payments", "key-event-stage", []string{"reply-lost"}, history.PropDuplicateCritical},
		{"commit-before-effect", "payments", "at-least-once", []string{"consumer-kill"}, history.PropLoss},
		{"commit-of-revoked-partition", "payments", "auto-commit", []string{"rebalance"}, history.PropCommit},
		{"dead-letter-without-key", "payments", "at-least-once", []string{"downstream-outage"}, history.PropDeadLetter},
		{"effect-before-claim", "payments", "dedup-durable", []string{"consumer-kill"}, history.PropDuplicateCritical},
		{"fence-unchecked", "payments", "fenced", []string{"pause"}, history.PropZombie},
		{"in-memory-checkpoint", "payments", "at-most-once", []string{"rebalance"}, history.PropDuplicateCritical},
		{"lease-without-token", "planted-charge", "lease-and-token", []string{"pause"}, history.PropZombie},
		{"mark-before-effect", "planted-charge", "dedup-and-stages", []string{"consumer-kill"}, history.PropLoss},
		{"page-cache-lost-on-kill", "planted-disk", "at-least-once", []string{"broker-kill"}, history.PropPageCache},
		{"reads-not-validated", "ledger", "sink-transaction", []string{"pause"}, history.PropIsolation},
		{"retry-changes-event-id", "planted-retry", "key-event-stage", []string{"reply-lost"}, history.PropLoss},
		{"ttl-on-callers-clock", "planted-window", "dedup-window", []string{"clock-jump"}, history.PropDuplicateCritical},
		{"unfenced-zombie", "payments", "at-least-once", []string{"pause"}, history.PropCommit},
	}
}

// load reads a scenario of the library or of testdata.
func (p *prey) load(t testing.TB) *Scenario {
	t.Helper()
	name := p.scenario
	if strings.HasPrefix(name, "planted-") {
		name = "testdata/" + name + ".yaml"
	}
	sc, err := Load(name)
	require.NoError(t, err)
	return sc
}

// hunter draws the plans of the hunt with that base seed.
func (p *prey) hunter(t testing.TB, sc *Scenario, base uint64) *Hunter {
	t.Helper()
	h, err := NewHunter(sc, p.stack, p.kinds, base, 0)
	require.NoError(t, err)
	return h
}

// breaches are the findings of a run that its contract does not permit: promised properties inside the envelope, and
// guarantees anywhere.
func breaches(c *Case, r *Result) (found []history.Finding) {
	promised := checker.Promised(c.Intent.Scenario.stackNamed(c.Intent.Stack).Contract)
	for _, f := range r.Verdicts.Findings {
		if slices.Contains(promised, f.Property) && !r.Row.Outside || slices.Contains(checker.Guaranteed(), f.Property) {
			found = append(found, f)
		}
	}
	return found
}

// caught is the first hunting run of a base that shows the bug. seeds says how many runs that took, the one without faults
// included.
type caught struct {
	c     *Case
	seeds int
}

// mostSeeds is after how many hunting runs a bug counts as missed.
const mostSeeds = 50

// hunt hunts until the bug is caught. The same plans are clean without it.
func (p *prey) hunt(t testing.TB, sc *Scenario, base uint64, mem *Memory) caught {
	t.Helper()
	h := p.hunter(t, sc, base)
	for n := 1; n <= mostSeeds; n++ {
		seed := base + uint64(n) - 1
		p.clean(t, h, seed, mem)
		c, err := h.Planting(p.bug).Case(seed)
		require.NoError(t, err)
		r, err := Run(c, mem)
		require.NoError(t, err)
		why, bad := r.Failed()
		require.False(t, bad, "%s seed %d: %s", p.bug, seed, why)
		for _, f := range breaches(c, r) {
			if f.Property == p.property {
				c.Intent.Property, c.Intent.Fingerprint, c.Intent.Expected = string(f.Property), f.Fingerprint(), checker.Fail.String()
				c.Witness = r.Witness(seed)
				return caught{c, n}
			}
		}
	}
	t.Errorf("%s: %d hunting runs from seed %d on do not show it", p.bug, mostSeeds, base)
	return caught{nil, mostSeeds + 1}
}

// clean does a run of the hunt without the bug.
func (p *prey) clean(t testing.TB, h *Hunter, seed uint64, mem *Memory) {
	t.Helper()
	c, err := h.Case(seed)
	require.NoError(t, err)
	r, err := Run(c, mem)
	require.NoError(t, err)
	why, bad := r.Failed()
	require.False(t, bad, "without %s, seed %d: %s", p.bug, seed, why)
	if found := breaches(c, r); len(found) > 0 {
		t.Errorf("%s on %s without a bug, seed %d: %s: %s\n%s", p.scenario, p.stack, seed, found[0].Fingerprint(), found[0].Detail, strings.Join(c.Intent.Plan, "\n"))
	}
}

// A planted bug is caught by plans that do not know of it: half of the hunts need at most 5 runs, none more than 50. The
// same plans are clean without it. For more of both: -planted-hunts 21 -planted-clean 500.
func TestPlantedBugsAreCaught(t *testing.T) {
	for _, p := range preys() {
		t.Run(p.bug, func(t *testing.T) {
			t.Parallel()
			sc, mem := p.load(t), &Memory{}
			var needed []int
			var first caught
			hunts := *plantedHunts
			if testing.Short() {
				hunts = 1
			}
			for i := range hunts {
				found := p.hunt(t, sc, 1+1000*uint64(i), mem)
				if i == 0 {
					first = found
				}
				needed = append(needed, found.seeds)
			}
			if t.Failed() {
				return
			}
			h := p.hunter(t, sc, 1)
			for seed := range uint64(*plantedClean) {
				p.clean(t, h, 1+seed, mem)
			}
			slices.Sort(needed)
			median := needed[len(needed)/2]
			t.Logf("%-28s %s/%s under %s: %s, first at seed %d, median %d, most %d", p.bug, p.scenario, p.stack, strings.Join(p.kinds, ", "),
				first.c.Intent.Fingerprint, first.seeds, median, needed[len(needed)-1])
			if hunts > 1 { // one hunt has no median
				require.LessOrEqual(t, median, 5)
			}
		})
	}
}

// A planted case is what it says: replayed, it shows its finding.
func TestPlantedCasesReplay(t *testing.T) {
	for _, c := range plantedCases(t, "commit-of-revoked-partition", "page-cache-lost-on-kill") {
		twice, err := Replay(c, 0)
		require.NoError(t, err)
		require.True(t, twice.Same && twice.Fresh)
		require.Contains(t, twice.First.Verdicts.Fingerprints(), c.Intent.Fingerprint)
	}
}

// What catches a planted bug shrinks to a story that fits on a page: one or two faults, one or two events. -v prints what
// that took.
func TestPlantedCasesShrink(t *testing.T) {
	bugs := []string{"commit-of-revoked-partition", "effect-before-claim", "lease-without-token"}
	if !testing.Short() {
		bugs = nil
	}
	for _, c := range plantedCases(t, bugs...) {
		t.Run(c.Intent.Planted[0], func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			s, err := Shrink(t.Context(), c, ShrinkOptions{})
			require.NoError(t, err)
			t.Logf("%s: %d → %d faults, %d → %d events, %d runs, %v", c.Intent.Fingerprint, s.From.Faults, s.To.Faults, s.From.Events, s.To.Events,
				s.Runs, time.Since(began).Round(10*time.Millisecond))
			require.LessOrEqual(t, s.To.Faults, 2)
			require.LessOrEqual(t, s.To.Events, int64(2))
			require.False(t, s.RanOut)
			require.Equal(t, c.Intent.Planted, s.Case.Intent.Planted)
			require.Contains(t, s.Proof.First.Verdicts.Fingerprints(), c.Intent.Fingerprint)
		})
	}
}

// plantedCases are the first runs that show each bug, with the finding that they are expected to show: what shrinking,
// stories and the corpus are tested on. Without names it is all of them.
func plantedCases(t testing.TB, bugs ...string) (cases []*Case) {
	t.Helper()
	mem := &Memory{}
	for _, p := range preys() {
		if len(bugs) == 0 || slices.Contains(bugs, p.bug) {
			cases = append(cases, p.hunt(t, p.load(t), 1, mem).c)
		}
	}
	return cases
}

// A case names the bugs of its world: they are part of what it is a case of.
func TestACaseNamesItsPlantedBugs(t *testing.T) {
	h := hunter(t, "at-least-once", 1, "pause")
	clean, err := h.Case(3)
	require.NoError(t, err)
	c, err := h.Planting("dead-letter-without-key", "unfenced-zombie").Case(3)
	require.NoError(t, err)
	require.Equal(t, clean.Intent.Plan, c.Intent.Plan, "the hunt knows nothing of the bug")
	require.NotEqual(t, clean.Name(), c.Name())
	require.NotContains(t, string(clean.Encode()), "planted")

	decoded, err := DecodeCase("x", witnessed(c).Encode())
	require.NoError(t, err)
	require.Equal(t, c.Intent, decoded.Intent)
	require.Equal(t, c.Name(), decoded.Name())

	for want, names := range map[string][]string{
		`intent.planted[0]: unknown planted bug "zombie"`: {"zombie"},
		"want them sorted, each once":                     {"unfenced-zombie", "dead-letter-without-key"},
		"does not come after unfenced-zombie":             {"unfenced-zombie", "unfenced-zombie"},
	} {
		c.Intent.Planted = names
		_, err = DecodeCase("x", c.Encode())
		require.ErrorContains(t, err, want)
	}
	c.Intent.Planted = []string{"zombie"}
	_, err = Run(c, &Memory{})
	require.ErrorContains(t, err, `unknown planted bug "zombie"`, "a case that was never decoded is checked as well")
}

// Every bug is hunted, and the page about them says where it is and what sees it.
func TestPlantedBugsPage(t *testing.T) {
	const page = "../docs/planted-bugs.md"
	src, err := os.ReadFile(page)
	require.NoError(t, err)
	const mark = "| bug | what is wrong | where | hunted in | under | seen as |\n|---|---|---|---|---|---|\n"
	head, _, ok := strings.Cut(string(src), mark)
	require.True(t, ok, "%s has no table", page)
	want := head + mark
	bugs := model.Bugs()
	require.Len(t, preys(), len(bugs))
	for i, p := range preys() {
		require.Equal(t, bugs[i].Name, p.bug, "one line for each bug, sorted")
		want += fmt.Sprintf("| %s | %s | %s | %s, %s | %s | %s |\n", p.bug, bugs[i].Doc, bugs[i].Where, p.scenario, p.stack, strings.Join(p.kinds, ", "), p.property)
	}
	if *updatePages {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o600))
		return
	}
	require.Equal(t, want, string(src), "go test ./scenarios -run PlantedBugsPage -update-docs writes the table")
}
