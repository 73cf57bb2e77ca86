package faults

// applyReplay sends an operator. The fault lasts until the operator has started the members again: what the group then
// reads again is its consequence.
func applyReplay(s *shot) string {
	s.res = s.f.Targets[0]
	members := s.in.c.Members(s.res)
	if len(members) == 0 {
		return "there is no group " + s.res
	}
	s.begin(members)
	s.in.c.Replay(s.res, s.began, s.end)
	return ""
}
