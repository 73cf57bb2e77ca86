// Package outbox takes orders in one transaction with what is to be done about them, and has a relay do it.
//
// The handler writes the order and a row of the outbox, and is done: both are there or neither is. The relay runs beside it,
// in each process; it reads rows, has each charged, and takes it away. Between those two it may die, so that the next one
// charges a second time, unless the payments service knows the key: Relay sends one, Keyless does not, and Forgetful takes
// the row away first. outbox_test.go shows what the simulator says of them.
package outbox

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
)

// Schema is that of the shop's database.
const Schema = `
CREATE TABLE orders (id TEXT PRIMARY KEY, cents BIGINT NOT NULL);
CREATE TABLE outbox (order_id TEXT PRIMARY KEY, cents BIGINT NOT NULL);
`

// Order is what a message holds.
type Order struct {
	ID    string `json:"id"`
	Cents int64  `json:"cents"`
}

// Take writes an order down, with what is to be done about it. An order that is there has its row, or had it.
func Take(ctx context.Context, db *sql.DB, message string) error {
	var order Order
	if err := json.Unmarshal([]byte(message), &order); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	result, err := tx.ExecContext(ctx, "INSERT INTO orders (id, cents) VALUES ($1, $2) ON CONFLICT DO NOTHING", order.ID, order.Cents)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO outbox (order_id, cents) VALUES ($1, $2)", order.ID, order.Cents); err != nil {
		return err
	}
	return tx.Commit()
}

// Payments is the service that charges orders.
type Payments struct {
	HTTP *http.Client
	URL  string // https://payments.example.com
}

// request is that to charge an order.
func (p *Payments) request(ctx context.Context, order Order) (*http.Request, error) {
	body, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/charges", bytes.NewReader(body))
}

// charged says whether the answer to a request is that the order is charged.
func charged(response *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("payments: %s", response.Status)
	}
	return nil
}
