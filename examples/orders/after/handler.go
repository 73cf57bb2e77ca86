// Package orders charges orders and sends receipts.
package orders

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Schema of the database.
const Schema = `CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL, cents BIGINT NOT NULL);`

// ErrInvalid is an order that no repetition will mend.
var ErrInvalid = errors.New("invalid order")

// Service handles orders.
type Service struct {
	DB                            *sql.DB
	Customers, Payments, Notifier *http.Client
}

// Order is what the topic holds.
type Order struct {
	ID       string `json:"id"`
	Customer string `json:"key"`
	Cents    int64  `json:"cents"`
}

type customer struct {
	Email string `json:"email"`
}

// Handle handles one order, at least once: what is delivered again and was handled before is left alone.
func (s *Service) Handle(ctx context.Context, payload []byte) error {
	o, err := decode(payload)
	if err != nil {
		return err
	}
	c, err := s.customer(ctx, o.Customer)
	if err != nil {
		return fmt.Errorf("customer of %s: %w", o.ID, err)
	}
	if handled, err := s.handled(ctx, o); err != nil || handled {
		return err
	}
	if err := s.charge(ctx, o); err != nil {
		return fmt.Errorf("charge %s: %w", o.ID, err)
	}
	if err := s.receipt(ctx, o, c); err != nil {
		return fmt.Errorf("receipt %s: %w", o.ID, err)
	}
	if err := s.remember(ctx, o); err != nil {
		return fmt.Errorf("remember %s: %w", o.ID, err)
	}
	return nil
}

func decode(payload []byte) (o Order, err error) {
	switch err := json.Unmarshal(payload, &o); {
	case err != nil:
		return o, fmt.Errorf("%w: %w", ErrInvalid, err)
	case o.ID == "" || o.Customer == "":
		return o, fmt.Errorf("%w: no id, or no customer", ErrInvalid)
	case o.Cents <= 0:
		return o, fmt.Errorf("%w: %s of %d cents", ErrInvalid, o.ID, o.Cents)
	}
	return o, nil
}

func (s *Service) handled(ctx context.Context, o Order) (found bool, err error) {
	var n int
	err = s.DB.QueryRowContext(ctx, "SELECT count(*) FROM orders WHERE id = $1", o.ID).Scan(&n)
	return n > 0, err
}

func (s *Service) remember(ctx context.Context, o Order) error {
	_, err := s.DB.ExecContext(ctx, "INSERT INTO orders (id, customer, cents) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", o.ID, o.Customer, o.Cents)
	return err
}

func (s *Service) customer(ctx context.Context, id string) (c customer, err error) {
	err = call(ctx, s.Customers, http.MethodGet, "http://customers/v1/customers/"+url.PathEscape(id), "", nil, &c)
	return c, err
}

// charge may be repeated: the card processor recognises the key.
func (s *Service) charge(ctx context.Context, o Order) error {
	return call(ctx, s.Payments, http.MethodPost, "http://payments/v1/charges", "charge-"+o.ID, map[string]any{"order": o.ID, "cents": o.Cents}, nil)
}

func (s *Service) receipt(ctx context.Context, o Order, c customer) error {
	return call(ctx, s.Notifier, http.MethodPost, "http://notifier/v1/messages", "", map[string]any{"order": o.ID, "to": c.Email}, nil)
}

// call asks a service and waits for five seconds at most.
func call(ctx context.Context, client *http.Client, method, target, key string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(text))
	if err != nil {
		return err
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, target, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
