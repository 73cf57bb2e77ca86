package consumer_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Times of these worlds: the group is stable with its first generation at about 1.2 s; one partition per member; the
// session timeout is 6 s, heartbeats come every 2 s.

// The heartbeat is a process of its own: the session lives while the loop works, for longer than a session.
func TestHeartbeatsKeepTheSessionWhileTheLoopWorks(t *testing.T) {
	g := newRig(t, 1)
	g.publish(0, "order-1")
	g.member(working(20 * sec))
	g.run(40 * sec)
	require.Empty(t, g.facts(history.KindEvicted, history.KindRevoked))
	require.Equal(t, []string{"broker-1 committed order-1 orders/0 at 1 in 1"}, g.story(history.KindCommitted))
}

// A member hears of a rebalance by its heartbeat, finishes what it holds, commits it under the old generation, which
// still counts while the join barrier is open, and then joins. Nothing is done twice.
func TestARebalanceWaitsForTheWork(t *testing.T) {
	g := newRig(t, 2)
	g.publish(1, "order-1")
	g.member(working(10 * sec))
	g.at(5*sec, func() { g.member(working(10 * sec)) })
	g.run(40 * sec)
	require.Equal(t, []string{
		"broker-1 generation workers consumer-1 in 1",
		"consumer-1 delivered order-1 orders/1 at 0 in 1",
		"consumer-1 handled order-1 orders/1 at 0",
		"broker-1 committed order-1 orders/1 at 1 in 1",
		"broker-1 generation workers consumer-1,consumer-2 in 2",
	}, g.story(history.KindDelivered, history.KindHandled, history.KindCommitted, history.KindGeneration, history.KindEvicted))
	rejoined := g.when("broker-1", history.KindGeneration, 2) - sim.Duration(g.one(history.KindCommitted).Time)
	require.Less(t, rejoined, 10*hop, "at the next poll")
}

// A loop that has not polled for MaxPollInterval is given up by its own heartbeat: the member leaves, the others get
// its partitions, and its commit comes too late. It is back in the group after its next poll.
func TestALoopThatDoesNotPollLeaves(t *testing.T) {
	g := newRig(t, 1)
	g.cfg.MaxPollInterval = 10 * sec
	g.publish(0, "order-1")
	g.member(working(20 * sec))
	g.member(working(0))
	g.run(23 * sec)
	require.Empty(t, g.facts(history.KindEvicted), "it left by itself")
	require.Equal(t, []string{
		"consumer-1 delivered order-1 orders/0 at 0 in 1",
		"consumer-2 delivered order-1 orders/0 at 0 in 2",
		"consumer-2 handled order-1 orders/0 at 0",
		"broker-1 committed order-1 orders/0 at 1 in 2",
		"consumer-1 handled order-1 orders/0 at 0",
		"consumer-1 commit-failed orders/0 unknown member at 1 in 1",
	}, g.story(history.KindDelivered, history.KindHandled, history.KindCommitted, history.KindCommitFailed))
	left := g.when("broker-1", history.KindGeneration, 2) - g.when("consumer-1", history.KindDelivered, 1)
	require.Greater(t, left, g.cfg.MaxPollInterval)
	require.Less(t, left, g.cfg.MaxPollInterval+2*g.cfg.Heartbeat, "it is looked at with each heartbeat")
	require.Equal(t, "consumer-2,consumer-1", g.facts(history.KindGeneration)[2].Note)
}

// A member that has left is a newcomer at its next poll, even if nobody told it that it is out.
func TestAMemberThatLeftJoinsAsANewcomer(t *testing.T) {
	var asked []string
	g := newRigWith(t, 1, coordinator(func(r *sim.Request) bool {
		switch req := r.Body.(type) {
		case model.JoinRequest:
			asked = append(asked, "join as "+strconv.Quote(req.Member))
		case model.LeaveRequest:
			asked = append(asked, "leave as "+strconv.Quote(req.Member))
		default:
		}
		return false
	}))
	g.cfg.MaxPollInterval = 5 * sec
	g.member(func(c model.Ctx, in model.Consumer) {
		in.Poll(c, 0)
		c.Sleep(10 * sec)
		in.Poll(c, 0)
		c.Sleep(sec)
	})
	g.run(11 * sec)
	require.Equal(t, []string{`join as ""`, `leave as "member"`, `join as ""`}, asked)
}

// A paused member cannot heartbeat: it is evicted after the session timeout and the other one gets its partition.
// When the pause ends it knows of nothing and finishes the work that it holds in memory: a zombie. Only who fences can
// stop it, as the group does with its commit. Then it joins as a newcomer.
func TestAPausedMemberIsAZombie(t *testing.T) {
	g := newRig(t, 2)
	g.publish(0, "order-1")
	one := g.member(working(3 * sec))
	g.member(working(3 * sec))
	g.at(2*sec, one.Pause)
	g.at(20*sec, one.Resume)
	g.run(30 * sec)
	require.Equal(t, []string{
		"broker-1 generation workers consumer-1,consumer-2 in 1",
		"consumer-1 delivered order-1 orders/0 at 0 in 1",
		"broker-1 evicted workers consumer-1 session timeout in 1",
		"broker-1 generation workers consumer-2 in 2",
		"consumer-2 delivered order-1 orders/0 at 0 in 2",
		"consumer-2 handled order-1 orders/0 at 0",
		"broker-1 committed order-1 orders/0 at 1 in 2",
		"consumer-1 handled order-1 orders/0 at 0",
		"consumer-1 commit-failed orders/0 unknown member at 1 in 1",
		"broker-1 generation workers consumer-2,consumer-1 in 3",
	}, g.story(history.KindGeneration, history.KindDelivered, history.KindEvicted, history.KindHandled, history.KindCommitted, history.KindCommitFailed))
	require.Equal(t, history.Failed, g.one(history.KindCommitFailed).Outcome)
}

