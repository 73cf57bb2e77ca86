package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// ledger is the scenario of that name with less to do.
func ledger(t *testing.T) *Scenario {
	t.Helper()
	sc, err := Load("ledger")
	require.NoError(t, err)
	sc.Phases.Chaos = 5 * nsSecond
	return sc
}

// Wherever its consumer or its database stops, an event is booked once if booking and position are one transaction; if
// they are two, the moment between them is the one that matters.
func TestSinkTransactionUnderCrashes(t *testing.T) {
	sc := ledger(t)
	for _, c := range []struct {
		plan                  string
		commitAfter, apart    int64
		transaction, notified int64
	}{
		{"when ledger.book/sent{event=order-5} #1 kill $caller for 1s", 0, 0, 0, 1},
		{"when ledger.book/applied{event=order-5} #1 kill $caller for 1s", 1, 1, 0, 0},
		{"when ledger.txn/sent{event=order-5} #1 kill $caller for 1s", -1, 1, -1, -1},
		{"when notifier.confirm/applied{event=order-5} #1 kill $caller for 1s", 1, 1, 0, 1},
		{"when ledger.book/applied{event=order-5} #1 kill ledger for 2s", 1, 1, 0, 0},
		{"when ledger.book/applied{event=order-5} #1 power-loss ledger for 2s", 1, 1, 0, 0},
		{"at 9s lose-reply ledger", 1, 1, 0, 0},
	} {
		for stack, want := range map[string]int64{"at-least-once": c.commitAfter, "sink-two-commits": c.apart, "sink-transaction": c.transaction} {
			if want < 0 { // it has no such call
				continue
			}
			r := aimed(t, sc, stack, c.plan)
			require.Equal(t, want, extraCharges(r), "%s: %s", stack, c.plan)
			if stack == "sink-transaction" {
				require.Equal(t, c.notified, r.Row.Excess[history.Notify], "%s: told again", c.plan)
			}
		}
	}
}

// A commit whose reply is lost is no riddle: the position says that it took place, and nothing is done again.
func TestSinkPositionAnswersWhatBecameOfACommit(t *testing.T) {
	r := aimed(t, ledger(t), "sink-transaction", "when ledger.book/replied{event=order-5} #1 drop-inbound $caller from ledger for 4s")
	booked := factsOf(r, func(f *history.Fact) bool {
		return f.Kind == history.KindCalled && f.Event == "order-5" && f.Op == "book"
	})
	require.Len(t, booked, 1)
	handled := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindHandled && f.Event == "order-5" })
	require.Len(t, handled, 1)
	require.Equal(t, history.Acked, handled[0].Outcome)
	require.Zero(t, r.Row.Redelivered)
	require.Zero(t, r.Row.Excess[history.Notify])
}

// A consumer stands still right before its commit, its successor goes on from the database's position, and then the
// zombie's commit goes out. Its position is not what it was, so nothing of it takes place; if nobody looks, it books again.
func TestZombieIsFencedByThePosition(t *testing.T) {
	const pause = "when ledger.book/sent{event=order-5} #1 pause $node for 60s"
	sc := ledger(t)
	r := aimed(t, sc, "sink-transaction", pause)
	require.Zero(t, extraCharges(r))
	refused := factsOf(r, func(f *history.Fact) bool {
		return f.Kind == history.KindReturned && f.Event == "order-5" && f.Op == "book" && f.Note == "could not serialize"
	})
	require.Len(t, refused, 1, "the zombie's")
	for _, f := range factsOf(r, ofKind(history.KindApplied)) {
		require.False(t, f.Node == "ledger-1" && f.Time > refused[0].Time && f.Event == "order-5")
	}
	r = aimed(t, sc, "sink-blind-position", pause)
	require.Positive(t, extraCharges(r))
	require.Contains(t, r.Row.Prints, "duplicate-effect (critical)/book/redelivered-after-rebalance")
}

// A day later an operator sets the group back. Whoever reads its position in the database does not notice, and the
// group's positions follow: no lag is left that nobody works off.
func TestSinkTransactionIgnoresAReset(t *testing.T) {
	alone(t)
	const replay = "after drain 26h replay workers"
	sc := ledger(t)
	plain := planned(t, sc, "at-least-once", 7, &Memory{}, replay)
	require.Equal(t, plain.Row.Offered, extraCharges(plain))
	r := planned(t, sc, "sink-transaction", 7, &Memory{}, replay)
	require.Zero(t, extraCharges(r))
	require.Zero(t, r.Row.Redelivered)
	require.Empty(t, factsOf(r, ofKind(history.KindHeld)), "the group is told where the database is")
	slow := planned(t, sc, "sink-transaction", 7, &Memory{everyEvent: true}, replay)
	require.Equal(t, slow.History.Digest(), r.History.Digest())
}

// What a producer's retry has put into the log twice has two positions: only the order's own name tells that it is one.
func TestPublishedTwiceIsBookedTwiceWithoutAUniqueRow(t *testing.T) {
	const twice = "when broker.produce/replied{event=order-5} #1 lose $message"
	sc := ledger(t)
	for i := range sc.Stacks {
		sc.Stacks[i].Idempotent = false // the log would know the second one
	}
	r := aimed(t, sc, "sink-transaction", twice)
	require.Positive(t, extraCharges(r), "what was sent behind it on the connection is sent again, too")
	require.Contains(t, r.Row.Prints, "duplicate-effect (critical)/book/published-twice")
	again := extraCharges(r)
	r = aimed(t, sc, "sink-unique", twice)
	require.Zero(t, extraCharges(r))
	suppressed := notes(factsOf(r, ofKind(history.KindSuppressed)))
	require.Len(t, suppressed, int(again))
	require.Contains(t, suppressed, "unique constraint")
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
}

// Every stack of the library that promises something keeps it at the bounds of its envelope.
func TestLedgerUpToTheBounds(t *testing.T) {
	alone(t)
	sc, mem := ledger(t), &Memory{}
	sc.Phases.Chaos = 20 * nsSecond
	for i := range sc.Stacks {
		for _, plan := range []string{"at 12s refuse ledger,notifier for 20m", "at 12s partition consumer from broker for 20m", "at 12s kill ledger for 20m"} {
			r := keptAt(t, sc, &sc.Stacks[i], mem, plan)
			require.False(t, r.Row.Outside)
			if sc.Stacks[i].Name == "sink-transaction" {
				require.Zero(t, extraCharges(r), plan)
			}
		}
	}
}

// An engine that cannot work is an input error that names what would help.
func TestSinkTransactionNeedsADatabase(t *testing.T) {
	sc := payments(t)
	sc.Stacks[0].Engine = "sink-transaction"
	issues := checkScenario(sc)
	require.Len(t, issues, 1)
	require.Equal(t, "stacks[0].engine", issues[0].path)
	require.Contains(t, issues[0].message, "payments has no transactions")
	require.Contains(t, issues[0].message, "{ dedup-store: { variant: durable } }")

	sc = ledger(t)
	sc.Flow[2].Effect, sc.Flow[2].Class = "critical", history.Critical
	require.Contains(t, checkScenario(sc)[1].message, "commits one critical effect with the position of its event, and the flow has 2")
}
