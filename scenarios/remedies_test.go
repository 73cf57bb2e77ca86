package scenarios

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/stack"
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

func remedy(t *testing.T, r *Remedies, layer string) Remedy {
	t.Helper()
	i := slices.IndexFunc(r.Layers, func(r Remedy) bool { return r.Layer == layer })
	require.GreaterOrEqual(t, i, 0, "%s: %+v", layer, r.Layers)
	return r.Layers[i]
}

// Against a charge that is done again after a death, a key at the service and a store in front of it help, at every
// hook where the consumer can die; the stack as it is breaks where the charge is applied and the position is not.
func TestRemediesOfACharge(t *testing.T) {
	c := small(t, "at-least-once", twiceCharged, killAtEnd)
	found, err := FindRemedies(c, RemedyLimits{Runs: 100})
	require.NoError(t, err)
	require.Len(t, found.Layers, 2, "the layers that the stack has already are not tried")
	require.Positive(t, found.AsIs.Broken())
	require.Less(t, found.AsIs.Broken(), found.AsIs.Met)
	require.NotEmpty(t, found.AsIs.Breaks)
	for _, layer := range []string{"dedup-store", "idempotency-key"} {
		r := remedy(t, found, layer)
		require.Zero(t, r.Broken(), "%+v", r)
		require.Equal(t, r.Placements, r.Tried)
		require.Greater(t, r.Met, 30, "every step of every call, and of the commit")
	}
	require.Greater(t, remedy(t, found, "dedup-store").Placements, found.AsIs.Placements, "its own calls are places to die, too")
}

// Nothing recognises a notification that is sent again, so no layer helps there.
func TestRemediesOfANotification(t *testing.T) {
	c := small(t, "key-event-stage", "duplicate-effect (notify)/present/redelivered-after-commit-lost", killAtEnd)
	found, err := FindRemedies(c, RemedyLimits{Runs: 100})
	require.NoError(t, err)
	require.Len(t, found.Layers, 1)
	r := remedy(t, found, "dedup-store")
	require.Equal(t, found.AsIs.Broken(), r.Broken())
}

// Pairs of placements are many: what is tried is bounded, and said.
func TestRemediesAreBounded(t *testing.T) {
	c := small(t, "at-least-once", twiceCharged, killAtEnd, "at 1s pause notifier-1 for 1ms")
	found, err := FindRemedies(c, RemedyLimits{Runs: 20})
	require.NoError(t, err)
	require.Equal(t, 2, found.Faults)
	require.Equal(t, 19, found.AsIs.Tried)
	require.Greater(t, found.AsIs.Placements, 1000)
	for _, limits := range []RemedyLimits{{Runs: 20, Events: 1000}, {Runs: 20, Intents: 1}} {
		wide := *c
		wide.Intent.Reductions = nil
		_, err = FindRemedies(&wide, limits)
		require.ErrorIs(t, err, ErrTooLarge)
	}
	c.Intent.Plan = append(c.Intent.Plan, "at 2s pause notifier-1 for 1ms")
	_, err = FindRemedies(c, RemedyLimits{Runs: 20})
	require.ErrorIs(t, err, ErrTooLarge)
}

// A placement at which the fault has no effect says nothing: a reply cannot be lost when none is sent any more.
func TestRemediesCountFaultsThatTookEffect(t *testing.T) {
	c := small(t, "at-least-once", "duplicate-effect (critical)/charge/handler-retried",
		"when notifier.present/replied{event=order-100,stage=present} #1 lose-reply notifier")
	found, err := FindRemedies(c, RemedyLimits{Runs: 100})
	require.NoError(t, err)
	require.Less(t, found.AsIs.Met, found.AsIs.Tried)
	require.Equal(t, found.AsIs.Met, found.AsIs.Broken(), "wherever it is armed, the one reply is lost")
}

// A layer goes as far inside as its check lets it, and the limits of the run follow its time-outs.
func TestWhereALayerStands(t *testing.T) {
	sc := *payments(t)
	sc.Stacks = []Stack{{Name: "s", Engine: "commit-after", Acks: 1, Layers: []Layer{{Kind: "retry"}}}}
	place := func(name string) []string {
		i := slices.IndexFunc(stack.Layers(), func(k stack.LayerKind) bool { return k.Name == name })
		with, ok := sc.withLayer("s", stack.Layers()[i])
		if !ok {
			return nil
		}
		return kindsOf(with.Stacks[0].Layers)
	}
	require.Equal(t, []string{"dead-letter", "retry"}, place("dead-letter"))
	require.Equal(t, []string{"retry", "idempotency-key"}, place("idempotency-key"))
	require.Nil(t, place("retry"), "a layer stands in a stack once")
	sc.Stacks[0].Layers = nil
	require.Nil(t, place("dead-letter"), "nothing tries again, so nothing is given up")
	sc.Stacks[0].Engine = "commit-before"
	require.Nil(t, place("dedup-store"))
	require.Empty(t, sc.Stacks[0].Layers, "the scenario of the case stays as it is")
}
