package checkertest

import "github.com/twiceless/twiceless/sim/history"

// A queue has no positions: its messages are taken out one by one, in any order, and come back by themselves.

func cleanQueue() []Example {
	return []Example{
		example("a queue that is done with everything", "", "", func(s *Story) {
			first := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			second := s.Offer("order-2", "bert").Accept().Append("orders/0", 1)
			second.Receive("consumer-1", 1).Do("charge", "book", "mail").Handled(history.Acked).Ack()
			first.Receive("consumer-2", 1).Do("charge", "book", "mail").Handled(history.Acked).Ack()
		}),
		with(history.PropRedelivery, example("received again, and then done; another message is at its first receive", "", "", func(s *Story) {
			first := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			first.Receive("consumer-1", 1)
			s.Fault("at 5ms kill consumer-1 for 1s", "consumer-1", "", 1000).Stop("consumer-1")
			first.Receive("consumer-2", 2).Do("charge", "book", "mail").Handled(history.Acked).Ack()
			s.Offer("order-2", "bert").Accept().Append("orders/0", 1).Receive("consumer-2", 1).Do("charge", "book", "mail").Handled(history.Acked).Ack()
		})),
	}
}

func plantedQueue() []Example {
	return []Example{
		with(history.PropStuck, example("the queue still holds a message", history.PropDrained, history.LabelNothingMoves, func(s *Story) {
			s.Heals(100)
			i := s.Offer("order-1", "anna").Accept()
			i.Append("orders/0", 0).Receive("consumer-1", 1)
			s.Wait(200)
			i.HeldIn("orders/0", "queue")
			s.RunEnds("stuck: 1 message")
		})),
		with(history.PropRedelivery, example("in work for longer than it is hidden", history.PropDuplicateCritical, history.LabelRedeliveredAfterTimeout, func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			slow := r.Receive("consumer-1", 1).Do("charge")
			r.Receive("consumer-2", 2).Do("charge", "book", "mail").Ack()
			slow.Ack()
		})),
		with(history.PropRedelivery, example("handed out again after it was taken out", history.PropDuplicateCritical, history.LabelRedeliveredAfterAck, func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Receive("consumer-1", 1).Do("charge", "book", "mail").Ack()
			r.Receive("consumer-2", 1).Do("charge")
		})),
		with(history.PropRedelivery, example("received again because the first consumer died", history.PropDuplicateCritical, history.LabelRedeliveredAfterCommitLost, func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Receive("consumer-1", 1).Do("charge")
			s.Stop("consumer-1")
			r.Receive("consumer-2", 2).Do("charge", "book", "mail").Ack()
		})),
		with(history.PropCommitAhead, example("acknowledged before it was done", history.PropLoss, history.LabelCommittedBeforeEffect, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Receive("consumer-1", 1).Ack()
			s.Stop("consumer-1")
		})),
		with(history.PropCommitAhead, example("the queue drops it", history.PropLoss, history.LabelLeftQueue, func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Receive("consumer-1", 1)
			r.Settle("dropped")
		})),
		with(history.PropDuplicateCritical, with(history.PropRedelivery, example("a consumer whose message another one has charges after that one did", history.PropZombie, history.LabelNotFenced, func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			slow := r.Receive("consumer-1", 1)
			r.Receive("consumer-2", 2).Do("charge", "book", "mail").Ack()
			slow.Do("charge")
		}))),
	}
}

func nearQueue() []Example {
	return []Example{
		example("a queue that is empty at the end has drained, although nobody moved a position", history.PropDrained, "", func(s *Story) {
			s.Heals(100)
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Receive("consumer-1", 1).Do("charge", "book", "mail").Handled(history.Acked).Ack()
			s.Wait(200).RunEnds("quiescent")
		}),
		with(history.PropRedelivery, example("one message was received twice, the one behind it once", history.PropZombie, "", func(s *Story) {
			first := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			second := s.Offer("order-2", "bert").Accept().Append("orders/0", 1)
			first.Receive("consumer-1", 1)
			again, behind := first.Receive("consumer-2", 2), second.Receive("consumer-1", 1)
			again.Do("charge", "book", "mail").Ack()
			behind.Do("charge", "book", "mail").Ack()
		})),
		example("acknowledged as soon as it was done", history.PropCommitAhead, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Receive("consumer-1", 1).Do("charge", "book", "mail").Ack()
		}),
	}
}
