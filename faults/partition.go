package faults

import "github.com/twiceless/twiceless/sim"

// cut counts the faults that keep the messages of one node from another: they arrive again when the last of them is
// over. A partition is two cuts for each pair of nodes, one each way.
type cut struct {
	from, to *sim.Node
	count    int
}

// applyPartition cuts every link between the two sides, both ways. It acts on the network: a node that is down
// is cut off too, and finds out when it is back. A role means its nodes at this moment.
func applyPartition(s *shot) string {
	return s.part(func(a, b *sim.Node) []cut { return []cut{{from: a, to: b}, {from: b, to: a}} })
}

// part cuts what separates says of each pair, one of either side.
func (s *shot) part(separates func(a, b *sim.Node) []cut) string {
	reason := s.between(separates)
	for _, link := range s.cuts {
		s.in.cutOf(link).count++
		link.from.Cut(link.to)
	}
	return reason
}

// between begins a fault of links: what concerns says of each pair, one of either side.
func (s *shot) between(concerns func(a, b *sim.Node) []cut) string {
	a, reason := s.bind(s.f.Targets)
	if reason != "" {
		return reason
	}
	b, reason := s.bind(s.f.From)
	if reason != "" {
		return reason
	}
	concerned := append([]*sim.Node(nil), a...)
	for _, y := range b {
		if !hasNode(concerned, y) {
			concerned = append(concerned, y)
		}
	}
	for _, x := range a {
		for _, y := range b {
			if x != y {
				s.cuts = append(s.cuts, concerns(x, y)...)
			}
		}
	}
	if len(s.cuts) == 0 {
		return "both sides are the same node"
	}
	s.begin(concerned)
	return ""
}

// liftPartition mends the links that no other fault cuts.
func liftPartition(s *shot) {
	for _, link := range s.cuts {
		c := s.in.cutOf(link)
		c.count--
		if c.count == 0 {
			link.from.Mend(link.to)
		}
	}
}

// cutOf finds or makes the count of a link. The pointer is good until the next call.
func (in *Injector) cutOf(link cut) *cut {
	for i := range in.cuts {
		if c := &in.cuts[i]; c.from == link.from && c.to == link.to {
			return c
		}
	}
	in.cuts = append(in.cuts, cut{from: link.from, to: link.to})
	return &in.cuts[len(in.cuts)-1]
}
