package servers

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// store takes messages in. It is answered when two servers have them: with one alone they could stay away for as long as
// that one does.
func (s *Server) store(r *sim.Request, req *queue.SendRequest) {
	letters := req.Queue == s.cfg.DeadLetters && req.Queue != ""
	switch {
	case req.Queue != s.cfg.Queue && !letters:
		r.Fail(queue.ErrUnknown, 0)
		return
	case req.Delay < 0 || req.Delay > s.cfg.MaxDelay:
		r.Fail(queue.ErrDelay, 0)
		return
	}
	now := s.n.Now()
	stored := make([]int64, len(req.Messages))
	for i := range req.Messages {
		o := op{kind: opPut, place: placeOf(s.self, s.next), at: now, until: now.Add(req.Delay), message: req.Messages[i]}
		if letters {
			o.kind, o.place = opLetter, placeOf(s.self, s.nextDead)
		}
		stored[i] = s.took(&o, req.Queue, req.Messages[i].Cause)
		if letters {
			s.nextDead++
		} else {
			s.next++
		}
		if s.do(o, r.Action); !s.alive() {
			return
		}
		s.fresh = append(s.fresh, fresh{int64(len(s.own)), o})
	}
	s.reply(waiting{r: r, copied: true, body: queue.SendReply{Stored: stored}, fact: stored[0]})
}

// took states that this server takes a message in.
func (s *Server) took(o *op, name string, cause int64) int64 {
	m := &o.message
	m.Stored = s.n.Record(history.Fact{Kind: history.KindAppended, Event: m.Event, Stage: m.Stage, Key: m.Key, Cause: cause,
		Resource: model.PartitionName(name, s.self), Offset: o.position(), Fence: -1})
	return m.Stored
}

// reply answers a request once all that was done by now is durable.
func (s *Server) reply(a waiting) {
	a.upTo = int64(len(s.own))
	s.waiting = append(s.waiting, a)
	if s.durable < a.upTo {
		s.sync(a.r.Action)
		return
	}
	s.answer()
}

// answer answers whoever waits no more.
func (s *Server) answer() {
	second := int64(-1)
	for i := range s.told {
		if i != s.self {
			second = max(second, s.told[i].knows)
		}
	}
	var due []waiting
	kept := s.waiting[:0]
	for _, a := range s.waiting {
		if a.upTo <= s.durable && (!a.copied || a.upTo <= second) {
			due = append(due, a)
		} else {
			kept = append(kept, a)
		}
	}
	s.waiting = kept
	for _, a := range due {
		if a.r.Applied(); a.r.Alive() {
			a.r.Reply(a.body, a.fact)
		}
	}
}

// receive waits for messages, in the order of polls.
func (s *Server) receive(r *sim.Request, req queue.ReceiveRequest) {
	switch {
	case req.Queue != s.cfg.Queue:
		r.Fail(queue.ErrUnknown, 0)
		return
	case s.cfg.InFlightError && req.Wait == 0 && s.shelf.Full():
		r.Fail(queue.ErrOverLimit, 0)
		return
	}
	r.KeepOpen()
	p := &poll{r: r, req: req}
	p.timer = s.n.AfterBackground(req.Wait, func() {
		if i := slices.Index(s.parked, p); i >= 0 {
			s.parked = slices.Delete(s.parked, i, i+1)
			r.Reply(queue.ReceiveReply{}, 0)
		}
	})
	s.parked = append(s.parked, p)
	s.serve()
}

// serve gives messages to the polls that wait.
func (s *Server) serve() {
	now := s.n.Now()
	for len(s.parked) > 0 && s.Serves() && s.shelf.Available(now) {
		p := s.parked[0]
		visibility := p.req.Visibility
		if visibility == 0 {
			visibility = s.cfg.Visibility
		}
		s.expire(now)
		items := s.shelf.Take(p.req.Consumer, p.req.Max, visibility, now)
		s.moveAll(s.shelf.Over())
		if !s.alive() {
			return
		}
		if len(items) == 0 {
			continue
		}
		s.parked = s.parked[1:]
		s.n.Cancel(p.timer)
		s.hand(p, items, now.Add(visibility))
		if !s.alive() {
			return
		}
	}
	s.watch()
}

// hand answers a poll. The others hear of it afterwards.
func (s *Server) hand(p *poll, items []*shelf.Item, until sim.Time) {
	reply := queue.ReceiveReply{Messages: make([]model.Message, len(items)), Receives: make([]int64, len(items)), At: int64(s.n.World().Now())}
	for i, it := range items {
		reply.Messages[i], reply.Receives[i] = it.Message, int64(it.Receives)
		reply.Messages[i].Handle = queue.Handle(it.Place, int64(it.Receives))
		s.hide(it, until, p.r.Action)
		if !s.alive() {
			return
		}
	}
	if s.sync(p.r.Action); p.r.Alive() {
		if p.r.Applied(); p.r.Alive() {
			p.r.ReplyForeground(reply, 0)
		}
	}
}

