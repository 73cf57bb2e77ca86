package shelf

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/sim"
)

// Shelf is what one queue holds, as one node knows it. It is a pure function of the calls of its methods: replicas that
// make the same calls hold the same.
type Shelf struct {
	cfg      *queue.Config
	items    map[int64]*Item   // by place; looked up only
	groups   map[string]*group // by key; looked up only
	holders  []*holder         // connections, in order of their beginning
	ready    heap              // by place: of a FIFO queue the head of each group that is not blocked
	hidden   heap              // by when they come back
	over     []*Item           // that exceeded the limit since Over was asked
	ids      map[string]sent   // looked up only
	idOrder  []sent            // oldest first
	oldest   int64             // no message lies before this place
	end      int64             // after the highest place
	inFlight int
	readies  int
	spents   int
	takes    int64 // calls of Take
	taking   bool  // inside of one
}

// Item is one message on the shelf.
type Item struct {
	Message  model.Message // Topic, Partition, Offset and Stored say which record it is
	Place    int64
	Sent     sim.Time
	Receives int32
	Failures int32 // deliveries that failed, as RabbitMQ counts them

	state  state
	until  sim.Time // while it is hidden
	holder *holder  // of one that a connection has
	group  *group
}

// state of a message.
//
//	ready   may be received; in a FIFO queue also one that waits behind others of its group
//	hidden  received, or delayed: comes back at its time, or with the end of its connection
//	spent   was delivered for the last time and stays (JetStream)
//	over    exceeded the limit, and waits for whoever moves it
//	skipped nobody will ever be given it: a published defect
type state uint8

const (
	ready state = iota
	hidden
	spent
	over
	skipped
)

// String names the state.
func (s state) String() string {
	return [...]string{"ready", "hidden", "spent", "over", "skipped"}[s]
}

// group are the messages of one key of a FIFO queue.
type group struct {
	waiting []int64 // places of those that are ready, ascending
	hidden  int
	batch   int64 // the call of Take that hid them
}

// holder is one connection.
type holder struct {
	name string
	has  []int64 // places, in the order in which it got them
}

// sent is a known id.
type sent struct {
	id     string
	stored int64
	at     sim.Time
}

// New makes an empty shelf.
func New(cfg *queue.Config) *Shelf {
	return &Shelf{cfg: cfg, items: map[int64]*Item{}, groups: map[string]*group{}, ids: map[string]sent{}}
}

// Put adds a message at a place that is free; with a delay it is hidden until then.
func (s *Shelf) Put(m model.Message, place int64, sentAt sim.Time, visible sim.Time, now sim.Time) *Item {
	if s.items[place] != nil {
		panic("shelf: two messages at one place")
	}
	it := &Item{Message: m, Place: place, Sent: sentAt}
	s.readies++
	s.items[place] = it
	s.end = max(s.end, place+1)
	s.oldest = min(s.oldest, place)
	if s.cfg.Groups {
		it.group = s.groups[m.Key]
		if it.group == nil {
			it.group = &group{}
			s.groups[m.Key] = it.group
		}
	}
	if visible > now {
		s.become(it, hidden)
		s.hideUntil(it, visible)
		s.hid(it)
		return it
	}
	s.show(it)
	return it
}

// Known is the fact of the first send with that id inside the window; ok is false if there is none.
func (s *Shelf) Known(id string, now sim.Time) (stored int64, ok bool) {
	for len(s.idOrder) > 0 && s.idOrder[0].at.Add(s.cfg.DedupWindow) <= now {
		if first := s.idOrder[0]; s.ids[first.id].at == first.at {
			delete(s.ids, first.id)
		}
		s.idOrder = s.idOrder[1:]
	}
	k, ok := s.ids[id]
	return k.stored, ok
}

// Note keeps an id of which nothing is known. It is kept although its message may leave.
func (s *Shelf) Note(id string, stored int64, now sim.Time) {
	k := sent{id, stored, now}
	s.ids[id] = k
	s.idOrder = append(s.idOrder, k)
}

// Take hides up to most messages for a consumer and counts the receive, the oldest first. Of a group of a FIFO queue it may
// take several, in order, if none was hidden before.
func (s *Shelf) Take(consumer string, most int, visibility sim.Duration, now sim.Time) []*Item {
	s.Wake(now)
	s.takes++
	s.taking = true
	defer func() { s.taking = false }()
	if s.cfg.SingleActive && (len(s.holders) == 0 || s.holders[0].name != consumer) {
		return nil
	}
	var taken []*Item
	for len(taken) < most && !s.Full() && len(s.ready) > 0 {
		it := s.items[s.ready.pop().place]
		if it == nil || it.state != ready || !s.free(it) {
			continue
		}
		if s.cfg.Limit == queue.AtReceive && s.cfg.Redrives() && s.cfg.MaxReceives > 0 && int(it.Receives) >= s.cfg.MaxReceives {
			s.exceed(it)
			continue
		}
		s.hide(it, consumer, now.Add(visibility))
		taken = append(taken, it)
	}
	return taken
}

// Full says whether no more messages may be hidden.
func (s *Shelf) Full() bool { return s.cfg.MaxInFlight > 0 && s.inFlight >= s.cfg.MaxInFlight }

