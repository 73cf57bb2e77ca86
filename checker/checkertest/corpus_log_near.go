package checkertest

import "github.com/twiceless/twiceless/sim/history"

func nearLogs() []Example {
	return append(nearDurability(), append(nearTransactions(), append(nearReplicas(), nearOffsets()...)...)...)
}

func nearDurability() []Example {
	return []Example{
		unjudged(logExample("acknowledged by one replica before it was committed, and cut off", history.PropDurability, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.High(0).Append("order-1", "anna").Accept()
			p.Elect("broker-2", 2).Truncate("broker-1", 0)
		})),
		unjudged(logExample("acknowledged first, committed later, and cut off", history.PropDurability, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.High(0).Append("order-1", "anna").Accept()
			p.High(1).Elect("broker-2", 2).Truncate("broker-1", 0)
		})),
		unjudged(logExample("cut off and never acknowledged", history.PropDurability, "", func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Restart("broker-1", "power-loss", 1, 0)
			s.Offer("order-2", "bert").Append("orders/0", 0)
		})),
		with(history.PropDurability, logExample("lost by an election that its operator let be unclean", history.PropDurability, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			t := p.Append("order-1", "anna")
			p.High(1)
			t.Accept()
			p.ElectUncleanly("broker-2", 2).Truncate("broker-1", 0)
		})),
		logExample("a follower that lost it copied it again", history.PropDurability, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			t := p.Append("order-1", "anna").Copy("broker-2")
			p.High(1)
			t.Accept()
			p.Truncate("broker-2", 0)
			t.Copy("broker-2")
			p.Elect("broker-2", 2)
		}),
		logExample("acknowledged, and compacted away", history.PropDurability, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			t := p.Append("order-1", "anna").Accept()
			p.Append("order-2", "anna")
			t.Compact("broker-1")
		}),
		logExample("the producer's second try is acknowledged, the first is gone", history.PropDurability, "", func(s *Story) {
			i := s.Offer("order-1", "anna")
			i.Append("orders/0", 0)
			s.Restart("broker-1", "power-loss", 1, 0)
			i.Append("orders/0", 0).Acknowledge()
		}),
		logExample("a replica without it leads for a while", history.PropDurability, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Accept()
			p.Elect("broker-2", 2).Elect("broker-1", 3)
		}),
	}
}

