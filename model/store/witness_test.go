package store_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/linear/lineartest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// witnessWorld is a world with a store that many client nodes ask at once, each one thing.
type witnessWorld struct {
	w       *sim.World
	nodes   []*sim.Node
	dir     *model.Directory
	rec     *lineartest.Recorder
	rng     *rand.Rand
	stopped bool
}

func newWitnessWorld(kind, service string, seed uint64, window sim.Duration, ops ...string) *witnessWorld {
	k, _ := store.KindByName(kind)
	w := sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(sim.Millisecond))})
	x := &witnessWorld{w: w, rng: rand.New(rand.NewPCG(seed, 1))}
	cfg := store.Config{Append: rng.Constant(int64(100 * sim.Microsecond)), Window: window,
		Fsync: rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond)), Latency: rng.Uniform(0, int64(3*sim.Millisecond))}
	x.nodes, _ = store.Add(w, service, k, cfg)
	x.dir = &model.Directory{Services: map[string]*sim.Node{service: x.nodes[0]}, CallTimeout: 15 * sim.Millisecond}
	var names []string
	for _, op := range ops {
		names = append(names, service+"."+op)
	}
	x.rec = lineartest.Watch(w, names...)
	for _, n := range x.nodes {
		n.Boot()
	}
	return x
}

// client asks once, at some time in the first tenth of a second.
func (x *witnessWorld) client(ask func(*model.Context)) {
	at := sim.Duration(x.rng.Int64N(int64(100 * sim.Millisecond)))
	x.w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("task", func(p *sim.Proc) {
			p.Sleep(at)
			ask(model.NewContext(p, x.dir))
		})
		return sim.NoHandler()
	}).Boot()
}

// stops kills the store, or takes its power, up to twice.
func (x *witnessWorld) stops() {
	for range x.rng.IntN(3) {
		x.stopped = true
		power := x.rng.IntN(2) == 0
		x.w.At(sim.Time(x.rng.Int64N(int64(100*sim.Millisecond))), sim.PhaseFault, func() {
			n := x.nodes[0]
			if !n.Up() {
				return
			}
			if power {
				n.PowerLoss(0)
			} else {
				n.Kill(0)
			}
			x.w.At(x.w.Now().Add(5*sim.Millisecond), sim.PhaseFault, n.Boot)
		})
	}
}

func (x *witnessWorld) judge(t *testing.T, o linear.Object) lineartest.Counts {
	defer x.w.Close()
	x.w.Run(sim.Time(sim.Minute))
	return x.rec.Judge(t, o, x.stopped)
}

// claims lets many clients claim, finish and give back two records with three tokens.
func (x *witnessWorld) claims() {
	for range 30 {
		op := []string{store.OpClaim, store.OpClaim, store.OpDone, store.OpRelease}[x.rng.IntN(4)]
		event := []string{"order-1", "order-2"}[x.rng.IntN(2)]
		asked := linear.Action{F: op, By: []string{"a", "b", "c"}[x.rng.IntN(3)]}
		x.client(func(c *model.Context) {
			x.rec.Ask(c, event, asked, func() (linear.Action, error) {
				reply, err := c.With(model.Intent{Event: event, Stage: "pay"}).Call(store.Service, op, model.Message{Payload: asked.By})
				a := asked
				a.Result = reply.Payload
				return a, err
			})
		})
	}
}

func claimNames() []string { return []string{store.OpClaim, store.OpDone, store.OpRelease} }

// The durable store is a dedup store in the order in which it decides, whatever stops it.
func TestDurableStoreIsItsWitness(t *testing.T) {
	var n lineartest.Counts
	for seed := range uint64(60) {
		x := newWitnessWorld("durable", store.Service, seed, 0, claimNames()...)
		if seed%2 == 1 {
			x.stops()
		}
		x.claims()
		n.Add(x.judge(t, linear.DedupObject()))
	}
	n.Clean(t, 60)
}

// A store that forgets after a window is no dedup store, by its own order and by anybody's search.
func TestForgettingIsNotLinearizable(t *testing.T) {
	var n lineartest.Counts
	for seed := range uint64(20) {
		x := newWitnessWorld("durable", store.Service, seed, 10*sim.Millisecond, claimNames()...)
		x.claims()
		n.Add(x.judge(t, linear.DedupObject()))
	}
	require.Positive(t, n.Denied)
	require.Positive(t, n.Wrong)
	require.GreaterOrEqual(t, n.Denied, n.Wrong, "clients do not see all that the store does")
}

// The lease service grants tokens in the order in which it decides, whatever stops it.
func TestLeasesAreTheirWitness(t *testing.T) {
	var n lineartest.Counts
	for seed := range uint64(60) {
		x := newWitnessWorld("lease", store.LeaseService, seed, 20*sim.Millisecond, store.OpAcquire, store.OpRenew)
		if seed%2 == 1 {
			x.stops()
		}
		x.leases()
		n.Add(x.judge(t, linear.LeaseObject()))
	}
	n.Clean(t, 60)
}

// leases lets many clients ask for two leases in three generations, and renew tokens that they may not have.
func (x *witnessWorld) leases() {
	for range 30 {
		guard, generation, token := []string{"orders/1", "orders/2"}[x.rng.IntN(2)], x.rng.Int64N(3), 1+x.rng.Int64N(4)
		asked := linear.Action{F: store.OpAcquire, By: []string{"a", "b", "c"}[x.rng.IntN(3)], Arg: linear.Number(generation)}
		m := model.Message{Guard: guard, Payload: asked.By, Generation: generation}
		if x.rng.IntN(3) == 0 {
			asked = linear.Action{F: store.OpRenew, Arg: linear.Number(token)}
			m = model.Message{Guard: guard, Fence: token}
		}
		x.client(func(c *model.Context) {
			x.rec.Ask(c, guard, asked, func() (linear.Action, error) {
				reply, err := c.Call(store.LeaseService, asked.F, m)
				a := asked
				if a.Result = reply.Payload; a.Result == store.Granted {
					a.Out = linear.Number(reply.Fence)
				}
				return a, err
			})
		})
	}
}
