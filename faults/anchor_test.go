package faults

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A hit of a call by consumer-2 at payments-1.
func aHit() ObservedHit {
	return ObservedHit{Hook: "payments.charge/applied", Event: "order-7", Stage: "charge", Role: "consumer", NodeRole: "payments",
		Node: "payments-1", Caller: "consumer-2", At: 3 * second, Nth: 2, ByRPC: true}
}

func parsed(t *testing.T, line string) Fault {
	t.Helper()
	f, err := Parse(line)
	require.NoError(t, err)
	return f
}

func TestAnchorFollowsTheNamedTarget(t *testing.T) {
	const at = "when payments.charge/applied{event=order-7,stage=charge} #2 "
	for line, want := range map[string]string{
		"at 3s kill consumer-2 for 1s":                  at + "kill $caller for 1s",
		"at 3s kill consumer-1 for 1s":                  at + "kill consumer-1 for 1s", // someone else: it stays who it was
		"at 3s skew payments-1 by 1s until heal":        at + "skew $node by 1s until heal",
		"at 3s partition consumer-2 from broker for 5s": at + "partition $caller from broker for 5s",
		"at 3s kill consumer for 1s":                    at + "kill consumer for 1s",
		"at 3s refuse payments,notifier for 5s":         at + "refuse payments,notifier for 5s",
		"at 3s join consumer for 5s":                    at + "join consumer for 5s",
	} {
		f := Anchor(parsed(t, line), aHit())
		require.NoError(t, f.Validate())
		require.Equal(t, want, f.String())
		require.True(t, f.Trigger.Matches(aHit()))
	}
}

func TestPlaceStrikesWhoeverHasTheRole(t *testing.T) {
	kill := parsed(t, "when notifier.present/sent{event=order-1} #1 kill $caller for 1s")
	require.Equal(t, []string{"$caller"}, Place(kill, aHit(), "consumer-1").Targets, "another member is struck where it works")
	disk := ObservedHit{Hook: "broker.disk.append/done", Event: "order-7", Role: "broker", NodeRole: "broker", Node: "broker-1", Nth: 1}
	require.Equal(t, []string{"consumer-1"}, Place(kill, disk, "consumer-1").Targets, "nobody of the role is there: the victim itself")
	broker := parsed(t, "at 1s kill broker-1 for 5s")
	require.Equal(t, []string{"$node"}, Place(broker, disk, "").Targets)
	require.Equal(t, []string{"broker-1"}, Place(broker, aHit(), "").Targets)
}

func TestMatchesIgnoresAStageThatTheTriggerDoesNotName(t *testing.T) {
	h := aHit()
	require.True(t, Trigger{Hook: h.Hook, Event: h.Event, Nth: 2}.Matches(h))
	require.False(t, Trigger{Hook: h.Hook, Event: h.Event, Nth: 1}.Matches(h))
	require.False(t, Trigger{Hook: h.Hook, Event: h.Event, Stage: "present", Nth: 2}.Matches(h))
	require.False(t, Trigger{At: 3 * second}.Matches(h))
}

// When the drain is over nothing passes a hook that a replay could be tied to.
func TestAReplayStaysAfterTheDrain(t *testing.T) {
	replay := parsed(t, "after drain 26h replay workers")
	require.Equal(t, replay, Anchor(replay, aHit()))
	require.Equal(t, replay, Place(replay, aHit(), "consumer-1"))
}
