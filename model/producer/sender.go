package producer

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// conn is the connection to one broker.
type conn struct {
	broker   *sim.Node
	socket   Socket
	flying   []*request
	notYet   sim.Time // refused: no attempt before
	refused  int      // times in a row
	again    sim.Time // of librdkafka: the attempt after the last one not before
	closed   int      // connections that it gave up, each not long after the one before
	opened   int      // connections that were given up in all: the number of this one
	awaits   bool     // told when the socket is writable
	wanted   bool     // a batch is due for it
	probed   int32    // incarnation at the last hand-over without acknowledgement; 0 = none
	incoming []*batch // scratch
}

// request is a produce request under way.
type request struct {
	conn    *conn
	act     sim.Action
	batches []*batch
	gone    bool // with its connection: what still comes of it is heard by nobody

	answered bool // and waits for the answers before it
	reply    any
	err      error
}

// wake has the sender look at the queues at a moment, if it would not do so before.
func (c *Client) wake(at sim.Time) {
	now := c.n.Now()
	at = max(at, now)
	if c.cfg.Defects.Has(model.WakesOnceASecond) { // nothing ends its wait for the sockets (socket.blocking.max.ms) but an answer
		const tick = sim.Time(sim.Second)
		at = (at + tick - 1) / tick * tick
	}
	if c.armed && c.at <= at {
		return
	}
	if c.armed {
		c.n.Cancel(c.timer)
	}
	c.armed, c.at = true, at
	c.timer = c.n.After(at.Sub(now), c.onWake)
}

func (c *Client) woken() {
	c.armed = false
	c.drain()
}

// flush has the sender send at once what waits for company, until nothing is outstanding.
func (c *Client) flush() {
	c.flushing = true
	c.wake(c.n.Now())
}

// drain is the sender's turn: what is too late ends, what was blocked gets its room, what is due is sent. It is called
// whenever something may have changed.
func (c *Client) drain() {
	now := c.n.Now()
	c.expire(now)
	c.resolve()
	c.identify(now)
	if c.txn != nil {
		c.txn.advance()
	}
	c.letIn()
	next := c.send(now)
	if c.Outstanding() == 0 {
		c.rest()
		return
	}
	for _, w := range c.waiting[:min(1, len(c.waiting))] {
		next = min(next, w.deadline)
	}
	if next = min(next, c.oldest); next != never {
		c.wake(next)
	}
}

// rest is how a client is that has nothing to do: no timer runs.
func (c *Client) rest() {
	c.flushing, c.oldest = false, never
	if c.armed {
		c.n.Cancel(c.timer)
		c.armed = false
	}
	c.empty.Broadcast()
	if c.txn != nil {
		c.txn.advance()
	}
}

// send hands over what is due and returns when the next is.
func (c *Client) send(now sim.Time) (next sim.Time) {
	next = never
	for _, p := range c.parts {
		if len(p.queue) == 0 {
			continue
		}
		at := c.due(p, now)
		if at > now {
			next = min(next, at)
			continue
		}
		if k := c.connect(p); k != nil {
			k.wanted = true
		}
	}
	for _, k := range c.conns {
		if !k.wanted {
			continue
		}
		k.wanted = false
		if k.notYet > now {
			next = min(next, k.notYet)
			continue
		}
		c.sendTo(k, now)
	}
	return next
}

// connect is the connection to a partition's leader; nil = none is known, and asked for.
func (c *Client) connect(p *partition) *conn {
	leader, _ := c.cluster.Leader(p.topic.name, p.index)
	if leader == nil {
		c.refresh(p.topic)
		return nil
	}
	return c.conn(leader)
}

func (c *Client) conn(broker *sim.Node) *conn {
	for _, k := range c.conns {
		if k.broker == broker {
			return k
		}
	}
	k := &conn{broker: broker, socket: stream{c.n, broker}}
	if c.cfg.Socket != nil {
		k.socket = c.cfg.Socket(broker)
	}
	c.conns = append(c.conns, k)
	return k
}

// sendTo hands requests to a connection as long as something is due for it and it takes more.
func (c *Client) sendTo(k *conn, now sim.Time) {
	for len(k.flying) < c.cfg.InFlight {
		batches, size := c.collect(k, now)
		if len(batches) == 0 {
			return
		}
		if !k.socket.Takes(size) {
			if !k.awaits {
				k.awaits = true
				k.socket.WhenWritable(func() {
					k.awaits = false
					c.drain()
				})
			}
			return
		}
		c.transmit(k, batches, size)
		if c.txn != nil && c.txn.state == FatalError {
			return
		}
	}
}

