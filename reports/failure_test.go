package reports

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// broken is the outcome of a team's own code under a plan: the run of it, and its finding of that property.
func broken(t *testing.T, stack string, code map[string]scenarios.StageFunc, property history.Property, keep []string, plan ...string) *Outcome {
	t.Helper()
	o, _ := brokenBy(t, stack, code, property, keep, plan...)
	return o
}

// brokenBy is broken with all findings of the run.
func brokenBy(t *testing.T, stack string, code map[string]scenarios.StageFunc, property history.Property, keep []string, plan ...string) (*Outcome, []history.Finding) {
	t.Helper()
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	sc, err = sc.Bind(&scenarios.Code{Owner: "example.com/shop.TestShop", Stages: code, Sites: true})
	require.NoError(t, err)
	c := &scenarios.Case{Version: scenarios.CaseVersion, Intent: scenarios.Intent{Scenario: sc, Stack: stack, Fault: history.HuntFault,
		PlanType: scenarios.PlanHunting, Plan: plan, Owner: "example.com/shop.TestShop", Door: scenarios.DoorNative}, Witness: scenarios.Witness{Seed: 1}}
	if keep != nil {
		c.Intent.Reductions = &scenarios.Reductions{KeepEvents: keep}
	}
	r, err := scenarios.Run(c, &scenarios.Memory{})
	require.NoError(t, err)
	o := &Outcome{Kind: Broke, Seed: 1, Phase: InSearch, Plan: 61, Plans: 61, Budget: 100, Stack: stack, History: r.History, Faults: plan,
		To:    OutcomeSize{Faults: len(plan), Events: r.Row.Offered},
		Again: "go test ./reports -run '^TestShop$' -count=1", Case: "testdata/twiceless/payments/9f31c2a0b1d4.case", Saved: true}
	if why, crashed := r.Failed(); crashed && property == history.PropHarness {
		o.Kind, o.Detail = Crashed, why
		return o, nil
	}
	for _, f := range r.Verdicts.Findings {
		if f.Property == property {
			o.Finding = &f
			return o, r.Verdicts.Findings
		}
	}
	require.Fail(t, "no finding", "%s %v", r.Stop, r.Row.Prints)
	return nil, nil
}

// storiesOfFailures are the mistakes and faults whose text is kept.
func storiesOfFailures() []struct {
	name, stack string
	code        map[string]scenarios.StageFunc
	property    history.Property
	keep        []string // events; nil = all
	plan        []string
} {
	five := []string{"order-5"}
	return []struct {
		name, stack string
		code        map[string]scenarios.StageFunc
		property    history.Property
		keep        []string
		plan        []string
	}{
		{"killed-in-handler", "at-least-once", shop(), history.PropDuplicateCritical, five, []string{"when payments.charge/applied{event=order-5} #1 kill $caller for 1s"}},
		{"killed-before-commit", "at-least-once", shop(), history.PropDuplicateCritical, five, []string{"when broker.commit/sent{event=order-5} #1 kill $caller for 1s"}},
		{"reply-lost", "at-least-once", shop(), history.PropDuplicateCritical, five, []string{"when payments.charge/replied{event=order-5} #1 lose-reply payments"}},
		{"late-replay", "at-least-once", shop(), history.PropDuplicateCritical, five, []string{"after drain 26h replay workers"}},
		{"committed-first", "at-most-once", shop(), history.PropLoss, five, []string{"when payments.charge/sent{event=order-5} #1 kill $caller for 1s"}},
		{"error-swallowed", "at-least-once", shopThat(chargeHopefully), history.PropLoss, five, []string{"when payments.charge/sent{event=order-5} #1 refuse payments for 10s"}},
		{"never-in-the-log", "fire-and-forget", shop(), history.PropLoss, []string{"order-1", "order-5"}, []string{"at 9s kill broker for 5s"}},
		{"phantom", "at-least-once", shopThat(chargeUnderNewID), history.PropPhantom, five, nil},
		{"zombie", "at-least-once", shop(), history.PropZombie, nil, []string{"when payments.charge/sent{event=order-5} #1 pause $caller for 60s"}},
		{"order", "dlq-replay", shop(), history.PropOrder, nil, []string{"at 12s refuse payments for 4m"}},
		{"panic", "at-least-once", shopThat(chargeFirst), history.PropHarness, five, []string{"when customers.enrich/sent{event=order-5,stage=charge} #1 refuse customers for 1s"}},
		{"in-the-background", "at-least-once", shopThat(chargeLater), history.PropLoss, five, []string{"when payments.charge/sent{event=order-5} #1 kill $caller for 1s"}},
		{"stuck", "at-least-once", shopThat(chargeWhenOpen), history.PropStuck, five, nil},
	}
}

