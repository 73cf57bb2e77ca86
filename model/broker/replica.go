package broker

import (
	"fmt"

	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// role is what a replica does in its partition: nothing before it knows a leader, or while there is none; follow; lead.
type role uint8

const (
	waiting role = iota
	following
	leading
)

// replica is a partition on this broker.
type replica struct {
	b     *Broker
	topic *topic
	index int
	name  string
	file  string
	log   *partition.Log // nil = the broker has no replica of it
	state wire.PartitionState
	role  role
	epoch int32 // the leader epoch in which it plays its role

	seen *seen // the witness's

	unflushed int // batches that are not known to be on the disk
	flushing  bool
	expired   sim.Time // when producers were last looked at, on the wall clock

	// as a follower
	fetcher     *fetcher
	reconciling bool // asks where to truncate
	resting     bool // until a fetch is tried again
	failed      bool // cannot follow this leader

	// as a leader
	began      int64 // end of its log when it was elected
	followers  []follower
	alter      *alteration
	waits      []waiter       // for the high watermark, by offset
	parked     []*parkedFetch // consumers' fetches
	told       [2]int64       // high and last stable as stated to readers in this epoch; -1 = not yet
	host       *host
	retaining  bool // a scan is armed, for scanAt
	scan       sim.Handle
	scanAt     sim.Time
	producerID int64 // whose text is in producerName
	producer   string
}

// open reads the log from the disk. What a power loss tore is cut off.
func (rep *replica) open() {
	rep.file = logFile(rep.name)
	records := rep.b.n.Disk().Read(rep.file)
	log, taken := partition.Open(rep.b.cfg.Log, records)
	if taken < len(records) {
		rep.b.n.Truncate(rep.file, taken)
	}
	known := rep.b.checkpoints.of(rep.topic.cfg.Name, rep.index)
	if taken == 0 && known.start > 0 {
		log.StartAt(known.start)
	}
	log.SetHigh(min(max(known.high, log.Start()), log.End()))
	rep.log = log
	rep.b.c.witness.reopened(rep)
}

// become takes a newer state of the partition, from the image or from the answer to a wish.
func (rep *replica) become(s wire.PartitionState) {
	if s.PartitionEpoch <= rep.state.PartitionEpoch {
		return
	}
	rep.state, rep.alter = s, nil
	if rep.log == nil {
		return
	}
	switch {
	case s.Leader == rep.b.id && rep.role == leading && s.LeaderEpoch == rep.epoch:
		rep.advance() // the in-sync set has changed
	case s.Leader == rep.b.id:
		rep.lead(s)
	case s.Leader == wire.NoLeader:
		rep.rest(s.LeaderEpoch)
	case rep.role != following || s.LeaderEpoch != rep.epoch:
		rep.follow(s)
	}
}

// enter ends what the replica did in the epoch before.
func (rep *replica) enter(r role, epoch int32) {
	if epoch < rep.epoch || r == leading && rep.role == leading && epoch == rep.epoch {
		panic(fmt.Sprintf("broker: %s enters epoch %d of %s after %d", rep.b.n.Name(), epoch, rep.name, rep.epoch))
	}
	was := rep.role
	rep.role, rep.epoch = r, epoch
	if rep.fetcher != nil {
		rep.fetcher.drop(rep)
		rep.fetcher, rep.reconciling, rep.resting, rep.failed = nil, false, false, false
	}
	if was == leading {
		rep.resign()
	}
}

// rest waits for a leader.
func (rep *replica) rest(epoch int32) { rep.enter(waiting, epoch) }

// lead begins a leadership. What followers have is not known before they fetch in this epoch; what is below the high
// watermark that the leaders before had stated is below the end of this log, if the election was clean.
func (rep *replica) lead(s wire.PartitionState) {
	rep.enter(leading, s.LeaderEpoch)
	b := rep.b
	b.leading++
	rep.log.BeginEpoch(s.LeaderEpoch)
	rep.began = rep.log.End()
	rep.told = [2]int64{-1, -1}
	rep.followers = rep.followers[:0]
	now := b.n.Now()
	for _, id := range s.Replicas {
		f := follower{id: id, end: -1, caughtUp: now, fetched: now, brokerEpoch: -1}
		if !contains(s.ISR, id) {
			f.caughtUp = now.Add(-b.cfg.ReplicaLag - 1)
		}
		if id != b.id {
			rep.followers = append(rep.followers, f)
		}
	}
	b.c.witness.elected(rep)
	b.scanISR()
	if rep.topic.internal {
		rep.host = newHost(rep)
	}
	if b.cfg.EarlyOffsets {
		rep.stateHigh()
	}
	rep.retain()
	rep.advance()
	if rep.host != nil {
		rep.host.committed()
	}
}

// resign ends a leadership: what waits for it is told.
func (rep *replica) resign() {
	rep.b.leading--
	waits := rep.waits
	rep.waits = nil
	host := rep.host
	rep.host = nil
	if host != nil {
		host.ended = true
	}
	for _, w := range waits {
		w.decide(wire.ErrNotLeaderAfter)
	}
	if host != nil {
		host.unload()
	}
	parked := rep.parked
	rep.parked = nil
	for _, q := range parked {
		rep.b.answerFetch(q, nil, 0)
	}
	for _, q := range rep.b.polls {
		if q != nil {
			rep.b.answerReplica(q)
		}
	}
}

// follow begins to follow a leader.
func (rep *replica) follow(s wire.PartitionState) {
	rep.enter(following, s.LeaderEpoch)
	rep.fetcher = rep.b.fetchers[s.Leader-1]
	rep.fetcher.add(rep)
	switch {
	case rep.b.cfg.Truncation == partition.ToHighWatermark:
		rep.truncate(rep.log.High())
	case rep.b.cfg.UnfencedFetch:
		rep.reconcile()
	}
	rep.fetcher.run()
}

// truncate cuts the log and its file behind what both keep.
func (rep *replica) truncate(to int64) {
	if rep.role != following {
		panic("broker: " + rep.name + " is cut and follows nobody")
	}
	before := rep.log.End()
	rep.log.Truncate(to)
	if rep.log.End() == before {
		return
	}
	rep.b.n.Truncate(rep.file, len(rep.log.Batches()))
	rep.unflushed = min(rep.unflushed, len(rep.log.Batches()))
	rep.b.c.witness.cut(rep)
	rep.b.checkpoints.changed(rep.b)
}

// startAt empties the log: the leader no longer has what would follow.
func (rep *replica) startAt(offset int64) {
	rep.log.StartAt(offset)
	rep.b.n.Truncate(rep.file, 0)
	rep.unflushed = 0
	rep.b.c.witness.cut(rep)
	rep.b.checkpoints.changed(rep.b)
}

// take appends a batch to the log and to the page cache; then runs when it is there, or on the disk where the topic is
// flushed at that point.
func (rep *replica) take(batch wire.Batch, act sim.Action, then func()) {
	rep.log.Append(batch)
	rep.unflushed++
	n, t := rep.b.n, rep.topic.cfg
	if t.FlushMessages > 0 && rep.unflushed >= t.FlushMessages {
		rep.unflushed = 0
		n.Append(rep.file, batch.Raw, act, nil)
		n.Fsync(rep.file, act, then)
		return
	}
	n.Append(rep.file, batch.Raw, act, then)
	if t.FlushAfter > 0 && !rep.flushing {
		rep.flushing = true
		n.AfterBackground(t.FlushAfter, rep.flush)
	}
}

// flush is flush.ms: nobody waits for it.
func (rep *replica) flush() {
	rep.flushing, rep.unflushed = false, 0
	rep.b.n.Fsync(rep.file, sim.Action{}, nil)
}
