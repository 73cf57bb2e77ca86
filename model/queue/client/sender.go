package client

import (
	"cmp"
	"errors"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// SenderConfig is that of a producing application's client. Timeouts are on its monotonic clock.
type SenderConfig struct {
	Queue           string
	Service         string       // of the queue's nodes; "" = queue.Service
	Lanes           int          // requests under way at most: a key always takes the same lane, so that retries keep its order
	Batch           int          // messages in one request: at most 10 at SQS
	Dedup           bool         // messages bear their event's id for the queue to recognise
	Retries         bool         // false: the first failure is the application's
	RequestTimeout  sim.Duration // one try
	DeliveryTimeout sim.Duration // from hand-over to giving up, with retries
	Backoff         sim.Duration // between tries
}

// SenderFor is the configuration of a sender to a queue, with retries: 5 s for a try, two minutes in all.
func SenderFor(cfg queue.Config) SenderConfig {
	return SenderConfig{Queue: cfg.Queue, Service: cfg.Service, Lanes: 4, Batch: 10, Dedup: cfg.DedupWindow > 0, Retries: true,
		RequestTimeout: 5 * sim.Second, DeliveryTimeout: 2 * sim.Minute, Backoff: 500 * sim.Millisecond}
}

// Sender publishes what an application hands over, in batches of what has queued meanwhile, and tells the application by
// facts what became of each: accepted, refused, or uncertain.
type Sender struct {
	cfg      SenderConfig
	list     []*sim.Node
	answered func() // once for each message
	lanes    []lane
}

// lane holds what waits for its process.
type lane struct {
	waiting []handed
	more    sim.Signal
}

type handed struct {
	m  model.Message
	at sim.Time // hand-over, monotonic
}

// NewSender starts a sender's processes on a node, in its boot. answered may be nil.
func NewSender(n *sim.Node, cfg SenderConfig, at []*sim.Node, answered func()) *Sender {
	if cfg.Service == "" {
		cfg.Service = queue.Service
	}
	s := &Sender{cfg: cfg, list: at, answered: answered, lanes: make([]lane, max(1, cfg.Lanes))}
	for i := range s.lanes {
		n.Go("sender", func(p *sim.Proc) { s.run(p, &s.lanes[i]) })
	}
	return s
}

// Hand queues a message, whose Cause is the offer, for its lane. It does not wait.
func (s *Sender) Hand(n *sim.Node, m model.Message) {
	l := &s.lanes[rng.Below(rng.Hash(m.Key), uint64(len(s.lanes)))]
	l.waiting = append(l.waiting, handed{m, n.Now()})
	l.more.Broadcast()
}

// run publishes what has queued, one request at a time. What has waited for too long behind others is not sent any more.
func (s *Sender) run(p *sim.Proc, l *lane) {
	to := &nodes{list: s.list}
	for {
		for len(l.waiting) == 0 {
			p.Wait(&l.more, -1)
		}
		if k := s.late(p, l.waiting); k > 0 {
			s.giveUp(p, l.take(k), false, errLate)
			continue
		}
		s.publish(p, to, l.take(min(len(l.waiting), max(1, s.cfg.Batch))))
	}
}

var errLate = errors.New("the delivery timeout is over, and it was not sent")

// late is how many of these, the oldest first, are past their delivery timeout.
func (s *Sender) late(p *sim.Proc, waiting []handed) (k int) {
	for k < len(waiting) && p.Node().Now().Sub(waiting[k].at) >= s.cfg.DeliveryTimeout {
		k++
	}
	return k
}

func (l *lane) take(k int) []handed {
	batch := l.waiting[:k:k]
	l.waiting = l.waiting[k:]
	return batch
}

// publish sends one batch until it is answered, or given up.
func (s *Sender) publish(p *sim.Proc, to *nodes, batch []handed) {
	req := queue.SendRequest{Queue: s.cfg.Queue, Messages: make([]model.Message, len(batch))}
	for i := range batch {
		req.Messages[i] = batch[i].m
		if s.cfg.Dedup {
			req.Dedup = append(req.Dedup, batch[i].m.Event)
		}
	}
	w, first, uncertain := p.World(), &batch[0], false
	op := w.Op(s.cfg.Service + "." + queue.OpSend)
	for {
		left := s.cfg.DeliveryTimeout - p.Node().Now().Sub(first.at)
		asked := to.present()
		reply, _, err := p.Call(asked, op, w.Act(first.m.Event, "", queue.OpSend), req, first.m.Cause, min(s.cfg.RequestTimeout, max(0, left)))
		if err == nil {
			s.answer(p, batch, history.KindAccepted, history.Acked, "", reply.(queue.SendReply).Stored)
			return
		}
		uncertain = uncertain || !queue.Definite(err)
		told := to.failed(asked, err)
		if over := p.Node().Now().Sub(first.at)+s.cfg.Backoff >= s.cfg.DeliveryTimeout; over || !s.cfg.Retries && !told {
			s.giveUp(p, batch, uncertain, err)
			return
		}
		if !told {
			p.Sleep(s.cfg.Backoff)
		}
	}
}

// giveUp tells the application: definitely not stored, or nobody knows.
func (s *Sender) giveUp(p *sim.Proc, batch []handed, uncertain bool, err error) {
	if uncertain {
		s.answer(p, batch, history.KindUncertain, history.Indeterminate, err.Error(), nil)
		return
	}
	s.answer(p, batch, history.KindRefused, history.Failed, err.Error(), nil)
}

// answer is what the client tells the application about each; stored are the facts behind success.
func (s *Sender) answer(p *sim.Proc, batch []handed, k history.Kind, o history.Outcome, note string, stored []int64) {
	for i := range batch {
		m := &batch[i].m
		cause := m.Cause
		if stored != nil {
			cause = stored[i]
		}
		if s.answered != nil {
			s.answered()
		}
		p.Record(history.Fact{Kind: k, Event: m.Event, Key: m.Key, Outcome: o, Note: note, Cause: cause, Fence: -1, Offset: -1})
	}
}

// Emit puts one message into a queue and waits until it is stored; the first node that can say so is asked. It is what a
// context's Emit does over a queue: parked events go into the queue of dead letters, named by its topic. A node that does not
// answer leaves a doubt, and the next one is asked: better twice in that queue than not at all.
func Emit(c model.Ctx, service string, at []*sim.Node, topic string, m model.Message, timeout sim.Duration) error {
	p := c.Process()
	w := p.World()
	to := &nodes{list: at}
	var doubt error
	for tries := 0; ; tries++ {
		req := queue.SendRequest{Queue: topic, Messages: []model.Message{m}}
		asked := to.present()
		_, _, err := p.Call(asked, w.Op(service+"."+queue.OpSend), w.Act(m.Event, "", topic), req, m.Cause, timeout)
		if err == nil {
			return nil
		}
		if !queue.Definite(err) {
			doubt = err
		}
		if to.failed(asked, err); tries == 2*len(at) || !elsewhere(err) || c.Err() != nil {
			return cmp.Or(doubt, err)
		}
	}
}
