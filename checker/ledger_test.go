package checker_test

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

func rowOf(s *checkertest.Story) history.Row {
	var r history.Row
	h := s.History()
	checker.FillRow(&r, h, checker.CheckAll(h))
	return r
}

// A bucket says where an intent ended. Read the table from top to bottom: each story is a little worse.
func TestBuckets(t *testing.T) {
	stories := []struct {
		name string
		want history.Bucket
		tell func(*checkertest.Story)
	}{
		{"all took place once", history.Done, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail")
		}},
		{"a missing mail does not decide", history.Done, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book")
		}},
		{"mailed twice does not decide either", history.Done, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail", "mail")
		}},
		{"done, and yet the producer never knew", history.Done, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Doubt().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book")
		}},
		{"parked and then replayed", history.Done, func(s *checkertest.Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Park().Commit()
			r.Deliver("consumer-1").Do("charge", "book")
		}},
		{"done after the deadline", history.Late, func(s *checkertest.Story) {
			r := s.Deadline(100).Offer("order-1", "anna").Accept().Append("orders/0", 0)
			s.Wait(200)
			r.Deliver("consumer-1").Do("charge", "book")
		}},
		{"charged twice", history.Duplicated, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "charge", "book")
		}},
		{"charged twice and never booked is duplicated first", history.Duplicated, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "charge")
		}},
		{"charged and never booked", history.Partial, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge")
		}},
		{"charged, then parked", history.ParkedB, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge").Park()
		}},
		{"parked, published again, and lost", history.LostSilent, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Park().Replay("orders/0", 1)
		}},
		{"parked, published again, and parked again", history.ParkedB, func(s *checkertest.Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Park()
			d.Replay("orders/0", 1).Deliver("consumer-1").Park()
		}},
		{"parked, taken up, and never published", history.ParkedB, func(s *checkertest.Story) {
			i := s.Offer("order-1", "anna").Accept()
			i.Append("orders/0", 0).Deliver("consumer-1").Park().Replay("orders/0", 1)
			i.Held("parked")
		}},
		{"refused", history.RefusedB, func(s *checkertest.Story) { s.Offer("order-1", "anna").Refuse() }},
		{"refused, sent again, in doubt", history.AbsentUnknown, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Refuse().Doubt()
		}},
		{"an abort that was declared", history.RefusedB, func(s *checkertest.Story) {
			i := s.Offer("order-1", "anna").Accept()
			i.Append("orders/0", 0).Deliver("consumer-1").Do("charge").Call("charge").Reverse()
			i.GiveUp()
		}},
		{"in a queue", history.StuckB, func(s *checkertest.Story) { s.Offer("order-1", "anna").Accept().Held("queue") }},
		{"the producer died", history.AbsentUnknown, func(s *checkertest.Story) { s.Offer("order-1", "anna") }},
		{"lost, and an operator knows", history.LostKnown, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Accept().GiveUp()
		}},
		{"lost, and only the log held it", history.LostSilent, func(s *checkertest.Story) {
			s.Offer("order-1", "anna").Doubt().Append("orders/0", 0)
		}},
		{"lost, and nobody knows", history.LostSilent, func(s *checkertest.Story) { s.Offer("order-1", "anna").Accept() }},
	}
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			s := checkertest.New()
			story.tell(s)
			r := rowOf(s)
			var want [history.BucketCount]int64
			want[story.want] = 1
			require.Equal(t, want, r.Buckets)
		})
	}
}

// With neither critical nor state effects, all required effects decide.
func TestNotifyDecidesAlone(t *testing.T) {
	s := checkertest.NewWith(history.Requirement{Stage: "mail", Resource: "mailer", Class: history.Notify})
	s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("mail", "mail")
	require.EqualValues(t, 1, rowOf(s).Buckets[history.Duplicated])
}

// A loss behind a duplicate is still a loss: at-least-once promises it away.
func TestLossBehindDuplicate(t *testing.T) {
	s := checkertest.New()
	s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "charge").Commit()
	v := checker.CheckAll(s.History())
	require.EqualValues(t, 1, v.Violations[history.PropDuplicateCritical])
	require.EqualValues(t, 1, v.Violations[history.PropLoss])
}

