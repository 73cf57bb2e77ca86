package consumer_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// A newcomer joins when it has started, and believes in its share once it knows the positions: the group's, or 0.
func TestJoinIsAssignedPositions(t *testing.T) {
	g := newRig(t, 2)
	g.publish(1, "order-1", "order-2")
	one := g.member(working(0))
	g.at(5*sec, func() { one.Kill(0) })
	g.at(20*sec, one.Boot)
	g.run(30 * sec)
	require.Equal(t, []string{
		"consumer-1 assigned orders/0 at 0 in 1",
		"consumer-1 assigned orders/1 at 0 in 1",
		"consumer-1 assigned orders/0 at 0 in 2",
		"consumer-1 assigned orders/1 at 2 in 2",
	}, g.story(history.KindAssigned))
	joined := g.cfg.Restart + sec + 2*ms + 100*sim.Microsecond // rebalance delay, durable generation
	require.Equal(t, joined+6*hop+2*ms+100*sim.Microsecond, g.when("consumer-1", history.KindAssigned, 1), "join, sync (durable), offsets")
}

// A delivery is the record's offset, under the generation that the member believes in, for the group, caused by the
// append. It moves the member's position: nothing is delivered twice without a reason.
func TestDelivery(t *testing.T) {
	g := newRig(t, 1)
	g.publish(0, "order-1", "order-2")
	g.at(3*sec, func() { g.publish(0, "order-3") })
	g.member(working(0))
	g.run(5 * sec)
	require.Equal(t, []string{
		"consumer-1 delivered order-1 orders/0 at 0 in 1",
		"consumer-1 delivered order-2 orders/0 at 1 in 1",
		"consumer-1 delivered order-3 orders/0 at 2 in 1",
	}, g.story(history.KindDelivered))
	appended := g.facts(history.KindAppended)
	for i, f := range g.facts(history.KindDelivered) {
		require.Equal(t, appended[i].ID, f.Cause)
		require.Equal(t, "workers", f.Op)
		require.Equal(t, "key of "+f.Event, f.Key)
	}
}

// A poll gives at most what the loop asks for, and never more than the configuration says.
func TestPollIsBounded(t *testing.T) {
	g := newRig(t, 1)
	g.cfg.MaxPollRecords = 3
	g.publish(0, "1", "2", "3", "4", "5", "6", "7", "8", "9")
	var sizes []int
	g.member(func(c model.Ctx, in model.Consumer) {
		for _, most := range []int{2, 0, 10, 1} {
			ms, ok := in.Poll(c, most)
			require.True(t, ok)
			sizes = append(sizes, len(ms))
		}
	})
	g.run(5 * sec)
	require.Equal(t, []int{2, 3, 3, 1}, sizes)
}

// A rebalance is eager: a member gives up all that it has before it joins, also what it will get back. The share of
// the newcomer begins at the group's positions, under the next generation.
func TestARebalanceRevokesEverythingFirst(t *testing.T) {
	g := newRig(t, 3)
	g.publish(2, "order-1")
	g.member(working(0))
	g.at(5*sec, func() { g.member(working(0)) })
	g.run(10 * sec)
	require.Equal(t, []string{
		"broker-1 generation workers consumer-1 in 1",
		"consumer-1 assigned orders/0 at 0 in 1",
		"consumer-1 assigned orders/1 at 0 in 1",
		"consumer-1 assigned orders/2 at 0 in 1",
		"consumer-1 revoked orders/0 at 0 in 1",
		"consumer-1 revoked orders/1 at 0 in 1",
		"consumer-1 revoked orders/2 at 1 in 1",
		"broker-1 generation workers consumer-1,consumer-2 in 2",
		"consumer-1 assigned orders/0 at 0 in 2",
		"consumer-1 assigned orders/1 at 0 in 2",
		"consumer-2 assigned orders/2 at 1 in 2",
	}, g.story(history.KindGeneration, history.KindAssigned, history.KindRevoked))
	assigned := g.facts(history.KindAssigned)
	for i, f := range g.facts(history.KindRevoked) {
		require.Equal(t, assigned[i].ID, f.Cause, "what is revoked was assigned")
	}
}

