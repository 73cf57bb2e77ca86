package raft

import "github.com/twiceless/twiceless/sim"

// EntriesRequest is AppendEntries: what follows on an entry that the follower is to have; nothing for a heartbeat.
type EntriesRequest struct {
	Term     int64
	Leader   int // member
	Prev     int64
	PrevTerm int64
	Entries  []Entry
	Commit   int64
}

// EntriesReply says how far the follower's log is stably the leader's; if it is not at Prev, from where to try.
type EntriesReply struct {
	Term  int64
	OK    bool
	Match int64
	Next  int64
}

// answer is a reply that waits for the disk.
type answer struct {
	req  *sim.Request
	upTo int64
	body EntriesReply
}

// Receive handles a request of another member; it is false for any other.
func (r *Raft) Receive(req *sim.Request) bool {
	switch m := req.Body.(type) {
	case VoteRequest:
		r.vote(req, &m)
	case EntriesRequest:
		r.entries(req, &m)
	default:
		return false
	}
	return true
}

// replicate sends each follower what it lacks, one request at a time; beat also where there is nothing.
func (r *Raft) replicate(beat bool) {
	for i := range r.peers {
		p := &r.peers[i]
		if i == r.self || p.open || !beat && (p.probing || p.next > r.Last()) {
			continue
		}
		r.send(i)
		if !r.alive() || r.role != leader {
			return
		}
	}
}

// send is one request to a follower. One that did not answer the last gets a probe: what it has not read yet it may still
// be going to read, and the same entries over and over would only fill its connection.
func (r *Raft) send(i int) {
	p := &r.peers[i]
	to := min(r.Last(), p.next-1+int64(r.cfg.MaxEntries))
	if p.probing {
		to = p.next - 1
	}
	m := EntriesRequest{Term: r.term, Leader: r.self, Prev: p.next - 1, PrevTerm: r.termAt(p.next - 1), Entries: r.log[p.next-1 : to : to], Commit: r.commit}
	p.open = true
	r.n.Call(r.members[i], r.ops.entries, sim.Action{}, m, 0, 2*r.cfg.Heartbeat, p.answered)
}

// answered is the end of a request. A leader may hear the end of one that it sent as the leader of an earlier term: what that
// confirms may have been cut since, and that nothing came of it says too little of the request under way to do harm.
func (r *Raft) answered(i int, body any, err error) {
	p := &r.peers[i]
	if r.role != leader {
		return
	}
	if err != nil {
		p.open, p.probing = false, true // the next heartbeat tries again
		return
	}
	if a := body.(EntriesReply); a.Term >= r.term {
		p.open, p.probing = false, false
		r.replied(i, a)
	}
}

// replied is what a follower says.
func (r *Raft) replied(i int, a EntriesReply) {
	p := &r.peers[i]
	switch {
	case a.Term > r.term:
		r.follow(a.Term, -1)
		return
	case a.OK:
		p.match = max(p.match, a.Match)
		p.next = p.match + 1
	default:
		p.next = max(1, min(a.Next, p.next-1))
	}
	r.heardFrom(i)
	r.advance()
	if r.alive() && r.role == leader && !p.open && p.next <= r.Last() {
		r.send(i)
	}
}

// entries is a follower's side.
func (r *Raft) entries(req *sim.Request, m *EntriesRequest) {
	if m.Term < r.term {
		r.reply(answer{req, 0, EntriesReply{Term: r.term}})
		return
	}
	if m.Term == r.term && r.role == leader {
		panic("raft: two leaders of one term")
	}
	r.follow(m.Term, m.Leader)
	if !r.alive() {
		return
	}
	if m.Prev > r.Last() || r.termAt(m.Prev) != m.PrevTerm {
		r.reply(answer{req, 0, EntriesReply{Term: r.term, Next: r.conflict(m.Prev)}})
		return
	}
	if !r.take(m) {
		return
	}
	match := m.Prev + int64(len(m.Entries))
	if c := min(m.Commit, match); c > r.commit {
		r.commit = c
		r.apply()
		if !r.alive() {
			return
		}
	}
	r.reply(answer{req, match, EntriesReply{Term: r.term, OK: true, Match: match}})
}

// conflict is where a leader whose entry is not in this log is to try: the first of the term that stands in its place, or
// the end of the log.
func (r *Raft) conflict(prev int64) int64 {
	if prev > r.Last() {
		return r.Last() + 1
	}
	first := prev
	for first > 1 && r.termAt(first-1) == r.termAt(prev) {
		first--
	}
	return first
}

// take makes the log the leader's as far as the request says. Entries that are there already stay, also those behind them:
// a request that was delayed says nothing of what came later.
func (r *Raft) take(m *EntriesRequest) bool {
	fresh := m.Entries
	for at := m.Prev + 1; len(fresh) > 0 && at <= r.Last(); at++ {
		if r.termAt(at) != fresh[0].Term {
			r.cut(at)
			break
		}
		fresh = fresh[1:]
	}
	if len(fresh) > 0 && r.alive() {
		r.append(fresh, sim.Action{})
	}
	return r.alive()
}

// reply answers once the log is stable up to there and the term is durable.
func (r *Raft) reply(a answer) {
	if len(r.waiting) == 0 && r.disk.termSaved() && a.upTo <= r.disk.stable {
		a.req.Reply(a.body, 0)
		return
	}
	r.waiting = append(r.waiting, a)
	r.flush()
}

// flush answers what the disk no longer holds up.
func (r *Raft) flush() {
	if len(r.waiting) == 0 || !r.disk.termSaved() {
		return
	}
	kept := r.waiting[:0]
	var due []answer
	for _, a := range r.waiting {
		if a.upTo <= r.disk.stable {
			due = append(due, a)
		} else {
			kept = append(kept, a)
		}
	}
	r.waiting = kept
	for _, a := range due {
		if a.body.Term != r.term { // of a term that is over: an acknowledgement of it could count what has been cut since
			continue
		}
		a.req.Reply(a.body, 0)
		if !r.alive() {
			return
		}
	}
}
