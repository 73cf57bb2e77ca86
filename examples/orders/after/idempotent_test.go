package orders

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/twiceless/twiceless"
)

// world is what survives a crash: the table, and what the card processor has charged, by key.
type world struct {
	orders  driver.Connector
	charged map[string]string
}

func newWorld() *world {
	return &world{twiceless.MemorySQL(Schema), map[string]string{}}
}

// ServeHTTP is the card processor: a key that it knows charges nothing.
func (w *world) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	w.charged[req.Header.Get("Idempotency-Key")] = string(body)
}

func notifier() http.Handler { return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) }

// handled is what the table says of orders.
func (w *world) handled() (n int) {
	db := sql.OpenDB(w.orders)
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM orders").Scan(&n); err != nil {
		panic(err)
	}
	return n
}

func TestIdempotent(t *testing.T) {
	twiceless.CheckIdempotent(t, twiceless.System[*world, string]{
		World: newWorld,
		Process: func(w *world, in *twiceless.Cuts) func(context.Context, string) error {
			s := &Service{DB: in.DB("orders", w.orders), Customers: in.HTTP("customers", customers()), Payments: in.HTTP("payments", w), Notifier: in.HTTP("notifier", notifier())}
			return func(ctx context.Context, id string) error {
				return s.Handle(ctx, fmt.Appendf(nil, `{"id": %q, "key": "her", "cents": 4000}`, id))
			}
		},
		State: func(w *world) any { return fmt.Sprint(w.handled(), " handled, charged ", w.charged) },
	}, "order-1")
}
