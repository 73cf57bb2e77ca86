package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// ttl is how long a lease of the tests holds.
const ttl = 10 * sim.Second

// leaseWorld is a world with a lease service and client nodes; a hop takes 1 ms.
type leaseWorld struct {
	w    *sim.World
	node *sim.Node
	dir  *model.Directory
}

func newLeaseWorld(seed uint64) *leaseWorld {
	k, _ := store.KindByName("lease")
	l := &leaseWorld{w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(sim.Millisecond))})}
	l.node = l.w.Role(store.LeaseService, k.New(store.Config{Append: rng.Constant(int64(100 * sim.Microsecond)),
		Fsync: rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond)), Latency: rng.Uniform(0, int64(3*sim.Millisecond)), Window: ttl}))
	l.dir = &model.Directory{Services: map[string]*sim.Node{store.LeaseService: l.node}, CallTimeout: 100 * sim.Millisecond}
	l.node.Boot()
	return l
}

// task adds a client with one process.
func (l *leaseWorld) task(fn func(*model.Context)) {
	l.w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("task", func(p *sim.Proc) { fn(model.NewContext(p, l.dir)) })
		return sim.NoHandler()
	}).Boot()
}

// stop ends an incarnation of the service now and boots the next after a while.
func (l *leaseWorld) stop(power bool, down sim.Duration) {
	if !l.node.Up() {
		return
	}
	if power {
		l.node.PowerLoss(0)
	} else {
		l.node.Kill(0)
	}
	l.w.At(l.w.Now().Add(down), sim.PhaseFault, l.node.Boot)
}

func acquire(c *model.Context, holder string) (result string, token int64, err error) {
	m, err := c.Call(store.LeaseService, store.OpAcquire, model.Message{Guard: "orders/3", Payload: holder})
	return m.Payload, m.Fence, err
}

func renew(c *model.Context, token int64) (string, error) {
	m, err := c.Call(store.LeaseService, store.OpRenew, model.Message{Guard: "orders/3", Fence: token})
	return m.Payload, err
}

func TestLease(t *testing.T) {
	l := newLeaseWorld(1)
	defer l.w.Close()
	var said []string
	l.task(func(c *model.Context) {
		take := func(holder string) {
			result, token, err := acquire(c, holder)
			require.NoError(t, err)
			said = append(said, fmt.Sprintf("%s takes it: %s %d", holder, result, token))
		}
		keep := func(token int64) {
			result, err := renew(c, token)
			require.NoError(t, err)
			said = append(said, fmt.Sprintf("renew %d: %s", token, result))
		}
		keep(1)
		take("a")
		take("b")
		c.Sleep(6 * sim.Second)
		keep(1)
		c.Sleep(6 * sim.Second) // 12 s after the grant, 6 s after the renewal
		take("b")
		c.Sleep(6 * sim.Second)
		keep(1) // it has run out and nobody has it
		take("b")
		c.Sleep(11 * sim.Second)
		take("b")
		keep(1)
		take("b") // its own, again: the earlier token of its own is void too
		keep(2)
		keep(3)
	})
	l.w.Run(sim.Time(sim.Hour))
	require.Equal(t, []string{"renew 1: lost", "a takes it: granted 1", "b takes it: held 0", "renew 1: renewed", "b takes it: held 0",
		"renew 1: renewed", "b takes it: held 0", "b takes it: granted 2", "renew 1: lost", "b takes it: granted 3", "renew 2: lost", "renew 3: renewed"}, said)
}

// After a restart nobody knows when a lease was renewed last: it holds for its whole time again.
func TestLeaseSurvivesAStop(t *testing.T) {
	for _, power := range []bool{false, true} {
		l := newLeaseWorld(1)
		var results []string
		var tokens []int64
		l.task(func(c *model.Context) {
			ask := func(holder string) {
				result, token, err := acquire(c, holder)
				require.NoError(t, err)
				results, tokens = append(results, result), append(tokens, token)
			}
			ask("a")
			c.Sleep(9 * sim.Second)
			l.w.At(l.w.Now(), sim.PhaseFault, func() { l.stop(power, sim.Second) })
			c.Sleep(3 * sim.Second)
			ask("b")
			c.Sleep(9 * sim.Second)
			ask("b")
		})
		l.w.Run(sim.Time(sim.Hour))
		l.w.Close()
		require.Equal(t, []string{store.Granted, store.Held, store.Granted}, results, "power loss: %v", power)
		require.Equal(t, []int64{1, 0, 2}, tokens)
	}
}

// Whatever stops the service, no token is granted twice, and tokens grow in the order of their grants.
func TestLeaseTokensGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLeaseWorld(rapid.Uint64().Draw(t, "seed"))
		defer l.w.Close()
		for range rapid.IntRange(0, 6).Draw(t, "stops") {
			at := sim.Time(rapid.Int64Range(0, int64(300*sim.Millisecond)).Draw(t, "at"))
			power := rapid.Bool().Draw(t, "power")
			l.w.At(at, sim.PhaseFault, func() { l.stop(power, 5*sim.Millisecond) })
		}
		last := int64(0)
		l.task(func(c *model.Context) {
			for range 40 {
				if result, token, err := acquire(c, "a"); err == nil {
					require.Equal(t, store.Granted, result)
					require.Greater(t, token, last)
					last = token
				}
			}
		})
		l.w.Run(sim.Time(sim.Hour))
		require.Positive(t, last)
	})
}
