package producer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// The client's half of transactions (KIP-98, KIP-360, KIP-447, KIP-890), after the Java client's TransactionManager.

// State of a transactional client.
type State uint8

// The states. From AbortableError only Abort leads on; FatalError is the end: another client takes over.
const (
	Uninitialized State = iota
	Initializing
	Ready
	InTransaction
	Committing
	Aborting
	AbortableError
	FatalError
)

// stateTable names the states as Kafka does.
var stateTable = [...]string{"UNINITIALIZED", "INITIALIZING", "READY", "IN_TRANSACTION", "COMMITTING_TRANSACTION", "ABORTING_TRANSACTION", "ABORTABLE_ERROR", "FATAL_ERROR"}

// String is Kafka's name.
func (s State) String() string { return stateTable[s] }

// Group is who commits positions in a transaction: what a member tells of itself (KIP-447). Without a member and with
// wire.NoGeneration nothing fences.
type Group struct {
	Name, Member, Instance string
	Generation             int64
}

// membership is how far a partition has come into the transaction.
type membership uint8

const (
	outside membership = iota
	used               // a record waits; the coordinator is to be told
	joining            // it is being told
	inside
)

// transactions is the state of a transactional client.
type transactions struct {
	c       *Client
	state   State
	err     error  // behind AbortableError or FatalError
	name    string // of the transaction, for facts; "" = none
	began   int64  // fact of its beginning
	count   int    // transactions begun in this incarnation of the node
	started bool   // the coordinator may know of it
	bump    bool   // an epoch has to be asked for before the next one
	renew   bool   // the defect epoch-bump-in-transaction is at work: nothing is sent until there is a new epoch

	pending []*step // not sent yet, the most urgent first
	flying  *step
	ending  *outcome // of the init, commit or abort that is under way, or whose end nobody has heard of yet
}

// outcome is the end of something that a process waits for.
type outcome struct {
	of   string // init, commit, abort or offsets
	has  bool
	err  error
	more sim.Signal
}

func (o *outcome) come(err error) {
	if o.has {
		return
	}
	o.has, o.err = true, err
	o.more.Broadcast()
}

// State of the transactional client.
func (c *Client) State() State { return c.txn.state }

// Transaction is the name of the transaction that is open, as facts have it; "" = none.
func (c *Client) Transaction() string { return c.txn.name }

// InitTransactions asks the coordinator for an identity: what clients of the same id had left open is aborted, and they are
// fenced. It must have come back without an error before the first transaction. An error is definite only if it is fatal;
// after a timeout (max.block.ms) calling it again waits on.
func (c *Client) InitTransactions(p *sim.Proc) error {
	t := c.txn
	if !t.again("init") {
		t.move(Initializing)
		t.ending = &outcome{of: "init"}
		t.queue(t.initStep(wire.ProducerID{}))
	}
	return t.await(p, t.ending)
}

// Begin begins a transaction, of which the coordinator hears with its first record (KIP-98). The error is that of the
// state: a fatal one.
func (c *Client) Begin() error {
	t := c.txn
	if t.state == FatalError || t.state == AbortableError {
		return t.err
	}
	t.move(InTransaction)
	t.count++
	t.name = fmt.Sprintf("%s/%d.%d", c.cfg.Transaction, c.n.Incarnation(), t.count)
	t.began = c.n.Record(history.Fact{Kind: history.KindTransaction, Op: "began", Resource: fmt.Sprint(c.ids.ID), Fence: int64(c.ids.Epoch), Value: t.name, Offset: -1})
	return nil
}

// SendOffsets moves a group's positions with the transaction, and waits until the group's coordinator has taken them in.
// An error leaves the transaction to be aborted, or is fatal; after a timeout nobody knows, and it is to be aborted too.
func (c *Client) SendOffsets(p *sim.Proc, g Group, offsets []wire.GroupOffset) error {
	t := c.txn
	if err := t.refuses(); err != nil {
		return err
	}
	o := &outcome{of: "offsets"}
	commit := t.offsetsStep(g, offsets, o)
	if c.cfg.TransactionVersion == 1 {
		t.queue(t.addOffsetsStep(g.Name, commit, o))
	} else {
		t.started = true
		t.queue(commit)
	}
	return t.await(p, o)
}