// Available says whether Take may find a message, or one that exceeds the limit. It changes nothing.
func (s *Shelf) Available(now sim.Time) bool {
	if next, ok := s.Next(); ok && next <= now {
		return true
	}
	for !s.Full() && len(s.ready) > 0 {
		it := s.items[s.ready[0].place]
		if it != nil && it.state == ready && s.free(it) {
			return true
		}
		s.ready.pop() // out of date
	}
	return false
}

// free says whether a message's group is not blocked by others. That it is the head of its group needs no look: what was
// offered later lies behind it.
func (s *Shelf) free(it *Item) bool {
	g := it.group
	return g == nil || g.hidden == 0 || s.taking && g.batch == s.takes
}

// become is the only way from state to state.
func (s *Shelf) become(it *Item, to state) {
	s.count(it, -1)
	it.state = to
	s.count(it, 1)
}

// count counts a message, or no longer does. One that is hidden because it was delayed is in nobody's flight.
func (s *Shelf) count(it *Item, by int) {
	switch {
	case it.state == ready:
		s.readies += by
	case it.state == spent:
		s.spents += by
	case it.state == hidden && it.Receives > 0:
		s.inFlight += by
	}
}

// hide is a receive.
func (s *Shelf) hide(it *Item, consumer string, until sim.Time) {
	s.leaveGroup(it)
	it.Receives++
	s.become(it, hidden)
	if s.cfg.Connected {
		it.holder = s.connection(consumer)
		it.holder.has = append(it.holder.has, it.Place)
	}
	s.hideUntil(it, until)
	s.hid(it)
}

func (s *Shelf) hideUntil(it *Item, until sim.Time) {
	it.until = until
	s.hidden.push(entry{int64(until), it.Place, it.Receives})
}

// hid tells the group of a message that it has become hidden. What is next in its group may be taken by the same call.
func (s *Shelf) hid(it *Item) {
	if g := it.group; g != nil {
		g.hidden++
		g.batch = s.takes
		s.offer(g)
	}
}

// leaveGroup takes a message that is ready out of the line of its group.
func (s *Shelf) leaveGroup(it *Item) {
	if g := it.group; g != nil && it.state == ready {
		if i, found := slices.BinarySearch(g.waiting, it.Place); found {
			g.waiting = slices.Delete(g.waiting, i, i+1)
		}
	}
}

// offer puts the head of a group where Take looks; see free.
func (s *Shelf) offer(g *group) {
	if len(g.waiting) > 0 {
		s.ready.push(entry{place: g.waiting[0]})
	}
}

// show makes a message receivable.
func (s *Shelf) show(it *Item) {
	s.become(it, ready)
	g := it.group
	if g == nil {
		s.ready.push(entry{place: it.Place})
		return
	}
	i, _ := slices.BinarySearch(g.waiting, it.Place)
	g.waiting = slices.Insert(g.waiting, i, it.Place)
	if g.hidden == 0 {
		s.offer(g)
	}
}

// unhide ends that a message is hidden; it is ready, and nobody has been told.
func (s *Shelf) unhide(it *Item) {
	if it.state != hidden {
		panic("shelf: a message that is not hidden comes back")
	}
	s.become(it, ready)
	if h := it.holder; h != nil {
		h.has = slices.DeleteFunc(h.has, func(p int64) bool { return p == it.Place })
		it.holder = nil
	}
	if g := it.group; g != nil {
		if g.hidden--; g.hidden == 0 {
			s.offer(g)
		}
	}
}

// Wake shows what has been hidden long enough.
func (s *Shelf) Wake(now sim.Time) {
	for len(s.hidden) > 0 && s.hidden[0].at <= int64(now) {
		e := s.hidden.pop()
		if it := s.items[e.place]; it != nil && it.state == hidden && it.Receives == e.receives && int64(it.until) == e.at {
			s.back(it, it.Receives > 0)
		}
	}
}

// Next is when the next hidden message comes back; ok is false if there is none.
func (s *Shelf) Next() (at sim.Time, ok bool) {
	for len(s.hidden) > 0 {
		e := s.hidden[0]
		if it := s.items[e.place]; it != nil && it.state == hidden && it.Receives == e.receives && int64(it.until) == e.at {
			return it.until, true
		}
		s.hidden.pop()
	}
	return 0, false
}

// back returns a message that was hidden; failed is a delivery that counts.
func (s *Shelf) back(it *Item, failed bool) {
	s.unhide(it)
	limit := s.cfg.MaxReceives
	if failed {
		it.Failures++
	}
	switch {
	case limit > 0 && s.cfg.Limit == queue.AtReturn && int(it.Failures) > limit:
		s.exceed(it)
	case limit > 0 && s.cfg.Limit == queue.Stays && int(it.Receives) >= limit:
		s.become(it, spent)
	default:
		s.show(it)
	}
}

// exceed sets a message aside for who moves it.
func (s *Shelf) exceed(it *Item) {
	s.leaveGroup(it)
	s.become(it, over)
	s.over = append(s.over, it)
	if g := it.group; g != nil && g.hidden == 0 {
		s.offer(g)
	}
}

// Over are the messages that have exceeded the limit since it was asked last. They stay until they are removed.
func (s *Shelf) Over() []*Item {
	list := s.over
	s.over = nil
	return list
}
