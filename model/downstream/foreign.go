package downstream

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Serve is what a service does that a team brings along: it answers a request, atomically, and says whether that
// applied an effect. An error is definite: nothing was applied.
type Serve func(model.Message) (reply model.Message, applied bool, err error)

// foreign is a service whose inside is somebody else's code. What the code knows counts as durable: it is kept outside
// of the node and survives every stop. Latency, capacity, outages and the network in front of it are as for any
// other service; what was applied is written to the node's disk and flushed before the answer goes out.
type foreign struct {
	service
	serve Serve
}

// NewForeign is the factory of the incarnations of such a service.
func NewForeign(cfg Config, serve Serve) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &foreign{serve: serve}
		s.boot(cfg, n, func(*record) {}, s.execute)
		return s
	}
}

func (s *foreign) execute(r *sim.Request, wait sim.Duration) {
	m := r.Body.(model.Message)
	s.work(r, wait, func() {
		reply, applied, err := s.serve(m)
		switch {
		case err != nil:
			r.Fail(err, 0)
		case !applied:
			r.Reply(reply, 0)
		default:
			rec := s.effect(r, &m)
			s.apply(r, &rec, func(fact int64) { r.Reply(reply, fact) })
		}
	})
}
