package faults

import "github.com/twiceless/twiceless/sim"

// applyLose loses the message that meets the hook, a request or a reply: its sender learns nothing, whoever waits for it
// waits until its timeout. The fault is over at the same instant.
func applyLose(s *shot) string {
	if s.hit.Drop {
		return "the message is lost already"
	}
	s.hit.Drop = true
	s.begin([]*sim.Node{s.hit.Node})
	s.end()
	return ""
}
