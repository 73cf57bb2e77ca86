package twiceless_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/twiceless/twiceless"
)

// bank is the payments service as far as it matters: it charges once per idempotency key.
type bank struct{ charges map[string]int }

func (b *bank) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if key := req.Header.Get("Idempotency-Key"); b.charges[key] == 0 {
		b.charges[key]++
	}
	w.WriteHeader(http.StatusCreated)
}

// charger is the code under test: in production it is made with http.DefaultClient.
type charger struct{ payments *http.Client }

func (c *charger) handle(ctx context.Context, order string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://payments.example/charges", strings.NewReader("40.00"))
	if err != nil {
		return err
	}
	req.Header.Set("Idempotency-Key", order) // that of the event, so that each attempt has the same
	res, err := c.payments.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// The bank survives a crash, the charger does not, and what counts in the end is what was charged. Without the
// idempotency key the test fails, and shows the lines between which the process has to die.
func ExampleCheckIdempotent() {
	// func TestChargeOnce(t *testing.T)
	testChargeOnce := func(t *testing.T) {
		twiceless.CheckIdempotent(t, twiceless.System[*bank, string]{
			World: func() *bank { return &bank{charges: map[string]int{}} },
			Process: func(b *bank, in *twiceless.Cuts) func(context.Context, string) error {
				return (&charger{in.HTTP("payments", b)}).handle
			},
			State: func(b *bank) any { return b.charges },
		}, "order-1", "order-2")
	}
	_ = testChargeOnce
}
