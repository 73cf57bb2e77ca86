package operator

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// asking repeats each request until it is answered, by whoever leads or coordinates then. Every kind of request may take
// effect twice without harm but for publish, which then makes two records.
type asking struct {
	cluster *client.Cluster
	timeout sim.Duration // of one request
	pause   sim.Duration // before the next try
}

func newAsking(p *sim.Proc, cfg client.Config, timeout, pause sim.Duration) asking {
	return asking{client.New(p.Node(), cfg), timeout, pause}
}

// leader asks who leads the partition, until judge says that the reply has no error in it.
func (a asking) leader(p *sim.Proc, tp wire.TopicPartition, op string, act sim.Action, body any, cause int64, judge func(reply any) error) {
	for {
		node, _, err := a.cluster.AwaitLeader(p, tp.Topic, tp.Partition, a.timeout)
		if err == nil {
			err = a.call(p, node, op, act, body, cause, judge)
		}
		if err == nil {
			return
		}
		a.cluster.Stale(tp.Topic)
		p.Sleep(a.pause)
	}
}

// coordinator asks who coordinates the group likewise.
func (a asking) coordinator(p *sim.Proc, group, op string, body any, cause int64, judge func(reply any) error) {
	for {
		node, err := a.cluster.AwaitCoordinator(p, false, group, a.timeout)
		if err == nil {
			err = a.call(p, node, op, sim.Action{}, body, cause, judge)
		}
		if err == nil {
			return
		}
		a.cluster.ForgetCoordinator(false, group)
		p.Sleep(a.pause)
	}
}

func (a asking) call(p *sim.Proc, node *sim.Node, op string, act sim.Action, body any, cause int64, judge func(reply any) error) error {
	reply, _, err := p.Call(node, p.World().Op(wire.Broker+"."+op), act, body, cause, a.timeout)
	if err != nil {
		return err
	}
	return judge(reply)
}

// partitions of a topic.
func (a asking) partitions(p *sim.Proc, topic string) int {
	for a.cluster.Partitions(topic) == 0 {
		if _, _, err := a.cluster.AwaitLeader(p, topic, 0, a.timeout); err != nil {
			p.Sleep(a.pause)
		}
	}
	return a.cluster.Partitions(topic)
}

// place is the first offset of a partition, or the one behind the last that can be read.
func (a asking) place(p *sim.Proc, tp wire.TopicPartition, at wire.At, cause int64) (offset int64) {
	req := wire.ListOffsetsRequest{At: at, Partitions: []wire.TopicPartition{tp}}
	a.leader(p, tp, wire.OpListOffsets, sim.Action{}, req, cause, func(reply any) error {
		r := reply.(wire.ListOffsetsReply).Results[0]
		offset = r.Offset
		return r.Err
	})
	return offset
}

// position is that of a group, -1 = it has none.
func (a asking) position(p *sim.Proc, group string, tp wire.TopicPartition) (offset int64) {
	req := wire.OffsetsRequest{Group: group, Partitions: []wire.TopicPartition{tp}}
	a.coordinator(p, group, wire.OpOffsets, req, 0, func(reply any) error {
		o := reply.(wire.OffsetsReply).Offsets[0]
		offset = o.Offset
		return o.Err
	})
	return offset
}

// commit moves positions of a group without members.
func (a asking) commit(p *sim.Proc, req wire.CommitRequest, cause int64) {
	a.coordinator(p, req.Group, wire.OpCommit, req, cause, func(reply any) error {
		for _, err := range reply.(wire.CommitReply).Errs {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// read returns some records from a position on, and the position behind them. It waits until there are any.
func (a asking) read(p *sim.Proc, tp wire.TopicPartition, from int64) (ms []model.Message, next int64) {
	for next = from; next == from; {
		req := wire.FetchRequest{MaxRecords: 1, MaxWait: a.pause, From: []wire.FetchFrom{{Topic: tp.Topic, Partition: tp.Partition, Offset: from, CurrentEpoch: -1}}}
		a.leader(p, tp, wire.OpFetch, sim.Action{}, req, 0, func(reply any) error {
			for _, f := range reply.(wire.FetchReply).Partitions {
				if f.Err != nil {
					return f.Err
				}
				for i := range f.Batches {
					ms = append(ms, since(&f.Batches[i], from)...)
					next = f.Batches[i].Next()
				}
			}
			return nil
		})
	}
	return ms, next
}

// since are the records of a batch from an offset on.
func since(b *wire.Batch, from int64) []model.Message {
	if b.Control != wire.Data {
		return nil
	}
	return b.Messages[max(0, from-b.Base):]
}

// publish appends one message to a partition.
func (a asking) publish(p *sim.Proc, tp wire.TopicPartition, m model.Message) {
	req := wire.ProduceRequest{Acks: wire.AcksAll, Timeout: a.timeout,
		Batches: []wire.ProduceBatch{{Topic: tp.Topic, Partition: tp.Partition, Sequence: -1, Messages: []model.Message{m}}}}
	a.leader(p, tp, wire.OpProduce, p.World().Act(m.Event, "", wire.OpProduce), req, m.Cause, func(reply any) error {
		return reply.(wire.ProduceReply).Results[0].Err
	})
}
