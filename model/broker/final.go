package broker

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/wire"
)

// FinalState records what the logs hold at the end, from the disks alone, so that it works while brokers are down. Of each
// partition that counts which leads, or would: states are the controller's. What it holds and more than half of the in-sync
// set too is held, from the position that the caller names on, which also says as what ("queue", "parked"); ok = false
// leaves a partition out. Records of transactions that were aborted, or never decided, are not held.
func (c *Cluster) FinalState(states []wire.PartitionState, position func(topic string, index int) (from int64, how string, ok bool)) {
	for i := range states {
		s := &states[i]
		if wire.Internal(s.Topic) {
			continue
		}
		if from, how, ok := position(s.Topic, s.Partition); ok {
			c.held(s, from, how)
		}
	}
}

// held records one partition.
func (c *Cluster) held(s *wire.PartitionState, from int64, how string) {
	leader := c.heir(s)
	log := c.read(leader, s)
	end := c.agreed(s, leader, log)
	name := model.PartitionName(s.Topic, s.Partition)
	aborted, doomed := log.Aborted(log.Start(), log.End()), map[int64]bool{}
	for _, b := range log.Batches() {
		if b.Next() > end {
			return
		}
		if slices.ContainsFunc(aborted, func(t wire.AbortedTxn) bool { return t.First == b.Base }) {
			doomed[b.Producer.ID] = true
		}
		if b.Control != wire.Data {
			delete(doomed, b.Producer.ID)
			continue
		}
		since, open := log.OpenSince(b.Producer.ID)
		if b.Transactional && (doomed[b.Producer.ID] || open && b.Base >= since) {
			continue
		}
		for k, m := range b.Messages {
			if offset := b.Base + int64(k); offset >= from {
				c.nodes[leader-1].Held(m.Event, m.Stage, name, how, offset)
			}
		}
	}
}

// heir is who leads, or who would first.
func (c *Cluster) heir(s *wire.PartitionState) int32 {
	if s.Leader != wire.NoLeader {
		return s.Leader
	}
	for _, ids := range [][]int32{s.ISR, s.ELR, s.LastKnownELR} {
		if len(ids) > 0 {
			return ids[0]
		}
	}
	return s.Replicas[0]
}

func (c *Cluster) read(id int32, s *wire.PartitionState) *partition.Log {
	log, _ := partition.Open(c.cfg.Log, c.nodes[id-1].Disk().Read(logFile(model.PartitionName(s.Topic, s.Partition))))
	return log
}

// agreed is the offset up to which more than half of the in-sync set hold what the leader holds.
func (c *Cluster) agreed(s *wire.PartitionState, leader int32, log *partition.Log) int64 {
	var common []int64
	for _, id := range s.ISR {
		end := log.End()
		if id != leader {
			end = commonEnd(log, c.read(id, s))
		}
		common = append(common, end)
	}
	if len(common) == 0 {
		return log.End()
	}
	slices.Sort(common)
	return common[(len(common)-1)/2]
}

// commonEnd is where two logs part: batches with one base and one epoch are the same.
func commonEnd(a, b *partition.Log) int64 {
	start := max(a.Start(), b.Start())
	if start > a.End() || start > b.End() {
		return min(a.End(), b.End())
	}
	x, y := a.Read(start, 0, a.End()), b.Read(start, 0, b.End())
	end := start
	for i := 0; i < len(x) && i < len(y) && x[i].Base == y[i].Base && x[i].LeaderEpoch == y[i].LeaderEpoch; i++ {
		end = x[i].Next()
	}
	return end
}
