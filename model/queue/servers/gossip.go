package servers

import (
	"slices"

	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/sim"
)

// Gossip tells another server what this one did, from where that one is known to know it.
type Gossip struct {
	From  int
	Ready bool // whether it could serve
	Base  int64
	Ops   []op
}

// Known is the answer: how many ops of the asker are durable here.
type Known struct {
	Ops   int64
	Ready bool
}

// tick says that this server is there, whether or not there is anything to tell.
func (s *Server) tick() {
	s.n.AfterBackground(s.cfg.Heartbeat, s.tick)
	s.tell(true)
}

// tell sends each other server what it lacks, one request at a time. What was lost on the way is sent again: by the next
// tick.
func (s *Server) tell(beat bool) {
	for i := range s.peers {
		t := &s.told[i]
		if i == s.self || t.open || !beat && t.knows >= s.durable {
			continue
		}
		s.tellOne(i)
		if !s.alive() {
			return
		}
	}
}

func (s *Server) tellOne(i int) {
	t := &s.told[i]
	m := Gossip{From: s.self, Ready: s.ready}
	if t.knows >= 0 {
		m.Base, m.Ops = t.knows, s.own[t.knows:s.durable:s.durable]
	}
	t.open = true
	s.n.Call(s.peers[i], s.gossip, sim.Action{}, m, 0, s.cfg.Heartbeat, func(body any, _ int64, err error) {
		t := &s.told[i]
		t.open = false
		if err != nil {
			return
		}
		known := body.(Known)
		t.knows = max(t.knows, known.Ops)
		s.heard(i, known.Ready)
		s.answer()
		if s.alive() && !t.open && t.knows < s.durable {
			s.tellOne(i)
		}
	})
}

// listen takes in what another server did. It is durable before that one hears so.
func (s *Server) listen(r *sim.Request, m *Gossip) {
	s.heard(m.From, m.Ready)
	if !s.alive() {
		return
	}
	fresh := m.Ops
	if skip := s.have[m.From] - m.Base; skip > 0 {
		fresh = fresh[min(skip, int64(len(fresh))):]
	}
	if len(fresh) == 0 {
		r.Reply(Known{s.have[m.From], s.ready}, 0) // durable, or the request before it waits for that
		return
	}
	for i := range fresh {
		s.n.Append(file, fresh[i].encode(m.From, s.have[m.From]), sim.Action{}, nil)
		if !s.alive() {
			return
		}
		s.learn(&fresh[i], m.From)
	}
	known := s.have[m.From]
	s.n.Fsync(file, sim.Action{}, func() { r.Reply(Known{known, s.ready}, 0) })
	if s.alive() {
		s.serve()
	}
}

// heard is a sign of life of another server. One that is not ready serves nobody, as if it were away.
func (s *Server) heard(i int, ready bool) {
	if i == s.self {
		return
	}
	t := &s.told[i]
	s.n.Cancel(t.silence)
	t.silence = s.n.AfterBackground(s.cfg.Away, func() { s.takeAway(i, true) })
	s.takeAway(i, !ready)
}

// takeAway changes what this server believes of another one, and with it who serves.
func (s *Server) takeAway(i int, away bool) {
	if s.told[i].away == away {
		return
	}
	s.told[i].away = away
	if s.Serves() {
		s.serve()
		return
	}
	parked := slices.Clone(s.parked)
	s.parked = s.parked[:0]
	for _, p := range parked {
		s.n.Cancel(p.timer)
		p.r.Fail(&queue.NotLeader{}, 0)
		if !s.alive() {
			return
		}
	}
}
