package raft

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// Config of a group. All timeouts are on the node's own monotonic clock.
type Config struct {
	Vote, Entries string       // "service.op" of the two requests
	Heartbeat     sim.Duration // of a leader to each follower
	ElectionMin   sim.Duration // a follower that has heard nothing for a time between these two becomes a candidate;
	ElectionMax   sim.Duration // it is drawn for each node once in a term
	SyncEvery     sim.Duration // 0 = an entry counts once it is fsynced; else once it is in the page cache, and fsyncs are so far apart
	LostQuorum    sim.Duration // a leader that has not heard from a majority for so long steps down; 0 = never
	PreVote       bool         // ask whether an election could be won before the term is raised (Raft thesis, 9.6)
	MaxEntries    int          // in one request; 0 = 256
}

// Command is what an entry orders. It is a value that nobody changes.
type Command any

// Entry of the log. The one with which a leader begins its term has no Command.
type Entry struct {
	Term    int64
	Command Command
	record  string // as every disk holds it
}

// newEntry makes the record of an entry, which is the same on every disk. raw is the command's, "" = there is none.
func newEntry(term int64, c Command, raw string) Entry {
	b := make([]byte, 0, len(raw)+16)
	return Entry{term, c, model.Seal(model.AppendText(model.AppendNumber(b, term), raw))}
}

// Machine is what a group replicates.
type Machine interface {
	Decode(raw string) Command
	// Appended: this node's log took an entry, as its leader's or as its own.
	Appended(index int64, e *Entry)
	// Cut: the entries from an index on are gone from this node's log; applied says whether some of them had been applied.
	Cut(from int64, gone []Entry, applied bool)
	// Apply: a committed entry, in order, once, as long as nothing that was applied is cut.
	Apply(index int64, e *Entry)
	// Elected: this node leads from now on; its log is not committed to its end yet. Deposed: it no longer does.
	Elected(term int64)
	Deposed()
	// Committed: the leader has learned that all up to an index is. It comes after Apply.
	Committed(index int64)
}

type role uint8

const (
	follower role = iota
	candidate
	leader
)

// String names the role.
func (r role) String() string { return [...]string{"follower", "candidate", "leader"}[r] }

// Raft is one member of a group, in one incarnation of its node.
type Raft struct {
	n       *sim.Node
	inc     int32
	cfg     Config
	machine Machine
	members []*sim.Node
	self    int
	ops     struct{ vote, entries sim.Op }

	role    role
	term    int64
	voted   int // index of a member, -1 = none
	leads   int // whom this node follows, -1 = nobody
	log     []Entry
	commit  int64
	applied int64

	disk     disk
	waiting  []answer // of requests that wait for the disk
	timeout  sim.Duration
	election sim.Handle
	tick     sim.Handle
	after    struct{ campaign, beat, fsynced func() } // made once: an idle group allocates nothing
	votes    []bool
	peers    []peer
	began    int64 // index of the entry with which this node's leadership began
}

// peer is what a leader knows of another member.
type peer struct {
	next, match int64
	open        bool // a request is under way
	probing     bool // the last one was not answered: until it answers it is sent no entries
	silent      bool // not heard for LostQuorum
	silence     sim.Handle
	answered    func(body any, fact int64, err error)
}

// New makes a member from what the node's disk holds. Members are all nodes of the group, in the same order everywhere.
func New(n *sim.Node, members []*sim.Node, cfg Config, m Machine) *Raft {
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = 256
	}
	r := &Raft{n: n, inc: n.Incarnation(), cfg: cfg, machine: m, members: members, self: slices.Index(members, n), voted: -1, leads: -1}
	if r.self < 0 || cfg.Heartbeat <= 0 || cfg.ElectionMin <= cfg.Heartbeat || cfg.ElectionMax < cfg.ElectionMin {
		panic("raft: a member outside its group, or timeouts that cannot work")
	}
	r.ops.vote, r.ops.entries = n.World().Op(cfg.Vote), n.World().Op(cfg.Entries)
	r.after.campaign, r.after.beat, r.after.fsynced = r.campaign, r.beat, r.fsynced
	r.peers = make([]peer, len(members))
	for i := range r.peers {
		r.peers[i].answered = func(body any, _ int64, err error) { r.answered(i, body, err) }
	}
	r.votes = make([]bool, len(members))
	r.load()
	r.drawTimeout()
	if r.alive() {
		r.awaitLeader()
	}
	return r
}

// alive says whether this incarnation still runs: a hook may have ended it.
func (r *Raft) alive() bool { return r.n.Up() && r.n.Incarnation() == r.inc }

// Leads says whether this node is a leader that has committed an entry of its own term, so that it has applied all that
// was ever committed.
func (r *Raft) Leads() bool { return r.role == leader && r.applied >= r.began }

// Leader is whom this node takes for the leader; nil = it does not know.
func (r *Raft) Leader() *sim.Node {
	if r.leads < 0 {
		return nil
	}
	return r.members[r.leads]
}

// Term of this node.
func (r *Raft) Term() int64 { return r.term }

// Last is the index of the last entry of its log, which begins with 1; 0 = it is empty.
func (r *Raft) Last() int64 { return int64(len(r.log)) }

// Commit is the index of the last entry that this node knows to be committed.
func (r *Raft) Commit() int64 { return r.commit }

// Applied is the index of the last entry that its machine was given.
func (r *Raft) Applied() int64 { return r.applied }

// Entry of the log at an index, from 1.
func (r *Raft) Entry(index int64) *Entry { return &r.log[index-1] }

