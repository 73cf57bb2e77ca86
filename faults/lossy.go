package faults

import (
	"slices"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// loss is what the faults in effect make of the way from one node to another, in the order in which they began.
type loss struct {
	from, to *sim.Node
	rates    []int64
}

// applyLossy has each link between the two sides lose packets, both ways, as a bad cable or an overloaded router does. What
// is sent over it goes by stream connections as long as that lasts: every message arrives, but late, and a sender with
// deadlines loses what its socket no longer takes. So it loads no dimension of envelopes by itself; what a plan means to
// bound is how long parties do not hear each other, and that no loss below all packets decides.
//
// Of several such faults on one link the worst counts, not the product: they describe the link.
func applyLossy(s *shot) string {
	reason := s.between(func(a, b *sim.Node) []cut { return []cut{{from: a, to: b}, {from: b, to: a}} })
	for _, link := range s.cuts {
		l := s.in.lossOf(link)
		l.rates = append(l.rates, s.f.By)
		l.set()
	}
	return reason
}

// liftLossy leaves the links with what other faults make of them.
func liftLossy(s *shot) {
	for _, link := range s.cuts {
		l := s.in.lossOf(link)
		i := slices.Index(l.rates, s.f.By)
		l.rates = slices.Delete(l.rates, i, i+1)
		l.set()
	}
}

// set has the link lose what the worst of its faults says.
func (l *loss) set() {
	worst := int64(0)
	for _, r := range l.rates {
		worst = max(worst, r)
	}
	l.from.Lossy(l.to, rng.Ratio{Num: uint64(worst), Den: percentage})
}

// lossOf finds or makes the state of a link. The pointer is good until the next call.
func (in *Injector) lossOf(link cut) *loss {
	for i := range in.bad {
		if l := &in.bad[i]; l.from == link.from && l.to == link.to {
			return l
		}
	}
	in.bad = append(in.bad, loss{from: link.from, to: link.to})
	return &in.bad[len(in.bad)-1]
}
