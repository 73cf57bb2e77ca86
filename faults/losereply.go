package faults

import (
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// applyLoseReply loses one reply of a service. Triggered by the hook of a reply of that very service it loses
// that reply; otherwise it waits for the next reply of an effect op. The fault begins when the reply is lost,
// and it is over at the same instant. It may happen after the heal has begun, if no reply was sent before.
func applyLoseReply(s *shot) string {
	nodes := s.services()
	lost := func() {
		if s.in.done || s.state != pending && s.state != armed {
			return
		}
		s.begin(nodes)
		s.end()
	}
	if h := s.hit; h != nil {
		op, step, _ := strings.Cut(h.Hook, "/")
		service, _, _ := strings.Cut(op, ".")
		if service == s.res && step == history.StepReplied && !h.Drop {
			h.Drop = true
			lost()
			return ""
		}
	}
	s.state = armed
	s.in.c.LoseReply(s.res, lost)
	return ""
}
