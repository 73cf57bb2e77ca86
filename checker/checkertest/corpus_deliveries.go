package checkertest

import "github.com/twiceless/twiceless/sim/history"

func plantedDeliveries() []Example {
	return []Example{
		logExample("handed out of a partition that was given up", history.PropOutsideAssignment, history.LabelNotOwned, func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Assign(1, "consumer-1", "orders/0").Revoke(1, "consumer-1", "orders/0")
			r.DeliverIn(1, "consumer-1")
		}),
		logExample("handed out of another's partition", history.PropOutsideAssignment, history.LabelNotOwned, func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/1", 0)
			s.Assign(1, "consumer-1", "orders/0").Assign(1, "consumer-2", "orders/1")
			r.DeliverIn(1, "consumer-1")
		}),
		logExample("a record is left out", history.PropPositionJump, history.LabelMovedForward, func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0)
			r := s.Offer("order-2", "bert").Append("orders/0", 1)
			s.AssignAt(1, "consumer-1", "orders/0", 0)
			r.DeliverIn(1, "consumer-1")
		}),
		logExample("begun before the position of the assignment", history.PropPositionJump, history.LabelMovedBack, func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			s.AssignAt(1, "consumer-1", "orders/0", 1)
			r.DeliverIn(1, "consumer-1")
		}),
		logExample("a zombie and its successor own it", history.PropDoubleOwner, history.LabelStaleOwner, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(2, "consumer-2", "orders/0")
		}),
		logExample("given to two", history.PropDoubleOwner, history.LabelGivenToTwo, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(1, "consumer-2", "orders/0")
		}),
		logExample("a late commit sets the position back", history.PropCommitRegress, history.LabelMovedBack, func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 7).Move(1, "consumer-1", "orders/0", 5)
		}),
		logExample("committed by a timer, in the middle of the work", history.PropAutoCommit, history.LabelInWork, func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1").Commits().Handled(history.Acked)
		}),
		example("committed before the effect, which came", history.PropCommitAhead, history.LabelCommittedBeforeEffect, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Commit().Do("charge", "book", "mail")
		}),
		logExample("handed to the successor again", history.PropRedelivery, history.LabelRedeliveredAfterCommitLost, func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			r.Deliver("consumer-1").Handled(history.Acked)
			s.Stop("consumer-1")
			r.Deliver("consumer-2").Commit()
		}),
		example("nobody told the producer, and it was charged", history.PropRecovered, history.LabelAnswerUncertain, func(s *Story) {
			s.Offer("order-1", "anna").Doubt().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		logExample("read on behind what was aborted", history.PropAbortRewind, history.LabelMovedForward, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			one, two := p.Append("order-1", "anna"), p.Append("order-2", "bert")
			began := s.Begin("consumer-1", "p", 0, "t1")
			one.Deliver("consumer-1")
			s.Decide("abort", began)
			two.Deliver("consumer-1")
		}),
		logExample("read on before what was aborted", history.PropAbortRewind, history.LabelMovedBack, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			one, two := p.Append("", "anna"), p.Append("", "bert")
			began := s.Begin("consumer-1", "p", 0, "t1")
			two.Deliver("consumer-1")
			s.Decide("abort", began)
			one.Deliver("consumer-1")
		}),
	}
}

func nearDeliveries() []Example {
	return append(nearMembers(), nearPositions()...)
}

func nearMembers() []Example {
	return []Example{
		logExample("given up, and assigned again", history.PropOutsideAssignment, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Assign(1, "consumer-1", "orders/0").Revoke(1, "consumer-1", "orders/0").Assign(2, "consumer-1", "orders/0")
			r.DeliverIn(2, "consumer-1")
		}),
		logExample("replaced, and it does not know it", history.PropOutsideAssignment, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Assign(1, "consumer-1", "orders/0").Assign(2, "consumer-2", "orders/0")
			r.DeliverIn(1, "consumer-1")
		}),
		unjudged(logExample("read by somebody who is no member", history.PropOutsideAssignment, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0")
			s.Offer("order-1", "anna").Append("audit/0", 0).Deliver("auditor-1")
		})),
		logExample("offsets without a record are left out", history.PropPositionJump, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 4)
			s.AssignAt(1, "consumer-1", "orders/0", 0)
			r.DeliverIn(1, "consumer-1")
		}),
		logExample("an aborted record is left out", history.PropPositionJump, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0")
			p := s.Partition("orders/0", "broker-1")
			one := p.Append("order-1", "anna")
			p.Append("order-2", "bert").By("p", 0, 0, "t1")
			p.Mark("p", 0, "abort")
			three := p.Append("order-3", "cleo")
			one.Deliver("consumer-1")
			three.Deliver("consumer-1")
		}),
		logExample("a marker is left out", history.PropPositionJump, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Mark("p", 0, "commit")
			t := p.Append("order-1", "anna")
			s.AssignAt(1, "consumer-1", "orders/0", 0)
			t.Deliver("consumer-1")
		}),
		with(history.PropRedelivery, logExample("read from the group's position after a rebalance", history.PropPositionJump, "", func(s *Story) {
			one := s.Offer("order-1", "anna").Append("orders/0", 0)
			s.AssignAt(1, "consumer-1", "orders/0", 0)
			one.DeliverIn(1, "consumer-1")
			s.Revoke(1, "consumer-1", "orders/0").AssignAt(2, "consumer-1", "orders/0", 0)
			one.DeliverIn(2, "consumer-1")
		})),
		unjudged(logExample("an assignment without a position", history.PropPositionJump, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 4)
			s.Assign(1, "consumer-1", "orders/0")
			r.DeliverIn(1, "consumer-1")
		})),
		logExample("one gives it up, then another owns it", history.PropDoubleOwner, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Revoke(1, "consumer-1", "orders/0").Assign(2, "consumer-2", "orders/0")
		}),
		logExample("one stops, then another owns it", history.PropDoubleOwner, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Stop("consumer-1").Assign(2, "consumer-2", "orders/0")
		}),
		logExample("the same member owns it in the next generation", history.PropDoubleOwner, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(2, "consumer-1", "orders/0")
		}),
		logExample("two groups own it", history.PropDoubleOwner, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 1)
			s.Assign(1, "auditor-1", "orders/0").MoveOf("audit", 1, "auditor-1", "orders/0", 1)
		}),
		logExample("two own two partitions", history.PropDoubleOwner, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(1, "consumer-2", "orders/1")
		}),
	}
}

