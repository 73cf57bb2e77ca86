package faults

import "github.com/twiceless/twiceless/sim"

// applyKill ends the processes of the targets that are up. Their page caches survive, their peers are reset.
func applyKill(s *shot) string { return s.stop((*sim.Node).Kill) }

// stop ends every target that is up in the given way.
func (s *shot) stop(how func(n *sim.Node, cause int64)) string {
	up, reason := s.bindUp()
	if reason != "" {
		return reason
	}
	s.keep(up)
	s.begin(up)
	for _, n := range up {
		how(n, s.began)
	}
	return ""
}

// liftStopped boots what the fault stopped, unless someone else has done so since or the member is to stay away.
func liftStopped(s *shot) {
	for _, b := range s.nodes {
		if b.n.Incarnation() == b.inc && !hasNode(s.in.left, b.n) { // the same incarnation: nobody has booted it
			b.n.Boot()
		}
	}
}
