package broker

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// ReplicaFetchRequest is a follower's long poll for all the partitions that it follows one leader in. It is answered when
// one of them has something, or after MaxWait on the leader's monotonic clock.
type ReplicaFetchRequest struct {
	Broker      int32
	BrokerEpoch int64
	MaxWait     sim.Duration
	From        []ReplicaFrom
}

// ReplicaFrom is one partition of it: the follower has all before Offset.
type ReplicaFrom struct {
	Topic        string
	Partition    int
	Offset       int64
	LastEpoch    int32 // of the follower's last batch, for truncation (KIP-595); -1 = it has none
	CurrentEpoch int32 // the leader epoch in which it follows, for fencing (KIP-320)
	High         int64 // the high watermark that it knows: an answer has a newer one
	Start        int64 // its log start offset, likewise
}

// ReplicaFetchReply has those partitions that have something to say.
type ReplicaFetchReply struct{ Partitions []ReplicaFetched }

// ReplicaFetched is one partition. Diverges says that the follower's log parts from the leader's, at the latest where
// Parting says; it truncates and fetches again.
type ReplicaFetched struct {
	Topic     string
	Partition int
	Epoch     int32 // CurrentEpoch of the request
	Offset    int64 // of the request
	Err       error
	Diverges  bool
	Parting   wire.EpochEndReply
	Batches   []wire.Batch
	High      int64
	Start     int64 // log start offset
	End       int64 // log end offset
}

// replicaPoll is a follower's fetch that is parked.
type replicaPoll struct {
	r     *sim.Request
	req   ReplicaFetchRequest
	timer sim.Handle
}

// replicaFetch answers a follower or parks its fetch. Data and watermark are read first; what the fetch says of the
// follower counts from then on, so that a follower learns of what it has made committed by its next fetch only.
func (b *Broker) replicaFetch(r *sim.Request, req *ReplicaFetchRequest) {
	q := &replicaPoll{r: r, req: *req}
	if old := b.polls[req.Broker-1]; old != nil { // its follower asks anew, so it does not wait for that one
		b.unpark(old)
		old.r.Reply(ReplicaFetchReply{}, 0)
	}
	if b.pastSession(req) {
		r.Fail(wire.ErrStaleBrokerEpoch, 0)
		return
	}
	reply := b.collectReplica(req)
	if len(reply) == 0 {
		q.timer = b.n.AfterBackground(req.MaxWait, func() {
			b.unpark(q)
			r.Reply(ReplicaFetchReply{b.collectReplica(&q.req)}, 0)
		})
		b.polls[req.Broker-1] = q
	}
	b.observe(req)
	if len(reply) > 0 {
		r.Reply(ReplicaFetchReply{reply}, 0)
	}
}

func (b *Broker) unpark(q *replicaPoll) {
	if b.polls[q.req.Broker-1] != q {
		panic("broker: a fetch that is not parked is unparked")
	}
	b.n.Cancel(q.timer)
	b.polls[q.req.Broker-1] = nil
}

// pastSession says whether a fetch is of a session that has ended: it tells of a log that may be no more.
func (b *Broker) pastSession(req *ReplicaFetchRequest) bool {
	return !b.cfg.WithoutBrokerEpochs && int(req.Broker) <= len(b.brokers) && req.BrokerEpoch < b.brokers[req.Broker-1].Epoch
}

// answerReplica answers a parked fetch if there is something to say by now.
func (b *Broker) answerReplica(q *replicaPoll) {
	if reply := b.collectReplica(&q.req); len(reply) > 0 {
		b.unpark(q)
		q.r.Reply(ReplicaFetchReply{reply}, 0)
	}
}

// collectReplica is what there is to say to a follower. A watermark alone is told when it asks, and wakes nobody: only a
// fetch of new records, or its timeout, brings it.
func (b *Broker) collectReplica(req *ReplicaFetchRequest) (out []ReplicaFetched) {
	for i := range req.From {
		from := &req.From[i]
		if rep := b.find(from.Topic, from.Partition); rep == nil || !rep.idleFor(from) {
			out = append(out, b.replicaFetched(rep, from))
		}
	}
	return out
}

// idleFor says whether a leader has nothing to tell the follower: the common case, and cheap.
func (rep *replica) idleFor(from *ReplicaFrom) bool {
	return rep.role == leading && rep.fence(from.CurrentEpoch) == nil && from.Offset == rep.log.End() &&
		(from.LastEpoch == rep.log.LastEpoch() || !rep.diverges(from)) && from.High >= min(rep.log.High(), from.Offset) && from.Start >= rep.log.Start()
}

// fence refuses who takes this leader for another one: it is behind, or this one is (KIP-320).
func (rep *replica) fence(epoch int32) error {
	switch {
	case rep.b.cfg.UnfencedFetch || epoch < 0 || epoch == rep.epoch:
		return nil
	case epoch < rep.epoch:
		return wire.ErrFencedLeaderEpoch
	}
	return wire.ErrUnknownLeaderEpoch
}

func (rep *replica) diverges(from *ReplicaFrom) bool {
	if rep.b.cfg.UnfencedFetch || from.LastEpoch < 0 || from.Offset <= rep.log.Start() {
		return false
	}
	_, diverges := rep.log.Diverges(from.LastEpoch, from.Offset)
	return diverges
}

func (b *Broker) replicaFetched(rep *replica, from *ReplicaFrom) ReplicaFetched {
	f := ReplicaFetched{Topic: from.Topic, Partition: from.Partition, Epoch: from.CurrentEpoch, Offset: from.Offset}
	switch {
	case rep == nil:
		f.Err = wire.ErrUnknownTopic
		return f
	case rep.role != leading:
		f.Err = wire.ErrNotLeader
		return f
	}
	f.High, f.Start, f.End = rep.log.High(), rep.log.Start(), rep.log.End()
	switch err := rep.fence(from.CurrentEpoch); {
	case err != nil:
		f.Err = err
	case rep.diverges(from):
		f.Parting, f.Diverges = rep.log.Diverges(from.LastEpoch, from.Offset)
	case from.Offset < f.Start || from.Offset > f.End:
		f.Err = wire.ErrOffsetOutOfRange
	default:
		f.Batches = rep.log.Read(from.Offset, b.cfg.FetchRecords, f.End)
	}
	return f
}

// observe has leaders learn what the follower has: only from fetches that take this broker for the leader that it is, of
// a log that does not part from its own.
func (b *Broker) observe(req *ReplicaFetchRequest) {
	now := b.n.Now()
	for i := range req.From {
		from := &req.From[i]
		rep := b.find(from.Topic, from.Partition)
		if rep == nil || rep.role != leading || rep.fence(from.CurrentEpoch) != nil || from.Offset > rep.log.End() || from.Offset < rep.log.Start() || rep.diverges(from) {
			continue
		}
		f := rep.follower(req.Broker)
		if f == nil {
			continue
		}
		moved := f.end != from.Offset
		f.observe(from.Offset, rep.log.End(), req.BrokerEpoch, now)
		rep.maybeExpand(f)
		if moved {
			rep.advance()
		}
	}
}
