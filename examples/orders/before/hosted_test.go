package orders

import (
	"context"
	"net/http"
	"testing"

	"github.com/twiceless/twiceless"
)

// bug is what a process leaves that dies in remember: the order is written down and never charged. Hosted and native tests
// find the same: a hosted call belongs to the stage of the flow that calls that service.
const bug = "loss/charge/committed-before-effect"

func TestHosted(t *testing.T) {
	if testing.Short() {
		t.Skip("a search that goes on until it finds")
	}
	twiceless.Host(t, "../shop.yaml", func(env *twiceless.Env) twiceless.Handler {
		s := &Service{DB: env.SQL("orders"), Customers: env.HTTP("customers"), Payments: env.HTTP("payments"), Notifier: env.HTTP("notifier")}
		return func(ctx context.Context, m twiceless.Message) error { return s.Handle(ctx, []byte(m.Payload)) }
	}, twiceless.Database("orders", Schema), twiceless.Service("customers", customers), twiceless.Expect(bug, "handler.go:84"))
}

// customers knows everybody.
func customers() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"email": "her@example.com"}`)) })
}
