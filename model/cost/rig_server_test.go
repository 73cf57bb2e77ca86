package cost_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
)

// server is what works in the rig: so many workers, each on one thing at a time, in order of arrival. It holds the instants at
// which its workers are free and nothing else: one that is idle is like a new one.
type server struct{ free []sim.Time }

func newServer(workers int) *server { return &server{free: make([]sim.Time, workers)} }

// take gives the server work of length d at the instant now, and returns after how long it will be done: d, and the wait
// until a worker is free. Instants must not go back.
func (s *server) take(now sim.Time, d sim.Duration) sim.Duration {
	first := 0
	for i := range s.free {
		if s.free[i] < s.free[first] {
			first = i
		}
	}
	done := max(now, s.free[first]).Add(d)
	s.free[first] = done
	return done.Sub(now)
}

// One worker is a queue: Lindley's recursion. Two do as much at once.
func TestServer(t *testing.T) {
	for _, of := range []struct {
		workers int
		takes   []int64
	}{{1, []int64{5, 6, 3, 0, 4, 4}}, {2, []int64{5, 2, 3, 0, 4, 1}}} {
		s := newServer(of.workers)
		for i, c := range []struct{ now, work int64 }{{0, 5}, {1, 2}, {7, 3}, {20, 0}, {20, 4}, {21, 1}} {
			require.Equal(t, sim.Duration(of.takes[i]), s.take(sim.Time(c.now), sim.Duration(c.work)), "%d workers at %d", of.workers, c.now)
		}
	}
}
