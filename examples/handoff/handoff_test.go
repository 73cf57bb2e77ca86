package handoff_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/examples/handoff"
)

func TestEarly(t *testing.T) {
	twiceless.HostLoop(t, "payments", func(env *twiceless.Env) func(context.Context) error {
		l := &handoff.Early{Client: env.Client(), Charges: charges(env), Log: quiet}
		return l.Run
	})
}

func TestLoop(t *testing.T) {
	twiceless.HostLoop(t, "payments", func(env *twiceless.Env) func(context.Context) error {
		l := &handoff.Loop{Client: env.Client(), Charges: charges(env), Log: quiet}
		return l.Run
	})
}

func charges(env *twiceless.Env) *handoff.Charges {
	return &handoff.Charges{HTTP: env.HTTP("payments"), URL: "http://payments"}
}

var quiet = slog.New(slog.DiscardHandler)
