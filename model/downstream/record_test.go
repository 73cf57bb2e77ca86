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
		if len(r.writes) == 0 && rapid.Bool().Draw(t, "SQL") {
			r.effect = false
			r.parts = drawParts(t)
			r.changes = rapid.SliceOfN(rapid.Custom(drawChange), 1, 3).Draw(t, "changes")
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

func drawParts(t *rapid.T) (parts []record) {
	for range rapid.IntRange(0, 2).Draw(t, "parts") {
		parts = append(parts, record{effect: true, event: rapid.String().Draw(t, "event"), attempt: rapid.Int32().Draw(t, "attempt")})
	}
	return parts
}

func drawChange(t *rapid.T) Change {
	text := rapid.String()
	c := Change{Table: text.Draw(t, "table"), Row: rapid.Int64().Draw(t, "row"), Serial: rapid.Int64().Draw(t, "serial")}
	value := rapid.Custom(func(t *rapid.T) model.SQLValue {
		return model.SQLValue{Kind: model.SQLKind(rapid.Uint8Max(5).Draw(t, "kind")), Int: rapid.Int64().Draw(t, "int"), Text: text.Draw(t, "text")}
	})
	switch rapid.IntRange(0, 2).Draw(t, "what") {
	case 0:
		c.Values = rapid.SliceOfN(value, 1, 3).Draw(t, "values")
	case 1:
		made := &model.SQLTable{Columns: []model.SQLColumn{{Name: text.Draw(t, "column"), Type: model.SQLTime, Size: rapid.IntRange(0, 64).Draw(t, "size"),
			NotNull: rapid.Bool().Draw(t, "not null"), Serial: rapid.Bool().Draw(t, "serial")}}}
		if rapid.Bool().Draw(t, "default") {
			made.Columns[0].Default = &model.SQLExpr{Op: model.SQLNow, Value: value.Draw(t, "default")}
		}
		for range rapid.IntRange(0, 2).Draw(t, "keys") {
			made.Keys = append(made.Keys, model.SQLKey{Name: text.Draw(t, "key"), Primary: rapid.Bool().Draw(t, "primary"), Columns: []string{text.Draw(t, "of")}})
		}
		c.Create = &model.SQLStatement{Does: model.SQLCreateTable, Table: c.Table, Create: made}
	}
	return c
}
