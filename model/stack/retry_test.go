package stack_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
)

// failing is a handler that fails some times per event, and keeps when it was called for what.
type failing struct {
	times    int
	after    sim.Duration
	at       []sim.Duration
	handled  []string
	attempts []int
	failed   map[string]int
}

func (f *failing) handle(c model.Ctx, ms []model.Message) []model.Outcome {
	if f.failed == nil {
		f.failed = map[string]int{}
	}
	var out []model.Outcome
	for _, m := range ms {
		f.at, f.handled, f.attempts = append(f.at, sim.Duration(c.Now())), append(f.handled, m.Event), append(f.attempts, m.Attempt)
		if f.failed[m.Event]++; f.failed[m.Event] > f.times {
			out = append(out, model.Outcome{Is: model.Done})
			continue
		}
		out = append(out, model.Outcome{Is: model.Retry, Why: model.ErrUnavailable, After: f.after})
	}
	return out
}

// handleUnder runs messages through a handler with a retry layer around it.
func handleUnder(t *testing.T, with map[string]string, f *failing, ms ...model.Message) (out []model.Outcome) {
	t.Helper()
	a := install(t, "retry", with)
	newRig(t).run(t, func(c *model.Context) { out = a.batch(f.handle)(c, ms) })
	return out
}

func TestRetryDoublesItsDelaysUpToTheCeilingAndParks(t *testing.T) {
	f := &failing{times: 100}
	out := handleUnder(t, map[string]string{"from": "100ms", "to": "300ms", "budget": "4"}, f, message("order-1"))
	require.Equal(t, []model.Outcome{{Is: model.Park, Why: model.ErrUnavailable, Tries: 5}}, out)
	const ms = sim.Millisecond
	require.Equal(t, []sim.Duration{0, 100 * ms, 300 * ms, 600 * ms, 900 * ms}, f.at)
	require.Equal(t, []int{1, 2, 3, 4, 5}, f.attempts)
}

// Without a budget an outage of any length is sat out, in place.
func TestRetryWithoutABudgetGivesNothingUp(t *testing.T) {
	f := &failing{times: 200}
	out := handleUnder(t, map[string]string{"budget": "0", "to": "1s"}, f, message("order-1"), message("order-2"))
	require.Equal(t, []model.Outcome{{Is: model.Done, Tries: 201}, {Is: model.Done, Tries: 201}}, out)
	require.Equal(t, slices.Repeat([]string{"order-1"}, 201), f.handled[:201], "what comes behind waits")
}

func TestRetryEndsWithTheFirstSuccess(t *testing.T) {
	f := &failing{times: 2}
	require.Equal(t, []model.Outcome{{Is: model.Done, Tries: 3}}, handleUnder(t, nil, f, message("order-1")))
	require.Len(t, f.at, 3)

	off := &failing{times: 2}
	var out []model.Outcome
	newRig(t).run(t, func(c *model.Context) { out = off.handle(c, []model.Message{message("order-1")}) })
	require.Equal(t, model.Retry, out[0].Is, "without the layer nothing tries again")
	require.Len(t, off.at, 1)
}

func TestRetryKeepsTheOrder(t *testing.T) {
	f := &failing{times: 1}
	out := handleUnder(t, nil, f, message("order-1"), message("order-2"))
	require.Equal(t, []model.Outcome{{Is: model.Done, Tries: 2}, {Is: model.Done, Tries: 2}}, out)
	require.Equal(t, []string{"order-1", "order-1", "order-2", "order-2"}, f.handled)
}

func TestRetryWaitsAsLongAsItIsAsked(t *testing.T) {
	f := &failing{times: 1, after: sim.Minute}
	handleUnder(t, nil, f, message("order-1"))
	require.Equal(t, []sim.Duration{0, sim.Minute}, f.at)
}

func TestRetryLeavesOtherOutcomesAlone(t *testing.T) {
	a := install(t, "retry", nil)
	for _, is := range []model.OutcomeKind{model.Done, model.Park, model.Drop, model.Forward, model.Defer} {
		var out []model.Outcome
		newRig(t).run(t, func(c *model.Context) {
			out = a.batch(always(model.Outcome{Is: is}))(c, []model.Message{message("order-1")})
		})
		require.Equal(t, is, out[0].Is)
	}
}

func TestRetryWithoutBackoffDoesNothing(t *testing.T) {
	require.Nil(t, install(t, "retry", map[string]string{"backoff": "none"}).batch)
}

func TestRetryChain(t *testing.T) {
	k, _ := stack.LayerByName("retry")
	chain := func(with map[string]string) sim.Duration { return k.Chain(k.Values(with), sim.Minute) }
	const ms = sim.Millisecond
	require.Equal(t, 900*ms+5*sim.Minute, chain(map[string]string{"from": "100ms", "to": "300ms", "budget": "4"}))
	require.Equal(t, sim.Minute, chain(map[string]string{"backoff": "none"}))

	require.Equal(t, 10*sim.Second+2*sim.Minute, chain(map[string]string{"budget": "0"}), "from the end of the fault on")

	f := &failing{times: 100}
	handleUnder(t, nil, f, message("order-1"))
	require.Equal(t, f.at[len(f.at)-1]+9*sim.Minute, chain(nil), "the chain counts the delays that the layer takes")
}

func TestRetryCheck(t *testing.T) {
	site := stack.Site{Engine: "commit-after"}
	require.Equal(t, []stack.Flaw{{"to", "5s is shorter than from, 6s"}}, flaws(t, "retry", site, map[string]string{"from": "6s", "to": "5s"}))
	require.Empty(t, flaws(t, "retry", site, map[string]string{"backoff": "none"}))
	require.Equal(t, []stack.Flaw{{"backoff", "none has no delays; leave out from and to, or use exponential"}},
		flaws(t, "retry", site, map[string]string{"backoff": "none", "from": "6s"}))
}
