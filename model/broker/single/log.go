package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// topic is its partitions and the fetches that wait at it.
type topic struct {
	name       string
	partitions []*partition
	parked     []*parkedFetch // in order of arrival
	appended   int64          // records in all partitions
}

// partition is one log. Consumers see what lies below the high watermark: what is durable.
type partition struct {
	topic    *topic
	index    int
	name     string          // orders/3
	messages []model.Message // as a fetch gives them
	high     int64           // the high watermark: offset after the last durable record
	log      journal
}

func logFile(name string) string { return "log/" + name }

func bootTopic(n *sim.Node, cfg Topic) *topic {
	t := &topic{name: cfg.Name}
	for i := range cfg.Partitions {
		p := &partition{topic: t, index: i, name: model.PartitionName(cfg.Name, i)}
		p.log = journal{n: n, file: logFile(p.name)}
		for _, record := range n.Disk().Read(p.log.file) {
			p.take(model.DecodeMessage(record))
		}
		p.high = int64(len(p.messages))
		t.partitions = append(t.partitions, p)
	}
	return t
}

// take adds a message at the end, with its place filled in.
func (p *partition) take(m model.Message) {
	m.Topic, m.Partition, m.Offset = p.topic.name, p.index, int64(len(p.messages))
	p.messages = append(p.messages, m)
	p.topic.appended++
}

// produce appends the messages to the page cache and answers when they are durable.
func (b *Broker) produce(r *sim.Request, req *model.ProduceRequest) {
	p := b.partition(req.Topic, req.Partition)
	if p == nil {
		if req.Acks != 0 {
			r.Fail(model.ErrUnknownTopic, 0)
		}
		return
	}
	reply := model.ProduceReply{Base: int64(len(p.messages)), Stored: make([]int64, len(req.Messages))}
	for i, m := range req.Messages {
		if reply.Stored[i] = b.append(r, p, m); !b.alive() {
			return
		}
	}
	p.log.durable(r.Action, func(records int) {
		p.high = max(p.high, int64(records))
		r.Applied()
		if !b.alive() {
			return
		}
		if req.Acks != 0 {
			r.Reply(reply, reply.Stored[len(reply.Stored)-1])
		}
		if b.alive() {
			b.wake(p)
		}
	})
}

// append writes one message. The fact is recorded first, because the record on the disk carries its id.
func (b *Broker) append(r *sim.Request, p *partition, m model.Message) int64 {
	m.Stored = b.n.Record(history.Fact{Kind: history.KindAppended, Event: m.Event, Stage: m.Stage, Key: m.Key, Attempt: r.Action.Attempt,
		Resource: p.name, Offset: int64(len(p.messages)), Cause: m.Cause, Fence: -1})
	act := r.Action
	act.Event, act.Stage = m.Event, m.Stage
	b.n.Append(p.log.file, m.Encode(), act, nil)
	if b.alive() {
		p.take(m)
	}
	return m.Stored
}

// journal is a file whose writers share fsyncs: while one is in flight, all that comes waits for the next one.
type journal struct {
	n       *sim.Node
	file    string
	syncing bool
	waiting []waiter
}

type waiter struct {
	act  sim.Action
	then func(records int)
}

// durable calls then, in order of the calls, once all that the file holds now is durable. records is how many
// records the file is then known to keep.
func (j *journal) durable(act sim.Action, then func(records int)) {
	j.waiting = append(j.waiting, waiter{act, then})
	if !j.syncing {
		j.fsync()
	}
}

// fsync covers everything that waits. Its time is drawn by the action that has waited longest.
func (j *journal) fsync() {
	batch := j.waiting
	j.waiting = nil
	j.syncing = true
	n, inc := j.n, j.n.Incarnation()
	alive := func() bool { return n.Up() && n.Incarnation() == inc }
	records := len(n.Disk().Read(j.file))
	n.Fsync(j.file, batch[0].act, func() {
		for _, w := range batch {
			if w.then(records); !alive() {
				return
			}
		}
		j.syncing = false
		if len(j.waiting) > 0 {
			j.fsync()
		}
	})
}
