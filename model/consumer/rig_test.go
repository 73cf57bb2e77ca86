package consumer_test

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const (
	ms  = sim.Millisecond
	sec = sim.Second
	hop = ms // from node to node
)

// tb is a *testing.T or a *rapid.T.
type tb interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// config of a member. The first join of the empty group waits one second for others.
func config() consumer.Config {
	return consumer.Config{Group: "workers", Topic: "orders", SessionTimeout: 6 * sec, Heartbeat: 2 * sec, MaxPollInterval: 30 * sec,
		MaxPollRecords: 10, FetchWait: 500 * ms, RequestTimeout: sec, Restart: 100 * ms, CommitTimeout: 10 * sec, Backoff: 100 * ms}
}

// rig is a world with a broker and a source of records; members are added.
type rig struct {
	t              tb
	w              *sim.World
	broker, source *sim.Node
	cfg            consumer.Config
}

func newRig(t tb, partitions int) *rig {
	return newRigWith(t, 1, broker.New(broker.Config{Topics: []broker.Topic{{Name: "orders", Partitions: partitions}}, RebalanceDelay: sec}))
}

func newRigWith(t tb, seed uint64, b func(*sim.Node) sim.Handler) *rig {
	g := &rig{t: t, w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(hop))}), cfg: config()}
	t.Cleanup(g.w.Close)
	g.broker = g.w.Role("broker", b)
	g.broker.Disk().Timing(rng.Constant(int64(100*sim.Microsecond)), rng.Constant(int64(2*ms)))
	g.source = g.w.Role("source", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	g.broker.Boot()
	g.source.Boot()
	return g
}

// member boots one more member of the group.
func (g *rig) member(loop consumer.Loop) *sim.Node {
	n := g.w.Role("consumer", consumer.New(g.cfg, &model.Directory{}, func() *sim.Node { return g.broker }, loop))
	n.Boot()
	return n
}

// working is the loop of an engine: poll, work, say so, commit.
func working(work sim.Duration) consumer.Loop {
	return func(c model.Ctx, in model.Consumer) {
		for {
			batch, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			c.Sleep(work)
			handled(c, batch)
			_ = in.Commit(c, batch)
		}
	}
}

// handled says that the work is done, its effects are applied.
func handled(c model.Ctx, batch []model.Message) {
	for i := range batch {
		c.Record(history.Fact{Kind: history.KindHandled, Event: batch[i].Event, Cause: batch[i].Cause, Fence: -1, Offset: batch[i].Offset,
			Resource: model.PartitionName(batch[i].Topic, batch[i].Partition), Outcome: history.Acked})
	}
}

// publish appends records to a partition of the real broker, now.
func (g *rig) publish(partition int, events ...string) {
	req := model.ProduceRequest{Topic: "orders", Partition: partition, Acks: 1}
	for _, e := range events {
		req.Messages = append(req.Messages, model.Message{Intent: model.Intent{Event: e, Key: "key of " + e}})
	}
	g.source.Go("publish", func(p *sim.Proc) {
		_, _, _ = p.Call(g.broker, g.w.Op("broker.produce"), sim.Action{}, req, 0, sec)
	})
}

// at does something at a time of the world.
func (g *rig) at(d sim.Duration, fn func()) { g.w.At(sim.Time(d), sim.PhaseFault, fn) }

// run goes on until that time of the world.
func (g *rig) run(until sim.Duration) *rig {
	g.t.Helper()
	r := g.w.Run(sim.Time(until))
	require.Contains(g.t, []sim.StopKind{sim.StopHorizon, sim.StopDrained}, r.Kind, r.Detail)
	return g
}

func (g *rig) facts(kinds ...history.Kind) []history.Fact {
	var out []history.Fact
	for _, f := range g.w.History.Facts {
		for _, k := range kinds {
			if f.Kind == k {
				out = append(out, f)
			}
		}
	}
	return out
}

// one is the only fact of its kind.
func (g *rig) one(k history.Kind) history.Fact {
	g.t.Helper()
	found := g.facts(k)
	require.Len(g.t, found, 1, "facts of kind %v", k)
	return found[0]
}

// story tells the facts of these kinds in a line each: "consumer-1 assigned orders/0 at 7 in 2" is a position in a
// generation.
func (g *rig) story(kinds ...history.Kind) []string {
	var out []string
	for _, f := range g.facts(kinds...) {
		s := fmt.Sprintf("%s %v", f.Node, f.Kind)
		for _, what := range []string{f.Event, f.Resource, f.Value, f.Note} {
			if what != "" {
				s += " " + what
			}
		}
		if f.Offset >= 0 {
			s += fmt.Sprintf(" at %d", f.Offset)
		}
		if f.Fence >= 0 {
			s += fmt.Sprintf(" in %d", f.Fence)
		}
		out = append(out, s)
	}
	return out
}

// when is the time of the first such fact of a node.
func (g *rig) when(node string, k history.Kind, generation int64) sim.Duration {
	g.t.Helper()
	for _, f := range g.facts(k) {
		if f.Node == node && f.Fence == generation {
			return sim.Duration(f.Time)
		}
	}
	require.Fail(g.t, "no such fact", "%s %v in %d", node, k, generation)
	return 0
}

// fake is a broker and a coordinator that says what the test wants it to.
type fake struct{ answer func(*sim.Request) }

func (f *fake) Receive(_ *sim.Node, r *sim.Request) { f.answer(r) }

// coordinator is a group of one member, with one partition and one record, order-1. Special answers a request in its
// place and says whether it did.
func coordinator(special func(*sim.Request) bool) func(*sim.Node) sim.Handler {
	generation := int64(0)
	return func(*sim.Node) sim.Handler {
		return &fake{func(r *sim.Request) {
			if special(r) {
				return
			}
			switch req := r.Body.(type) {
			case model.JoinRequest:
				generation++
				r.Reply(model.JoinReply{Member: "member", Generation: generation, Leader: "another", Partitions: 1}, 0)
			case model.SyncRequest:
				r.Reply(model.SyncReply{Partitions: []int{0}}, 0)
			case model.OffsetsRequest:
				r.Reply(model.OffsetsReply{Offsets: []model.PartitionOffset{{Partition: 0}}}, 0)
			case model.FetchRequest:
				if req.From[0].Offset == 0 { // else there is nothing, and no answer
					r.Reply(model.FetchReply{Messages: []model.Message{{Intent: model.Intent{Event: "order-1"}, Topic: "orders"}}}, 0)
				}
			default:
				r.Reply(nil, 0)
			}
		}}
	}
}
