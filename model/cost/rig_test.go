package cost_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/cost"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// A rig is nodes that are busy for as long as a profile says and send each other what a producer, a leader, its followers, a
// coordinator and a consumer send: nothing in it knows the formulas. It is what Estimate is held to.
type rig struct {
	profile cost.Profile
	flow    cost.Flow
	w       *sim.World
	client  *sim.Node
	leader  *leader
	coord   *coordinator
	begun   []sim.Time // when the client took the first message of each batch, or of each transaction
	seen    []sim.Time // when the consumer had it
}

func newRig(t *testing.T, p cost.Profile, f cost.Flow) *rig {
	g := &rig{profile: p, flow: f, w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(p.OneWay.N)})}
	t.Cleanup(g.w.Close)
	leaderNode := g.w.Role("leader", func(n *sim.Node) sim.Handler {
		g.leader = &leader{g: g, n: n, log: newLog(g, n, f.Replicas), connection: newServer(1)}
		return g.leader
	})
	coordNode := g.w.Role("coordinator", func(n *sim.Node) sim.Handler {
		g.coord = &coordinator{g: g, n: n, log: newLog(g, n, int(p.TxnReplicas.N))}
		return g.coord
	})
	g.client = g.w.Role("client", func(n *sim.Node) sim.Handler {
		c := &client{g: g, n: n, uplink: newServer(1)}
		n.Go("application", c.application)
		return sim.NoHandler()
	})
	leaderNode.Boot()
	coordNode.Boot()
	g.followers(leaderNode, f.Replicas-1)
	g.followers(coordNode, int(p.TxnReplicas.N)-1)
	consumer := g.w.Role("consumer", func(n *sim.Node) sim.Handler {
		n.Go("poll", func(p *sim.Proc) { g.consume(p, leaderNode) })
		return sim.NoHandler()
	})
	consumer.Boot()
	g.w.At(sim.Time(10*sim.Millisecond), sim.PhaseFault, g.client.Boot) // all that fetch wait by then
	return g
}

func (g *rig) op(name string) sim.Op { return g.w.Op("rig." + name) }

func (g *rig) call(p *sim.Proc, to *sim.Node, op string, body any) (any, error) {
	reply, _, err := p.Call(to, g.op(op), sim.Action{}, body, 0, sim.Hour)
	return reply, err
}

// clientTime and those below are for how long a party is busy: the figures of the profile, and BrokerCost, which worlds use.
func (g *rig) clientTime(requests, records, bytes int) sim.Duration {
	return g.profile.Client.Time(requests, records, bytes)
}

func (g *rig) brokerTime(records, bytes int) sim.Duration {
	return g.profile.BrokerCost()(1, records, bytes)
}

func (g *rig) linkTime(bytes int) sim.Duration {
	return sim.Duration(int64(bytes) * int64(sim.Second) / g.profile.Bandwidth.N)
}

func (g *rig) consume(p *sim.Proc, from *sim.Node) {
	for {
		upTo, err := g.call(p, from, "consume", len(g.seen))
		for err == nil && len(g.seen) < upTo.(int) {
			g.seen = append(g.seen, p.World().Now())
		}
	}
}

// entry is a batch as logs have it; a transaction's marker has no records.
type entry struct{ records, bytes, txn int }

// followers fetch, append, and fetch again, which tells the leader.
func (g *rig) followers(of *sim.Node, n int) {
	for i := range n {
		f := g.w.Role("follower-of-"+of.Role(), func(n *sim.Node) sim.Handler {
			n.Go("fetcher", func(p *sim.Proc) {
				for offset := 0; ; {
					reply, err := g.call(p, of, "fetch", fetch{i, offset})
					if err != nil {
						continue
					}
					got := reply.([]entry)
					records, bytes := 0, 0
					for _, e := range got {
						records, bytes = records+e.records, bytes+e.bytes
					}
					p.Sleep(g.brokerTime(records, bytes))
					offset += len(got)
				}
			})
			return sim.NoHandler()
		})
		f.Boot()
	}
}

type fetch struct{ follower, offset int }

// log is a leader's: what its followers have, and who waits for that.
type log struct {
	g       *rig
	n       *sim.Node
	link    *server
	entries []entry
	known   []int // offset of each follower's last fetch
	parked  []*sim.Request
	high    int
	waiting []waiting // by upTo
}

type waiting struct {
	upTo int
	then func()
}

func newLog(g *rig, n *sim.Node, replicas int) *log {
	return &log{g: g, n: n, link: newServer(1), known: make([]int, replicas-1), parked: make([]*sim.Request, replicas-1)}
}

// append calls then when all replicas have the entry.
func (l *log) append(e entry, then func()) {
	l.entries = append(l.entries, e)
	l.waiting = append(l.waiting, waiting{len(l.entries), then})
	for i := range l.parked {
		l.serve(i)
	}
	l.advance()
}

