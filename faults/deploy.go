package faults

import "github.com/twiceless/twiceless/sim"

// defaultGrace is that of a deploy whose line states none, ns.
const defaultGrace = 5 * second

// applyDeploy rolls a new version out over the targets that are up, one at a time, in the order of the line and of
// their numbers. States of a member: running; asked to stop (AskStop, until it has ended by itself or Grace is
// over on the world's clock, then killed); booted as the new version. The next member's turn comes at the boot, or
// Pause later: a Kubernetes deployment of maxUnavailable 1 with that minReadySeconds and terminationGracePeriod. The
// fault is over when the last member is back.
//
// Who stops a node boots it. So a member that is down when its turn comes is passed over, and one that another fault
// stops within its turn is left to that fault: a deploy that booted it would undo a power loss that still lasts.
func applyDeploy(s *shot) string {
	up, reason := s.bindUp()
	if reason != "" {
		return reason
	}
	s.rest = up
	s.begin(up)
	s.replaceNext()
	return ""
}

// replaceNext gives the next member that is up its turn; without one the deploy is over.
func (s *shot) replaceNext() {
	for len(s.rest) > 0 {
		n := s.rest[0]
		s.rest = s.rest[1:]
		if n.Up() {
			s.replace(n)
			return
		}
	}
	s.due = 0
	s.end()
}

// replace asks a member to stop, and kills it when its grace is over.
func (s *shot) replace(n *sim.Node) {
	w, inc := s.in.w, n.Incarnation()
	deadline := w.Now().Add(sim.Duration(s.f.Grace))
	s.due = int64(deadline)
	kill := w.At(deadline, sim.PhaseFault, func() {
		if n.Up() && n.Incarnation() == inc { // another fault may have stopped it at this very instant
			n.Kill(s.began)
		}
	})
	n.OnStop(func(cause int64) {
		w.Cancel(kill)
		s.replaced(n, cause)
	})
	n.AskStop(s.began)
}

// replaced is called when a member has stopped.
func (s *shot) replaced(n *sim.Node, cause int64) {
	ours := cause == s.began && !hasNode(s.in.left, n) // one that leaves a group stays away
	if ours && !n.Up() {
		n.Boot()
	}
	if !ours || len(s.rest) == 0 || s.f.Pause == 0 {
		s.replaceNext()
		return
	}
	next := s.in.w.Now().Add(sim.Duration(s.f.Pause))
	s.due = int64(next)
	s.in.w.At(next, sim.PhaseFault, s.replaceNext)
}
