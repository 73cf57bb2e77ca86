package partition

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
)

// plain is a log of so many batches of two records, nobody's, of epoch 1.
func plain(batches int) *Log {
	l := New(Config{})
	for range batches {
		l.Append(wire.Batch{Base: l.End(), LeaderEpoch: 1, Sequence: -1, Messages: make([]model.Message, 2)})
	}
	return l
}

func TestReadGivesWholeBatches(t *testing.T) {
	l := plain(5) // 0 1 | 2 3 | 4 5 | 6 7 | 8 9
	bases := func(batches []wire.Batch) (out []int64) {
		for _, b := range batches {
			out = append(out, b.Base)
		}
		return out
	}
	require.Equal(t, []int64{0, 2, 4, 6, 8}, bases(l.Read(0, 0, 99)))
	require.Equal(t, []int64{2, 4}, bases(l.Read(3, 3, 10)), "the first may begin before, the last end behind")
	require.Equal(t, []int64{2, 4}, bases(l.Read(2, 3, 10)), "three records are a batch and a half")
	require.Equal(t, []int64{2}, bases(l.Read(3, 1, 10)))
	require.Equal(t, []int64{2, 4}, bases(l.Read(2, 0, 6)))
	require.Equal(t, []int64{2}, bases(l.Read(2, 0, 5)), "half a batch is not below")
	require.Empty(t, l.Read(3, 0, 3))
	require.Empty(t, l.Read(2, 0, 3))
	require.Empty(t, l.Read(10, 0, 99), "at the end there is nothing")
}

func TestWhatWasReadStaysAsItIs(t *testing.T) {
	l := plain(4)
	seen := l.Read(0, 0, l.End())
	dropped := l.Truncate(4)
	l.Append(wire.Batch{Base: 4, LeaderEpoch: 2, Messages: make([]model.Message, 1)})
	require.Len(t, seen, 4)
	require.EqualValues(t, 1, seen[2].LeaderEpoch)
	require.Len(t, dropped, 2)
	require.EqualValues(t, 1, dropped[0].LeaderEpoch)
}

func TestTruncateInsideABatchTakesItWhole(t *testing.T) {
	l := plain(3)
	l.SetHigh(4)
	require.Len(t, l.Truncate(3), 2)
	require.EqualValues(t, 2, l.End())
	require.EqualValues(t, 2, l.High())
}

func TestTruncateBeforeTheStartEmpties(t *testing.T) {
	l := plain(3)
	l.SetHigh(6)
	require.Equal(t, 2, l.DropBefore(5))
	require.EqualValues(t, 4, l.Start())
	require.Len(t, l.Truncate(1), 1)
	require.Equal(t, []int64{1, 1, 1}, []int64{l.Start(), l.High(), l.End()})
	require.Equal(t, NoEpoch, l.LastEpoch())
	require.NoError(t, l.Invariants())
}

func TestOpenStopsAtWhatIsTorn(t *testing.T) {
	var records []string
	for _, b := range plain(3).Batches() {
		records = append(records, Encode(&b))
	}
	records[2] = records[2][:len(records[2])/2]
	l, taken := Open(Config{}, records)
	require.Equal(t, 2, taken)
	require.EqualValues(t, 4, l.End())

	l, taken = Open(Config{}, records[1:2])
	require.Equal(t, 1, taken)
	require.EqualValues(t, 2, l.Start(), "retention took what was before")
}

func TestDecodeTakesOnlyWhatEncodeMade(t *testing.T) {
	b := wire.Batch{Sequence: -1, Messages: make([]model.Message, 2)}
	sealed, ok := model.Open(Encode(&b))
	require.True(t, ok)
	for _, fields := range []string{"", "1:1", sealed.Rest[:len(sealed.Rest)-6], sealed.Rest + "1:1", "1:x" + sealed.Rest[3:]} {
		_, ok := Decode(model.Seal([]byte(fields)))
		require.False(t, ok, fields)
	}
}

func TestBugsOfCallersPanic(t *testing.T) {
	one := make([]model.Message, 1)
	require.Panics(t, func() { plain(1).Append(wire.Batch{Base: 1, Messages: one}) }, "not at the end")
	require.Panics(t, func() { plain(1).Append(wire.Batch{Base: 2}) }, "no records")
	require.Panics(t, func() { plain(1).SetHigh(3) })
	require.Panics(t, func() { plain(1).Read(3, 0, 3) })
	require.Panics(t, func() { plain(1).BeginEpoch(0) }, "epochs do not go back")
	require.Panics(t, func() { New(Config{CachedBatches: -1}) })
}

