package faults

import "github.com/twiceless/twiceless/sim"

// applyJoin boots one more member of a role. The fact follows the member's boot, because it names the member.
func applyJoin(s *shot) string {
	s.res = s.f.Targets[0]
	n := s.in.c.Join(s.res)
	if n == nil {
		return "nobody can join as " + s.res
	}
	s.in.left = without(s.in.left, n)
	s.keep([]*sim.Node{n})
	s.begin([]*sim.Node{n})
	return ""
}

// liftJoin has the member leave. If another fault has it down at this moment it stays away.
func liftJoin(s *shot) {
	n := s.nodes[0].n
	s.in.left = append(s.in.left, n)
	if n.Up() {
		s.in.c.Leave(n, s.began)
	}
}

func without(list []*sim.Node, n *sim.Node) []*sim.Node {
	for i, x := range list {
		if x == n {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
