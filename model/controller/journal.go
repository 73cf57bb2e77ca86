package controller

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// The disk holds one file, the metadata log: a sealed record per change with the states that it left. What is decided is
// told when its record is durable, in order; what is asked meanwhile is answered behind it.
const metadataFile = "metadata"

type journal struct {
	ids    bool // the next block of producer ids has moved
	queued []*change
}

// change is what one event has decided.
type change struct {
	version    int64
	brokers    []wire.BrokerState
	partitions []wire.PartitionState
	where      []*partition
	then       []func()
}

// commit makes durable what was changed since the last commit and tells it then. then, which may be nil, runs behind that,
// or at once if there is nothing to wait for.
func (c *Controller) commit(then func()) {
	ch := c.collect()
	switch {
	case ch != nil:
		if then != nil {
			ch.then = append(ch.then, then)
		}
		c.journal.queued = append(c.journal.queued, ch)
		c.n.Append(metadataFile, c.record(ch), sim.Action{}, nil)
		c.n.Fsync(metadataFile, sim.Action{}, c.durable)
	case then == nil:
	case len(c.journal.queued) > 0:
		last := c.journal.queued[len(c.journal.queued)-1]
		last.then = append(last.then, then)
	default:
		then()
	}
}

// collect takes what is dirty into a change of a new version; nil = nothing is.
func (c *Controller) collect() *change {
	ch := &change{version: c.version + 1}
	for _, b := range c.brokers {
		if b.dirty {
			b.dirty = false
			ch.brokers = append(ch.brokers, b.state())
		}
	}
	for _, p := range c.partitions {
		if p.dirty {
			p.dirty = false
			ch.partitions, ch.where = append(ch.partitions, p.PartitionState), append(ch.where, p)
		}
	}
	if len(ch.brokers)+len(ch.partitions) == 0 && !c.journal.ids {
		return nil
	}
	c.journal.ids = false
	c.version++
	return ch
}

// durable publishes the oldest change that was not: fsyncs complete in order.
func (c *Controller) durable() {
	ch := c.journal.queued[0]
	c.journal.queued = c.journal.queued[1:]
	c.told = ch.version
	for _, s := range ch.brokers {
		c.broker(s.Broker).told = s
	}
	for i, p := range ch.where {
		p.told, p.since = ch.partitions[i], ch.version
	}
	for _, then := range ch.then {
		then()
	}
	c.wake()
	c.armTimers()
}

// record is a change as the disk holds it.
func (c *Controller) record(ch *change) string {
	var out []byte
	numbers := func(ns ...int64) {
		for _, n := range ns {
			out = model.AppendNumber(out, n)
		}
	}
	list := func(ids []int32) {
		numbers(int64(len(ids)))
		for _, id := range ids {
			numbers(int64(id))
		}
	}
	numbers(ch.version, c.nextID, int64(len(ch.brokers)))
	for _, b := range ch.brokers {
		numbers(int64(b.Broker), b.Epoch, truth(b.Fenced)|truth(b.Stopping)<<1, int64(c.broker(b.Broker).incarnation))
	}
	numbers(int64(len(ch.partitions)))
	for _, p := range ch.partitions {
		out = model.AppendText(out, p.Topic)
		numbers(int64(p.Partition), int64(p.Leader), int64(p.LeaderEpoch), int64(p.PartitionEpoch), truth(p.Unclean))
		list(p.Replicas)
		list(p.ISR)
		list(p.ELR)
		list(p.LastKnownELR)
	}
	return model.Seal(out)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// settle makes durable what a boot has read, which after a kill may be in the page cache only. Nothing is told before.
func (c *Controller) settle() {
	c.journal.queued = []*change{{version: c.version}}
	c.n.Fsync(metadataFile, sim.Action{}, c.durable)
}

// replay reads the metadata log; false = there is none.
func (c *Controller) replay() (any bool) {
	for _, record := range c.n.Disk().Read(metadataFile) {
		in, whole := model.Open(record)
		if !whole {
			break // torn: it was never told
		}
		any = true
		c.version, c.nextID = in.Number(), in.Number()
		for range in.Number() {
			b := c.broker(int32(in.Number()))
			epoch, flags := in.Number(), in.Number()
			b.epoch, b.fenced, b.stopping, b.incarnation = epoch, flags&1 != 0, flags&2 != 0, int32(in.Number())
			b.stopAt = c.version
		}
		for range in.Number() {
			c.restore(takeState(&in))
		}
	}
	return any
}

func takeState(in *model.Fields) (s wire.PartitionState) {
	list := func() (ids []int32) {
		for range in.Number() {
			ids = append(ids, int32(in.Number()))
		}
		return ids
	}
	s.Topic, s.Partition = in.Text(), int(in.Number())
	s.Leader, s.LeaderEpoch, s.PartitionEpoch, s.Unclean = int32(in.Number()), int32(in.Number()), int32(in.Number()), in.Number() == 1
	s.Replicas, s.ISR, s.ELR, s.LastKnownELR = list(), list(), list(), list()
	return s
}

func (c *Controller) restore(s wire.PartitionState) {
	p := c.find(s.Topic, s.Partition)
	if p == nil {
		p = &partition{}
		for i := range c.cfg.Topics {
			if c.cfg.Topics[i].Name == s.Topic {
				p.topic = &c.cfg.Topics[i]
			}
		}
		c.partitions = append(c.partitions, p)
	}
	p.PartitionState = s
}

// States are the partitions as the disk of a controller has them, which may be down.
func States(n *sim.Node) (out []wire.PartitionState) {
	for _, record := range n.Disk().Read(metadataFile) {
		in, whole := model.Open(record)
		if !whole {
			break
		}
		in.Number()
		in.Number()
		for range 4 * in.Number() {
			in.Number()
		}
		for range in.Number() {
			out = upsert(out, takeState(&in))
		}
	}
	return out
}

func upsert(states []wire.PartitionState, s wire.PartitionState) []wire.PartitionState {
	for i := range states {
		if states[i].Topic == s.Topic && states[i].Partition == s.Partition {
			states[i] = s
			return states
		}
	}
	return append(states, s)
}