// What retention has taken does not stay in memory, at a constant cost for each batch.
func TestMemoryFollowsTheLog(t *testing.T) {
	l := New(Config{})
	for i := range 10_000 {
		l.Append(wire.Batch{Base: l.End(), Producer: wire.ProducerID{ID: 1}, Sequence: int64(i), Messages: make([]model.Message, 1), Transactional: i%2 == 0,
			Control: wire.Control(i % 2)})
		l.SetHigh(l.End())
		l.DropBefore(l.End() - 10)
		require.LessOrEqual(t, l.shed, 10)
		require.LessOrEqual(t, cap(l.batches), 64)
	}
	require.LessOrEqual(t, len(l.ended), 10)
	require.LessOrEqual(t, cap(l.ended), 64)
	require.NoError(t, l.Invariants())
}

func TestHotPathsAllocateNothing(t *testing.T) {
	l := plain(1000)
	l.Append(wire.Batch{Base: l.End(), LeaderEpoch: 1, Producer: wire.ProducerID{ID: 7}, Transactional: true, Messages: make([]model.Message, 1)})
	l.SetHigh(l.End())
	next := &wire.ProduceBatch{Producer: wire.ProducerID{ID: 7}, Sequence: 1, Messages: make([]model.Message, 1)}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		l.Read(500, 100, l.LastStable())
		l.Aborted(500, 600)
		l.EpochEnd(1)
		l.Check(next, 0)
		l.CheckMarker(next.Producer, 1) //nolint:errcheck // the cost is what counts
	}))
}

func BenchmarkAppend(b *testing.B) {
	l := New(Config{})
	batch := wire.Batch{LeaderEpoch: 1, Producer: wire.ProducerID{ID: 7}, Messages: make([]model.Message, 1)}
	b.ReportAllocs()
	for b.Loop() {
		batch.Base, batch.Sequence = l.End(), l.End()&wire.MaxSequence
		l.Append(batch)
		l.SetHigh(l.End())
	}
}

func BenchmarkRead(b *testing.B) {
	l := plain(100_000)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i = (i + 7919) % l.End() {
		l.Read(i, 500, l.End())
	}
}

func BenchmarkCheck(b *testing.B) {
	l := New(Config{})
	for id := range int64(20) {
		l.Append(wire.Batch{Base: l.End(), Producer: wire.ProducerID{ID: id + 1}, Messages: make([]model.Message, 1)})
	}
	next := &wire.ProduceBatch{Producer: wire.ProducerID{ID: 13}, Sequence: 1, Messages: make([]model.Message, 1)}
	b.ReportAllocs()
	for b.Loop() {
		l.Check(next, 0)
	}
}

func BenchmarkTransactions(b *testing.B) {
	l := New(Config{})
	one := make([]model.Message, 1)
	b.ReportAllocs()
	for b.Loop() {
		for id := range int64(4) {
			l.Append(wire.Batch{Base: l.End(), Producer: wire.ProducerID{ID: id + 1}, Sequence: -1, Transactional: true, Messages: one})
		}
		for id := range int64(4) {
			l.Append(wire.Batch{Base: l.End(), Producer: wire.ProducerID{ID: id + 1}, Sequence: -1, Transactional: true, Control: wire.AbortMarker})
		}
		l.SetHigh(l.End())
		l.Aborted(l.LastStable()-8, l.LastStable())
		l.DropBefore(l.End() - 1000)
	}
}

func message() model.Message {
	return model.Message{Intent: model.Intent{Event: "order-117", Stage: "charge", Key: "customer-12"}, Payload: "payload", Amount: 1999, Cause: 1234, Stored: 1240}
}

func BenchmarkEncode(b *testing.B) {
	batch := wire.Batch{Base: 123456, LeaderEpoch: 3, Sequence: -1, Messages: []model.Message{message(), message()}}
	b.ReportAllocs()
	for b.Loop() {
		Encode(&batch)
	}
}

func BenchmarkDecode(b *testing.B) {
	raw := Encode(&wire.Batch{Base: 123456, LeaderEpoch: 3, Sequence: -1, Messages: []model.Message{message(), message()}})
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Decode(raw); !ok {
			b.Fatal("does not decode")
		}
	}
}
