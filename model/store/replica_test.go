package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// pair is a replicated store with its sentinel, and one client that asks the nodes that it names.
type pair struct {
	t     *testing.T
	w     *sim.World
	nodes []*sim.Node
	dir   *model.Directory
}

func newPair(t *testing.T) *pair {
	k, ok := store.KindByName("replicated-async")
	require.True(t, ok)
	g := &pair{t: t, w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))})}
	t.Cleanup(g.w.Close)
	nodes, sentinel := store.Add(g.w, store.Service, k, store.Config{Append: rng.Constant(0), Fsync: rng.Constant(int64(sim.Millisecond)), Latency: rng.Constant(0)})
	require.Len(t, nodes, 2)
	g.nodes = nodes
	g.dir = &model.Directory{Services: map[string]*sim.Node{store.Service: nodes[0], store.SentinelService: sentinel}, CallTimeout: 2 * sim.Second}
	for _, n := range append(nodes, sentinel) {
		n.Boot()
	}
	return g
}

// run lets a client do fn to its end.
func (g *pair) run(fn func(c *model.Context)) {
	g.t.Helper()
	ended := false
	g.w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("test", func(p *sim.Proc) { fn(model.NewContext(p, g.dir)); ended = true })
		return sim.NoHandler()
	}).Boot()
	g.w.Run(g.w.Now().Add(10 * sim.Minute))
	require.True(g.t, ended)
}

// at has something done to the world from outside the client.
func (g *pair) at(c *model.Context, fn func()) {
	g.w.At(g.w.Now(), sim.PhaseFault, fn)
	c.Sleep(sim.Millisecond)
}

func (g *pair) ask(c *model.Context, node, event, op, token string) (string, error) {
	m, err := c.With(model.Intent{Event: event, Stage: "pay"}).Call(store.Service+"@"+node, op, model.Message{Payload: token})
	return m.Payload, err
}

// mark claims and marks as done.
func (g *pair) mark(c *model.Context, node, event string) {
	g.t.Helper()
	for _, step := range [][2]string{{store.OpClaim, store.Granted}, {store.OpDone, store.OK}} {
		got, err := g.ask(c, node, event, step[0], "a")
		require.NoError(g.t, err)
		require.Equal(g.t, step[1], got)
	}
}

func (g *pair) primary(c *model.Context) string {
	m, err := c.Call(store.SentinelService, store.OpPrimary, model.Message{})
	require.NoError(g.t, err)
	return m.Payload
}

// What the replica had been told survives the primary; what it had not is granted again. Until somebody is promoted the
// replica refuses.
func TestFailOverForgetsWhatWasNotReplicated(t *testing.T) {
	g := newPair(t)
	g.run(func(c *model.Context) {
		g.mark(c, "dedup-1", "order-1")
		c.Sleep(2 * sim.Second)
		g.mark(c, "dedup-1", "order-2")
		g.at(c, func() { g.nodes[0].Kill(0) })
		_, err := g.ask(c, "dedup-2", "order-1", store.OpClaim, "b")
		require.ErrorIs(t, err, model.ErrNotPrimary)
		require.True(t, model.Definite(err))
		require.Equal(t, "dedup-1", g.primary(c))
		began := c.Now()
		for g.primary(c) == "dedup-1" {
			c.Sleep(100 * sim.Millisecond)
		}
		require.InDelta(t, int64(5*sim.Second), int64(c.Now().Sub(began)), float64(1500*sim.Millisecond), "five pings in a row")
		require.Same(t, g.nodes[1], store.Primary(g.nodes))
		for event, want := range map[string]string{"order-1": store.Done, "order-2": store.Granted} {
			got, err := g.ask(c, "dedup-2", event, store.OpClaim, "b")
			require.NoError(t, err)
			require.Equal(t, want, got, event)
		}
	})
}

// cut parts a node from the other store and the sentinel, or mends that; clients reach it all the same.
func (g *pair) cut(n *sim.Node, off bool) {
	for _, peer := range g.w.Nodes("") {
		if peer == n || peer.Role() == "client" {
			continue
		}
		if off {
			n.Cut(peer)
			peer.Cut(n)
		} else {
			n.Mend(peer)
			peer.Mend(n)
		}
	}
}

// A primary that was cut off does not know that it was replaced. Until its successor reaches it, it grants what the
// successor has granted; then it refuses, and has the records of its successor.
func TestAPrimaryThatWasCutOffIsAZombie(t *testing.T) {
	g := newPair(t)
	g.run(func(c *model.Context) {
		g.at(c, func() { g.cut(g.nodes[0], true) })
		for g.primary(c) == "dedup-1" {
			c.Sleep(100 * sim.Millisecond)
		}
		g.mark(c, "dedup-2", "order-1")
		got, err := g.ask(c, "dedup-1", "order-1", store.OpClaim, "b")
		require.NoError(t, err)
		g.at(c, func() { g.cut(g.nodes[0], false) })
		require.Equal(t, store.Granted, got, "two primaries, and each is sure")
		c.Sleep(10 * sim.Second)
		_, err = g.ask(c, "dedup-1", "order-1", store.OpClaim, "b")
		require.ErrorIs(t, err, model.ErrNotPrimary)
		require.Equal(t, "dedup-2", g.primary(c))

		g.at(c, func() { g.nodes[1].Kill(0) }) // back again: what the zombie granted is gone, what it was told is there
		for g.primary(c) == "dedup-2" {
			c.Sleep(100 * sim.Millisecond)
		}
		got, err = g.ask(c, "dedup-1", "order-1", store.OpClaim, "c")
		require.NoError(t, err)
		require.Equal(t, store.Done, got)
	})
}

// One that was paused hears of its successor first of all when it goes on: the word has waited in its inbox.
func TestAPausedPrimaryIsToldWhenItGoesOn(t *testing.T) {
	g := newPair(t)
	g.run(func(c *model.Context) {
		g.at(c, g.nodes[0].Pause)
		for g.primary(c) == "dedup-1" {
			c.Sleep(100 * sim.Millisecond)
		}
		c.Sleep(5 * sim.Second)
		g.at(c, g.nodes[0].Resume)
		_, err := g.ask(c, "dedup-1", "order-1", store.OpClaim, "b")
		require.ErrorIs(t, err, model.ErrNotPrimary)
	})
}

// Who is the primary of which epoch is on the disks: a power loss of everybody changes nothing about it.
func TestThePrimaryIsRememberedThroughAPowerLoss(t *testing.T) {
	g := newPair(t)
	g.run(func(c *model.Context) {
		g.mark(c, "dedup-1", "order-1")
		c.Sleep(2 * sim.Second)
		g.at(c, func() { g.nodes[0].Kill(0) })
		c.Sleep(10 * sim.Second)
		g.mark(c, "dedup-2", "order-2")
		g.at(c, func() {
			g.nodes[0].Boot()
			for _, n := range g.w.Nodes("") {
				if n.Role() != "client" {
					n.PowerLoss(0)
					n.Boot()
				}
			}
		})
		c.Sleep(5 * sim.Second)
		require.Equal(t, "dedup-2", g.primary(c))
		_, err := g.ask(c, "dedup-1", "order-1", store.OpClaim, "b")
		require.ErrorIs(t, err, model.ErrNotPrimary)
		for _, event := range []string{"order-1", "order-2"} {
			got, err := g.ask(c, "dedup-2", event, store.OpClaim, "b")
			require.NoError(t, err)
			require.Equal(t, store.Done, got)
		}
	})
}
