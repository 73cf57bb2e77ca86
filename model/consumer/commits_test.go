package consumer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// once is a loop that handles one batch, commits what pick makes of it, and goes on polling. What became of the commit is
// in *err.
func once(err *error, pick func([]model.Message) []model.Message) consumer.Loop {
	return func(c model.Ctx, in model.Consumer) {
		batch, _ := in.Poll(c, 0)
		*err = in.Commit(c, pick(batch))
		for ok := true; ok; {
			_, ok = in.Poll(c, 0)
		}
	}
}

func everything(batch []model.Message) []model.Message { return batch }

// A commit moves the group's position of each partition one past the highest of its messages, in whatever order they come,
// and of no other partition. It is caused by the delivery, and names generation and group.
func TestACommitMovesOnePastTheHighest(t *testing.T) {
	cl := newCluster(t, 3)
	cl.publish(0, "a0", "a1", "a2")
	cl.publish(2, "c0", "c1")
	err := sim.ErrTimeout
	cl.member(once(&err, func(batch []model.Message) (some []model.Message) {
		for _, e := range []string{"a1", "c0", "a0"} {
			for _, m := range batch {
				if m.Event == e {
					some = append(some, m)
				}
			}
		}
		return some
	}))
	cl.run(5 * sec)
	require.NoError(t, err)
	require.Equal(t, []int64{2, -1, 1}, cl.committed())
	require.Equal(t, []string{
		"consumer-1 committing a0 orders/0 at 2 in 1",
		"consumer-1 committing a0 orders/2 at 1 in 1",
		"broker-1 committed a0 orders/0 at 2 in 1",
		"broker-1 committed a0 orders/2 at 1 in 1",
	}, cl.lines(history.KindCommitting, history.KindCommitted))
	for _, f := range cl.facts(history.KindCommitting) {
		require.Equal(t, "workers", f.Op)
		require.Equal(t, history.KindDelivered, cl.w.History.At(f.Cause).Kind)
		require.Equal(t, "a0", cl.w.History.At(f.Cause).Event)
	}
}

// The leader epoch of the last record goes along with a position: by it the next owner finds out whether the log still has
// what was read.
func TestACommitNamesTheLeaderEpoch(t *testing.T) {
	cl := newCluster(t, 1)
	cl.publish(0, "a")
	cl.lead(0, cl.brokers[1])
	cl.publish(0, "b")
	cl.lead(0, cl.brokers[0])
	cl.publish(0, "c")
	var epochs []int32
	cl.asked = func(r *sim.Request) {
		if req, ok := r.Body.(wire.CommitRequest); ok {
			epochs = append(epochs, req.Offsets[0].Epoch)
		}
	}
	cl.member(func(c model.Ctx, in model.Consumer) {
		batch, _ := in.Poll(c, 0)
		for i := range batch {
			require.NoError(t, in.Commit(c, batch[i:i+1]))
		}
	})
	cl.run(5 * sec)
	require.Equal(t, []int32{0, 1, 2}, epochs)
}

// While no coordinator answers, a commit is asked for again: a short outage costs time and nothing else. It is one commit:
// the same positions, the same facts.
func TestACommitIsRepeatedWhileNoCoordinatorAnswers(t *testing.T) {
	for name, outage := range map[string]func(*cluster) (end func()){
		"down":   func(cl *cluster) func() { cl.brokers[0].Kill(0); return cl.brokers[0].Boot },
		"dark":   func(cl *cluster) func() { cl.brokers[0].PowerLoss(0); return cl.brokers[0].Boot },
		"paused": func(cl *cluster) func() { cl.brokers[0].Pause(); return cl.brokers[0].Resume },
		"moved": func(cl *cluster) func() {
			cl.special = func(r *sim.Request) bool {
				_, commit := r.Body.(wire.CommitRequest)
				if commit {
					r.Fail(wire.ErrNotCoordinator, 0)
				}
				return commit
			}
			return func() { cl.special = nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCluster(t, 2)
			cl.opts.RequestTimeout = sec
			cl.publish(1, "order-1")
			err := sim.ErrTimeout
			cl.member(once(&err, func(batch []model.Message) []model.Message {
				cl.at(sim.Duration(cl.w.Now())+3*sec, outage(cl))
				return batch
			}))
			cl.run(15 * sec)
			require.NoError(t, err)
			require.Empty(t, cl.facts(history.KindCommitFailed))
			require.Len(t, cl.facts(history.KindCommitting), 1)
			require.Equal(t, cl.facts(history.KindCommitting)[0].ID, cl.facts(history.KindCommitted)[0].Cause)
		})
	}
}

