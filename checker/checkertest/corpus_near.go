package checkertest

import "github.com/twiceless/twiceless/sim/history"

func nearLedger() []Example { return append(nearDuplicates(), nearLosses()...) }

func nearDuplicates() []Example {
	reversed := func(stage string) func(*Story) {
		return func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail", "audit")
			d.Call(stage).Apply().Reverse().Reply(history.Acked).Commit()
		}
	}
	return []Example{
		example("charged twice, and one reversed", history.PropDuplicateCritical, "", reversed("charge")),
		example("booked twice, and one reversed", history.PropDuplicateState, "", reversed("book")),
		example("mailed twice, and one called back", history.PropDuplicateNotify, "", reversed("mail")),
		example("audited twice, and one taken out", history.PropDuplicateDerived, "", reversed("audit")),
		with(history.PropDuplicateState, example("booked twice, charged once", history.PropDuplicateCritical, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "book", "mail").Commit()
		})),
		with(history.PropDuplicateNotify, example("mailed twice, booked once", history.PropDuplicateState, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail", "mail").Commit()
		})),
		example("called twice, applied once", history.PropDuplicateCritical, "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.Call("charge").Reply(history.Indeterminate).Do("charge", "book", "mail").Commit()
		}),
		example("charged for two events of one key", history.PropDuplicateCritical, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			s.Offer("order-2", "anna").Accept().Append("orders/0", 1).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("handed out again, and nothing moved", history.PropDuplicateCritical, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Do("charge", "book", "mail")
			s.Stop("consumer-1")
			r.Deliver("consumer-2").Call("charge").Recognise().Reply(history.Acked).Commit()
		}),
	}
}

func nearLosses() []Example {
	return []Example{
		example("the producer was told no", history.PropStuck, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			s.Offer("order-2", "anna").Refuse().Held("queue")
		}),
		example("only the mail is missing", history.PropLoss, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book").Commit()
		}),
		example("committed first, and the effect came", history.PropLoss, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Commit().Deliver("consumer-1").Do("charge", "book", "mail")
		}),
		example("dropped once, done the next time", history.PropLoss, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			r.Deliver("consumer-1").Drop()
			r.Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("parked, not lost", history.PropLoss, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Park().Commit()
		}),
		with(history.PropStuck, example("stuck, not lost", history.PropLoss, "", func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).i.Held("queue")
		})),
		unjudged(example("nobody was told anything, and the next leader cuts it off", history.PropLoss, "", func(s *Story) {
			p, i := s.Partition("orders/0", "broker-1"), s.Offer("order-1", "anna").Doubt()
			p.High(0).Take(i)
			p.Elect("broker-2", 2).Truncate("broker-1", 0)
		})),
		unjudged(example("nobody knows whether anything is owed", history.PropLoss, "", func(s *Story) {
			s.Offer("order-1", "anna").Doubt()
		})),
		example("queued, but everything is done", history.PropStuck, "", func(s *Story) {
			i := s.Offer("order-1", "anna").Accept()
			i.Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail")
			i.Held("queue")
		}),
		example("held, but as a dead letter", history.PropStuck, "", func(s *Story) {
			i := s.Offer("order-1", "anna").Accept()
			i.Append("orders/0", 0).Deliver("consumer-1").Park().Commit()
			i.Held("parked")
		}),
	}
}

func nearOthers() []Example {
	return append(nearOrder(), nearGuarantees()...)
}

