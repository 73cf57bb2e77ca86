package consumer_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Of these worlds: a group's first member has its share at 1.116 s.

// A delivery is the record's offset, under the generation that the member believes in, for the group, caused by the append.
func TestADeliveryNamesItsRecord(t *testing.T) {
	cl := newCluster(t, 1)
	cl.publish(0, "order-1", "order-2")
	cl.at(3*sec, func() { cl.publish(0, "order-3") })
	cl.member(working(0))
	cl.run(5 * sec)
	require.Equal(t, []string{
		"consumer-1 delivered order-1 orders/0 at 0 in 1",
		"consumer-1 delivered order-2 orders/0 at 1 in 1",
		"consumer-1 delivered order-3 orders/0 at 2 in 1",
	}, cl.lines(history.KindDelivered))
	appended := cl.facts(history.KindAppended)
	for i, f := range cl.facts(history.KindDelivered) {
		require.Equal(t, appended[i].ID, f.Cause)
		require.Equal(t, "workers", f.Op)
		require.Equal(t, "key of "+f.Event, f.Key)
	}
}

// A poll gives at most what the loop asks for, and never more than max.poll.records. What is fetched and not handed over
// waits, in order, also when it came in one batch; a batch may begin before the position.
func TestAPollIsBounded(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.MaxPollRecords = 3
	cl.publish(0, "1", "2", "3", "4", "5")
	cl.publish(0, "6", "7", "8", "9")
	var sizes []int
	events := ""
	cl.member(func(c model.Ctx, in model.Consumer) {
		for _, most := range []int{2, 0, 10, 1} {
			ms, ok := in.Poll(c, most)
			require.True(t, ok)
			sizes = append(sizes, len(ms))
			for _, m := range ms {
				events += m.Event
			}
		}
		in.Seek(model.PartitionOffset{Partition: 0, Offset: 3})
		for _, to := range []int64{-1, 8} { // the second while records from 4 on are at hand
			if to >= 0 {
				in.Seek(model.PartitionOffset{Partition: 0, Offset: to})
			}
			ms, _ := in.Poll(c, 1)
			events += "/" + ms[0].Event
		}
	})
	cl.run(5 * sec)
	require.Equal(t, []int{2, 3, 3, 1}, sizes)
	require.Equal(t, "123456789/4/9", events)
}

// Records that come when a rebalance is known are left to their next owner: an eager member joins instead.
func TestNothingIsDeliveredOnceAnEagerMemberKnowsOfARebalance(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.FetchMaxWait = 10 * sec
	cl.member(working(0))
	cl.at(5*sec, func() { cl.member(working(0)) })
	cl.at(8*sec, func() { cl.publish(0, "order-1") }) // the fetch that gets it has waited since before the rebalance
	cl.run(20 * sec)
	require.Equal(t, []string{
		"consumer-1 assigned orders/0 at 0 in 1",
		"consumer-1 revoked orders/0 at 0 in 1",
		"consumer-1 assigned orders/0 at 0 in 2",
		"consumer-1 delivered order-1 orders/0 at 0 in 2",
	}, cl.lines(history.KindAssigned, history.KindDelivered, history.KindRevoked))
}

// A member beyond the number of partitions has nothing to do, and takes over when another is gone: its heartbeat wakes it.
func TestAMemberWithoutPartitionsTakesOver(t *testing.T) {
	cl := newCluster(t, 1)
	cl.publish(0, "order-1")
	one := cl.member(working(0))
	cl.member(working(0))
	cl.at(10*sec, func() { one.Kill(0) })
	cl.run(30 * sec)
	require.Equal(t, []string{"consumer-1 assigned orders/0 at 0 in 1", "consumer-2 assigned orders/0 at 1 in 2"}, cl.lines(history.KindAssigned))
}

// Waiting for records is background work, having them is not: a run can become quiescent when all is done, and not before.
// That holds for a client that fetches ahead while the loop works too.
func TestOnlyRecordsInHandAreForegroundWork(t *testing.T) {
	for name, prefetch := range map[string]int{"java": 0, "librdkafka": 100} {
		t.Run(name, func(t *testing.T) {
			cl := newCluster(t, 2)
			cl.opts.Prefetch = prefetch
			cl.member(working(sec))
			cl.run(5 * sec)
			require.Zero(t, cl.w.Foreground())
			cl.at(5500*ms, func() { cl.publish(0, "order-1") })
			cl.run(5500 * ms)
			for len(cl.facts(history.KindDelivered)) == 0 && cl.w.Step() {
				require.Positive(t, cl.w.Foreground(), "on the way to the loop")
			}
			cl.run(5503 * ms)
			require.Positive(t, cl.w.Foreground(), "in work")
			cl.run(10 * sec)
			require.Zero(t, cl.w.Foreground())
			require.Len(t, cl.facts(history.KindCommitted), 1)
		})
	}
}

