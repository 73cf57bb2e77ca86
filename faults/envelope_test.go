package faults

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

func TestLoads(t *testing.T) {
	hook := "when payments.charge/applied{event=order-1} #1 "
	for _, c := range []struct {
		d    history.Dimension
		want int64
		plan []string
	}{
		{history.ClockSkew, 0, nil},
		{history.ClockSkew, 400 * second / 1000, []string{"at 1s skew consumer-1 by -400ms until heal"}},
		{history.ClockSkew, 3 * second, []string{"at 1s skew consumer-1 by 1s until heal", "at 2s skew consumer-1 by 2s for 1s"}},
		{history.ClockSkew, 2 * second, []string{"at 1s skew consumer-1 by 1s until heal", "at 2s skew consumer-2 by 2s for 1s"}},
		{history.ClockSkew, 3 * second, []string{"at 1s skew consumer-1 by -1s until heal", "at 2s skew consumer-2 by 2s for 1s"}},
		{history.ClockSkew, 2 * second, []string{"at 1s skew consumer-1 by 1s for 1s", "at 3s skew consumer-1 by 2s for 1s"}},
		{history.ClockSkew, 3 * second, []string{"at 1s skew consumer-1 by 1s for 1s", hook + "skew $caller by 2s for 1s"}},
		{history.ClockSkew, 3601 * second, []string{"at 1s jump payments-1 by -1h until heal", "at 2s skew consumer-1 by 1s for 1s"}},
		{history.Delay, 0, []string{"at 1s skew consumer-1 by 1s until heal", "at 1s pause consumer-1 for 60s"}},
		{history.Delay, 3 * second, []string{"at 1s slow broker-1 from broker-2 by 1s until heal", "at 9s slow broker-2 from broker-3 by 2s for 1s"}},
		{history.Delay, 2 * second, []string{"at 1s slow broker-1 from broker-2 by 1s for 1s", "at 9s slow broker-1 from broker-2 by 2s for 1s"}},
		{history.Delay, 2 * second, []string{"at 1s slow broker-1 from broker-2 by 1s for 9s", "at 2s slow broker-3 from broker-4 by 2s for 9s"}},
		{history.Delay, 73 * second, []string{"when payments.charge/sent{event=order-1} #1 hold $message by 70s", "at 9s slow broker-1 from broker-2 by 3s for 1s", "at 90s slow broker-1 from broker-2 by 1s for 1s"}},
		{history.Outage, 0, []string{"when payments.charge/sent{event=order-1} #1 hold $message by 70s", "at 9s slow broker-1 from broker-2 by 3s for 1s", "when payments.charge/sent{event=order-1} #1 lose $message"}},
		{history.Pause, 60 * second, []string{"at 1s pause consumer-1 for 60s", "at 1s kill consumer-1 for 90s"}},
		{history.Pause, forever, []string{"at 1s pause consumer-1 until heal"}},
		{history.Outage, 0, []string{"at 1s pause consumer-1 for 60s", "at 1s lose-reply payments", "at 1s join consumer for 9s"}},
		{history.Outage, 600 * second, []string{"at 1s refuse payments,notifier for 10m"}},
		{history.Outage, 15 * second, []string{"at 1s refuse payments for 10s", "at 6s refuse payments for 10s"}},
		{history.Outage, 10 * second, []string{"at 1s refuse payments for 10s", "at 6s refuse notifier for 10s"}},
		{history.Outage, 20 * second, []string{"at 1s kill consumer for 10s", "at 11s partition consumer-2 from broker for 10s"}},
		{history.Outage, 20 * second, []string{"at 1s kill broker-1 for 10s", "at 11s partition consumer-2 from broker for 10s"}},
		{history.Outage, 10 * second, []string{"at 1s kill consumer-1 for 10s", "at 12s power-loss consumer-1 for 9s"}},
		{history.Outage, 25 * second, []string{"at 1s drop-inbound consumer-1 from broker for 20s", "at 6s drop-inbound broker from consumer-1 for 20s"}},
		{history.Outage, 0, []string{"at 1s deploy consumer grace 1h"}},
		{history.Outage, 24 * second, []string{"at 1s kill consumer-1 for 10s", "at 12s kill consumer-1 for 9s", hook + "kill $caller for 5s"}},
		{history.PowerLoss, 1, []string{"at 1s power-loss broker-1 for 5s", "at 7s power-loss broker-2 for 5s"}},
		{history.PowerLoss, 2, []string{"at 1s power-loss broker-1 for 5s", "at 6s power-loss broker-2 for 5s"}},
		{history.PowerLoss, 1, []string{"at 1s power-loss broker-1 for 5s", "at 2s power-loss broker-1 for 5s"}},
		{history.PowerLoss, 2, []string{"at 1s power-loss broker-1 for 5s", hook + "power-loss $leader(orders/1) for 5s"}},
		{history.PowerLoss, forever, []string{"at 1s power-loss broker for 5s"}},
		{history.FaultCount, 2, []string{"at 1s lose-reply payments", "at 2s lose-reply payments"}},
		{history.RedeliveryHorizon, 0, []string{"at 1s kill consumer-1 for 10s", "at 1s pause consumer-2 for 10s"}},
		{history.RedeliveryHorizon, 26*3600*second + 1, []string{"after drain 26h replay workers", "after drain 1h replay workers", "at 1s kill consumer-1 for 48h"}},
		{history.Outage, 10 * second, []string{"after drain 26h replay workers", "at 1s kill consumer-1 for 10s"}},
	} {
		plan, err := ParseLines(c.plan)
		require.NoError(t, err)
		require.Equal(t, c.want, loadOf(plan, c.d), "%s of %q", c.d, c.plan)
		if c.want == forever {
			continue
		}
		inside, _ := Inside(plan, []history.Bound{{Dimension: c.d, Max: c.want}})
		require.True(t, inside)
		inside, d := Inside(plan, []history.Bound{{Dimension: history.FaultCount, Max: 9}, {Dimension: c.d, Max: c.want - 1}})
		require.False(t, inside)
		require.Equal(t, c.d, d)
	}
}

