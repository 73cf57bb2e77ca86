package checkertest

import "github.com/twiceless/twiceless/sim/history"

// plantedLiveness are runs that do not come to their end, each in one way.
func plantedLiveness() []Example {
	done := []string{"charge", "book", "mail"}
	return []Example{
		example("a saga that is going on for ever", history.PropDrained, history.LabelNothingMoves, func(s *Story) {
			s.Saga("trip-1", "reserve,charge", "").Do("reserve")
			s.Heals(100).Wait(200).RunEnds("quiescent")
		}),
		example("records that nobody is there to read", history.PropDrained, history.LabelNothingMoves, func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Do(done...)
			s.Stop("consumer-1").Heals(100).Wait(200).RunEnds("stuck: 1 record")
		}),
		example("work that ends too late", history.PropDrained, history.LabelTooLate, func(s *Story) {
			d := s.Many(1)[0].Deliver("consumer-1").Do(done...)
			s.Heals(100).Wait(200)
			d.Commit()
			s.RunEnds("quiescent")
		}),
		example("a live owner that does not move", history.PropStuckPartition, history.LabelNothingMoves, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0")
			s.Many(1)[0].Deliver("consumer-1").Do(done...)
			s.Heals(100).Wait(200).RunEnds("limit drain")
		}),
		example("a client that waits for the end of its transaction", history.PropOpenForEver, history.LabelNothingMoves, func(s *Story) {
			began := s.Init("p", 0).Begin("relay-1", "p", 0, "t1")
			s.Decide("commit", began).Begin("relay-1", "p", 0, "t2")
			s.Heals(100).Wait(200).RunEnds("stuck: 1 transaction")
		}),
		example("a storm of rebalances", history.PropLivelock, history.LabelWithoutProgress, func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Do(done...)
			s.Heals(100)
			for i := range int64(8) {
				s.Assign(1+i, "consumer-1", "orders/0").Revoke(1+i, "consumer-1", "orders/0").Wait(20)
			}
			s.RunEnds("limit drain")
		}),
		with(history.PropRedelivery, example("a mail that fails for ever", history.PropPoisonLoop, history.LabelWithoutProgress, func(s *Story) {
			r := s.Many(2)
			r[0].Deliver("consumer-1").Do("charge", "book").Handled(history.Retried)
			other := r[1].Deliver("consumer-2")
			s.Heals(100)
			for range 17 {
				r[0].Deliver("consumer-1").Handled(history.Retried)
			}
			s.Wait(100)
			other.Do(done...)
			s.RunEnds("limit drain")
		})),
		example("a record that is always passed over", history.PropStarvation, history.LabelPassedOver, func(s *Story) {
			s.Foreign("orders/0", 0)
			s.Offer("order-1", "anna").Accept().Append("orders/0", 1).Deliver("consumer-1").Do(done...)
			s.Heals(100).Wait(200).RunEnds("limit drain")
		}),
		example("a record that comes long after a younger one", history.PropStarvation, history.LabelTooLate, func(s *Story) {
			a := s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Offer("order-2", "anna").Append("orders/0", 1).Deliver("consumer-1").Suppress("audit").Park()
			s.Heals(100).Wait(200)
			a.Deliver("consumer-1").Do(done...).Commit()
			s.RunEnds("quiescent")
		}),
		example("an event that nobody ever sees", history.PropVisibility, history.LabelNeverCame, func(s *Story) {
			r := s.RequiresNothing().Many(2)
			r[0].Commit()
			r[1].Deliver("consumer-1").Commit()
			s.Heals(100).Wait(200).RunEnds("quiescent")
		}),
		example("an event that is seen too late", history.PropVisibility, history.LabelTooLate, func(s *Story) {
			r := s.RequiresNothing().Many(1)[0]
			s.Heals(100).Wait(200)
			r.Deliver("consumer-1").Commit()
			s.RunEnds("quiescent")
		}),
		example("two replicas that disagree", history.PropConvergence, history.LabelStatesDiffer, func(s *Story) {
			s.Final("ledger-1", "anna", "", 7).Final("ledger-2", "anna", "", 8)
		}),
		example("two replicas that agree on what is wrong", history.PropConvergence, history.LabelStatesDiffer, func(s *Story) {
			s.Final("ledger-1", "anna", "", 7).Final("ledger-2", "anna", "", 7).Reference("anna", 8)
		}),
		example("a replica without a key", history.PropConvergence, history.LabelStatesDiffer, func(s *Story) {
			s.Final("ledger-1", "anna", "", 7).Final("ledger-2", "anna", "", 7).Final("ledger-1", "bert", "", 9)
		}),
	}
}

