package downstream

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// notification sends what it is asked to send, again at every request: it takes no key and answers no query. The
// record is its outbox; what is in it reaches a person.
type notification struct{ service }

func newNotification(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &notification{}
		s.boot(cfg, n, func(*record) {}, s.send)
		return s
	}
}

func (s *notification) send(r *sim.Request, wait sim.Duration) {
	m := r.Body.(model.Message)
	s.work(r, wait, func() {
		rec := s.effect(r, &m)
		s.apply(r, &rec, func(fact int64) { r.Reply(answer(&m, rec.result), fact) })
	})
}
