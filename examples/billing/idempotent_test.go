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
)

// world is what survives a crash: the tables, what the card processor has charged by key, and who has got a receipt.
type world struct {
	tables   driver.Connector
	charged  map[string]string
	receipts map[string]bool
}

func newWorld() *world {
	return &world{twiceless.MemorySQL(Schema), map[string]string{}, map[string]bool{}}
}

// cards is the card processor: a key that it knows charges nothing.
func (w *world) cards(rw http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	w.charged[req.Header.Get("Idempotency-Key")] = string(body)
	_, _ = io.WriteString(rw, `{"id": "ch_1", "status": "succeeded"}`)
}

func (w *world) mail(_ http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	w.receipts[string(body)] = true
}

// money is what the tables and the card processor say.
func (w *world) money() any {
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

func deliverTwice(t *testing.T, state func(*world) any, expect ...string) {
	t.Helper()
	twiceless.CheckIdempotent(t, twiceless.System[*world, string]{
		World: newWorld,
		Process: func(w *world, in *twiceless.Cuts) func(context.Context, string) error {
			s := New(Config{Secret: secret}, NewStore(in.DB("billing", w.tables)), in.HTTP("cards", http.HandlerFunc(w.cards)),
				in.HTTP("mail", http.HandlerFunc(w.mail)), in.HTTP("crm", crm()), slog.New(slog.DiscardHandler))
			return func(ctx context.Context, id string) error {
				m := twiceless.Message{}
				m.Event, m.Key = id, "her"
				return deliver(ctx, s, webhook(m))
			}
		},
		State:     state,
		Schedules: 1000,
		Expect:    expect,
	}, "invoice-1")
}

func TestPaidOnceHoweverDelivered(t *testing.T) {
	deliverTwice(t, (*world).money)
}

// A customer who has paid may never get the receipt: the process dies before it announces the payment, and who has the
// webhook repeated finds the invoice paid.
func TestReceiptForgotten(t *testing.T) {
	deliverTwice(t, func(w *world) any { return w.receipts }, "invoice-1 delivered twice", "store.go:101", "the process dies here", "here:  {}")
}
