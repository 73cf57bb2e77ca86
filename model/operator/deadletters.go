package operator

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// DeadLetters is one replay of the dead letters that are there when it begins: what is parked again meanwhile is left for
// another day, or an event that fails for good would go round for ever. Times are on the operator's monotonic clock.
//
// The operator reads without being a member of a group, and keeps a position of their own: it moves past a letter when
// the log has taken the letter's record. So it is at-least-once: an operator that is killed in between, and begins again,
// publishes that one letter twice.
type DeadLetters struct {
	Spec           model.DeadLetterReplay
	Group          string        // that keeps the position
	Cluster        client.Config // how the operator finds the brokers
	RequestTimeout sim.Duration  // of one request
	Pause          sim.Duration  // before a refused request is tried again
}

// NewDeadLetters is the factory of the operator's node. While the broker does not answer it tries again.
func NewDeadLetters(d DeadLetters) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		n.Go("replay", d.run)
		return sim.NoHandler()
	}
}

func (d *DeadLetters) run(p *sim.Proc) {
	ask := newAsking(p, d.Cluster, d.RequestTimeout, d.Pause)
	tp := wire.TopicPartition{Topic: d.Spec.Topic}
	end := ask.place(p, tp, wire.Latest, 0)
	at := max(ask.position(p, d.Group, tp), ask.place(p, tp, wire.Earliest, 0))
	for at < end {
		letters, next := ask.read(p, tp, at)
		for _, letter := range letters {
			d.publish(p, ask, letter)
			d.moveOn(p, ask, tp, letter.Offset+1)
			p.Sleep(sim.Second / sim.Duration(d.Spec.PerSecond))
		}
		at = next
	}
}

// moveOn commits the operator's own position.
func (d *DeadLetters) moveOn(p *sim.Proc, ask asking, tp wire.TopicPartition, to int64) {
	ask.commit(p, wire.CommitRequest{Group: d.Group, Generation: wire.NoGeneration,
		Offsets: []wire.GroupOffset{{Topic: tp.Topic, Partition: tp.Partition, Offset: to, Epoch: -1}}}, 0)
}

// publish appends the letter to its original topic, in the partition of its key, as its producer did.
func (d *DeadLetters) publish(p *sim.Proc, ask asking, letter model.Message) {
	origin, ok := model.ParseOrigin(letter.Headers)
	if !ok {
		panic("operator: a dead letter without an origin: " + letter.Headers)
	}
	partition := int(rng.Below(rng.Hash(letter.Key), uint64(ask.partitions(p, origin.Topic))))
	m := letter
	m.Attempt = 0
	if d.Spec.NewIDs {
		m.Event += "-replayed"
	}
	m.Cause = p.Record(history.Fact{Kind: history.KindOperated, Op: "replay", Event: letter.Event, Key: letter.Key, Cause: letter.Stored,
		Resource: model.PartitionName(letter.Topic, letter.Partition), Offset: letter.Offset, Value: model.PartitionName(origin.Topic, partition), Fence: -1})
	ask.publish(p, wire.TopicPartition{Topic: origin.Topic, Partition: partition}, m)
}
