package scenarios

import (
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// storeLatency is a store's own time per operation, the prior of a key-value server near by. Its disk has the
// timing of the broker's, and the network's hops come on top.
var storeLatency, _ = orDist(nil, "lognormal(p50 200us, p99 1ms)")

// Memory is what one worker reuses from run to run. A run on used memory equals a run on fresh memory.
type Memory struct {
	world   *sim.World
	history history.History
	ended   *sim.StopReason // of a run whose code ended the goroutine of the run; nil = none

	everyEvent bool // tests of the leap over quiet time: see sim.Config
}

// world is one case made runnable.
type world struct {
	sc      *Scenario
	stack   *Stack
	plan    []faults.Fault
	planted model.Planted
	kept    *Reductions // nil = everything
	guest   Guest       // nil = none
	mem     *Memory
	sim     *sim.World
	asm     *assembly
	dir     *model.Directory

	bus      bus
	producer *sim.Node
	stores   [][]*sim.Node // nodes of each
	boots    []*sim.Node
	out      producer.Outstanding
	refusing map[string]bool // by service; looked up only
	injector *faults.Injector
	onHeal   []func()
	healAt   sim.Time
	healed   bool
	moved    sim.Time // when the ledger last moved
	idle     sim.Time // since when there is nothing left to do but for brokers to catch up with each other; 0 = there is
	scanned  int      // facts seen by the watchdog
	draining bool

	background background // of a guest

	replayed   bool       // dead letters have been published again
	drained    sim.Time   // end of the first drain, once it is known
	drainLimit sim.Handle // of the present drain
}

// build makes the world of a case: nodes down, plan injected, phases scheduled.
func build(c *Case, plan []faults.Fault, mem *Memory) *world {
	sc := c.Intent.Scenario
	st := sc.stackNamed(c.Intent.Stack)
	if !sc.hosts() {
		return buildWith(c, plan, mem, nil, func(f model.Flow, offers map[string]*model.Offer) *assembly { return assemble(f, st, offers) })
	}
	guest := sc.code.Host()
	return buildWith(c, plan, mem, guest, func(f model.Flow, offers map[string]*model.Offer) *assembly {
		if loop := guest.Loop(); loop != nil {
			return assembleWith(f, st, ownLoop{loop}, offers)
		}
		return assemble(f, st, offers)
	})
}

// buildWith is build with an assembly that need not come from the tables, and a guest, nil = none.
func buildWith(c *Case, plan []faults.Fault, mem *Memory, guest Guest, put func(model.Flow, map[string]*model.Offer) *assembly) *world {
	sc := c.Intent.Scenario
	st := sc.stackNamed(c.Intent.Stack)
	planted, err := model.PlantedBugs(c.Intent.Planted)
	if err != nil {
		panic("scenarios: " + err.Error() + " passed the check")
	}
	cfg := sim.Config{Seed: c.Witness.Seed, Latency: sc.Network.Latency, Streams: sc.Network.streams(), History: &mem.history,
		Limits: sim.Limits{Events: sc.Limits.Events, Facts: int(sc.Limits.Facts)}, EveryEvent: mem.everyEvent,
		KillDropsPageCache: planted.Has(model.PageCacheLostOnKill), Sites: sc.code != nil && sc.code.Sites}
	if guest != nil {
		cfg.Beside = guest
	}
	if mem.world == nil {
		mem.world = sim.New(cfg)
	} else {
		mem.world.Reset(cfg)
	}
	w := &world{sc: sc, stack: st, plan: plan, planted: planted, sim: mem.world, guest: guest, mem: mem, refusing: map[string]bool{}}
	w.header(c)
	w.assemble(put)
	if guest != nil {
		guest.Enter(Hall{World: w.sim, Scenario: sc, Stages: w.asm.calls,
			Speak: func(p *sim.Proc) model.Ctx { return model.NewContext(p, w.dir) }})
	}
	w.kept = c.Intent.Reductions
	w.nodes()
	w.injector = faults.Inject(w.sim, plan, (*controls)(w))
	w.phases()
	return w
}

func (s *Scenario) stackNamed(name string) *Stack {
	for i := range s.Stacks {
		if s.Stacks[i].Name == name {
			return &s.Stacks[i]
		}
	}
	panic("scenarios: no stack " + name)
}

func (w *world) chaos() (from, to sim.Time) {
	from = sim.Time(w.sc.Phases.WarmUp)
	return from, from.Add(sim.Duration(w.sc.Phases.Chaos))
}

func (w *world) header(c *Case) {
	from, to := w.chaos()
	w.sim.History.Header = history.Header{Format: "twiceless-history", Version: history.FormatVersion, Epoch: Epoch,
		Scenario: w.sc.Name, Hash: w.sc.Hash(), Stack: w.stack.Name, Seed: c.Witness.Seed, Plan: c.Intent.Plan, Planted: c.Intent.Planted,
		Chaos: [2]int64{int64(from), int64(to)}, Deadline: w.sc.Workload.Deadline, Heal: w.sc.Phases.Drain}
}

// assemble puts the stack together over the scenario's flow.
func (w *world) assemble(put func(model.Flow, map[string]*model.Offer) *assembly) {
	flow := flowOf(w.sc)
	w.asm = put(flow, w.sc.offers())
	w.sim.History.Header.Requires = requirements(flow)
	w.dir = &model.Directory{Services: map[string]*sim.Node{}, CallTimeout: sim.Duration(w.sc.Consumers.CallTimeout), Planted: w.planted}
	w.dir.Emit = func(c *model.Context, topic string, m model.Message) error { return w.bus.emit(c, topic, m) }
	w.dir.Transactor = func(c *model.Context, name string) model.Transactor { return w.bus.transactor(c, name) }
	w.dir.Restore = func(c *model.Context, topic string, partition int, to model.Bound, take func(model.Message)) {
		w.bus.(restorer).restore(c, topic, partition, to, take)
	}
	if w.guest != nil {
		w.dir.CallTimeout = transportGivesUp // deadlines are the code's own
	}
}

// nodes adds every node, in an order that depends on names only, and boots them when the world starts.
func (w *world) nodes() {
	kind, ok := busByName(w.sc.Broker.Kind)
	if !ok {
		panic("scenarios: broker kind " + w.sc.Broker.Kind)
	}
	w.bus = kind.of(w)
	w.boots = append(w.boots, w.bus.add()...)
	for _, name := range SortedKeys(w.sc.Downstreams) {
		w.addService(name)
	}
	for _, s := range w.asm.stores {
		w.addStore(s)
	}
	for i := range w.asm.loops {
		for range w.kept.members(w.sc.Consumers.Members) {
			w.boots = append(w.boots, w.addMember(&w.asm.loops[i]))
		}
	}
	for _, role := range w.asm.roles {
		w.addRole(role)
	}
	w.addProducer()
	w.sim.At(0, sim.PhaseFault, func() {
		w.phase("warm-up")
		for _, n := range w.boots {
			n.Boot()
		}
	})
}

// partitions of a topic, of the scenario or of the stack.
func (w *world) partitions(topic string) int {
	source := w.asm.flow.Source
	for _, t := range w.asm.topics {
		if t.name == topic && t.partitions > 0 {
			return t.partitions
		} else if t.name == topic {
			topic = source
		}
	}
	return w.kept.partitions(topic, w.sc.Broker.Topics[topic].Partitions)
}

func (w *world) addService(name string) {
	d := w.sc.Downstreams[name]
	kind, ok := downstream.KindByName(d.Kind)
	if !ok {
		panic("scenarios: downstream kind " + d.Kind)
	}
	cfg := downstream.Config{Service: name, Latency: d.Latency, CapacityPerSecond: d.Capacity,
		Offer: w.asm.offers[name], Stage: w.stageOf(name), SQLStages: w.sqlStages(name), Refusing: func() bool { return w.refusing[name] }, Poison: d.Poison, Planted: w.planted}
	if w.guest != nil {
		cfg.Schema = w.guest.Schema(name)
	}
	boot := kind.New(cfg)
	if w.guest != nil {
		if serve, own := w.guest.Service(name); own {
			boot = downstream.NewForeign(cfg, serve)
		}
	}
	n := w.sim.Role(name, boot)
	w.dir.Services[name] = n
	w.boots = append(w.boots, n)
}

// stageOf tells a service what an op of it is.
func (w *world) stageOf(service string) func(op string) (model.StageKind, history.Class) {
	return func(op string) (model.StageKind, history.Class) {
		for i := range w.sc.Flow {
			if s := &w.sc.Flow[i]; s.Service == service && s.Op == op {
				if s.Kind == "effect" {
					return model.Effect, s.Class
				}
				return model.Read, history.ClassNone
			}
		}
		return model.Read, history.ClassNone
	}
}

// sqlStages are the effects that a database states of committed SQL transactions.
func (w *world) sqlStages(service string) (out []downstream.SQLStage) {
	for i := range w.sc.Flow {
		if s := &w.sc.Flow[i]; s.Service == service && s.Kind == "effect" {
			out = append(out, downstream.SQLStage{Name: s.Name, Op: s.Op, Class: s.Class})
		}
	}
	return out
}

func (w *world) addStore(s model.StoreSpec) {
	kind, ok := store.KindByName(s.Kind)
	if !ok {
		panic("scenarios: store kind " + s.Kind)
	}
	nodes, sentinel := store.Add(w.sim, s.Name, kind, store.Config{Append: w.sc.Broker.Append, Fsync: w.sc.Broker.Fsync, Latency: storeLatency, Window: s.Window, Planted: w.planted, Relay: s.Relay, Directory: w.dir})
	w.dir.Services[s.Name] = nodes[0]
	w.stores = append(w.stores, nodes)
	w.boots = append(w.boots, nodes...)
	if sentinel != nil {
		w.dir.Services[store.SentinelService] = sentinel
		w.boots = append(w.boots, sentinel)
	}
}

// addMember adds one member of a group, down.
func (w *world) addMember(l *loopSpec) *sim.Node {
	handle := w.handler(l)
	return w.sim.Role(l.role, w.bus.member(l, func(c model.Ctx, in model.Consumer) { l.run(c, in, handle) }))
}

// handler is the batch port of a loop: its stages of the flow, or a guest in its place, inside, the layers around it.
func (w *world) handler(l *loopSpec) model.Batch {
	inner := w.asm.calls.Handle(l.stages)
	if w.guest != nil {
		inner = w.guest.Handle()
		if w.guest.Batches() {
			return w.batched(inner)
		}
	}
	return model.Outermost(inner, w.asm.batch)
}

// batched has code do the messages of a poll at once, and then each go through the layers with what became of it: layers
// are about one message, and one that they try again is done again alone.
func (w *world) batched(code model.Batch) model.Batch {
	var first []model.Outcome // of the message that the layers are asked about: not told to them yet
	layered := model.Outermost(model.Batch(func(c model.Ctx, one []model.Message) []model.Outcome {
		if out := first; out != nil {
			first = nil
			return out
		}
		return code(c, one)
	}), w.asm.batch)
	return func(c model.Ctx, ms []model.Message) []model.Outcome {
		became := code(c, ms)
		out := make([]model.Outcome, 0, len(ms))
		for i := range ms {
			first = became[i : i+1]
			out = append(out, layered(c, ms[i:i+1])...)
			first = nil
		}
		return out
	}
}

func (w *world) addRole(r roleSpec) {
	for range r.n {
		w.boots = append(w.boots, w.sim.Role(r.name, func(n *sim.Node) sim.Handler {
			n.Go(r.name, func(p *sim.Proc) { r.boot(model.NewContext(p, w.dir), n.Disk()) })
			return sim.NoHandler()
		}))
	}
}

func (w *world) addProducer() {
	from, to := w.chaos()
	wl := producer.Workload{Event: w.sc.Event, Interval: sim.Duration(w.sc.Workload.Interval), From: from, To: to,
		Keys: w.sc.Workload.KeyCount}
	if w.sc.Workload.KeySkew > 0 {
		z := rng.NewZipf(w.sc.Workload.KeyCount, w.sc.Workload.KeySkew)
		wl.Zipf = &z
	}
	wl.Kept = w.kept.events()
	w.producer = w.sim.Role("producer", w.bus.publisher(wl, &w.out))
	w.boots = append(w.boots, w.producer)
}

// streams is how connections bear a lossy link. CUBIC's growth is that of Reno at the round trips and losses of these models, where its
// window is below what its function for fast and long ways gives.
func (n *Network) streams() sim.Streams {
	s := sim.Streams{Offload: n.Offload}
	if n.Congestion == "cubic" {
		s.Decrease = rng.Ratio{Num: 7, Den: 10}
	}
	return s
}
