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

func TestRelay(t *testing.T) {
	host(t, func(r outbox.Relay) relay { return &r })
}

func TestKeyless(t *testing.T) {
	host(t, func(r outbox.Relay) relay { return &outbox.Keyless{Relay: r} })
}

func TestForgetful(t *testing.T) {
	host(t, func(r outbox.Relay) relay { return &outbox.Forgetful{Relay: r} })
}

var quiet = slog.New(slog.DiscardHandler)
