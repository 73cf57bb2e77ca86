package faults

import "github.com/twiceless/twiceless/sim"

// applySkew moves the wall clock of the targets. It acts on the machine: the clock of a node that is down moves
// too. Skews of one node add up.
func applySkew(s *shot) string {
	all, reason := s.bind(s.f.Targets)
	if reason != "" {
		return reason
	}
	s.keep(all)
	s.begin(all)
	for _, n := range all {
		n.SkewWall(sim.Duration(s.f.By))
	}
	return ""
}

// liftSkew moves the clocks back by as much.
func liftSkew(s *shot) {
	for _, b := range s.nodes {
		b.n.SkewWall(-sim.Duration(s.f.By))
	}
}
