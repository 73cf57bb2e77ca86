package raft

import "github.com/twiceless/twiceless/sim"

// VoteRequest asks for a vote in a term, or whether it would be given.
type VoteRequest struct {
	Term      int64
	Candidate int // member
	Last      int64
	LastTerm  int64
	Pre       bool
}

// VoteReply gives it, or not.
type VoteReply struct {
	Term    int64
	Granted bool
}

// campaign begins an election, or asks whether one could be won.
func (r *Raft) campaign() {
	if r.role == leader {
		panic("raft: a leader stands for election")
	}
	r.leads = -1
	r.awaitLeader()
	if r.cfg.PreVote {
		r.role = follower
		r.ask(true)
		return
	}
	r.stand()
}

// stand makes this node a candidate of a new term, with its own vote, which is durable before it counts.
func (r *Raft) stand() {
	r.role = candidate
	r.term++
	r.voted, r.leads = r.self, -1
	r.drawTimeout()
	r.awaitLeader()
	term := r.term
	r.saveTerm()
	if !r.alive() {
		return
	}
	r.disk.onTerm(func() {
		if r.role == candidate && r.term == term {
			r.ask(false)
		}
	})
}

// ask asks every other member.
func (r *Raft) ask(pre bool) {
	clear(r.votes)
	r.votes[r.self] = true
	m := VoteRequest{Term: r.term, Candidate: r.self, Last: r.Last(), LastTerm: r.termAt(r.Last()), Pre: pre}
	if pre {
		m.Term++
	}
	term := r.term
	for i, to := range r.members {
		if i == r.self {
			continue
		}
		r.n.Call(to, r.ops.vote, sim.Action{}, m, 0, r.cfg.ElectionMin, func(body any, _ int64, err error) {
			if err == nil && r.term == term {
				r.counted(i, pre, body.(VoteReply))
			}
		})
		if !r.alive() {
			return
		}
	}
	r.won(pre) // alone
}

// counted is the answer of one member to the present election.
func (r *Raft) counted(from int, pre bool, a VoteReply) {
	if a.Term > r.term {
		r.follow(a.Term, -1)
		return
	}
	if a.Granted {
		r.votes[from] = true
		r.won(pre)
	}
}

// won ends an election that a majority has decided.
func (r *Raft) won(pre bool) {
	n := 0
	for _, v := range r.votes {
		if v {
			n++
		}
	}
	switch {
	case n < r.quorum():
	case pre && r.role == follower && r.leads < 0:
		r.stand()
	case !pre && r.role == candidate:
		r.lead()
	}
}

// vote answers a candidate. A vote goes to a log that is at least as far as one's own (Raft, 5.4.1), once in a term, and is
// durable before it is given. A node that follows a leader gives no pre-vote: it has heard from it within its own timeout.
func (r *Raft) vote(req *sim.Request, m *VoteRequest) {
	upToDate := m.LastTerm > r.termAt(r.Last()) || m.LastTerm == r.termAt(r.Last()) && m.Last >= r.Last()
	if m.Pre {
		req.Reply(VoteReply{r.term, m.Term > r.term && upToDate && r.leads < 0}, 0)
		return
	}
	if m.Term > r.term {
		r.follow(m.Term, -1)
		if !r.alive() {
			return
		}
	}
	granted := m.Term == r.term && upToDate && r.role == follower && (r.voted < 0 || r.voted == m.Candidate)
	if granted && r.voted < 0 {
		r.voted = m.Candidate
		r.saveTerm()
		if !r.alive() {
			return
		}
	}
	if granted {
		r.awaitLeader()
	}
	reply := VoteReply{r.term, granted}
	r.disk.onTerm(func() { req.Reply(reply, 0) })
}
