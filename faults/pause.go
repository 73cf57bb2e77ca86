package faults

import "github.com/twiceless/twiceless/sim"

// hold counts the pauses of one incarnation: it resumes when the last of them is over.
type hold struct {
	n     *sim.Node
	inc   int32
	count int
}

// applyPause makes the targets that are up stand still.
func applyPause(s *shot) string {
	up, reason := s.bindUp()
	if reason != "" {
		return reason
	}
	s.keep(up)
	s.begin(up)
	for _, b := range s.nodes {
		s.in.holdOf(b).count++
		b.n.Pause()
	}
	return ""
}

// liftPause resumes each target, unless another pause still holds it or that incarnation has ended.
func liftPause(s *shot) {
	for _, b := range s.nodes {
		h := s.in.holdOf(b)
		h.count--
		if h.count == 0 && b.n.Up() && b.n.Incarnation() == b.inc {
			b.n.Resume()
		}
	}
}

// holdOf finds or makes the count of one incarnation. The pointer is good until the next call.
func (in *Injector) holdOf(b bound) *hold {
	for i := range in.holds {
		if h := &in.holds[i]; h.n == b.n && h.inc == b.inc {
			return h
		}
	}
	in.holds = append(in.holds, hold{n: b.n, inc: b.inc})
	return &in.holds[len(in.holds)-1]
}
