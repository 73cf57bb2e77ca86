package transactions_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/transactions"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// TestAnything lets two producers, of which neither knows of the other, ask for anything at any time, with what they believe
// to be or were before, while the coordinator moves, brokers die, leaders go away, appends fail and clocks jump. The
// invariants hold after every event. When all is well again, every transaction ends, and each that is complete has its marker
// in all its partitions.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		version := rapid.IntRange(1, 2).Draw(rt, "version")
		c := &chaos{rig: newRig(transactions.Config{Version: version}), rt: rt, version: version}
		defer c.w.Close()
		for range 2 {
			n := c.w.Role("producer", func(*sim.Node) sim.Handler { return sim.NoHandler() })
			n.Boot()
			c.clients = append(c.clients, &chaotic{n: n, was: []wire.ProducerID{{}}})
		}
		if rapid.Bool().Draw(rt, "near the last epoch") {
			c.log = append(c.log, record(transactions.Encode(transactions.CompleteCommit, wire.ProducerID{ID: 1, Epoch: wire.MaxEpoch - 6}, sim.Minute)))
			c.nextID = 1
			for _, p := range c.clients {
				p.was = append(p.was, wire.ProducerID{ID: 1, Epoch: wire.MaxEpoch - 6})
			}
		}
		c.watch()
		c.lead(c.brokers[0])
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			c.anything()
		}
		c.heal()
		require.Zero(rt, c.coordinator().Outstanding(), "outstanding")
		c.marked()
	})
}

func record(value string) wire.Batch {
	return wire.Batch{Messages: []model.Message{{Intent: model.Intent{Key: "payments"}, Payload: value}}}
}

type chaos struct {
	*rig
	rt      *rapid.T
	version int
	clients []*chaotic
	deadly  string // the hook at which its broker dies next
}

// watch kills a broker in the middle of what it does.
func (c *chaos) watch() {
	for _, hook := range deadlyHooks {
		c.w.Watch(hook, func(h *sim.Hit) {
			if c.deadly == h.Hook && h.Node.Role() == wire.Broker {
				c.deadly = ""
				h.Node.Kill(0)
			}
		})
	}
}

var deadlyHooks = []string{
	"broker.write-markers/sent", "broker.write-markers/replied", "broker.write-markers/received", "broker.end-txn/arrived",
	"broker.end-txn/applied", "broker.end-txn/replied", "broker.init-producer/applied", "broker.add-partitions/replied",
}

// chaotic is a client that remembers all it was.
type chaotic struct {
	n   *sim.Node
	was []wire.ProducerID
}

func (c *chaos) anything() {
	switch rapid.IntRange(0, 19).Draw(c.rt, "what") {
	case 0:
		c.lead(c.up())
	case 1:
		if n := c.broker(); n.Up() {
			n.Kill(0)
		}
	case 2:
		if n := c.broker(); !n.Up() {
			n.Boot()
		}
	case 3:
		c.leads[c.partition()] = [...]*sim.Node{nil, c.brokers[0], c.brokers[1]}[rapid.IntRange(0, 2).Draw(c.rt, "leader")]
	case 4:
		c.takes[c.broker()] = rapid.SampledFrom([]error{nil, wire.ErrNotEnoughAfter, wire.ErrRequestTimedOut}).Draw(c.rt, "takes")
	case 5:
		c.silent[c.broker()] = rapid.Bool().Draw(c.rt, "silent")
	case 6:
		c.failing()
	case 7:
		c.broker().SkewWall(sim.Duration(rapid.IntRange(-20, 20).Draw(c.rt, "skew")) * sim.Second)
	case 8:
		c.deadly = rapid.SampledFrom(deadlyHooks).Draw(c.rt, "dies at")
	case 9:
		c.run(sim.Duration(rapid.IntRange(1, 60).Draw(c.rt, "seconds")) * sim.Second)
	default:
		c.ask()
	}
	c.run(sim.Duration(rapid.SampledFrom([]int{0, 500, 1000, 3000, 10000}).Draw(c.rt, "microseconds")) * sim.Microsecond)
}

func (c *chaos) failing() {
	d := sim.Duration(rapid.SampledFrom([]int{1, 1000}).Draw(c.rt, "append")) * sim.Millisecond
	err := rapid.SampledFrom([]error{nil, nil, wire.ErrNotEnoughReplicas, wire.ErrRequestTimedOut}).Draw(c.rt, "fails")
	c.appends = func() (sim.Duration, error, bool) { return d, err, err == nil }
}

