package broker

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// fetcher follows one leader in all the partitions that it leads, with one request at a time.
type fetcher struct {
	b        *Broker
	leader   int32
	replicas []*replica
	busy     bool // a request is under way, or what it brought is being written
	resting  bool // until a request that failed is tried again
	writing  int  // appends that have not returned
	turn     int  // counts the times that it had nothing to follow: a request of before is nobody's
	wrote    func()
}

func newFetcher(b *Broker, leader int32) *fetcher {
	f := &fetcher{b: b, leader: leader}
	f.wrote = f.appended
	return f
}

func (f *fetcher) add(rep *replica) { f.replicas = append(f.replicas, rep) }

// drop leaves a partition out from now on. With the last one the connection is closed.
func (f *fetcher) drop(rep *replica) {
	i := slices.Index(f.replicas, rep)
	f.replicas = slices.Delete(f.replicas, i, i+1)
	if len(f.replicas) == 0 {
		f.turn++
		f.busy, f.resting = f.writing > 0, false
	}
}

// run fetches, unless a request is under way: what joined since goes with the next one.
func (f *fetcher) run() {
	if f.busy || f.resting || f.b.epoch == 0 {
		return
	}
	from := make([]ReplicaFrom, 0, len(f.replicas))
	for _, rep := range f.replicas {
		if rep.resting || rep.reconciling || rep.failed {
			continue
		}
		from = append(from, ReplicaFrom{Topic: rep.topic.cfg.Name, Partition: rep.index, Offset: rep.log.End(),
			LastEpoch: rep.log.LastEpoch(), CurrentEpoch: rep.epoch, High: rep.log.High(), Start: rep.log.Start()})
	}
	if len(from) == 0 {
		return
	}
	f.busy = true
	b := f.b
	req := ReplicaFetchRequest{Broker: b.id, BrokerEpoch: b.epoch, MaxWait: b.cfg.FetchWait, From: from}
	turn := f.turn
	b.n.CallBackground(b.node(f.leader), b.op.fetch, sim.Action{}, req, 0, b.cfg.FetchTimeout, func(reply any, _ int64, err error) {
		if work := b.copying(reply); work > 0 {
			b.n.After(work, func() { f.heard(turn, reply, err) })
		} else {
			f.heard(turn, reply, err)
		}
	})
}

// heard takes a reply, unless the fetcher has had nothing to follow since.
func (f *fetcher) heard(turn int, reply any, err error) {
	if turn == f.turn {
		f.answered(reply, err)
	}
}

// answered takes a reply. The next fetch, which tells the leader how far this one came, goes when all of it is in the page cache.
func (f *fetcher) answered(reply any, err error) {
	if err != nil {
		f.rest()
		return
	}
	parts := reply.(ReplicaFetchReply).Partitions
	for i := range parts {
		got := &parts[i]
		rep := f.b.find(got.Topic, got.Partition)
		if rep != nil && rep.fetcher == f && rep.epoch == got.Epoch && rep.log.End() == got.Offset && !rep.reconciling {
			f.takePart(rep, got)
		}
	}
	if f.writing == 0 {
		f.busy = false
		f.run()
	}
}

// rest leaves the leader alone for a while after an error.
func (f *fetcher) rest() {
	f.busy, f.resting = false, true
	turn := f.turn
	f.b.n.AfterBackground(f.b.cfg.FetchBackoff, func() {
		if turn == f.turn {
			f.resting = false
			f.run()
		}
	})
}

func (f *fetcher) appended() {
	if f.writing--; f.writing == 0 {
		f.busy = false
		f.run()
	}
}

