package consumer

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Restoring reads the committed records of a partition from its beginning to a bound, as a client that keeps its state in
// a log does before it goes on (Kafka Streams' restore consumer). It belongs to no group. Times are on the node's
// monotonic clock.
type Restoring struct {
	Cluster        *client.Cluster
	RequestTimeout sim.Duration // of one request
	MaxWait        sim.Duration // fetch.max.wait.ms
	Backoff        sim.Duration // before what was refused or not answered is tried again
}

// Run hands over the records in order and returns when the bound is reached; it tries for as long as that takes. See
// model.Bound for what is complete then.
func (r Restoring) Run(p *sim.Proc, tp wire.TopicPartition, to model.Bound, take func(model.Message)) {
	isolation := wire.ReadUncommitted
	if to == model.LastStableOffset {
		isolation = wire.ReadCommitted
	}
	at := r.place(p, tp, wire.Earliest, wire.ReadUncommitted)
	for end := r.place(p, tp, wire.Latest, isolation); at < end; {
		at = r.read(p, tp, at, take)
	}
}

// place asks for the first offset of the partition, or that behind its last.
func (r Restoring) place(p *sim.Proc, tp wire.TopicPartition, at wire.At, isolation wire.Isolation) (offset int64) {
	req := wire.ListOffsetsRequest{At: at, Isolation: isolation, Partitions: []wire.TopicPartition{tp}}
	r.ask(p, tp, wire.OpListOffsets, req, r.RequestTimeout, func(reply any) error {
		found := reply.(wire.ListOffsetsReply).Results[0]
		offset = found.Offset
		return found.Err
	})
	return offset
}

// read fetches once and returns the position behind what it got: the same while nothing more is decided.
func (r Restoring) read(p *sim.Proc, tp wire.TopicPartition, from int64, take func(model.Message)) (next int64) {
	next = from
	req := wire.FetchRequest{Isolation: wire.ReadCommitted, MaxWait: r.MaxWait, MaxRecords: restoreRecords,
		From: []wire.FetchFrom{{Topic: tp.Topic, Partition: tp.Partition, Offset: from, CurrentEpoch: -1}}}
	r.ask(p, tp, wire.OpFetch, req, r.RequestTimeout+r.MaxWait, func(reply any) error {
		for _, f := range reply.(wire.FetchReply).Partitions {
			if f.Err != nil {
				return f.Err
			}
			leave := newFilter(wire.ReadCommitted, f.Aborted)
			for i := range f.Batches {
				b := &f.Batches[i]
				if !leave.leavesOut(b) {
					for k := max(0, from-b.Base); k < int64(len(b.Messages)); k++ {
						take(b.Messages[k])
					}
				}
				next = b.Next()
			}
		}
		return nil
	})
	return next
}

// restoreRecords is max.poll.records of a restore consumer.
const restoreRecords = 1000

// ask asks the leader until judge takes its answer.
func (r Restoring) ask(p *sim.Proc, tp wire.TopicPartition, op string, req any, timeout sim.Duration, judge func(reply any) error) {
	for {
		leader, _, err := r.Cluster.AwaitLeader(p, tp.Topic, tp.Partition, timeout)
		if err == nil {
			var reply any
			if reply, _, err = p.Call(leader, p.World().Op(wire.Broker+"."+op), sim.Action{}, req, 0, timeout); err == nil {
				err = judge(reply)
			}
		}
		if err == nil {
			return
		}
		r.Cluster.Stale(tp.Topic)
		p.Sleep(r.Backoff)
	}
}