func nearTransactions() []Example {
	return []Example{
		logExample("every partition is marked, one late", history.PropTorn, "", func(s *Story) {
			one, two := s.Partition("orders/0", "broker-1"), s.Partition("orders/1", "broker-1")
			one.Append("order-1", "anna").By("p", 0, 0, "t1")
			two.Append("order-2", "bert").By("p", 0, 0, "t1")
			one.Mark("p", 0, "commit")
			two.Append("order-3", "cleo").By("q", 0, 0, "")
			two.Mark("p", 0, "commit")
		}),
		logExample("nobody has ended it", history.PropTorn, "", func(s *Story) {
			s.Partition("orders/0", "broker-1").Append("order-1", "anna").By("p", 0, 0, "t1")
			s.Partition("orders/1", "broker-1").Append("order-2", "bert").By("p", 0, 0, "t1")
		}),
		logExample("aborted here, another one committed there", history.PropTorn, "", func(s *Story) {
			one, two := s.Partition("orders/0", "broker-1"), s.Partition("orders/1", "broker-1")
			one.Append("order-1", "anna").By("p", 0, 0, "t1")
			one.Append("order-2", "bert").By("p", 0, 1, "t1")
			two.Append("order-3", "cleo").By("q", 0, 0, "t2")
			one.Mark("p", 0, "abort")
			two.Mark("q", 0, "commit")
		}),
		logExample("a copy of a record was cut off, and the one that was sent again is committed", history.PropTorn, "", func(s *Story) {
			one, two := s.Partition("orders/0", "broker-1"), s.Partition("orders/1", "broker-1")
			again := s.Offer("order-1", "anna")
			one.Take(again).By("p", 0, 0, "t1")
			two.Append("order-2", "bert").By("p", 0, 0, "t1")
			one.Truncate("broker-1", 0)
			one.Take(again).By("p", 0, 0, "t1")
			one.Mark("p", 0, "commit")
			two.Mark("p", 0, "commit")
		}),
		logExample("a later transaction of the producer is aborted", history.PropTorn, "", func(s *Story) {
			one, two := s.Partition("orders/0", "broker-1"), s.Partition("orders/1", "broker-1")
			one.Append("order-1", "anna").By("p", 0, 0, "t1")
			two.Append("order-2", "bert").By("p", 0, 0, "t1")
			one.Mark("p", 0, "commit")
			two.Mark("p", 0, "commit")
			two.Append("order-3", "cleo").By("p", 0, 1, "t2")
			two.Mark("p", 0, "abort")
		}),
		unjudged(logExample("a transaction of one record", history.PropTorn, "", func(s *Story) {
			s.Partition("orders/0", "broker-1").Append("order-1", "anna").By("p", 0, 0, "t1")
		})),
		logExample("cut off, and taken again under its number", history.PropSequence, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 0, 0, "")
			p.Append("order-2", "bert").By("p", 0, 1, "")
			p.Truncate("broker-1", 1).Append("order-2", "bert").By("p", 0, 1, "")
		}),
		with(history.PropSequence, logExample("an unclean election leaves nothing of a producer, and its next number is taken", history.PropSequence, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 0, 0, "")
			p.ElectUncleanly("broker-2", 2).Truncate("broker-1", 0)
			p.Append("order-2", "bert").By("p", 0, 1, "")
		})),
		logExample("a new epoch begins at zero", history.PropSequence, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 0, 0, "")
			p.Append("order-2", "bert").By("p", 1, 0, "")
		}),
		logExample("two producers, and two partitions, count for themselves", history.PropSequence, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 0, 0, "")
			p.Append("order-2", "bert").By("q", 0, 0, "")
			s.Partition("orders/1", "broker-1").Append("order-3", "cleo").By("p", 0, 0, "")
		}),
		logExample("the old producer writes where nothing is known of the new one", history.PropZombieWrite, "", func(s *Story) {
			one := s.Partition("orders/0", "broker-1")
			one.Append("order-1", "anna").By("p", 0, 0, "")
			s.Partition("orders/1", "broker-1").Append("order-2", "bert").By("p", 1, 0, "")
			one.Append("order-3", "cleo").By("p", 0, 1, "")
		}),
		logExample("the old producer's record is cut off", history.PropZombieWrite, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 1, 0, "")
			p.Append("order-2", "bert").By("p", 0, 0, "")
			p.Truncate("broker-1", 1).Append("order-3", "cleo").By("p", 1, 1, "")
		}),
		logExample("an old producer begins, and the coordinator decides nothing of it", history.PropZombieWrite, "", func(s *Story) {
			s.Init("p", 0).Init("p", 1).Begin("relay-1", "p", 0, "t1")
		}),
		logExample("the new epoch aborts what the old one began", history.PropZombieWrite, "", func(s *Story) {
			began := s.Init("p", 0).Begin("relay-1", "p", 0, "t1")
			s.Init("p", 1).DecideIn(1, "abort", began)
		}),
		unjudged(logExample("a new act for each record", history.PropDuplicateRecord, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("", "anna")
			p.Append("", "anna")
		})),
		with(history.PropRedelivery, logExample("put into a retry topic twice, after two deliveries", history.PropDuplicateRecord, "", func(s *Story) {
			r := s.Offer("order-1", "anna").Append("orders/0", 0)
			r.Deliver("consumer-1").Forward("orders.retry/0", 0)
			r.Deliver("consumer-1").Forward("orders.retry/0", 1)
		})),
		logExample("the first try was lost with the power", history.PropDuplicateRecord, "", func(s *Story) {
			i := s.Offer("order-1", "anna")
			i.Append("orders/0", 0)
			s.Restart("broker-1", "power-loss", 1, 0)
			i.Append("orders/0", 0)
		}),
		logExample("one record in each of two partitions", history.PropDuplicateRecord, "", func(s *Story) {
			i := s.Offer("order-1", "anna")
			i.Append("orders/0", 0)
			i.Append("billing/0", 0)
		}),
	}
}

func nearReplicas() []Example {
	return []Example{
		logExample("a former leader differs behind the watermark that it knew, and cuts its log", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Copy("broker-2")
			p.High(1).Append("order-2", "bert")
			t := p.Elect("broker-2", 2).Append("order-3", "cleo")
			p.High(2).Truncate("broker-1", 1)
			t.Copy("broker-1")
		}),
		logExample("replicas differ above the high watermark", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Copy("broker-2")
			p.High(1).Append("order-2", "bert")
			p.Elect("broker-2", 2).Append("order-3", "cleo")
		}),
		logExample("one that differs is down in the end", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Copy("broker-2")
			p.High(1).Append("order-2", "bert")
			s.Stop("broker-1")
			p.Elect("broker-2", 2).Append("order-3", "cleo")
			p.High(2)
		}),
		logExample("the next leader states the same watermark again", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Copy("broker-2")
			p.High(1).Elect("broker-2", 2).High(1)
		}),
		logExample("the stable offset lies before the high watermark", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.High(1).Stable(0).High(1).Stable(1)
		}),
		logExample("a lower watermark of another partition", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			q := s.Partition("orders/1", "broker-1")
			p.High(1)
			q.High(0)
			p.High(1)
		}),
		logExample("a replica lags", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Copy("broker-2", "broker-3")
			p.Append("order-2", "bert").Copy("broker-2")
			p.High(2)
		}),
		logExample("an older value of a key is compacted away", history.PropCompaction, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			t := p.Append("order-1", "anna")
			p.Append("order-2", "anna")
			t.Compact("broker-1")
		}),
		logExample("a tombstone goes after what it deleted", history.PropCompaction, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			t, d := p.Append("order-1", "anna"), p.Delete("order-2", "anna")
			t.Compact("broker-1")
			d.Compact("broker-1")
		}),
		logExample("a tombstone goes, and the key was written anew", history.PropCompaction, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			d := p.Delete("order-1", "anna")
			p.Append("order-2", "anna")
			d.Compact("broker-1")
		}),
		logExample("the last record of a key goes, which was aborted", history.PropCompaction, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			t := p.Append("order-2", "anna").By("p", 0, 0, "t1")
			p.Mark("p", 0, "abort")
			t.Compact("broker-1")
		}),
		logExample("each replica compacts for itself", history.PropCompaction, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			t := p.Append("order-1", "anna").Copy("broker-2")
			p.Append("order-2", "anna").Copy("broker-2")
			t.Compact("broker-1").Compact("broker-2")
		}),
	}
}