// A zombie may also be told by its heartbeat: the work goes on all the same, for nobody interrupts the loop, and its
// commit, now as no member at all, is refused.
func TestAZombieThatWasToldWorksOn(t *testing.T) {
	g := newRig(t, 1)
	g.publish(0, "order-1")
	one := g.member(working(20 * sec))
	g.at(2*sec, one.Pause)
	g.at(10*sec, one.Resume)
	g.run(25 * sec)
	require.Equal(t, []string{
		"consumer-1 delivered order-1 orders/0 at 0 in 1",
		"broker-1 evicted workers consumer-1 session timeout in 1",
		"consumer-1 handled order-1 orders/0 at 0",
		"consumer-1 commit-failed orders/0 unknown member at 1 in 1",
		"consumer-1 delivered order-1 orders/0 at 0 in 2",
	}, g.story(history.KindDelivered, history.KindEvicted, history.KindHandled, history.KindCommitFailed))
}

// A pause that is shorter than the session costs time and nothing else.
func TestAShortPauseGoesUnnoticed(t *testing.T) {
	g := newRig(t, 1)
	g.publish(0, "order-1")
	one := g.member(working(3 * sec))
	g.at(2*sec, one.Pause)
	g.at(5*sec, one.Resume)
	g.run(30 * sec)
	require.Empty(t, g.facts(history.KindEvicted, history.KindRevoked, history.KindCommitFailed))
	require.Len(t, g.facts(history.KindCommitted), 1)
}

// Asked to stop, a member finishes what it holds, commits, gives up its partitions and leaves. The group does not have
// to wait for its session to end: the others hear of it by their next heartbeat, and nothing is done twice.
func TestGracefulStop(t *testing.T) {
	g := newRig(t, 2)
	g.publish(0, "order-1")
	one := g.member(working(5 * sec))
	g.member(working(0))
	g.at(2*sec, func() { one.AskStop(0) })
	g.run(30 * sec)
	require.False(t, one.Up())
	require.Equal(t, []string{
		"broker-1 generation workers consumer-1,consumer-2 in 1",
		"consumer-1 delivered order-1 orders/0 at 0 in 1",
		"consumer-1 handled order-1 orders/0 at 0",
		"broker-1 committed order-1 orders/0 at 1 in 1",
		"consumer-1 revoked orders/0 at 1 in 1",
		"consumer-1 stopped graceful",
		"consumer-2 revoked orders/1 at 0 in 1",
		"broker-1 generation workers consumer-2 in 2",
	}, g.story(history.KindStopped, history.KindDelivered, history.KindHandled, history.KindCommitted, history.KindRevoked,
		history.KindGeneration, history.KindEvicted))
	stopped := sim.Duration(g.one(history.KindStopped).Time)
	require.Less(t, g.when("consumer-2", history.KindAssigned, 2)-stopped, g.cfg.Heartbeat+g.cfg.FetchWait+10*hop)
}

// A member that is stopped while it waits for records ends at the next answer of the broker; its session is closed.
func TestGracefulStopOfAnIdleMember(t *testing.T) {
	g := newRig(t, 1)
	one := g.member(working(0))
	g.at(5*sec, func() { one.AskStop(0) })
	g.run(5*sec + g.cfg.FetchWait + 10*hop)
	require.Equal(t, []string{"consumer-1 stopped graceful"}, g.story(history.KindStopped))
	require.Equal(t, broker.Empty, broker.Of(g.broker).State("workers"))
}

// A killed member says nothing: its partition stands still until the session timeout after its last sign of life, and
// what it had not committed comes again.
func TestAfterAKillThePartitionsWaitForTheSessionTimeout(t *testing.T) {
	g := newRig(t, 2)
	g.publish(0, "order-1")
	one := g.member(working(5 * sec))
	g.member(working(0))
	g.at(5*sec, func() { one.Kill(0) })
	g.run(30 * sec)
	require.Equal(t, []string{
		"consumer-1 delivered order-1 orders/0 at 0 in 1",
		"consumer-1 stopped kill",
		"broker-1 evicted workers consumer-1 session timeout in 1",
		"consumer-2 delivered order-1 orders/0 at 0 in 2",
	}, g.story(history.KindStopped, history.KindDelivered, history.KindEvicted))
	waited := sim.Duration(g.one(history.KindEvicted).Time) - 5*sec
	require.LessOrEqual(t, waited, g.cfg.SessionTimeout)
	require.Greater(t, waited, g.cfg.SessionTimeout-g.cfg.Heartbeat-10*hop, "it lived until its last heartbeat")
}
