package faults

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// TestDeploy: members stop one after the other, and whoever stops a node boots it.
//
// The demo's consumers end 60 ms after they are asked to, when their work in hand is done.
func TestDeploy(t *testing.T) {
	for _, c := range []struct {
		name  string
		plan  []string
		story []string
	}{
		{"one after the other, each back at once", []string{"at 10s deploy consumer grace 5s"}, []string{
			"10s fault-began consumer-1 deploy", "10.06s stopped consumer-1 graceful", "10.06s booted consumer-1",
			"10.06s stopped consumer-2 graceful", "10.06s booted consumer-2", "10.06s stopped consumer-3 graceful", "10.06s booted consumer-3",
			"10.06s fault-ended consumer-1 deploy"}},
		{"in the order of the line, with a pause", []string{"at 10s deploy consumer-3,consumer-1 grace 24h pause 10s"}, []string{
			"10s fault-began consumer-3 deploy", "10.06s stopped consumer-3 graceful", "10.06s booted consumer-3",
			"20.12s stopped consumer-1 graceful", "20.12s booted consumer-1", "20.12s fault-ended consumer-3 deploy"}},
		{"work longer than the grace", []string{"at 10s deploy consumer grace 10ms"}, []string{
			"10s fault-began consumer-1 deploy", "10.01s stopped consumer-1 kill", "10.01s booted consumer-1", "10.02s stopped consumer-2 kill",
			"10.02s booted consumer-2", "10.03s stopped consumer-3 kill", "10.03s booted consumer-3", "10.03s fault-ended consumer-1 deploy"}},
		{"a member that is down is passed over", []string{"at 9s kill consumer-2 for 5s", "at 10s deploy consumer grace 5s"}, []string{
			"9s fault-began consumer-2 kill", "9s stopped consumer-2 kill", "10s fault-began consumer-1 deploy", "10.06s stopped consumer-1 graceful",
			"10.06s booted consumer-1", "10.06s stopped consumer-3 graceful", "10.06s booted consumer-3", "10.06s fault-ended consumer-1 deploy",
			"14s booted consumer-2", "14s fault-ended consumer-2 kill"}},
		{"a member that another fault stops is left to it", []string{"at 9s pause consumer-1 for 30s", "at 10s deploy consumer grace 5s", "at 11s power-loss consumer-1 for 9s"}, []string{
			"9s fault-began consumer-1 pause", "10s fault-began consumer-1 deploy", "11s fault-began consumer-1 power-loss",
			"11s stopped consumer-1 power-loss", "11.066s stopped consumer-2 graceful", "11.066s booted consumer-2",
			"11.066s stopped consumer-3 graceful", "11.066s booted consumer-3", "11.066s fault-ended consumer-1 deploy", "20s booted consumer-1",
			"20s fault-ended consumer-1 power-loss", "39s fault-ended consumer-1 pause"}},
		{"a member that stands still is killed", []string{"at 9s pause consumer-1 for 30s", "at 10s deploy consumer grace 5s"}, []string{
			"9s fault-began consumer-1 pause", "10s fault-began consumer-1 deploy", "15s stopped consumer-1 kill", "15s booted consumer-1",
			"15.09s stopped consumer-2 graceful", "15.09s booted consumer-2", "15.09s stopped consumer-3 graceful", "15.09s booted consumer-3",
			"15.09s fault-ended consumer-1 deploy", "39s fault-ended consumer-1 pause"}},
		{"a kill at the end of the grace", []string{"at 9s pause consumer-1 for 30s", "at 10s deploy consumer-1 grace 5s", "at 15s kill consumer-1 for 1s"}, []string{
			"9s fault-began consumer-1 pause", "10s fault-began consumer-1 deploy", "15s fault-began consumer-1 kill", "15s stopped consumer-1 kill",
			"15s fault-ended consumer-1 deploy", "16s booted consumer-1", "16s fault-ended consumer-1 kill", "39s fault-ended consumer-1 pause"}},
		{"a member that leaves stays away", []string{"at 9s join consumer for 1s", "at 10.003s deploy consumer-4,consumer-1 grace 5s"}, []string{
			"9s booted consumer-4", "9s fault-began consumer-4 join", "10s fault-ended consumer-4 join", "10.003s fault-began consumer-4 deploy",
			"10.006s stopped consumer-4 graceful", "10.06s stopped consumer-1 graceful", "10.06s booted consumer-1",
			"10.06s fault-ended consumer-4 deploy"}},
		{"two deploys at once", []string{"at 10s deploy consumer-1,consumer-2 grace 5s", "at 10s deploy consumer-1,consumer-3 grace 10ms"}, []string{
			"10s fault-began consumer-1 deploy", "10s fault-began consumer-1 deploy", "10.01s stopped consumer-1 kill", "10.01s booted consumer-1",
			"10.02s stopped consumer-3 kill", "10.02s booted consumer-3", "10.02s fault-ended consumer-1 deploy",
			"10.06s stopped consumer-2 graceful", "10.06s booted consumer-2", "10.06s fault-ended consumer-1 deploy"}},
		{"all are down", []string{"at 9s kill consumer for 5s", "at 10s deploy consumer grace 5s"}, []string{
			"9s fault-began consumer-1 kill", "9s stopped consumer-1 kill", "9s stopped consumer-2 kill", "9s stopped consumer-3 kill",
			"10s fault-missed deploy: consumer-1,consumer-2,consumer-3 is down already", "14s booted consumer-1", "14s booted consumer-2",
			"14s booted consumer-3", "14s fault-ended consumer-1 kill"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := play(t, c.plan...)
			require.Equal(t, c.story, d.story())
			requireHealed(t, d)
		})
	}
}

// A deploy states no end, so the heal waits for it step by step.
func TestHealWaitsForADeploy(t *testing.T) {
	d := play(t, "at 95s deploy consumer grace 5s pause 10s", "at 96s jump payments-1 by 1h until heal")
	ended := d.facts(history.KindFaultEnded)
	require.Equal(t, []string{"deploy", "jump"}, []string{ended[0].Op, ended[1].Op})
	require.Greater(t, ended[0].Time, int64(demoChaosEnd)+10*second)
	require.Equal(t, ended[1].Time, d.heal)
	require.LessOrEqual(t, d.heal-ended[0].Time, 5*second, "at most the grace of the last member")
	requireHealed(t, d)
}