func (r *Raft) termAt(index int64) int64 {
	if index == 0 {
		return 0
	}
	return r.log[index-1].Term
}

// Reaches says whether a majority has answered this leader's last request.
func (r *Raft) Reaches() bool {
	n := 0
	for i := range r.peers {
		if !r.peers[i].probing {
			n++
		}
	}
	return n >= r.quorum()
}

func (r *Raft) quorum() int { return len(r.members)/2 + 1 }

// drawTimeout draws the election timeout of this term. It is not drawn at each heartbeat: idle work must draw nothing.
func (r *Raft) drawTimeout() {
	w := r.n.World()
	act := w.Act("", r.n.Name(), r.cfg.Vote)
	r.timeout = sim.Duration(rng.Between(w.Draw(rng.Jitter, act, 0), int64(r.cfg.ElectionMin), int64(r.cfg.ElectionMax)))
}

// awaitLeader waits for the word of a leader.
func (r *Raft) awaitLeader() {
	r.n.Cancel(r.election)
	r.election = r.n.AfterBackground(r.timeout, r.after.campaign)
}

// follow makes this node a follower of a term, whoever leads it. The term is durable before anything is answered in it.
func (r *Raft) follow(term int64, whom int) {
	if term < r.term {
		panic("raft: a term goes back")
	}
	was := r.role
	r.role, r.leads = follower, whom
	if term > r.term {
		r.term, r.voted = term, -1
		r.saveTerm()
		r.drawTimeout()
	}
	if !r.alive() {
		return
	}
	r.awaitLeader()
	if was == leader {
		r.stepped()
	}
}

// stepped ends a leadership.
func (r *Raft) stepped() {
	r.n.Cancel(r.tick)
	for i := range r.peers {
		r.n.Cancel(r.peers[i].silence)
	}
	r.machine.Deposed()
}

// lead makes a candidate the leader of its term. It commits nothing of earlier terms but by an entry of its own (Raft,
// 5.4.2): else what it committed could be overwritten by a later leader.
func (r *Raft) lead() {
	if r.role != candidate {
		panic("raft: " + r.role.String() + " becomes leader")
	}
	r.role, r.leads = leader, r.self
	r.n.Cancel(r.election)
	for i := range r.peers {
		r.peers[i] = peer{next: r.Last() + 1, answered: r.peers[i].answered}
		r.heardFrom(i)
	}
	r.began = r.Last() + 1
	r.machine.Elected(r.term)
	if !r.alive() || r.role != leader {
		return
	}
	r.append([]Entry{newEntry(r.term, nil, "")}, sim.Action{})
	if r.alive() {
		r.beat()
	}
}

// beat tells every follower that this node leads.
func (r *Raft) beat() {
	r.tick = r.n.AfterBackground(r.cfg.Heartbeat, r.after.beat)
	r.replicate(true)
}

// heardFrom restarts the silence of a member.
func (r *Raft) heardFrom(i int) {
	p := &r.peers[i]
	p.silent = false
	if r.cfg.LostQuorum == 0 || i == r.self {
		return
	}
	r.n.Cancel(p.silence)
	p.silence = r.n.AfterBackground(r.cfg.LostQuorum, func() { r.lost(i) })
}

// lost is that a follower has been silent for LostQuorum.
func (r *Raft) lost(i int) {
	r.peers[i].silent = true
	heard := 0
	for k := range r.peers {
		if !r.peers[k].silent {
			heard++
		}
	}
	if heard < r.quorum() {
		r.follow(r.term, -1)
	}
}

// Propose appends a command, raw as Machine.Decode reads it, to the log of a leader and returns its index.
func (r *Raft) Propose(c Command, raw string, act sim.Action) int64 {
	if r.role != leader {
		panic("raft: a proposal to a " + r.role.String())
	}
	index := r.Last() + 1
	r.append([]Entry{newEntry(r.term, c, raw)}, act)
	if r.alive() && r.role == leader {
		r.replicate(false)
	}
	return index
}

// append adds entries to the end of the log, in memory and on disk.
func (r *Raft) append(entries []Entry, act sim.Action) {
	for i := range entries {
		r.log = append(r.log, entries[i])
		index := r.Last()
		r.machine.Appended(index, &r.log[index-1])
		if !r.alive() {
			return
		}
		r.write(index, act)
		if !r.alive() {
			return
		}
	}
	r.sync(act)
}

// cut drops the entries from an index on.
func (r *Raft) cut(from int64) {
	gone := slices.Clone(r.log[from-1:])
	r.log = r.log[: from-1 : from-1]
	r.disk.cut(from - 1)
	r.n.Truncate(logFile, int(from-1))
	applied := from <= r.applied
	r.applied, r.commit = min(r.applied, from-1), min(r.commit, from-1)
	r.machine.Cut(from, gone, applied)
}

// advance commits what a majority has stably, if it is of this term.
func (r *Raft) advance() {
	if r.role != leader {
		return
	}
	have := make([]int64, 0, 8)
	for i := range r.peers {
		if i == r.self {
			have = append(have, r.disk.stable)
			continue
		}
		have = append(have, r.peers[i].match)
	}
	slices.Sort(have)
	index := have[len(have)-r.quorum()]
	if index <= r.commit || r.termAt(index) != r.term {
		return
	}
	r.commit = index
	r.apply()
	if r.alive() && r.role == leader {
		r.machine.Committed(index)
	}
}

// apply hands the machine what is committed.
func (r *Raft) apply() {
	for r.applied < r.commit {
		r.applied++
		r.machine.Apply(r.applied, &r.log[r.applied-1])
		if !r.alive() {
			return
		}
	}
}
