package checker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

func prints(s *checkertest.Story) []string {
	v := checker.CheckAll(s.History())
	return v.Fingerprints()
}

// Two deliveries of one record: what happened to the first node in between decides.
func TestRedeliveryLabels(t *testing.T) {
	revoke := func(node, partition string) func(*checkertest.Story) {
		return func(s *checkertest.Story) {
			s.Record(history.Fact{Kind: history.KindRevoked, Node: node, Resource: partition, Fence: -1, Offset: -1})
		}
	}
	const lost, moved = "redelivered-after-commit-lost", "redelivered-after-rebalance"
	for _, c := range []struct {
		name, want string
		between    func(*checkertest.Story)
	}{
		{"nothing", lost, func(*checkertest.Story) {}},
		{"it was evicted", moved, func(s *checkertest.Story) { s.Evict("consumer-1") }},
		{"it was evicted, and stopped", lost, func(s *checkertest.Story) { s.Evict("consumer-1").Stop("consumer-1") }},
		{"another node stopped", moved, func(s *checkertest.Story) { s.Stop("consumer-3").Evict("consumer-3") }},
		{"it lost the partition", moved, revoke("consumer-1", "orders/0")},
		{"it lost another partition", lost, revoke("consumer-1", "orders/1")},
		{"another node lost a partition of that name", lost, revoke("consumer-3", "orders/0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := checkertest.New()
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Do("charge", "book", "mail")
			c.between(s)
			r.Deliver("consumer-2").Do("charge").Commit()
			require.Equal(t, []string{"duplicate-effect (critical)/charge/" + c.want}, prints(s))
		})
	}
}

// An operator who sets the position back between two deliveries explains the second one, whoever stopped or moved
// meanwhile; one who did so to another partition, another group, or behind the record does not.
func TestReplayLabel(t *testing.T) {
	for _, c := range []struct {
		name, partition, group string
		to                     int64
		want                   string
	}{
		{"its position", "orders/0", checkertest.Group, 0, "redelivered-after-replay"},
		{"another partition's", "orders/1", checkertest.Group, 0, "redelivered-after-commit-lost"},
		{"another group's", "orders/0", "audit", 0, "redelivered-after-commit-lost"},
		{"to behind it", "orders/0", checkertest.Group, 1, "redelivered-after-commit-lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := checkertest.New()
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			s.Stop("consumer-1")
			s.Record(history.Fact{Kind: history.KindOperated, Node: "operator-1", Op: "reset", Resource: c.partition, Value: c.group, Offset: c.to, Fence: -1})
			r.Deliver("consumer-2").Do("charge").Commit()
			require.Equal(t, []string{"duplicate-effect (critical)/charge/" + c.want}, prints(s))
		})
	}
}

// A dead letter that an operator publishes again, though its charge had taken place: the reply was lost.
func TestDeadLetterReplayLabel(t *testing.T) {
	s := checkertest.New()
	d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
	c := d.Call("charge")
	c.Apply()
	c.Reply(history.Indeterminate)
	d.Park().Replay("orders/0", 1).Deliver("consumer-1").Do("charge", "book").Commit()
	require.Equal(t, []string{"duplicate-effect (critical)/charge/redelivered-after-replay"}, prints(s))
}

// A zombie reads on from its old position: what it does again was done well and committed under a newer generation.
func TestZombieDelivery(t *testing.T) {
	s := checkertest.New()
	r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
	delivered := func(node string, generation int64) {
		d := r.Deliver(node)
		s.History().At(d.ID()).Fence = generation
		d.Do("charge")
	}
	delivered("consumer-2", 2)
	delivered("consumer-1", 1)
	require.Contains(t, prints(s), "duplicate-effect (critical)/charge/redelivered-after-rebalance")
}

// A request that arrives late: the second call was applied first, and still the first call's fate explains it.
func TestLateRequest(t *testing.T) {
	s := checkertest.New()
	d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
	slow := d.Call("charge")
	slow.Reply(history.Indeterminate)
	d.Do("charge", "book")
	slow.Apply()
	require.Equal(t, []string{"duplicate-effect (critical)/charge/applied-reply-lost"}, prints(s))
}

