package scenarios

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// small is a case of one event.
func small(t *testing.T, stack, fingerprint string, plan ...string) *Case {
	t.Helper()
	c := failing(t, stack, fingerprint, plan...)
	c.Intent.Reductions = &Reductions{KeepEvents: []string{"order-100"}, KeepNodes: []string{"consumer-1"}}
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	require.True(t, shows(r, fingerprint))
	c.Witness = r.Witness(c.Witness.Seed)
	return c
}

func remedy(t *testing.T, r *Remedies, change string) Remedy {
	t.Helper()
	i := slices.IndexFunc(r.Changes, func(r Remedy) bool { return r.Change == change })
	require.GreaterOrEqual(t, i, 0, "%s: %+v", change, r.Changes)
	return r.Changes[i]
}

func changes(r *Remedies) (names []string) {
	for _, c := range r.Changes {
		names = append(names, c.Change)
	}
	return names
}

// Against a charge that is done again after a death, a key at the service and a store in front of it help, at every
// hook where the consumer can die; the stack as it is breaks where the charge is applied and the position is not.
func TestRemediesOfACharge(t *testing.T) {
	alone(t)
	c := small(t, "at-least-once", twiceCharged, killAtEnd)
	found, err := FindRemedies(c, RemedyLimits{Runs: 100})
	require.NoError(t, err)
	require.Positive(t, found.AsIs.Broken())
	require.Less(t, found.AsIs.Broken(), found.AsIs.Met)
	require.NotEmpty(t, found.AsIs.Breaks)
	for _, layer := range []string{"dedup-store(durable)", "idempotency-key(event+stage)"} {
		r := remedy(t, found, layer)
		require.Zero(t, r.Broken(), "%+v", r)
		require.Equal(t, r.Placements, r.Tried)
		require.Greater(t, r.Met, 30, "every step of every call, and of the commit")
		require.Zero(t, r.Lost)
	}
	durable := remedy(t, found, "dedup-store(durable)")
	require.Greater(t, durable.Placements, found.AsIs.Placements, "its own calls are places to die, too")
	require.Positive(t, durable.Parked, "what it cannot know it leaves to a person")
	require.Equal(t, found.AsIs.Broken(), remedy(t, found, "dedup-store(cache)").Broken(), "which died with its process")
	require.NotContains(t, changes(found), "idempotency-key(event+stage, keep: for ever)", "a day is enough")
}

// Nothing recognises a notification that is sent again, so that no layer helps there.
func TestRemediesOfANotification(t *testing.T) {
	alone(t)
	c := small(t, "key-event-stage", "duplicate-effect (notify)/present/redelivered-after-commit-lost", killAtEnd)
	found, err := FindRemedies(c, RemedyLimits{Runs: 14})
	require.NoError(t, err)
	require.Positive(t, found.AsIs.Broken())
	for _, r := range found.Changes {
		require.Positive(t, r.Broken(), r.Change)
	}
}

// A case of one member is judged with all of them: the lone one would find in its memory what it has done before the
// partition moved, and a record there would look like a remedy.
func TestRemediesAreThoseOfTheGroup(t *testing.T) {
	alone(t)
	c := small(t, "at-least-once", "duplicate-effect (critical)/charge/redelivered-after-rebalance",
		"when payments.charge/applied{event=order-100,stage=charge} #1 partition $caller from broker for 20s")
	found, err := FindRemedies(c, RemedyLimits{Runs: 12})
	require.NoError(t, err)
	require.Positive(t, remedy(t, found, "dedup-store(cache)").Broken())
	require.Positive(t, remedy(t, found, "stage-record(memory)").Broken())
	require.Zero(t, remedy(t, found, "dedup-store(durable)").Broken())
	require.Equal(t, []string{"consumer-1"}, c.Intent.Reductions.KeepNodes, "the case stays as it is")
}

// A replay comes after the drain, wherever hooks are. A key that is kept for a day is no remedy for one that comes later.
func TestRemediesOfALateReplay(t *testing.T) {
	alone(t)
	c := small(t, "key-event-stage", "duplicate-effect (critical)/charge/redelivered-after-replay", "after drain 26h replay workers")
	found, err := FindRemedies(c, RemedyLimits{Runs: 100})
	require.NoError(t, err)
	require.Equal(t, 1, found.AsIs.Placements)
	require.Equal(t, 1, found.AsIs.Broken())
	require.Zero(t, remedy(t, found, "idempotency-key with keep: for ever").Broken())
	require.Zero(t, remedy(t, found, "dedup-store(durable)").Broken())
	require.Equal(t, 1, remedy(t, found, "fence(generation)").Broken())
}

// To observe a run changes nothing about it, even where a day passes by whole cycles.
func TestAnObservedRunIsTheRun(t *testing.T) {
	c := small(t, "at-least-once", "duplicate-effect (critical)/charge/redelivered-after-replay", "after drain 26h replay workers")
	r, hits, err := observe(c, &Memory{}, 0)
	require.NoError(t, err)
	require.NotEmpty(t, keyed(hits))
	require.Equal(t, c.Witness, r.Witness(c.Witness.Seed))
}

