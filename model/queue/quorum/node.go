package quorum

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/raft"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Node is one incarnation of a node that holds a replica of the queue.
type Node struct {
	n       *sim.Node
	inc     int32
	cfg     *queue.Config
	service string
	raft    *raft.Raft
	machine *machine
	stated  *stated

	// What only the leader knows, and forgets when it is none any more.
	answers  map[int64][]answer // by index; looked up only
	open     []int64            // the indexes of answers, ascending
	ids      map[string]pending // ids of messages that are not applied; looked up only
	parked   []*poll
	taking   []*poll    // for which a take is under way
	wake     sim.Handle // when a message comes back and polls wait
	wakeAt   sim.Time
	sessions []*session
	own      bool  // what the log takes now is this leader's
	end      int64 // position after the last message of the log, applied or not
	deadEnd  int64 // the same of the dead letters
	moving   []int64
}

// stated is what facts say already of the whole group. It is no node's knowledge, and decides nothing: a leader that was
// deposed and does not know it may learn of commits after the next one has, and one that was started anew applies everything
// again.
type stated struct {
	index int64 // up to which commands' effects
	high  int64 // watermark
}

// answer is a request that waits for a command to be applied.
type answer struct {
	r      *sim.Request
	poll   *poll   // of a take
	stored []int64 // of a send
}

// pending is a message that the log has and that is not applied yet.
type pending struct{ index, stored int64 }

// poll is a receive that waits.
type poll struct {
	r     *sim.Request
	req   queue.ReceiveRequest
	timer sim.Handle
	done  bool // answered, or its consumer is gone
	late  bool // its time has passed
}

// session is a connection whose silence ends it.
type session struct {
	name  string
	timer sim.Handle
}

// New is the factory of a node. Its group is all nodes of its role.
func New(cfg queue.Config) func(*sim.Node) sim.Handler {
	c, told := cfg, stated{}
	return func(n *sim.Node) sim.Handler {
		b := &Node{n: n, inc: n.Incarnation(), cfg: &c, service: c.Service, machine: newMachine(&c), stated: &told}
		if b.service == "" {
			b.service = queue.Service
		}
		b.forget()
		b.raft = raft.New(n, n.World().Nodes(n.Role()), raft.Config{Vote: b.service + "." + queue.OpVote, Entries: b.service + "." + queue.OpEntries,
			Heartbeat: c.Heartbeat, ElectionMin: c.ElectionMin, ElectionMax: c.ElectionMax, SyncEvery: c.SyncEvery, LostQuorum: c.LostQuorum,
			PreVote: c.PreVote}, b)
		b.ends()
		return b
	}
}

// Of is the present instance on a node; nil while it is down.
func Of(n *sim.Node) *Node {
	if n == nil || !n.Up() {
		return nil
	}
	b, _ := n.Handler().(*Node)
	return b
}

// Leads says whether this node serves the queue.
func (b *Node) Leads() bool { return b.raft.Leads() }

// Settled says whether those of these nodes that are up follow one leader, which serves the queue.
func Settled(nodes []*sim.Node) bool {
	var leader *sim.Node
	for _, n := range nodes {
		b := Of(n)
		if b == nil {
			continue
		}
		l := b.raft.Leader()
		if l == nil || leader != nil && l != leader {
			return false
		}
		leader = l
	}
	b := Of(leader)
	return b != nil && b.Leads()
}

// Shelf is what the queue holds, as far as this node has applied it; nobody may change it.
func (b *Node) Shelf() *shelf.Shelf { return b.machine.shelf }

// Applied is how many commands that is.
func (b *Node) Applied() int64 { return b.raft.Applied() }

// DeadLetters is what the queue of dead letters holds, if it is here.
func (b *Node) DeadLetters() *shelf.Shelf { return b.machine.dead }

// Outstanding is how many messages of the queue somebody will yet be given, those included that are not applied yet. A log
// that was cut may end before what was applied: see queue.Config.KeepApplied.
func (b *Node) Outstanding() int64 {
	return int64(b.machine.shelf.Waiting()) + max(0, b.end-b.machine.taken)
}

func (b *Node) alive() bool { return b.n.Up() && b.n.Incarnation() == b.inc }

// forget is what a node knows that does not lead.
func (b *Node) forget() {
	b.answers, b.open, b.ids = map[int64][]answer{}, nil, map[string]pending{}
	b.parked, b.taking, b.sessions, b.moving, b.wakeAt = nil, nil, nil, nil, 0
}

// ends reads where the log that was loaded ends.
func (b *Node) ends() {
	b.end, b.deadEnd = 0, 0
	for i := int64(1); i <= b.raft.Last(); i++ {
		b.grow(b.raft.Entry(i))
	}
}

func (b *Node) grow(e *raft.Entry) {
	switch c := e.Command.(type) {
	case put:
		end := &b.end
		if c.letters {
			end = &b.deadEnd
		}
		*end = max(*end, c.base+int64(len(c.messages)))
	case move:
		if c.dead != nil {
			b.deadEnd = max(b.deadEnd, c.base+1)
		}
	}
}

