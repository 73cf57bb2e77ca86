// Package downstreamtest is the conformance suite of services: every kind of package downstream inherits it.
package downstreamtest

import (
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Service is the name of the service under test; Op is its effect.
const (
	Service = "payments"
	Op      = "charge"
)

// Rig is a world with one service and one client node.
type Rig struct {
	World  *sim.World
	Node   *sim.Node // the service
	client *sim.Node
	dir    *model.Directory
	tasks  []func(*model.Context)
}

// Answer is what one call came back with.
type Answer struct {
	Event   string
	Message model.Message
	Err     error
	Took    sim.Duration
}

// NewRig makes a world whose network hop takes one millisecond. The fields of cfg that are not about the test are
// filled in.
func NewRig(k downstream.Kind, seed uint64, cfg downstream.Config) *Rig {
	cfg.Service = Service
	if cfg.Stage == nil {
		cfg.Stage = func(op string) (model.StageKind, history.Class) {
			if op == Op {
				return model.Effect, history.Critical
			}
			return model.Read, history.ClassNone
		}
	}
	g := &Rig{World: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(sim.Millisecond))})}
	g.Node = g.World.Role(Service, k.New(cfg))
	g.client = g.World.Role("client", func(n *sim.Node) sim.Handler {
		for _, task := range g.tasks {
			n.Go("task", func(p *sim.Proc) { task(model.NewContext(p, g.dir)) })
		}
		return sim.NoHandler()
	})
	g.dir = &model.Directory{Services: map[string]*sim.Node{Service: g.Node}, CallTimeout: sim.Minute}
	return g
}

// Timeout sets how long a call waits; a minute at first.
func (g *Rig) Timeout(d sim.Duration) { g.dir.CallTimeout = d }

// Task adds a process of the client.
func (g *Rig) Task(fn func(*model.Context)) { g.tasks = append(g.tasks, fn) }

// Run boots the service and the client and runs until nothing is left to do, at most an hour.
func (g *Rig) Run() sim.StopReason {
	g.Node.Boot()
	g.client.Boot()
	return g.World.Run(sim.Time(sim.Hour))
}

// Message is an intent with an amount.
func Message(event string, amount int64) model.Message {
	return model.Message{Intent: model.Intent{Event: event, Stage: "pay", Key: "k-" + event}, Payload: "order", Amount: amount}
}

// Call asks the service for its effect and measures.
func Call(c *model.Context, m model.Message) Answer {
	before := c.Now()
	reply, err := c.With(m.Intent).Call(Service, Op, m)
	return Answer{m.Event, reply, err, c.Now().Sub(before)}
}

// Stop ends an incarnation at a time and boots the next one after a while.
type Stop struct {
	At, Down sim.Duration
	Power    bool // a power loss, not a kill
}

// Schedule puts stops into the run; one that finds the node down passes.
func (g *Rig) Schedule(stops []Stop) {
	for _, s := range stops {
		g.World.At(sim.Time(s.At), sim.PhaseFault, func() { g.Stop(s) })
	}
}

// Stop stops the service now.
func (g *Rig) Stop(s Stop) {
	if !g.Node.Up() {
		return
	}
	if s.Power {
		g.Node.PowerLoss(0)
	} else {
		g.Node.Kill(0)
	}
	g.World.At(g.World.Now().Add(s.Down), sim.PhaseFault, g.Node.Boot)
}

// Applied counts the facts "applied" of one event, and of all.
func (g *Rig) Applied(event string) (ofEvent, total int) {
	for _, f := range g.World.History.Facts {
		if f.Kind == history.KindApplied {
			total++
			if f.Event == event {
				ofEvent++
			}
		}
	}
	return ofEvent, total
}

// OnDisk counts the effects that the service's disk holds for an event.
func (g *Rig) OnDisk(event string) (n int) {
	for _, e := range downstream.Effects(g.Node) {
		if e.Event == event {
			n++
		}
	}
	return n
}

// Event is the name of the i-th event.
func Event(i int) string { return "order-" + strconv.Itoa(i) }
