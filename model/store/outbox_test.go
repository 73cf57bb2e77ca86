package store_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// boxRig is a world with an outbox and the service that its relay calls. The service fails as often as fails says.
type boxRig struct {
	w     *sim.World
	box   *sim.Node
	dir   *model.Directory
	fails int
	calls []model.Message // that reached the service
}

func newBoxRig(seed uint64) *boxRig {
	g := &boxRig{w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(sim.Millisecond))})}
	g.dir = &model.Directory{CallTimeout: 20 * sim.Millisecond}
	k, _ := store.KindByName("outbox")
	g.box = g.w.Role(store.OutboxService, k.New(store.Config{Append: rng.Constant(int64(100 * sim.Microsecond)),
		Fsync: rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond)), Latency: rng.Uniform(0, int64(3*sim.Millisecond)),
		Relay: model.Relay{From: 10 * sim.Millisecond, To: 40 * sim.Millisecond, Budget: 3}, Directory: g.dir}))
	payments := g.w.Role("payments", func(*sim.Node) sim.Handler { return g })
	g.dir.Services = map[string]*sim.Node{store.OutboxService: g.box, "payments": payments}
	g.box.Boot()
	payments.Boot()
	return g
}

// Receive is the called service.
func (g *boxRig) Receive(_ *sim.Node, r *sim.Request) {
	m := r.Body.(model.Message)
	g.calls = append(g.calls, m)
	if g.fails > 0 {
		g.fails--
		r.Fail(model.ErrUnavailable, 0)
		return
	}
	r.Reply(m, 0)
}

// client runs fn on a node of its own, and the world until nothing is left to do.
func (g *boxRig) client(fn func(c model.Ctx)) {
	g.w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("task", func(p *sim.Proc) { fn(model.NewContext(p, g.dir)) })
		return sim.NoHandler()
	}).Boot()
	g.w.Run(sim.Time(sim.Hour))
}

// put asks for a charge of one event.
func put(c model.Ctx, event, payload string) (string, error) {
	m, err := c.With(model.Intent{Event: event, Stage: "charge", Key: "ann"}).Call(store.OutboxService, store.OpPut,
		model.Message{Payload: payload, Amount: 4000, IdempotencyKey: event + "/charge", Headers: "payments.charge"})
	return m.Payload, err
}

func (g *boxRig) held() (held []string) {
	store.FinalState(g.box)
	for _, f := range g.w.History.Facts {
		if f.Kind == history.KindHeld {
			held = append(held, f.Event+" "+f.Op)
		}
	}
	return held
}

// The relay makes the call that the row holds, in the order of the rows; a row that is known is not written again.
func TestRelayMakesTheCallsOfItsRowsInOrder(t *testing.T) {
	g := newBoxRig(1)
	defer g.w.Close()
	g.fails = 2
	var answers []string
	g.client(func(c model.Ctx) {
		for _, event := range []string{"order-2", "order-1", "order-2"} {
			answer, err := put(c, event, "of "+event)
			require.NoError(t, err)
			answers = append(answers, answer)
		}
	})
	require.Equal(t, []string{store.OK, store.OK, store.Known}, answers)
	var called []string
	for _, m := range g.calls {
		require.Equal(t, []string{"of " + m.Event, m.Event + "/charge", "charge", "ann", ""}, []string{m.Payload, m.IdempotencyKey, m.Stage, m.Key, m.Headers})
		require.Equal(t, int64(4000), m.Amount)
		called = append(called, m.Event)
	}
	require.Equal(t, []string{"order-2", "order-2", "order-2", "order-1"}, called, "one that fails is not overtaken")
	require.Empty(t, g.held())
}

// A row whose budget is spent is parked, and the next one's turn comes. The final state is read from the disk, also of a
// node that is down.
func TestFinalStateOfAnOutbox(t *testing.T) {
	g := newBoxRig(1)
	defer g.w.Close()
	g.fails = 4
	g.client(func(c model.Ctx) {
		for _, event := range []string{"order-1", "order-2"} {
			_, err := put(c, event, "")
			require.NoError(t, err)
		}
		c.Sleep(sim.Second)
		g.fails = 1000
		_, err := put(c, "order-3", "")
		require.NoError(t, err)
		g.w.At(g.w.Now(), sim.PhaseFault, func() { g.box.PowerLoss(0) })
	})
	require.Equal(t, []string{"order-1 parked", "order-3 pending"}, g.held())
	var parked []string
	for _, f := range g.w.History.Facts {
		if f.Kind == history.KindParked {
			parked = append(parked, f.Event+" "+f.Note)
		}
	}
	require.Equal(t, []string{"order-1 outbox: service unavailable"}, parked)
}

// Whatever stops the node: what was answered is called for, with the first payload that became durable; calls begin in one
// order; and only a row that was in work at a stop is called for again.
func TestOutboxSurvivesStops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newBoxRig(rapid.Uint64().Draw(t, "seed"))
		defer g.w.Close()
		stops := rapid.IntRange(0, 5).Draw(t, "stops")
		for range stops {
			at, power := sim.Time(rapid.IntRange(0, 60).Draw(t, "at"))*sim.Time(sim.Millisecond), rapid.Bool().Draw(t, "power")
			g.w.At(at, sim.PhaseFault, func() {
				if !g.box.Up() {
					return
				}
				if power {
					g.box.PowerLoss(0)
				} else {
					g.box.Kill(0)
				}
				g.w.At(g.w.Now().Add(5*sim.Millisecond), sim.PhaseFault, g.box.Boot)
			})
		}
		events := rapid.SliceOfN(rapid.IntRange(1, 3), 1, 12).Draw(t, "events")
		var answered []string
		g.client(func(c model.Ctx) {
			for i, e := range events {
				event := "order-" + strconv.Itoa(e)
				if answer, err := put(c, event, strconv.Itoa(i)); err == nil {
					if answer == store.OK {
						require.NotContains(t, answered, event, "a row is new once")
					}
					answered = append(answered, event)
				}
			}
		})
		payload, order := map[string]string{}, []string(nil)
		for _, m := range g.calls {
			if !slices.Contains(order, m.Event) {
				order, payload[m.Event] = append(order, m.Event), m.Payload
			}
			require.Equal(t, payload[m.Event], m.Payload)
			require.Equal(t, order[len(order)-1], m.Event, "a row that is settled is not taken up again")
		}
		for _, event := range answered {
			require.Contains(t, order, event)
		}
		require.LessOrEqual(t, len(g.calls), len(order)+stops)
		require.Empty(t, g.held())
	})
}
