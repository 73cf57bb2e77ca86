package twiceless

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// A batch handler is given what a poll has brought, and says of each message what became of it: one that fails comes again
// alone, and calls made with the context of one message belong to it.
func TestBatchHandler(t *testing.T) {
	var calls [][]string
	h := &hosted{t: t, batches: true, brought: &brought{payload: func(Message) string { return "names no event" }}, handler: func(env *Env) BatchHandler {
		payments := env.HTTP("payments")
		return func(ctx context.Context, ms []Message) []error {
			var events []string
			errs := make([]error, len(ms))
			for i, m := range ms {
				events = append(events, m.Event)
				if m.Event == "order-9" && !slices.ContainsFunc(calls, func(c []string) bool { return slices.Contains(c, "order-9") }) {
					errs[i] = errors.New("not now")
					continue
				}
				req, err := http.NewRequestWithContext(Single(ctx, m), http.MethodPost, "http://payments/charges", nil)
				require.NoError(t, err)
				resp, err := payments.Do(req)
				if errs[i] = err; err == nil {
					errs[i] = resp.Body.Close()
				}
			}
			calls = append(calls, events)
			return errs
		}
	}}
	r, err := hostedRun(t, h, time.Minute, "at 9s pause consumer-1 for 3s", "at 9s pause consumer-2 for 3s", "at 9s pause consumer-3 for 3s")
	require.NoError(t, err)
	why, bad := r.Failed()
	require.False(t, bad, why)
	require.Empty(t, h.remarks)
	require.Zero(t, r.Row.Excess[history.Critical]+r.Row.Losses(), "each is charged once, by its own calls")
	var of [][]string
	for _, c := range calls {
		if slices.Contains(c, "order-9") {
			of = append(of, c)
		}
	}
	require.Len(t, of, 2)
	require.Greater(t, len(of[0]), 1, "it came in a batch")
	require.Equal(t, []string{"order-9"}, of[1], "and again alone")
}

// Without the context of one message nobody can say which a call belongs to, and a line of the log says so.
func TestBatchWithoutSingle(t *testing.T) {
	h := &hosted{t: t, batches: true, brought: &brought{payload: func(Message) string { return "names no event" }}, handler: func(env *Env) BatchHandler {
		payments := env.HTTP("payments")
		return func(ctx context.Context, ms []Message) []error {
			for range ms {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://payments/charges", nil)
				require.NoError(t, err)
				if resp, err := payments.Do(req); err == nil {
					_ = resp.Body.Close()
				}
			}
			return nil
		}
	}}
	_, err := hostedRun(t, h, time.Minute, "at 9s pause consumer-1 for 3s", "at 9s pause consumer-2 for 3s", "at 9s pause consumer-3 for 3s")
	require.NoError(t, err)
	require.NotEmpty(t, h.remarks)
	require.Contains(t, h.remarks[0], "use Single: github.com/twiceless/twiceless/batch_test.go:")
}