// due is when the first batch of a partition may be sent; never = it waits for something else, which drains again.
func (c *Client) due(p *partition, now sim.Time) sim.Time {
	b := p.queue[0]
	switch {
	case c.held(b):
		return never
	case b.notYet > 0:
		return b.notYet
	case c.flushing || len(p.queue) > 1 || len(c.waiting) > 0 || c.full(b):
		return now
	}
	return b.created.Add(c.cfg.Linger)
}

// held says whether a batch must wait for another one or for an identity.
func (c *Client) held(b *batch) bool {
	switch {
	case c.cfg.InFlight == 1 && len(b.part.flying) > 0:
		return true // with one request in flight the order is kept, whoever leads meanwhile
	case c.txn != nil && c.txn.holds(b):
		return true
	}
	return c.cfg.Idempotence && c.blocks(b)
}

// collect is the batches of the next request to a broker: if one is due, the first batch of each of its partitions
// goes with it, whether or not it has waited long enough (as in Java); or that one alone (as in librdkafka).
func (c *Client) collect(k *conn, now sim.Time) (batches []*batch, size int) {
	k.incoming = k.incoming[:0]
	wanted := false
	for _, p := range c.parts {
		if len(p.queue) == 0 {
			continue
		}
		at := c.due(p, now)
		if at == never || at > now && p.queue[0].notYet > 0 || c.connect(p) != k {
			continue
		}
		if at <= now {
			wanted = true
		} else if c.cfg.OnePartition {
			continue
		}
		k.incoming = append(k.incoming, p.queue[0])
		size += p.queue[0].bytes
		if c.cfg.OnePartition {
			break
		}
	}
	if !wanted {
		return nil, 0
	}
	return k.incoming, size
}

// transmit takes batches from their queues, numbers them, and hands them to the connection.
func (c *Client) transmit(k *conn, batches []*batch, size int) {
	first := &batches[0].messages[0]
	w := c.n.World()
	act := w.Act(first.Event, "", batches[0].part.topic.act)
	body := wire.ProduceRequest{Acks: c.cfg.Acks, Timeout: c.cfg.AckTimeout, Connection: k.opened, Size: size, Batches: make([]wire.ProduceBatch, len(batches))}
	if c.txn != nil {
		body.Transaction, body.TxnVersion, body.Name = c.cfg.Transaction, c.cfg.TransactionVersion, c.txn.name
	}
	for i, b := range batches {
		b.part.take(b)
		if c.cfg.Idempotence {
			c.number(b)
		}
		b.sent, b.renewed = true, false
		body.Batches[i] = wire.ProduceBatch{Topic: b.part.topic.name, Partition: b.part.index, Producer: b.id, Sequence: b.wireSequence(), Messages: b.messages}
	}
	if c.cfg.Acks == wire.AcksNone {
		c.handOver(k, batches, act, body, first.Cause)
		return
	}
	r := &request{conn: k, act: act, batches: slices.Clone(batches)}
	k.flying = append(k.flying, r)
	for _, b := range batches {
		b.flying = true
		b.part.flying = append(b.part.flying, b)
	}
	c.n.Call(k.broker, c.op, act, body, first.Cause, c.patience(batches[0]), func(reply any, _ int64, err error) {
		if !r.gone {
			c.hear(r, reply, err)
		}
	})
}

// What librdkafka gives a request whose first record is late already, and how often it looks for requests that are.
const (
	leastPatience = 100 * sim.Millisecond
	scanEvery     = sim.Second
)

// patience is how long a request is waited for before its connection is given up. librdkafka waits no longer than its first
// record may take (rd_kafka_ProduceRequest), and looks once a second (rd_kafka_broker_timeout_scan, here at whole seconds of the
// monotonic clock): what stands still for less than that second more is forgiven. So the first deadline closes a connection. The Java client
// gives the batch up then and keeps the connection until the request's own time is over.
func (c *Client) patience(first *batch) sim.Duration {
	if !c.cfg.PerRecord {
		return c.cfg.RequestTimeout
	}
	now := c.n.Now()
	late := max(now.Add(leastPatience), c.deadline(first))
	scan := late.Add(scanEvery - 1)
	return min(c.cfg.RequestTimeout, scan.Add(-sim.Duration(scan)%scanEvery).Sub(now))
}

// take takes the first batch out of the queue.
func (p *partition) take(b *batch) {
	if p.queue[0] != b {
		panic("producer: a batch was sent that is not the first of its queue")
	}
	p.queue[0] = nil
	p.queue = p.queue[1:]
}

