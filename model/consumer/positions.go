package consumer

import (
	"errors"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// fetchState of a partition says what it takes until records can be read. It is Kafka's FetchState.
type fetchState uint8

const (
	initializing fetchState = iota // the group's position is asked for
	resetting                      // there is none, or not in the log: by the policy, the log is asked for its begin or end
	validating                     // the leader has changed: it is asked whether its log has what the member has read (KIP-320)
	ready
	unreadable // no position, and the policy is none: until somebody seeks
)

// partition is one partition of the share. The object lives as long as one assignment: what is on its way for an earlier
// one finds it gone.
type partition struct {
	id        int
	name      string
	state     fetchState
	gone      bool
	announced bool  // the application knows of it
	assigned  int64 // fact
	asking    bool  // a request for its position or place is under way, or waits for its backoff
	tried     bool  // one has failed

	position    int64 // next to hand out
	epoch       int32 // of the leader under which the record before it was written; -1 = not known
	leaderEpoch int32 // under which the position is good; -1 = not known
	next        int64 // next to fetch: behind what is buffered
	validated   int64 // position that is being validated
	version     int   // of the position: what was fetched for another one is dropped
	sent        int64 // position that was committed last, or is on its way
	owed        int64 // position of a commit that a rebalance has refused; 0 = none
	last        int64 // fact of the last delivery, of
	lastEvent   string
	epochs      []epochStart
}

// epochStart is the first offset that the member has read of a leader epoch.
type epochStart struct {
	from  int64
	epoch int32
}

// epochsKept is how many leader epochs back the epoch of a commit is known.
const epochsKept = 8

func (c *Consumer) newPartition(id int) *partition {
	return &partition{id: id, name: model.PartitionName(c.opts.Topic, id), position: -1, epoch: -1, leaderEpoch: -1, next: -1, sent: -1}
}

// settled says whether the search for the position is over.
func (p *partition) settled() bool { return p.state == ready || p.state == unreadable }

// moveTo sets the position; what was fetched for the old one is nothing any more.
func (p *partition) moveTo(offset int64, epoch int32) {
	p.position, p.epoch = offset, epoch
	p.epochs = p.epochs[:0]
	p.refetch()
}

// refetch has everything from the position on fetched anew.
func (p *partition) refetch() {
	p.next = p.position
	p.version++
}

// passed moves the position on, behind a record or behind what is nobody's to read.
func (p *partition) passed(next int64, epoch int32) {
	if n := len(p.epochs); n == 0 || p.epochs[n-1].epoch != epoch {
		if n == epochsKept {
			p.epochs = append(p.epochs[:0], p.epochs[1:]...)
		}
		p.epochs = append(p.epochs, epochStart{p.position, epoch})
	}
	p.position, p.epoch = next, epoch
}

// epochBefore is the leader epoch of the record before an offset; -1 = not known.
func (p *partition) epochBefore(offset int64) int32 {
	if offset == p.position {
		return p.epoch
	}
	for i := len(p.epochs) - 1; i >= 0; i-- {
		if p.epochs[i].from < offset {
			return p.epochs[i].epoch
		}
	}
	return -1
}

// askPositions asks the group for the positions of the partitions that have none yet. What the member remembers of a
// partition says nothing of what another one has done to it since.
func (c *Consumer) askPositions() {
	var which []*partition
	var ask []wire.TopicPartition
	for _, p := range c.owned {
		if p.state == initializing && !p.asking {
			which = append(which, p)
			ask = append(ask, wire.TopicPartition{Topic: c.opts.Topic, Partition: p.id})
		}
	}
	if len(which) == 0 {
		return
	}
	to := c.coordinator()
	if to == nil {
		return
	}
	occupy(which)
	req := wire.OffsetsRequest{Group: c.opts.Group, RequireStable: c.opts.RequireStable, Partitions: ask}
	c.n.Call(to, c.ops.offsets, sim.Action{}, req, 0, c.opts.RequestTimeout, func(reply any, _ int64, err error) {
		if err != nil {
			c.lostCoordinator(err)
			c.tryLater(which...)
			return
		}
		c.resume()
		for i, o := range reply.(wire.OffsetsReply).Offsets {
			c.committed(which[i], o)
		}
		c.proceed()
	})
}

func occupy(which []*partition) {
	for _, p := range which {
		p.asking = true
	}
}

// committed begins at the group's position.
func (c *Consumer) committed(p *partition, o wire.CommittedOffset) {
	switch {
	case o.Err != nil:
		c.tryLater(p)
		return
	case o.Offset < 0:
		c.reset(p, "no committed position")
	default:
		p.moveTo(o.Offset, o.Epoch)
		p.state, p.sent = ready, o.Offset
	}
	if c.opts.Planted.Has(model.InMemoryCheckpoint) {
		c.fromMemory(p)
	}
	p.asking = false
}

// fromMemory is the planted bug in-memory-checkpoint.
func (c *Consumer) fromMemory(p *partition) {
	for _, o := range c.former {
		if o.Partition == p.id {
			p.moveTo(o.Offset, -1)
			p.state = ready
		}
	}
}

// reset looks for another position, by the policy. Why is what the application is told if there is none.
func (c *Consumer) reset(p *partition, why string) {
	p.refetch()
	if c.opts.Reset != ResetNone {
		p.state = resetting
		return
	}
	p.state = unreadable
	c.n.Record(history.Fact{Kind: history.KindGaveUp, Resource: p.name, Offset: p.position, Fence: c.generation, Note: why})
}

// askPlaces asks leaders for the begin or the end of their logs.
func (c *Consumer) askPlaces() {
	for _, p := range c.owned {
		if p.state != resetting || p.asking {
			continue
		}
		leader, _ := c.cluster.Leader(c.opts.Topic, p.id)
		if leader == nil {
			c.leaderless(p)
			continue
		}
		var which []*partition
		req := wire.ListOffsetsRequest{At: wire.Latest, Isolation: c.opts.Isolation}
		if c.opts.Reset == ResetEarliest {
			req.At = wire.Earliest
		}
		for _, q := range c.owned {
			if at, _ := c.cluster.Leader(c.opts.Topic, q.id); at == leader && q.state == resetting && !q.asking {
				which = append(which, q)
				req.Partitions = append(req.Partitions, wire.TopicPartition{Topic: c.opts.Topic, Partition: q.id})
			}
		}
		occupy(which)
		c.n.Call(leader, c.ops.list, sim.Action{}, req, 0, c.opts.RequestTimeout, func(reply any, _ int64, err error) { c.placed(which, reply, err) })
	}
}

// placed begins where the policy says.
func (c *Consumer) placed(which []*partition, reply any, err error) {
	if err != nil {
		c.cluster.Stale(c.opts.Topic)
		c.tryLater(which...)
		return
	}
	c.resume()
	for i, o := range reply.(wire.ListOffsetsReply).Results {
		p := which[i]
		switch {
		case o.Err != nil:
			c.cluster.Stale(c.opts.Topic)
			c.tryLater(p)
		case p.state != resetting: // somebody has sought
			p.asking = false
		default:
			p.moveTo(o.Offset, -1)
			p.asking, p.state = false, ready
		}
	}
	c.proceed()
}

// leads notes under which epoch a partition is led, and has the position validated if that is a new one: the new leader's
// log may lack what the member has read (KIP-320).
func (c *Consumer) leads(p *partition, leader *sim.Node, epoch int32) {
	if p.leaderEpoch == epoch {
		return
	}
	p.leaderEpoch = epoch
	if p.epoch < 0 {
		return // nothing to compare
	}
	p.state, p.validated = validating, p.position
	if !c.opts.Defects.Has(model.FetchDuringValidation) {
		p.refetch()
	}
	c.validate(p, leader)
}

// validate asks the leader where the epoch of the last record that was read ends in its log.
func (c *Consumer) validate(p *partition, leader *sim.Node) {
	p.asking = true
	req := wire.EpochEndRequest{Topic: c.opts.Topic, Partition: p.id, CurrentEpoch: p.leaderEpoch, Epoch: p.epoch}
	c.n.Call(leader, c.ops.epochEnd, sim.Action{}, req, 0, c.opts.RequestTimeout, func(reply any, _ int64, err error) {
		switch {
		case p.gone || p.state != validating: // given up, or somebody has sought
			p.asking = false
		case err != nil:
			c.cluster.Stale(c.opts.Topic)
			c.tryLater(p)
			return
		default:
			p.asking = false
			c.resume()
			c.goOn(p, reply.(wire.EpochEndReply))
		}
		c.proceed()
	})
}

// goOn goes on, at the validated position or at the one where the log of the leader parts from what was read.
func (c *Consumer) goOn(p *partition, at wire.EpochEndReply) {
	p.state = ready
	switch {
	case at.End >= p.validated:
		p.position = p.validated // nothing was handed out meanwhile, but with the defect fetch-during-validation
		p.refetch()
	case c.opts.Reset == ResetNone:
		c.reset(p, "the log was truncated below the position")
	case at.End < 0:
		c.reset(p, "")
	default:
		p.moveTo(at.End, at.Epoch)
	}
}

// leaderless waits for a partition to be led.
func (c *Consumer) leaderless(p *partition) {
	if c.cluster.Partitions(c.opts.Topic) == 0 {
		c.cluster.Refresh(c.opts.Topic, nil)
	} else {
		c.cluster.Stale(c.opts.Topic)
	}
	c.tryLater(p)
}

// tryLater has the partitions asked for again after the backoff, which they share.
func (c *Consumer) tryLater(which ...*partition) {
	for _, p := range which {
		p.asking, p.tried = true, true
		c.held = append(c.held, p)
	}
	if c.retrying {
		return
	}
	c.retrying = true
	c.tries++
	c.n.AfterBackground(c.wait(c.tries), func() {
		c.retrying = false
		for i, p := range c.held {
			p.asking = false
			c.held[i] = nil
		}
		c.held = c.held[:0]
		c.proceed()
	})
}

// resume notes that something is answered again.
func (c *Consumer) resume() { c.tries = 0 }

// proceed goes on with what waits in the share, in an event of the node: the loop may be at work.
func (c *Consumer) proceed() {
	switch {
	case c.ended:
	case c.polling && c.unannounced():
		c.rouse(false)
		c.search()
	case c.polling:
		c.pump()
	default:
		c.search()
	}
}

func (c *Consumer) unannounced() bool {
	for _, p := range c.owned {
		if !p.announced {
			return true
		}
	}
	return false
}

// search asks for all positions and places that are lacking.
func (c *Consumer) search() {
	c.askPositions()
	c.askPlaces()
	for _, p := range c.owned {
		if p.state != validating || p.asking {
			continue
		}
		if leader, epoch := c.cluster.Leader(c.opts.Topic, p.id); leader != nil {
			p.leaderEpoch = epoch
			c.validate(p, leader)
		} else {
			c.leaderless(p)
		}
	}
}

// outOfRange is the leader's answer to a position that its log does not hold.
func (c *Consumer) outOfRange(p *partition) {
	if p.next != p.position { // what was prefetched ends where the log does: read that first
		p.refetch()
		return
	}
	c.reset(p, wire.ErrOffsetOutOfRange.Error())
}

// contradicts says whether the error is a leader's word that metadata is out of date.
func contradicts(err error) bool {
	return errors.Is(err, wire.ErrNotLeader) || errors.Is(err, wire.ErrFencedLeaderEpoch) || errors.Is(err, wire.ErrUnknownTopic) || errors.Is(err, wire.ErrLeaderNotAvailable) ||
		errors.Is(err, wire.ErrOffsetNotAvailable)
}
