package twiceless

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
)

// TestCostOfHosting measures what an intent costs that hosted code handles by two HTTP calls, beside the same stages as the
// scenario's own: COST=1 go test -run CostOfHosting -v . It is no benchmark, because a synctest bubble wants a test.
func TestCostOfHosting(t *testing.T) {
	if os.Getenv("COST") == "" {
		t.Skip("a measurement: COST=1")
	}
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	bound, err := sc.Bind(hostedShop(t).code("example.com/shop.TestShop"))
	require.NoError(t, err)
	for round := range 3 {
		for _, s := range []*scenarios.Scenario{sc, bound} {
			c, err := scenarios.MeasuringCase(s, "at-least-once", "consumer-kill", 1, 2)
			require.NoError(t, err)
			mem, intents, events := &scenarios.Memory{}, int64(0), int64(0)
			began := time.Now()
			for range 60 {
				r, err := scenarios.Supervise(c, mem, time.Minute)
				require.NoError(t, err)
				intents, events = intents+r.Row.Offered, events+r.Row.Events
			}
			took := time.Since(began)
			t.Logf("round %d, hosted %v: %v an intent, %v an event", round, s.Bound() != nil, took/time.Duration(intents), took/time.Duration(events))
		}
	}
}
