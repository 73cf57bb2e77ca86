package producer

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Config of the client of a single broker, which knows neither leaders nor identities. Timeouts are on the producer's monotonic clock.
type Config struct {
	Topic           string
	Partitions      int
	Acks            int          // 0: success at hand-over to the socket; 1: success when the log says so
	Retries         bool         // false: the first failure is the application's
	RequestTimeout  sim.Duration // one try
	DeliveryTimeout sim.Duration // from hand-over to giving up, with retries
	Backoff         sim.Duration // between tries
	Send            func(model.Call) model.Call
}

// New is the factory of the producing application's node. The workload is the world outside: it goes on while the
// application is down, and what comes meanwhile is turned away.
func New(cfg Config, wl Workload, broker func() *sim.Node, out *Outstanding) func(*sim.Node) sim.Handler {
	demand := &demand{workload: wl}
	return func(n *sim.Node) sim.Handler {
		c := &single{cfg: cfg, broker: broker, out: out, queues: make([]queue, cfg.Partitions)}
		out.N = 0 // what an incarnation before had taken died with it: nobody will answer
		n.Go("application", func(p *sim.Proc) { c.application(p, demand) })
		for i := range c.queues {
			part := i
			n.Go("sender", func(p *sim.Proc) { c.sender(p, part) })
		}
		return sim.NoHandler()
	}
}

type single struct {
	cfg    Config
	broker func() *sim.Node
	out    *Outstanding
	queues []queue
}

// queue holds what waits for its partition's sender.
type queue struct {
	waiting []handed
	more    sim.Signal
}

type handed struct {
	m  model.Message
	at sim.Time // hand-over, monotonic
}

// application offers each intent at its time and hands it to the client through the send port.
func (c *single) application(p *sim.Proc, d *demand) {
	booted := p.World().Now()
	send := model.Call(func(_ model.Ctx, _ string, m model.Message) (model.Message, error) {
		c.hand(p, m)
		return m, nil
	})
	if c.cfg.Send != nil {
		send = c.cfg.Send(send)
	}
	ctx := model.NewContext(p, nil)
	for a := d.next(p.World()); a != nil; a = d.next(p.World()) {
		if wait := a.at.Sub(p.World().Now()); wait > 0 {
			p.Sleep(wait)
		}
		m := a.message
		m.Cause = offer(p, a)
		d.offered++
		c.out.N++
		if a.at < booted {
			c.answer(p, &m, history.KindRefused, history.Failed, "the application was down", m.Cause)
			continue
		}
		if _, err := send(ctx.With(m.Intent), c.cfg.Topic, m); err != nil {
			c.answer(p, &m, history.KindRefused, history.Failed, err.Error(), m.Cause)
		}
	}
}

// hand queues a message for the sender of its partition: the same key always goes to the same partition.
func (c *single) hand(p *sim.Proc, m model.Message) {
	q := &c.queues[rng.Below(rng.Hash(m.Key), uint64(c.cfg.Partitions))]
	q.waiting = append(q.waiting, handed{m, p.Node().Now()})
	q.more.Broadcast()
}

// sender publishes what has queued for its partition, one request at a time.
func (c *single) sender(p *sim.Proc, partition int) {
	q := &c.queues[partition]
	for {
		for len(q.waiting) == 0 {
			p.Wait(&q.more, -1)
		}
		batch := q.waiting
		q.waiting = nil
		c.publish(p, partition, batch)
	}
}

// publish sends one batch until it is answered, or given up.
func (c *single) publish(p *sim.Proc, partition int, batch []handed) {
	req := model.ProduceRequest{Topic: c.cfg.Topic, Partition: partition, Acks: c.cfg.Acks, Messages: make([]model.Message, len(batch))}
	for i := range batch {
		req.Messages[i] = batch[i].m
	}
	w := p.World()
	op := w.Op(model.BrokerService + "." + model.OpProduce)
	first := &batch[0].m
	if c.cfg.Acks == 0 {
		p.Send(c.broker(), op, w.Act(first.Event, "", model.OpProduce), req, first.Cause)
		c.answerAll(p, batch, history.KindAccepted, history.Acked, "handed to the socket", nil)
		return
	}
	uncertain := false
	for {
		left := c.cfg.DeliveryTimeout - p.Node().Now().Sub(batch[0].at) // KIP-91: it bounds a try that is under way, too
		reply, _, err := p.Call(c.broker(), op, w.Act(first.Event, "", model.OpProduce), req, first.Cause, min(c.cfg.RequestTimeout, left))
		if err == nil {
			c.answerAll(p, batch, history.KindAccepted, history.Acked, "", reply.(model.ProduceReply).Stored)
			return
		}
		uncertain = uncertain || !model.Definite(err)
		if !c.cfg.Retries || p.Node().Now().Sub(batch[0].at)+c.cfg.Backoff >= c.cfg.DeliveryTimeout {
			c.giveUp(p, batch, uncertain, err)
			return
		}
		p.Sleep(c.cfg.Backoff)
	}
}

// giveUp tells the application: definitely not written, or nobody knows.
func (c *single) giveUp(p *sim.Proc, batch []handed, uncertain bool, err error) {
	if uncertain {
		c.answerAll(p, batch, history.KindUncertain, history.Indeterminate, err.Error(), nil)
		return
	}
	c.answerAll(p, batch, history.KindRefused, history.Failed, err.Error(), nil)
}

// answerAll answers for each; stored are the facts behind success, nil = none.
func (c *single) answerAll(p *sim.Proc, batch []handed, k history.Kind, o history.Outcome, note string, stored []int64) {
	for i := range batch {
		cause := batch[i].m.Cause
		if stored != nil {
			cause = stored[i]
		}
		c.answer(p, &batch[i].m, k, o, note, cause)
	}
}

// answer is what the producer's API tells the application about one intent.
func (c *single) answer(p *sim.Proc, m *model.Message, k history.Kind, o history.Outcome, note string, cause int64) {
	c.out.N--
	p.Record(history.Fact{Kind: k, Event: m.Event, Key: m.Key, Outcome: o, Note: note, Cause: cause, Fence: -1, Offset: -1})
}
