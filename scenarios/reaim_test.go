package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// changed is a case whose model has changed under it.
func changed(c *Case, edit func(*Scenario)) *Case {
	out := *c
	sc := *c.Intent.Scenario
	sc.Downstreams = map[string]Downstream{}
	for _, name := range SortedKeys(c.Intent.Scenario.Downstreams) {
		sc.Downstreams[name] = c.Intent.Scenario.Downstreams[name]
	}
	edit(&sc)
	out.Intent.Scenario = &sc
	return &out
}

// A harmless change moves every time. A fault at a hook of its event moves along, so that the case still fails.
func TestReaimAfterAHarmlessChange(t *testing.T) {
	c := shrunk(t, failing(t, "at-least-once", twiceCharged, killAtEnd)).Case
	for name, edit := range map[string]func(*Scenario){
		"service latency": func(sc *Scenario) {
			d := sc.Downstreams["payments"]
			d.Latency, d.LatencyText = orDist(nil, "lognormal(p50 200ms, p99 900ms)")
			sc.Downstreams["payments"] = d
		},
		"fsync": func(sc *Scenario) { sc.Broker.Fsync, sc.Broker.FsyncText = orDist(nil, "constant(20ms)") },
	} {
		now := changed(c, edit)
		re, err := Reaim(now, 0, 0)
		require.NoError(t, err)
		require.Equal(t, StillFails, re.Aim, name)
		require.False(t, re.Moved, name)
		require.Equal(t, 1, re.Runs, name)
		require.NotEqual(t, c.Witness.Digest, re.Case.Witness.Digest, "%s: it is stale", name)
		require.Equal(t, c.Witness.Shrunk, re.Case.Witness.Shrunk)
		twice, err := Replay(re.Case, 0)
		require.NoError(t, err)
		require.True(t, twice.Same && twice.Fresh)
	}
}

// A fault that no longer falls where it hurts is moved to the hooks near it, the nearest first.
func TestReaimMovesAFault(t *testing.T) {
	c := small(t, "at-least-once", twiceCharged, killAtEnd)
	c.Intent.Plan = []string{"when payments.charge/sent{event=order-100,stage=charge} #1 kill $caller for 1s"} // before the effect
	re, err := Reaim(c, 0, 0)
	require.NoError(t, err)
	require.Equal(t, StillFails, re.Aim)
	require.True(t, re.Moved)
	require.Equal(t, []string{"when payments.charge/arrived{event=order-100,stage=charge} #1 kill $caller for 1s"}, re.Case.Intent.Plan)
	few, err := Reaim(c, 1, 0)
	require.NoError(t, err)
	require.Equal(t, Passes, few.Aim, "within one run it is not found")
	require.Equal(t, 3, few.Runs)
}

// A stack that was mended passes, and its anchors were hit: the case tests something.
func TestReaimOfAMendedStack(t *testing.T) {
	c := small(t, "at-least-once", twiceCharged, killAtEnd)
	c.Intent.Stack = "key-event-stage"
	re, err := Reaim(c, 0, 0)
	require.NoError(t, err)
	require.Equal(t, Passes, re.Aim)
	require.Empty(t, re.Gone)
	require.Nil(t, re.Case)
	require.Greater(t, re.Runs, 40, "all places near were tried")
}

// An event that is not offered any more passes no hook: nothing was tested, which is not the same as passing.
func TestReaimSaysThatAnAnchorIsGone(t *testing.T) {
	c := small(t, "at-least-once", twiceCharged, killAtEnd)
	now := changed(c, func(sc *Scenario) { sc.Workload.Interval *= 4 })
	re, err := Reaim(now, 0, 0)
	require.NoError(t, err)
	require.Equal(t, AnchorGone, re.Aim)
	require.Equal(t, []string{killAtEnd}, re.Gone)
	require.Nil(t, re.Case)
}

// A finding that a fault now hides, and that needs none, is told with an empty plan.
func TestReaimWithoutFaults(t *testing.T) {
	alone(t)
	c := small(t, "at-least-once", twiceCharged, killAtEnd)
	c.Intent.Plan = []string{"when payments.charge/sent{event=order-100} #1 refuse payments for 1h"}
	c.Intent.Fingerprint = "duplicate-effect (critical)/charge/applied-reply-lost"
	now := changed(c, func(sc *Scenario) { sc.Consumers.CallTimeout = nsMillisecond * 20 })
	re, err := Reaim(now, 0, 0)
	require.NoError(t, err)
	require.Equal(t, StillFails, re.Aim, re.Gone)
	require.True(t, re.Moved)
	require.Empty(t, re.Case.Intent.Plan)
}
