package twiceless

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Deadlines and time-outs of the code follow simulated time, and what the network does comes back as a transport says it.
func TestTimeOfHostedCode(t *testing.T) {
	const outage = "at 9s partition payments-1 from consumer-1,consumer-2,consumer-3 for 30m"
	t.Run("a context's deadline", func(t *testing.T) {
		var took atomic.Int64
		h := handlerOf(t, func(env *Env) Handler {
			s := &shop{payments: env.HTTP("payments")}
			return func(ctx context.Context, m Message) error {
				began := time.Now()
				err := s.post(ctx, s.payments, "http://payments/charges", m) // gives up after 5 s
				if errors.Is(err, context.DeadlineExceeded) {
					took.Store(int64(time.Since(began)))
					return nil
				}
				return err
			}
		})
		_, err := hostedRun(t, h, time.Minute, outage)
		require.NoError(t, err)
		require.Equal(t, 5*time.Second, time.Duration(took.Load()))
	})
	t.Run("a client's time-out", func(t *testing.T) {
		var took atomic.Int64
		h := handlerOf(t, func(env *Env) Handler {
			client := env.HTTP("payments")
			client.Timeout = 3 * time.Second
			return func(ctx context.Context, m Message) error {
				began := time.Now()
				resp, err := client.Post("http://payments/charges", "text/plain", nil) //nolint:noctx // as people write it
				if err, ok := errors.AsType[net.Error](err); ok && err.Timeout() {
					took.Store(int64(time.Since(began)))
					return nil
				}
				if err == nil {
					err = resp.Body.Close()
				}
				return err
			}
		})
		_, err := hostedRun(t, h, time.Minute, outage)
		require.NoError(t, err)
		require.Equal(t, 3*time.Second, time.Duration(took.Load()))
	})
	t.Run("no time-out at all", func(t *testing.T) {
		var took atomic.Int64
		h := handlerOf(t, func(env *Env) Handler {
			client := env.HTTP("payments")
			return func(ctx context.Context, m Message) error {
				began := time.Now()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://payments/charges", nil)
				require.NoError(t, err)
				resp, err := client.Do(req)
				if errors.Is(err, syscall.ETIMEDOUT) {
					took.Store(int64(time.Since(began)))
					return nil
				}
				if err == nil {
					err = resp.Body.Close()
				}
				return err
			}
		})
		_, err := hostedRun(t, h, time.Minute, outage)
		require.NoError(t, err)
		require.Equal(t, 924600*time.Millisecond, time.Duration(took.Load()), "as the system under it gives up")
	})
	t.Run("a service that is killed", func(t *testing.T) {
		var reset atomic.Bool
		h := handlerOf(t, func(env *Env) Handler {
			s := &shop{payments: env.HTTP("payments")}
			return func(ctx context.Context, m Message) error {
				err := s.post(ctx, s.payments, "http://payments/charges", m)
				if errors.Is(err, syscall.ECONNRESET) {
					reset.Store(true)
				}
				return err
			}
		})
		_, err := hostedRun(t, h, time.Minute, "when payments.charge/arrived{event=order-5} #1 kill $node for 1s")
		require.NoError(t, err)
		require.True(t, reset.Load())
	})
	t.Run("sleep", func(t *testing.T) {
		h := handlerOf(t, func(env *Env) Handler {
			s := &shop{payments: env.HTTP("payments")}
			return func(ctx context.Context, m Message) error {
				time.Sleep(200 * time.Millisecond)
				return s.post(ctx, s.payments, "http://payments/charges", m)
			}
		})
		r, err := hostedRun(t, h, time.Minute)
		require.NoError(t, err)
		require.Equal(t, "quiescent", r.Stop.String())
		var handed int64
		for _, f := range r.History.Facts {
			switch {
			case f.Event == "order-2" && f.Kind.String() == "delivered":
				handed = f.Time
			case f.Event == "order-2" && f.Kind.String() == "called":
				require.GreaterOrEqual(t, time.Duration(f.Time-handed), 200*time.Millisecond)
			}
		}
		require.NotZero(t, handed)
	})
}