// A position names the next record to read: only one beyond the record has passed it.
func TestPositionPassed(t *testing.T) {
	s := checkertest.New()
	s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book").Commit()
	s.Offer("order-2", "bert").Accept().Append("orders/0", 1).Deliver("consumer-1")
	require.Equal(t, []string{"loss/charge/unexplained"}, prints(s))
}

// A record that was forwarded did its work: its position says nothing about the record that came of it.
func TestForwardedRecordLost(t *testing.T) {
	s := checkertest.New()
	d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
	d.Forward("orders.retry/0", 0)
	d.Commit()
	require.Equal(t, []string{"loss/charge/unexplained"}, prints(s))
}

// Effects without an event, and before their event.
func TestPhantoms(t *testing.T) {
	apply := history.Fact{
		Kind: history.KindApplied, Node: "payments-1", Stage: "charge", Resource: "payments", Class: history.Critical,
		Changed: true, Fence: -1, Offset: -1,
	}
	s := checkertest.New()
	s.Record(apply)
	require.Equal(t, []string{"phantom-effect/charge/unexplained"}, prints(s))

	s = checkertest.New()
	apply.Event = "order-1"
	s.Record(apply)
	s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("book")
	require.Equal(t, []string{"phantom-effect/charge/unexplained"}, prints(s))

	s = checkertest.New()
	apply.Resource, apply.Class = "dedup", history.ClassNone // a component's own books
	s.Record(apply)
	require.Empty(t, prints(s))
}

// The call of the effect itself decides, not the first call of the handler: book's reply was lost, charge's came.
func TestFateOfTheEffectsOwnCall(t *testing.T) {
	s := checkertest.New()
	d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
	d.Do("charge").Call("book").Apply().Reply(history.Indeterminate)
	d.Call("charge").Reply(history.Acked).Do("book")
	require.Equal(t, []string{"duplicate-effect (state)/book/applied-reply-lost"}, prints(s))
}

// One delivery put its event into the next topic twice: the producer's doubt, or the handler's second run.
func TestEmittedTwice(t *testing.T) {
	tell := func(call history.Outcome) []string {
		s := checkertest.New()
		d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
		for offset := range int64(2) {
			r := d.Call("emit").Emit("billing/0", offset, call).Deliver("consumer-2").Do("charge")
			if offset == 0 {
				r.Do("book")
			}
		}
		return prints(s)
	}
	require.Equal(t, []string{"duplicate-effect (critical)/charge/published-twice"}, tell(history.Indeterminate))
	require.Equal(t, []string{"duplicate-effect (critical)/charge/handler-retried"}, tell(history.Acked))
}

// What a queue had done when it handed a message out decides, not what it had done when the consumer heard: one that stands
// still, or a reply on its way, is given later what was handed out before.
func TestReceiveLabels(t *testing.T) {
	const timeout, acked, lost = "redelivered-after-timeout", "redelivered-after-ack", "redelivered-after-commit-lost"
	told := func(s *checkertest.Story) string {
		for _, f := range checker.CheckAll(s.History()).Findings {
			if f.Property == history.PropDuplicateCritical {
				return string(f.Label)
			}
		}
		return ""
	}
	for _, c := range []struct {
		name, want string
		first      int64 // when the first of the two deliveries was handed out, ms
		second     int64
		stop       string // a node that stops between them
	}{
		{"after it was taken out", acked, 3, 20, ""},
		{"before it was taken out, and told late", timeout, 3, 5, ""},
		{"before the other one, and told late", timeout, 4, 3, ""},
		{"the same, and the other one's consumer has died since", timeout, 4, 3, "consumer-1"},
		{"before it was taken out, and the first consumer died", lost, 3, 5, "consumer-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := checkertest.New()
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Receive("consumer-1", 2).HandedAt(c.first).Do("charge", "book", "mail").Ack()
			if c.stop != "" {
				s.Stop(c.stop)
			}
			s.Wait(10)
			r.Receive("consumer-2", 1).HandedAt(c.second).Do("charge")
			require.Equal(t, c.want, told(s))
		})
	}
}