// Receive handles one request.
func (b *Node) Receive(_ *sim.Node, r *sim.Request) {
	if b.raft.Receive(r) {
		return
	}
	if !b.raft.Leads() {
		name := ""
		if l := b.raft.Leader(); l != nil && l != b.n {
			name = l.Name()
		}
		r.Fail(&queue.NotLeader{Node: name}, 0)
		return
	}
	switch req := r.Body.(type) {
	case queue.SendRequest:
		b.send(r, &req)
	case queue.ReceiveRequest:
		b.receive(r, req)
	case queue.AckRequest:
		b.heard(req.Consumer)
		b.propose(ack{b.n.Now(), req.Consumer, req.Handles, req.Facts}, r.Action, answer{r: r})
	case queue.ExtendRequest:
		now := b.n.Now()
		b.propose(extend{now, now.Add(req.For), req.Handles}, r.Action, answer{r: r})
	case queue.ReturnRequest:
		b.heard(req.Consumer)
		b.propose(back{b.n.Now(), req.Consumer, req.Handles, req.Reject, req.Drop}, r.Action, answer{r: r})
	case queue.SessionRequest:
		b.session(r, &req)
	default:
		panic(fmt.Sprintf("quorum: %s with a body of type %T", r.Op, r.Body))
	}
}

// propose puts a command into the log. The answer waits until it is applied.
func (b *Node) propose(c raft.Command, act sim.Action, a answer) {
	index := b.raft.Last() + 1
	b.answers[index] = append(b.answers[index], a)
	b.open = append(b.open, index)
	b.own = true
	b.raft.Propose(c, encode(c), act)
	b.own = false
}

// send stores messages that are not repetitions.
func (b *Node) send(r *sim.Request, req *queue.SendRequest) {
	switch {
	case req.Queue == b.cfg.DeadLetters && b.cfg.DeadLetterNodes == "" && req.Queue != "":
		b.sendLetters(r, req)
		return
	case req.Queue != b.cfg.Queue:
		r.Fail(queue.ErrUnknown, 0)
		return
	case req.Delay < 0 || req.Delay > b.cfg.MaxDelay:
		r.Fail(queue.ErrDelay, 0)
		return
	}
	now := max(b.n.Now(), b.machine.now)
	c := put{at: now, visible: now.Add(req.Delay), base: b.end}
	a := answer{r: r, stored: make([]int64, len(req.Messages))}
	after := int64(0) // the command that a repetition waits for
	index := b.raft.Last() + 1
	for i := range req.Messages {
		m := req.Messages[i]
		id := b.id(req, i)
		stored, at, known := b.known(id, now)
		after = max(after, at)
		if known {
			a.stored[i] = stored
			continue
		}
		m.Stored = b.took(&m, b.cfg.Queue, b.end+int64(len(c.messages)), m.Cause)
		a.stored[i] = m.Stored
		c.messages, c.ids = append(c.messages, m), append(c.ids, id)
		if id != "" {
			b.ids[id] = pending{index, m.Stored}
		}
	}
	switch {
	case len(c.messages) > 0:
		b.propose(c, r.Action, a)
	case after > 0:
		b.answers[after] = append(b.answers[after], a)
	default:
		r.Reply(queue.SendReply{Stored: a.stored}, 0)
	}
}

// sendLetters stores messages that a client puts into the queue of dead letters.
func (b *Node) sendLetters(r *sim.Request, req *queue.SendRequest) {
	c := put{letters: true, at: b.n.Now(), base: b.deadEnd}
	a := answer{r: r}
	for i := range req.Messages {
		m := req.Messages[i]
		m.Stored = b.took(&m, b.cfg.DeadLetters, b.deadEnd+int64(i), m.Cause)
		a.stored = append(a.stored, m.Stored)
		c.messages, c.ids = append(c.messages, m), append(c.ids, "")
	}
	b.propose(c, r.Action, a)
}

// took states that the leader takes a message into its log.
func (b *Node) took(m *model.Message, name string, position, cause int64) int64 {
	return b.n.Record(history.Fact{Kind: history.KindAppended, Event: m.Event, Stage: m.Stage, Key: m.Key, Cause: cause,
		Resource: model.PartitionName(name, 0), Offset: position, Fence: b.raft.Term()})
}

// id by which a message is recognised, "" = it is not.
func (b *Node) id(req *queue.SendRequest, i int) string {
	switch {
	case b.cfg.DedupWindow == 0:
		return ""
	case i < len(req.Dedup) && req.Dedup[i] != "":
		return req.Dedup[i]
	case b.cfg.DedupByBody:
		return "body " + req.Messages[i].Payload
	}
	return ""
}

// known is the fact of an earlier message with that id, and the index of the command that brings it if it is not applied.
func (b *Node) known(id string, now sim.Time) (stored, index int64, ok bool) {
	if id == "" {
		return 0, 0, false
	}
	if p, ok := b.ids[id]; ok {
		return p.stored, p.index, true
	}
	stored, ok = b.machine.shelf.Known(id, now)
	return stored, 0, ok
}
