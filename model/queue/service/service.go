package service

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/quorum"
	"github.com/twiceless/twiceless/model/queue/servers"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
)

// Letters is the role and service of the nodes of a queue of dead letters that has nodes of its own (RabbitMQ).
const Letters = "dead-letters"

// Queue is a queue with its nodes.
type Queue struct {
	Nodes   []*sim.Node
	Letters []*sim.Node // of its dead letters; nil = those are on Nodes
	cfg     queue.Config
	letters queue.Config
	last    int64 // what Lag said when somebody could say it
}

// Add adds the nodes of a queue to a world; whoever builds the world boots them.
func Add(w *sim.World, cfg queue.Config) *Queue {
	if cfg.Service == "" {
		cfg.Service = queue.Service
	}
	q := &Queue{}
	if cfg.DeadLetters != "" && cfg.Limit == queue.AtReturn && cfg.DeadLetterNodes == "" {
		cfg.DeadLetterNodes = Letters
		q.letters = cfg
		q.letters.Queue, q.letters.DeadLetters, q.letters.DeadLetterNodes, q.letters.Service, q.letters.Parks = cfg.DeadLetters, "", "", Letters, !cfg.ByHand
		q.letters.SingleActive = false
	}
	q.cfg = cfg
	q.Nodes = add(w, cfg)
	if q.letters.Queue != "" {
		q.Letters = add(w, q.letters)
	}
	return q
}

func add(w *sim.World, cfg queue.Config) (nodes []*sim.Node) {
	factory := quorum.New(cfg)
	if cfg.Weak {
		factory = servers.New(cfg)
	}
	for range cfg.Servers {
		n := w.Role(cfg.Service, factory)
		n.Disk().Timing(cfg.Append, cfg.Fsync)
		n.Disk().Writeback(cfg.Writeback)
		nodes = append(nodes, n)
	}
	return nodes
}

// Config of the queue as it was built.
func (q *Queue) Config() queue.Config { return q.cfg }

// Serving is the node that answers clients; of several that believe so the first. nil = none does.
func (q *Queue) Serving() *sim.Node {
	for _, n := range q.Nodes {
		if q.serves(n) {
			return n
		}
	}
	return nil
}

func (q *Queue) serves(n *sim.Node) bool {
	if q.cfg.Weak {
		s := servers.Of(n)
		return s != nil && s.Serves()
	}
	b := quorum.Of(n)
	return b != nil && b.Leads()
}

// Shelf is what the queue holds as a node that is up knows it; nil = it is down.
func (q *Queue) Shelf(n *sim.Node) *shelf.Shelf {
	if s := servers.Of(n); s != nil {
		return s.Shelf()
	}
	if b := quorum.Of(n); b != nil {
		return b.Shelf()
	}
	return nil
}

// Lag is how many messages are in the queue that somebody will yet be given, those in flight included; while nobody serves
// it is what it was.
func (q *Queue) Lag() int64 {
	n := q.Serving()
	if n == nil {
		return q.last
	}
	if b := quorum.Of(n); b != nil {
		q.last = b.Outstanding()
	} else {
		q.last = int64(q.Shelf(n).Waiting())
	}
	return q.last
}

// Settled says whether the nodes that are up agree: on who leads, or, where they tell each other afterwards, on all that they
// have done. Until then one may take itself for the node that serves, and what it says of the queue is what it knows.
func (q *Queue) Settled() bool {
	if q.cfg.Weak {
		return servers.Settled(q.Nodes)
	}
	return quorum.Settled(q.Nodes)
}

// FinalState records what the queue holds at the end ("queue"), and its dead letters ("parked"), which is also what becomes
// of messages that were delivered for the last time and stay. It reads disks, so it works while nodes are down.
func (q *Queue) FinalState() {
	messages, letters := q.final(q.Nodes, q.cfg)
	held(q.Nodes[0], messages, "queue")
	held(q.Nodes[0], letters, "parked")
	if q.Letters != nil {
		messages, _ := q.final(q.Letters, q.letters)
		held(q.Letters[0], messages, "parked")
	}
}

func (q *Queue) final(nodes []*sim.Node, cfg queue.Config) (messages, letters *shelf.Shelf) {
	if cfg.Weak {
		return servers.Final(nodes, cfg)
	}
	return quorum.Final(nodes, cfg)
}

func held(n *sim.Node, s *shelf.Shelf, how string) {
	s.Wake(n.Now())
	for _, it := range s.Items() {
		m, as := &it.Message, how
		if it.Parked() {
			as = "parked"
		}
		n.Held(m.Event, m.Stage, model.PartitionName(m.Topic, m.Partition), as, m.Offset)
	}
}
