package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
)

// keySent is the key that the called service sees.
func keySent(t *testing.T, wrap func(model.Call) model.Call, m model.Message) (key string) {
	t.Helper()
	service := func(_ model.Ctx, _ string, m model.Message) (model.Message, error) {
		key = m.IdempotencyKey
		return m, nil
	}
	_, err := wrap(service)(&model.Context{}, m.Stage, m)
	require.NoError(t, err)
	return key
}

func TestIdempotencyKeyIsTheSameInEveryAttempt(t *testing.T) {
	wrap := install(t, "idempotency-key", nil).stages["charge"]
	first, again, other := message("order-1"), message("order-1"), message("order-2")
	first.Attempt, again.Attempt, again.Cause = 1, 2, 99
	require.Equal(t, "order-1/charge", keySent(t, wrap, first))
	require.Equal(t, "order-1/charge", keySent(t, wrap, again))
	require.Equal(t, "order-2/charge", keySent(t, wrap, other))

	off := func(inner model.Call) model.Call { return inner }
	require.Empty(t, keySent(t, off, first), "without the layer a call carries no key")
}

// Wrong on purpose: what is called a repetition of order-1 by its event is a new request by such a key.
func TestIdempotencyKeyThatChangesWithEveryTry(t *testing.T) {
	first, retried, redelivered := message("order-1"), message("order-1"), message("order-1")
	first.Attempt, first.Cause = 1, 40
	retried.Attempt, retried.Cause = 2, 40
	redelivered.Attempt, redelivered.Cause = 1, 90
	for from, want := range map[string][]string{
		"event,attempt":          {"order-1/1", "order-1/2", "order-1/1"},
		"event,delivery":         {"order-1/40", "order-1/40", "order-1/90"},
		"event,delivery,attempt": {"order-1/40/1", "order-1/40/2", "order-1/90/1"},
	} {
		wrap := install(t, "idempotency-key", map[string]string{"from": from}).stages["charge"]
		require.Equal(t, want, []string{keySent(t, wrap, first), keySent(t, wrap, retried), keySent(t, wrap, redelivered)})
	}
}

func TestIdempotencyKeyIsMadeOfWhatTheFileSays(t *testing.T) {
	for from, want := range map[string]string{"event": "order-1", "stage": "charge", "stage,event": "charge/order-1"} {
		wrap := install(t, "idempotency-key", map[string]string{"from": from}).stages["charge"]
		require.Equal(t, want, keySent(t, wrap, message("order-1")))
	}
}

func TestIdempotencyKeySetsTheOfferOfCriticalServices(t *testing.T) {
	a := install(t, "idempotency-key", map[string]string{"keep": "24h"})
	require.Equal(t, map[string]*model.Offer{"payments": {Keys: true, KeepKeys: 24 * sim.Hour}}, a.offers)
	require.Len(t, a.stages, 1, "only the critical effect")
	a = install(t, "idempotency-key", map[string]string{"keep": "0s"})
	require.Zero(t, a.offers["payments"].KeepKeys, "for ever")
	a = install(t, "idempotency-key", nil)
	require.Equal(t, &model.Offer{Keys: true, KeepKeys: sim.Hour}, a.offers["payments"], "the service's own time")
}

func TestIdempotencyKeyCheck(t *testing.T) {
	site := func(called ...stack.Service) stack.Site { return stack.Site{Engine: "commit-after", Called: called} }
	card := stack.Service{Name: "payments", TakesKeys: true, OffersKeys: true, KeepKeys: 48 * sim.Hour}
	mute := stack.Service{Name: "payments", TakesKeys: true}
	bank := stack.Service{Name: "bank"}
	for _, c := range []struct {
		site stack.Site
		with map[string]string
		want []stack.Flaw
	}{
		{site(card), nil, nil},
		{site(card, bank), map[string]string{"keep": "48h"}, nil},
		{site(card), map[string]string{"keep": "49h"}, []stack.Flaw{{"keep", "longer than payments keeps keys, 48h"}}},
		{site(card), map[string]string{"keep": "0s"}, []stack.Flaw{{"keep", "longer than payments keeps keys, 48h"}}},
		{site(card), map[string]string{"from": ""}, []stack.Flaw{{"from", "empty; want [event, stage]"}}},
		{site(card), map[string]string{"from": "stage,stage"}, []stack.Flaw{{"from[1]", "stage is there already"}}},
		{site(mute), nil, []stack.Flaw{{"", "payments takes no key; set downstreams.payments.idempotency_keys: offered, or use the layer { dedup-store: { variant: durable } }"}}},
		{site(bank), nil, []stack.Flaw{{"", "no service that a critical effect calls can take a key; use the layer { dedup-store: { variant: durable } }"}}},
	} {
		require.Equal(t, c.want, flaws(t, "idempotency-key", c.site, c.with))
	}
}
