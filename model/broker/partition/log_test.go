package partition

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
)

func TestReadSharesAndCutNeverOverwrites(t *testing.T) {
	l := New(Config{})
	for i := range int64(4) {
		l.Append(wire.Batch{Base: i, LeaderEpoch: 1, Messages: make([]model.Message, 1)})
	}
	seen := l.Read(0, 0, l.End())
	require.Len(t, seen, 4)
	dropped := l.Truncate(2)
	require.Len(t, dropped, 2)
	l.Append(wire.Batch{Base: 2, LeaderEpoch: 2, Messages: make([]model.Message, 1)})
	require.EqualValues(t, 1, seen[2].LeaderEpoch, "a reader's batches stay as they are")
	require.EqualValues(t, 1, dropped[0].LeaderEpoch)
}
