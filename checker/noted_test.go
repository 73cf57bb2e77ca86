package checker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

// What nobody promises is counted and told, and no more: each planted history is seen by its own property and by no other
// of the whole table, with the label that says why; a near miss is seen by none.
func TestNotedOnlyIt(t *testing.T) {
	seen, near := map[history.Property]int{}, 0
	for _, e := range checkertest.Planted() {
		if weight(e.Property) != history.Noted {
			continue
		}
		seen[e.Property]++
		t.Run("planted/"+e.Name, func(t *testing.T) {
			v := checker.CheckAll(e.History)
			require.Empty(t, v.Findings, "what nobody promises is no finding")
			require.Equal(t, map[history.Property]int64{e.Property: 1}, v.Seen)
			require.Positive(t, v.Exercised[e.Property])
			require.Len(t, v.Samples, 1)
			require.Equal(t, e.Label, v.Samples[0].Label)
			require.NotEmpty(t, v.Samples[0].Evidence)
			require.NotEmpty(t, v.Samples[0].Detail)
		})
	}
	for _, e := range checkertest.Near() {
		near++
		t.Run("near/"+e.Name, func(t *testing.T) {
			v := checker.CheckAll(e.History)
			require.Empty(t, v.Findings)
			require.Empty(t, v.Seen, "%v", v.Samples)
		})
	}
	planted := 0
	for _, p := range history.SortedKeys(seen) {
		planted += seen[p]
	}
	t.Logf("%d planted histories of %d properties that nobody promises, %d near misses", planted, len(seen), near)
}

// weight is the weight of the checker that judges a property.
func weight(p history.Property) history.Weight {
	for _, c := range checker.Kinds() {
		for _, q := range c.Properties {
			if p == q {
				return c.Weight
			}
		}
	}
	panic("no checker judges " + string(p))
}

// A record whose place another one has taken is gone: the place is judged once.
func TestTornPlacesOnce(t *testing.T) {
	s := checkertest.New().Links("consume-produce", "orders", "bills").Foreign("orders/0", 0)
	d := s.Many(1)[0].Deliver("consumer-1")
	d.Forward("bills/0", 0)
	d.Commit()
	require.Equal(t, int64(1), checker.CheckAll(s.History()).Exercised[history.PropConsumeProduceTear])
}
