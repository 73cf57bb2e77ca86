package scenarios

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// What is removed changes no draw of the rest: order-100 arrives when it did, and its charge takes as long.
func TestReductionsChangeNoDrawOfTheRest(t *testing.T) {
	type moments struct{ offered, charge int64 }
	of := func(c *Case) (m moments, offered int64) {
		r, err := Run(c, &Memory{})
		require.NoError(t, err)
		var called int64
		for _, f := range r.History.Facts {
			switch {
			case f.Event != "order-100":
			case f.Kind == history.KindOffered:
				m.offered = f.Until
			case f.Kind == history.KindCalled && f.Resource == "payments":
				called = f.Time
			case f.Kind == history.KindReturned && f.Resource == "payments":
				m.charge = f.Time - called
			}
		}
		return m, r.Row.Offered
	}
	c := &Case{Version: CaseVersion, Witness: Witness{Seed: 2}, Intent: Intent{Scenario: halfMinute(t), Stack: "at-most-once", Fault: "none", PlanType: PlanHunting}}
	c.Intent.Reductions = &Reductions{KeepEvents: []string{"order-90", "order-100"}}
	two, offered := of(c)
	require.Equal(t, int64(2), offered)
	c.Intent.Reductions = &Reductions{KeepEvents: []string{"order-100"}, KeepNodes: []string{"consumer-1"}, KeepPartitions: []string{"orders/0"}}
	one, offered := of(c)
	require.Equal(t, int64(1), offered)
	require.Equal(t, two, one)
	require.Positive(t, one.charge)
}

func TestReductionsKeepTheFirstMembersAndPartitions(t *testing.T) {
	c := &Case{Version: CaseVersion, Witness: Witness{Seed: 2}, Intent: Intent{Scenario: halfMinute(t), Stack: "at-least-once", Fault: "none", PlanType: PlanHunting}}
	c.Intent.Reductions = &Reductions{KeepNodes: []string{"consumer-1", "consumer-2"}, KeepPartitions: []string{"orders/0", "orders/1"}}
	r, err := Run(c, &Memory{})
	require.NoError(t, err)
	members, partitions := map[string]bool{}, map[string]bool{}
	for _, f := range r.History.Facts {
		if f.Kind == history.KindDelivered {
			members[f.Node], partitions[f.Resource] = true, true
		}
	}
	require.Equal(t, map[string]bool{"consumer-1": true, "consumer-2": true}, members)
	require.Equal(t, map[string]bool{"orders/0": true, "orders/1": true}, partitions)
	require.Equal(t, r.Row.Offered, r.Row.Buckets[history.Done])
}

// Case files come from anywhere: reductions must be of their scenario.
func TestReductionsAreChecked(t *testing.T) {
	for want, r := range map[string]Reductions{
		"":                         {KeepEvents: []string{"order-2", "order-1"}, KeepNodes: []string{"consumer-1"}, KeepPartitions: []string{"orders/0", "orders/1"}},
		"want an event of the":     {KeepEvents: []string{"invoice-1"}},
		"not \"order-01\"":         {KeepEvents: []string{"order-01"}},
		"order-1 is there already": {KeepEvents: []string{"order-1", "order-1"}},
		"want consumer-1, not":     {KeepNodes: []string{"consumer-2"}},
		"the scenario has 3":       {KeepNodes: []string{"consumer-1", "consumer-2", "consumer-3", "consumer-4"}},
		"want orders/0, not":       {KeepPartitions: []string{"orders/3"}},
		"unknown topic":            {KeepPartitions: []string{"order/0"}},
		"keep_nodes[0]: empty":     {KeepNodes: []string{""}},
		"keep_partitions[0]":       {KeepPartitions: []string{"\x1b/0"}},
	} {
		c := sampleCase(t)
		c.Intent.Reductions = &r
		_, err := DecodeCase("x.case", c.Encode())
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "intent.reductions.")
	}
	c := sampleCase(t)
	c.Witness.Shrunk = &Origin{Case: "0123456789ab", Faults: 11, Events: 360}
	got, err := DecodeCase("x.case", c.Encode())
	require.NoError(t, err)
	require.Equal(t, c, got)
	require.Equal(t, sampleCase(t).Name(), got.Name(), "where a case comes from is no part of what it is")
	c.Witness.Shrunk = &Origin{Case: "mine", Faults: -1}
	_, err = DecodeCase("x.case", c.Encode())
	require.ErrorContains(t, err, "witness.shrunk.case")
	require.Equal(t, 2, strings.Count(err.Error(), "witness.shrunk"))
}
