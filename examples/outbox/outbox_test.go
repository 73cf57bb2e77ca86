package outbox_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/examples/outbox"
)

type relay interface{ Run(context.Context) }

// host tests a process that takes orders and has a relay beside it.
func host(t *testing.T, with func(outbox.Relay) relay, opts ...twiceless.Option) {
	t.Helper()
	opts = append(opts, twiceless.Database("shop", outbox.Schema))
	twiceless.Host(t, "payments", func(env *twiceless.Env) twiceless.Handler {
		db := env.SQL("shop")
		r := with(outbox.Relay{DB: db, Payments: &outbox.Payments{HTTP: env.HTTP("payments"), URL: "http://payments"}, Log: quiet})
		go r.Run(env.Context())
		return func(ctx context.Context, m twiceless.Message) error { return outbox.Take(ctx, db, m.Payload) }
	}, opts...)
}

// With a key a relay may die where it likes: what it charged is recognised.
func TestRelay(t *testing.T) {
	host(t, func(r outbox.Relay) relay { return &r }, twiceless.Budget{Plans: 40}) // each run waits for its relay
}

// Without one, an order is charged by a relay that dies, and again by the next that finds the row.
func TestKeyless(t *testing.T) {
	if testing.Short() {
		t.Skip("a search that goes on until it finds")
	}
	host(t, func(r outbox.Relay) relay { return &outbox.Keyless{Relay: r} },
		twiceless.Expect("duplicate-effect (critical)/charge/applied-reply-lost", "keyless.go:28"))
}

// A row that is taken away first is the only thing that knew of the charge.
func TestForgetful(t *testing.T) {
	if testing.Short() {
		t.Skip("a search that goes on until it finds")
	}
	host(t, func(r outbox.Relay) relay { return &outbox.Forgetful{Relay: r} },
		twiceless.Expect("loss/charge/committed-before-effect", "forgetful.go:35"))
}

var quiet = slog.New(slog.DiscardHandler)