// After CommitTimeout the loop is told what is known: of a coordinator that was silent nothing, of one that was down all
// the time that the position has not moved.
func TestACommitGivesUpAtCommitTimeout(t *testing.T) {
	for _, c := range []struct {
		name    string
		stop    func(*cluster)
		err     error
		outcome history.Outcome
	}{
		{"dark", func(cl *cluster) { cl.brokers[0].PowerLoss(0); cl.brokers[1].PowerLoss(0) }, sim.ErrTimeout, history.Indeterminate},
		{"down", func(cl *cluster) { cl.brokers[0].Kill(0); cl.brokers[1].Kill(0) }, sim.ErrRefused, history.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster(t, 1)
			cl.opts.RequestTimeout = sec
			cl.publish(0, "order-1")
			var err error
			cl.member(once(&err, func(batch []model.Message) []model.Message { c.stop(cl); return batch }))
			cl.run(30 * sec)
			require.ErrorIs(t, err, c.err)
			failed := cl.facts(history.KindCommitFailed)
			require.Len(t, failed, 1)
			require.Equal(t, c.outcome, failed[0].Outcome)
			began := cl.facts(history.KindCommitting)[0]
			require.Equal(t, began.ID, failed[0].Cause)
			took := sim.Duration(failed[0].Time - began.Time)
			require.GreaterOrEqual(t, took+cl.opts.BackoffMax, cl.opts.CommitTimeout, "not before")
			require.LessOrEqual(t, took, cl.opts.CommitTimeout)
		})
	}
}

// Nothing is asked for when the time is over: a try that nobody waits for could still move the position.
func TestACommitIsNotTriedAfterItsTime(t *testing.T) {
	for _, within := range []sim.Duration{5 * sec, 5500 * ms, 6 * sec, 6300 * ms} {
		cl := newCluster(t, 1)
		cl.opts.CommitTimeout = within
		cl.publish(0, "order-1")
		var last sim.Time
		cl.special = func(r *sim.Request) bool {
			_, commit := r.Body.(wire.CommitRequest)
			if commit {
				last = cl.w.Now()
				r.Fail(wire.ErrCoordinatorLoading, 0)
			}
			return commit
		}
		var err error
		cl.member(once(&err, everything))
		cl.run(30 * sec)
		require.ErrorIs(t, err, wire.ErrCoordinatorLoading)
		require.LessOrEqual(t, last, sim.Time(cl.facts(history.KindCommitting)[0].Time).Add(within))
		require.Equal(t, history.Failed, cl.facts(history.KindCommitFailed)[0].Outcome)
	}
}

// A commit whose first try may have moved the position is uncertain, whatever a later try hears.
func TestACommitRemembersAnUncertainTry(t *testing.T) {
	cl := newCluster(t, 1)
	cl.publish(0, "order-1")
	var err error
	cl.special = func(r *sim.Request) bool {
		_, commit := r.Body.(wire.CommitRequest)
		if commit { // applied, and the answer is lost
			cl.special = func(r *sim.Request) bool {
				if _, commit := r.Body.(wire.CommitRequest); commit {
					r.Fail(wire.ErrIllegalGeneration, 0)
					return true
				}
				return false
			}
		}
		return commit
	}
	cl.member(once(&err, everything))
	cl.run(3 * sim.Minute)
	require.ErrorIs(t, err, sim.ErrTimeout)
	require.False(t, wire.Definite(err))
	require.Equal(t, history.Indeterminate, cl.facts(history.KindCommitFailed)[0].Outcome)
}

// What the group answers to a commit is final, and tells the member about itself: it joins again, under its id as long as
// the group still knows it. Only a rebalance leaves its share its own until it joins.
func TestARefusedCommitTellsTheMember(t *testing.T) {
	for _, c := range []struct {
		err  error
		id   string
		lost bool
	}{
		{wire.ErrRebalance, "consumer-1@1.1", false},
		{wire.ErrIllegalGeneration, "consumer-1@1.1", true},
		{wire.ErrUnknownMember, "", true},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			cl := newCluster(t, 1)
			cl.publish(0, "order-1")
			var joins []string
			commits := 0
			cl.special = func(r *sim.Request) bool {
				switch req := r.Body.(type) {
				case wire.JoinRequest:
					joins = append(joins, req.Member)
				case wire.CommitRequest:
					if commits++; commits == 1 {
						r.Fail(c.err, 0)
						return true
					}
				}
				return false
			}
			var err error
			lost := false
			cl.member(func(ctx model.Ctx, in model.Consumer) {
				in.OnRevoke(func(model.Ctx) { lost = in.Lost() })
				once(&err, everything)(ctx, in)
			})
			cl.run(2 * sec)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, 1, commits, "not tried again")
			require.Equal(t, history.Failed, cl.facts(history.KindCommitFailed)[0].Outcome)
			require.Equal(t, c.id, joins[2], "after the newcomer's two")
			require.Equal(t, c.lost, lost)
		})
	}
}

// A commit of a server-side member with an epoch that is not the newest is repeated with the one that its next heartbeat tells.
func TestAStaleEpochIsRefreshed(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.Protocol = consumer.ServerSide
	cl.publish(0, "order-1")
	commits := 0
	cl.special = func(r *sim.Request) bool {
		_, commit := r.Body.(wire.CommitRequest)
		if commit {
			commits++
		}
		if commit && commits < 4 {
			r.Fail(wire.ErrStaleMemberEpoch, 0)
			return true
		}
		return false
	}
	err := sim.ErrTimeout
	cl.member(once(&err, everything))
	cl.run(5 * sec)
	require.NoError(t, err)
	require.Equal(t, 4, commits)
	require.Len(t, cl.facts(history.KindCommitFailed), 3)
	require.Equal(t, []int64{1}, cl.committed())
}