// hide notes what the shelf knows already, for the others.
func (s *Server) hide(it *shelf.Item, until sim.Time, act sim.Action) {
	s.have[s.self]++
	s.do(op{kind: opHide, place: it.Place, at: s.n.Now(), until: until, receives: it.Receives}, act)
}

// watch waits for the next message that comes back, while somebody waits for one.
func (s *Server) watch() {
	next, ok := s.shelf.Next()
	if !ok || len(s.parked) == 0 || next <= s.n.Now() || s.wakeAt != 0 && s.wakeAt <= next {
		return
	}
	s.n.Cancel(s.wake)
	s.wakeAt = next
	s.wake = s.n.AfterBackground(next.Sub(s.n.Now()), func() {
		s.wakeAt = 0
		s.serve()
	})
}

// ack takes messages out. It is answered when this server has that durably; the others are told, and one that does not hear
// of it may hand the message out again.
func (s *Server) ack(r *sim.Request, req *queue.AckRequest) {
	reply := queue.AckReply{Errors: make([]error, len(req.Handles))}
	for i, h := range req.Handles {
		it, answer := s.shelf.Ack(h, req.Consumer, s.n.Now())
		if answer == shelf.Refused {
			reply.Errors[i] = queue.ErrHandle
		}
		if answer != shelf.Settled {
			continue
		}
		if s.remove(it, r.Action); !s.alive() {
			return
		}
		s.settled(it, "acked", req.Facts[i])
	}
	s.reply(waiting{r: r, body: reply})
}

func (s *Server) remove(it *shelf.Item, act sim.Action) {
	o := op{kind: opGone, place: it.Place, at: s.n.Now()}
	if s.do(o, act); s.alive() {
		s.learn(&o, s.self)
	}
}

// rehide changes how long messages stay hidden under their present receive, or gives them up.
func (s *Server) rehide(r *sim.Request, handles []int64, until sim.Time, giveUp bool) {
	reply := queue.AckReply{Errors: make([]error, len(handles))}
	now := s.n.Now()
	for i, h := range handles {
		place, _ := queue.Place(h)
		ok := false
		if giveUp {
			ok = s.shelf.Return(h, "", true, true, now)
		} else if ok = s.shelf.Extend(h, "", until, now); ok {
			s.hide(s.shelf.Item(place), until, r.Action)
		}
		if !ok {
			reply.Errors[i] = queue.ErrHandle
		}
		if !s.alive() {
			return
		}
	}
	if s.moveAll(s.shelf.Over()); s.alive() {
		s.reply(waiting{r: r, body: reply})
	}
	if s.alive() {
		s.serve()
	}
}

// expire takes out what has outlived its retention.
func (s *Server) expire(now sim.Time) {
	for _, it := range s.shelf.Expired(now) {
		s.have[s.self]++
		if s.do(op{kind: opGone, place: it.Place, at: now}, sim.Action{}); !s.alive() {
			return
		}
		s.settled(it, "expired", it.Message.Stored)
		s.sync(sim.Action{})
	}
}

// moveAll has messages that were received too often leave for the dead letters.
func (s *Server) moveAll(over []*shelf.Item) {
	for _, it := range over {
		how := "dropped"
		if s.cfg.Redrives() {
			how = "dead-lettered"
			if s.letter(it); !s.alive() {
				return
			}
		}
		if s.remove(it, sim.Action{}); !s.alive() {
			return
		}
		s.settled(it, how, it.Message.Stored)
		s.sync(sim.Action{})
	}
}

func (s *Server) letter(it *shelf.Item) {
	m := it.Message
	m.Headers = model.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Attempts: int(it.Receives), At: s.n.Wall(), Reason: "received too often"}.Header()
	o := op{kind: opLetter, place: placeOf(s.self, s.nextDead), at: it.Sent, message: m} // it keeps its time of sending
	stored := s.took(&o, s.cfg.DeadLetters, it.Message.Stored)
	if s.do(o, sim.Action{}); !s.alive() {
		return
	}
	s.learn(&o, s.self)
	s.later(history.Fact{Kind: history.KindParked, Event: m.Event, Stage: m.Stage, Key: m.Key, Resource: s.cfg.DeadLetters, Cause: stored, Fence: -1, Offset: -1,
		Note: "received too often"})
}
