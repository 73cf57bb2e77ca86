package quorum

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/raft"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Decode reads a command back from the disk.
func (b *Node) Decode(raw string) raft.Command { return decode(raw) }

// Appended states what a follower took from its leader; what the leader takes it has stated before, because the record
// carries the fact's id.
func (b *Node) Appended(_ int64, e *raft.Entry) {
	b.grow(e)
	c, ok := e.Command.(put)
	if !ok || b.own {
		return
	}
	name := b.cfg.Queue
	if c.letters {
		name = b.cfg.DeadLetters
	}
	for i := range c.messages {
		b.n.Record(history.Fact{Kind: history.KindReplicated, Event: c.messages[i].Event, Resource: model.PartitionName(name, 0), Offset: c.base + int64(i),
			Fence: e.Term, Cause: c.messages[i].Stored})
	}
}

func (b *Node) resource() string { return model.PartitionName(b.cfg.Queue, 0) }

// Cut states what a member no longer holds. If it had applied some of that, Raft's promise is broken, which only a loss of
// what had counted can do. The state then is made anew from the log that remains, or stays as it is: see
// queue.Config.KeepApplied.
func (b *Node) Cut(from int64, gone []raft.Entry, applied bool) {
	first := int64(-1)
	for i := range gone {
		if c, ok := gone[i].Command.(put); ok && !c.letters && first < 0 {
			first = c.base
		}
	}
	b.ends()
	if applied {
		b.stated.index = min(b.stated.index, from-1)
	}
	if first >= 0 {
		b.n.Record(history.Fact{Kind: history.KindTruncated, Resource: b.resource(), Offset: first, Fence: b.raft.Term()})
	}
	if !applied {
		return
	}
	if b.cfg.SyncEvery == 0 {
		panic("quorum: a committed command was lost although it was fsynced by a majority")
	}
	if b.cfg.KeepApplied {
		return
	}
	b.machine = newMachine(b.cfg)
	for i := int64(1); i < from; i++ {
		if c := b.raft.Entry(i).Command; c != nil {
			b.machine.apply(c)
		}
	}
}

// Elected states a new leader.
func (b *Node) Elected(term int64) {
	b.forget()
	b.n.Record(history.Fact{Kind: history.KindElected, Resource: b.resource(), Fence: term, Offset: b.end})
}

// Deposed leaves everybody who waits in doubt: the next leader may have what they asked for.
func (b *Node) Deposed() {
	open, answers, parked := b.open, b.answers, b.parked
	for _, s := range b.sessions {
		b.n.Cancel(s.timer)
	}
	b.n.Cancel(b.wake)
	b.forget()
	for _, p := range parked {
		b.n.Cancel(p.timer)
		p.done = true
		p.r.Fail(&queue.NotLeader{}, 0)
		if !b.alive() {
			return
		}
	}
	for _, index := range open {
		for _, a := range answers[index] {
			b.doubt(a)
			if !b.alive() {
				return
			}
		}
	}
}

func (b *Node) doubt(a answer) {
	switch {
	case a.poll != nil && !a.poll.done:
		a.poll.done = true
		b.n.Cancel(a.poll.timer)
		a.poll.r.Fail(queue.ErrUncertain, 0)
	case a.r != nil:
		a.r.Fail(queue.ErrUncertain, 0)
	}
}

// Apply is one committed command.
func (b *Node) Apply(index int64, e *raft.Entry) {
	var done effect
	if e.Command != nil {
		done = b.machine.apply(e.Command)
	}
	answers := b.answers[index]
	delete(b.answers, index)
	if len(b.open) > 0 && b.open[0] == index {
		b.open = b.open[1:]
	}
	if b.raft.Leader() != b.n {
		return
	}
	b.pass(e)
	if index > b.stated.index {
		b.stated.index = index
		b.state(e, &done)
	}
	for _, a := range answers {
		b.answer(a, &done)
		if !b.alive() {
			return
		}
	}
	if e.Command == nil && b.raft.Leads() {
		b.takeOver()
	} else {
		b.moveAll(done.over)
	}
	if b.alive() {
		b.serve()
	}
}

// pass is what a leader no longer has to keep in mind.
func (b *Node) pass(e *raft.Entry) {
	switch c := e.Command.(type) {
	case put:
		for i := range c.ids {
			delete(b.ids, c.ids[i])
		}
	case move:
		b.moving = slices.DeleteFunc(b.moving, func(p int64) bool { return p == c.place })
	}
}

// state records what a command did, once.
func (b *Node) state(e *raft.Entry, done *effect) {
	for _, it := range done.put {
		if b.cfg.Parks {
			b.parkedAt(b.cfg.Queue, &it.Message)
		}
	}
	for _, s := range done.settled {
		b.settled(s.item, "acked", s.fact)
	}
	for _, it := range done.expired {
		b.settled(it, "expired", it.Message.Stored)
	}
	if c, ok := e.Command.(move); ok && done.moved != nil {
		if c.dead != nil {
			b.parkedAt(b.cfg.DeadLetters, c.dead)
		}
		b.settled(done.moved, c.gone, done.moved.Message.Stored)
	}
}

func (b *Node) settled(it *shelf.Item, op string, cause int64) {
	m := &it.Message
	b.n.Record(history.Fact{Kind: history.KindSettled, Event: m.Event, Stage: m.Stage, Key: m.Key, Resource: b.resource(), Offset: m.Offset, Op: op,
		Cause: cause, Fence: -1})
}