func nearOrder() []Example {
	return []Example{
		with(history.PropDuplicateCritical, example("an earlier event is done again after a later one", history.PropOrder, "", func(s *Story) {
			first := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail")
			s.Offer("order-2", "anna").Accept().Append("orders/0", 1).Deliver("consumer-1").Do("charge", "book", "mail")
			first.Do("charge")
		})),
		example("only the mails are out of order", history.PropOrder, "", func(s *Story) {
			first := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book")
			s.Offer("order-2", "anna").Accept().Append("orders/0", 1).Deliver("consumer-1").Do("charge", "book", "mail")
			first.Do("mail")
		}),
		unjudged(example("two keys out of order", history.PropOrder, "", func(s *Story) {
			first := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			s.Offer("order-2", "bert").Accept().Append("orders/0", 1).Deliver("consumer-1").Do("charge", "book", "mail")
			first.Do("charge", "book", "mail")
		})),
		example("offered in another order than the log took them", history.PropOrder, "", func(s *Story) {
			second, first := s.Offer("order-2", "anna").Accept(), s.Offer("order-1", "anna").Accept()
			a := first.Append("orders/0", 0)
			b := second.Append("orders/0", 1)
			a.Deliver("consumer-1").Do("charge", "book", "mail")
			b.Deliver("consumer-1").Do("charge", "book", "mail")
		}),
		example("charged though in doubt", history.PropPhantom, "", func(s *Story) {
			s.Offer("order-1", "anna").Doubt().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("refused once, accepted the next time", history.PropPhantom, "", func(s *Story) {
			s.Offer("order-1", "anna").Refuse().Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("refused, and nothing took place", history.PropPhantom, "", func(s *Story) {
			s.Offer("order-1", "anna").Refuse().Append("orders/0", 0).Deliver("consumer-1").Drop()
		}),
		example("a zombie at another service", history.PropZombie, "", func(s *Story) {
			a := s.Offer("order-1", "anna").Accept().Append("orders/0", 0)
			b := s.Offer("order-2", "bert").Accept().Append("orders/0", 1)
			zombie := a.DeliverIn(1, "consumer-1").Do("charge")
			b.DeliverIn(2, "consumer-2").Do("charge", "book", "mail")
			zombie.Do("book", "mail")
		}),
		example("an older generation of another partition", history.PropZombie, "", func(s *Story) {
			a := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).DeliverIn(1, "consumer-1")
			s.Offer("order-2", "bert").Accept().Append("orders/1", 0).DeliverIn(2, "consumer-2").Do("charge", "book", "mail")
			a.Do("charge", "book", "mail")
		}),
	}
}

func nearGuarantees() []Example {
	return []Example{
		example("moved by its owner while the next generation gathers", history.PropCommit, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 5).Assign(2, "consumer-2", "orders/0")
		}),
		example("taken into a transaction, and moved in the next generation", history.PropCommit, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").MoveInTransaction(1, "consumer-1", "orders/0", 5, func() { s.Assign(2, "consumer-2", "orders/0") })
		}),
		example("given up, assigned again, and moved", history.PropCommit, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Revoke(1, "consumer-1", "orders/0")
			s.Assign(2, "consumer-1", "orders/0").Move(2, "consumer-1", "orders/0", 5)
		}),
		unjudged(example("moved by an operator", history.PropCommit, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Reset("orders/0", 0)
		})),
		example("parked under its key, tried again without one", history.PropDeadLetter, "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			f := fact(history.KindAppended, "broker-1", "order-1", d.id)
			f.Resource, f.Offset = "orders.retry/0", 0
			s.Record(f)
			d.Park().Commit()
		}),
		unjudged(example("parked in a table, which names no topic", history.PropDeadLetter, "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.note(history.KindParked).Commit()
		})),
		unjudged(example("a power loss that took the page cache", history.PropPageCache, "", func(s *Story) {
			s.Restart("broker-1", "power-loss", 9, 8)
		})),
		example("a kill after a power loss took what it could", history.PropPageCache, "", func(s *Story) {
			s.Restart("broker-1", "power-loss", 9, 8).Restart("broker-1", "kill", 8, 8)
		}),
		unjudged(example("a kill of a node that holds nothing", history.PropPageCache, "", func(s *Story) {
			s.Restart("consumer-1", "kill", 0, 0)
		})),
		example("two at once, and one is granted", history.PropLinearizable, "", func(s *Story) {
			a, b := s.Dedup("claim", "order-1", "charge", "a"), s.Dedup("claim", "order-1", "charge", "b")
			b.Gives("granted")
			a.Gives("pending")
		}),
		example("granted again after a release", history.PropLinearizable, "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
			s.Dedup("release", "order-1", "charge", "a").Gives("ok")
			s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		}),
		example("granted again, for the first may have been released", history.PropLinearizable, "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
			s.Dedup("release", "order-1", "charge", "a").Ends(history.Indeterminate)
			s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		}),
	}
}
