package sim

import "slices"

// Signal wakes processes of one node that wait for a condition. The zero value is ready.
type Signal struct{ waiting []*Proc }

// Wait waits for the next Broadcast, at most for d; it reports whether one came. d < 0 means for ever.
func (p *Proc) Wait(s *Signal, d Duration) bool {
	p.alive()
	s.waiting = append(s.waiting, p)
	p.signal = s
	if d < 0 {
		d = forever
	}
	timedOut := p.await(d)
	if timedOut {
		s.leave(p)
	}
	p.signal = nil
	return !timedOut
}

func (s *Signal) leave(p *Proc) {
	if i := slices.Index(s.waiting, p); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
}

// Broadcast wakes everything that waits, each by an event at the present instant.
func (s *Signal) Broadcast() {
	for _, p := range s.waiting {
		if p.dead {
			continue
		}
		p.w.Cancel(p.timer)
		p.signal = nil
		p.wakeAt(evSignal, p.w.now)
	}
	clear(s.waiting)
	s.waiting = s.waiting[:0]
}