// Commit sends what waits, and commits when all of it is acknowledged. Without an error the decision is in the
// coordinator's log; what it means shows in the logs a little later. With an Uncertain, after max.block.ms, nobody knows:
// calling it again waits on. Any other error means that it was not committed by this call.
func (c *Client) Commit(p *sim.Proc) error {
	t := c.txn
	if !t.again("commit") {
		if t.state == FatalError || t.state == AbortableError {
			return t.err
		}
		t.move(Committing)
		t.end("commit")
	}
	return t.await(p, t.ending)
}

// Abort gives the transaction up: what waits is not sent, what was is marked as aborted. It is the way on from an
// abortable error. Errors are as of Commit.
func (c *Client) Abort(p *sim.Proc) error {
	t := c.txn
	if !t.again("abort") {
		if t.state == FatalError {
			return t.err
		}
		t.move(Aborting)
		t.abandon(ErrAborted)
		t.end("abort")
	}
	return t.await(p, t.ending)
}

// again says whether the same is under way already. Something else that is makes the call a bug of its caller.
func (t *transactions) again(what string) bool {
	if t.ending == nil {
		return false
	}
	if t.ending.of != what && t.ending.has && t.ending.err != nil {
		t.ending = nil // it came to nothing while nobody waited
		return false
	}
	if t.ending.of != what {
		panic(fmt.Sprintf("producer: %s during %s", what, t.ending.of))
	}
	return true
}

// await waits for an end, at most for max.block.ms.
func (t *transactions) await(p *sim.Proc, o *outcome) error {
	t.advance()
	deadline := t.c.n.Now().Add(t.c.cfg.block())
	for !o.has {
		left := deadline.Sub(t.c.n.Now())
		if left <= 0 || !p.Wait(&o.more, left) && !o.has {
			return &Uncertain{sim.ErrTimeout}
		}
	}
	if t.ending == o {
		t.ending = nil
	}
	return o.err
}

// block is how long the calls of a transaction wait. librdkafka has no max.block.ms; its callers name a timeout, and
// that of the examples is that of the transaction.
func (s *Settings) block() sim.Duration {
	if s.Unassigned {
		return s.TransactionTimeout
	}
	return s.MaxBlock
}

// move is the only way to change the state.
func (t *transactions) move(to State) {
	from := t.state
	ok := false
	switch to {
	case Initializing:
		ok = from == Uninitialized || from == Aborting
	case Ready:
		ok = from == Initializing || from == Committing || from == Aborting
	case InTransaction:
		ok = from == Ready
	case Committing:
		ok = from == InTransaction
	case Aborting:
		ok = from == InTransaction || from == AbortableError
	case AbortableError:
		ok = from == InTransaction || from == Committing || from == Initializing
	case FatalError:
		ok = true
	}
	if !ok {
		panic(fmt.Sprintf("producer: %s after %s", to, from))
	}
	t.state = to
}

// refuses is why no record and no position can be taken; nil = they can.
func (t *transactions) refuses() error {
	switch t.state {
	case InTransaction:
		return nil
	case AbortableError, FatalError:
		return t.err
	}
	panic("producer: a record outside a transaction, in " + t.state.String())
}

// mustAbort is an error after which the transaction can only be aborted. One that comes while it is being aborted changes
// nothing. While the client is not in a transaction there is nothing to abort.
func (t *transactions) mustAbort(err error) {
	switch t.state {
	case Aborting, FatalError, AbortableError, Ready, Uninitialized:
		return
	}
	t.err = err
	t.move(AbortableError)
	t.abandon(err)
	t.failSteps(err)
}

// wantsEpoch has the client ask for a new epoch behind the end of this transaction: what it has sent may come late, and could be taken
// for a part of the next one. In version 2 the end itself brings one.
func (t *transactions) wantsEpoch() {
	if t.bump || t.state == FatalError || t.c.cfg.TransactionVersion > 1 {
		return
	}
	t.bump = true
	if t.state == Aborting { // its end is asked for already
		t.queue(t.initStep(t.c.ids.ProducerID))
	}
}

// dies is an error after which this client can do nothing more: another one has its id, or the coordinator does not know
// it.
func (t *transactions) dies(err error) {
	if t.state == FatalError {
		return
	}
	t.err = err
	t.move(FatalError)
	t.abandon(err)
	t.failSteps(err)
	if s := t.flying; s != nil && s.outcome != nil {
		s.outcome.come(err)
	}
	t.flying = nil
}