// The leader gives contiguous ranges in the order of the member ids, the first ones one more.
func TestRangeAssignment(t *testing.T) {
	for _, c := range []struct {
		partitions int
		members    []string
		want       string
	}{
		{6, []string{"a"}, "[{a [0 1 2 3 4 5]}]"},
		{6, []string{"a", "b", "c"}, "[{a [0 1]} {b [2 3]} {c [4 5]}]"},
		{7, []string{"c", "a", "b"}, "[{a [0 1 2]} {b [3 4]} {c [5 6]}]"},
		{8, []string{"b", "c", "a"}, "[{a [0 1 2]} {b [3 4 5]} {c [6 7]}]"},
		{2, []string{"a", "b", "c"}, "[{a [0]} {b [1]} {c []}]"},
	} {
		require.Equal(t, c.want, fmt.Sprint(assign(t, c.members, c.partitions)))
	}
}

// Whatever the members and the partitions: every partition has one owner, shares differ by at most one, and the order
// in which the coordinator lists the members does not matter.
func TestRangeAssignmentIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOfNDistinct(rapid.StringMatching("[a-z]{1,3}"), 1, 12, rapid.ID).Draw(t, "members")
		partitions := rapid.IntRange(0, 40).Draw(t, "partitions")
		shares := assign(t, members, partitions)
		var owners, owned []any
		for _, s := range shares {
			owners = append(owners, s.Member)
			require.LessOrEqual(t, partitions/len(members), len(s.Partitions))
			require.LessOrEqual(t, len(s.Partitions), (partitions+len(members)-1)/len(members))
			for _, k := range s.Partitions {
				owned = append(owned, k)
			}
		}
		require.Len(t, owners, len(members))
		require.Subset(t, owners, members)
		require.Len(t, owned, partitions)
		for i, k := range owned {
			require.Equal(t, i, k)
		}
		require.Equal(t, shares, assign(t, rapid.Permutation(members).Draw(t, "permuted"), partitions))
	})
}

// assign is the assignment that a member hands in when it is made the leader of these members.
func assign(t tb, members []string, partitions int) (shares []model.MemberPartitions) {
	g := newRigWith(t, 1, coordinator(func(r *sim.Request) bool {
		switch req := r.Body.(type) {
		case model.JoinRequest:
			r.Reply(model.JoinReply{Member: members[0], Leader: members[0], Generation: 1, Members: slices.Clone(members), Partitions: partitions}, 0)
		case model.SyncRequest:
			shares = req.Assignment
			r.Reply(model.SyncReply{}, 0)
		default:
			return false
		}
		return true
	}))
	g.member(working(0))
	g.run(sec)
	return shares
}

// A member beyond the number of partitions has nothing to do, and takes over when another is gone: its heartbeat wakes
// it, however long it would wait for records.
func TestASurplusMemberWaits(t *testing.T) {
	g := newRig(t, 1)
	g.cfg.FetchWait = 20 * sec
	g.publish(0, "order-1")
	one := g.member(working(0))
	g.member(working(0))
	g.at(10*sec, func() { one.Kill(0) })
	g.run(30 * sec)
	require.Equal(t, []string{"consumer-1 assigned orders/0 at 0 in 1", "consumer-2 assigned orders/0 at 1 in 2"}, g.story(history.KindAssigned))
	require.Less(t, g.when("consumer-2", history.KindAssigned, 2)-sim.Duration(g.one(history.KindEvicted).Time), g.cfg.Heartbeat+20*hop)
}

// Records that come when a rebalance is known are left to their next owner, and the position does not move: the
// member joins instead.
func TestNothingIsDeliveredOnceARebalanceIsKnown(t *testing.T) {
	g := newRig(t, 1)
	g.cfg.FetchWait = 10 * sec
	g.member(working(0))
	g.at(5*sec, func() { g.member(working(0)) })
	g.at(8*sec, func() { g.publish(0, "order-1") }) // the fetch that gets it has waited since before the rebalance
	g.run(20 * sec)
	require.Equal(t, []string{
		"consumer-1 assigned orders/0 at 0 in 1",
		"consumer-1 revoked orders/0 at 0 in 1",
		"consumer-1 assigned orders/0 at 0 in 2",
		"consumer-1 delivered order-1 orders/0 at 0 in 2",
	}, g.story(history.KindAssigned, history.KindDelivered, history.KindRevoked))
}

// Waiting for records is background work, having them is not: a run can become quiescent when all is done, and not
// before.
func TestOnlyRecordsAreForegroundWork(t *testing.T) {
	g := newRig(t, 2)
	g.member(working(sec))
	g.run(5 * sec)
	require.Zero(t, g.w.Foreground())
	g.publish(0, "order-1")
	g.run(5500 * ms)
	require.Positive(t, g.w.Foreground(), "in work")
	g.run(10 * sec)
	require.Zero(t, g.w.Foreground())
	require.Len(t, g.facts(history.KindCommitted), 1)
}
