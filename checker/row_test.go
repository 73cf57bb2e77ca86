package checker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

const ms = checkertest.Millisecond

// A fault is a hit if it meets open work while it lasts: on its node, at its service, or on a cut link.
func TestFaultsHit(t *testing.T) {
	replay := func(s *checkertest.Story, group string) {
		began := s.Record(history.Fact{Kind: history.KindFaultBegan, Node: "consumer-1", Op: "replay", Resource: group, Value: "consumer-1", Fence: -1, Offset: -1})
		s.Record(history.Fact{Kind: history.KindFaultEnded, Node: "consumer-1", Op: "replay", Resource: group, Cause: began, Fence: -1, Offset: -1})
	}
	stories := []struct {
		name string
		want int64
		tell func(*checkertest.Story)
	}{
		{"no fault", 0, func(s *checkertest.Story) { s.Offer("order-1", "anna") }},
		{"a kill of an idle node", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1").Do("charge").Commit()
			s.Fault("at 5ms kill consumer-1 for 1s", "consumer-1", "", 10)
		}},
		{"a kill with a delivery in hand", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms kill consumer-1 for 1s", "consumer-1", "", 10)
		}},
		{"a kill of another node", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms kill consumer-2 for 1s", "consumer-2", "", 10)
		}},
		{"a stopped node has nothing in hand", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1")
			s.Stop("consumer-1").Fault("at 5ms kill consumer-1 for 1s", "consumer-1", "", 10)
		}},
		{"an outage of a service under a call", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1").Call("charge")
			s.Fault("at 5ms refuse @effects for 600s", "", "mailer-1,payments-1", 10)
		}},
		{"a cut link under a delivery", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms partition consumer-1 for 20s", "broker-1", "broker-2, consumer-1", 10)
		}},
		{"a cut link under an offer", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna")
			s.Fault("at 5ms partition consumer-1 for 20s", "broker-1", "consumer-1", 10)
		}},
		{"a link cut one way under a delivery", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms drop-inbound consumer-1 from broker for 20s", "consumer-1", "broker-1", 10)
		}},
		{"a link cut one way beside an offer", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna")
			s.Fault("at 5ms drop-inbound broker from consumer-1 for 20s", "broker-1", "consumer-1", 10)
		}},
		{"a slow link under a delivery", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms slow consumer-1 from broker by 3s for 20s", "consumer-1", "broker-1", 10)
		}},
		{"a lossy link beside an offer", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna")
			s.Fault("at 5ms lossy broker from consumer-1 by 10% for 20s", "broker-1", "consumer-1", 10)
		}},
		{"a message that is held is in flight by definition", 1, func(s *checkertest.Story) {
			s.Fault("when broker.fetch/sent{role=consumer} #1 hold $message by 3s", "consumer-1", "", 0)
		}},
		{"a kill of the broker under a delivery", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms kill broker-1 for 5s", "broker-1", "", 10)
		}},
		{"a kill of the broker under an offer", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna")
			s.Fault("at 5ms kill broker-1 for 5s", "broker-1", "", 10)
		}},
		{"an offer to a broker that is down", 1, func(s *checkertest.Story) {
			s.FaultBegins("at 5ms kill broker-1 for 5s", "broker-1", "")
			s.Offer("order-1", "anna")
		}},
		{"an offer to a broker that is up again", 0, func(s *checkertest.Story) {
			s.Fault("at 5ms kill broker-1 for 5s", "broker-1", "", 10)
			s.Offer("order-1", "anna")
		}},
		{"a producer with an offer open", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna")
			s.Fault("at 5ms kill producer-1 for 5s", "producer-1", "", 10)
		}},
		{"a lost reply is in flight by definition", 1, func(s *checkertest.Story) {
			s.Fault("at 5ms lose-reply payments-1", "payments-1", "", 0)
		}},
		{"any open consumer work meets a rebalance", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms join @group for 10s", "", "", 10)
		}},
		{"any open consumer work meets a clock that jumps", 1, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			s.Fault("at 5ms jump payments-1 by 1h until heal", "payments-1", "", 10)
		}},
		{"a replay of what was done", 1, func(s *checkertest.Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Do("charge").Commit()
			replay(s, checkertest.Group)
			r.Deliver("consumer-1") // after the operator has gone: the members join first
		}},
		{"a replay of nothing", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge").Commit()
			replay(s, checkertest.Group)
		}},
		{"a replay of another group's work", 0, func(s *checkertest.Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			replay(s, "audit")
			r.Deliver("consumer-1")
		}},
		{"no consumer work, no meeting", 0, func(s *checkertest.Story) {
			s.Offer("order-1", "anna")
			s.Fault("when group/generation #1 skew broker-1 by 400ms", "broker-1", "", 10)
		}},
	}
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			s := checkertest.New()
			story.tell(s)
			require.Equal(t, story.want, rowOf(s).FaultsHit)
		})
	}
}

