package twiceless

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
)

func TestCostHosted(t *testing.T) {
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	hs, err := sc.Bind(hostedShop(t).code("x.T"))
	require.NoError(t, err)
	mem := &scenarios.Memory{}
	for name, s := range map[string]*scenarios.Scenario{"native": sc, "hosted": hs} {
		c, err := scenarios.MeasuringCase(s, "at-least-once", "consumer-kill", 1, 2)
		require.NoError(t, err)
		t0 := time.Now()
		n := int64(0)
		for range 60 {
			r, err := scenarios.Supervise(c, mem, 20*time.Second)
			require.NoError(t, err)
			n += r.Row.Offered
		}
		t.Log(name, time.Since(t0)/time.Duration(n), "an intent")
	}
}
