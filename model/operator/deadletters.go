package operator

import (
	"github.com/twiceless/twiceless/model"
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
	Group          string // that keeps the position
	Partitions     func(topic string) int
	Broker         func() *sim.Node // that leads the topics and keeps positions
	RequestTimeout sim.Duration     // of one request
	Pause          sim.Duration     // before a refused request is tried again
}

// NewDeadLetters is the factory of the operator's node. While the broker does not answer it tries again.
func NewDeadLetters(d DeadLetters) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		n.Go("replay", d.run)
		return sim.NoHandler()
	}
}

func (d *DeadLetters) run(p *sim.Proc) {
	ask := asking{d.Broker, d.RequestTimeout, d.Pause}
	end := ask.of(p, model.OpLatest, sim.Action{}, model.LatestRequest{Topic: d.Spec.Topic}, 0).(model.OffsetsReply).Offsets[0]
	at := ask.of(p, model.OpOffsets, sim.Action{}, model.OffsetsRequest{Group: d.Group, Topic: d.Spec.Topic, Partitions: []int{0}}, 0).(model.OffsetsReply).Offsets[0]
	for at.Offset < end.Offset {
		fetch := model.FetchRequest{Topic: d.Spec.Topic, From: []model.PartitionOffset{at}, MaxRecords: 1}
		letter := ask.of(p, model.OpFetch, sim.Action{}, fetch, 0).(model.FetchReply).Messages[0]
		d.publish(p, ask, letter)
		at.Offset++
		commit := model.CommitRequest{Group: d.Group, Generation: model.NoGeneration, Topic: d.Spec.Topic, Offsets: []model.PartitionOffset{at}}
		ask.of(p, model.OpCommit, sim.Action{}, commit, 0)
		p.Sleep(sim.Second / sim.Duration(d.Spec.PerSecond))
	}
}

// publish appends the letter to its original topic, in the partition of its key, as its producer did.
func (d *DeadLetters) publish(p *sim.Proc, ask asking, letter model.Message) {
	origin, ok := model.ParseOrigin(letter.Headers)
	if !ok {
		panic("operator: a dead letter without an origin: " + letter.Headers)
	}
	partition := int(rng.Below(rng.Hash(letter.Key), uint64(d.Partitions(origin.Topic))))
	m := letter
	m.Attempt = 0
	if d.Spec.NewIDs {
		m.Event += "-replayed"
	}
	m.Cause = p.Record(history.Fact{Kind: history.KindOperated, Op: "replay", Event: letter.Event, Key: letter.Key, Cause: letter.Stored,
		Resource: model.PartitionName(letter.Topic, letter.Partition), Offset: letter.Offset, Value: model.PartitionName(origin.Topic, partition), Fence: -1})
	req := model.ProduceRequest{Topic: origin.Topic, Partition: partition, Acks: 1, Messages: []model.Message{m}}
	ask.of(p, model.OpProduce, p.World().Act(m.Event, "", model.OpProduce), req, m.Cause)
}

// asking repeats a request until it is answered: every kind of request may take effect twice without harm but for
// produce, which then makes two records.
type asking struct {
	broker  func() *sim.Node
	timeout sim.Duration
	pause   sim.Duration
}

func (a asking) of(p *sim.Proc, op string, act sim.Action, body any, cause int64) any {
	for {
		reply, _, err := p.Call(a.broker(), p.World().Op(model.BrokerService+"."+op), act, body, cause, a.timeout)
		if err == nil {
			return reply
		}
		p.Sleep(a.pause)
	}
}
