package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
)

// A sealed record opens to its fields, and nothing that a torn write leaves of it opens at all.
func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOf(rapid.String()).Draw(t, "texts")
		number := rapid.Int64().Draw(t, "number")
		b := model.AppendNumber(nil, number)
		for _, s := range texts {
			b = model.AppendText(b, s)
		}
		record := model.Seal(b)

		in, ok := model.Open(record)
		require.True(t, ok)
		require.Equal(t, number, in.Number())
		for _, s := range texts {
			require.True(t, in.More())
			require.Equal(t, s, in.Text())
		}
		require.False(t, in.More())
		require.False(t, in.Bad)

		for cut := range len(record) {
			_, ok := model.Open(record[:cut])
			require.False(t, ok, "%q opens, cut from %q", record[:cut], record)
		}
	})
}

// What was not written by us does not become something else: a field that does not parse stays bad.
func TestDamagedFields(t *testing.T) {
	for _, s := range []string{"", "x", "3:ab", "-1:", "9999999999999999999:a", ":", "1"} {
		in := model.Fields{Rest: s}
		require.Empty(t, in.Text(), s)
		require.True(t, in.Bad, s)
		require.False(t, in.More(), s)
	}
	in := model.Fields{Rest: "1:x"}
	require.Zero(t, in.Number())
	require.True(t, in.Bad)
}

func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		m := model.Message{Payload: text.Draw(t, "payload"), Schema: text.Draw(t, "schema"), IdempotencyKey: text.Draw(t, "key"),
			Headers: text.Draw(t, "headers"), Amount: rapid.Int64().Draw(t, "amount"), Attempt: rapid.Int().Draw(t, "attempt"),
			Cause: rapid.Int64().Draw(t, "cause"), Stored: rapid.Int64().Draw(t, "stored")}
		m.Event, m.Stage, m.Key, m.Correlation = text.Draw(t, "event"), text.Draw(t, "stage"), text.Draw(t, "of"), text.Draw(t, "correlation")
		require.Equal(t, m, model.DecodeMessage(m.Encode()))
	})
	require.Panics(t, func() { model.DecodeMessage("3:ab") })
}
