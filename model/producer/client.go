package producer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// What a client tells of records that it has not sent. All are definite.
var (
	ErrExpired   = errors.New("delivery timeout, not sent")            // it waited in the queue all the time
	ErrQueueFull = errors.New("queue full")                            // librdkafka's _QUEUE_FULL
	ErrBlocked   = errors.New("no room or no metadata in time")        // max.block.ms is over
	ErrAborted   = errors.New("the transaction was aborted, not sent") // TransactionAbortedException
)

// Uncertain is the error of what may have been written, or may be yet: some try had an end that proves nothing. It is not
// model.Definite, whatever the last try said.
type Uncertain struct{ Last error }

// Error is that of the last try.
func (u *Uncertain) Error() string { return u.Last.Error() }

// Unwrap has it be a timeout too, so that nobody takes it for definite.
func (u *Uncertain) Unwrap() []error { return []error{u.Last, sim.ErrTimeout} }

// Result is what became of one record.
type Result struct {
	Err    error // nil = success in the meaning of Acks; an Uncertain; or a definite error
	Stored int64 // the fact of its append; 0 = not known
	Offset int64 // in its partition; -1 = not known
}

// Client is a producing client on a node: of an application, a consumer's handler, a relay. It ends with the incarnation of the
// node, and nobody answers for what it had then.
type Client struct {
	n       *sim.Node
	cfg     Settings
	cluster *client.Cluster
	op      sim.Op

	topics []*topic
	parts  []*partition // of all topics, in order of their first use
	conns  []*conn

	waiting  []*waiter // records for which there is no room or no metadata, in order
	buffered int       // bytes
	records  int       // in batches, not answered
	batches  int64     // made
	oldest   sim.Time  // no batch's delivery timeout ends before this
	flushing bool      // send at once what is there
	empty    sim.Signal

	timer  sim.Handle
	armed  bool
	at     sim.Time // when the timer is due
	onWake func()
	backoff,
	reconnect client.Backoff

	ids identity
	txn *transactions // nil = not transactional
}

// topic is what the client has of one.
type topic struct {
	name       string
	act        string // of its records' actions
	parts      []*partition
	refreshing bool
}

// Attach makes the client of a node that has just booted. The cluster's view may be shared with others on the node.
func Attach(n *sim.Node, cfg Settings, cluster *client.Cluster) *Client {
	if p := cfg.Problems(); len(p) > 0 {
		panic("producer: " + strings.Join(p, "; "))
	}
	c := &Client{n: n, cfg: cfg, cluster: cluster, op: n.World().Op(wire.Broker + "." + wire.OpProduce), oldest: never}
	c.onWake = c.woken
	c.backoff = client.NewBackoff(n, "producer", cfg.Backoff, cfg.BackoffMax)
	c.reconnect = client.NewBackoff(n, "reconnect", cfg.Reconnect, cfg.ReconnectMax)
	if cfg.Transaction != "" {
		c.txn = &transactions{c: c, count: cfg.Began}
	}
	if cfg.Defects.Has(model.SequenceForgotten) {
		cluster.OnMissing(c.forgetSequences)
	}
	return c
}

// never is a moment that does not come.
const never = sim.Time(1<<63 - 1)

// Enqueue hands a record over and waits for nothing: what has no room yet waits on a thread of its own, as it were. done
// is called once with what became of it, perhaps before Enqueue returns: when the record is refused at once. A
// transactional client takes records in a transaction only. The same key always goes to the same partition.
func (c *Client) Enqueue(name string, m model.Message, done func(Result)) { c.hand(name, m, done) }

// Send is Enqueue for a process, which waits until the record has room, at most for max.block.ms.
func (c *Client) Send(p *sim.Proc, name string, m model.Message, done func(Result)) {
	if w := c.hand(name, m, done); w != nil && !c.cfg.Unassigned {
		for !w.over {
			p.Wait(&w.more, -1)
		}
	}
}

// Publish hands a record over and waits for what becomes of it: the fact of its append, 0 if not known, or an error.
func (c *Client) Publish(p *sim.Proc, name string, m model.Message) (stored int64, err error) {
	var got Result
	var more sim.Signal
	has := false
	c.hand(name, m, func(r Result) {
		got, has = r, true
		more.Broadcast()
	})
	for !has {
		p.Wait(&more, -1)
	}
	return got.Stored, got.Err
}

// Flush sends at once what waits for company, and waits until everything handed over is answered.
func (c *Client) Flush(p *sim.Proc) {
	for c.Outstanding() > 0 {
		c.flush()
		p.Wait(&c.empty, -1)
	}
}

// Outstanding is how many records wait for an answer.
func (c *Client) Outstanding() int { return c.records + len(c.waiting) }

// Cluster is the client's view of the cluster.
func (c *Client) Cluster() *client.Cluster { return c.cluster }

// String tells the state for scripts and failures: the identity, and what waits where.
func (c *Client) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "producer %s", c.ids)
	for _, p := range c.parts {
		fmt.Fprintf(&b, "; %s %d queued, %d in flight, next %d", p.name(), len(p.queue), len(p.flying), p.seq.next)
	}
	return b.String()
}