// The Java client fetches inside polls only, and what it has not handed over is not fetched again: an idle loop has one request
// parked at each broker, a loop at work none once that is answered. librdkafka goes on fetching until it has enough.
func TestFetchesAreParkedOnePerBroker(t *testing.T) {
	for _, c := range []struct {
		name     string
		prefetch int
		atWork   int // fetches in ten seconds of work
	}{{"java", 0, 2}, {"librdkafka", 100, 41}} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster(t, 4)
			cl.opts.Prefetch = c.prefetch
			fetches := 0
			cl.asked = func(r *sim.Request) {
				if r.Op == "broker.fetch" {
					fetches++
				}
			}
			cl.member(working(10 * sec))
			cl.run(10 * sec)
			fetches = 0
			cl.run(20 * sec)
			require.InDelta(t, 40, fetches, 2, "idle: two brokers, every 500 ms")
			cl.at(20*sec, func() { cl.publish(0, "order-1") })
			cl.at(20*sec+10*ms, func() { fetches = 0 })
			cl.run(29 * sec)
			require.LessOrEqual(t, fetches, c.atWork)
			require.GreaterOrEqual(t, fetches, c.atWork-6)
		})
	}
}

// An idle member is exactly periodic, so that hours pass at once, and sends little: per second two fetches to each of two
// brokers, and a third of a heartbeat.
func TestAnIdleMemberCostsLittle(t *testing.T) {
	for name, set := range map[string]func(*consumer.Options){
		"java":        func(*consumer.Options) {},
		"server-side": func(o *consumer.Options) { o.Protocol = consumer.ServerSide },
		"librdkafka": func(o *consumer.Options) {
			o.Prefetch, o.AutoCommit, o.ClientSession = 100, consumer.CommitsStored, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCluster(t, 4)
			cl.opts.SessionTimeout, cl.opts.Heartbeat, cl.opts.MetadataMaxAge = 45*sec, 3*sec, 1000*3600*sec
			set(&cl.opts)
			cl.publish(0, "order-1")
			cl.member(working(0))
			cl.run(20 * sec)
			before := cl.executed()
			cl.run(80 * sec)
			perSecond := float64(cl.executed()-before) / 60
			t.Logf("%s: %.1f events per idle second", name, perSecond)
			require.Less(t, perSecond, 13.5)

			before = cl.executed()
			over := false
			cl.at(80*sec, func() { cl.w.Quiet(24*3600*sec, func() { over = true }) })
			cl.run(80*sec + 24*3600*sec + sec)
			require.True(t, over)
			require.Less(t, cl.executed()-before, int64(2000), "a day of idling")
			cl.at(80*sec+24*3600*sec+2*sec, func() { cl.publish(0, "order-2") })
			cl.run(80*sec + 24*3600*sec + 60*sec)
			require.Len(t, cl.facts(history.KindDelivered), 2, "and it is still there")
			require.Empty(t, cl.facts(history.KindEvicted))
		})
	}
}

// A Java client fetches a partition again when all that it has of it is handed over, not before.
func TestAPartitionIsFetchedAgainWhenItIsHandedOver(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.MaxPollRecords = 1
	cl.publish(0, "a", "b", "c")
	var next sim.Time
	cl.asked = func(r *sim.Request) {
		if req, ok := r.Body.(wire.FetchRequest); ok && req.From[0].Offset == 3 && next == 0 {
			next = cl.w.Now()
		}
	}
	cl.member(working(sec))
	cl.run(10 * sec)
	delivered := cl.facts(history.KindDelivered)
	require.Len(t, delivered, 3)
	require.Equal(t, sim.Time(delivered[2].Time).Add(hop), next)
}

