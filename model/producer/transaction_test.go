package producer_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// transacting is an application that begins one transaction after the other and takes another producer when one is of no more use.
type transacting struct {
	*trouble
	cfg     producer.Settings
	plans   []plan
	now     *producer.Client
	commits int // that succeeded
	calling string
	since   sim.Time // of the call under way
}

// plan is what one transaction is to do.
type plan struct {
	records int
	offsets bool
	commit  bool
}

func (x *transacting) loop(p *sim.Proc) {
	var c *producer.Client
	for i := 0; ; i++ {
		if c == nil {
			c = producer.Attach(x.node, x.cfg, client.New(x.node, client.Config{Bootstrap: x.c.brokers, RequestTimeout: x.cfg.RequestTimeout}))
			x.now = c
			if x.decided("init", func() error { return c.InitTransactions(p) }) != nil {
				c = nil
				p.Sleep(100 * ms)
				continue
			}
		}
		if x.transact(p, c, x.plans[i%len(x.plans)], i) != nil && c.State() != producer.FatalError {
			_ = x.decided("abort", func() error { return c.Abort(p) })
		}
		if c.State() == producer.FatalError {
			c = nil
		}
		p.Sleep(200 * ms)
	}
}

// transact returns an error if the transaction is not over.
func (x *transacting) transact(p *sim.Proc, c *producer.Client, how plan, nth int) error {
	if err := c.Begin(); err != nil {
		return err
	}
	taken, refused := 0, 0
	for k := range how.records {
		m := model.Message{Intent: model.Intent{Event: fmt.Sprintf("order-%d.%d", nth, k), Key: keyOf(k%3, 3)}}
		c.Enqueue("orders", m, func(r producer.Result) {
			if taken++; r.Err != nil {
				refused++
			}
		})
	}
	if how.offsets {
		err := x.call("offsets", func() error {
			return c.SendOffsets(p, producer.Group{Name: "workers", Member: "m", Generation: 1}, []wire.GroupOffset{{Topic: "payments", Offset: 7, Epoch: -1}})
		})
		if err != nil {
			return err
		}
	}
	if !how.commit {
		return x.decided("abort", func() error { return c.Abort(p) })
	}
	err := x.decided("commit", func() error { return c.Commit(p) })
	if err == nil {
		x.commits++
		require.Equal(x.t, [2]int{how.records, 0}, [2]int{taken, refused}, "answers, and refusals, of a transaction that was committed")
	}
	return err
}

// decided asks until somebody knows.
func (x *transacting) decided(what string, ask func() error) error {
	for {
		err := x.call(what, ask)
		if _, uncertain := errors.AsType[*producer.Uncertain](err); !uncertain {
			return err
		}
	}
}

// call is one call, which comes back within max.block, whatever happens, and at once if the client is of no more use.
func (x *transacting) call(what string, ask func() error) error {
	x.calling, x.since = what, x.w.Now()
	err := ask()
	x.c.saw("%s: %v", what, err)
	require.LessOrEqual(x.t, x.w.Now().Sub(x.since), x.cfg.MaxBlock, what)
	if x.w.Now().Sub(x.since) == x.cfg.MaxBlock {
		require.NotEqual(x.t, producer.FatalError, x.now.State(), "%s was not told", what)
	}
	x.calling = ""
	return err
}

// answersOf are what brokers may say to the requests of a transaction.
var answersOf = map[string][]error{
	"produce": {wire.ErrNotLeader, wire.ErrNotEnoughReplicas, wire.ErrConcurrentTxn, wire.ErrMessageTooLarge, wire.ErrOutOfOrderSequence, wire.ErrUnknownProducer,
		wire.ErrTransactionAbort, wire.ErrInvalidProducer, wire.ErrInvalidTxnState},
	"find-coordinator":  {wire.ErrNoCoordinator},
	"init-producer":     {wire.ErrNotCoordinator, wire.ErrCoordinatorLoading, wire.ErrConcurrentTxn, wire.ErrProducerFenced},
	"add-partitions":    {wire.ErrNotCoordinator, wire.ErrConcurrentTxn, wire.ErrUnknownTopic, wire.ErrUnknownProducer, wire.ErrTransactionAbort, wire.ErrProducerFenced},
	"add-offsets":       {wire.ErrNotCoordinator, wire.ErrConcurrentTxn, wire.ErrTransactionAbort, wire.ErrInvalidMapping},
	"txn-offset-commit": {wire.ErrNotCoordinator, wire.ErrRequestTimedOut, wire.ErrIllegalGeneration, wire.ErrUnknownMember, wire.ErrProducerFenced},
	"end-txn":           {wire.ErrNotCoordinator, wire.ErrNoCoordinator, wire.ErrConcurrentTxn, wire.ErrInvalidTxnState, wire.ErrProducerFenced},
}

var transactionOps = []string{"produce", "find-coordinator", "init-producer", "add-partitions", "add-offsets", "txn-offset-commit", "end-txn"}

func (x *transacting) befall() {
	t := x.t
	op := rapid.SampledFrom(transactionOps).Draw(t, "op")
	switch rapid.IntRange(0, 8).Draw(t, "what") {
	case 0, 1, 2:
		x.c.plan = append(x.c.plan, answer{op: op, how: "error", err: rapid.SampledFrom(answersOf[op]).Draw(t, "error")})
	case 3, 4:
		x.c.plan = append(x.c.plan, answer{op: op, how: rapid.SampledFrom([]string{"silent", "lost", "late"}).Draw(t, "how"), wait: 1500 * ms})
	case 5:
		x.move(rapid.IntRange(0, 2).Draw(t, "moved"), rapid.SampledFrom([]string{"broker-1", "broker-2", ""}).Draw(t, "leader"))
	case 6:
		x.c.coord = rapid.SampledFrom([]string{"broker-1", "broker-2"}).Draw(t, "coordinator")
	case 7:
		if n := rapid.SampledFrom(x.c.brokers).Draw(t, "killed"); n.Up() {
			n.Kill(0)
		} else {
			n.Boot()
		}
	default:
		x.run(sim.Duration(rapid.Int64Range(1, 3000).Draw(t, "pass")) * ms)
	}
	x.run(sim.Duration(rapid.Int64Range(0, 30).Draw(t, "moment")) * ms)
}

// Whatever brokers answer, and whenever: no call of a transactional client waits for longer than max.block, what it says is committed was
// all taken, and once all is well again transactions are committed again, by this client or by the next.
func TestTransactionsGoOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := hasty(producer.Java()).Transactional("t1")
		cfg.TransactionVersion = rapid.IntRange(1, 2).Draw(t, "version")
		cfg.BatchRecords = rapid.IntRange(1, 3).Draw(t, "batch")
		x := &transacting{trouble: newTrouble(t, cfg), cfg: cfg}
		for range 5 {
			x.plans = append(x.plans, plan{rapid.IntRange(0, 6).Draw(t, "records"), rapid.Bool().Draw(t, "offsets"), rapid.IntRange(0, 3).Draw(t, "commit") > 0})
		}
		x.plans = append(x.plans, plan{1, true, true})
		x.node.Go("application", x.loop)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			x.befall()
		}
		x.mend()
		x.run(20 * sim.Second)
		before := x.commits
		x.run(5 * sim.Second)
		require.Greater(t, x.commits, before, "nothing is committed: %s since %v", x.calling, x.since)
	})
}
