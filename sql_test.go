package twiceless

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// orders charges each order once, or so it means to: it writes the order down, and who finds it there leaves it alone.
type orders struct {
	shop
	db    *sql.DB
	first bool // it writes the order down before it charges, and takes that back if the charge fails
}

const ordersSchema = "CREATE TABLE orders (id TEXT PRIMARY KEY, state TEXT NOT NULL);"

func (o *orders) handle(ctx context.Context, m Message) error {
	var n int
	if err := o.db.QueryRowContext(ctx, "SELECT count(*) FROM orders WHERE id = $1", m.Event).Scan(&n); err != nil || n > 0 {
		return err
	}
	if !o.first {
		if err := o.post(ctx, o.payments, "http://payments/charges", m); err != nil {
			return err
		}
		return o.write(ctx, m)
	}
	if err := o.write(ctx, m); err != nil {
		return err
	}
	err := o.post(ctx, o.payments, "http://payments/charges", m)
	if err != nil {
		if _, undo := o.db.ExecContext(ctx, "DELETE FROM orders WHERE id = $1", m.Event); undo != nil {
			return undo
		}
	}
	return err
}

func (o *orders) write(ctx context.Context, m Message) error {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, "INSERT INTO orders (id, state) VALUES ($1, 'paid') ON CONFLICT DO NOTHING", m.Event); err != nil {
		return err
	}
	return tx.Commit()
}

func hostedOrders(t *testing.T, first bool) *hosted {
	s := settingsOf([]Option{Database("orders", ordersSchema)})
	require.Empty(t, s.problems)
	s.brought.payload = func(m Message) string { return m.Payload }
	return &hosted{t: t, brought: &s.brought, handler: single(func(env *Env) Handler {
		o := &orders{shop: shop{payments: env.HTTP("payments")}, db: env.SQL("orders"), first: first}
		return o.handle
	})}
}

// The order of two writes decides between twice and never.
func TestSQLHandler(t *testing.T) {
	for _, c := range []struct {
		name       string
		first      bool
		plan       []string
		dups, lost int64
	}{
		{"nothing happens, charge first", false, nil, 0, 0},
		{"nothing happens, write first", true, nil, 0, 0},
		{"killed between charge and write", false, []string{"when orders.begin/sent{event=order-7} #1 kill $caller for 1s"}, 1, 0},
		{"killed between write and charge", true, []string{"when payments.charge/sent{event=order-7} #1 kill $caller for 1s"}, 0, 1},
		{"killed before the commit", true, []string{"when orders.commit/sent{event=order-7} #1 kill $caller for 1s"}, 0, 0},
		{"the database stops before it answers the commit", true, []string{"when orders.commit/applied{event=order-7} #1 kill $node for 1s"}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc, err := shortPayments(t, 10*time.Second).WithService("orders", "database")
			require.NoError(t, err)
			h := hostedOrders(t, c.first)
			r := goodRunIn(t, h, sc, c.plan...)
			t.Log(r.Stop, r.Row.Buckets, h.remarks)
			for _, f := range r.Verdicts.Findings {
				t.Log(f.Fingerprint(), f.Event)
			}
			for _, f := range r.History.Facts {
				if f.Event == "order-7" && testing.Verbose() {
					t.Log(f.Time, f.Node, f.Kind, f.Stage, f.Resource, f.Op, f.Outcome, f.Note)
				}
			}
			require.Equal(t, []int64{c.dups, c.lost}, []int64{r.Row.Excess[history.Critical], r.Row.Losses()})
		})
	}
}

// database/sql holds locks around a statement of a transaction, and another goroutine waits at them when the context of
// the transaction ends. Neither a deadline nor a death within a statement stops the run.
func TestTransactionsEndInTheMiddle(t *testing.T) {
	for _, plan := range []string{
		"when orders.select-orders/sent{event=order-7} #1 pause $caller for 1m",
		"when orders.select-orders/sent{event=order-7} #1 kill $caller for 1s",
		"when orders.select-orders/received{event=order-7} #1 kill $caller for 1s",
		"when orders.insert-orders/sent{event=order-7} #1 kill $node for 1m",
	} {
		t.Run(plan, func(t *testing.T) {
			sc, err := shortPayments(t, 5*time.Second).WithService("orders", "database")
			require.NoError(t, err)
			h := hostedOrders(t, false)
			h.handler = single(func(env *Env) Handler {
				o := &orders{shop: shop{payments: env.HTTP("payments")}, db: env.SQL("orders")}
				return o.handleInOne
			})
			r, err := hostedRunIn(t, h, sc, 5*time.Second, plan)
			require.NoError(t, err)
			why, failed := r.Failed()
			require.False(t, failed, why)
			require.Zero(t, r.Row.Losses())
			require.Positive(t, r.Row.FaultsHit)
		})
	}
}

// handleInOne does everything in one transaction, within ten seconds.
func (o *orders) handleInOne(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, "INSERT INTO orders (id, state) VALUES ($1, 'open') ON CONFLICT DO NOTHING", m.Event); err != nil {
		return err
	}
	var state string
	if err := tx.QueryRowContext(ctx, "SELECT state FROM orders WHERE id = $1 FOR UPDATE", m.Event).Scan(&state); err != nil || state == "paid" {
		return err
	}
	if err := o.post(ctx, o.payments, "http://payments/charges", m); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE orders SET state = 'paid' WHERE id = $1", m.Event); err != nil {
		return err
	}
	return tx.Commit()
}