// Seek gives a partition a position that has none by the policy.
func TestSeekMakesAPartitionReadable(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.Reset = consumer.ResetNone
	cl.publish(0, "order-1", "order-2")
	cl.member(func(c model.Ctx, in model.Consumer) {
		in.OnAssign(func(_ model.Ctx, share []model.PartitionOffset) {
			require.Equal(t, []model.PartitionOffset{{Partition: 0, Offset: -1}}, share)
			in.Seek(model.PartitionOffset{Partition: 0, Offset: 1})
		})
		working(0)(c, in)
	})
	cl.run(5 * sec)
	require.Equal(t, []string{"consumer-1 delivered order-2 orders/0 at 1 in 1"}, cl.lines(history.KindDelivered))
}

// A member that waits at the join barrier sends no heartbeats, and does not take that for the end of its session.
func TestTheBarrierIsNoSilence(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.ClientSession, cl.opts.CommitWhileJoining = true, true
	cl.publish(0, "order-1")
	joins := 0
	cl.asked = func(r *sim.Request) {
		if _, ok := r.Body.(wire.JoinRequest); ok && r.From == "consumer-2" {
			joins++
		}
	}
	cl.member(working(20 * sec))
	cl.at(2*sec, func() { cl.member(working(0)) })
	cl.at(4*sec, func() { cl.member(working(0)) })
	cl.run(30 * sec)
	require.Equal(t, 2, joins, "for its id, and with it")
	require.Empty(t, cl.facts(history.KindEvicted))
}

// A client that knows by its own clock that its session is over gives its share up (librdkafka); one that does not keeps it until a
// coordinator tells (Java).
func TestASessionOnTheClientsClock(t *testing.T) {
	for _, own := range []bool{false, true} {
		cl := newCluster(t, 1)
		cl.opts.ClientSession = own
		one := cl.member(working(0))
		cl.at(3*sec, func() { one.Cut(cl.brokers[0]); cl.brokers[0].Cut(one) })
		cl.run(20 * sec)
		require.Equal(t, own, len(cl.facts(history.KindRevoked)) > 0)
	}
}

// The leader of a partition has changed, and the old one, which does not know, answers as well: what both bring is handed over
// once.
func TestTwoLeadersBringARecordOnce(t *testing.T) {
	cl := newCluster(t, 2)
	cl.special = func(r *sim.Request) bool { // broker-2 keeps a fetch of partition 0 and answers when the other one has
		req, ok := r.Body.(wire.FetchRequest)
		if !ok || !slices.ContainsFunc(req.From, func(f wire.FetchFrom) bool { return f.Partition == 0 && f.CurrentEpoch == 1 }) {
			return false
		}
		if len(cl.facts(history.KindAppended)) > 0 {
			return true // it says nothing any more
		}
		cl.at(sim.Duration(cl.w.Now())+100*ms, func() {
			cl.publish(0, "order-1")
			r.ReplyForeground(wire.FetchReply{Partitions: []wire.Fetched{{Topic: "orders", Partition: 0, Batches: cl.logs[0].Batches()}}}, 0)
		})
		return true
	}
	cl.member(working(0))
	cl.at(1800*ms, func() {
		cl.logs[0].known, cl.logs[0].knows = 1, "broker-2"
		cl.lead(1, cl.brokers[0])
	})
	cl.run(2050 * ms)
	require.Len(t, cl.facts(history.KindAppended), 1)
	cl.run(5 * sec)
	require.Len(t, cl.facts(history.KindDelivered), 1)
	require.Zero(t, cl.w.Foreground(), "an answer that is of no use is no work either")
}

// Asked to stop while it waits for records, a member ends at the next answer of a broker.
func TestAnIdleMemberStops(t *testing.T) {
	cl := newCluster(t, 1)
	one := cl.member(working(0))
	cl.at(5*sec, func() { one.AskStop(0) })
	cl.run(5*sec + cl.opts.FetchMaxWait + 10*hop)
	require.Equal(t, []string{"consumer-1 stopped graceful"}, cl.lines(history.KindStopped))
	require.Equal(t, groups.Empty, cl.coordinator().State("workers"))
}

// Whoever keeps positions of its own seeks when it has got its share, before it reads anything; its session holds however
// long it takes to find them.
func TestSeekWhenAssigned(t *testing.T) {
	cl := newCluster(t, 1)
	cl.publish(0, "order-1")
	cl.publish(0, "order-2")
	cl.publish(0, "order-3")
	assigned := 0
	cl.member(func(c model.Ctx, in model.Consumer) {
		in.OnAssign(func(c model.Ctx, share []model.PartitionOffset) {
			assigned++
			require.Equal(t, []model.PartitionOffset{{Partition: 0, Offset: 0}}, share, "the group knows of none: earliest")
			c.Sleep(20 * sec) // longer than a session
			in.Seek(model.PartitionOffset{Partition: 0, Offset: 2})
			in.Seek(model.PartitionOffset{Partition: 3, Offset: 1}) // not ours
		})
		working(0)(c, in)
	})
	cl.run(40 * sec)
	require.Equal(t, 1, assigned)
	require.Equal(t, []string{"consumer-1 delivered order-3 orders/0 at 2 in 1"}, cl.lines(history.KindDelivered))
	require.Empty(t, cl.facts(history.KindEvicted))
}