func (b *Node) parkedAt(queue string, m *model.Message) {
	b.n.Record(history.Fact{Kind: history.KindParked, Event: m.Event, Stage: m.Stage, Key: m.Key, Resource: queue, Cause: m.Stored, Fence: -1, Offset: -1,
		Note: "received too often"})
}

// answer tells whoever asked for a command.
func (b *Node) answer(a answer, done *effect) {
	if a.poll != nil {
		b.filled(a.poll, done.items)
		return
	}
	if a.r == nil || !a.r.Alive() {
		return
	}
	a.r.Applied()
	if !a.r.Alive() {
		return
	}
	if a.stored != nil {
		a.r.Reply(queue.SendReply{Stored: a.stored}, a.stored[0])
		return
	}
	a.r.Reply(queue.AckReply{Errors: done.errors}, 0)
}

// Committed states how far readers may see.
func (b *Node) Committed(int64) {
	if b.machine.taken <= b.stated.high {
		return
	}
	b.stated.high = b.machine.taken
	b.n.Record(history.Fact{Kind: history.KindWatermark, Resource: b.resource(), Op: "high", Offset: b.stated.high, Fence: b.raft.Term()})
}

// takeOver is what a leader begins with when it has applied all that was committed before: connections that it has not
// heard from yet, and messages that are to be moved.
func (b *Node) takeOver() {
	for _, name := range b.machine.shelf.Connections() {
		if b.cfg.Connected && !slices.ContainsFunc(b.sessions, func(s *session) bool { return s.name == name }) {
			s := &session{name: name}
			b.sessions = append(b.sessions, s)
			b.watchSession(s)
		}
	}
	b.moveAll(b.machine.shelf.Exceeded())
}

// moveAll has messages that exceeded the limit leave.
func (b *Node) moveAll(over []*shelf.Item) {
	for _, it := range over {
		if slices.Contains(b.moving, it.Place) {
			continue
		}
		b.moving = append(b.moving, it.Place)
		switch {
		case !b.cfg.Redrives():
			b.propose(move{at: b.n.Now(), place: it.Place, gone: "dropped"}, sim.Action{}, answer{})
		case b.cfg.DeadLetterNodes == "":
			b.moveHere(it)
		default:
			b.moveThere(it)
		}
		if !b.alive() {
			return
		}
	}
}

// moveHere is one command that takes a message out of one queue and puts it into the other.
func (b *Node) moveHere(it *shelf.Item) {
	letter := it.Message
	letter.Headers = b.origin(it)
	letter.Stored = b.took(&letter, b.cfg.DeadLetters, b.deadEnd, it.Message.Stored)
	b.propose(move{at: b.n.Now(), place: it.Place, base: b.deadEnd, dead: &letter, gone: "dead-lettered"}, sim.Action{}, answer{})
}

func (b *Node) origin(it *shelf.Item) string {
	m := &it.Message
	return model.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Attempts: int(it.Receives), At: b.n.Wall(), Reason: "received too often"}.Header()
}

// moveThere publishes a message to the other queue. At most once: it leaves as soon as it is on its way, and if nobody is
// there to take it, it is gone (RabbitMQ's default strategy). At least once: it leaves when the other queue has confirmed it.
func (b *Node) moveThere(it *shelf.Item) {
	letter := it.Message
	letter.Headers, letter.Cause = b.origin(it), it.Message.Stored
	req := queue.SendRequest{Queue: b.cfg.DeadLetters, Messages: []model.Message{letter}}
	b.publish(req, it.Place, b.letterNode("", nil), letterHops)
	if b.alive() && !b.cfg.DeadLetterConfirmed {
		b.propose(move{at: b.n.Now(), place: it.Place, gone: "dead-lettered"}, sim.Action{}, answer{})
	}
}

// publish asks a node of the other queue to take a message; one that says who leads is believed, and one that certainly did
// not take it passed over. What nobody took is tried again only where that is asked for, and by who leads still.
func (b *Node) publish(req queue.SendRequest, place int64, to *sim.Node, hops int) {
	w := b.n.World()
	act := w.Act(req.Messages[0].Event, "", "dead-letter")
	term := b.raft.Term()
	b.n.Call(to, w.Op(b.cfg.DeadLetterNodes+"."+queue.OpSend), act, req, req.Messages[0].Cause, b.cfg.DeadLetterRetry, func(_ any, _ int64, err error) {
		var other *queue.NotLeader
		switch {
		case b.raft.Term() != term || !b.raft.Leads():
		case err == nil && b.cfg.DeadLetterConfirmed:
			b.propose(move{at: b.n.Now(), place: place, gone: "dead-lettered"}, sim.Action{}, answer{})
		case err == nil:
		case errors.As(err, &other) && hops > 0:
			b.publish(req, place, b.letterNode(other.Node, to), hops-1)
		case queue.Definite(err) && hops > 0:
			b.publish(req, place, b.letterNode("", to), hops-1)
		case b.cfg.DeadLetterConfirmed:
			b.n.After(b.cfg.DeadLetterRetry, func() {
				if b.raft.Term() == term && b.raft.Leads() {
					b.publish(req, place, b.letterNode("", to), letterHops)
				}
			})
		}
	})
}

// letterHops is how often a message is sent on to who is said to lead, or to the next node.
const letterHops = 4

// letterNode is the node of a name, or the one behind the last that was asked.
func (b *Node) letterNode(name string, last *sim.Node) *sim.Node {
	if n := b.n.World().Node(name); n != nil {
		return n
	}
	nodes := b.n.World().Nodes(b.cfg.DeadLetterNodes)
	return nodes[(slices.Index(nodes, last)+1)%len(nodes)]
}
