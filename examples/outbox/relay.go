package outbox

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"
)

// Relay has the orders of the outbox charged.
type Relay struct {
	DB       *sql.DB
	Payments *Payments
	Log      *slog.Logger
}

// Run works until ctx ends. Several relays may work side by side: each row is locked by the one that is at it.
func (r *Relay) Run(ctx context.Context) {
	run(ctx, r.Log, r.next)
}

// run does one row after the other, and looks again after a while if there is none or if one has failed.
func run(ctx context.Context, log *slog.Logger, next func(context.Context) error) {
	for ctx.Err() == nil {
		err := next(ctx)
		switch {
		case err == nil:
			continue
		case !errors.Is(err, sql.ErrNoRows):
			log.Warn("relay", "error", err)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// next has the first row charged and takes it away, in one transaction. If that does not come to its end the row is still
// there, and charged again: under the same key, whoever does it.
func (r *Relay) next(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tx, err := r.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	order, err := first(ctx, tx)
	if err != nil {
		return err
	}
	request, err := r.Payments.request(ctx, order)
	if err != nil {
		return err
	}
	request.Header.Set("Idempotency-Key", order.ID)
	if err := charged(r.Payments.HTTP.Do(request)); err != nil {
		return err
	}
	if err := remove(ctx, tx, order); err != nil {
		return err
	}
	return tx.Commit()
}

// timeout is how long a row may stay locked by one that is at it.
const timeout = 30 * time.Second

// first is the first row that nobody else is at; sql.ErrNoRows says that there is none.
func first(ctx context.Context, tx *sql.Tx) (order Order, err error) {
	row := tx.QueryRowContext(ctx, "SELECT order_id, cents FROM outbox ORDER BY order_id LIMIT 1 FOR UPDATE SKIP LOCKED")
	return order, row.Scan(&order.ID, &order.Cents)
}

func remove(ctx context.Context, tx *sql.Tx, order Order) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM outbox WHERE order_id = $1", order.ID)
	return err
}
