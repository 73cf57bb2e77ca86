package consumer

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// fetches is what the member has asked leaders for and what has come of it.
type fetches struct {
	leaders  []*leader
	queue    []completed // what has come, in order
	held     []*partition
	retrying bool // the timer that lets them go is armed
	tries    int
	pumping  bool // a pump waits for its event
}

// leader is a broker that leads partitions of the share. One fetch at a time is parked there.
type leader struct {
	node     *sim.Node
	fetching bool
	waiting  bool // for the backoff
	failures int
	asked    []fetchedPartition // of the fetch under way
	from     []wire.FetchFrom   // of the last request, which others may hold: never changed
	req      any                // that request
	draft    []wire.FetchFrom
	then     func(reply any, fact int64, err error)
}

// fetchedPartition is one partition of a fetch, as it was asked for.
type fetchedPartition struct {
	p       *partition
	version int
	from    int64
}

// completed is what a fetch has brought of one partition.
type completed struct {
	p       *partition
	version int
	batches []wire.Batch
	batch   int // next one
	record  int // of it
	filter
}

// pump asks for all that the share lacks: positions, and records. Nothing happens in it but requests, which are
// background work: they wait at brokers.
func (c *Consumer) pump() {
	if c.ended {
		return
	}
	c.search()
	if c.lost || c.n.Stopping() {
		if c.n.Stopping() {
			c.rouse(false)
		}
		return
	}
	for _, p := range c.owned {
		if !c.wanted(p) {
			continue
		}
		node, epoch := c.cluster.Leader(c.opts.Topic, p.id)
		if node == nil {
			c.leaderless(p)
			continue
		}
		if c.leads(p, node, epoch); p.state != ready {
			continue
		}
		l := c.leader(node)
		if l.fetching || l.waiting {
			continue
		}
		if len(l.draft) == 0 {
			l.asked = l.asked[:0]
		}
		l.draft = append(l.draft, wire.FetchFrom{Topic: c.opts.Topic, Partition: p.id, Offset: p.next, CurrentEpoch: epoch})
		l.asked = append(l.asked, fetchedPartition{p, p.version, p.next})
	}
	for _, l := range c.leaders {
		if len(l.draft) > 0 {
			c.fetch(l)
		}
	}
}

// wanted says whether records of the partition are to be fetched.
func (c *Consumer) wanted(p *partition) bool {
	if p.state != ready || p.asking || !p.announced || c.steering.Skip != nil && c.steering.Skip(p.id) {
		return false
	}
	if c.opts.Prefetch == 0 {
		return p.next == p.position
	}
	return p.next-p.position < int64(c.opts.Prefetch)
}

func (c *Consumer) leader(node *sim.Node) *leader {
	for _, l := range c.leaders {
		if l.node == node {
			return l
		}
	}
	l := &leader{node: node}
	l.then = func(reply any, _ int64, err error) { c.fetched(l, reply, err) }
	c.leaders = append(c.leaders, l)
	return l
}

// fetch parks a request at the leader. One that is the same as the last is that one: an idle member makes nothing new.
func (c *Consumer) fetch(l *leader) {
	if l.req == nil || !slices.Equal(l.from, l.draft) {
		l.from = slices.Clone(l.draft)
		l.req = wire.FetchRequest{Isolation: c.opts.Isolation, MaxWait: c.opts.FetchMaxWait, MaxRecords: c.opts.FetchRecords, From: l.from}
	}
	l.draft = l.draft[:0]
	l.fetching = true
	c.n.CallBackground(l.node, c.ops.fetch, sim.Action{}, l.req, 0, c.opts.RequestTimeout, l.then)
}

// fetching says whether an answer of a broker is to come that will wake the loop.
func (c *Consumer) fetching() bool {
	for _, l := range c.leaders {
		if l.fetching {
			return true
		}
	}
	return false
}

// fetched is the answer, or that there was none.
func (c *Consumer) fetched(l *leader, reply any, err error) {
	l.fetching = false
	if err != nil {
		c.failed(l)
		return
	}
	l.failures = 0
	records := false
	for i := range reply.(wire.FetchReply).Partitions {
		f := &reply.(wire.FetchReply).Partitions[i]
		for _, a := range l.asked {
			if a.p.id == f.Partition && c.take(a, f) {
				records = true
			}
		}
	}
	switch {
	case records && c.polling, c.steering.Enough != nil:
		c.rouse(records)
	case c.polling:
		c.pump()
	}
	if c.opts.Prefetch > 0 && !c.polling {
		c.pumpSoon()
	}
}

// pumpSoon goes on fetching while the loop works: in an event of its own, which is background work.
func (c *Consumer) pumpSoon() {
	if c.pumping {
		return
	}
	c.pumping = true
	c.n.AfterBackground(0, func() {
		c.pumping = false
		c.pump()
	})
}

// failed waits and tries again: the leader may be another by then.
func (c *Consumer) failed(l *leader) {
	c.cluster.Stale(c.opts.Topic)
	c.cluster.Avoid(l.node)
	l.failures++
	l.waiting = true
	c.n.AfterBackground(c.wait(l.failures), func() {
		l.waiting = false
		c.proceed()
	})
	c.rouse(false)
}

// take keeps what has come of one partition, if it still is what the member waits for. It reports whether there are
// records.
func (c *Consumer) take(a fetchedPartition, f *wire.Fetched) bool {
	p := a.p
	if p.gone || p.version != a.version || p.next != a.from {
		return false
	}
	if f.Err != nil {
		c.fetchFailed(p, f.Err)
		return false
	}
	if len(f.Batches) == 0 {
		return false
	}
	c.resume()
	c.queue = append(c.queue, completed{p: p, version: p.version, batches: f.Batches, filter: newFilter(c.opts.Isolation, f.Aborted)})
	p.next = max(p.next, f.Batches[len(f.Batches)-1].Next())
	return true
}

func (c *Consumer) fetchFailed(p *partition, err error) {
	switch {
	case errors.Is(err, wire.ErrOffsetOutOfRange):
		c.outOfRange(p)
		return
	case contradicts(err):
		c.cluster.Stale(c.opts.Topic)
	}
	c.tryLater(p)
}