// The rest of the outcomes, and all parts at once: the longest of them still fits.
func TestFailureOfOtherKinds(t *testing.T) {
	long := strings.Repeat("a sentence that goes on and on ", 40)
	many := []string{"example.com/shop/charge/charge.go:41", "example.com/shop/charge/charge.go:57", "example.com/shop/refund/charge.go:12"}
	awaits := Awaits{Reached: many, Killed: many[:1], Least: 90}
	full := broken(t, "at-least-once", shop(), history.PropDuplicateCritical, []string{"order-5"}, "when payments.charge/applied{event=order-5} #1 kill $caller for 1s")
	full.Headline, full.RanOut, full.Awaits = "charge of 80.00 instead of 40.00 at payments, applied 2 times", true, awaits
	full.Would = []Remedy{{"idempotency-key", "holds at all 41 placements of this fault"}, {"dedup-store(durable)", "holds at all 43 placements of this fault · leaves it to a person at 2"},
		{"outbox", long}, {AsItIs, "breaks at 12 of 41 placements of this fault"}}
	full.Accepted = []Acceptance{{Finding: "loss", Issue: "SHOP-12", Until: "2026-12-31"}, {Finding: "duplicate-effect (critical)", Issue: "SHOP-7", Until: "2026-10-31", Ended: true}}
	full.Again = "go test example.com/shop/charge -run '^TestChargeOnce$/^with_a_long_name_that_is_never_broken_because_it_is_to_be_pasted$' -count=1"
	var text strings.Builder
	for _, o := range []*Outcome{
		full,
		{Kind: Uncovered, Phase: InSearch, Plans: 100, Budget: 100, Stack: "at-least-once", Seed: 1, Detail: "1 of 3 (33 %), at least 90 % wanted", Awaits: awaits},
		{Kind: Vacuous, Phase: InSearch, Plans: 100, Budget: 100, Stack: "at-least-once", Seed: 1, Detail: "no critical effect took place in 100 plans"},
		{Kind: Drifted, Phase: InControl, Stack: "at-least-once", Seed: 1, Detail: "two runs of one case differ\nboth   event 416 calls customers.enrich\nfirst: event 417 calls payments.charge\nsecond: event 417 calls orders.insert", Case: "testdata/twiceless/payments/9f31c2a0b1d4.case"},
		{Kind: Hung, Phase: InSearch, Plan: 3, Plans: 3, Budget: 100, Stack: "at-least-once", Seed: 4, Detail: "a run did not end within 10s", Site: many[0],
			Trace: []string{"charge.Charge charge.go:41", long}, Faults: []string{"at 12s kill consumer-1 for 1s"}},
		{Kind: Undecided, Phase: InCorpus, Seed: 9, Detail: long},
		{Kind: Passed, Phase: InSearch, Scenario: "payments", Stack: "permanent-key", Plans: 100, Budget: 100, Runs: 107, Twice: 5, Awaits: Awaits{Reached: many, Killed: many}},
		{Kind: PassedAccepted, Phase: InSearch, Scenario: "payments", Stack: "at-least-once", Plans: 5000, Searched: "20261121", Runs: 5252, Twice: 250, Accepted: []Acceptance{
			{Finding: "duplicate-effect (critical)/charge/applied-reply-lost", Issue: "SHOP-12", Until: "2026-12-31", Met: 3}, {Finding: "loss", Issue: "SHOP-7", Until: "2026-10-31", Ended: true}}},
	} {
		text.WriteString(failureText(t, o) + "\n")
	}
	golden(t, "failure.kinds.golden", []byte(text.String()))
}

// Every finding of runs full of faults has a text that fits, whatever it is made of.
func TestFailureFitsWhateverHappens(t *testing.T) {
	plan := []string{"at 12s kill consumer-1 for 1s", "at 15s refuse payments for 2m", "at 20s pause consumer-2 for 60s", "at 30s kill broker-1 for 5s", "after drain 26h replay workers"}
	for _, stack := range []string{"at-least-once", "fire-and-forget"} {
		o, found := brokenBy(t, stack, shop(), history.PropDuplicateCritical, nil, plan...)
		require.Greater(t, len(found), 50)
		for i := 0; i < len(found); i += 7 {
			o.Finding = &found[i]
			failureText(t, o)
		}
	}
}

// Three variants of one store are one piece of advice, and the stack as it is none.
func TestWouldHoldIsTheBestOfEachLayer(t *testing.T) {
	o := &Outcome{Kind: Broke, Phase: InSearch, Plan: 1, Budget: 1, Would: []Remedy{{"dedup-store(durable)", "a"}, {"dedup-store(cached-durable)", "b"}, {AsItIs, "c"},
		{"idempotency-key with keep: for ever", "d"}, {"dedup-store(replicated-async)", "e"}, {NoBetter, "f"}}}
	require.Contains(t, failureText(t, o), `
would hold  dedup-store(durable)                 a
            idempotency-key with keep: for ever  d
            dedup-store(cached-durable)          b
`)
	o.Would = []Remedy{{"", "no single layer"}, {AsItIs, "breaks"}, {NoBetter, "fence"}}
	require.True(t, strings.HasSuffix(failureText(t, o), "\nwould hold  no single layer\n"))
}

func failureText(t *testing.T, o *Outcome) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteOutcome(&b, o))
	requireFits(t, b.String(), o.Again)
	return b.String()
}

// requireFits: at most 25 lines of 100 columns; only a command may be longer.
func requireFits(t *testing.T, text, again string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	require.LessOrEqual(t, len(lines), 25, text)
	for _, line := range lines {
		if again == "" || !strings.HasSuffix(line, again) {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
		}
	}
}

// What a failing test prints of real runs of native code: the lines of shop_test.go, where the fault fell among them, what
// was never reached.
func TestFailureGolden(t *testing.T) {
	for _, c := range storiesOfFailures() {
		o := broken(t, c.stack, c.code, c.property, c.keep, c.plan...)
		golden(t, "failure."+c.name+".golden", []byte(failureText(t, o)))
	}
}
