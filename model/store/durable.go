package store

import (
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// durable is the store of which every answer is true for ever: a change is appended and flushed before it is
// answered, and an answer that depends on a change waits for it.
//
// Each record has a queue. Its first operation takes its service time, decides, writes if it changes the record,
// replies, and makes room for the next: so operations of one record take effect in order of arrival, and none ever
// reads a state that a power loss could take back. Different records do not wait for each other, but for the disk.
//
// States of the node: booting (what a kill left in the page cache is being flushed; requests wait), ready. Timeouts:
// none; service time is counted on the node's monotonic clock.
type durable struct {
	door
	cfg     Config
	file    string
	records map[name]change
	queues  map[name][]*sim.Request // of records with operations under way

	shut  bool          // operations are refused: a replica that is not the primary
	term  int64         // counts what makes operations that are under way void
	wrote func(*change) // a change is durable and about to be answered; nil = nobody needs to know
}

func newDurable(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &durable{cfg: cfg, file: file, records: map[name]change{}, queues: map[name][]*sim.Request{}}
		n.Disk().Timing(cfg.Append, cfg.Fsync)
		s.open(n, file, s.load, s.arrive)
		return s
	}
}

func (s *durable) load() {
	all := changes(s.n, s.file)
	for _, c := range all {
		s.set(c)
	}
	s.found(all)
}

func (s *durable) set(c change) {
	if c.is == absent {
		delete(s.records, c.name)
		return
	}
	s.records[c.name] = c
}

// arrive queues an operation behind those of its record.
func (s *durable) arrive(r *sim.Request) {
	id := nameOf(r)
	s.queues[id] = append(s.queues[id], r)
	if len(s.queues[id]) == 1 {
		s.begin(id)
	}
}

func nameOf(r *sim.Request) name {
	m := r.Body.(model.Message)
	return name{m.Event, m.Stage}
}

// begin lets the first operation of a record's queue take its service time.
func (s *durable) begin(id name) {
	r := s.queues[id][0]
	s.serve(r, s.cfg.Latency, func() { s.execute(id, r) })
}

// execute decides, writes what changes, and answers.
func (s *durable) execute(id name, r *sim.Request) {
	if s.shut {
		s.refuse(id, r)
		return
	}
	m := r.Body.(model.Message)
	now := s.clock(&m)
	before, expired := s.look(id, now)
	op := strings.TrimPrefix(r.Op, Service+".")
	after, result := decide(before, op, m.Payload)
	reply := model.Message{Intent: m.Intent, Payload: result}
	if expired && result == Granted {
		reply.Headers = Expired
	}
	took := effect{id, m.Cause, op, result, after != before, ""}
	if expired {
		took.note = Expired
	}
	if !took.changed {
		s.state(&took)
		s.reply(id, r, reply)
		return
	}
	c := change{id, after, now, m.Cause}
	term := s.term
	s.n.Append(s.file, c.encode(), r.Action, nil)
	if !r.Alive() {
		return
	}
	s.n.Fsync(s.file, r.Action, func() {
		if s.term != term {
			s.refuse(id, r)
			return
		}
		s.set(c)
		s.state(&took)
		if s.wrote != nil {
			s.wrote(&c)
		}
		r.Applied()
		if r.Alive() {
			s.reply(id, r, reply)
		}
	})
}

// clock judges windows: the store's own, because callers' clocks differ, and a record would expire by whoever asks.
func (s *durable) clock(m *model.Message) sim.Time {
	if s.cfg.Planted.Has(model.TTLOnCallersClock) {
		return m.Asked
	}
	return s.n.Wall()
}

// look is the state of a record at that time. One whose window has passed counts as absent.
func (s *durable) look(id name, now sim.Time) (is state, expired bool) {
	c, known := s.records[id]
	if known && s.cfg.Window > 0 && now.Sub(c.at) >= s.cfg.Window {
		return state{}, true
	}
	return c.state, false
}

// reply answers the first operation of a record's queue and begins the next.
func (s *durable) reply(id name, r *sim.Request, answer model.Message) {
	r.Reply(answer, 0)
	s.advance(id, r)
}

// refuse turns the first operation of a record's queue away, and begins the next.
func (s *durable) refuse(id name, r *sim.Request) {
	r.Fail(model.ErrNotPrimary, 0)
	s.advance(id, r)
}

func (s *durable) advance(id name, answered *sim.Request) {
	if !answered.Alive() {
		return
	}
	rest := s.queues[id][1:]
	if len(rest) == 0 {
		delete(s.queues, id)
		return
	}
	s.queues[id] = rest
	s.begin(id)
}

// decide is the table of the package's documentation.
func decide(s state, op, token string) (after state, result string) {
	mine := s.token == token
	switch op {
	case OpClaim:
		switch {
		case s.is == absent:
			return state{pending, token}, Granted
		case s.is == done:
			return s, Done
		case mine:
			return s, Mine
		}
		return s, Pending
	case OpDone:
		if s.is != absent && mine {
			return state{done, token}, OK
		}
		return s, NotOwner
	case OpRelease:
		if s.is == pending && mine {
			return state{}, OK
		}
		return s, NotOwner
	}
	panic("store: no operation " + op)
}