func (l *log) fetched(r *sim.Request) {
	l.n.After(l.g.brokerTime(0, 0), func() {
		f := r.Body.(fetch)
		l.known[f.follower], l.parked[f.follower] = f.offset, r
		l.advance()
		l.serve(f.follower)
	})
}

// serve answers a fetch that waits with all that there is.
func (l *log) serve(follower int) {
	r, from := l.parked[follower], l.known[follower]
	if r == nil || from == len(l.entries) {
		return
	}
	l.parked[follower] = nil
	bytes := 0
	got := append([]entry(nil), l.entries[from:]...)
	for _, e := range got {
		bytes += e.bytes
	}
	l.n.After(l.link.take(l.n.Now(), l.g.linkTime(bytes)), func() { r.Reply(got, 0) })
}

func (l *log) advance() {
	high := len(l.entries)
	for _, offset := range l.known {
		high = min(high, offset)
	}
	l.high = max(l.high, high)
	for len(l.waiting) > 0 && l.waiting[0].upTo <= l.high {
		then := l.waiting[0].then
		l.waiting = l.waiting[1:]
		then()
	}
}

// leader of the data. Requests of the producer's connection are handled one by one.
type leader struct {
	g          *rig
	n          *sim.Node
	log        *log
	connection *server
	joining    []*sim.Request // batches of a transaction that the coordinator was asked about
	joined     int            // the last transaction that it said yes to
	visible    int            // batches, or transactions, that a consumer may read
	consumer   *sim.Request
}

func (l *leader) Receive(_ *sim.Node, r *sim.Request) {
	switch r.Op {
	case "rig.fetch":
		l.log.fetched(r)
	case "rig.consume":
		l.consumer = r
		l.deliver()
	case "rig.marker":
		l.n.After(l.g.brokerTime(0, 0), func() {
			l.log.append(entry{}, func() {
				r.Reply(nil, 0)
				l.uncover()
			})
		})
	case "rig.produce":
		switch {
		case l.g.flow.Transaction == 0 || l.joined == r.Body.(entry).txn:
			l.produce(r)
		default:
			if l.joining = append(l.joining, r); len(l.joining) == 1 {
				l.join()
			}
		}
	}
}

// join asks the coordinator about the transaction of the first batch, again while it is at work with the one before.
func (l *leader) join() {
	op := [...]string{1: "verify", 2: "add"}[l.g.flow.Version]
	l.n.Call(l.g.coord.n, l.g.op(op), sim.Action{}, nil, 0, sim.Hour, func(_ any, _ int64, err error) {
		if err != nil {
			l.n.After(sim.Duration(l.g.profile.Backoff.N), l.join)
			return
		}
		l.joined = l.joining[0].Body.(entry).txn
		for _, r := range l.joining {
			l.produce(r)
		}
		l.joining = nil
	})
}

func (l *leader) produce(r *sim.Request) {
	e := r.Body.(entry)
	l.n.After(l.connection.take(l.n.Now(), l.g.brokerTime(e.records, e.bytes)), func() {
		l.log.append(e, func() {
			if l.g.flow.Acks == cost.AcksAll {
				r.Reply(nil, 0)
			}
			if l.g.flow.Transaction == 0 {
				l.uncover()
			}
		})
		if l.g.flow.Acks == cost.AcksLeader {
			r.Reply(nil, 0)
		}
	})
}

// uncover lets a consumer read one batch, or one transaction, more.
func (l *leader) uncover() {
	l.visible++
	l.deliver()
}

func (l *leader) deliver() {
	r := l.consumer
	if r == nil || r.Body.(int) >= l.visible {
		return
	}
	l.consumer = nil
	bytes := 0
	upTo := l.visible
	if l.g.flow.Transaction == 0 { // of a transaction's batches the consumer has all by then
		for _, e := range l.log.entries[r.Body.(int):upTo] {
			bytes += e.bytes
		}
	}
	l.n.After(l.g.linkTime(bytes), func() { r.Reply(upTo, 0) })
}

// coordinator of transactions of one producer.
type coordinator struct {
	g          *rig
	n          *sim.Node
	log        *log
	completing bool
}

var errConcurrent = errors.New("CONCURRENT_TRANSACTIONS")

func (c *coordinator) Receive(_ *sim.Node, r *sim.Request) {
	if r.Op == "rig.fetch" {
		c.log.fetched(r)
		return
	}
	c.n.After(c.g.brokerTime(0, 0), func() {
		switch r.Op {
		case "rig.verify":
			r.Reply(nil, 0)
		case "rig.add":
			if c.completing {
				r.Fail(errConcurrent, 0)
				return
			}
			c.log.append(entry{}, func() { r.Reply(nil, 0) })
		case "rig.end":
			c.completing = true
			c.log.append(entry{}, func() {
				r.Reply(nil, 0)
				c.complete()
			})
		}
	})
}

