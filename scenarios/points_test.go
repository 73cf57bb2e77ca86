package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// Every answer of a dedup store rests on one stated effect, under every stack that has such a store, whatever stops its
// nodes and its callers; so the judge never has to search. The stack carries the fact that asked to the store.
func TestEveryAnswerOfADedupStoreHasItsPoint(t *testing.T) {
	alone(t)
	sc, mem := payments(t), &Memory{}
	for _, stack := range []string{"dedup-durable", "dedup-24h", "dedup-replicated"} {
		for seed, fault := range []string{"none", "consumer-kill", "partition", "dedup-down", "dedup-failover"} {
			n := pointed(t, measured(t, sc, stack, fault, uint64(seed+1), mem).History)
			require.Greater(t, n, 100, "%s %s", stack, fault)
		}
	}
}

// pointed counts the answers, all of which have their point.
func pointed(t *testing.T, h *history.History) (answers int) {
	points := map[int64]*history.Fact{}
	for i := range h.Facts {
		switch f := &h.Facts[i]; {
		case f.Kind == history.KindDecided:
			require.Nil(t, points[f.Cause], "fact %d took effect twice", f.Cause)
			require.Equal(t, f.Resource, h.At(f.Cause).Resource)
			points[f.Cause] = f
		case f.Kind == history.KindComplete && f.Outcome == history.Acked:
			require.NotNil(t, points[f.Cause], "answer %d rests on nothing", f.ID)
			require.Equal(t, points[f.Cause].Value, f.Value)
			answers++
		}
	}
	return answers
}
