package scenarios

import (
	"errors"
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// transactor is the transactional producer of one process.
type transactor struct {
	client *producer.Client
	ready  bool   // it has its identity
	began  *began // of the incarnation
}

// began counts the transactions of one incarnation of a node.
type began struct {
	incarnation int32
	n           int
}

// transactor begins a producer that fences whoever had its name before.
func (b *logBus) transactor(c *model.Context, name string) model.Transactor {
	n := c.Process().Node()
	s := b.settings().Transactional(name)
	s.Retries = producer.Unlimited
	count := b.began[n.Name()]
	if count == nil || count.incarnation != n.Incarnation() {
		count = &began{incarnation: n.Incarnation()}
		b.began[n.Name()] = count
	}
	s.Began = count.n
	return &transactor{client: producer.Attach(n, s, client.New(n, b.find())), began: count}
}

// restore reads the state that a partition holds.
func (b *logBus) restore(c *model.Context, topic string, index int, to model.Bound, take func(model.Message)) {
	p := c.Process()
	timeout := sim.Duration(b.w.sc.Consumers.RequestTimeout)
	consumer.Restoring{Cluster: client.New(p.Node(), b.find()), RequestTimeout: timeout,
		MaxWait: sim.Duration(b.w.sc.Consumers.FetchWait), Backoff: restoreBackoff,
	}.Run(p, wire.TopicPartition{Topic: topic, Partition: index}, to, take)
}

// restoreBackoff is retry.backoff.ms of who restores.
const restoreBackoff = 100 * sim.Millisecond

func (t *transactor) Begin(c model.Ctx) error {
	if !t.ready {
		if err := t.decided(c, t.client.InitTransactions); err != nil {
			return err
		}
		t.ready = true
	}
	err := t.client.Begin()
	if err == nil {
		t.began.n++
	}
	return t.judge(err)
}

func (t *transactor) Send(c model.Ctx, topic string, m model.Message) error {
	t.client.Send(c.Process(), topic, m, func(producer.Result) {})
	return nil
}

// positioned is a member that can say what a transaction has to tell its group.
type positioned interface {
	TxnCommit(c model.Ctx, ms []model.Message) wire.TxnCommitRequest
	TxnCommitFailed(req wire.TxnCommitRequest, err error)
}

func (t *transactor) SendOffsets(c model.Ctx, in model.Consumer, ms []model.Message) error {
	member := in.(positioned)
	req := member.TxnCommit(c, ms)
	group := producer.Group{Name: req.Group, Member: req.Member, Instance: req.Instance, Generation: req.Generation}
	err := t.client.SendOffsets(c.Process(), group, req.Offsets)
	if err != nil {
		member.TxnCommitFailed(req, err)
	}
	return t.judge(err)
}

func (t *transactor) Commit(c model.Ctx) error { return t.decided(c, t.client.Commit) }

func (t *transactor) Abort(c model.Ctx) error { return t.decided(c, t.client.Abort) }

// decided asks until somebody knows. A client that was left to itself meanwhile would go on asking beside the one in its place, and fence
// it when it is answered.
func (t *transactor) decided(c model.Ctx, ask func(*sim.Proc) error) error {
	for {
		err := ask(c.Process())
		if _, uncertain := errors.AsType[*producer.Uncertain](err); !uncertain {
			return t.judge(err)
		}
	}
}

// judge says of an error whether the client is of any more use.
func (t *transactor) judge(err error) error {
	if err != nil && t.client.State() == producer.FatalError {
		return fmt.Errorf("%w: %w", model.ErrTransactionLost, err)
	}
	return err
}
