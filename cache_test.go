package twiceless

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// A handler that remembers in a cache what it has charged is as good as the cache's memory: a stop of the cache, or the
// gap between charge and note, charges again.
func TestCacheHandler(t *testing.T) {
	run := func(plan ...string) *scenarios.Result {
		h := handlerOf(t, func(env *Env) Handler {
			s, seen := &shop{payments: env.HTTP("payments")}, env.Cache("seen")
			return func(ctx context.Context, m Message) error {
				if _, done, err := seen.Get(ctx, m.Event); err != nil || done {
					return err
				}
				if err := s.post(ctx, s.payments, "http://payments/charges", m); err != nil {
					return err
				}
				return seen.Set(ctx, m.Event, "charged", time.Hour)
			}
		})
		sc, err := shortPayments(t, 10*time.Second).WithService("seen", "cache")
		require.NoError(t, err)
		return goodRunIn(t, h, sc, plan...)
	}
	const die = "when broker.commit/sent{event=order-7} #1 kill $caller for 1s"
	require.Zero(t, run().Row.Excess[history.Critical])
	require.Zero(t, run(die).Row.Excess[history.Critical], "what comes again is found")
	require.Positive(t, run("when seen.set/sent{event=order-7} #1 kill $caller for 1s").Row.Excess[history.Critical], "in the gap it is not")
	require.Positive(t, run(die, "when seen.set/received{event=order-7} #1 kill seen-1 for 1s").Row.Excess[history.Critical], "nor after a stop of the cache")
}
