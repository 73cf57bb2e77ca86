package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// A member that waits for its producer's identity for longer than max.block goes on waiting with the same client: once there is a coordinator
// again each is given one identity. Another client in its place would find the first one still asking, and fenced would be whoever
// was answered first.
func TestOneClientAsksForAnIdentity(t *testing.T) {
	sc, err := (&fileFailure{Base: base("transform")}).scenario("transactional", nil)
	require.NoError(t, err)
	orders := sc.Broker.Topics["orders"]
	orders.MinInsync = 1 // events come in though nothing coordinates
	sc.Broker.Topics["orders"] = orders
	c := &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: "transactional", PlanType: PlanHunting,
		Plan: []string{"at 8100ms kill broker-2,broker-3 for 100s"}}, Witness: Witness{Seed: 1}}
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	given := map[string]int{}
	for _, f := range r.History.Facts {
		if f.Kind == history.KindTransaction && f.Op == "init" {
			given[f.Value]++
		}
	}
	require.Equal(t, map[string]int{"consumer-1": 1, "consumer-2": 1, "consumer-3": 1}, given)
	require.Equal(t, r.Row.Offered, r.Row.Buckets[history.Done]+r.Row.Buckets[history.Late])
}

func base(name string) *ident { id := ident(name); return &id }