func (c *coordinator) complete() {
	c.n.Call(c.g.leader.n, c.g.op("marker"), sim.Action{}, nil, 0, sim.Hour, func(any, int64, error) {
		c.n.After(c.g.brokerTime(0, 0), func() {
			c.log.append(entry{}, func() { c.completing = false })
		})
	})
}

// client is the producing application and its sender.
type client struct {
	g      *rig
	n      *sim.Node
	uplink *server
	open   bool // batches may leave
	ready  int  // batches that wait to leave
	flying int
	more   sim.Signal
}

func (c *client) application(p *sim.Proc) {
	f := &c.g.flow
	for {
		c.g.begun = append(c.g.begun, p.World().Now())
		if f.Transaction == 0 {
			c.open = true
			c.batch(p)
			continue
		}
		if c.open = f.Version == 2; !c.open {
			p.Go("add partitions", c.addPartitions)
		}
		for range (f.Transaction + f.Batch - 1) / f.Batch {
			c.batch(p)
		}
		for c.flying+c.ready > 0 {
			p.Wait(&c.more, -1)
		}
		p.Sleep(c.g.clientTime(1, 0, 0))
		_, err := c.g.call(p, c.g.coord.n, "end", nil)
		if err != nil {
			panic(err)
		}
	}
}

func (c *client) addPartitions(p *sim.Proc) {
	for {
		p.Sleep(c.g.clientTime(1, 0, 0))
		if _, err := c.g.call(p, c.g.coord.n, "add", nil); err == nil {
			break
		}
		p.Sleep(sim.Duration(c.g.profile.Backoff.N))
	}
	c.open = true
	c.leave()
}

// batch makes one ready: busy for as long as the hook says.
func (c *client) batch(p *sim.Proc) {
	f := &c.g.flow
	p.Sleep(c.g.clientTime(1, f.Batch, c.bytes()))
	c.ready++
	c.leave()
	for f.Acks != cost.AcksNone && c.waits() {
		p.Wait(&c.more, -1)
	}
}

// waits: whoever awaits each acknowledgement begins nothing before it; others keep one batch ready, or those of a transaction.
func (c *client) waits() bool {
	switch {
	case c.g.flow.InFlight == 1:
		return c.ready+c.flying > 0
	case c.g.flow.Transaction > 0:
		return false
	}
	return c.ready > 0
}

func (c *client) bytes() int { return c.g.profile.Format.Wire(c.g.flow.Batch, c.g.flow.Payload) }

// leave sends what is ready and may leave.
func (c *client) leave() {
	f := &c.g.flow
	for c.open && c.ready > 0 && (f.Acks == cost.AcksNone || c.flying < f.InFlight) {
		c.ready--
		c.flying++
		c.n.After(c.uplink.take(c.n.Now(), c.g.linkTime(c.bytes())), c.send)
	}
}

func (c *client) send() {
	body := entry{c.g.flow.Batch, c.bytes(), len(c.g.begun)}
	if c.g.flow.Acks == cost.AcksNone {
		c.n.Send(c.g.leader.n, c.g.op("produce"), sim.Action{}, body, 0)
		c.answered()
		return
	}
	c.n.Call(c.g.leader.n, c.g.op("produce"), sim.Action{}, body, 0, sim.Hour, func(any, int64, error) { c.answered() })
}

func (c *client) answered() {
	c.flying--
	c.leave()
	c.more.Broadcast()
}

const warm = sim.Time(100 * sim.Millisecond)

// measure warms up and runs for d; the rate is that at which the client begins batches, or transactions.
func (g *rig) measure(t *testing.T, d sim.Duration) (perSecond int64) {
	t.Helper()
	require.Equal(t, sim.StopHorizon, g.w.Run(warm).Kind)
	first := len(g.begun) - 1
	require.Equal(t, sim.StopHorizon, g.w.Run(warm.Add(d)).Kind)
	last := len(g.begun) - 1
	require.Greater(t, last, first)
	of := max(g.flow.Batch, g.flow.Transaction)
	return int64(last-first) * int64(of) * int64(sim.Second) / int64(g.begun[last].Sub(g.begun[first]))
}

// visible is how long, in the mean, the batches or transactions that the consumer had since the warm-up took since they were begun.
func (g *rig) visible(t *testing.T) sim.Duration {
	t.Helper()
	var sum, n sim.Duration
	for i, at := range g.seen {
		if at >= warm {
			sum, n = sum+at.Sub(g.begun[i]), n+1
		}
	}
	require.NotZero(t, n)
	return sum / n
}
