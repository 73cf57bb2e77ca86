package downstream

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

func keeper(keep sim.Duration) *payments {
	n := sim.New(sim.Config{}).Role("payments", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	cfg := Config{Service: "payments", Offer: &model.Offer{Keys: true, KeepKeys: keep}}
	return newPayments(cfg)(n).(*payments)
}

// stored puts a key in, as the service does: looked up, executed, stored.
func (s *payments) stored(key string) {
	s.prune()
	s.lookup(key)
	s.store(&record{idemKey: key, wall: s.n.Wall()})
}

// Memory holds the keys of one keeping time, however many have gone by.
func TestKeysArePruned(t *testing.T) {
	s := keeper(10 * sim.Second)
	for i := range 1000 {
		s.stored("key-" + strconv.Itoa(i))
		s.n.SkewWall(sim.Second)
	}
	require.Len(t, s.keys, 10)
	require.Len(t, s.order, 10)
}

// A key stored while the clock stood in the future holds back the pruning of those behind it. One of them that has
// expired, was executed again and is stored anew must outlive its old entry.
func TestKeyStoredAgainSurvivesItsOldEntry(t *testing.T) {
	s := keeper(sim.Minute)
	s.n.SkewWall(sim.Hour)
	s.stored("future")
	s.n.SkewWall(-sim.Hour)
	s.stored("k")
	s.n.SkewWall(2 * sim.Minute)
	_, known := s.lookup("k")
	require.False(t, known)
	s.n.SkewWall(-2 * sim.Minute)
	_, known = s.lookup("k")
	require.False(t, known, "what was seen expired does not come back with the clock")
	s.n.SkewWall(sim.Hour + sim.Minute/2)
	s.stored("k")
	s.n.SkewWall(sim.Minute / 2) // now "future" and the first entry of "k" are pruned
	s.prune()
	require.Len(t, s.order, 1)
	_, known = s.lookup("k")
	require.True(t, known)
}
