package servers

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Server is one incarnation of one of the nodes that store a queue.
type Server struct {
	n      *sim.Node
	inc    int32
	cfg    *queue.Config
	peers  []*sim.Node // all, this one too, in order
	self   int
	gossip sim.Op

	shelf, dead *shelf.Shelf
	goneFirst   map[int64]bool // places of messages that were taken out before they were heard of; looked up only
	own         []op
	have        []int64 // by server: how many of its ops are known here
	told        []told  // by server: what it is known to know
	ready       bool    // up long enough to have heard what was missed
	next        int64   // position of the next message taken in here
	nextDead    int64
	durable     int64 // own ops that are
	syncing     bool
	fresh       []fresh // taken in, and not durable
	untold      *[]statement

	waiting []waiting
	parked  []*poll
	wake    sim.Handle
	wakeAt  sim.Time
}

// told is what this server knows of another one.
type told struct {
	knows   int64 // own ops that it has durably; -1 = it has not said
	open    bool  // a request is under way
	away    bool  // not heard for Config.Away, or not ready
	silence sim.Handle
}

// waiting is a request whose answer waits until own ops are durable: here, or at another server as well.
type waiting struct {
	r      *sim.Request
	upTo   int64
	copied bool
	body   any
	fact   int64
}

// fresh is a message that nobody is handed yet: a loss of power could take it back, and give its position to another.
type fresh struct {
	number int64 // among own ops, from 1
	op     op
}

// statement is a fact of what this server did, for when that is durable: what a loss of power takes back has not happened. It
// is no server's knowledge, and outlives its process as the page cache does.
type statement struct {
	upTo int64 // own ops
	fact history.Fact
}

// poll is a receive that waits.
type poll struct {
	r     *sim.Request
	req   queue.ReceiveRequest
	timer sim.Handle
}

// New is the factory of a node. Its group is all nodes of its role.
func New(cfg queue.Config) func(*sim.Node) sim.Handler {
	c := cfg
	if c.Service == "" {
		c.Service = queue.Service
	}
	letters := c
	letters.DeadLetters = ""
	untold := make([][]statement, c.Servers)
	return func(n *sim.Node) sim.Handler {
		s := &Server{n: n, inc: n.Incarnation(), cfg: &c, peers: n.World().Nodes(n.Role()), gossip: n.World().Op(c.Service + "." + queue.OpGossip),
			shelf: shelf.New(&c), dead: shelf.New(&letters), goneFirst: map[int64]bool{}}
		s.self = slices.Index(s.peers, n)
		s.untold = &untold[s.self]
		s.have, s.told = make([]int64, len(s.peers)), make([]told, len(s.peers))
		for i := range s.told {
			s.told[i].knows = -1
		}
		s.load()
		return s
	}
}

// Of is the present instance on a node; nil while it is down.
func Of(n *sim.Node) *Server {
	if n == nil || !n.Up() {
		return nil
	}
	s, _ := n.Handler().(*Server)
	return s
}

func (s *Server) alive() bool { return s.n.Up() && s.n.Incarnation() == s.inc }

// load reads what an incarnation before has left. A server that was there before serves nobody until it has had time to
// hear what it missed.
func (s *Server) load() {
	records := s.n.Disk().Read(file)
	for _, record := range records {
		if o, origin, _, ok := decode(record); ok {
			s.learn(&o, origin)
			if origin == s.self {
				s.own = append(s.own, o)
			}
		}
	}
	*s.untold = slices.DeleteFunc(*s.untold, func(t statement) bool { return t.upTo > int64(len(s.own)) })
	s.ready = len(records) == 0
	if !s.ready {
		s.n.AfterBackground(s.cfg.Away, s.becomeReady)
		s.sync(sim.Action{})
	}
	if !s.alive() {
		return
	}
	for i := range s.peers {
		s.heard(i, true)
	}
	s.tick()
}

func (s *Server) becomeReady() {
	s.ready = true
	if s.tell(true); s.alive() {
		s.serve()
	}
}

// learn takes an op in that this server has not known. It is the only way in which the queue changes.
func (s *Server) learn(o *op, origin int) {
	s.have[origin]++
	now := s.n.Now()
	switch o.kind {
	case opPut:
		if o.origin() == s.self {
			s.next = max(s.next, o.position()+1)
		}
		if s.goneFirst[o.place] {
			delete(s.goneFirst, o.place)
			return
		}
		s.shelf.Put(s.message(o, s.cfg.Queue), o.place, o.at, o.until, now)
	case opHide:
		s.shelf.Mark(o.place, o.receives, o.until, now)
	case opGone:
		if it := s.shelf.Item(o.place); it != nil {
			s.shelf.Remove(it)
		} else {
			s.goneFirst[o.place] = true
		}
	case opLetter:
		if o.origin() == s.self {
			s.nextDead = max(s.nextDead, o.position()+1)
		}
		s.dead.Put(s.message(o, s.cfg.DeadLetters), o.place, o.at, o.at, now)
	}
}

