package faults

import "github.com/twiceless/twiceless/sim"

// lag sums by how much longer the messages of one node to another are under way, over the faults that slow the link.
type lag struct {
	from, to *sim.Node
	by       sim.Duration
}

// applySlow delays all that the first side hears from the second, a link that has become long and not one that loses: the
// order is kept, and what is under way already arrives as it would have. It is one way, like drop-inbound, since which
// party hears late decides what becomes of it; two lines slow both ways. Slows of one link add up.
func applySlow(s *shot) string {
	reason := s.between(func(late, peer *sim.Node) []cut { return []cut{{from: peer, to: late}} })
	for _, link := range s.cuts {
		s.in.slow(link, sim.Duration(s.f.By))
	}
	return reason
}

// liftSlow takes its share back. What was sent before arrives late, and what is sent now waits behind it.
func liftSlow(s *shot) {
	for _, link := range s.cuts {
		s.in.slow(link, -sim.Duration(s.f.By))
	}
}

// slow adds to what a link takes longer.
func (in *Injector) slow(link cut, by sim.Duration) {
	l := in.lagOf(link)
	l.by += by
	link.from.Slow(link.to, l.by)
}

// lagOf finds or makes the sum of a link. The pointer is good until the next call.
func (in *Injector) lagOf(link cut) *lag {
	for i := range in.lags {
		if l := &in.lags[i]; l.from == link.from && l.to == link.to {
			return l
		}
	}
	in.lags = append(in.lags, lag{from: link.from, to: link.to})
	return &in.lags[len(in.lags)-1]
}