func nearOffsets() []Example {
	return []Example{
		logExample("a record is handed out twice", history.PropCorruptedRecord, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Hash(7).Append("order-1", "anna").Deliver("consumer-1").Deliver("consumer-2")
		}),
		logExample("a delivery that states neither key nor payload", history.PropCorruptedRecord, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Hash(7).Append("order-1", "anna").DeliverAs("consumer-1", func(f *history.Fact) { f.Key, f.Hash = "", 0 })
		}),
		unjudged(logExample("a delivery that names no record", history.PropCorruptedRecord, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").DeliverAs("consumer-1", func(f *history.Fact) { f.Cause, f.Offset = 0, 9 })
		})),
		logExample("an offset is given out again after a power loss", history.PropInconsistentOffset, "", func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Restart("broker-1", "power-loss", 1, 0)
			s.Offer("order-2", "bert").Append("orders/0", 0).Deliver("consumer-1")
		}),
		logExample("an offset is given out again after a truncation", history.PropInconsistentOffset, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.Truncate("broker-1", 0).Append("order-2", "bert").Deliver("consumer-1")
		}),
		logExample("acknowledged by one replica and lost, and its offset acknowledged again", history.PropInconsistentOffset, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.High(0).Append("order-1", "anna").Accept()
			p.Elect("broker-2", 2).Truncate("broker-1", 0)
			t := p.Append("order-2", "bert").Copy("broker-1")
			p.High(1)
			t.Accept()
		}),
		with(history.PropDurability, with(history.PropInconsistentOffset, logExample("an unclean election leaves an offset to another record", history.PropInconsistentOffset, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			one := p.Append("order-1", "anna")
			p.High(1)
			one.Accept()
			p.ElectUncleanly("broker-2", 2).Truncate("broker-1", 0)
			p.Append("order-2", "bert").Copy("broker-1").Deliver("consumer-1")
		}))),
		with(history.PropLogRegress, logExample("an unclean election takes the high watermark back", history.PropLogRegress, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.High(1).ElectUncleanly("broker-2", 2).Truncate("broker-1", 0).High(0)
		})),
		logExample("two partitions use one offset", history.PropInconsistentOffset, "", func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Deliver("consumer-1")
			s.Offer("order-2", "bert").Append("orders/1", 0).Deliver("consumer-1")
		}),
		logExample("acknowledged in another order, but sent together", history.PropOffsetOrder, "", func(s *Story) {
			first, second := s.Offer("order-1", "anna"), s.Offer("order-2", "bert")
			first.Append("orders/0", 5).Acknowledge()
			second.Append("orders/0", 3).Acknowledge()
		}),
		logExample("offsets with a gap", history.PropOffsetOrder, "", func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 3).Acknowledge()
			s.Offer("order-2", "bert").Append("orders/0", 9).Acknowledge()
		}),
		logExample("a lower offset that nobody was told", history.PropOffsetOrder, "", func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 4).Acknowledge()
			s.Offer("order-2", "bert").Append("orders/0", 3)
			s.Offer("order-3", "cleo").Append("orders/0", 5).Acknowledge()
		}),
		logExample("a position at the end of the log", history.PropPosition, "", func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 1)
		}),
		logExample("a position at the end of a log that was cut since", history.PropPosition, "", func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.Append("order-2", "bert")
			s.Assign(1, "consumer-1", "orders/0")
			p.Truncate("broker-1", 0)
			s.Move(1, "consumer-1", "orders/0", 2)
		}),
		unjudged(logExample("a position in a log that states no record", history.PropPosition, "", func(s *Story) {
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 5)
		})),
	}
}
