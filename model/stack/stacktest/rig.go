package stacktest

import (
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// The flow that layers are tried on: a stage of each kind, and effects of two classes.
const (
	source    = "orders"
	critical  = "payments"
	notifier  = "notifier"
	directory = "customers"
	member    = "consumer"
)

// events of one round, on two partitions, three to a batch.
const (
	events     = 8
	partitions = 2
	perBatch   = 3
)

func flow() model.Flow {
	call := func(service, op string) func(model.Ctx, model.Message) (model.Message, error) {
		return func(c model.Ctx, m model.Message) (model.Message, error) { return c.Call(service, op, m) }
	}
	pure := func(_ model.Ctx, m model.Message) (model.Message, error) { return m, nil }
	return model.Flow{Name: "payments", Source: source, Stages: []model.Stage{
		{Name: "normalise", Kind: model.Pure, Run: pure},
		{Name: "enrich", Kind: model.Read, Service: directory, Run: call(directory, "enrich")},
		{Name: "charge", Kind: model.Effect, Class: history.Critical, Service: critical, Run: call(critical, "charge")},
		{Name: "present", Kind: model.Effect, Class: history.Notify, Service: notifier, Run: call(notifier, "present")},
	}}
}

// callingStages of that flow.
const callingStages = 3

// rig is a world with the services of the flow, a log of orders, one consumer, and what the layer asks for.
type rig struct {
	w      *sim.World
	asm    *assembly
	dir    *model.Directory
	log    orders
	member *sim.Node
	owners []*sim.Node // nodes that the layer brought: stores and roles
	emits  int         // records that went to a log
	writes int         // of the owners' disks
}

// newRig puts a layer over the flow, or nothing if it is nil, with the engine commit-after.
func newRig(l *Layer) *rig {
	g := &rig{w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))}), asm: newAssembly(flow())}
	g.dir = &model.Directory{Services: map[string]*sim.Node{}, CallTimeout: 5 * sim.Second,
		Emit: func(c *model.Context, _ string, _ model.Message) error {
			c.Sleep(2 * sim.Millisecond)
			g.emits++
			return nil
		}}
	if l != nil {
		l.make().Install(g.asm, flow())
	}
	g.asm.compose()
	engine, _ := stack.EngineByName("commit-after")
	engine.Build(g.asm, flow())
	g.service(critical, "payments-api")
	g.service(directory, "database")
	g.service(notifier, "notification")
	for _, s := range g.asm.stores {
		g.store(s)
	}
	for _, r := range g.asm.roles {
		for range r.n {
			g.owners = append(g.owners, g.w.Role(r.name, func(n *sim.Node) sim.Handler {
				n.Go(r.name, func(p *sim.Proc) { r.boot(model.NewContext(p, g.dir), n.Disk()) })
				return sim.NoHandler()
			}))
		}
	}
	handle := g.asm.handler()
	g.member = g.w.Role(member, func(n *sim.Node) sim.Handler {
		n.Go("loop", func(p *sim.Proc) { g.asm.loop(model.NewContext(p, g.dir), &g.log, handle) })
		return sim.NoHandler()
	})
	g.w.Observe(g.observe)
	for _, n := range g.w.Nodes("") {
		n.Boot()
	}
	return g
}

func (g *rig) service(name, kind string) {
	k, _ := downstream.KindByName(kind)
	stage := func(op string) (model.StageKind, history.Class) {
		for _, s := range flow().Stages {
			if s.Name == op {
				return s.Kind, s.Class
			}
		}
		return model.Read, history.ClassNone
	}
	g.dir.Services[name] = g.w.Role(name, k.New(downstream.Config{Service: name, Offer: g.asm.offers[name], Stage: stage,
		Latency: rng.Constant(int64(10 * sim.Millisecond)), Append: rng.Constant(0), Fsync: rng.Constant(int64(sim.Millisecond))}))
}

func (g *rig) store(s model.StoreSpec) {
	k, _ := store.KindByName(s.Kind)
	nodes, sentinel := store.Add(g.w, s.Name, k, store.Config{Append: rng.Constant(0), Fsync: rng.Constant(int64(sim.Millisecond)), Latency: rng.Constant(0), Window: s.Window, Relay: s.Relay, Directory: g.dir})
	g.dir.Services[s.Name] = nodes[0]
	g.owners = append(g.owners, nodes...)
	if sentinel != nil {
		g.dir.Services[store.SentinelService] = sentinel
	}
}

// observe counts the writes of what the layer brought.
func (g *rig) observe(h *sim.Hit) {
	if !strings.HasSuffix(h.Hook, ".disk.append/started") {
		return
	}
	for _, n := range g.owners {
		if n == h.Node {
			g.writes++
		}
	}
}

