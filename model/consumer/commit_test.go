package consumer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// committing is a loop that handles one batch, commits what pick makes of it, and goes on polling. The commit's
// result is in *err.
func committing(err *error, pick func([]model.Message) []model.Message) func(model.Ctx, model.Consumer) {
	return func(c model.Ctx, in model.Consumer) {
		batch, _ := in.Poll(c, 0)
		*err = in.Commit(c, pick(batch))
		for ok := true; ok; {
			_, ok = in.Poll(c, 0)
		}
	}
}

func all(batch []model.Message) []model.Message { return batch }

// A commit moves the group's position of each partition one past the highest of its messages, in whatever order they
// come, and of no other partition. It is caused by the delivery, and names generation and group.
func TestCommitMovesOnePastTheHighest(t *testing.T) {
	g := newRig(t, 3)
	g.publish(0, "a0", "a1", "a2")
	g.publish(1, "b0", "b1")
	g.publish(2, "c0")
	err := sim.ErrTimeout
	g.member(committing(&err, func(batch []model.Message) (some []model.Message) {
		for _, e := range []string{"a1", "b0", "a0"} {
			for _, m := range batch {
				if m.Event == e {
					some = append(some, m)
				}
			}
		}
		return some
	}))
	g.run(5 * sec)
	require.NoError(t, err)
	require.Equal(t, []string{
		"consumer-1 committing a0 orders/0 at 2 in 1",
		"consumer-1 committing a0 orders/1 at 1 in 1",
		"broker-1 committed a0 orders/0 at 2 in 1",
		"broker-1 committed a0 orders/1 at 1 in 1",
	}, g.story(history.KindCommitting, history.KindCommitted))
	require.Equal(t, int64(6-3), broker.Of(g.broker).Lag("workers"))
	for _, f := range g.facts(history.KindCommitting) {
		require.Equal(t, "workers", f.Op)
		require.Equal(t, "a0", g.w.History.At(f.Cause).Event)
		require.Equal(t, history.KindDelivered, g.w.History.At(f.Cause).Kind)
	}
}

// A commit returns when the position is durable, not before.
func TestCommitWaitsUntilItIsDurable(t *testing.T) {
	g := newRig(t, 1)
	g.publish(0, "order-1")
	returned, err := sim.Time(0), error(nil)
	g.member(func(c model.Ctx, in model.Consumer) {
		batch, _ := in.Poll(c, 0)
		err = in.Commit(c, batch)
		returned = c.Now()
	})
	g.run(5 * sec)
	require.NoError(t, err)
	require.Equal(t, sim.Time(g.one(history.KindCommitted).Time).Add(hop), returned)
}

// While the coordinator does not answer, a commit is asked for again: a short outage costs time and nothing else.
func TestCommitIsRetriedWhileTheCoordinatorDoesNotAnswer(t *testing.T) {
	for name, outage := range map[string]func(*rig) (end func()){
		"down":   func(g *rig) func() { g.broker.Kill(0); return g.broker.Boot },
		"dark":   func(g *rig) func() { g.broker.PowerLoss(0); return g.broker.Boot },
		"paused": func(g *rig) func() { g.broker.Pause(); return g.broker.Resume },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, 1)
			g.publish(0, "order-1")
			err := sim.ErrTimeout
			g.member(committing(&err, func(batch []model.Message) []model.Message {
				g.at(sim.Duration(g.w.Now())+3*sec, outage(g))
				return batch
			}))
			g.run(10 * sec)
			require.NoError(t, err)
			require.Empty(t, g.facts(history.KindCommitFailed))
			require.Equal(t, g.one(history.KindCommitting).ID, g.facts(history.KindCommitted)[0].Cause, "one request, tried again")
		})
	}
}

// After CommitTimeout the loop is told what is known: of a coordinator that was silent nothing, of one that was down
// all the time that the position has not moved.
func TestCommitGivesUpAtCommitTimeout(t *testing.T) {
	for _, c := range []struct {
		name    string
		stop    func(*rig)
		err     error
		outcome history.Outcome
	}{
		{"dark", func(g *rig) { g.broker.PowerLoss(0) }, sim.ErrTimeout, history.Indeterminate},
		{"down", func(g *rig) { g.broker.Kill(0) }, sim.ErrRefused, history.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			g.publish(0, "order-1")
			var err error
			g.member(committing(&err, func(batch []model.Message) []model.Message { c.stop(g); return batch }))
			g.run(30 * sec)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, []string{"consumer-1 commit-failed orders/0 " + c.err.Error() + " at 1 in 1"}, g.story(history.KindCommitFailed))
			began, failed := g.one(history.KindCommitting), g.one(history.KindCommitFailed)
			require.Equal(t, c.outcome, failed.Outcome)
			require.Equal(t, began.ID, failed.Cause)
			took := sim.Duration(failed.Time - began.Time)
			require.GreaterOrEqual(t, took+g.cfg.Backoff, g.cfg.CommitTimeout, "not before")
			require.Less(t, took, g.cfg.CommitTimeout+g.cfg.RequestTimeout)
		})
	}
}

// What the group answers to a commit is final, and tells the member about itself: it joins again, under its id as
// long as the group still knows it.
func TestARefusedCommitMakesTheMemberRejoin(t *testing.T) {
	for _, c := range []struct {
		err  error
		id   string
		note string
	}{
		{model.ErrRebalance, "member", "a rebalance has begun"},
		{model.ErrIllegalGeneration, "member", "the group is a generation further"},
		{model.ErrUnknownMember, "", "the group has dropped the member: it is a newcomer"},
	} {
		t.Run(c.note, func(t *testing.T) {
			var joins []string
			commits := 0
			g := newRigWith(t, 1, coordinator(func(r *sim.Request) bool {
				switch req := r.Body.(type) {
				case model.JoinRequest:
					joins = append(joins, req.Member)
				case model.CommitRequest:
					if commits++; commits == 1 {
						r.Fail(c.err, 0)
						return true
					}
				}
				return false
			}))
			var err error
			g.member(committing(&err, all))
			g.run(2 * sec)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, 1, commits, "not tried again")
			require.Equal(t, history.Failed, g.one(history.KindCommitFailed).Outcome)
			require.Equal(t, []string{"", c.id}, joins)
			require.Equal(t, []string{
				"consumer-1 assigned orders/0 at 0 in 1",
				"consumer-1 revoked orders/0 at 1 in 1",
				"consumer-1 assigned orders/0 at 0 in 2",
			}, g.story(history.KindAssigned, history.KindRevoked))
		})
	}
}