func TestEveryPlanIsInsideNoEnvelope(t *testing.T) {
	plan, err := ParseLines(canonical)
	require.NoError(t, err)
	inside, d := Inside(plan, nil)
	require.True(t, inside)
	require.Empty(t, d)
	var many []Fault
	for range maxExact + 1 {
		many = append(many, plan...)
	}
	require.Equal(t, (maxExact+1)*(400*second/1000+1500*second/1000+90*60*second), loadOf(many, history.ClockSkew))
	require.Equal(t, (maxExact+1)*2*60*second, loadOf(many, history.Pause))
	require.Equal(t, int64((maxExact+1)*2), loadOf(many, history.PowerLoss))
	require.Equal(t, forever, loadOf(many, history.Outage))
	require.Equal(t, 26*3600*second+1, loadOf(many, history.RedeliveryHorizon), "replays do not add up")
}

// TestKindsLoadTheirDimension: the table of fault kinds and the engine agree on what a default fault loads.
func TestKindsLoadTheirDimension(t *testing.T) {
	for _, k := range history.FaultKinds() {
		m, err := Measure(k.Name, 1, 1, demoSpace())
		require.NoError(t, err)
		for _, d := range history.Dimensions() {
			load := loadOf(m.Plan(), d.Name)
			switch {
			case d.Name == history.FaultCount:
				require.Equal(t, int64(len(m.Faults)), load)
			case d.Name == k.Dimension && d.Name == history.ClockSkew:
				require.Equal(t, k.By, load)
			case d.Name == k.Dimension && d.Name == history.RedeliveryHorizon:
				require.Equal(t, k.After+1, load)
			case d.Name == k.Dimension && d.Duration:
				require.Equal(t, k.For, load)
			case d.Name == k.Dimension:
				require.Equal(t, int64(1), load)
			case k.Name == "power-loss" && d.Name == history.Outage:
				require.Equal(t, k.For, load)
			default:
				require.Zero(t, load, "%s loads %s", k.Name, d.Name)
			}
		}
	}
}
