package producer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// The workload is the world outside: a restart of the application offers nothing twice, draws nothing anew, and what
// came while it was down was turned away.
func TestRestartOffersNothingTwice(t *testing.T) {
	calm := newRig(t, 1, realBroker(1), config(), orders()).run().facts(history.KindOffered)

	g := newRig(t, 1, realBroker(1), config(), orders())
	g.at(sim.Time(4*sim.Minute), func() { g.producer.Kill(0) })
	g.at(sim.Time(6*sim.Minute), func() { g.producer.Boot() })
	g.run()
	offered := g.facts(history.KindOffered)
	require.Len(t, offered, len(calm))
	away := 0
	for i := range offered {
		require.Equal(t, calm[i].Event, offered[i].Event)
		require.Equal(t, calm[i].Key, offered[i].Key)
		require.Equal(t, calm[i].Until, offered[i].Until, "the intended time")
		if at := offered[i].Until; at > int64(4*sim.Minute) && at < int64(6*sim.Minute) {
			away++
		}
	}
	refused := g.facts(history.KindRefused)
	require.Len(t, refused, away)
	require.Positive(t, away)
	require.Equal(t, "the application was down", refused[0].Note)
	require.Zero(t, g.out.N)
}

// What an application had in hand when it died is nobody's to answer, and nothing waits for it.
func TestRestartForgetsWhatWasOutstanding(t *testing.T) {
	g := newRig(t, 1, fakeBroker(silent), unhurried(), first())
	at := sim.Time(newRig(t, 1, fakeBroker(silent), config(), first()).run().one(history.KindOffered).Until)
	g.at(at.Add(sim.Second), func() { require.Equal(t, 1, g.out.N); g.producer.Kill(0) })
	g.at(at.Add(2*sim.Second), func() { g.producer.Boot() })
	g.run()
	require.Zero(t, g.out.N)
	require.Empty(t, g.facts(history.KindAccepted, history.KindRefused, history.KindUncertain))
}

// The delivery timeout bounds a try that is under way, too (KIP-91).
func TestDeliveryTimeoutCutsTheLastTry(t *testing.T) {
	cfg := patient()
	cfg.RequestTimeout = 9 * sim.Second
	g := newRig(t, 1, fakeBroker(silent), cfg, first()).run()
	answer := g.one(history.KindUncertain)
	require.Equal(t, int64(cfg.DeliveryTimeout), answer.Time-g.one(history.KindOffered).Time)
}

// Each intent of a batch is accepted because of its own record.
func TestAcceptedRestsOnItsOwnRecord(t *testing.T) {
	g := newRig(t, 1, realBroker(1), config(), rush()).run()
	accepted := g.facts(history.KindAccepted)
	require.Greater(t, len(accepted), 20)
	for _, f := range accepted {
		record := g.w.History.At(f.Cause)
		require.Equal(t, history.KindAppended, record.Kind)
		require.Equal(t, f.Event, record.Event)
	}
}