// Each excess that went away again was visible for a while.
func TestTransient(t *testing.T) {
	s := checkertest.New()
	d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge")
	for range 2 {
		d.Do("charge").Call("charge").Reverse()
	}
	r := rowOf(s)
	require.EqualValues(t, 2, r.Transient)
	require.Zero(t, r.Excess[history.Critical])

	s = checkertest.New()
	d = s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge")
	d.Call("charge").Reverse()
	d.Do("charge") // one at a time was never two
	require.Zero(t, rowOf(s).Transient)
}

// A forwarded event is one chain: the second application after a retry topic goes back to the first call's fate.
func TestRetryTopicAfterLostReply(t *testing.T) {
	s := checkertest.New()
	d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
	d.Call("charge").Apply().Reply(history.Indeterminate)
	d.Forward("orders.retry/0", 0).Deliver("consumer-1").Do("charge", "book")
	v := checker.CheckAll(s.History())
	require.Equal(t, []string{"duplicate-effect (critical)/charge/applied-reply-lost"}, v.Fingerprints())
}

// The dedup store's part in a duplicate: it had the effect down as done and granted it again.
func TestDedupForgot(t *testing.T) {
	tell := func(done func(*checkertest.Operation)) []string {
		s := checkertest.New()
		r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
		s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
		r.Deliver("consumer-1").Do("charge", "book")
		done(s.Dedup("done", "order-1", "charge", "a"))
		s.Stop("consumer-1").Wait(500)
		again := r.Deliver("consumer-2")
		s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		again.Do("charge")
		v := checker.CheckAll(s.History())
		return v.Fingerprints()
	}
	require.Equal(t, []string{
		"duplicate-effect (critical)/charge/dedup-record-lost", "linearizability/charge/dedup-record-lost",
	}, tell(func(o *checkertest.Operation) { o.Gives("ok") }))
	require.Equal(t, []string{
		"duplicate-effect (critical)/charge/dedup-record-expired", "linearizability/charge/dedup-record-expired",
	}, tell(func(o *checkertest.Operation) { o.Until(400) }))
}

// A table in a process is lost with it. While the process lives nothing is lost: the successor has a table of its own.
func TestDedupTableOfAProcess(t *testing.T) {
	tell := func(between func(*checkertest.Story)) []string {
		s := checkertest.New()
		r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
		s.Dedup("claim", "order-1", "charge", "a").Inside("consumer-1").Gives("granted")
		r.Deliver("consumer-1").Do("charge", "book")
		s.Dedup("done", "order-1", "charge", "a").Inside("consumer-1").Gives("ok")
		between(s)
		again := r.Deliver("consumer-2")
		s.Dedup("claim", "order-1", "charge", "b").Inside("consumer-2").Gives("granted")
		again.Do("charge")
		v := checker.CheckAll(s.History())
		return v.Fingerprints()
	}
	require.Equal(t, []string{"duplicate-effect (critical)/charge/dedup-record-lost"},
		tell(func(s *checkertest.Story) { s.Stop("consumer-1") }))
	require.Equal(t, []string{"duplicate-effect (critical)/charge/redelivered-after-commit-lost"},
		tell(func(s *checkertest.Story) { s.Stop("consumer-3") }))
}

// A naive count of the same things agrees with the ledger, and the accounts add up, on any facts at all.
func TestLedgerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := anyHistory(t)
		v := checker.CheckAll(h)
		var r history.Row
		checker.FillRow(&r, h, v)
		total := int64(0)
		for _, n := range r.Buckets {
			total += n
		}
		require.Equal(t, r.Offered, total, "each intent ends in exactly one bucket")
		require.Equal(t, naiveExcess(h), r.Excess[history.Critical])
		require.Equal(t, r.Prints, v.Fingerprints())
		require.GreaterOrEqual(t, r.BusyTime, int64(0))
		for _, f := range v.Findings {
			require.NotEmpty(t, f.Evidence)
		}
		again := checker.CheckAll(checkertest.Renamed(h))
		require.Equal(t, v.Findings, again.Findings)
	})
}

// naiveExcess counts critical excess by the formula, with no cleverness.
func naiveExcess(h *history.History) (sum int64) {
	events := map[string]bool{}
	for _, f := range h.Facts {
		if f.Kind == history.KindOffered && f.Event != "" {
			events[f.Event] = true
		}
	}
	for _, e := range history.SortedKeys(events) {
		n := int64(0)
		for _, f := range h.Facts {
			if f.Event == e && f.Stage == "charge" && f.Resource == "payments" && f.Changed {
				switch f.Kind {
				case history.KindApplied:
					n++
				case history.KindReversed:
					n--
				}
			}
		}
		sum += max(0, n-1)
	}
	return sum
}

