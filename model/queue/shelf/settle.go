package shelf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/sim"
)

// Answer is what became of an ack.
type Answer uint8

// Settled: the message is to be taken out. Ignored: accepted, and nothing happened. Refused: ErrHandle.
const (
	Settled Answer = iota
	Ignored
	Refused
)

// Ack says what an ack under a handle does, by a connection if messages are connections'. It changes nothing: whoever asks
// removes what is settled. A message that is gone was acknowledged before: a repetition, which is ignored.
func (s *Shelf) Ack(handle int64, consumer string, now sim.Time) (*Item, Answer) {
	place, receives := queue.Place(handle)
	it := s.items[place]
	switch {
	case it == nil:
		return nil, Ignored
	case s.cfg.Late == queue.LateAccepted, s.present(it, receives, consumer, now):
		return it, Settled
	case s.cfg.Late == queue.LateRefused:
		return it, Refused
	case int64(it.Receives) == receives && it.state != over: // its time has passed, and nobody has received it since
		return it, Settled
	}
	return it, Ignored
}

// has says whether whoever bears a handle may say how long a message stays hidden: the present receive; where late acks are
// accepted any, as long as somebody has it.
func (s *Shelf) has(it *Item, receives int64, consumer string, now sim.Time) bool {
	if s.cfg.Late == queue.LateAccepted {
		return it.state == hidden && it.Receives > 0 && now < it.until
	}
	return s.present(it, receives, consumer, now)
}

// present says whether a handle is that of the receive under which a message is hidden now.
func (s *Shelf) present(it *Item, receives int64, consumer string, now sim.Time) bool {
	if it.state != hidden || int64(it.Receives) != receives || now >= it.until {
		return false
	}
	return !s.cfg.Connected || it.holder != nil && it.holder.name == consumer
}

// Item at a place; nil = none.
func (s *Shelf) Item(place int64) *Item { return s.items[place] }

// Remove takes a message out.
func (s *Shelf) Remove(it *Item) {
	if s.items[it.Place] != it {
		panic("shelf: a message that is not there is removed")
	}
	switch it.state {
	case hidden:
		s.unhide(it)
	case ready:
		s.leaveGroup(it)
		if g := it.group; g != nil && g.hidden == 0 {
			s.offer(g)
		}
	}
	s.count(it, -1)
	delete(s.items, it.Place)
	if g := it.group; g != nil && g.hidden == 0 && len(g.waiting) == 0 && s.groups[it.Message.Key] == g {
		delete(s.groups, it.Message.Key)
		it.group = nil
	}
}

// Extend hides a message under its present receive until another time; false if the handle may not say so.
func (s *Shelf) Extend(handle int64, consumer string, until, now sim.Time) bool {
	place, receives := queue.Place(handle)
	it := s.items[place]
	if it == nil || !s.has(it, receives, consumer, now) {
		return false
	}
	if until <= now {
		s.back(it, false)
		return true
	}
	s.hideUntil(it, until)
	return true
}

// Return gives a message back under its present receive; failed counts it as a delivery that failed, give it up sets it
// aside at once. It is false if the handle may not say so.
func (s *Shelf) Return(handle int64, consumer string, failed, giveUp bool, now sim.Time) bool {
	place, receives := queue.Place(handle)
	it := s.items[place]
	if it == nil || !s.has(it, receives, consumer, now) {
		return false
	}
	if giveUp {
		s.unhide(it)
		s.exceed(it)
		return true
	}
	s.back(it, failed)
	return true
}

// Connection says whether a connection is known.
func (s *Shelf) Connection(consumer string) bool {
	return slices.ContainsFunc(s.holders, func(h *holder) bool { return h.name == consumer })
}

// Connections are the names of those that are known, in the order of their beginning.
func (s *Shelf) Connections() []string {
	names := make([]string, len(s.holders))
	for i, h := range s.holders {
		names[i] = h.name
	}
	return names
}

// Connect makes a connection known. Again it changes nothing.
func (s *Shelf) Connect(consumer string) { s.connection(consumer) }

