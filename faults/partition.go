package faults

import "github.com/twiceless/twiceless/sim"

// cut counts the partitions that separate two nodes, in either order: they hear each other again when the last of them is over.
type cut struct {
	a, b  *sim.Node
	count int
}

// applyPartition cuts every link between the two sides, both ways. It acts on the network: a node that is down
// is cut off too, and finds out when it is back. A role means its nodes at this moment.
func applyPartition(s *shot) string {
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
				s.pairs = append(s.pairs, cut{a: x, b: y})
			}
		}
	}
	if len(s.pairs) == 0 {
		return "both sides are the same node"
	}
	s.begin(concerned)
	for _, p := range s.pairs {
		c := s.in.cutOf(p)
		c.count++
		p.a.Cut(p.b)
		p.b.Cut(p.a)
	}
	return ""
}

// liftPartition mends the links that no other partition cuts.
func liftPartition(s *shot) {
	for _, p := range s.pairs {
		c := s.in.cutOf(p)
		c.count--
		if c.count == 0 {
			p.a.Mend(p.b)
			p.b.Mend(p.a)
		}
	}
}

func (c *cut) joins(a, b *sim.Node) bool { return c.a == a && c.b == b || c.a == b && c.b == a }

// cutOf finds or makes the count of a pair. The pointer is good until the next call.
func (in *Injector) cutOf(p cut) *cut {
	for i := range in.cuts {
		if in.cuts[i].joins(p.a, p.b) {
			return &in.cuts[i]
		}
	}
	in.cuts = append(in.cuts, cut{a: p.a, b: p.b})
	return &in.cuts[len(in.cuts)-1]
}
