package checkertest

import "github.com/twiceless/twiceless/sim/history"

// logExample is an example in which no intent requires an effect: it is about logs and positions only.
func logExample(name string, p history.Property, label history.Label, tell func(*Story)) Example {
	s := NewWith()
	tell(s)
	return Example{Name: name, Property: p, Label: label, History: s.History()}
}

// unjudged marks a near miss that lies outside what its property speaks of.
func unjudged(e Example) Example {
	e.Unjudged = true
	return e
}

// with marks a history in which a noted property is seen beside its own, by definition.
func with(p history.Property, e Example) Example {
	e.With = append(e.With, p)
	return e
}

func plantedLogs() []Example {
	return []Example{
		logExample("acknowledged, and cut off by the next leader", history.PropDurability, history.LabelTruncated, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Copy("broker-2")
			t := p.Append("order-2", "bert")
			p.High(2)
			t.Accept()
			p.Elect("broker-2", 2).Truncate("broker-1", 1)
		}),
		logExample("acknowledged, and overwritten after a power loss", history.PropDurability, history.LabelTruncated, func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0).Acknowledge()
			s.Restart("broker-1", "power-loss", 1, 0)
			s.Offer("order-2", "bert").Accept().Append("orders/0", 0)
		}),
		logExample("half a transaction is marked", history.PropTorn, history.LabelMarkersDiffer, func(s *Story) {
			one, two := s.Partition("orders/0", "broker-1"), s.Partition("orders/1", "broker-1")
			one.Append("order-1", "anna").By("p", 0, 0, "t1")
			two.Append("order-2", "bert").By("p", 0, 0, "t1")
			one.Mark("p", 0, "commit")
		}),
		logExample("a late abort meets the next transaction in one partition", history.PropTorn, history.LabelMarkersDiffer, func(s *Story) {
			one, two := s.Partition("orders/0", "broker-1"), s.Partition("orders/1", "broker-1")
			one.Append("order-1", "anna").By("p", 0, 0, "t2")
			two.Append("order-2", "bert").By("p", 0, 0, "t2")
			two.Mark("p", 0, "abort")
			one.Mark("p", 0, "commit")
			two.Mark("p", 0, "commit")
		}),
		logExample("half a transaction is lost", history.PropTorn, history.LabelTruncated, func(s *Story) {
			one, two := s.Partition("orders/0", "broker-1"), s.Partition("orders/1", "broker-1")
			one.Append("order-1", "anna").By("p", 0, 0, "t1")
			two.Append("order-2", "bert").By("p", 0, 0, "t1")
			one.Mark("p", 0, "commit")
			two.Truncate("broker-1", 0).Mark("p", 0, "commit")
		}),
		logExample("a retry is taken again", history.PropSequence, history.LabelSequenceAgain, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 0, 0, "")
			p.Append("order-1", "anna").By("p", 0, 0, "")
		}),
		logExample("a successor is taken first", history.PropSequence, history.LabelSequenceGap, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 0, 0, "")
			p.Append("order-3", "cleo").By("p", 0, 2, "")
		}),
		logExample("a clean election leaves nothing of a producer, and its next number is taken", history.PropSequence, history.LabelSequenceGap, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 0, 0, "")
			p.Elect("broker-2", 2).Truncate("broker-1", 0)
			p.Append("order-2", "bert").By("p", 0, 1, "")
		}),
		logExample("an old producer writes after the new one", history.PropZombieWrite, history.LabelNotFenced, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").By("p", 1, 0, "")
			p.Append("order-2", "bert").By("p", 0, 0, "")
		}),
		logExample("an old producer writes behind the marker of the new one", history.PropZombieWrite, history.LabelNotFenced, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Mark("p", 1, "abort")
			p.Append("order-2", "bert").By("p", 0, 0, "")
		}),
		logExample("the coordinator commits for an old producer", history.PropZombieWrite, history.LabelNotFenced, func(s *Story) {
			began := s.Init("p", 0).Begin("relay-1", "p", 0, "t1")
			s.Init("p", 1).Decide("commit", began)
		}),
		logExample("the high watermark goes back", history.PropLogRegress, history.LabelWatermarkBack, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Copy("broker-2")
			p.High(1).Elect("broker-2", 2).High(0)
		}),
		logExample("the last stable offset goes back", history.PropLogRegress, history.LabelWatermarkBack, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.High(1).Stable(1).Stable(0)
		}),
		logExample("two leaders in one epoch", history.PropLogRegress, history.LabelEpochBack, func(s *Story) {
			s.Partition("orders/0", "broker-1").Elect("broker-2", 1)
		}),
		logExample("a follower takes an old leader's record behind a new one's", history.PropLogRegress, history.LabelEpochBack, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			old := p.Append("order-2", "bert")
			p.Elect("broker-2", 2).Append("order-3", "cleo").Copy("broker-3")
			old.Copy("broker-3")
		}),
		logExample("replicas differ below the high watermark", history.PropLogRegress, history.LabelReplicasDiffer, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.Elect("broker-2", 2).Append("order-2", "bert")
			p.High(1)
		}),
		logExample("the last value of a key is compacted away", history.PropCompaction, history.LabelLastValueGone, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.Append("order-2", "anna").Compact("broker-1")
		}),
		logExample("the only later value was aborted", history.PropCompaction, history.LabelLastValueGone, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			first := p.Append("order-1", "anna")
			p.Append("order-2", "anna").By("p", 0, 0, "t1")
			p.Mark("p", 0, "abort")
			first.Compact("broker-1")
		}),
		logExample("a deleted key is back", history.PropCompaction, history.LabelKeyReappears, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna")
			p.Delete("order-2", "anna").Compact("broker-1")
		}),
		logExample("a producer's retry makes a second record", history.PropDuplicateRecord, history.LabelPublishedTwice, func(s *Story) {
			i := s.Offer("order-1", "anna")
			i.Append("orders/0", 0)
			i.Append("orders/0", 1)
		}),
		logExample("a record is handed out under another's offset", history.PropCorruptedRecord, history.LabelRecordAltered, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").DeliverAs("consumer-1", func(f *history.Fact) { f.Offset++ })
		}),
		logExample("a payload is altered", history.PropCorruptedRecord, history.LabelRecordAltered, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Hash(7).Append("order-1", "anna").DeliverAs("consumer-1", func(f *history.Fact) { f.Hash = 8 })
		}),
		logExample("a record that no log took is handed out", history.PropCorruptedRecord, history.LabelRecordAltered, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").DeliverAs("consumer-1", func(f *history.Fact) { f.Cause = s.Offer("order-1", "anna").id })
		}),
		logExample("one replica gives an offset to two records", history.PropInconsistentOffset, history.LabelOffsetReused, func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Offer("order-2", "bert").Append("orders/0", 0)
		}),
		logExample("two readers see two records at one offset", history.PropInconsistentOffset, history.LabelOffsetReused, func(s *Story) {
			p := s.Partition("orders/0", "broker-1")
			p.Append("order-1", "anna").Deliver("consumer-1")
			p.Truncate("broker-1", 0).Append("order-2", "bert").Deliver("consumer-2")
		}),
		logExample("a later send is given a lower offset", history.PropOffsetOrder, history.LabelOffsetReused, func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 5).Acknowledge()
			s.Offer("order-2", "bert").Append("orders/0", 3).Acknowledge()
		}),
		logExample("a position behind the end of the log", history.PropPosition, history.LabelBeyondEnd, func(s *Story) {
			s.Offer("order-1", "anna").Append("orders/0", 0)
			s.Assign(1, "consumer-1", "orders/0").Move(1, "consumer-1", "orders/0", 2)
		}),
	}
}
