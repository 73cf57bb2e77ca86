package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// outboxed is the brief scenario with one parameter of the outbox changed.
func outboxed(t *testing.T, param, value string) *Scenario {
	sc := brief(t)
	sc.stackNamed("outbox-effect").Layers[2].With[param] = value
	return sc
}

// M33: what happens to a consumer, around the call as it would be or around the row that stands for it, finds the row
// written once.
func TestOutboxIsWrittenOnceWhateverBecomesOfConsumers(t *testing.T) {
	alone(t)
	for _, fault := range []string{"kill $caller for 1s", "pause $caller for 60s", "partition $caller from broker for 20s"} {
		for _, variant := range []string{"keyed", "keyless"} {
			sc := outboxed(t, "variant", variant)
			for _, hook := range []string{"outbox.put/sent", "outbox.put/arrived", "outbox.put/applied", "outbox.put/received", "notifier.present/arrived"} {
				r := aimed(t, sc, "outbox-effect", "when "+hook+"{event=order-5} #1 "+fault)
				require.Zero(t, extraCharges(r), "%s: %s %s", variant, hook, fault)
			}
			require.Positive(t, extraCharges(aimed(t, sc, "at-least-once", "when notifier.present/arrived{event=order-5} #1 "+fault)), fault)
		}
	}
}

// The gap between an effect and its record is now the relay's. A key closes it; without one a relay that stops there, or
// whose reply is lost, charges again.
func TestRelayNeedsAKeyBetweenCallAndMark(t *testing.T) {
	const unheard, unmarked = "applied-reply-lost", "done-mark-lost"
	for plan, label := range map[string]string{
		"when payments.charge/applied{event=order-5} #1 kill $caller for 1s":           unheard,
		"when payments.charge/received{event=order-5} #1 power-loss outbox-1 for 1s":   unheard,
		"when outbox.disk.append/started{event=order-5} #2 power-loss outbox-1 for 1s": unmarked,
		"at 9s lose-reply payments": unheard,
	} {
		for variant, extra := range map[string]int64{"keyed": 0, "keyless": 1} {
			r := aimed(t, outboxed(t, "variant", variant), "outbox-effect", plan)
			require.Equal(t, extra, extraCharges(r), "%s: %s", variant, plan)
			require.Zero(t, r.Row.Buckets[history.StuckB], plan)
			if extra > 0 {
				require.Contains(t, r.Verdicts.Fingerprints(), "duplicate-effect (critical)/charge/"+label, plan)
			}
		}
	}
}

// An outage that consumers give up on is outlasted by the relay: nothing is parked, and what waited is late.
func TestRelayOutlastsAnOutage(t *testing.T) {
	const outage = "at 12s refuse payments for 10m"
	sc := payments(t)
	sc.Phases.Chaos = 20 * nsSecond
	plain, boxed := aimed(t, sc, "at-least-once", outage), aimed(t, sc, "outbox-effect", outage)
	require.Positive(t, plain.Row.Buckets[history.ParkedB])
	require.Zero(t, boxed.Row.Buckets[history.ParkedB])
	require.Positive(t, boxed.Row.Buckets[history.Late])
	require.Zero(t, extraCharges(boxed))
	require.Zero(t, boxed.Row.Excess[history.Notify], "consumers had nothing to try again")
}

// A relay that is stopped in the outage goes on from its rows.
func TestRelayGoesOnFromItsRows(t *testing.T) {
	sc := payments(t)
	sc.Phases.Chaos = 20 * nsSecond
	for _, stop := range []string{"kill outbox-1 for 30s", "power-loss outbox-1 for 30s", "pause outbox-1 for 30s"} {
		r := aimed(t, sc, "outbox-effect", "at 12s refuse payments for 60s", "at 50s "+stop)
		require.Zero(t, extraCharges(r), stop)
		require.Zero(t, r.Row.Buckets[history.ParkedB]+r.Row.Buckets[history.StuckB], stop)
	}
}

// What the relay gives up is parked with its reason, and the outbox still has it at the end.
func TestRelayParksWhatOutlastsItsBudget(t *testing.T) {
	r := aimed(t, outboxed(t, "budget", "5"), "outbox-effect", "at 9s refuse payments for 60s")
	require.Positive(t, r.Row.Buckets[history.ParkedB])
	parked, held := map[string]bool{}, map[string]bool{}
	for _, f := range r.History.Facts {
		switch {
		case f.Kind == history.KindParked:
			require.Equal(t, "outbox: service unavailable", f.Note)
			parked[f.Event] = true
		case f.Kind == history.KindHeld && f.Resource == "outbox":
			require.Equal(t, "parked", f.Op)
			held[f.Event] = true
		}
	}
	require.NotEmpty(t, parked)
	require.Equal(t, parked, held)
}