// Pairs of placements are many: what is tried is bounded, and said.
func TestRemediesAreBounded(t *testing.T) {
	alone(t)
	c := small(t, "at-least-once", twiceCharged, killAtEnd, "at 1s pause notifier-1 for 1ms")
	found, err := FindRemedies(c, RemedyLimits{Runs: 20})
	require.NoError(t, err)
	require.Equal(t, 2, found.Faults)
	require.Equal(t, 20, found.AsIs.Tried)
	require.Greater(t, found.AsIs.Placements, 1000)
	group := *c
	group.Intent.Reductions = &Reductions{KeepEvents: c.Intent.Reductions.KeepEvents}
	r, err := Run(&group, &Memory{})
	require.NoError(t, err)
	tenOfEach := 10 * int64(len(found.Changes)+1) * r.Row.Events
	fewer, err := FindRemedies(c, RemedyLimits{Runs: 20, Events: tenOfEach})
	require.NoError(t, err)
	require.InDelta(t, 10, fewer.AsIs.Tried, 1, "a change that is skipped counts in the estimate")
	_, err = FindRemedies(c, RemedyLimits{Runs: 20, Events: tenOfEach / 2})
	require.ErrorIs(t, err, ErrTooLarge)
	whole := *c
	whole.Intent.Reductions = nil
	_, err = FindRemedies(&whole, RemedyLimits{Runs: 8, Intents: 20})
	require.ErrorIs(t, err, ErrTooLarge)
	c.Intent.Plan = append(c.Intent.Plan, "at 2s pause notifier-1 for 1ms")
	_, err = FindRemedies(c, RemedyLimits{Runs: 20})
	require.ErrorIs(t, err, ErrTooLarge)
}

// A fault that has a time is tried there, too: it need not break at any hook.
func TestRemediesTryATimeWhereItIs(t *testing.T) {
	alone(t)
	c := small(t, "at-least-once", twiceCharged, killAtEnd)
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	began := r.History.Facts[slices.IndexFunc(r.History.Facts, func(f history.Fact) bool { return f.Kind == history.KindFaultBegan })]
	c.Intent.Plan = []string{fmt.Sprintf("at %s kill consumer-1 for 1s", rng.FormatDuration(began.Time))}
	found, err := FindRemedies(c, RemedyLimits{Runs: 1})
	require.NoError(t, err)
	require.Equal(t, c.Intent.Plan, found.AsIs.Breaks)
	require.Equal(t, 1, found.AsIs.Broken())
}

// A placement at which the fault has no effect says nothing: a reply cannot be lost when none is sent any more.
func TestRemediesCountFaultsThatTookEffect(t *testing.T) {
	alone(t)
	c := small(t, "at-least-once", "duplicate-effect (critical)/charge/handler-retried",
		"when notifier.present/replied{event=order-100,stage=present} #1 lose-reply notifier")
	found, err := FindRemedies(c, RemedyLimits{Runs: 14})
	require.NoError(t, err)
	require.Less(t, found.AsIs.Met, found.AsIs.Tried)
	require.Equal(t, found.AsIs.Met, found.AsIs.Broken(), "wherever it is armed, the one reply is lost")
}

// The changes come from the table of layers: all of it, whatever it holds.
func TestVariantsComeFromTheTable(t *testing.T) {
	sc := payments(t)
	all := sc.variants("at-least-once")
	require.Equal(t, variant{sc: sc}, all[0])
	for _, kind := range stack.Layers() {
		require.True(t, slices.ContainsFunc(all, func(v variant) bool { return v.layer == kind.Name }) || len(kind.Params) == 1, kind.Name)
		for _, p := range kind.Params {
			if p.Type != stack.OneOf || slices.Contains(kindsOf(sc.stackNamed("at-least-once").Layers), kind.Name) {
				continue
			}
			for _, word := range namesOf(p.Of) {
				require.True(t, slices.ContainsFunc(all, func(v variant) bool { return v.change == kind.Name+"("+word+")" }), "%s %s", kind.Name, word)
			}
		}
	}
	for _, v := range sc.variants("key-per-attempt") {
		if v.change == "idempotency-key with from: event+stage" {
			require.False(t, v.added)
			require.Equal(t, "event,stage", v.sc.stackNamed("key-per-attempt").Layers[2].With["from"])
			require.Equal(t, "24h", v.sc.stackNamed("key-per-attempt").Layers[2].With["keep"])
			require.Equal(t, "event,stage,delivery,attempt", sc.stackNamed("key-per-attempt").Layers[2].With["from"], "the scenario of the case stays as it is")
			return
		}
	}
	t.Fatal("the default of a parameter is an alternative to another value")
}

// A layer goes as far inside as its check lets it, and the limits of the run follow its time-outs.
func TestWhereALayerStands(t *testing.T) {
	sc := *payments(t)
	sc.Stacks = []Stack{{Name: "s", Engine: "commit-after", Acks: 1, Layers: []Layer{{Kind: "retry"}}}}
	place := func(kind string) []string {
		with, ok := sc.withLayer("s", Layer{Kind: kind})
		if !ok {
			return nil
		}
		return kindsOf(with.stackNamed("s").Layers)
	}
	require.Equal(t, []string{"dead-letter", "retry"}, place("dead-letter"))
	require.Equal(t, []string{"retry", "idempotency-key"}, place("idempotency-key"))
	sc.Stacks[0].Layers = nil
	require.Nil(t, place("dead-letter"), "nothing tries again, so nothing is given up")
	sc.Stacks[0].Engine = "commit-before"
	require.Nil(t, place("dedup-store"))
	require.Empty(t, sc.Stacks[0].Layers, "the scenario of the case stays as it is")
}