// Latency counts from the intended arrival to the last deciding effect; its part of the run is that of the arrival.
func TestLatencies(t *testing.T) {
	s := checkertest.New()
	deliver := func(event string, offset int64) {
		r := s.Offer(event, event).Accept().Append("orders/0", offset)
		s.Wait(50)
		r.Deliver("consumer-1").Do("charge", "book", "mail").Commit()
	}
	deliver("calm", 0)
	open := s.Offer("in-fault", "k").Accept().Append("orders/0", 1)
	s.Fault("at 5ms pause consumer-1 for 100ms", "consumer-1", "", 100)
	open.Deliver("consumer-1").Do("charge", "book").Commit()
	deliver("after", 2)
	r := rowOf(s)
	bucket := history.LatencyBucket(58 * ms) // two facts, the wait, then delivery, call, apply, reply, call, apply
	require.EqualValues(t, 1, r.Calm[bucket])
	require.EqualValues(t, 1, r.After[bucket])
	require.EqualValues(t, 6*ms, r.Recovery, "the intent of before the fault was complete six facts after its end")
	require.EqualValues(t, 0, count(r.InFault))
	require.EqualValues(t, 2, count(r.Calm), "it had arrived before the fault began")
}

func count(l history.Latencies) (n int64) {
	for _, c := range l {
		n += int64(c)
	}
	return n
}

// Without a fault all is calm and there is nothing to recover from.
func TestCalm(t *testing.T) {
	s := checkertest.New()
	r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
	r.Deliver("consumer-1").Do("charge", "book", "mail")
	r.Deliver("consumer-2").Suppress("").Commit()
	row := rowOf(s)
	require.EqualValues(t, -1, row.Recovery)
	require.EqualValues(t, 1, count(row.Calm))
	require.EqualValues(t, 1, row.Redelivered)
	require.EqualValues(t, 1, row.Suppressed)
	require.EqualValues(t, 3, row.Calls)
	require.EqualValues(t, (14+2)*ms, row.BusyTime, "consumer-1 to the end of the story, consumer-2 until it was handled")
	require.EqualValues(t, 1, row.Exercised[string(history.PropDuplicateCritical)])
	require.Empty(t, row.Prints)
}

// Verdicts of a history that was recorded on since, or of none, are made anew.
func TestFillRowJudgesAnew(t *testing.T) {
	s := checkertest.New()
	stale := checker.CheckAll(s.History())
	s.Offer("order-1", "anna").Accept()
	var r history.Row
	checker.FillRow(&r, s.History(), stale)
	require.EqualValues(t, 1, r.Offered)
	require.EqualValues(t, 1, r.Violations[string(history.PropLoss)])
	checker.FillRow(&r, s.History(), checker.Verdicts{})
	require.EqualValues(t, 1, r.Losses())
}

// An arrival while a fault lasts is in fault. A fault without an end fact lasts until its stated end.
func TestInFault(t *testing.T) {
	tell := func(until int64, ended bool) history.Row {
		s := checkertest.New()
		f := history.Fact{Kind: history.KindFaultBegan, Node: "consumer-1", Note: "at 1ms pause consumer-1 for 60s", Until: until, Fence: -1, Offset: -1}
		f.Cause = s.Record(f)
		if f.Kind = history.KindFaultEnded; ended {
			s.Record(f)
		}
		s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail")
		return rowOf(s)
	}
	lasting := tell(500*ms, false)
	require.EqualValues(t, 1, count(lasting.InFault))
	lifted := tell(500*ms, true)
	require.EqualValues(t, 1, count(lifted.After), "lifted early")
	instant := tell(0, false)
	require.EqualValues(t, 1, count(instant.After))
	require.Zero(t, instant.Recovery)
}

// Busy time ends with the chaos phase.
func TestBusyTimeInChaos(t *testing.T) {
	s := checkertest.New()
	s.History().Header.Chaos = [2]int64{4 * ms, 10 * ms}
	d := s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1") // at 3 ms
	s.Wait(20)
	d.Handled(history.Acked)
	require.EqualValues(t, 6*ms, rowOf(s).BusyTime)
}

// Parked is judged when the first drain has ended, and again at the end.
func TestParkedBeforeAndAfterTheReplay(t *testing.T) {
	parked := func(replayed bool) history.Row {
		s := checkertest.New()
		quiet := func() { s.Record(history.Fact{Kind: history.KindPhase, Note: "quiet", Fence: -1, Offset: -1}) }
		d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Park().Commit()
		e := s.Offer("order-2", "anna").Accept().Append("orders/0", 1).Deliver("consumer-1").Park().Commit()
		s.Offer("order-3", "anna").Accept().Append("orders/0", 2).Deliver("consumer-1").Do("charge", "book").Park().Commit()
		if !replayed {
			return rowOf(s)
		}
		quiet()
		d.Replay("orders/0", 3).Deliver("consumer-1").Do("charge", "book").Commit()
		e.Replay("orders/0", 4).Deliver("consumer-1").Park().Commit()
		quiet()
		return rowOf(s)
	}
	r := parked(false)
	require.Equal(t, []int64{2, 2, 2}, []int64{r.Parked, r.ParkedAfter, r.Buckets[history.ParkedB]}, "what stands is not missing, parked or not")
	r = parked(true)
	require.Equal(t, []int64{2, 1, 1}, []int64{r.Parked, r.ParkedAfter, r.Buckets[history.ParkedB]})
}
