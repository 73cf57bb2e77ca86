package cost_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model/cost"
)

// Every figure says what it rests on, and no profile lacks one.
func TestEveryFigureHasEvidence(t *testing.T) {
	last := ""
	for _, p := range cost.Profiles() {
		require.Less(t, last, p.Name, "in order of the name")
		last = p.Name
		for _, f := range p.Figures() {
			require.NotEmpty(t, f.Evidence.String(), "%s: %s", p.Name, f.Name)
			require.NotEmpty(t, f.Source, "%s: %s", p.Name, f.Name)
			require.GreaterOrEqual(t, f.N, int64(0), "%s: %s", p.Name, f.Name)
		}
	}
	last = ""
	for _, f := range cost.Formats() {
		require.Less(t, last, f.Name, "in order of the name")
		last = f.Name
		require.NotEmpty(t, f.Source)
	}
	_, ok := cost.Named("none")
	require.False(t, ok)
	_, ok = cost.FormatNamed("none")
	require.False(t, ok)
}

// A profile that was fitted to a client must not have a broker that is slower: the published figure would be the broker's.
func TestTheClientWasTheBottleneck(t *testing.T) {
	p := profile(t, "netdb11")
	for batch := 1; batch <= 1000; batch++ {
		require.Equal(t, cost.ByClient, p.Estimate(cost.Flow{Payload: 200, Batch: batch, Replicas: 1}).Limit, "batch %d", batch)
	}
}

// The two points of the fit.
func TestCalibration(t *testing.T) {
	p := profile(t, "netdb11")
	require.Equal(t, int64(50_000), p.Estimate(cost.Flow{Payload: 200, Batch: 1, Replicas: 1}).PerSecond)
	require.InEpsilon(t, 400_000, p.Estimate(cost.Flow{Payload: 200, Batch: 50, Replicas: 1}).PerSecond, 0.0001)
}

// Copies for followers share one link, whether they are awaited or not.
func TestCopiesFillALink(t *testing.T) {
	p := profile(t, v2)
	for _, f := range []cost.Flow{
		{Payload: 1000, Batch: 200, Replicas: 4},
		{Payload: 1000, Batch: 200, Replicas: 4, Acks: cost.AcksLeader, InFlight: 5},
	} {
		e := p.Estimate(f)
		require.Equal(t, cost.ByLink, e.Limit)
		require.InEpsilon(t, 125_000_000, 3*e.PerSecond*int64(e.Bytes)/200, 0.001, "three copies of each byte")
	}
}

// The sum of the fields of a record, one by one, as the documentation of the format lists them.
func TestRecordsOfVariableLength(t *testing.T) {
	f, ok := cost.FormatNamed("kafka-v2")
	require.True(t, ok)
	zigzag := func(n int) (length int) {
		for v := uint64(n) << 1; ; v >>= 7 {
			if length++; v < 1<<7 {
				return length
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		records, payload := rapid.SampledFrom([]int{1, 2, 63, 64, 65, 500, 8192, 8193, 9000}).Draw(t, "records"), rapid.IntRange(0, 3_000_000).Draw(t, "payload")
		want := 61
		for delta := range records {
			body := 1 + 1 + zigzag(delta) + 1 + zigzag(payload) + payload + 1
			want += zigzag(body) + body
		}
		require.Equal(t, want, f.Bytes(records, payload))
	})
	require.Equal(t, 61+7+10, f.Bytes(1, 10), "seven bytes beside the smallest payloads")
	require.Equal(t, 61+9+200, f.Bytes(1, 200))
}

func flows(t *rapid.T) cost.Flow {
	f := cost.Flow{
		Payload: rapid.IntRange(0, 10_000).Draw(t, "payload"), Batch: rapid.IntRange(1, 500).Draw(t, "batch"),
		Replicas: rapid.IntRange(1, 4).Draw(t, "replicas"), InFlight: rapid.IntRange(1, 6).Draw(t, "in flight"),
		Acks: cost.Acks(rapid.IntRange(0, 2).Draw(t, "acks")),
	}
	if rapid.Bool().Draw(t, "transactional") {
		f.Acks, f.Transaction, f.Version = cost.AcksAll, rapid.IntRange(1, 2000).Draw(t, "transaction"), rapid.IntRange(1, 2).Draw(t, "version")
	}
	return f
}

// To await more, to copy more and to send more bytes is never faster; a transaction is never faster than none. What batches that
// overlap take is a mean over a queue, in which who comes a little earlier may meet a fuller fetch: a tenth is allowed for
// that. (Transactions are compared with none only: whoever is a little slower may come when the coordinator is ready, and not be
// sent back for 20 ms.)
func TestMoreNeverCostsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := cost.Profiles()[rapid.IntRange(0, len(cost.Profiles())-1).Draw(t, "profile")]
		f := flows(t)
		base := p.Estimate(f)
		slack := base.PerSecond/1000 + 1
		if f.Acks == cost.AcksAll && f.InFlight > 1 {
			slack = base.PerSecond/10 + 1
		}
		require.Positive(t, base.Visible)
		if f.Transaction > 0 {
			plain := f
			plain.Transaction, plain.Version, plain.Batch = 0, 0, min(f.Batch, f.Transaction)
			require.LessOrEqual(t, base.PerSecond, p.Estimate(plain).PerSecond+slack, "a transaction")
			return
		}
		dearer := func(what string, change func(*cost.Flow)) {
			more := f
			change(&more)
			require.LessOrEqual(t, p.Estimate(more).PerSecond, base.PerSecond+slack, what)
			require.GreaterOrEqual(t, p.Estimate(more).Visible, base.Visible, what)
		}
		dearer("more bytes", func(f *cost.Flow) { f.Payload += rapid.IntRange(1, 10_000).Draw(t, "more payload") })
		dearer("more replicas", func(f *cost.Flow) { f.Replicas++ })
		if f.Acks != cost.AcksAll {
			dearer("more acknowledgements", func(f *cost.Flow) { f.Acks++ })
		}
	})
}

// A flow that makes no sense is a mistake of the program.
func TestFlowsThatMakeNoSense(t *testing.T) {
	p := profile(t, "kafka-v2")
	for _, f := range []cost.Flow{
		{Payload: 1, Replicas: 1}, {Payload: 1, Batch: 1}, {Payload: 1, Batch: 1, Replicas: 1, Acks: cost.AcksLeader},
		{Payload: 1, Batch: 1, Replicas: 1, Transaction: 1, Version: 1}, {Payload: 1, Batch: 1, Replicas: 1, Acks: cost.AcksAll, InFlight: 1, Transaction: 1},
	} {
		require.Panics(t, func() { p.Estimate(f) }, "%+v", f)
	}
	require.Panics(t, func() { p.Client.Time(1, -1, 0) })
	require.Panics(t, func() { p.Format.Bytes(0, 1) })
}
