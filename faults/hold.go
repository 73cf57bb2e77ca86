package faults

import "github.com/twiceless/twiceless/sim"

// applyHold delays the message that meets the hook. It is that message alone: its connection goes on, so that what is
// sent later overtakes it, and it arrives whether or not its sender still waits, or lives. A TCP connection delivers so
// what a server has read and not yet worked on when its client gives up, and two connections deliver so whatever they
// carry; a slow link delays all messages and keeps their order. Holds of one message add up. The fault is over when the
// message goes on its way, so that no heal begins before.
func applyHold(s *shot) string {
	if s.hit.Drop {
		return "the message is lost"
	}
	s.hit.Delay += sim.Duration(s.f.By)
	s.due = int64(s.in.w.Now()) + s.f.By
	s.begin([]*sim.Node{s.hit.Node})
	s.in.w.At(sim.Time(s.due), sim.PhaseFault, s.end)
	return ""
}
