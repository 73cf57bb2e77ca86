package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
)

// A scenario with a service more is as complete as one from a file: its cases keep their name when they are read.
func TestWithService(t *testing.T) {
	sc, err := Load("payments")
	require.NoError(t, err)
	for _, kind := range []string{"database", "cache", "notification", "payments-api"} {
		with, err := sc.WithService("more", kind)
		require.NoError(t, err)
		c, err := MeasuringCase(with, "at-least-once", "none", 1, 1)
		require.NoError(t, err)
		c.Intent.Expected, c.Witness.Digest, c.Witness.HistoryDigest = "pass", "0000000000000000", "0000000000000000"
		read, err := DecodeCase("more.case", c.Encode())
		require.NoError(t, err)
		require.Equal(t, c.Name(), read.Name(), kind)
	}
	require.NotContains(t, sc.Downstreams, "more", "the given one is left alone")
	_, err = sc.WithService("payments", "cache")
	require.ErrorContains(t, err, "service payments of scenario payments is of kind payments-api, not cache")
	_, err = sc.WithService("broker", "cache")
	require.ErrorContains(t, err, "broker is a role of the simulated system")
}

// What cannot be bound is told all at once.
func TestBind(t *testing.T) {
	sc, err := Load("ledger")
	require.NoError(t, err)
	_, err = sc.Bind(&Code{Stages: map[string]StageFunc{"chrage": nil}, Host: func() Guest { return nil }})
	require.ErrorContains(t, err, `no stage "chrage" in the flow`)
	require.ErrorContains(t, err, "stack sink-transaction: engine sink-transaction does the stages of the flow one by one; hosted code does a message as a whole")
	_, err = sc.Bind(&Code{})
	require.ErrorContains(t, err, "neither stages nor a handler")
	bound, err := sc.Bind(&Code{Owner: "example.com/shop.TestShop", Stages: map[string]StageFunc{"book": func(c model.Ctx, m model.Message) (model.Message, error) { return m, nil }}})
	require.NoError(t, err)
	require.Equal(t, sc.Hash(), bound.Hash(), "code is no part of the data")
	c, err := MeasuringCase(bound, "at-least-once", "none", 1, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"example.com/shop.TestShop", DoorNative}, []string{c.Intent.Owner, c.Intent.Door})

	c.Intent.Scenario = sc // as read from a file
	_, err = Run(c, &Memory{})
	require.ErrorContains(t, err, "the handlers of this case are not in this program: they belong to example.com/shop.TestShop")
}