// A callback is the application's code: one that takes longer than the poll interval costs the membership.
func TestAPollIntervalRunsInCallbacksToo(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.MaxPollInterval = 10 * sec
	lost := false
	first := true
	cl.member(func(c model.Ctx, in model.Consumer) {
		in.OnRevoke(func(model.Ctx) { lost = in.Lost() })
		in.OnAssign(func(c model.Ctx, _ []model.PartitionOffset) {
			if first {
				first = false
				c.Sleep(11 * sec)
			}
		})
		working(0)(c, in)
	})
	cl.run(20 * sec)
	require.True(t, lost)
	require.Len(t, cl.lines(history.KindAssigned), 2)
}

// What is skipped stays where it is, fetched or not, and holds up nothing else; enough ends a poll that waits.
func TestASteeredPoll(t *testing.T) {
	cl := newCluster(t, 2)
	cl.publish(0, "a")
	cl.publish(1, "b")
	skip, enough := 0, false
	var got []string
	var empty int
	cl.member(func(c model.Ctx, in model.Consumer) {
		in.Steer(model.Steering{Skip: func(k int) bool { return k == skip }, Enough: func() bool { return enough }})
		for {
			ms, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			if len(ms) == 0 {
				empty++
				enough, skip = false, 1
			}
			for _, m := range ms {
				got = append(got, m.Event)
			}
		}
	})
	cl.at(3*sec, func() { enough = true })
	cl.run(3*sec + cl.opts.FetchMaxWait + 10*hop)
	require.Equal(t, 1, empty)
	cl.run(6 * sec)
	require.Equal(t, []string{"b", "a"}, got)
}

// Another process takes over the instance id of a static member: the first is fenced, its loop ends, the application is told,
// and is started again.
func TestAFencedMemberEnds(t *testing.T) {
	cl := newCluster(t, 1)
	var refuse error
	cl.special = func(r *sim.Request) bool {
		if _, beat := r.Body.(wire.HeartbeatRequest); beat && refuse != nil {
			r.Fail(refuse, 0)
			refuse = nil
			return true
		}
		return false
	}
	cl.opts.Static = true
	begun, ended := 0, 0
	cl.member(func(c model.Ctx, in model.Consumer) {
		begun++
		working(0)(c, in)
		ended++
	})
	cl.at(3*sec, func() { refuse = wire.ErrFencedInstance })
	cl.run(10 * sec)
	require.Equal(t, 2, begun)
	require.Equal(t, 1, ended)
	require.Equal(t, []string{"consumer-1 gave-up workers fenced instance id in 1"}, cl.lines(history.KindGaveUp))
	require.Len(t, cl.lines(history.KindRevoked), 1)
}

// An unstable position is waited for: a transaction that moves it has been decided, and its marker is under way (KIP-447).
func TestAnUnstablePositionIsWaitedFor(t *testing.T) {
	cl := newCluster(t, 1)
	cl.publish(0, "order-1")
	asked := 0
	cl.special = func(r *sim.Request) bool {
		req, ok := r.Body.(wire.OffsetsRequest)
		if !ok {
			return false
		}
		require.True(t, req.RequireStable)
		o := wire.CommittedOffset{Offset: -1, Epoch: -1, Err: wire.ErrUnstableOffset}
		if asked++; asked == 3 {
			o = wire.CommittedOffset{Offset: 1, Epoch: 0}
		}
		r.Reply(wire.OffsetsReply{Offsets: []wire.CommittedOffset{o}}, 0)
		return true
	}
	cl.member(working(0))
	cl.run(5 * sec)
	require.Equal(t, 3, asked)
	require.Equal(t, []string{"consumer-1 assigned orders/0 at 1 in 1"}, cl.lines(history.KindAssigned, history.KindDelivered))
}

