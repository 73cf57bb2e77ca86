package downstream_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/linear/lineartest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	dt "github.com/twiceless/twiceless/model/downstream/downstreamtest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// requests lets many clients send requests under two keys, with two payloads, to a service that may be stopped meanwhile.
func requests(t *testing.T, seed uint64, keep sim.Duration, stops bool) lineartest.Counts {
	w := sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(sim.Millisecond))})
	defer w.Close()
	r := rand.New(rand.NewPCG(seed, 2))
	moment := func() sim.Duration { return sim.Duration(r.Int64N(int64(100 * sim.Millisecond))) }
	node := w.Role(dt.Service, kind(t, "payments-api").New(downstream.Config{Service: dt.Service, Offer: &model.Offer{Keys: true, KeepKeys: keep},
		Latency: rng.Uniform(0, int64(5*sim.Millisecond)), Fsync: rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond))}))
	rec := lineartest.Watch(w, dt.Service+"."+dt.Op)
	dir := &model.Directory{Services: map[string]*sim.Node{dt.Service: node}, CallTimeout: 10 * sim.Millisecond}
	node.Boot()
	for range 20 {
		m := charge([]string{"k", "l"}[r.IntN(2)], []int64{5, 5, 5, 6}[r.IntN(4)])
		at := moment()
		w.Role("client", func(n *sim.Node) sim.Handler {
			n.Go("task", func(p *sim.Proc) {
				p.Sleep(at)
				c := model.NewContext(p, dir)
				asked := linear.Action{F: "request", Arg: linear.Number(m.Amount)}
				rec.Ask(c, m.IdempotencyKey, asked, func() (linear.Action, error) {
					reply, err := c.With(m.Intent).Call(dt.Service, dt.Op, m)
					if err != nil {
						return lineartest.Answer(asked, err, map[error]string{model.ErrConflict: "in-progress", model.ErrMismatch: "mismatch"})
					}
					a := asked
					a.Result, a.Out = "result", linear.Text(reply.Payload)
					return a, nil
				})
			})
			return sim.NoHandler()
		}).Boot()
	}
	if stops {
		w.At(sim.Time(moment()), sim.PhaseFault, func() {
			node.Kill(0)
			w.At(w.Now().Add(5*sim.Millisecond), sim.PhaseFault, node.Boot)
		})
	}
	w.Run(sim.Time(sim.Minute))
	return rec.Judge(t, linear.IdempotencyObject(), stops)
}

// An idempotency key has one result for ever, in the order in which the service stores and looks keys up.
func TestIdempotencyKeysAreTheirWitness(t *testing.T) {
	var n lineartest.Counts
	for seed := range uint64(60) {
		n.Add(requests(t, seed, 0, seed%2 == 1))
	}
	n.Clean(t, 60)
}

// A key that is forgotten takes another payload: no such object.
func TestForgottenKeysAreNotLinearizable(t *testing.T) {
	var n lineartest.Counts
	for seed := range uint64(20) {
		n.Add(requests(t, seed, 10*sim.Millisecond, false))
	}
	require.Positive(t, n.Denied)
	require.Positive(t, n.Wrong)
}
