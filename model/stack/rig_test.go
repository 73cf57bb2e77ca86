package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// flow has one critical effect and one that is not.
func flow() model.Flow {
	return model.Flow{Name: "payments", Source: "orders", Stages: []model.Stage{
		{Name: "charge", Kind: model.Effect, Class: history.Critical, Service: "payments"},
		{Name: "present", Kind: model.Effect, Class: history.Notify, Service: "notifier"},
	}}
}

// assembly keeps what one layer or engine has installed.
type assembly struct {
	topics   []string
	stores   []model.StoreSpec
	replays  []model.DeadLetterReplay
	batch    func(model.Batch) model.Batch
	stages   map[string]func(model.Call) model.Call
	offers   map[string]*model.Offer
	consumes string
	loop     func(model.Ctx, model.Consumer, model.Batch)
}

func (a *assembly) Topic(name string, _ int)                     { a.topics = append(a.topics, name) }
func (a *assembly) Role(string, int, func(model.Ctx, *sim.Disk)) {}
func (a *assembly) Store(s model.StoreSpec)                      { a.stores = append(a.stores, s) }
func (a *assembly) ReplayDeadLetters(r model.DeadLetterReplay)   { a.replays = append(a.replays, r) }
func (a *assembly) OnSend(func(model.Call) model.Call)           {}
func (a *assembly) OnPoll(func(lag, inFlight int) (take int))    {}
func (a *assembly) OnBatch(wrap func(model.Batch) model.Batch)   { a.batch = wrap }
func (a *assembly) OnStage(stage string, wrap func(model.Call) model.Call) {
	a.stages[stage] = wrap
}

func (a *assembly) AtService(name string, set func(*model.Offer)) {
	if a.offers[name] == nil {
		a.offers[name] = &model.Offer{KeepKeys: sim.Hour} // the service's own
	}
	set(a.offers[name])
}

func (a *assembly) Consume(topic, _ string, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.consumes, a.loop = topic, loop
}

func (a *assembly) ConsumeStages(topic, group string, _ []model.Stage, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.Consume(topic, group, loop)
}
func (a *assembly) ReadCommitted(string) {}

func (a *assembly) AutoCommit(string) {}

func (a *assembly) RunStages(model.Ctx, model.Message, []model.Stage) error { return nil }

func newAssembly() *assembly {
	return &assembly{stages: map[string]func(model.Call) model.Call{}, offers: map[string]*model.Offer{}}
}

// install puts one layer over the flow.
func install(t *testing.T, name string, with map[string]string) *assembly {
	t.Helper()
	k, ok := stack.LayerByName(name)
	require.True(t, ok)
	a := newAssembly()
	k.New(k.Values(with)).Install(a, flow())
	return a
}

// flaws is what the check of a layer says about a site.
func flaws(t *testing.T, name string, s stack.Site, with map[string]string) []stack.Flaw {
	t.Helper()
	k, ok := stack.LayerByName(name)
	require.True(t, ok)
	k.Check(&s, k.Values(with))
	return s.Flaws
}

// rig is a world with a dedup store and one process. A hop takes 1 ms, an operation of the store none.
type rig struct {
	w     *sim.World
	store *sim.Node
	lease *sim.Node // leases of 10 s
	done  *sim.Node // stage records
	emit  func(topic string, m model.Message) error
}

func newRig(t *testing.T) *rig {
	g := &rig{w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))})}
	t.Cleanup(g.w.Close)
	g.store, g.lease = g.boots(t, "durable", stack.DedupService, 0), g.boots(t, "lease", stack.LeaseService, 10*sim.Second)
	g.done = g.boots(t, "stage-records", stack.StagesService, 0)
	return g
}

// boots adds a store.
func (g *rig) boots(t *testing.T, kind, role string, window sim.Duration) *sim.Node {
	t.Helper()
	return g.bootsWith(t, kind, role, store.Config{Window: window})
}

// bootsWith adds a store whose operations take no time.
func (g *rig) bootsWith(t *testing.T, kind, role string, cfg store.Config) *sim.Node {
	t.Helper()
	k, ok := store.KindByName(kind)
	require.True(t, ok)
	cfg.Append, cfg.Fsync, cfg.Latency = rng.Constant(0), rng.Constant(0), rng.Constant(0)
	n := g.w.Role(role, k.New(cfg))
	n.Boot()
	return n
}

// run lets a process do fn, and requires that it comes to its end.
func (g *rig) run(t *testing.T, fn func(*model.Context)) {
	t.Helper()
	dir := &model.Directory{Services: map[string]*sim.Node{stack.DedupService: g.store, stack.LeaseService: g.lease, stack.StagesService: g.done}, CallTimeout: 100 * sim.Millisecond,
		Emit: func(_ *model.Context, topic string, m model.Message) error { return g.emit(topic, m) }}
	g.runWith(t, dir, fn)
}

// runWith is run where services are found in another directory.
func (g *rig) runWith(t *testing.T, dir *model.Directory, fn func(*model.Context)) {
	t.Helper()
	ended := false
	g.w.Role("consumer", func(n *sim.Node) sim.Handler {
		n.Go("test", func(p *sim.Proc) {
			fn(model.NewContext(p, dir))
			ended = true
		})
		return sim.NoHandler()
	}).Boot()
	stop := g.w.Run(sim.Time(sim.Hour))
	require.True(t, ended, "%v %s", stop, stop.Detail)
}

// facts of a kind, in their order.
func (g *rig) facts(k history.Kind) (out []history.Fact) {
	for _, f := range g.w.History.Facts {
		if f.Kind == k {
			out = append(out, f)
		}
	}
	return out
}

func message(event string) model.Message {
	return model.Message{Intent: model.Intent{Event: event, Stage: "charge", Key: "k"}, Topic: "orders", Partition: 2, Offset: 7, Generation: 4}
}

// always answers every message with the same outcome.
func always(o model.Outcome) model.Batch {
	return func(_ model.Ctx, ms []model.Message) []model.Outcome {
		out := make([]model.Outcome, len(ms))
		for i := range out {
			out[i] = o
		}
		return out
	}
}
