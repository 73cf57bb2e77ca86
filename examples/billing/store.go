package billing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Schema is what migrations come to.
const Schema = `
CREATE TABLE IF NOT EXISTS invoices (
	id         TEXT PRIMARY KEY,
	customer   TEXT NOT NULL,
	amount     BIGINT NOT NULL,
	currency   VARCHAR(3) NOT NULL DEFAULT 'eur',
	state      TEXT NOT NULL DEFAULT 'open',
	attempts   INTEGER NOT NULL DEFAULT 0,
	charge_id  TEXT,
	paid_at    TIMESTAMPTZ,
	created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS invoices_by_customer ON invoices (customer, created_at);
CREATE TABLE IF NOT EXISTS webhook_events (
	id         TEXT PRIMARY KEY,
	invoice_id TEXT NOT NULL REFERENCES invoices (id),
	handled_at TIMESTAMPTZ NOT NULL
);`

// ErrPaid is the end of an invoice.
var ErrPaid = errors.New("invoice is paid")

// Store keeps invoices in Postgres.
type Store struct{ db *sql.DB }

// NewStore keeps invoices in db.
func NewStore(db *sql.DB) *Store { return &Store{db} }

// Begin notes that an invoice is about to be charged and counts the attempts.
func (st *Store) Begin(ctx context.Context, inv Invoice) (attempt int, err error) {
	err = st.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO invoices (id, customer, amount, currency)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO NOTHING`, inv.ID, inv.Customer, inv.Amount, inv.Currency)
		if err != nil {
			return err
		}
		var state string
		if err := tx.QueryRowContext(ctx, `SELECT state FROM invoices WHERE id = $1 FOR UPDATE`, inv.ID).Scan(&state); err != nil {
			return err
		}
		if state == "paid" {
			return ErrPaid
		}
		return tx.QueryRowContext(ctx, `
			UPDATE invoices SET state = 'collecting', attempts = attempts + 1
			WHERE id = $1
			RETURNING attempts`, inv.ID).Scan(&attempt)
	})
	return attempt, err
}

// Settle notes that an invoice is paid.
func (st *Store) Settle(ctx context.Context, eventID, invoice, charge string) error {
	return st.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			UPDATE invoices SET state = 'paid', charge_id = $2, paid_at = $3
			WHERE id = $1 AND state <> 'paid'`, invoice, charge, time.Now().UTC())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // a parallel delivery was faster
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO webhook_events (id, invoice_id, handled_at) VALUES ($1, $2, now())
			ON CONFLICT (id) DO NOTHING`, eventID, invoice)
		return err
	})
}

// inTx runs fn in a transaction that commits if fn returns nil.
func (st *Store) inTx(ctx context.Context, fn func(*sql.Tx) error) (err error) {
	tx, err := st.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() {
		if err == nil {
			return
		}
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, rollback)
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}
