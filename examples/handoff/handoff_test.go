package handoff_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/examples/handoff"
)

// What is committed when it is handed over goes down with the process that has it in a queue.
func TestEarly(t *testing.T) {
	if testing.Short() {
		t.Skip("a search that goes on until it finds")
	}
	twiceless.HostLoop(t, "payments", func(env *twiceless.Env) func(context.Context) error {
		l := &handoff.Early{Client: env.Client(), Charges: charges(env), Log: quiet}
		return l.Run
	}, twiceless.Expect("loss/charge/committed-before-effect", "early.go:44"))
}

// What is committed when it is done comes again, and the key sees to the rest.
func TestLoop(t *testing.T) {
	twiceless.HostLoop(t, "payments", func(env *twiceless.Env) func(context.Context) error {
		l := &handoff.Loop{Client: env.Client(), Charges: charges(env), Log: quiet}
		return l.Run
	}, twiceless.Cover(100))
}

func charges(env *twiceless.Env) *handoff.Charges {
	return &handoff.Charges{HTTP: env.HTTP("payments"), URL: "http://payments"}
}

var quiet = slog.New(slog.DiscardHandler)
