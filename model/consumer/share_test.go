package consumer_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

const (
	partitions = 4
	calm       = 30 * sec // nothing is published and no fault lasts longer
)

// troubled is a group of three members, of which and of whose broker any may be killed, paused, cut off or asked to
// stop, at any time, and comes back.
func troubled(t *rapid.T) *rig {
	g := newRigWith(t, rapid.Uint64().Draw(t, "seed"), broker.New(broker.Config{Topics: []broker.Topic{{Name: "orders", Partitions: partitions}}, RebalanceDelay: sec}))
	g.cfg.FetchWait, g.cfg.MaxPollInterval = 2*sec, 12*sec
	nodes := []*sim.Node{g.broker}
	for range 3 {
		nodes = append(nodes, g.member(working(sim.Duration(rapid.Int64Range(0, int64(5*sec)).Draw(t, "work")))))
	}
	for i := range 30 {
		g.at(sim.Duration(i)*sec, func() { g.publish(i%partitions, fmt.Sprintf("order-%d", i)) })
	}
	for range rapid.IntRange(0, 5).Draw(t, "faults") {
		n := rapid.SampledFrom(nodes).Draw(t, "node")
		how := rapid.SampledFrom([]string{"kill", "power-loss", "pause", "cut", "stop"}).Draw(t, "how")
		at := rapid.Int64Range(0, int64(calm/2)).Draw(t, "at")
		length := rapid.Int64Range(1, int64(calm/2)).Draw(t, "for")
		g.at(sim.Duration(at), func() { g.trouble(n, how, sim.Duration(length)) })
	}
	return g
}

// trouble does one thing to a node that is well, and takes it back.
func (g *rig) trouble(n *sim.Node, how string, length sim.Duration) {
	if !n.Up() || n.Paused() || n.Stopping() || n == g.broker && (how == "stop" || how == "cut") {
		return
	}
	back := n.Boot
	switch how {
	case "kill":
		n.Kill(0)
	case "power-loss":
		n.PowerLoss(0)
	case "pause":
		n.Pause()
		back = n.Resume
	case "cut":
		n.Cut(g.broker)
		g.broker.Cut(n)
		back = func() { n.Mend(g.broker); g.broker.Mend(n) }
	case "stop":
		n.AskStop(0)
		back = func() {
			if n.Up() { // the grace period is over
				n.Kill(0)
			}
			n.Boot()
		}
	}
	g.at(sim.Duration(g.w.Now())+length, back)
}

// share is what a member believes in: by partition, the generation and the position.
type share map[string]struct{ generation, position int64 }

// What holds of every member and of the group as a whole, whatever goes wrong.
func TestMembersUnderFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := troubled(t).run(calm + 30*sec)
		keepToTheirShares(g)
		loseNothing(g)
	})
}

// A member delivers and commits what it owns, from the position that it was given, without a gap, under the generation
// that it was given; between revocation and assignment nothing. In a generation a partition has one owner.
func keepToTheirShares(g *rig) {
	t := g.t
	shares := map[string]share{}
	owners := map[string]string{}
	for _, f := range g.w.History.Facts {
		own := shares[f.Node]
		mine, owned := own[f.Resource]
		switch f.Kind {
		case history.KindBooted:
			shares[f.Node] = share{}
		case history.KindAssigned:
			require.False(t, owned, f)
			mine.generation, mine.position = f.Fence, f.Offset
			own[f.Resource] = mine
			key := fmt.Sprint(f.Resource, f.Fence)
			require.Contains(t, []string{"", f.Node}, owners[key], f)
			owners[key] = f.Node
		case history.KindDelivered:
			require.True(t, owned, f)
			require.Equal(t, []int64{mine.generation, mine.position}, []int64{f.Fence, f.Offset}, f)
			mine.position++
			own[f.Resource] = mine
		case history.KindCommitting:
			require.True(t, owned, f)
			require.Equal(t, []int64{mine.generation, mine.position}, []int64{f.Fence, f.Offset}, f)
		case history.KindRevoked:
			require.True(t, owned, f)
			require.Equal(t, []int64{mine.generation, mine.position}, []int64{f.Fence, f.Offset}, f)
			delete(own, f.Resource)
		default:
		}
	}
}

// A group whose loops commit after the work loses nothing: every position that is committed lies behind work that was
// done, and some time after the last fault every record is behind the positions.
func loseNothing(g *rig) {
	t := g.t
	type place struct {
		partition string
		offset    int64
	}
	done, position := map[place]bool{}, map[string]int64{}
	for _, f := range g.facts(history.KindHandled, history.KindCommitted) {
		if f.Kind == history.KindHandled {
			done[place{f.Resource, f.Offset}] = true
			continue
		}
		for ; position[f.Resource] < f.Offset; position[f.Resource]++ {
			require.True(t, done[place{f.Resource, position[f.Resource]}], "%d is behind %v", position[f.Resource], f)
		}
	}
	require.Zero(t, broker.Of(g.broker).Lag("workers"))
	require.True(t, broker.Of(g.broker).Stable("workers", 3))
}

// What an engine does before its share is gone, it does as its owner: a commit then is still accepted.
func TestOnRevokeRunsBeforeTheShareIsGone(t *testing.T) {
	g := newRig(t, 2)
	revoked := 0
	g.member(func(c model.Ctx, in model.Consumer) {
		var seen []model.Message
		in.OnRevoke(func(c model.Ctx) {
			revoked++
			require.NoError(t, in.Commit(c, seen))
		})
		for {
			ms, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			seen = append(seen, ms...)
		}
	})
	g.publish(0, "order-1")
	g.at(5*sec, func() { g.member(working(0)) })
	g.run(30 * sec)
	require.Equal(t, 1, revoked)
	g.one(history.KindCommitted)
	require.Len(t, g.facts(history.KindDelivered), 1, "the next owner begins behind it")
}

// Whoever keeps positions of its own seeks when it has got its share, before it reads anything; its session holds
// however long it takes to find them.
func TestSeekOnAssignment(t *testing.T) {
	g := newRig(t, 1)
	g.publish(0, "order-1")
	g.publish(0, "order-2")
	g.publish(0, "order-3")
	assigned := 0
	g.member(func(c model.Ctx, in model.Consumer) {
		in.OnAssign(func(c model.Ctx, share []model.PartitionOffset) {
			assigned++
			require.Equal(t, []model.PartitionOffset{{Partition: 0, Offset: 0}}, share, "the group knows of none")
			c.Sleep(20 * sec) // longer than a session
			in.Seek(model.PartitionOffset{Partition: 0, Offset: 2})
			in.Seek(model.PartitionOffset{Partition: 3, Offset: 1}) // not ours
		})
		working(0)(c, in)
	})
	g.run(40 * sec)
	require.Equal(t, 1, assigned)
	delivered := g.facts(history.KindDelivered)
	require.Len(t, delivered, 1)
	require.Equal(t, "order-3", delivered[0].Event)
	require.Empty(t, g.facts(history.KindEvicted))
}