// nearLiveness look like one of the planted and are none.
func nearLiveness() []Example {
	done := []string{"charge", "book", "mail"}
	return []Example{
		example("drained in time", history.PropDrained, "", func(s *Story) {
			r := s.Many(2)
			r[0].Deliver("consumer-1").Do(done...).Commit()
			s.Fault("kill consumer-1", "consumer-1", "", 50).Heals(100)
			r[1].Deliver("consumer-1").Do(done...).Commit()
			s.RunEnds("quiescent")
		}),
		unjudged(example("not drained, and cut short", history.PropDrained, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0")
			s.Many(2)[1].Deliver("consumer-1")
			s.Saga("trip-1", "reserve", "").Do("reserve")
			s.Heals(1000).RunEnds("limit facts")
			for _, event := range []string{"order-1", "order-2"} {
				s.HeldAs(event, "parked")
			}
		})),
		unjudged(example("no limit is stated", history.PropDrained, "", func(s *Story) {
			s.Saga("trip-1", "reserve", "")
			s.Heals(0).Wait(1000).RunEnds("quiescent")
		})),
		example("late, as an operator brought work", history.PropDrained, "", func(s *Story) {
			r := s.Many(1)[0]
			s.Heals(100).Wait(200).Visits()
			s.Wait(500)
			r.Deliver("consumer-1").Do(done...).Commit()
			s.RunEnds("quiescent")
		}),
		example("the last fault came after the phase", history.PropDrained, "", func(s *Story) {
			r := s.Many(1)[0]
			s.Heals(100).Fault("kill consumer-1", "consumer-1", "", 500)
			r.Deliver("consumer-1").Do(done...).Commit()
			s.RunEnds("quiescent")
		}),
		example("a topic that nobody reads", history.PropDrained, "", func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Do("charge").Park().Commit()
			s.Heals(100).Wait(200).RunEnds("quiescent")
		}),
		example("a live owner that is slow, and moves", history.PropStuckPartition, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0")
			r := s.Many(2)
			a, b := r[0].Deliver("consumer-1").Do(done...), r[1].Deliver("consumer-1").Do(done...)
			s.Heals(100).Wait(90)
			a.Handled(history.Acked)
			s.Move(1, "consumer-1", "orders/0", 1).Wait(20)
			b.Handled(history.Acked)
			s.RunEnds("quiescent")
		}),
		example("a transaction that is decided after the heal", history.PropOpenForEver, "", func(s *Story) {
			began := s.Init("p", 0).Begin("relay-1", "p", 0, "t1")
			s.Heals(100).Wait(200).Decide("abort", began).RunEnds("quiescent")
		}),
		example("one transaction given up, and the next decided", history.PropOpenForEver, "", func(s *Story) {
			s.Init("p", 0).Begin("relay-1", "p", 0, "t1")
			s.Decide("commit", s.Begin("relay-1", "p", 0, "t2")).Heals(100).Wait(200).RunEnds("quiescent")
		}),
		unjudged(example("a dead client in a transaction", history.PropOpenForEver, "", func(s *Story) {
			s.Init("p", 0).Begin("relay-1", "p", 0, "t1")
			s.Stop("relay-1").Heals(100).Wait(200).RunEnds("quiescent")
		})),
		example("a live owner with nothing to read", history.PropStuckPartition, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0")
			s.Many(1)[0].Deliver("consumer-1").Do(done...).Handled(history.Acked)
			s.Move(1, "consumer-1", "orders/0", 1).Heals(100).Wait(200).RunEnds("quiescent")
		}),
		example("rebalances without end, and no work is left", history.PropLivelock, "", func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Do(done...).Commit()
			s.Heals(100)
			for i := range int64(8) {
				s.Assign(1+i, "consumer-1", "orders/0").Revoke(1+i, "consumer-1", "orders/0").Wait(20)
			}
			s.RunEnds("limit drain")
		}),
		with(history.PropDrained, example("a burst of rebalances that has died down, and work is left", history.PropLivelock, "", func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Do(done...)
			s.Heals(100)
			for i := range int64(8) {
				s.Assign(1+i, "consumer-1", "orders/0").Revoke(1+i, "consumer-1", "orders/0")
			}
			s.Wait(200).RunEnds("limit drain")
		})),
		with(history.PropRedelivery, example("many deliveries, and then it works", history.PropPoisonLoop, "", func(s *Story) {
			r := s.Many(1)[0]
			s.Heals(1000)
			for range 20 {
				r.Deliver("consumer-1").Handled(history.Retried)
			}
			r.Deliver("consumer-1").Do(done...).Commit()
			s.RunEnds("quiescent")
		})),
		with(history.PropRedelivery, example("many deliveries, and then it is parked", history.PropPoisonLoop, "", func(s *Story) {
			r := s.Many(1)[0]
			s.Heals(1000)
			for range 20 {
				r.Deliver("consumer-1").Handled(history.Retried)
			}
			r.Deliver("consumer-1").Park().Commit()
			s.RunEnds("quiescent")
		})),
		with(history.PropRedelivery, example("many deliveries during the fault", history.PropPoisonLoop, "", func(s *Story) {
			r := s.Many(1)[0]
			for range 20 {
				r.Deliver("consumer-1").Handled(history.Retried)
			}
			s.Heals(1000)
			r.Deliver("consumer-1").Do("charge", "book").Commit()
			s.RunEnds("quiescent")
		})),
		example("delivered out of order, and soon", history.PropStarvation, "", func(s *Story) {
			r := s.RequiresNothing().Many(2)
			d := r[1].Deliver("consumer-1")
			s.Heals(100)
			r[0].Deliver("consumer-1").Handled(history.Acked)
			d.Commit()
			s.RunEnds("quiescent")
		}),
		example("seen after a long time, while faults lasted", history.PropVisibility, "", func(s *Story) {
			r := s.RequiresNothing().Many(1)[0]
			s.Wait(500)
			r.Deliver("consumer-1").Commit()
			s.Heals(100).Wait(200).RunEnds("quiescent")
		}),
		example("seen just within the limit after the last fault", history.PropVisibility, "", func(s *Story) {
			r := s.RequiresNothing().Many(1)[0]
			s.Heals(100).Wait(95)
			r.Deliver("consumer-1").Commit()
			s.RunEnds("quiescent")
		}),
		unjudged(example("a producer in doubt sees nothing", history.PropVisibility, "", func(s *Story) {
			i := s.RequiresNothing().Offer("order-1", "anna").Doubt()
			i.Append("orders/0", 0).Commit()
			s.Heals(100).Wait(200).RunEnds("quiescent")
		})),
		example("copies that agree, also with their log", history.PropConvergence, "", func(s *Story) {
			s.Final("ledger-1", "anna", "", 7).Final("ledger-2", "anna", "", 7).Reference("anna", 7)
		}),
		unjudged(example("one copy and nothing beside it", history.PropConvergence, "", func(s *Story) {
			s.Final("ledger-1", "anna", "", 7).Final("ledger-1", "bert", "", 8)
		})),
		unjudged(example("copies that differ as the run was cut short", history.PropConvergence, "", func(s *Story) {
			s.Final("ledger-1", "anna", "", 7).Final("ledger-2", "anna", "", 8).RunEnds("limit drain")
		})),
	}
}
