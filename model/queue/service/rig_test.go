package service_test

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/client"
	"github.com/twiceless/twiceless/model/queue/service"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const (
	ms  = sim.Millisecond
	sec = sim.Second
)

// tb is a *testing.T or a *rapid.T.
type tb interface {
	require.TestingT
	Helper()
	Errorf(format string, args ...any)
}

// rig is a world with a queue, a producer that offers events from 10 s on, and consumers that run an engine. Handling an
// event takes work, and then its effect has taken place.
type rig struct {
	t         tb
	w         *sim.World
	q         *service.Queue
	producer  *sim.Node
	consumers []*sim.Node
	out       int // events handed to the producer's client and not answered
}

// plan of a rig.
type plan struct {
	profile   string
	engine    string
	seed      uint64
	events    int
	every     sim.Duration // between two events
	keys      int
	consumers int
	work      sim.Duration
	queue     func(*queue.Config)
	client    func(*client.Config)
	sender    func(*client.SenderConfig)
}

func newRig(t tb, p plan) *rig {
	kind, ok := queue.KindByName(p.profile)
	require.True(t, ok, p.profile)
	cfg := kind.Config()
	cfg.Queue = "orders"
	cfg.Append, cfg.Fsync = rng.Constant(int64(100*sim.Microsecond)), rng.Constant(int64(2*ms))
	if p.queue != nil {
		p.queue(&cfg)
	}
	g := &rig{t: t, w: sim.New(sim.Config{Seed: p.seed, Latency: rng.Constant(int64(ms))})}
	g.w.History.Header = history.Header{Heal: int64(5 * sim.Minute), Requires: []history.Requirement{{Stage: "charge", Resource: "payments", Class: history.Critical}},
		Chaos: [2]int64{int64(10 * sec), int64(10*sec) + int64(p.every)*int64(p.events)}}
	g.q = service.Add(g.w, cfg)
	cc := client.For(g.q.Config(), true)
	if p.client != nil {
		p.client(&cc)
	}
	loop := p.loop(t)
	for range p.consumers {
		g.consumers = append(g.consumers, g.w.Role("consumer", client.New(cc, &model.Directory{}, g.q.Nodes, loop)))
	}
	g.addProducer(p)
	for _, n := range g.w.Nodes("") {
		n.Boot()
	}
	return g
}

// loop is what an engine runs in each consumer over a flow of one effect.
func (p *plan) loop(t tb) client.Loop {
	engine, ok := stack.EngineByName(p.engine)
	require.True(t, ok, p.engine)
	a := &assembly{}
	engine.Build(a, model.Flow{Name: "payments", Source: "orders"})
	handle := func(c model.Ctx, batch []model.Message) []model.Outcome {
		for i := range batch {
			m := &batch[i]
			c.Sleep(p.work)
			c.Record(history.Fact{Kind: history.KindApplied, Event: m.Event, Stage: "charge", Key: m.Key, Cause: m.Cause, Fence: -1, Offset: -1,
				Resource: "payments", Op: "charge", Changed: true, Class: history.Critical})
		}
		return make([]model.Outcome, len(batch))
	}
	return func(c model.Ctx, in model.Consumer) { a.loop(c, in, handle) }
}

// assembly keeps the loop that an engine builds.
type assembly struct {
	loop func(model.Ctx, model.Consumer, model.Batch)
}

func (a *assembly) Topic(string, int)                                       {}
func (a *assembly) Role(string, int, func(model.Ctx, *sim.Disk))            {}
func (a *assembly) Store(model.StoreSpec)                                   {}
func (a *assembly) ReplayDeadLetters(model.DeadLetterReplay)                {}
func (a *assembly) OnSend(func(model.Call) model.Call)                      {}
func (a *assembly) OnPoll(func(lag, inFlight int) (take int))               {}
func (a *assembly) OnBatch(func(model.Batch) model.Batch)                   {}
func (a *assembly) OnStage(string, func(model.Call) model.Call)             {}
func (a *assembly) AtService(string, func(*model.Offer))                    {}
func (a *assembly) RunStages(model.Ctx, model.Message, []model.Stage) error { return nil }
func (a *assembly) ConsumeStages(topic, group string, _ []model.Stage, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.Consume(topic, group, loop)
}

func (a *assembly) ReadCommitted(string) {}
func (a *assembly) AutoCommit(string)    {}

func (a *assembly) Consume(_, _ string, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.loop = loop
}

func (g *rig) addProducer(p plan) {
	sc := client.SenderFor(g.q.Config())
	if p.sender != nil {
		p.sender(&sc)
	}
	next := 0
	g.producer = g.w.Role("producer", func(n *sim.Node) sim.Handler {
		g.out = 0
		s := client.NewSender(n, sc, g.q.Nodes, func() { g.out-- })
		n.Go("application", func(pr *sim.Proc) {
			for ; next < p.events; next++ {
				at := sim.Time(10 * sec).Add(sim.Duration(next) * p.every)
				if wait := at.Sub(g.w.Now()); wait > 0 {
					pr.Sleep(wait)
				}
				m := model.Message{Intent: model.Intent{Event: fmt.Sprintf("order-%d", next+1), Key: fmt.Sprintf("key-%d", next%p.keys)}, Payload: "pay"}
				m.Payload = m.Event
				m.Cause = pr.Record(history.Fact{Kind: history.KindOffered, Event: m.Event, Key: m.Key, Until: int64(at), Fence: -1, Offset: -1})
				g.out++
				s.Hand(n, m)
			}
		})
		return sim.NoHandler()
	})
}

func (g *rig) at(d sim.Duration, fn func()) { g.w.At(sim.Time(d), sim.PhaseFault, fn) }

// run lets the world go on to a time.
func (g *rig) run(until sim.Duration) *rig {
	g.t.Helper()
	r := g.w.Run(sim.Time(until))
	require.Contains(g.t, []sim.StopKind{sim.StopHorizon, sim.StopDrained}, r.Kind, r.Detail)
	return g
}

// end states what is left and judges.
func (g *rig) end() checker.Verdicts {
	g.q.FinalState()
	g.w.Record(history.Fact{Kind: history.KindStopReason, Note: "quiescent", Fence: -1, Offset: -1})
	v := checker.CheckAll(g.w.History)
	g.w.Close()
	return v
}

func (g *rig) count(k history.Kind) (n int) {
	for i := range g.w.History.Facts {
		if g.w.History.Facts[i].Kind == k {
			n++
		}
	}
	return n
}

// applied is how often each event took effect.
func (g *rig) applied() map[string]int {
	n := map[string]int{}
	for _, f := range g.w.History.Facts {
		if f.Kind == history.KindApplied {
			n[f.Event]++
		}
	}
	return n
}