func (c *chaos) broker() *sim.Node { return c.brokers[rapid.IntRange(0, 2).Draw(c.rt, "broker")] }

// up is a broker that runs; nil = none does.
func (c *chaos) up() *sim.Node {
	if n := c.broker(); n.Up() {
		return n
	}
	return nil
}

func (c *chaos) partition() wire.TopicPartition {
	return wire.TopicPartition{Topic: "orders", Partition: rapid.IntRange(0, 2).Draw(c.rt, "partition")}
}

// ask sends a request in a producer's name.
func (c *chaos) ask() {
	if c.leader == nil {
		return
	}
	p := c.clients[rapid.IntRange(0, 1).Draw(c.rt, "client")]
	as := p.was[len(p.was)-1]
	if rapid.IntRange(0, 4).Draw(c.rt, "stale") == 0 {
		as = rapid.SampledFrom(p.was).Draw(c.rt, "as")
	}
	op, body := c.request(as)
	to := c.leader
	p.n.Go("ask", func(proc *sim.Proc) {
		reply, _, err := proc.Call(to, c.w.Op("broker."+op), sim.Action{}, body, 0, 5*sim.Second)
		switch r := reply.(type) {
		case wire.InitProducerReply:
			p.was = append(p.was, r.Producer)
		case wire.EndTxnReply:
			p.was = append(p.was, r.Producer)
		}
		if errors.Is(err, wire.ErrUnknownServer) {
			c.rt.Fatalf("%s of %v: %v", op, as, err)
		}
	})
}

func (c *chaos) request(as wire.ProducerID) (string, any) {
	switch rapid.IntRange(0, 6).Draw(c.rt, "request") {
	case 0:
		return wire.OpInitProducer, wire.InitProducerRequest{Transaction: "payments", Timeout: 10 * sim.Second}
	case 1:
		return wire.OpInitProducer, wire.InitProducerRequest{Transaction: "payments", Timeout: 10 * sim.Second, Expected: as}
	case 2:
		return wire.OpAddOffsets, wire.AddOffsetsRequest{Transaction: "payments", Producer: as, Group: "workers"}
	case 3, 4:
		return wire.OpAddPartitions, wire.AddPartitionsRequest{
			Transaction: "payments", Producer: as, Partitions: []wire.TopicPartition{c.partition()}, VerifyOnly: rapid.IntRange(0, 9).Draw(c.rt, "verify") == 0,
		}
	}
	return wire.OpEndTxn, wire.EndTxnRequest{
		Transaction: "payments", TxnVersion: rapid.IntRange(1, c.version).Draw(c.rt, "client version"), Producer: as, Commit: rapid.Bool().Draw(c.rt, "commit"),
	}
}

func (c *chaos) run(d sim.Duration) {
	done := false
	c.w.At(c.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && c.step(c.rt) {
	}
	if stop, ok := c.w.Stopped(); ok {
		c.rt.Fatalf("the world ended: %v %s", stop, stop.Detail)
	}
}

// heal ends all faults and waits for the longest chain: what was asked last, a request that nobody answers, the timeout of a
// transaction by a clock that is 80 s ahead or behind, and a scan.
func (c *chaos) heal() {
	for _, n := range c.brokers {
		if !n.Up() {
			n.Boot()
		}
	}
	clear(c.leads)
	clear(c.takes)
	clear(c.silent)
	c.deadly = ""
	c.healthy()
	if c.coordinator() == nil {
		c.lead(c.brokers[1])
	}
	for range 60 {
		if c.run(30 * sim.Second); c.coordinator().Outstanding() == 0 {
			return
		}
	}
}

// marked says of each completion that every partition of its decision has the marker.
func (c *chaos) marked() {
	var decision transactions.View
	for _, b := range c.log {
		v := transactions.Decode("payments", b.Messages[0].Payload)
		switch v.State {
		case transactions.PrepareCommit, transactions.PrepareAbort:
			decision = v
		case transactions.CompleteCommit, transactions.CompleteAbort:
			for _, p := range decision.Partitions {
				require.True(c.rt, c.hasMarker(p, decision), "%v has no marker of %v", p, decision)
			}
		default:
		}
	}
}

func (c *chaos) hasMarker(p wire.TopicPartition, decision transactions.View) bool {
	for _, m := range c.marks[p] {
		if m.Producer == decision.Producer && m.Commit == (decision.State == transactions.PrepareCommit) {
			return true
		}
	}
	return false
}
