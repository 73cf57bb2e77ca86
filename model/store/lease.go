package store

import (
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// The lease service: one holder at a time, and a token that grows with each grant. A request names the lease in Guard;
// acquire has the holder as Payload and the generation of the group in which it owns what the lease is for, renew the
// token as Fence. The reply has the result as Payload and the token as Fence.
const (
	LeaseService = "lease"
	OpAcquire    = "acquire"
	OpRenew      = "renew"

	Held    = "held"    // of acquire: somebody else's lease has not run out
	Renewed = "renewed" // of renew: it holds for its whole time again
	Lost    = "lost"    // it was granted to another since, or in a later generation
)

// leaseFile is the name of its only file: the grants, in order.
const leaseFile = "leases"

// leases grants. A lease is free or held, with the highest token ever granted:
//
//	           acquire(h)                   renew(token)
//	free       granted, token+1, held by h  lost
//	held by h  granted, token+1             renewed if it is the token, else lost
//	held by g  held                         the same
//
// acquire in an earlier generation than that of the last grant is answered lost, whatever the state. Counterexample to
// leaving it out: a consumer that is paused before its first acquire, whose successor has taken the lease and let it run
// out, would be granted a token that is higher than its successor's.
//
// A grant is on disk before it is answered. Renewals are not: after a stop nobody knows when a lease was renewed last,
// so a boot counts every one as renewed just now. Operations happen one at a time, in order of arrival.
//
// Timeouts: a held lease is free again Config.Window after its grant or last renewal, on this node's monotonic clock;
// renewing one that has run out, and that nobody has taken since, revives it.
type leases struct {
	door
	cfg   Config
	held  map[string]lease // by name; looked up only
	queue []*sim.Request
}

type lease struct {
	holder     string
	token      int64
	generation int64    // of the last grant
	until      sim.Time // on the monotonic clock
}

func newLeases(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &leases{cfg: cfg, held: map[string]lease{}}
		n.Disk().Timing(cfg.Append, cfg.Fsync)
		s.open(n, leaseFile, s.load, s.arrive)
		return s
	}
}

func (s *leases) load() {
	for _, line := range s.n.Disk().Read(leaseFile) {
		in, ok := model.Open(line)
		name, l := in.Text(), lease{holder: in.Text(), token: in.Number(), generation: in.Number(), until: s.n.Now().Add(s.cfg.Window)}
		if !ok || in.Bad {
			panic("store: damaged lease " + strconv.Quote(line))
		}
		s.held[name] = l
	}
}

func (s *leases) arrive(r *sim.Request) {
	s.queue = append(s.queue, r)
	if len(s.queue) == 1 {
		s.begin()
	}
}

// begin lets the first operation of the queue take its service time.
func (s *leases) begin() {
	r := s.queue[0]
	s.serve(r, s.cfg.Latency, func() { s.execute(r) })
}

func (s *leases) execute(r *sim.Request) {
	m := r.Body.(model.Message)
	l := s.held[m.Guard]
	switch op := strings.TrimPrefix(r.Op, LeaseService+"."); op {
	case OpAcquire:
		if m.Generation < l.generation {
			s.reply(r, &m, Lost, 0)
			return
		}
		if l.token > 0 && l.holder != m.Payload && s.n.Now() < l.until {
			s.reply(r, &m, Held, 0)
			return
		}
		s.grant(r, &m, lease{holder: m.Payload, token: l.token + 1, generation: m.Generation})
	case OpRenew:
		if l.token == 0 || l.token != m.Fence {
			s.reply(r, &m, Lost, 0)
			return
		}
		l.until = s.n.Now().Add(s.cfg.Window)
		s.held[m.Guard] = l
		s.reply(r, &m, Renewed, l.token)
	default:
		panic("store: no operation " + op)
	}
}

// grant writes the new holder and token, and counts the lease from when that is durable.
func (s *leases) grant(r *sim.Request, m *model.Message, l lease) {
	b := model.AppendText(model.AppendText(nil, m.Guard), l.holder)
	b = model.AppendNumber(model.AppendNumber(b, l.token), l.generation)
	s.n.Append(leaseFile, model.Seal(b), r.Action, nil)
	if !r.Alive() {
		return
	}
	s.n.Fsync(leaseFile, r.Action, func() {
		l.until = s.n.Now().Add(s.cfg.Window)
		s.held[m.Guard] = l
		r.Applied()
		if r.Alive() {
			s.reply(r, m, Granted, l.token)
		}
	})
}

// reply answers the first operation of the queue and begins the next.
func (s *leases) reply(r *sim.Request, m *model.Message, result string, token int64) {
	r.Reply(model.Message{Intent: m.Intent, Payload: result, Guard: m.Guard, Fence: token}, 0)
	if !r.Alive() {
		return
	}
	s.queue = s.queue[1:]
	if len(s.queue) > 0 {
		s.begin()
	}
}