// handOver is all there is to acks=0: a batch that the connection has taken is a success. Nobody hears of a leader that is
// gone but the connection, which has the metadata refreshed: until that tells of another one it goes on taking.
func (c *Client) handOver(k *conn, batches []*batch, act sim.Action, body wire.ProduceRequest, cause int64) {
	if k.probed == 0 {
		k.probed = k.broker.Incarnation()
	}
	if c.n.Probe(k.broker.Name(), k.probed) == sim.PeerGone {
		k.probed = 0
		c.cluster.Avoid(k.broker)
		for _, b := range batches {
			c.cluster.Stale(b.part.topic.name)
			c.refresh(b.part.topic)
		}
	}
	batches = slices.Clone(batches)
	c.n.Send(k.broker, c.op, act, body, cause)
	for _, b := range batches {
		c.answer(b, nil, nil, -1)
	}
}

// hear is what came of a request.
func (c *Client) hear(r *request, reply any, err error) {
	switch {
	case errors.Is(err, sim.ErrRefused):
		c.refuse(r.conn, r)
	case client.Unreachable(err):
		c.giveUp(r.conn, r, err)
	default:
		r.answered, r.reply, r.err = true, reply, err
		c.take(r.conn)
	}
	c.drain()
}

// take takes answers in the order of the requests. A connection is a stream: what is behind an answer that was lost is lost
// with it, when the connection is given up. If later answers counted, a log could take more batches behind one in doubt than
// the five that it remembers, and no longer know the one when it comes again.
func (c *Client) take(k *conn) {
	for len(k.flying) > 0 && k.flying[0].answered {
		r := k.flying[0]
		k.lands(r)
		k.refused = 0
		for i, b := range r.batches {
			res := wire.ProduceResult{Err: r.err, Base: -1}
			if r.err == nil {
				res = r.reply.(wire.ProduceReply).Results[i]
			}
			c.result(r, i, b, res)
		}
	}
}

// giveUp ends a connection that was reset, or on which a request was not answered in time, and all that is in flight on
// it.
func (c *Client) giveUp(k *conn, first *request, err error) {
	flying := k.flying
	k.flying = nil
	k.opened++
	if errors.Is(err, sim.ErrTimeout) {
		k.socket.Close()
		c.reopen(k)
	}
	c.cluster.Avoid(k.broker)
	for _, r := range flying {
		r.gone = true
		why := sim.ErrReset
		if r == first {
			why = err
		}
		for i, b := range r.batches {
			b.lands()
			c.result(r, i, b, wire.ProduceResult{Err: why, Base: -1})
		}
	}
}

// reopen says when a connection that was given up is made anew. librdkafka lets its reconnect backoff pass between two attempts and
// doubles it each time (rd_kafka_broker_update_reconnect_backoff), until none was needed for as long as its maximum, whether or not the
// attempt succeeded: where every connection comes to a standstill, it is without one most of the time.
func (c *Client) reopen(k *conn) {
	if !c.cfg.PerRecord {
		return
	}
	now := c.n.Now()
	if k.again.Add(c.cfg.ReconnectMax) < now {
		k.closed = 0
	}
	k.closed++
	k.notYet = max(k.notYet, now, k.again)
	k.again = k.notYet.Add(c.reconnect.After(k.closed))
}

// refuse notes that no connection can be made: nothing was sent, and it is tried again after the backoff of connections,
// which is no retry of the batches.
func (c *Client) refuse(k *conn, r *request) {
	k.lands(r)
	k.refused++
	k.notYet = c.n.Now().Add(c.reconnect.After(k.refused))
	c.cluster.Avoid(k.broker)
	for _, b := range r.batches {
		if !b.done {
			b.last = sim.ErrRefused
			c.cluster.Stale(b.part.topic.name)
			c.refresh(b.part.topic)
			c.requeue(b, true)
		}
	}
}

// lands takes a request from its connection, and its batches from the wire.
func (k *conn) lands(r *request) {
	i := slices.Index(k.flying, r)
	k.flying = slices.Delete(k.flying, i, i+1)
	for _, b := range r.batches {
		b.lands()
	}
}

// lands takes a batch from the wire; one that was answered meanwhile is no longer on it.
func (b *batch) lands() {
	b.flying = false
	if i := slices.Index(b.part.flying, b); i >= 0 {
		b.part.flying = slices.Delete(b.part.flying, i, i+1)
	}
}

// requeue puts a batch back: to its place, which one with a number has always, or in front of all.
func (c *Client) requeue(b *batch, place bool) {
	p := b.part
	i := 0
	for ; i < len(p.queue); i++ {
		q := p.queue[i]
		if b.sequence >= 0 && (q.sequence < 0 || q.sequence > b.sequence) {
			break
		}
		if b.sequence < 0 && (!place || q.order > b.order) {
			break
		}
	}
	p.queue = slices.Insert(p.queue, i, b)
}
