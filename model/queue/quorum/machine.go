package quorum

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/raft"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
)

// machine is what the log says of the queue: a pure function of the commands that were applied. It holds its queue of dead
// letters, too, where that is moved to at once.
type machine struct {
	cfg   *queue.Config
	shelf *shelf.Shelf
	dead  *shelf.Shelf
	now   sim.Time // of the last command: clocks of leaders differ, the state's does not go back
	taken int64    // positions before this have been applied
}

func newMachine(cfg *queue.Config) *machine {
	letters := *cfg
	letters.DeadLetters, letters.Groups, letters.DedupWindow = "", false, 0
	return &machine{cfg: cfg, shelf: shelf.New(cfg), dead: shelf.New(&letters)}
}

// effect is what came of a command, for the leader to say.
type effect struct {
	items   []*shelf.Item // of a take: what was received
	settled []settled     // what left
	errors  []error       // of acks, extensions and returns, by handle
	put     []*shelf.Item // of a put: what came to be there
	over    []*shelf.Item // what is to be moved
	expired []*shelf.Item // outlived its retention
	moved   *shelf.Item   // of a move: what left; nil = it was not there
}

// settled is a message that was taken out by an ack, and the delivery that the ack is of.
type settled struct {
	item *shelf.Item
	fact int64
}

func (m *machine) clock(at sim.Time) sim.Time {
	m.now = max(m.now, at)
	return m.now
}

// apply is the only way in which the state changes.
func (m *machine) apply(c raft.Command) (e effect) {
	switch c := c.(type) {
	case put:
		e.put = m.put(&c)
	case take:
		now := m.clock(c.at)
		e.expired = m.shelf.Expired(now)
		e.items = m.shelf.Take(c.consumer, c.most, c.visibility, now)
	case ack:
		m.ack(&c, &e)
	case extend:
		now := m.clock(c.at)
		for _, h := range c.handles {
			e.errors = append(e.errors, refused(!m.shelf.Extend(h, m.holder(h), c.until, now)))
		}
	case back:
		now := m.clock(c.at)
		for _, h := range c.handles {
			e.errors = append(e.errors, refused(!m.shelf.Return(h, c.consumer, c.failed, c.drop, now)))
		}
	case connect:
		m.shelf.Connect(c.consumer)
	case end:
		m.clock(c.at)
		m.shelf.Disconnect(c.consumer, c.skip)
	case move:
		m.clock(c.at)
		e.moved = m.move(&c)
	}
	e.over = m.shelf.Over()
	return e
}

// put adds messages. One whose place has been taken is there already: JetStream takes a sequence that is not above its last
// for one that it has stored, whatever is stored there (server/jetstream_cluster.go, applyStreamMsgOp).
func (m *machine) put(c *put) (added []*shelf.Item) {
	now := m.clock(c.at)
	if c.letters {
		for i := range c.messages {
			m.letter(c.messages[i], c.base+int64(i))
		}
		return nil
	}
	for i := range c.messages {
		place := c.base + int64(i)
		if place < m.taken {
			if !m.cfg.KeepApplied {
				panic("quorum: two messages at one position")
			}
			continue
		}
		m.taken = place + 1
		msg := c.messages[i]
		msg.Topic, msg.Partition, msg.Offset = m.cfg.Queue, 0, place
		added = append(added, m.shelf.Put(msg, place, now, max(c.visible, now), now))
		if c.ids[i] != "" {
			m.shelf.Note(c.ids[i], c.messages[i].Stored, now)
		}
	}
	return added
}

func (m *machine) ack(c *ack, e *effect) {
	now := m.clock(c.at)
	for i, h := range c.handles {
		it, answer := m.shelf.Ack(h, c.consumer, now)
		e.errors = append(e.errors, refused(answer == shelf.Refused))
		if answer == shelf.Settled {
			m.shelf.Remove(it)
			e.settled = append(e.settled, settled{it, c.facts[i]})
		}
	}
}

// holder is the connection that has a message, "" = none: an extension comes from whoever has the handle.
func (m *machine) holder(handle int64) string {
	place, _ := queue.Place(handle)
	if it := m.shelf.Item(place); it != nil {
		return it.Holder()
	}
	return ""
}

func (m *machine) move(c *move) *shelf.Item {
	it := m.shelf.Item(c.place)
	if it == nil {
		return nil
	}
	m.shelf.Remove(it)
	if c.dead != nil {
		m.letter(*c.dead, c.base)
	}
	return it
}

// letter puts a message into the queue of dead letters.
func (m *machine) letter(msg model.Message, place int64) {
	msg.Topic, msg.Partition, msg.Offset = m.cfg.DeadLetters, 0, place
	m.dead.Put(msg, place, m.now, m.now, m.now)
}

func refused(yes bool) error {
	if yes {
		return queue.ErrHandle
	}
	return nil
}
