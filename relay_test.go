package twiceless

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// relay charges the orders that handlers have written down, with the orders' ids as keys, in the background of each process.
type relay struct {
	db       *sql.DB
	payments *http.Client
	every    time.Duration // between two looks
	most     time.Duration // ceiling of the pause behind a try that failed
	deadline time.Duration // of everything that is done about one order; 0 = none
}

func (r *relay) run(ctx context.Context) {
	wait := r.every
	for ctx.Err() == nil {
		switch found, err := r.one(ctx); {
		case err != nil:
			wait = min(2*wait, r.most)
		case found:
			wait = r.every
			continue
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

func (r *relay) one(ctx context.Context) (found bool, err error) {
	if r.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.deadline)
		defer cancel()
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	var id string
	err = tx.QueryRowContext(ctx, "SELECT id FROM outbox ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED").Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	m := Message{}
	m.Event = id
	if err := (&shop{}).post(ctx, r.payments, "http://payments/charges", m); err != nil {
		return true, err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM outbox WHERE id = $1", id); err != nil {
		return true, err
	}
	return true, tx.Commit()
}

// relayRun is a run of handlers that write orders down and of relays that charge them.
func relayRun(t *testing.T, r relay, plan ...string) *scenarios.Result {
	t.Helper()
	s := settingsOf([]Option{Database("orders", "CREATE TABLE outbox (id TEXT PRIMARY KEY)")})
	s.brought.payload = func(m Message) string { return m.Payload }
	h := &hosted{t: t, brought: &s.brought, handler: single(func(env *Env) Handler {
		r := r
		r.db, r.payments = env.SQL("orders"), env.HTTP("payments")
		go r.run(env.Context())
		return func(ctx context.Context, m Message) error {
			_, err := r.db.ExecContext(ctx, "INSERT INTO outbox (id) VALUES ($1) ON CONFLICT DO NOTHING", m.Event)
			return err
		}
	})}
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	sc.Phases.Chaos = int64(5 * time.Second)
	sc, err = sc.WithService("orders", "database")
	require.NoError(t, err)
	code := h.code("example.com/shop.TestRelay")
	code.Sites = true
	sc, err = sc.Bind(code)
	require.NoError(t, err)
	c, err := scenarios.MeasuringCase(sc, "at-least-once", "none", 1, 1)
	require.NoError(t, err)
	c.Intent.Plan = plan
	result, err := scenarios.Supervise(c, &scenarios.Memory{}, 20*time.Second)
	require.NoError(t, err)
	require.Equal(t, "quiescent", result.Stop.String())
	require.Empty(t, h.remarks)
	return result
}

// A relay has no message in hand. What it does belongs to the order that its call names, and was led to by the delivery of
// that order, to whichever process; a commit has no words, and belongs to what its transaction has done.
func TestRelayCallsBelongToTheirOrders(t *testing.T) {
	r := relayRun(t, relay{every: time.Second, most: time.Second})
	orders, others := 0, 0
	for _, f := range r.History.Facts {
		if f.Kind != history.KindCalled || f.Site == "" {
			continue
		}
		switch call := f.Resource + "." + f.Op; call {
		case "payments.charge", "orders.delete-outbox", "orders.commit":
			require.NotEmpty(t, f.Event, call)
			delivered := r.History.At(f.Cause)
			require.Equal(t, history.KindDelivered, delivered.Kind, call)
			require.Equal(t, f.Event, delivered.Event)
			orders++
			if delivered.Node != f.Node {
				others++
			}
		case "orders.begin", "orders.select-outbox", "orders.rollback":
			require.Empty(t, f.Event, call)
		}
	}
	require.Positive(t, orders)
	require.Positive(t, others, "the order of another process")
	require.Zero(t, r.Row.Losses())
}

// A run goes on while a relay may yet try again, however long it pauses between two tries, up to two minutes.
func TestRunsWaitForARelay(t *testing.T) {
	r := relayRun(t, relay{every: time.Second, most: 100 * time.Second}, "at 9s refuse payments for 3m")
	require.Zero(t, r.Row.Losses())
	require.Positive(t, r.Row.FaultsHit)
}

// A day of looks at an empty outbox is no work for anybody, whether or not the looks have deadlines.
func TestRelayInAQuietDay(t *testing.T) {
	for _, deadline := range []time.Duration{0, time.Minute} {
		r := relayRun(t, relay{every: time.Second, most: time.Second, deadline: deadline}, "after drain 26h replay workers")
		require.Zero(t, r.Row.Losses())
		require.Less(t, r.Row.Events, int64(50_000))
		require.Greater(t, r.History.Facts[len(r.History.Facts)-1].Time, int64(26*time.Hour))
	}
}