func nearPositions() []Example {
	return []Example{
		logExample("an operator sets the position back", history.PropCommitRegress, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 7).Reset("orders/0", 0)
		}),
		logExample("the same position again", history.PropCommitRegress, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 7).Move(1, "consumer-1", "orders/0", 7)
		}),
		logExample("each partition and group has its own", history.PropCommitRegress, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Assign(1, "consumer-1", "orders/1").Assign(1, "auditor-1", "orders/0")
			s.Move(1, "consumer-1", "orders/0", 7).Move(1, "consumer-1", "orders/1", 2).MoveOf("audit", 1, "auditor-1", "orders/0", 3)
			s.Move(1, "consumer-1", "orders/0", 8)
		}),
		logExample("committed when the work was done", history.PropAutoCommit, "", func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1").Commit()
		}),
		logExample("committed up to the record in work", history.PropAutoCommit, "", func(s *Story) {
			one := s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1")
			s.Offer("order-2", "bert").Append("orders/0", 1).Deliver("consumer-1")
			one.Commit()
		}),
		with(history.PropRedelivery, logExample("another member has it in work", history.PropAutoCommit, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			r.Deliver("consumer-1")
			r.Deliver("consumer-2").Commit()
		})),
		example("committed after the effects that decide", history.PropCommitAhead, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book").Commit().Do("mail")
		}),
		example("committed after it was parked", history.PropCommitAhead, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Park().Commit()
		}),
		example("committed after it was put into a retry topic", history.PropCommitAhead, "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			r := d.Forward("orders.retry/0", 0)
			d.Commit()
			r.Deliver("consumer-1").Do("charge", "book").Commit()
		}),
		example("recognised as a repetition", history.PropCommitAhead, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Suppress("").Commit().Do("charge", "book")
		}),
		logExample("one event, two groups", history.PropRedelivery, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			r.Deliver("consumer-1").Commit()
			r.DeliverTo("audit", "auditor-1")
		}),
		logExample("one event, two topics", history.PropRedelivery, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			r.Deliver("consumer-1").Forward("orders.retry/0", 0).Deliver("consumer-1")
		}),
		example("in doubt, and nothing took place", history.PropRecovered, "", func(s *Story) {
			s.Offer("order-1", "anna").Doubt()
		}),
		example("in doubt, and what took place was reversed", history.PropRecovered, "", func(s *Story) {
			d := s.Offer("order-1", "anna").Doubt().Append("orders/0", 0).Deliver("consumer-1").Do("charge")
			d.Call("charge").Reverse().Reply(history.Acked).Park().Commit()
		}),
		unjudged(example("told in the end", history.PropRecovered, "", func(s *Story) {
			s.Offer("order-1", "anna").Doubt().Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book").Commit()
		})),
		with(history.PropRedelivery, logExample("read again from where the aborted transaction began", history.PropAbortRewind, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			one, two := p.Append("order-1", "anna"), p.Append("order-2", "bert")
			began := s.Begin("consumer-1", "p", 0, "t1")
			one.Deliver("consumer-1")
			two.Deliver("consumer-1")
			s.Decide("abort", began).Begin("consumer-1", "p", 0, "t2")
			one.Deliver("consumer-1")
			two.Deliver("consumer-1")
		})),
		unjudged(logExample("read on after a commit", history.PropAbortRewind, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			one, two := p.Append("order-1", "anna"), p.Append("order-2", "bert")
			began := s.Begin("consumer-1", "p", 0, "t1")
			one.Deliver("consumer-1")
			s.Decide("commit", began)
			two.Deliver("consumer-1")
		})),
		unjudged(logExample("another member reads on", history.PropAbortRewind, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			one, two := p.Append("order-1", "anna"), p.Append("order-2", "bert")
			began := s.Begin("consumer-1", "p", 0, "t1")
			one.Deliver("consumer-1")
			s.Decide("abort", began)
			two.Deliver("consumer-2")
		})),
	}
}