// A partition that nobody leads does not hold up the others.
func TestAPartitionWithoutALeaderHoldsUpNothingElse(t *testing.T) {
	cl := newCluster(t, 2)
	cl.publish(1, "order-1")
	cl.logs[0].knows = ""
	cl.member(working(0))
	cl.at(5*sec, func() { cl.logs[0].knows = "broker-1"; cl.publish(0, "order-2") })
	cl.run(8 * sec)
	require.Equal(t, []string{
		"consumer-1 assigned orders/1 at 0 in 1",
		"consumer-1 delivered order-1 orders/1 at 0 in 1",
		"consumer-1 assigned orders/0 at 0 in 1",
		"consumer-1 delivered order-2 orders/0 at 0 in 1",
	}, cl.lines(history.KindAssigned, history.KindDelivered))
}

// A coordinator of a server-side group that has fenced a member tells it so: its share is lost, and it begins anew under its id.
func TestAServerSideMemberThatIsFencedBeginsAnew(t *testing.T) {
	cl := newCluster(t, 1)
	cl.opts.Protocol = consumer.ServerSide
	cl.publish(0, "order-1")
	fence := false
	var epochs []int64
	cl.special = func(r *sim.Request) bool {
		req, ok := r.Body.(wire.GroupHeartbeatRequest)
		if !ok {
			return false
		}
		epochs = append(epochs, req.Epoch)
		if fence && req.Epoch > 0 {
			r.Fail(wire.ErrFencedMemberEpoch, 0)
			return true
		}
		return false
	}
	lost := 0
	cl.member(func(c model.Ctx, in model.Consumer) {
		in.OnRevoke(func(model.Ctx) {
			if in.Lost() {
				lost++
			}
		})
		working(0)(c, in)
	})
	cl.at(3*sec, func() { fence = true })
	cl.run(8 * sec)
	require.Equal(t, 1, lost)
	require.Contains(t, epochs[2:], int64(0))
}

// What a transaction needs of the member: who it is, and positions, stated as asked for. The position in memory is not
// moved back when the transaction is aborted: what was aborted is read again only by whoever seeks.
func TestPositionsForATransaction(t *testing.T) {
	cl := newCluster(t, 1)
	cl.publish(0, "order-1")
	cl.publish(0, "order-2")
	var req wire.TxnCommitRequest
	var after, again []model.Message
	cl.member(func(c model.Ctx, in model.Consumer) {
		batch, _ := in.Poll(c, 1)
		m := in.(*consumer.Consumer)
		req = m.TxnCommit(c, batch)
		after, _ = in.Poll(c, 1)
		m.TxnCommitFailed(req, wire.ErrIllegalGeneration)
		again, _ = in.Poll(c, 1)
	})
	cl.run(5 * sec)
	asked := cl.facts(history.KindCommitting)
	require.Len(t, asked, 1)
	require.Equal(t, wire.TxnCommitRequest{Group: "workers", Member: "consumer-1@1.1", Generation: 1,
		Offsets: []wire.GroupOffset{{Topic: "orders", Partition: 0, Offset: 1, Epoch: 0, Fact: asked[0].ID}}}, req)
	require.Equal(t, []string{"consumer-1 commit-failed orders/0 illegal generation at 1 in 1"}, cl.lines(history.KindCommitFailed))
	require.Equal(t, "order-2", after[0].Event)
	require.Equal(t, "order-1", again[0].Event, "the generation is not the group's: the member has lost its share, and has joined again")
	require.Equal(t, int64(2), again[0].Generation)
}

// The planted bug in-memory-checkpoint: a member that gets a partition back goes on where it left off, though another one has
// moved the group's position since.
func TestPlantedInMemoryCheckpoint(t *testing.T) {
	for _, planted := range []bool{false, true} {
		cl := newCluster(t, 1)
		if planted {
			set, err := model.PlantedBugs([]string{"in-memory-checkpoint"})
			require.NoError(t, err)
			cl.opts.Planted = set
		}
		cl.publish(0, "order-1")
		one := cl.member(working(0))
		cl.member(working(0))
		cl.at(5*sec, func() { one.Pause() })
		cl.at(13*sec, func() { cl.publish(0, "order-2") })
		cl.at(15*sec, func() { one.Resume() })
		cl.run(30 * sec)
		assigned := cl.facts(history.KindAssigned)
		back := assigned[len(assigned)-1]
		require.Equal(t, "consumer-1", back.Node)
		if planted {
			require.Equal(t, int64(1), back.Offset, "order-2 comes again")
		} else {
			require.Equal(t, int64(2), back.Offset)
		}
	}
}
