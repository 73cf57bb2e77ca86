package broker_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/linear/lineartest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// positions lets many clients that are no members of the group move its positions in two partitions, and fetch them.
func positions(t *testing.T, seed uint64, stops bool) lineartest.Counts {
	w := sim.New(sim.Config{Seed: seed, Latency: rng.Uniform(int64(200*sim.Microsecond), int64(2*sim.Millisecond))})
	defer w.Close()
	r := rand.New(rand.NewPCG(seed, 3))
	moment := func() sim.Duration { return 200*sim.Millisecond + sim.Duration(r.Int64N(int64(100*sim.Millisecond))) }
	node := w.Role("broker", broker.New(broker.Config{Topics: []broker.Topic{{Name: "orders", Partitions: 2}}}))
	node.Disk().Timing(rng.Constant(int64(100*sim.Microsecond)), rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond)))
	rec := lineartest.Watch(w, model.BrokerService+"."+model.OpCommit, model.BrokerService+"."+model.OpOffsets)
	node.Boot()
	ask := func(p *sim.Proc, op string, body any) (any, error) {
		name := model.BrokerService + "." + op
		reply, _, err := p.Call(node, w.Op(name), w.Act(p.Node().Name(), "", name), body, 0, 25*sim.Millisecond)
		return reply, err
	}
	client := func(fn func(*sim.Proc)) {
		w.Role("client", func(n *sim.Node) sim.Handler {
			n.Go("task", fn)
			return sim.NoHandler()
		}).Boot()
	}
	for partition := range 2 { // there is something to move over
		client(func(p *sim.Proc) {
			_, _ = ask(p, model.OpProduce, model.ProduceRequest{Topic: "orders", Partition: partition, Acks: 1, Messages: make([]model.Message, 5)})
		})
	}
	for range 40 {
		partition, offset, at, commits := r.IntN(2), r.Int64N(5), moment(), r.IntN(2) == 0
		name := model.PartitionName("orders", partition)
		client(func(p *sim.Proc) {
			p.Sleep(at)
			c := model.NewContext(p, nil)
			if commits {
				asked := linear.Action{F: "commit", Arg: linear.Number(0), Arg2: linear.Number(offset), Result: "ok"}
				rec.Ask(c, name, asked, func() (linear.Action, error) {
					_, err := ask(p, model.OpCommit, model.CommitRequest{Group: "workers", Generation: model.NoGeneration, Topic: "orders",
						Offsets: []model.PartitionOffset{{Partition: partition, Offset: offset}}})
					return asked, err
				})
				return
			}
			rec.Ask(c, name, linear.Action{F: "fetch"}, func() (linear.Action, error) {
				reply, err := ask(p, model.OpOffsets, model.OffsetsRequest{Group: "workers", Topic: "orders", Partitions: []int{partition}})
				if err != nil {
					return linear.Action{}, err
				}
				return linear.Action{F: "fetch", Out: linear.Number(reply.(model.OffsetsReply).Offsets[0].Offset)}, nil
			})
		})
	}
	if stops {
		w.At(sim.Time(moment()), sim.PhaseFault, func() {
			node.Kill(0)
			w.At(w.Now().Add(5*sim.Millisecond), sim.PhaseFault, node.Boot)
		})
	}
	w.Run(sim.Time(sim.Minute))
	return rec.Judge(t, linear.OffsetsObject(), stops)
}

// A group's position is what was committed last, in the order in which the broker makes commits durable.
func TestPositionsAreTheirWitness(t *testing.T) {
	var n lineartest.Counts
	for seed := range uint64(60) {
		n.Add(positions(t, seed, seed%2 == 1))
	}
	n.Clean(t, 60)
}
