package broker

import (
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// witness states the facts of the logs. It sees what no broker does: how far each replica has come on its disk, so that a
// boot which finds less says so, and which epoch was stated last, because a replica that learns late that it had been
// elected changes nothing any more. Nothing here decides anything.
type witness struct {
	logs map[wire.TopicPartition]*seen
}

type seen struct {
	epoch int32
	ends  []int64 // by broker, at id-1
}

func (w *witness) of(rep *replica) *seen {
	if rep.seen == nil {
		at := wire.TopicPartition{Topic: rep.topic.cfg.Name, Partition: rep.index}
		if w.logs[at] == nil {
			w.logs[at] = &seen{epoch: -1, ends: make([]int64, len(rep.b.nodes))}
		}
		rep.seen = w.logs[at]
	}
	return rep.seen
}

// booted states what the disk does not hold any more of the logs that were on it, before the broker has heard which logs it is to
// open: until then nobody could tell, and a run may end.
func (w *witness) booted(b *Broker) {
	for i := range b.cfg.Topics {
		t := &b.cfg.Topics[i]
		for k := range b.c.partitions(t) {
			s := w.logs[wire.TopicPartition{Topic: t.Name, Partition: k}]
			if s == nil || s.ends[b.id-1] == 0 {
				continue
			}
			name := model.PartitionName(t.Name, k)
			last := wire.Batch{Base: b.checkpoints.of(t.Name, k).start, LeaderEpoch: partition.NoEpoch}
			if records := b.n.Disk().Read(logFile(name)); len(records) > 0 {
				last, _ = partition.Decode(records[len(records)-1])
			}
			if last.Next() < s.ends[b.id-1] {
				s.ends[b.id-1] = last.Next()
				b.n.Record(history.Fact{Kind: history.KindTruncated, Resource: name, Offset: last.Next(), Fence: int64(last.LeaderEpoch), Note: "not on the disk"})
			}
		}
	}
}

// reopened states what a boot does not find that was there.
func (w *witness) reopened(rep *replica) {
	s := w.of(rep)
	if end := &s.ends[rep.b.id-1]; rep.log.End() < *end {
		*end = rep.log.End()
		rep.b.n.Record(history.Fact{Kind: history.KindTruncated, Resource: rep.name, Offset: *end, Fence: int64(rep.log.LastEpoch()), Note: "not on the disk"})
	}
}

// cut states a truncation.
func (w *witness) cut(rep *replica) {
	w.of(rep).ends[rep.b.id-1] = rep.log.End()
	rep.b.n.Record(history.Fact{Kind: history.KindTruncated, Resource: rep.name, Offset: rep.log.End(), Fence: int64(rep.epoch)})
}

func (w *witness) elected(rep *replica) {
	s := w.of(rep)
	if rep.epoch <= s.epoch {
		return
	}
	s.epoch = rep.epoch
	op := ""
	if rep.state.Unclean {
		op = "unclean"
	}
	rep.b.n.Record(history.Fact{Kind: history.KindElected, Resource: rep.name, Op: op, Offset: rep.log.End(), Fence: int64(rep.epoch)})
}

// watermark states one of a leader that no other has followed.
func (w *witness) watermark(rep *replica, op string, offset int64) {
	if w.of(rep).epoch == rep.epoch {
		rep.b.n.Record(history.Fact{Kind: history.KindWatermark, Resource: rep.name, Op: op, Offset: offset, Fence: int64(rep.epoch)})
	}
}

// appended states the records of a batch and gives them the facts. Those of internal topics are the coordinators'.
func (w *witness) appended(rep *replica, b *wire.Batch, attempt int32, transaction string) []int64 {
	facts := make([]int64, len(b.Messages))
	for i := range b.Messages {
		m := &b.Messages[i]
		m.Stored = rep.b.n.Record(history.Fact{Kind: history.KindAppended, Event: m.Event, Stage: m.Stage, Key: m.Key, Attempt: attempt,
			Resource: rep.name, Offset: m.Offset, Cause: m.Cause, Fence: int64(rep.epoch), Hash: rng.Hash(m.Payload)})
		facts[i] = m.Stored
		if b.Sequence >= 0 {
			rep.b.n.Record(history.Fact{Kind: history.KindSequenced, Resource: rep.name, Cause: m.Stored,
				Offset: (b.Sequence + int64(i)) & wire.MaxSequence, Value: rep.producerText(b.Producer.ID), Fence: int64(b.Producer.Epoch), Op: transaction})
		}
	}
	w.of(rep).ends[rep.b.id-1] = b.Next()
	return facts
}

// producerText is the id as facts have it.
func (rep *replica) producerText(id int64) string {
	if rep.producerID != id {
		rep.producerID, rep.producer = id, strconv.FormatInt(id, 10)
	}
	return rep.producer
}

func (w *witness) replicated(rep *replica, b *wire.Batch) {
	w.of(rep).ends[rep.b.id-1] = b.Next()
	if rep.topic.internal {
		return
	}
	for i := range b.Messages {
		rep.b.n.Record(history.Fact{Kind: history.KindReplicated, Resource: rep.name,
			Offset: b.Base + int64(i), Cause: b.Messages[i].Stored, Fence: int64(b.LeaderEpoch)})
	}
}

func (w *witness) marked(rep *replica, b *wire.Batch, cause int64) int64 {
	w.of(rep).ends[rep.b.id-1] = b.Next()
	if rep.topic.internal {
		return 0
	}
	op := "abort"
	if b.Control == wire.CommitMarker {
		op = "commit"
	}
	return rep.b.n.Record(history.Fact{Kind: history.KindMarked, Resource: rep.name, Op: op, Offset: b.Base,
		Value: rep.producerText(b.Producer.ID), Fence: int64(b.Producer.Epoch), Cause: cause})
}
