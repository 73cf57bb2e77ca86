package downstream

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// What is written is read back, and no proper prefix of it reads as a record: a torn tail is always recognised.
func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, number := rapid.String(), rapid.Int64()
		r := record{
			effect: rapid.Bool().Draw(t, "effect"), event: text.Draw(t, "event"), stage: text.Draw(t, "stage"), key: text.Draw(t, "key"),
			op: text.Draw(t, "op"), result: text.Draw(t, "result"), class: history.Class(rapid.Uint8().Draw(t, "class")),
			hash: rapid.Uint64().Draw(t, "hash"), attempt: rapid.Int32().Draw(t, "attempt"), cause: number.Draw(t, "cause"),
			idemKey: text.Draw(t, "idempotency key"), params: rapid.Uint64().Draw(t, "params"), wall: sim.Time(number.Draw(t, "wall")),
			guard: text.Draw(t, "guard"), fence: number.Draw(t, "fence"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "writes") {
			r.writes = append(r.writes, model.Write{Key: text.Draw(t, "row"), Value: text.Draw(t, "value")})
		}
		s := r.encode()
		got, ok := decode(s)
		require.True(t, ok)
		require.Equal(t, r, got)
		for i := range len(s) {
			_, ok := decode(s[:i])
			require.False(t, ok)
		}
	})
}