// anyHistory draws facts without regard to sense; judges must survive it.
func anyHistory(t *rapid.T) *history.History {
	h := checkertest.New().History()
	for i := range rapid.IntRange(0, 60).Draw(t, "facts") {
		stage := rapid.IntRange(0, 1).Draw(t, "stage")
		f := history.Fact{
			Kind: history.Kind(rapid.IntRange(1, int(history.KindCompacted)).Draw(t, "kind")), Time: int64(i) * checkertest.Millisecond,
			Cause: int64(rapid.IntRange(0, i).Draw(t, "cause")),
			Node:  rapid.SampledFrom([]string{"", "consumer-1", "consumer-2", "payments-1"}).Draw(t, "node"),
			Event: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "event"), Key: "k",
			Outcome: history.Outcome(rapid.IntRange(0, 4).Draw(t, "outcome")),
			Offset:  int64(rapid.IntRange(-1, 3).Draw(t, "offset")), Fence: -1, Changed: rapid.Bool().Draw(t, "changed"),
		}
		f.Stage, f.Resource, f.Class = []string{"charge", "book"}[stage], []string{"payments", "ledger"}[stage], history.Class(stage+1)
		if f.Kind == history.KindHeld {
			f.Op = rapid.SampledFrom([]string{"queue", "pending", "done", "parked"}).Draw(t, "held")
		}
		if f.Kind == history.KindInvoke || f.Kind == history.KindComplete {
			f.Resource = "dedup/" + f.Event + "/" + f.Stage
			f.Op = rapid.SampledFrom([]string{"claim", "done", "release"}).Draw(t, "op")
			f.Value = rapid.SampledFrom([]string{"x", "y", "granted", "ok", "done"}).Draw(t, "value")
		}
		h.Record(f)
	}
	return h
}

// Judging a history takes hardly any memory beside the ledger: what is allocated anew for each fact, or each intent, is
// what makes judges slow.
func TestCheckAllAllocatesNothingPerFact(t *testing.T) {
	of := func(intents int) *history.History {
		s := checkertest.NewWith(history.Requirement{Stage: "charge", Resource: "payments", Class: history.Critical})
		for i := range intents {
			s.Offer("order-"+strconv.Itoa(i), "key").Append("orders/0", int64(i)).Deliver("consumer-1").Call("charge").Apply()
		}
		return s.History()
	}
	require.Empty(t, checker.CheckAll(of(1000)).Findings, "a finding is told, and allocates")
	allocations := func(h *history.History) float64 {
		return testing.AllocsPerRun(3, func() { checker.CheckAll(h) })
	}
	small, large := of(1000), of(3000)
	per := (allocations(large) - allocations(small)) / float64(large.Len()-small.Len())
	require.Less(t, per, 0.01, "allocations for each further fact")
}

// BenchmarkEffects judges a million effects of a quarter million intents, one in a hundred of them wrong: by the judges of
// effects, and by all there are.
func BenchmarkEffects(b *testing.B) {
	h := millionEffects()
	for _, level := range []struct {
		name  string
		judge func(*history.History)
	}{
		{"effects", func(h *history.History) { checker.EffectLevel(h) }},
		{"all", func(h *history.History) { checker.CheckAll(h) }},
	} {
		b.Run(level.name, func(b *testing.B) {
			b.ReportMetric(float64(h.Len()), "facts")
			runtime.GC()
			for b.Loop() {
				level.judge(h)
			}
		})
	}
}

func millionEffects() *history.History {
	const intents = 250_000
	s := checkertest.NewWith(
		history.Requirement{Stage: "charge", Resource: "payments", Class: history.Critical},
		history.Requirement{Stage: "book", Resource: "ledger", Class: history.State},
		history.Requirement{Stage: "mail", Resource: "mailer", Class: history.Notify},
		history.Requirement{Stage: "index", Resource: "search", Class: history.Derived},
	)
	h := s.History()
	header := h.Header
	h.Reset(8 << 20)
	h.Header = header
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range intents {
		d := s.Offer("order-"+strconv.Itoa(i), "key-"+strconv.Itoa(rng.IntN(100))).Append("orders/"+strconv.Itoa(i%8), int64(i/8)).Deliver("consumer-1")
		for _, stage := range []string{"charge", "book", "mail", "index"} {
			if i%100 == 0 && stage == "charge" {
				d.Call(stage).Apply()
			}
			d.Call(stage).Apply()
		}
	}
	return h
}
