package billing

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/model"
)

// world is what survives a crash: the tables, and what the card processor has charged, by key.
type world struct {
	tables  driver.Connector
	charged map[string]string
}

// ServeHTTP is the card processor.
func (w *world) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	w.charged[req.Header.Get("Idempotency-Key")] = string(body)
	_, _ = io.WriteString(rw, `{"id": "ch_1", "status": "succeeded"}`)
}

// state is what counts: each invoice in its state, and the money.
func (w *world) state() any {
	db := sql.OpenDB(w.tables)
	defer db.Close()
	var paid, events int
	if err := db.QueryRow("SELECT count(*) FROM invoices WHERE state = 'paid'").Scan(&paid); err != nil {
		return err
	}
	if err := db.QueryRow("SELECT count(*) FROM webhook_events").Scan(&events); err != nil {
		return err
	}
	return fmt.Sprint(paid, " paid, ", events, " events, ", w.charged)
}

func TestIdempotent(t *testing.T) {
	twiceless.CheckIdempotent(t, twiceless.System[*world, twiceless.Message]{
		World: func() *world { return &world{twiceless.MemorySQL(Schema), map[string]string{}} },
		Process: func(w *world, in *twiceless.Cuts) func(context.Context, twiceless.Message) error {
			s := New(Config{Secret: secret}, NewStore(in.DB("billing", w.tables)),
				in.HTTP("payments", w), in.HTTP("notifier", crm()), in.HTTP("crm", crm()), slog.New(slog.DiscardHandler))
			return func(ctx context.Context, m twiceless.Message) error { return deliver(ctx, s, webhook(m)) }
		},
		State: func(w *world) any { return w.state() },
	}, twiceless.Message(model.Message{Intent: model.Intent{Event: "order-1", Key: "her"}}))
}
