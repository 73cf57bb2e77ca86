package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// letter is a record that the log took.
type letter struct {
	topic string
	m     model.Message
}

// parkUnder runs one message with that outcome through the layer, over a log that is away for a while.
func parkUnder(t *testing.T, with map[string]string, o model.Outcome, away sim.Duration) (g *rig, out model.Outcome, taken []letter, took sim.Duration) {
	t.Helper()
	a := install(t, "dead-letter", with)
	g = newRig(t)
	g.emit = func(topic string, m model.Message) error {
		if sim.Duration(g.w.Now()) < away {
			return sim.ErrTimeout
		}
		taken = append(taken, letter{topic, m})
		return nil
	}
	g.run(t, func(c *model.Context) {
		out = a.batch(always(o))(c, []model.Message{message("order-1")})[0]
		took = sim.Duration(c.Now())
	})
	return g, out, taken, took
}

func TestDeadLetterParksWhatIsGivenUp(t *testing.T) {
	for _, is := range []model.OutcomeKind{model.Park, model.Retry} {
		g, out, taken, _ := parkUnder(t, nil, model.Outcome{Is: is, Why: model.ErrUnavailable, Tries: 9}, 0)
		require.Equal(t, model.Done, out.Is, "its position may move on")
		require.Len(t, taken, 1)
		require.Equal(t, "orders.dlq", taken[0].topic)
		require.Equal(t, "order-1", taken[0].m.Event)
		require.Contains(t, taken[0].m.Headers, `topic=orders partition=2 offset=7 attempts=9 `)
		require.Contains(t, taken[0].m.Headers, `reason="service unavailable"`)
		parked := g.facts(history.KindParked)
		require.Len(t, parked, 1)
		require.Equal(t, []string{"order-1", "orders.dlq", "service unavailable"}, []string{parked[0].Event, parked[0].Resource, parked[0].Note})
	}
}

func TestDeadLetterLeavesOtherOutcomesAlone(t *testing.T) {
	for _, is := range []model.OutcomeKind{model.Done, model.Drop, model.Defer, model.Forward} {
		g, out, taken, _ := parkUnder(t, nil, model.Outcome{Is: is}, 0)
		require.Equal(t, is, out.Is)
		require.Empty(t, taken)
		require.Empty(t, g.facts(history.KindParked))
	}
}

// Without the log's acknowledgement the event would be neither handled nor anywhere else.
func TestDeadLetterWaitsWhileTheLogIsAway(t *testing.T) {
	g, out, taken, took := parkUnder(t, nil, model.Outcome{Is: model.Park}, 2500*sim.Millisecond)
	require.Equal(t, model.Done, out.Is)
	require.Len(t, taken, 1)
	require.Equal(t, 3*sim.Second, took)
	require.Equal(t, int64(3*sim.Second), g.facts(history.KindParked)[0].Time, "parked when the log has it, not before")
}

func TestDeadLetterTopic(t *testing.T) {
	require.Equal(t, []string{"orders.dlq"}, install(t, "dead-letter", nil).topics)
	require.Equal(t, []string{"morgue"}, install(t, "dead-letter", map[string]string{"topic": "morgue"}).topics)
}

func TestDeadLetterReplay(t *testing.T) {
	require.Empty(t, install(t, "dead-letter", nil).replays, "nobody publishes them again unless the file says so")
	a := install(t, "dead-letter", map[string]string{"replay": "original", "after": "1h", "rate": "5", "topic": "morgue"})
	require.Equal(t, []model.DeadLetterReplay{{Topic: "morgue", After: sim.Hour, PerSecond: 5}}, a.replays)
	a = install(t, "dead-letter", map[string]string{"replay": "new-id"})
	require.Equal(t, []model.DeadLetterReplay{{Topic: "orders.dlq", After: 10 * sim.Minute, PerSecond: 2, NewIDs: true}}, a.replays)
}

func TestDeadLetterCheck(t *testing.T) {
	site := func(outside, inside []string) stack.Site {
		return stack.Site{Engine: "commit-after", Outside: outside, Inside: inside, Source: "orders"}
	}
	retry := []string{"retry"}
	require.Empty(t, flaws(t, "dead-letter", site(nil, retry), nil))
	found := flaws(t, "dead-letter", site(nil, nil), nil)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Message, "nothing tries again; add a layer { retry: {} }")
	found = flaws(t, "dead-letter", site(retry, nil), nil)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Message, "stands inside retry")
	found = flaws(t, "dead-letter", site(nil, retry), map[string]string{"topic": "orders"})
	require.Len(t, found, 1)
	require.Equal(t, "topic", found[0].Field)
	require.Contains(t, found[0].Message, "parked events would come back at once")
	found = flaws(t, "dead-letter", site(nil, retry), map[string]string{"after": "1h", "rate": "5"})
	require.Len(t, found, 2)
	require.Equal(t, []string{"after", "rate"}, []string{found[0].Field, found[1].Field})
	require.Contains(t, found[0].Message, "add replay: original")
}
