package billing

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twiceless/twiceless"
)

var secret = []byte("whsec_test")

// process is the service as main makes it, over the clients of a simulated machine.
func process(env *twiceless.Env) twiceless.Handler {
	s := New(Config{Secret: secret, Payments: "http://payments", Mail: "http://notifier", CRM: "http://customers"},
		NewStore(env.SQL("billing")), env.HTTP("payments"), env.HTTP("notifier"), env.HTTP("customers"), slog.New(slog.DiscardHandler))
	return func(ctx context.Context, m twiceless.Message) error { return deliver(ctx, s, []byte(m.Payload)) }
}

// deliver posts a webhook as the provider does: what gets no 2xx comes again.
func deliver(ctx context.Context, s http.Handler, body []byte) error {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/webhooks", strings.NewReader(string(body)))
	req.Header.Set(signatureHeader, "t="+stamp+",v1="+hex.EncodeToString(sign(secret, stamp, body)))
	rec := httptest.NewRecorder()
	if s.ServeHTTP(rec, req); rec.Code/100 != 2 {
		return fmt.Errorf("webhook: status %d", rec.Code)
	}
	return nil
}

// webhook is what the provider posts for the event of a message.
func webhook(m twiceless.Message) []byte {
	return fmt.Appendf(nil, `{"id":"evt-%s","type":"invoice.finalized","data":{"id":%q,"customer":%q,"amount_due":4000,"currency":"eur"}}`, m.Event, m.Event, m.Key)
}

// crm takes what it is told.
func crm() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
}

// Whatever happens, an invoice is paid, and once.
func TestPaidOnce(t *testing.T) {
	twiceless.Host(t, "payments", process, twiceless.Database("billing", Schema), twiceless.Payload(webhook), twiceless.Service("customers", crm))
}
