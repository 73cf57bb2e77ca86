package faults

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Kinds that share a verb are told apart by whom they strike.
func TestKindOf(t *testing.T) {
	for want, lines := range map[string][]string{
		"none":              nil,
		"consumer-kill":     {"at 1s kill consumer-2 for 1s"},
		"broker-kill":       {"when broker.produce/applied{event=order-1} #1 kill $node for 5s"},
		"dedup-down":        {"when dedup.claim/arrived{event=order-1} #1 kill $node for 5s"},
		"dedup-failover":    {"at 1s kill $leader(dedup/0) for 60s"},
		"partition":         {"when payments.charge/sent{event=order-1} #1 partition $caller from broker for 1s", "at 2s partition consumer-1 from broker for 1s"},
		"downstream-outage": {"at 1s refuse payments for 1s"},
		"clock-skew":        {"at 1s skew payments-1 by 1s for 1s"},
		"deploy":            {"at 1s deploy consumer"},
		"late-replay":       {"after drain 1h replay workers"},
		"hunt":              {"at 1s kill consumer-1 for 1s", "at 2s kill broker-1 for 1s"},
	} {
		plan, err := ParseLines(lines)
		require.NoError(t, err)
		require.Equal(t, want, KindOf(plan), "%v", lines)
	}
	require.Equal(t, "hunt", KindOf([]Fault{parsed(t, "at 1s kill payments-1 for 1s")}), "no kind kills a service")
	leader := parsed(t, "at 1s power-loss $leader(orders/3) for 5s")
	require.Equal(t, "power-loss", KindOf([]Fault{leader}))
}
