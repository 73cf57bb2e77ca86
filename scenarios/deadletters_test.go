package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

func republished(r *Result) []history.Fact {
	return factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindOperated && f.Op == "replay" })
}

// What an outage has parked is done by the replay: each letter comes back to the partition of its key, as what it was,
// and no faster than the operator was told.
func TestReplayOfDeadLetters(t *testing.T) {
	const outage = "at 12s refuse payments for 4m"
	sc := payments(t)
	sc.Phases.Chaos = 20 * nsSecond
	r := aimed(t, sc, "dlq-replay", outage)
	require.Equal(t, []string{"warm-up", "chaos", "heal", "drain", "quiet", "replay", "drain"}, notes(factsOf(r, ofKind(history.KindPhase))))
	require.Equal(t, r.Row.Buckets[history.ParkedB], r.Row.ParkedAfter)
	require.Positive(t, r.Row.Parked)
	require.Zero(t, r.Row.ParkedAfter)
	require.Zero(t, extraCharges(r))
	require.False(t, r.Row.Outside, "a replay by the stack's own operator is no fault")

	letters := republished(r)
	require.Len(t, letters, len(factsOf(r, ofKind(history.KindParked))))
	for i, f := range letters {
		if i > 0 {
			require.GreaterOrEqual(t, f.Time-letters[i-1].Time, int64(sim.Second/2))
		}
		letter := r.History.At(f.Cause)
		require.Equal(t, []string{f.Event, f.Key, f.Resource}, []string{letter.Event, letter.Key, letter.Resource})
	}
	first := map[string]string{} // partition, by event
	for _, f := range factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindAppended && f.Resource != "orders.dlq/0" }) {
		if f.Cause != 0 && r.History.At(f.Cause).Kind == history.KindOperated {
			require.Equal(t, first[f.Event], f.Resource, "the partition of its key")
			require.Equal(t, f.Resource, r.History.At(f.Cause).Value)
			continue
		}
		first[f.Event] = f.Resource
	}

	without := aimed(t, sc, "key-event-stage", outage)
	require.Equal(t, without.Row.Parked, r.Row.Parked, "up to the end of the first drain nothing differs")
	require.Equal(t, without.Row.Parked, without.Row.ParkedAfter)
}

// Nothing is parked, and no operator comes.
func TestNoReplayWithoutDeadLetters(t *testing.T) {
	r := planned(t, brief(t), "dlq-replay", 7, &Memory{})
	require.Equal(t, []string{"warm-up", "chaos", "heal", "drain"}, notes(factsOf(r, ofKind(history.KindPhase))))
}

// C07: a letter may be of something that has taken place. Here the first try charges, its reply is lost, and nothing
// tries again. Whoever publishes the letter with its id and key finds the charge known; without a key, or under another id,
// it is charged again.
func TestReplayOfWhatHadTakenPlace(t *testing.T) {
	const lose = "at 9s lose-reply payments"
	sc := brief(t)
	st := sc.stackNamed("dlq-replay")
	st.Layers[1].With = map[string]string{"backoff": "none"}
	withKey := st.Layers
	for _, c := range []struct {
		name, replay string
		layers       []Layer
		extra        int64
		phantom      bool
	}{
		{"with the key", "original", withKey, 0, false},
		{"without it", "original", withKey[:2], 1, false},
		{"under a new id", "new-id", withKey, 0, true}, // charged twice in truth, and nobody can tell whose charge the second is
	} {
		st.Layers = c.layers
		st.Layers[0].With["replay"] = c.replay
		r := aimed(t, sc, "dlq-replay", lose)
		require.Len(t, republished(r), 1, c.name)
		require.Equal(t, c.extra, extraCharges(r), c.name)
		require.Equal(t, c.phantom, r.Row.Phantoms > 0, c.name)
		if c.extra > 0 {
			require.Contains(t, r.Row.Prints, "duplicate-effect (critical)/charge/redelivered-after-replay")
		}
	}
}

// What a dedup store cannot decide it cannot decide the second time either: the letters are parked again, and the operator
// does not publish those in the same visit.
func TestReplayOfTheUndecided(t *testing.T) {
	sc := brief(t)
	sc.stackNamed("dedup-durable").Layers[0].With["replay"] = "original"
	r := aimed(t, sc, "dedup-durable", "at 9s drop-inbound payments from consumer for 20s")
	require.Positive(t, r.Row.Parked)
	require.Equal(t, r.Row.Parked, r.Row.ParkedAfter)
	require.Len(t, factsOf(r, ofKind(history.KindParked)), 2*len(republished(r)))
	held := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindHeld && f.Op == "parked" })
	require.Len(t, held, len(republished(r)), "those behind the operator's position")
}

// An operator who is killed between a letter's record and the position, and begins again, goes on where the position is:
// one letter is published twice, and no other.
func TestReplayIsAtLeastOnce(t *testing.T) {
	sc := payments(t)
	sc.Phases.Chaos = 20 * nsSecond
	c := &Case{Version: CaseVersion, Witness: Witness{Seed: 7},
		Intent: Intent{Scenario: sc, Stack: "dlq-replay", Fault: "none", PlanType: PlanHunting, Plan: []string{"at 12s refuse payments for 4m"}}}
	plan, err := Plan(c)
	require.NoError(t, err)
	w := build(c, plan, &Memory{})
	defer w.sim.Close()
	commits := 0
	w.sim.Watch(history.RPCHook("broker.commit", history.StepSent), func(h *sim.Hit) {
		if h.Caller == nil || h.Caller.Role() != "operator" {
			return
		}
		if commits++; commits == 3 {
			h.Drop = true
			h.Caller.Kill(0)
			w.sim.At(w.sim.Now().Add(sim.Second), sim.PhaseFault, h.Caller.Boot)
		}
	})
	r := w.finish(c)
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind, r.Stop.Detail)
	letters := republished(r)
	require.Len(t, letters, len(factsOf(r, ofKind(history.KindParked)))+1)
	require.Equal(t, letters[2].Event, letters[3].Event)
	require.Zero(t, extraCharges(r), "the key knows it")
	require.Zero(t, r.Row.ParkedAfter)
	require.Equal(t, int64(1), int64(len(factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindUnwound && f.Node == "operator-1" }))))
}

// The operator of the plan and that of the stack come each in their turn.
func TestReplayOfDeadLettersBeforeALateReplay(t *testing.T) {
	sc := payments(t)
	sc.Phases.Chaos = 20 * nsSecond
	r := aimed(t, sc, "dlq-replay", "at 12s refuse payments for 4m", "after drain 1h replay workers")
	require.Equal(t, []string{"warm-up", "chaos", "heal", "drain", "quiet", "replay", "drain", "quiet", "replay", "drain"}, notes(factsOf(r, ofKind(history.KindPhase))))
	operated := factsOf(r, ofKind(history.KindOperated))
	require.Equal(t, []string{"replay", "start"}, []string{operated[0].Op, operated[len(operated)-1].Op})
	require.Zero(t, extraCharges(r))
	require.Zero(t, len(factsOf(r, func(f *history.Fact) bool {
		return f.Kind == history.KindCommitted && f.Op == model.Workers && f.Resource == "orders.dlq/0"
	})))
}
