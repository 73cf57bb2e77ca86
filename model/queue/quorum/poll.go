package quorum

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
)

// receive waits for messages in the order of polls. Of a consumer whose process ends no poll stays: what it would be given
// would be hidden for nothing.
func (b *Node) receive(r *sim.Request, req queue.ReceiveRequest) {
	switch {
	case req.Queue != b.cfg.Queue:
		r.Fail(queue.ErrUnknown, 0)
		return
	case b.cfg.InFlightError && req.Wait == 0 && b.machine.shelf.Full():
		r.Fail(queue.ErrOverLimit, 0)
		return
	}
	r.KeepOpen()
	b.heard(req.Consumer)
	if !b.alive() {
		return
	}
	p := &poll{r: r, req: req}
	p.timer = b.n.AfterBackground(req.Wait, func() { b.giveUp(p) })
	b.parked = append(b.parked, p)
	b.serve()
}

// giveUp ends a poll that found nothing; one for which a take is under way ends with what that finds.
func (b *Node) giveUp(p *poll) {
	p.late = true
	if i := slices.Index(b.parked, p); i >= 0 {
		b.parked = slices.Delete(b.parked, i, i+1)
		b.finish(p, queue.ReceiveReply{})
	}
}

func (b *Node) finish(p *poll, reply queue.ReceiveReply) {
	if p.done {
		return
	}
	p.done = true
	b.n.Cancel(p.timer)
	if len(reply.Messages) > 0 {
		if p.r.Applied(); p.r.Alive() {
			p.r.ReplyForeground(reply, 0)
		}
		return
	}
	p.r.Reply(reply, 0)
}

// serve takes messages for the polls that wait, as many at once as there may be messages for.
func (b *Node) serve() {
	now := b.n.Now()
	for i := 0; i < len(b.parked) && b.raft.Leads() && b.machine.shelf.Available(now) && len(b.taking) < max(1, b.machine.shelf.Ready()); {
		p := b.parked[i]
		if !b.turn(p) {
			i++
			continue
		}
		b.parked = slices.Delete(b.parked, i, i+1)
		b.taking = append(b.taking, p)
		visibility := p.req.Visibility
		if visibility == 0 {
			visibility = b.cfg.Visibility
		}
		b.propose(take{b.n.Now(), p.req.Consumer, p.req.Max, visibility}, sim.Action{}, answer{poll: p})
		if !b.alive() {
			return
		}
	}
	b.watch()
}

// turn says whether a consumer may be given messages: one whose connection has ended may not, for whose silence would give them
// back?
func (b *Node) turn(p *poll) bool {
	if b.cfg.SingleActive {
		first := b.machine.shelf.Connections()
		return len(first) > 0 && first[0] == p.req.Consumer
	}
	return !b.cfg.Connected || slices.ContainsFunc(b.sessions, func(s *session) bool { return s.name == p.req.Consumer })
}

// watch waits for the next message that comes back, while somebody waits for one.
func (b *Node) watch() {
	next, ok := b.machine.shelf.Next()
	if !ok || len(b.parked) == 0 || !b.raft.Leads() || next <= b.n.Now() {
		return
	}
	if b.wakeAt != 0 && b.wakeAt <= next {
		return
	}
	b.n.Cancel(b.wake)
	b.wakeAt = next
	b.wake = b.n.AfterBackground(next.Sub(b.n.Now()), func() {
		b.wakeAt = 0
		b.serve()
	})
}

// filled hands a poll what a take has got for it. One that got nothing, because others were faster, waits on.
func (b *Node) filled(p *poll, items []*shelf.Item) {
	b.taking = slices.DeleteFunc(b.taking, func(t *poll) bool { return t == p })
	switch {
	case len(items) > 0:
	case p.late, p.done:
		b.finish(p, queue.ReceiveReply{})
		return
	default:
		b.parked = append(b.parked, p)
		return
	}
	reply := queue.ReceiveReply{Messages: make([]model.Message, len(items)), Receives: make([]int64, len(items)), At: int64(b.n.World().Now())}
	for i, it := range items {
		reply.Messages[i], reply.Receives[i] = it.Message, int64(it.Receives)
		reply.Messages[i].Handle = queue.Handle(it.Place, int64(it.Receives))
	}
	b.finish(p, reply)
}

// heard is a sign of life of a consumer whose messages are its connection's.
func (b *Node) heard(consumer string) {
	if !b.cfg.Connected {
		return
	}
	for _, s := range b.sessions {
		if s.name == consumer {
			b.watchSession(s)
			return
		}
	}
	b.begin(consumer)
}

// begin begins a connection, or takes it over from the leader before. That the queue knows it does not say that its end is
// not under way.
func (b *Node) begin(consumer string) {
	s := &session{name: consumer}
	b.sessions = append(b.sessions, s)
	b.watchSession(s)
	b.propose(connect{consumer}, sim.Action{}, answer{})
}

func (b *Node) watchSession(s *session) {
	b.n.Cancel(s.timer)
	s.timer = b.n.AfterBackground(b.cfg.SessionTimeout, func() { b.disconnect(s.name) })
}

func (b *Node) session(r *sim.Request, req *queue.SessionRequest) {
	if req.Close {
		b.disconnect(req.Consumer)
	} else {
		r.KeepOpen()
		b.heard(req.Consumer)
	}
	if b.alive() {
		r.Reply(nil, 0)
	}
}

// disconnect ends a connection.
func (b *Node) disconnect(consumer string) {
	i := slices.IndexFunc(b.sessions, func(s *session) bool { return s.name == consumer })
	if i < 0 || !b.raft.Leads() {
		return
	}
	b.n.Cancel(b.sessions[i].timer)
	b.sessions = slices.Delete(b.sessions, i, i+1)
	skip := b.cfg.Defects.Has(model.SkipsUnacknowledged) && b.cfg.SingleActive && !b.raft.Reaches()
	b.propose(end{b.n.Now(), consumer, skip}, sim.Action{}, answer{})
}

// Closed says that a consumer's process has ended.
func (b *Node) Closed(peer string, incarnation int32) {
	for _, p := range b.taking {
		p.done = p.done || queue.Connects(p.req.Consumer, peer, incarnation)
	}
	b.parked = slices.DeleteFunc(b.parked, func(p *poll) bool {
		if !queue.Connects(p.req.Consumer, peer, incarnation) {
			return false
		}
		p.done = true
		b.n.Cancel(p.timer)
		return true
	})
	for _, s := range slices.Clone(b.sessions) {
		if queue.Connects(s.name, peer, incarnation) && b.alive() {
			b.disconnect(s.name)
		}
	}
}