// round hands all events to the consumer, under a new generation, and lets everything come to rest. Blank events have
// no identity: that of their producer was taken away.
func (g *rig) round(blank bool) {
	g.w.At(g.w.Now(), sim.PhaseFault, func() { g.log.hand(blank) })
	for range 60 {
		g.w.Run(g.w.Now().Add(sim.Minute))
		if g.log.idle() {
			break
		}
	}
	g.w.Run(g.w.Now().Add(sim.Minute)) // what the layer does behind the consumer's back
}

// restart stops the consumer, everything that the layer brought and the services, at once, and boots them again: what
// has become of a memory does not depend on who was asked for it.
func (g *rig) restart(power bool) {
	g.w.At(g.w.Now(), sim.PhaseFault, func() {
		for _, n := range g.w.Nodes("") {
			if power {
				n.PowerLoss(0)
			} else {
				n.Kill(0)
			}
			n.Boot()
		}
	})
	g.w.Run(g.w.Now().Add(sim.Second))
}

// effects are what each service has applied, in its order.
func (g *rig) effects() (out []string) {
	for _, service := range []string{critical, notifier} {
		for _, f := range g.facts(history.KindApplied) {
			if f.Resource == service {
				out = append(out, f.Event+"/"+f.Stage)
			}
		}
	}
	return out
}

func (g *rig) facts(k history.Kind) (out []history.Fact) {
	for _, f := range g.w.History.Facts {
		if f.Kind == k {
			out = append(out, f)
		}
	}
	return out
}

// work is what the layers have cost so far: calls of any service, writes of what they brought, records to a log.
func (g *rig) work() (calls, writes int) {
	return len(g.facts(history.KindCalled)), g.writes + g.emits
}

// orders is the log as the consumer of a group sees it: it keeps the committed position of the round, and hands out
// again what a pass through the round has left uncommitted, three times at most.
type orders struct {
	generation int64
	pending    []model.Message // of this pass
	left       []model.Message // handed out and not committed
	passes     int
	delivered  int
	waiting    bool
	arrived    sim.Signal
}

func (o *orders) hand(blank bool) {
	o.generation++
	o.passes = 0
	for i := range events {
		m := model.Message{Intent: model.Intent{Event: "order-" + strconv.Itoa(i+1), Key: "customer-" + strconv.Itoa(i%3)}, Amount: int64(i),
			Topic: source, Partition: i % partitions, Offset: int64(i / partitions), Generation: o.generation}
		if blank {
			m.Event = ""
		}
		o.pending = append(o.pending, m)
	}
	o.arrived.Broadcast()
}

func (o *orders) idle() bool { return o.waiting && len(o.pending) == 0 }

// Poll hands out the next records.
func (o *orders) Poll(c model.Ctx, _ int) ([]model.Message, bool) {
	for len(o.pending) == 0 {
		if len(o.left) > 0 && o.passes < 3 {
			o.pending, o.left = o.left, nil
			o.passes++
			break
		}
		o.left = nil
		o.waiting = true
		c.Process().Wait(&o.arrived, -1)
		o.waiting = false
	}
	n := min(perBatch, len(o.pending))
	batch := append([]model.Message(nil), o.pending[:n]...)
	o.pending = o.pending[n:]
	for i := range batch {
		m := &batch[i]
		o.delivered++
		m.Cause = c.With(m.Intent).Record(history.Fact{Kind: history.KindDelivered, Resource: model.PartitionName(m.Topic, m.Partition), Offset: m.Offset, Fence: m.Generation})
	}
	o.left = append(o.left, batch...)
	return batch, true
}

// Commit takes what is committed out of what would come again.
func (o *orders) Commit(_ model.Ctx, ms []model.Message) error {
	var left []model.Message
	for _, m := range o.left {
		kept := true
		for _, done := range ms {
			kept = kept && (done.Partition != m.Partition || done.Offset < m.Offset)
		}
		if kept {
			left = append(left, m)
		}
	}
	o.left = left
	return nil
}

// Rewind does nothing: positions are those that were committed.
func (o *orders) Rewind(model.Ctx) {}

// Lost is asked where OnRevoke's function is called: nowhere.
func (o *orders) Lost() bool { return false }

// Leave does nothing: there is no group.
func (o *orders) Leave(model.Ctx) {}

// OnRevoke is not called: the consumer keeps its share.
func (o *orders) OnRevoke(func(model.Ctx)) {}

// OnAssign and Seek are not for the engine of the rig.
func (o *orders) OnAssign(func(model.Ctx, []model.PartitionOffset)) {}

func (o *orders) Seek(model.PartitionOffset) {}

// AutoCommits: a queue's client does not.
func (o *orders) AutoCommits() bool { return false }

// Steer is not for engines.
func (o *orders) Steer(model.Steering) {}
