// Package storetest is the conformance suite of dedup stores: every kind of package store inherits it.
package storetest

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// rig is a world with one store and one client node.
type rig struct {
	w     *sim.World
	node  *sim.Node
	dir   *model.Directory
	tasks []func(*model.Context)
}

func newRig(k store.Kind, seed uint64) *rig { return newRigWith(k, seed, 0) }

func newRigWith(k store.Kind, seed uint64, window sim.Duration) *rig {
	g := &rig{w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(sim.Millisecond))})}
	g.node = g.w.Role(store.Service, k.New(store.Config{
		Append: rng.Constant(int64(100 * sim.Microsecond)), Fsync: rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond)),
		Latency: rng.Uniform(0, int64(3*sim.Millisecond)), Window: window}))
	g.dir = &model.Directory{Services: map[string]*sim.Node{store.Service: g.node}, CallTimeout: 10 * sim.Millisecond}
	return g
}

// run boots the store and a client with the tasks, and runs until nothing is left to do.
func (g *rig) run() { g.runFor(sim.Hour) }

func (g *rig) runFor(d sim.Duration) {
	client := g.w.Role("client", func(n *sim.Node) sim.Handler {
		for _, task := range g.tasks {
			n.Go("task", func(p *sim.Proc) { task(model.NewContext(p, g.dir)) })
		}
		return sim.NoHandler()
	})
	g.node.Boot()
	client.Boot()
	g.w.Run(sim.Time(d))
}

// stop ends an incarnation now and boots the next one after a while.
func (g *rig) stop(power bool, down sim.Duration) {
	if !g.node.Up() {
		return
	}
	if power {
		g.node.PowerLoss(0)
	} else {
		g.node.Kill(0)
	}
	g.w.At(g.w.Now().Add(down), sim.PhaseFault, g.node.Boot)
}

// step is one operation; its record is event and stage "pay".
type step struct{ event, op, token string }

func (s step) ask(c *model.Context) (string, error) {
	i := model.Intent{Event: s.event, Stage: "pay"}
	m, err := c.With(i).Call(store.Service, s.op, model.Message{Payload: s.token})
	return m.Payload, err
}

// spec is the store as one sequential object: a record is "", "pending:t" or "done:t".
func spec(state string, s step) (after, result string) {
	switch {
	case s.op == store.OpClaim && state == "":
		return "pending:" + s.token, store.Granted
	case s.op == store.OpClaim && state == "pending:"+s.token:
		return state, store.Mine
	case s.op == store.OpClaim && state[0] == 'p':
		return state, store.Pending
	case s.op == store.OpClaim:
		return state, store.Done
	case s.op == store.OpDone && (state == "pending:"+s.token || state == "done:"+s.token):
		return "done:" + s.token, store.OK
	case s.op == store.OpRelease && state == "pending:"+s.token:
		return "", store.OK
	}
	return state, store.NotOwner
}
