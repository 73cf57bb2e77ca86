package twiceless

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// What a handler publishes belongs to the event that it handles, and comes again when the event does: the log takes no
// key.
func TestProducer(t *testing.T) {
	appended := func(plan ...string) map[string]int {
		sc := shortPayments(t, 5*time.Second)
		sc.Broker.Topics["receipts"] = scenarios.Topic{Partitions: 2}
		h := handlerOf(t, func(env *Env) Handler {
			s, receipts := &shop{payments: env.HTTP("payments")}, env.Producer()
			return func(ctx context.Context, m Message) error {
				if err := s.post(ctx, s.payments, "http://payments/charges", m); err != nil {
					return err
				}
				return receipts.Produce(ctx, "receipts", Message{Intent: m.Intent, Payload: "paid"})
			}
		})
		r := goodRunIn(t, h, sc, plan...)
		by := map[string]int{}
		for _, f := range r.History.Facts {
			if f.Kind == history.KindAppended && strings.HasPrefix(f.Resource, "receipts/") {
				by[f.Event]++
			}
		}
		return by
	}
	calm := appended()
	require.Greater(t, len(calm), 10)
	for event, n := range calm {
		require.Equal(t, 1, n, event)
	}
	require.Equal(t, 2, appended("when broker.commit/sent{event=order-5} #1 kill $caller for 1s")["order-5"])
}
