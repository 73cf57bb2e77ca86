package model

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// The first of a list is outermost, and what is around every stage is outside of what is around one.
func TestComposeOrder(t *testing.T) {
	var seen []string
	layer := func(name string) func(Call) Call {
		return func(inner Call) Call {
			return func(c Ctx, stage string, m Message) (Message, error) {
				seen = append(seen, name)
				return inner(c, stage, m)
			}
		}
	}
	stages := []Stage{{Name: "charge", Run: func(_ Ctx, m Message) (Message, error) { seen = append(seen, "run"); return m, nil }}}
	calls := Compose(stages, map[string][]func(Call) Call{"charge": {layer("first"), layer("second")}, "": {layer("around all")}})
	_, err := calls["charge"](nil, "charge", Message{})
	require.NoError(t, err)
	require.Equal(t, []string{"around all", "first", "second", "run"}, seen)
}

// What nobody can decide is parked, what a later owner has is deferred, and everything else is tried again.
func TestOutcomeOfAnError(t *testing.T) {
	require.Equal(t, Outcome{}, OutcomeOf(nil))
	for err, is := range map[error]OutcomeKind{ErrUndecided: Park, ErrFenced: Defer, ErrUnavailable: Retry, errors.New("any"): Retry} {
		wrapped := fmt.Errorf("service: %w", err)
		require.Equal(t, Outcome{Is: is, Why: wrapped}, OutcomeOf(wrapped))
	}
}
