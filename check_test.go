package twiceless_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/testdata/native"
)

type stage = func(twiceless.Ctx, twiceless.Message) (twiceless.Message, error)

func charging(fn stage) twiceless.Stages { return twiceless.Stages{"charge": fn} }

// small is a budget that is enough to find what a consumer's death shows.
var small = twiceless.Budget{Plans: 12, Events: 8}

// kills makes plans of one kind only.
func kills() twiceless.Option { return twiceless.Faults("consumer-kill") }

// elsewhere gives a test a directory of its own, with an empty corpus.
func elsewhere(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if t.Name() != "TestLifeOfABug" { // which is about the whole story
		twiceless.WithoutRemedies(t)
	}
}

func casesHere(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/twiceless/*/*.case")
	require.NoError(t, err)
	return files
}

// The life of a bug: found, shrunk, saved; found again at once by its case; mended, and the case passes.
func TestLifeOfABug(t *testing.T) {
	if testing.Short() {
		t.Skip("a long search")
	}
	elsewhere(t)
	found := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
	require.Equal(t, reports.Broke, found.Kind, found.Detail)
	require.Equal(t, reports.InSearch, found.Phase)
	require.Equal(t, history.PropDuplicateCritical, found.Finding.Property)
	require.Equal(t, reports.OutcomeSize{Faults: 1, Events: 1}, found.To)
	require.Greater(t, found.From.Events, found.To.Events)
	require.Regexp(t, `^testdata/native/charge\.go:\d+$`, found.Site)
	require.Equal(t, "charge of 80.00 instead of 40.00 at payments, applied 2 times", found.Headline)
	require.Contains(t, names(found.Would), "idempotency-key(event+stage)")
	require.Equal(t, "go test github.com/twiceless/twiceless -run '^TestLifeOfABug$' -count=1", found.Again)
	require.Equal(t, []string{found.Case}, casesHere(t))
	require.True(t, found.Saved)

	again := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
	require.Equal(t, reports.Broke, again.Kind)
	require.Equal(t, reports.InCorpus, again.Phase)
	require.Equal(t, found.Case, again.Case)
	require.Equal(t, found.Digest, again.Digest)
	require.Equal(t, found.Fingerprint, again.Fingerprint)
	require.Zero(t, again.Plans)
	require.False(t, again.Saved)

	mended := twiceless.CheckNative(t, "payments", charging(native.Charge), small, kills())
	require.Equal(t, reports.Passed, mended.Kind, mended.Detail)
	require.Equal(t, small.Plans, mended.Plans)
	require.Len(t, mended.Awaits.Reached, 1, "the only place where Charge waits")
	require.Equal(t, mended.Awaits.Reached, mended.Awaits.Killed)
}

func names(would []reports.Remedy) (out []string) {
	for _, r := range would {
		if strings.HasPrefix(r.Outcome, "holds") {
			out = append(out, r.Name)
		}
	}
	return out
}

// A case belongs to one test; another one of the package does not do it.
func TestCasesHaveAnOwner(t *testing.T) {
	elsewhere(t)
	t.Run("one", func(t *testing.T) {
		o := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
		require.Equal(t, "github.com/twiceless/twiceless.TestCasesHaveAnOwner/one", o.Owner)
		require.Contains(t, o.Again, `-run '^TestCasesHaveAnOwner$/^one$'`)
	})
	require.Len(t, casesHere(t), 1)
	t.Run("two", func(t *testing.T) {
		o := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
		require.Equal(t, reports.InSearch, o.Phase)
	})
	require.Len(t, casesHere(t), 2, "the same story, but whose code it is belongs to a case")
}

// Which plan is the first to fail, and everything that is said of it, does not depend on how many work on it.
func TestWorkersChangeNothing(t *testing.T) {
	outcomes := map[int]*reports.Outcome{}
	for _, workers := range []int{1, 3} {
		elsewhere(t)
		before := runtime.GOMAXPROCS(workers)
		outcomes[workers] = twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
		runtime.GOMAXPROCS(before)
		outcomes[workers].History = nil
	}
	require.Equal(t, outcomes[1], outcomes[3])
}

// What is wrong without any fault is said so: every story about faults would be about nothing.
func TestControl(t *testing.T) {
	for name, c := range map[string]struct {
		fn   stage
		want reports.OutcomeKind
		says string
	}{
		"charges twice":   {native.ChargeTwice, reports.Broke, "took place 2 times"},
		"charges nothing": {native.ChargeNothing, reports.Broke, "never took place"},
		"panics": {func(twiceless.Ctx, twiceless.Message) (twiceless.Message, error) { panic("not today") },
			reports.Crashed, "not today"},
	} {
		t.Run(name, func(t *testing.T) {
			elsewhere(t)
			o := twiceless.CheckNative(t, "payments", charging(c.fn), small)
			require.Equal(t, c.want, o.Kind, o.Detail)
			require.Equal(t, reports.InControl, o.Phase)
			require.Contains(t, o.Detail, c.says)
			require.Empty(t, o.Faults)
			require.Len(t, casesHere(t), 1)
		})
	}
}

// Code that does not play by the rules is a finding with a place, and the test goes on living.
func TestMisbehavingCode(t *testing.T) {
	for name, c := range map[string]struct {
		fn          stage
		want        reports.OutcomeKind
		says, print string
		faults      string
	}{
		"panics":             {native.ChargeOrPanic, reports.Crashed, "no answer from payments", "panic/testdata/native/charge.go", "downstream-outage"},
		"ends its goroutine": {native.ChargeOrEnd, reports.Crashed, "return an error instead", "goexit/testdata/native/charge.go", "downstream-outage"},
		"swallows its kill":  {native.ChargeForEver, reports.Crashed, "recovers from panics that are not its own", "kill-swallowed/testdata/native/charge.go", "consumer-kill"},
		"hangs":              {native.ChargeAndSpin, reports.Hung, "did not end", "hang", "downstream-outage"},
	} {
		t.Run(name, func(t *testing.T) {
			elsewhere(t)
			for _, phase := range []reports.OutcomePhase{reports.InSearch, reports.InCorpus} {
				o := twiceless.CheckNative(t, "payments", charging(c.fn), small, twiceless.Faults(c.faults), twiceless.Patience(500*time.Millisecond))
				require.Equal(t, c.want, o.Kind, o.Detail)
				require.Equal(t, phase, o.Phase)
				require.Contains(t, o.Detail, c.says)
				require.Equal(t, c.print, o.Fingerprint)
				if c.want == reports.Crashed {
					require.Regexp(t, `^testdata/native/charge\.go:\d+$`, o.Site)
				}
				require.Equal(t, []string{o.Case}, casesHere(t))
			}
			native.Stop.Store(true)
			require.Eventually(t, func() bool { return native.Spinning.Load() == 0 }, time.Minute, time.Millisecond)
			native.Stop.Store(false)
		})
	}
}

// Code that depends on something that is not simulated cannot be tested, and no story of it would be true.
func TestDrift(t *testing.T) {
	elsewhere(t)
	o := twiceless.CheckNative(t, "payments", charging(native.ChargeSometimes()), small)
	require.Equal(t, reports.Drifted, o.Kind)
	require.Contains(t, o.Detail, "not simulated")
	require.Empty(t, casesHere(t))
}

// An accepted finding fails nothing until its day is over; it hides no other one.
func TestAcceptedFindings(t *testing.T) {
	elsewhere(t)
	accept := twiceless.Accept("duplicate-effect (critical)", "SHOP-17", "2026-12-31")
	twiceless.OnDay(t, "2026-12-31")
	lived := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills(), accept)
	require.Equal(t, reports.PassedAccepted, lived.Kind, lived.Detail)
	require.Equal(t, "SHOP-17", lived.Accepted[0].Issue)
	require.Positive(t, lived.Accepted[0].Met)
	require.Empty(t, casesHere(t))

	other := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills(),
		twiceless.Accept("duplicate-effect (critical)/charge/unexplained", "SHOP-18", "2026-12-31"))
	require.Equal(t, reports.Broke, other.Kind)

	twiceless.OnDay(t, "2027-01-01")
	ended := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills(), accept)
	require.Equal(t, reports.Broke, ended.Kind)
	require.True(t, ended.Accepted[0].Ended)
}

// A scenario file accepts as the option does, and its stack and its services are the test's.
func TestAcceptedByFile(t *testing.T) {
	elsewhere(t)
	text := replaceOnce(t, scenarioFile(t), "\nstacks:", "\nexpect:\n  - { accept: duplicate-effect (critical), stack: at-least-once, issue: SHOP-17, until: 2999-12-31 }\n\nstacks:")
	require.NoError(t, os.WriteFile("mine.yaml", []byte(text), 0o600))
	o := twiceless.CheckNative(t, "./mine.yaml", charging(native.ChargeBlindly), small, kills())
	require.Equal(t, reports.PassedAccepted, o.Kind, o.Detail)
	broken := twiceless.CheckNative(t, "./mine.yaml", charging(native.ChargeBlindly), small, kills(), twiceless.Stack("retry-blocking"))
	require.Equal(t, reports.Broke, broken.Kind, "it is accepted under at-least-once only")
}

func replaceOnce(t *testing.T, text, old, with string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, old), old)
	return strings.Replace(text, old, with, 1)
}

// scenarioFile is the file of payments.
func scenarioFile(t *testing.T) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "scenarios/library/payments.yaml"))
	require.NoError(t, err)
	return string(text)
}

// Killing is demanded of the places that were seen to wait.
func TestCover(t *testing.T) {
	elsewhere(t)
	missed := twiceless.CheckNative(t, "payments", charging(native.Charge), small, twiceless.Faults("clock-skew", "reply-lost"), twiceless.Cover(50))
	require.Equal(t, reports.Uncovered, missed.Kind)
	require.Len(t, missed.Awaits.Reached, 1)
	require.Empty(t, missed.Awaits.Killed)
	idle := twiceless.Stages{"normalise": func(_ twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) { return m, nil }}
	none := twiceless.CheckNative(t, "payments", idle, small, twiceless.Promise(twiceless.NoLoss), kills(), twiceless.Cover(1))
	require.Equal(t, reports.Uncovered, none.Kind, "code that never waits can be killed nowhere")
	met := twiceless.CheckNative(t, "payments", charging(native.Charge), small, kills(), twiceless.Cover(100))
	require.Equal(t, reports.Passed, met.Kind)
}

// What says nothing is never green.
func TestVacuous(t *testing.T) {
	elsewhere(t)
	o := twiceless.CheckNative(t, "payments", charging(native.Charge), small, twiceless.Faults("dedup-down"))
	require.Equal(t, reports.Vacuous, o.Kind, o.Detail)
}

// A run that a limit ends says nothing of what it did not get to.
func TestUndecided(t *testing.T) {
	elsewhere(t)
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	sc.Limits.Events = 1200
	o := twiceless.CheckNative(t, "", charging(native.Charge), twiceless.Scenario(sc), small)
	require.Equal(t, reports.Undecided, o.Kind, o.Detail)
	require.Contains(t, o.Detail, "limit events")
}

// Everything that does not fit is said at once.
func TestWhatDoesNotFit(t *testing.T) {
	t.Setenv("TWICELESS_SEARCH", "today")
	err := twiceless.BeginNative(t, "payment", charging(native.Charge), twiceless.Budget{Plans: -1, Events: -1}, twiceless.Promise("luck"),
		twiceless.Faults("consumer-kil"), twiceless.Cover(101), twiceless.Accept("luck", "", "tomorrow"), twiceless.Patience(0))
	for _, want := range []string{"payments", "Budget.Plans -1", "Budget.Events -1", `Promise("luck")`, `Faults("consumer-kil")`, "Cover(101)", "issue: missing", "until: want",
		"TWICELESS_SEARCH=today", "Patience(0s)"} {
		require.ErrorContains(t, err, want)
	}
	t.Setenv("TWICELESS_SEARCH", "")
	t.Setenv("TWICELESS_PLANS", "10")
	err = twiceless.BeginNative(t, "payments", twiceless.Stages{"chrge": native.Charge}, twiceless.Stack("at-last-once"))
	require.ErrorContains(t, err, `no stack "at-last-once"`)
	require.ErrorContains(t, err, "TWICELESS_PLANS=10 without TWICELESS_SEARCH")
	t.Setenv("TWICELESS_PLANS", "")
	require.ErrorContains(t, twiceless.BeginNative(t, "payments", twiceless.Stages{"chrge": native.Charge}), "did you mean charge")
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	require.ErrorContains(t, twiceless.BeginNative(t, "payments", charging(native.Charge), twiceless.Scenario(sc)), "given by value")
	require.NoError(t, twiceless.BeginNative(t, "", charging(native.Charge), twiceless.Scenario(sc)))
}

// A date searches ground of its own, the same one whenever it is given.
func TestFreshGround(t *testing.T) {
	elsewhere(t)
	t.Setenv("TWICELESS_SEARCH", "20261121")
	t.Setenv("TWICELESS_PLANS", "5")
	o := twiceless.CheckNative(t, "payments", charging(native.Charge), small)
	require.Equal(t, reports.Passed, o.Kind, o.Detail)
	require.Equal(t, 5, o.Plans)
	t.Setenv("TWICELESS_PLANS", "")
	found := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
	require.Equal(t, uint64(20261121_000000)+uint64(found.Plan), found.Seed)
	require.Len(t, casesHere(t), 1)
}

// One case alone, by its file.
func TestOneCase(t *testing.T) {
	elsewhere(t)
	found := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
	require.NoError(t, os.Rename(found.Case, "moved.case"))
	t.Setenv("TWICELESS_CASE", "moved.case")
	alone := twiceless.CheckNative(t, "payments", charging(native.ChargeBlindly), small, kills())
	require.Equal(t, reports.InCorpus, alone.Phase)
	require.Equal(t, reports.Broke, alone.Kind)
	mended := twiceless.CheckNative(t, "payments", charging(native.Charge), small, kills())
	require.Equal(t, reports.Passed, mended.Kind)
	require.Zero(t, mended.Plans)
}

// A team's own properties draw plans from the same generator, and the words of a plan are its choices: the same words are
// the same plan.
func TestBench(t *testing.T) {
	b := twiceless.NativeBench(t, "payments", charging(native.Charge), small)
	require.Equal(t, b.Plans().Example(3), b.Plans().Example(3))
	require.NotEqual(t, b.Plans().Example(3), b.Plans().Example(4))
	broken := twiceless.NativeBench(t, "payments", charging(native.ChargeBlindly), small, kills())
	found := 0
	for seed := range 10 {
		if r := broken.Run(broken.Plans().Example(seed)); r.Breach != nil {
			found++
		}
	}
	require.Positive(t, found)
	require.Error(t, b.Run(twiceless.Plan{Faults: []string{"at dawn kill everybody"}}).Crash)
	rapid.Check(t, func(rt *rapid.T) {
		if r := b.Run(b.Plans().Draw(rt, "plan")); r.Breach != nil || r.Crash != nil {
			rt.Fatalf("%v %v", r.Breach, r.Crash)
		}
	})
}
