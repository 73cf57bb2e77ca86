package faults

// refusal counts the outages of one service: it answers again when the last of them is over.
type refusal struct {
	service string
	count   int
}

// applyRefuse makes the services refuse every call.
func applyRefuse(s *shot) string {
	s.begin(s.services())
	for _, name := range s.f.Targets {
		r := s.in.refusalOf(name)
		r.count++
		if r.count == 1 {
			s.in.c.Refuse(name, true)
		}
	}
	return ""
}

// liftRefuse ends that for the services that no other outage holds.
func liftRefuse(s *shot) {
	for _, name := range s.f.Targets {
		r := s.in.refusalOf(name)
		r.count--
		if r.count == 0 {
			s.in.c.Refuse(name, false)
		}
	}
}

// refusalOf finds or makes the count of a service. The pointer is good until the next call.
func (in *Injector) refusalOf(service string) *refusal {
	for i := range in.off {
		if in.off[i].service == service {
			return &in.off[i]
		}
	}
	in.off = append(in.off, refusal{service: service})
	return &in.off[len(in.off)-1]
}