// takePart takes what one partition brought.
func (f *fetcher) takePart(rep *replica, got *ReplicaFetched) {
	switch {
	case got.Diverges:
		to, _ := rep.log.TruncationPoint(partition.ByMatchedEpoch, got.Parting)
		rep.truncate(to) // if that is not all, the next fetch diverges again
		return
	case errors.Is(got.Err, wire.ErrOffsetOutOfRange):
		rep.outOfRange(got)
		return
	case got.Err != nil:
		rep.pause()
		return
	}
	if len(got.Batches) > 0 && !rep.fits(&got.Batches[0]) {
		rep.failed = true
		return
	}
	for i := range got.Batches {
		f.writing++
		rep.replicate(&got.Batches[i], f.wrote)
	}
	rep.heed(got.High, got.Start)
}

// fits says whether the leader's batch can follow what is here. In logs that have parted without anybody's notice, as
// truncation could leave them before KIP-279, it need not: the leader's batch may begin before this log ends, or be of
// an older epoch. Kafka's fetcher then gives the partition up until there is another leader.
func (rep *replica) fits(batch *wire.Batch) bool {
	return batch.Base == rep.log.End() && batch.LeaderEpoch >= rep.log.LastEpoch()
}

// outOfRange follows a leader that has less, because it was elected uncleanly, or that no longer has what comes next.
func (rep *replica) outOfRange(got *ReplicaFetched) {
	if got.End < rep.log.End() {
		rep.truncate(got.End)
	} else {
		rep.startAt(got.Start)
	}
}

// pause leaves the partition out of fetches for a while: the leader, or this broker, knows of another epoch.
func (rep *replica) pause() {
	rep.resting = true
	f, epoch := rep.fetcher, rep.epoch
	rep.b.n.AfterBackground(rep.b.cfg.FetchBackoff, func() {
		if rep.fetcher == f && rep.epoch == epoch {
			rep.resting = false
			f.run()
		}
	})
}

// replicate appends a batch of the leader's. Its record on the disk is the leader's, byte by byte.
func (rep *replica) replicate(batch *wire.Batch, wrote func()) {
	rep.b.c.witness.replicated(rep, batch)
	act := sim.Action{}
	if len(batch.Messages) > 0 {
		act = rep.b.n.World().Peek(batch.Messages[0].Event, batch.Messages[0].Stage)
	}
	rep.take(*batch, act, wrote)
}

// heed follows the leader's watermark, which may be behind the follower's own after an election, and its log start.
func (rep *replica) heed(high, start int64) {
	if to := min(high, rep.log.End()); to != rep.log.High() && to >= rep.log.Start() {
		rep.log.SetHigh(to)
		rep.b.checkpoints.changed(rep.b)
	}
	if start > rep.log.Start() {
		rep.drop(start)
	}
}

// reconcile asks the leader where this log parts from its own, before anything is fetched: KIP-101 and KIP-279 before
// fetches could tell.
func (rep *replica) reconcile() {
	b, f, epoch := rep.b, rep.fetcher, rep.epoch
	last := rep.log.LastEpoch()
	if last < 0 {
		return
	}
	rep.reconciling = true
	req := wire.EpochEndRequest{Topic: rep.topic.cfg.Name, Partition: rep.index, CurrentEpoch: -1, Epoch: last}
	b.n.Call(b.node(f.leader), b.op.epochEnd, sim.Action{}, req, 0, b.cfg.FetchTimeout, func(reply any, _ int64, err error) {
		if rep.fetcher == f && rep.epoch == epoch {
			rep.reconciled(reply, err)
		}
	})
}

func (rep *replica) reconciled(reply any, err error) {
	if err != nil {
		f, epoch := rep.fetcher, rep.epoch
		rep.b.n.AfterBackground(rep.b.cfg.FetchBackoff, func() {
			if rep.fetcher == f && rep.epoch == epoch {
				rep.reconcile()
			}
		})
		return
	}
	to, done := rep.log.TruncationPoint(rep.b.cfg.Truncation, reply.(wire.EpochEndReply))
	rep.truncate(to)
	if !done && rep.log.LastEpoch() >= 0 {
		rep.reconcile()
		return
	}
	rep.reconciling = false
	rep.fetcher.run()
}