// message is that of a put, with the record that it is.
func (s *Server) message(o *op, name string) model.Message {
	m := o.message
	m.Topic, m.Partition, m.Offset = name, o.origin(), o.position()
	return m
}

// do makes an op of this server's own. The others are told of it once it is durable here: a number that they know must not
// be given again.
func (s *Server) do(o op, act sim.Action) {
	s.own = append(s.own, o)
	s.n.Append(file, o.encode(s.self, int64(len(s.own))-1), act, nil)
}

// sync makes durable what was done, by one fsync for all that has been written when it begins.
func (s *Server) sync(act sim.Action) {
	if s.syncing {
		return
	}
	s.syncing = true
	upTo := int64(len(s.own))
	s.n.Fsync(file, act, func() {
		s.syncing = false
		s.durable = max(s.durable, upTo)
		s.state()
		if s.durable < int64(len(s.own)) {
			if s.sync(act); !s.alive() {
				return
			}
		}
		for len(s.fresh) > 0 && s.fresh[0].number <= s.durable {
			s.learn(&s.fresh[0].op, s.self)
			s.fresh = s.fresh[1:]
		}
		if s.tell(false); s.alive() {
			s.answer()
		}
		if s.alive() {
			s.serve()
		}
	})
}

// Serves says whether this server answers clients: the first of those that it believes to be there.
func (s *Server) Serves() bool { return s.primary() == s.self }

func (s *Server) primary() int {
	for i := range s.peers {
		if i == s.self && s.ready || i != s.self && !s.told[i].away {
			return i
		}
	}
	return -1
}

// Settled says whether those of these servers that are up have heard all that each of them has done.
func Settled(nodes []*sim.Node) bool {
	for _, n := range nodes {
		s := Of(n)
		if s == nil {
			continue
		}
		for i, other := range nodes {
			if o := Of(other); o != nil && i != s.self && s.have[i] < int64(len(o.own)) {
				return false
			}
		}
	}
	return true
}

// Shelf is what the queue holds, as far as this server knows; nobody may change it.
func (s *Server) Shelf() *shelf.Shelf { return s.shelf }

// DeadLetters is what the queue of dead letters holds.
func (s *Server) DeadLetters() *shelf.Shelf { return s.dead }

// Receive handles one request.
func (s *Server) Receive(_ *sim.Node, r *sim.Request) {
	if m, ok := r.Body.(Gossip); ok {
		s.listen(r, &m)
		return
	}
	if !s.Serves() {
		name := ""
		if p := s.primary(); p >= 0 {
			name = s.peers[p].Name()
		}
		r.Fail(&queue.NotLeader{Node: name}, 0)
		return
	}
	switch req := r.Body.(type) {
	case queue.SendRequest:
		s.store(r, &req)
	case queue.ReceiveRequest:
		s.receive(r, req)
	case queue.AckRequest:
		s.ack(r, &req)
	case queue.ExtendRequest:
		now := s.n.Now()
		s.rehide(r, req.Handles, now.Add(req.For), false)
	case queue.ReturnRequest:
		s.rehide(r, req.Handles, s.n.Now(), req.Drop)
	case queue.SessionRequest:
		r.Reply(nil, 0)
	default:
		panic(fmt.Sprintf("servers: %s with a body of type %T", r.Op, r.Body))
	}
}

// Closed says that a client's process has ended: its polls wait for nobody.
func (s *Server) Closed(peer string, incarnation int32) {
	s.parked = slices.DeleteFunc(s.parked, func(p *poll) bool {
		gone := queue.Connects(p.req.Consumer, peer, incarnation)
		if gone {
			s.n.Cancel(p.timer)
		}
		return gone
	})
}

// settled has it stated that a message has left, which is the last that this server did.
func (s *Server) settled(it *shelf.Item, how string, cause int64) {
	m := &it.Message
	s.later(history.Fact{Kind: history.KindSettled, Event: m.Event, Stage: m.Stage, Key: m.Key, Resource: model.PartitionName(m.Topic, m.Partition),
		Offset: m.Offset, Op: how, Cause: cause, Fence: -1})
}

func (s *Server) later(f history.Fact) {
	*s.untold = append(*s.untold, statement{int64(len(s.own)), f})
}

// state records the facts of what is durable.
func (s *Server) state() {
	for list := *s.untold; len(list) > 0 && list[0].upTo <= s.durable; list = *s.untold {
		*s.untold = list[1:]
		s.n.Record(list[0].fact)
	}
}