// failSteps ends what was asked for.
func (t *transactions) failSteps(err error) {
	steps := t.pending
	t.pending = nil
	for _, s := range steps {
		if s.outcome != nil {
			s.outcome.come(err)
		}
	}
	if t.ending != nil {
		t.ending.come(err)
	}
}

// abandon ends what has not been sent. What has a number goes on: its log may have it. After a fatal error that ends too.
func (t *transactions) abandon(err error) {
	c := t.c
	c.turnAway(err, func(*waiter) bool { return true })
	for _, p := range c.parts {
		queue := p.queue
		p.queue = nil
		for _, b := range queue {
			if b.sequence >= 0 && t.state != FatalError {
				p.queue = append(p.queue, b)
				continue
			}
			p.seq.forget(b)
			if b.maybe {
				c.answer(b, &Uncertain{err}, nil, -1)
			} else {
				c.answer(b, err, nil, -1)
			}
		}
		if p.in == used {
			p.in = outside
		}
	}
}

// batchFailed follows from a batch that was given up, or a record that has come into none. While the transaction ends, Java asks for a new epoch only if nobody knows what
// became of the batch, see lost.
func (t *transactions) batchFailed(err error) {
	if errors.Is(err, wire.ErrProducerFenced) || errors.Is(err, wire.ErrInvalidMapping) {
		t.dies(err)
		return
	}
	if t.state != Committing && t.state != Aborting {
		t.wantsEpoch()
	}
	t.mustAbort(err)
}

// lost follows from batches of which nobody knows what became of them.
func (t *transactions) lost() {
	t.wantsEpoch()
	t.mustAbort(sim.ErrTimeout)
}

// uses takes a partition into the transaction: by the coordinator in version 1, by its first record in version 2.
func (t *transactions) uses(p *partition) {
	if p.in != outside {
		return
	}
	if t.c.cfg.TransactionVersion == 1 {
		p.in = used
		return
	}
	p.in, t.started = inside, true
}

// holds says whether a batch must wait for the transaction.
func (t *transactions) holds(b *batch) bool { return t.renew || b.part.in != inside }

// over ends a transaction: the next one begins with nothing.
func (t *transactions) over() {
	t.name, t.began, t.started, t.err = "", 0, false, nil
	for _, p := range t.c.parts {
		p.in = outside
	}
}

// restart has all sequences begin anew under an identity.
func (t *transactions) restart(id wire.ProducerID) {
	c := t.c
	c.ids.ProducerID = id
	for _, p := range c.parts {
		if len(p.seq.open) > 0 {
			panic("producer: a new epoch beside unanswered batches")
		}
		p.seq = fresh(id)
	}
}

// end asks for the end of the transaction, and for a new epoch if one is needed. It is sent when all batches are
// answered.
func (t *transactions) end(how string) {
	t.ending = &outcome{of: how}
	t.queue(t.endStep(how == "commit"))
	if t.bump {
		t.queue(t.initStep(t.c.ids.ProducerID))
	}
	if t.c.Outstanding() > 0 {
		t.c.flush()
	}
}

// bumpInside is a defect: a new epoch in the middle of a transaction. The coordinator aborts what it knows of and begins
// another transaction with what comes; the client takes it for the same.
func (t *transactions) bumpInside() {
	if t.renew {
		return
	}
	t.renew = true
	s := t.initStep(wire.ProducerID{}) // as to a broker before 2.5, which takes no expectation (KIP-360)
	s.outcome = nil
	s.then = func(reply any) error {
		id := reply.(wire.InitProducerReply).Producer
		t.c.ids.ProducerID, t.renew, t.started = id, false, false
		for _, p := range t.c.parts {
			p.renumber(id)
			if p.in != outside {
				p.in = used
			}
		}
		return nil
	}
	t.queue(s)
}

// joins lists the partitions that the coordinator is to be told of.
func (t *transactions) joins() (list []wire.TopicPartition) {
	for _, p := range t.c.parts {
		if p.in == used {
			p.in = joining
			list = append(list, wire.TopicPartition{Topic: p.topic.name, Partition: p.index})
		}
	}
	return list
}

// told notes what came of telling.
func (t *transactions) told(list []wire.TopicPartition, to membership) {
	for _, p := range t.c.parts {
		if slices.Contains(list, wire.TopicPartition{Topic: p.topic.name, Partition: p.index}) && p.in == joining {
			p.in = to
		}
	}
}
