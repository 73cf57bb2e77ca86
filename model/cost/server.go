package cost

import "github.com/twiceless/twiceless/sim"

// Cost is how long a node is busy with so many requests that hold so many records and bytes in all. Brokers and clients take
// one in their configuration; nil costs nothing. It must be a pure function.
type Cost func(requests, records, bytes int) sim.Duration

// ClientCost is for producers and consumers.
func (p *Profile) ClientCost() Cost { return p.Client.cost() }

// BrokerCost is for brokers: an append of a leader, one of a follower, a request without records.
func (p *Profile) BrokerCost() Cost { return p.Broker.cost() }

func (w Work) cost() Cost { return w.Time }

// LinkCost is for what sends: how long the bytes occupy a link.
func (p *Profile) LinkCost() Cost {
	return func(_, _, bytes int) sim.Duration { return p.transfer(bytes) }
}

// Server is what works: so many workers, each on one thing at a time, in order of arrival. It holds the instants at which its workers
// are free, on its node's monotonic clock, and nothing else: one that is idle is like a new one. It dies with its incarnation.
type Server struct{ free []sim.Time }

// NewServer has at least one worker.
func NewServer(workers int) *Server {
	if workers < 1 {
		panic("cost: a server without workers")
	}
	return &Server{free: make([]sim.Time, workers)}
}

// Take gives the server work of length d at the instant now, and returns after how long it will be done: d, and the wait
// until a worker is free. Instants must not go back.
func (s *Server) Take(now sim.Time, d sim.Duration) sim.Duration {
	if d < 0 {
		panic("cost: less than no work")
	}
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

// Leap is for sim.Node.OnLeap: what is under way is under way so much later. (A worker that was idle still is: what it noted lies
// before the leap.)
func (s *Server) Leap(_ sim.Time, by sim.Duration) {
	for i := range s.free {
		s.free[i] = s.free[i].Add(by)
	}
}
