package scenarios

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/client"
	"github.com/twiceless/twiceless/model/queue/service"
	"github.com/twiceless/twiceless/sim"
)

// queueBus is a queue of one of the profiles. It has no positions: what is taken out is gone, so that no operator can set a
// group back, and no transactions.
type queueBus struct {
	w *world
	q *service.Queue
}

func newQueueBus(w *world) bus { return &queueBus{w: w} }

// queueConfig is the profile of a scenario's queue with what the scenario changes. A topic of the stack's is a queue of dead
// letters beside it: that the stack puts some there does not mean that the queue does.
func (s *Scenario) queueConfig(topics []topicSpec) queue.Config {
	kind, ok := queue.KindByName(s.Broker.Queue.Profile)
	if !ok {
		panic("scenarios: queue profile " + s.Broker.Queue.Profile)
	}
	c, q := kind.Config(), s.Broker.Queue
	c.Queue, c.Servers = s.Workload.Topic, s.Broker.Nodes
	c.Visibility, c.MaxReceives, c.DedupWindow = sim.Duration(q.Visibility), q.MaxReceives, sim.Duration(q.DedupWindow)
	c.Retention, c.SyncEvery = sim.Duration(q.Retention), sim.Duration(q.SyncEvery)
	c.SingleActive, c.DeadLetterConfirmed = q.SingleActive, q.DeadLettersConfirmed
	c.Append, c.Fsync, c.Writeback = s.Broker.Append, s.Broker.Fsync, sim.Duration(s.Broker.Writeback)
	if q.DeadLetters {
		c.DeadLetters = deadLettersOf(s.Workload.Topic)
	}
	for _, t := range topics {
		c.DeadLetters, c.ByHand = t.name, !q.DeadLetters
	}
	return c
}

// deadLettersOf is the queue of a queue's dead letters, if the queue moves them itself.
func deadLettersOf(name string) string { return name + ".dlq" }

func (b *queueBus) add() []*sim.Node {
	cfg := b.w.sc.queueConfig(b.w.asm.topics)
	cfg.Defects, _ = model.ParseDefects(b.w.sc.Broker.Defects) // unknown names have been reported
	b.q = service.Add(b.w.sim, cfg)
	return append(append([]*sim.Node(nil), b.q.Nodes...), b.q.Letters...)
}

func (b *queueBus) member(l *loopSpec, loop func(model.Ctx, model.Consumer)) func(*sim.Node) sim.Handler {
	c, q := &b.w.sc.Consumers, b.w.sc.Broker.Queue
	cfg := client.For(b.q.Config(), q.Confirmed)
	cfg.Group, cfg.Batch = l.group, min(q.Batch, c.MaxPollRecords)
	cfg.RequestTimeout, cfg.CommitTimeout, cfg.Restart = sim.Duration(c.RequestTimeout), sim.Duration(c.CommitTimeout), sim.Duration(c.Restart)
	if q.Extend > 0 {
		cfg.Extend, cfg.Visibility = sim.Duration(q.Extend), sim.Duration(q.Visibility)
	}
	return client.New(cfg, b.w.dir, b.q.Nodes, loop)
}

func (b *queueBus) publisher(wl producer.Workload, out *producer.Outstanding) func(*sim.Node) sim.Handler {
	p := &b.w.sc.Producer
	cfg := client.SenderFor(b.q.Config())
	cfg.Retries = b.w.stack.Retries
	cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.Backoff = sim.Duration(p.RequestTimeout), sim.Duration(p.DeliveryTimeout), sim.Duration(p.Backoff)
	own := func(n *sim.Node, answered func()) func(model.Message) {
		s := client.NewSender(n, cfg, b.q.Nodes, answered)
		return func(m model.Message) { s.Hand(n, m) }
	}
	return producer.Application{Topic: b.w.asm.flow.Source, Own: own, Send: b.w.asm.sender}.Boot(wl, out)
}

func (b *queueBus) emit(c *model.Context, topic string, m model.Message) error {
	at, role := b.q.Nodes, queue.Service
	if topic == b.q.Config().DeadLetters && b.q.Letters != nil {
		at, role = b.q.Letters, service.Letters
	}
	return client.Emit(c, role, at, topic, m, sim.Duration(b.w.sc.Producer.RequestTimeout))
}

func (b *queueBus) transactor(*model.Context, string) model.Transactor {
	panic("scenarios: a transaction on a queue passed the check")
}

// replay: an operator finds nothing that could come again.
func (b *queueBus) replay(_, _ string, _ int64, done func()) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		n.After(0, done)
		return sim.NoHandler()
	}
}

func (b *queueBus) letters(model.DeadLetterReplay) func(*sim.Node) sim.Handler {
	panic("scenarios: a replay of a queue's dead letters passed the check")
}

func (b *queueBus) leader(string, int) *sim.Node { return b.q.Serving() }

func (b *queueBus) ready(*loopSpec, int) bool { return b.q.Serving() != nil }

func (b *queueBus) left(*loopSpec) int64 { return b.q.Lag() }

func (b *queueBus) records(string) int64 { return 0 }

func (b *queueBus) settled() bool { return b.q.Settled() }

func (b *queueBus) final() { b.q.FinalState() }