func (s *Shelf) connection(consumer string) *holder {
	for _, h := range s.holders {
		if h.name == consumer {
			return h
		}
	}
	h := &holder{name: consumer}
	s.holders = append(s.holders, h)
	return h
}

// Disconnect ends a connection: what it has comes back, each a delivery that failed. With skip it does not, and nobody is
// given it any more: see model.SkipsUnacknowledged.
func (s *Shelf) Disconnect(consumer string, skip bool) {
	i := slices.IndexFunc(s.holders, func(h *holder) bool { return h.name == consumer })
	if i < 0 {
		return
	}
	has := slices.Clone(s.holders[i].has)
	s.holders = slices.Delete(s.holders, i, i+1)
	for _, place := range has {
		it := s.items[place]
		if skip {
			s.unhide(it)
			s.become(it, skipped)
			continue
		}
		s.back(it, true)
	}
}

// Expired removes and returns what has outlived its retention, whoever has it.
func (s *Shelf) Expired(now sim.Time) []*Item {
	if s.cfg.Retention == 0 {
		return nil
	}
	var gone []*Item
	for ; s.oldest < s.end; s.oldest++ {
		it := s.items[s.oldest]
		if it == nil {
			continue
		}
		if it.Sent.Add(s.cfg.Retention) > now {
			break
		}
		s.Remove(it)
		gone = append(gone, it)
	}
	return gone
}

// Mark takes over what another node says of a message: it was received so often, and is hidden until then. A larger count
// wins, of equal ones the later word.
func (s *Shelf) Mark(place int64, receives int32, until, now sim.Time) {
	it := s.items[place]
	if it == nil || it.state == over || receives < it.Receives {
		return
	}
	s.count(it, -1)
	it.Receives = receives
	s.count(it, 1)
	if it.state == ready && until > now {
		s.leaveGroup(it)
		s.become(it, hidden)
		s.hid(it)
	}
	if it.state == hidden {
		s.hideUntil(it, until)
		s.Wake(now)
	}
}

// End is the place after the highest that was ever taken.
func (s *Shelf) End() int64 { return s.end }

// Len is how many messages there are, Waiting how many of them somebody will yet be given, Ready how many may be received.
func (s *Shelf) Len() int { return len(s.items) }

// Waiting is Len without those that were delivered for the last time.
func (s *Shelf) Waiting() int { return len(s.items) - s.spents }

// Ready counts also those that wait behind others of their group.
func (s *Shelf) Ready() int { return s.readies }

// InFlight is how many messages are hidden because somebody has received them.
func (s *Shelf) InFlight() int { return s.inFlight }

// Items are all messages, by place.
func (s *Shelf) Items() []*Item {
	list := make([]*Item, 0, len(s.items))
	for place := s.oldest; place < s.end; place++ {
		if it := s.items[place]; it != nil {
			list = append(list, it)
		}
	}
	return list
}

// Exceeded are the messages that wait for whoever moves them, whether or not Over has told of them.
func (s *Shelf) Exceeded() []*Item {
	return slices.DeleteFunc(s.Items(), func(it *Item) bool { return it.state != over })
}

// Parked says whether nobody will be given a message by itself any more.
func (it *Item) Parked() bool { return it.state == spent }

// String shows a shelf: "a ready, b hidden 2× until 31s".
func (s *Shelf) String() string {
	var lines []string
	for _, it := range s.Items() {
		line := it.Message.Event + " " + it.state.String()
		if it.Receives > 0 {
			line += fmt.Sprintf(" received %d×", it.Receives)
		}
		if it.state == hidden {
			line += " until " + it.until.String()
		}
		if it.holder != nil {
			line += " by " + it.holder.name
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return "empty"
	}
	return strings.Join(lines, ", ")
}

// Holder is the connection that has a message; "" = none.
func (it *Item) Holder() string {
	if it.holder == nil {
		return ""
	}
	return it.holder.name
}

// State of a message, for who looks.
func (it *Item) State() fmt.Stringer { return it.state }
