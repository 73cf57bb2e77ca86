package client

import (
	"errors"
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Config of a consumer. Timeouts and periods are on its monotonic clock.
type Config struct {
	Queue          string
	Group          string       // for facts: who reads
	Service        string       // of the queue's nodes; "" = queue.Service
	Batch          int          // messages in one receive: at most 10 at SQS; of RabbitMQ the prefetch count
	Wait           sim.Duration // of a receive at the queue. A graceful stop is noticed when it is over
	Visibility     sim.Duration // that a receive asks for; 0 = the queue's
	Extend         sim.Duration // while messages are in work, their time is set anew so often; 0 = never
	RequestTimeout sim.Duration // of one try, beyond Wait
	CommitTimeout  sim.Duration // of an ack with its retries
	Backoff        sim.Duration // after a failed request
	Restart        sim.Duration // from boot to the first instruction
	Session        sim.Duration // between two signs of life of a connection; 0 = the profile has none
	Unconfirmed    bool         // an ack is sent and nobody waits for its answer (JetStream's plain ack)
}

// For is the configuration of a consumer of a queue, with the client's defaults: SQS receives at most 10 messages and long
// polls; an AMQP prefetch count of 10; JetStream acks are not answered unless asked for. confirmed asks.
func For(cfg queue.Config, confirmed bool) Config {
	c := Config{Queue: cfg.Queue, Group: model.Workers, Service: cfg.Service, Batch: 10, Wait: 2 * sim.Second, RequestTimeout: 5 * sim.Second, CommitTimeout: 30 * sim.Second,
		Backoff: 500 * sim.Millisecond, Unconfirmed: cfg.Late == queue.LateAccepted && !confirmed}
	if cfg.Connected {
		c.Session = cfg.SessionTimeout / 3
	}
	return c
}

// Loop is what an engine runs in each consumer.
type Loop func(model.Ctx, model.Consumer)

// New is the factory of one consumer's node.
func New(cfg Config, dir *model.Directory, at []*sim.Node, loop Loop) func(*sim.Node) sim.Handler {
	if cfg.Service == "" {
		cfg.Service = queue.Service
	}
	return func(n *sim.Node) sim.Handler {
		q := &Consumer{cfg: cfg, n: n, nodes: nodes{list: at}, name: queue.Connection(n.Name(), n.Incarnation(), 0)}
		n.Go("poll-loop", func(p *sim.Proc) {
			p.Sleep(cfg.Restart)
			c := model.NewContext(p, dir)
			loop(c, q)
			q.Leave(c)
		})
		if cfg.Session > 0 {
			n.GoBackground("heartbeat", q.beats)
		}
		if cfg.Extend > 0 {
			n.GoBackground("extend", q.extends)
		}
		return sim.NoHandler()
	}
}

// Consumer is a queue as a poll loop sees it. What it cannot mean there it does not do: nobody owns a share of a queue, so
// OnAssign's function never runs and OnRevoke's runs only before the consumer leaves; there are no positions to seek; and
// nobody can ask for the messages of some partition.
type Consumer struct {
	cfg      Config
	n        *sim.Node
	nodes    nodes
	name     string
	number   int // of its connections before
	onRevoke func(model.Ctx)
	steering model.Steering
	inWork   []int64 // handles of the last poll that are not acknowledged
	working  sim.Signal
	left     bool
	over     sim.Signal
}

func (q *Consumer) op(p *sim.Proc, name string) sim.Op {
	return p.World().Op(q.cfg.Service + "." + name)
}

// Poll waits for messages, however long that takes; ok is false when the consumer is to stop. What the last poll returned
// and nobody acknowledged is the queue's matter from here on.
func (q *Consumer) Poll(c model.Ctx, most int) (ms []model.Message, ok bool) {
	p := c.Process()
	q.inWork = q.inWork[:0]
	if most <= 0 || most > q.cfg.Batch {
		most = q.cfg.Batch
	}
	p.Background(true)
	defer p.Background(false)
	for {
		if q.n.Stopping() {
			return nil, false
		}
		if q.steering.Enough != nil && q.steering.Enough() {
			return nil, true
		}
		req := queue.ReceiveRequest{Queue: q.cfg.Queue, Consumer: q.name, Max: most, Wait: q.cfg.Wait, Visibility: q.cfg.Visibility}
		asked := q.nodes.present()
		reply, _, err := p.Call(asked, q.op(p, queue.OpReceive), sim.Action{}, req, 0, q.cfg.Wait+q.cfg.RequestTimeout)
		if err != nil {
			q.reconnect(p, err)
			q.patience(p, asked, err)
			continue
		}
		if got := reply.(queue.ReceiveReply); len(got.Messages) > 0 {
			p.Background(false)
			return q.deliver(p, &got), true
		}
	}
}

// reconnect gives a connection up that did not bring an answer. Messages may be on their way to it: they are the queue's to
// give out again once it knows that the connection has ended, by the word of the client or by its silence.
func (q *Consumer) reconnect(p *sim.Proc, err error) {
	if q.cfg.Session == 0 || queue.Definite(err) && !errors.Is(err, sim.ErrRefused) {
		return
	}
	q.close(p)
	q.number++
	q.name = queue.Connection(q.n.Name(), q.n.Incarnation(), q.number)
}

// close tells the queue that the connection is over. Nobody waits for that.
func (q *Consumer) close(p *sim.Proc) {
	req := queue.SessionRequest{Queue: q.cfg.Queue, Consumer: q.name, Close: true}
	for _, n := range q.nodes.list { // whoever serves
		p.Send(n, q.op(p, queue.OpSession), sim.Action{}, req, 0)
	}
}

// patience is how a failed request is answered.
func (q *Consumer) patience(p *sim.Proc, asked *sim.Node, err error) {
	if !q.nodes.failed(asked, err) {
		p.Sleep(q.cfg.Backoff)
	}
}

// deliver hands messages over. The facts open each delivery.
func (q *Consumer) deliver(p *sim.Proc, got *queue.ReceiveReply) []model.Message {
	ms := make([]model.Message, len(got.Messages))
	for i := range ms {
		m := &ms[i]
		*m = got.Messages[i]
		m.Generation = got.Receives[i] // who has received it last is its owner
		m.Cause = p.Record(history.Fact{Kind: history.KindDelivered, Event: m.Event, Key: m.Key, Cause: m.Stored,
			Resource: model.PartitionName(m.Topic, m.Partition), Offset: m.Offset, Op: q.cfg.Group, Fence: got.Receives[i], Value: strconv.FormatInt(m.Handle, 10),
			Until: got.At})
		q.inWork = append(q.inWork, m.Handle)
	}
	q.working.Broadcast()
	return ms
}

// Commit acknowledges exactly these messages and waits until that is stored. A handle that is no longer valid is an error:
// somebody else has the message, or will. Without confirmation it is sent, and there is never an error.
func (q *Consumer) Commit(c model.Ctx, ms []model.Message) error {
	p := c.Process()
	req := queue.AckRequest{Queue: q.cfg.Queue, Consumer: q.name, Handles: make([]int64, len(ms)), Facts: make([]int64, len(ms))}
	for i := range ms {
		req.Handles[i], req.Facts[i] = ms[i].Handle, ms[i].Cause
	}
	q.done(req.Handles)
	last := &ms[len(ms)-1]
	if q.cfg.Unconfirmed {
		q.publish(q.op(p, queue.OpAck), req, last.Intent, last.Cause, 2*len(q.nodes.list))
		return nil
	}
	return q.ack(c, req, last)
}

// publish sends an ack that nobody waits for. As a message to a subject it reaches whoever serves, also if that is no longer
// the one that the consumer knows; if it is lost nobody tries again.
func (q *Consumer) publish(op sim.Op, req queue.AckRequest, of model.Intent, fact int64, hops int) {
	asked, act := q.nodes.present(), q.n.World().Act(of.Event, "", queue.OpAck)
	q.n.Call(asked, op, act, req, fact, q.cfg.RequestTimeout, func(_ any, _ int64, err error) {
		if err == nil || !elsewhere(err) {
			return
		}
		if q.nodes.failed(asked, err); queue.Definite(err) && hops > 0 {
			q.publish(op, req, of, fact, hops-1)
		}
	})
}

// ack asks until it is answered. It is idempotent: a message that is gone is acknowledged.
func (q *Consumer) ack(c model.Ctx, req queue.AckRequest, last *model.Message) error {
	p := c.Process()
	began := q.n.Now()
	for {
		act, asked := p.World().Act(last.Event, "", queue.OpAck), q.nodes.present()
		reply, _, err := p.Call(asked, q.op(p, queue.OpAck), act, req, last.Cause, q.cfg.RequestTimeout)
		if err == nil {
			return firstError(reply.(queue.AckReply).Errors)
		}
		if q.n.Now().Sub(began)+q.cfg.Backoff >= q.cfg.CommitTimeout || !elsewhere(err) {
			return err
		}
		q.patience(p, asked, err)
		if c.Err() != nil {
			return err
		}
	}
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// done takes handles out of what is extended.
func (q *Consumer) done(handles []int64) {
	kept := q.inWork[:0]
next:
	for _, h := range q.inWork {
		for _, d := range handles {
			if d == h {
				continue next
			}
		}
		kept = append(kept, h)
	}
	q.inWork = kept
}

// OnRevoke sets what runs before the consumer leaves.
func (q *Consumer) OnRevoke(fn func(model.Ctx)) { q.onRevoke = fn }

// OnAssign does nothing: there are no shares.
func (q *Consumer) OnAssign(func(model.Ctx, []model.PartitionOffset)) {}

// Lost is never so: nobody takes a share away.
func (q *Consumer) Lost() bool { return false }

// Seek does nothing: there are no positions.
func (q *Consumer) Seek(model.PartitionOffset) {}

// Rewind does nothing: what was not taken out comes again by itself.
func (q *Consumer) Rewind(model.Ctx) {}

// AutoCommits: what is acknowledged the loop acknowledges.
func (q *Consumer) AutoCommits() bool { return false }

// Steer has a loop decide about polls that wait. Skip is not asked: a queue gives what it gives.
func (q *Consumer) Steer(by model.Steering) { q.steering = by }

// Leave gives up what the consumer has, once: a connection's messages go back at once, others when their time has passed.
func (q *Consumer) Leave(c model.Ctx) {
	if q.left {
		return
	}
	q.left = true
	if q.onRevoke != nil {
		q.onRevoke(c)
	}
	q.inWork = q.inWork[:0]
	q.over.Broadcast()
	q.working.Broadcast()
	if q.cfg.Session > 0 {
		q.close(c.Process())
	}
}

// beats says that the connection is there while the loop works.
func (q *Consumer) beats(p *sim.Proc) {
	for pause := q.cfg.Session; !q.left && !p.Wait(&q.over, pause); {
		pause = q.aside(p, queue.OpSession, queue.SessionRequest{Queue: q.cfg.Queue, Consumer: q.name}, q.cfg.Session)
	}
}

// extends keeps what is in work out of the sight of others.
func (q *Consumer) extends(p *sim.Proc) {
	for pause := q.cfg.Extend; !q.left; {
		if len(q.inWork) == 0 {
			pause = q.cfg.Extend
			p.Wait(&q.working, -1)
			continue
		}
		if p.Wait(&q.over, pause); len(q.inWork) == 0 {
			continue
		}
		req := queue.ExtendRequest{Queue: q.cfg.Queue, Handles: append([]int64(nil), q.inWork...), For: q.cfg.Visibility}
		pause = q.aside(p, queue.OpExtend, req, q.cfg.Extend)
	}
}

// aside asks beside the loop, which may work for so long that it does not hear who serves now. It says when to ask again: soon
// where another node may answer.
func (q *Consumer) aside(p *sim.Proc, op string, req any, every sim.Duration) sim.Duration {
	asked := q.nodes.present()
	_, _, err := p.Call(asked, q.op(p, op), sim.Action{}, req, 0, q.cfg.RequestTimeout)
	if err == nil || !elsewhere(err) {
		return every
	}
	q.nodes.failed(asked, err)
	return min(every, q.cfg.Backoff)
}
