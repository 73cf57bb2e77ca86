package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// A member that dies is put out of its group when the session of the file is over, whatever protocol the group speaks, and what it had is read
// by the others.
func TestGroupProtocolsShareTheSession(t *testing.T) {
	for _, protocol := range []string{"eager", "cooperative", "server"} {
		for _, static := range []bool{false, true} {
			sc := payments(t)
			sc.Consumers.Protocol, sc.Consumers.Static = protocol, static
			c := &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: "at-least-once", Fault: "consumer-kill", PlanType: PlanHunting,
				Plan: []string{"at 30s kill consumer-1 for 40s"}}, Witness: Witness{Seed: 1}}
			r, err := Run(c, &Memory{})
			require.NoError(t, err)
			var stopped, evicted int64
			for _, f := range r.History.Facts {
				switch {
				case f.Kind == history.KindStopped && stopped == 0:
					stopped = f.Time
				case f.Kind == history.KindEvicted && evicted == 0:
					evicted = f.Time
				}
			}
			session := sc.Broker.SessionTimeout
			require.InDelta(t, stopped+session-sc.Consumers.Heartbeat/2, evicted, float64(sc.Consumers.Heartbeat/2+nsSecond), "%s, static %v", protocol, static)
			require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
			require.Zero(t, r.Row.Buckets[history.LostSilent])
		}
	}
}

// A member that keeps a partition over a rebalance goes on with what it has in work. A fence by generations refuses whoever has
// lost a partition and nobody else: what it refuses, nobody else does.
func TestAFenceRefusesNobodyWhoKeepsItsShare(t *testing.T) {
	for _, protocol := range []string{"eager", "cooperative", "server"} {
		sc := payments(t)
		sc.Consumers.Protocol = protocol
		for seed := uint64(1); seed <= 4; seed++ {
			c := &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: "fenced", Fault: "rebalance", PlanType: PlanHunting,
				Plan: []string{"at 20s refuse payments for 10s", "at 25s join consumer for 20s", "at 60s join consumer for 15s"}}, Witness: Witness{Seed: seed}}
			r, err := Run(c, &Memory{})
			require.NoError(t, err)
			require.Equal(t, sim.StopQuiescent, r.Stop.Kind)
			require.Zero(t, r.Row.Losses(), "%s, seed %d", protocol, seed)
			for _, f := range r.Verdicts.Findings {
				require.NotContains(t, []history.Property{history.PropLoss, history.PropZombie}, f.Property, f.Detail)
			}
		}
	}
}
