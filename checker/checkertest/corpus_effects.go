package checkertest

import "github.com/twiceless/twiceless/sim/history"

// plantedEffects have one thing wrong with effects each, which nobody promises to be otherwise.
func plantedEffects() []Example {
	return []Example{
		example("charged again with another amount, one of them refunded", history.PropDivergentDuplicate, history.LabelPayloadDiffers, func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.Call("charge").ApplyAs(10).Reply(history.Acked)
			d.Call("charge").ApplyAs(12).Reply(history.Acked)
			d.Call("charge").Reverse().Reply(history.Acked).Do("book", "mail").Commit()
		}),
		example("one key, two answers", history.PropDivergentAnswer, history.LabelPayloadDiffers, func(s *Story) {
			s.Answer("payments", "order-1/charge", 10).Answer("payments", "order-1/charge", 12)
		}),
		example("a mail that was never sent is taken for a repetition", history.PropFalseDedup, history.LabelUnexplained, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book").Suppress("mail").Commit()
		}),
		example("a mail marked as sent before it was", history.PropFalseDedup, history.LabelRecordBeforeEffect, func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book")
			s.Dedup("claim", "order-1", "mail", "a").Gives("granted")
			s.Dedup("done", "order-1", "mail", "a").Gives("ok")
			s.Dedup("claim", "order-1", "mail", "b").Gives("done")
			d.Suppress("mail").Commit()
		}),
		example("a mail taken for another customer's", history.PropFalseDedup, history.LabelKeyCollision, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			d := s.Offer("order-2", "bert").Accept().Append("orders/0", 1).Deliver("consumer-1").Do("charge", "book")
			s.Dedup("claim", "order-1", "mail", "a").Gives("granted")
			s.Dedup("done", "order-1", "mail", "a").Gives("ok")
			s.DedupUnder("order-2", "claim", "order-1", "mail", "b").Gives("done")
			d.Suppress("mail").Commit()
		}),
		example("done, and parked as well", history.PropAccountedTwice, history.LabelDoneAndParked, func(s *Story) {
			s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Park().Commit()
		}),
		example("done, and an operator told that it is not", history.PropAccountedTwice, history.LabelDoneAndParked, func(s *Story) {
			i := s.Offer("order-1", "anna").Accept()
			i.Append("orders/0", 0).Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			i.GiveUp()
		}),
		example("mailed in the wrong order", history.PropInversion, history.LabelReordered, func(s *Story) {
			r := s.Many(2)
			a, b := r[0].Deliver("consumer-1").Do("charge", "book"), r[1].Deliver("consumer-1").Do("charge", "book", "mail")
			a.Do("mail").Commit()
			b.Commit()
		}),
		example("an older order's booking stays", history.PropStaleOverwrite, history.LabelOlderStateKept, func(s *Story) {
			for _, r := range s.Many(2) {
				r.Deliver("consumer-1").Do("charge", "book", "mail").Commit()
			}
			s.Final("ledger-1", "anna", "order-1", 7)
		}),
		example("an input counted twice, mended later", history.PropWrongFold, history.LabelMiscounted, func(s *Story) {
			s.Input("anna", 0, "5").Input("anna", 1, "-2").Output("sum", "anna", 0, "10").Output("sum", "anna", 1, "3")
		}),
		example("records without a value, and one is not counted", history.PropWrongFold, history.LabelMiscounted, func(s *Story) {
			s.Input("anna", 0, "").Input("anna", 1, "").Output("count", "anna", 0, "1").Output("count", "anna", 1, "1")
		}),
		example("a least value of no inputs", history.PropWrongFold, history.LabelMiscounted, func(s *Story) {
			s.Input("anna", 3, "5").Output("min", "anna", 2, "5")
		}),
		example("the position moved and the output did not come", history.PropConsumeProduceTear, history.LabelHalfMissing, func(s *Story) {
			r := s.Links("consume-produce", "orders", "bills").Many(2)
			d := r[0].Deliver("consumer-1").Do("charge", "book", "mail")
			d.Forward("bills/0", 0)
			d.Commit()
			r[1].Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("the output came and the position did not move", history.PropConsumeProduceTear, history.LabelHalfMissing, func(s *Story) {
			d := s.Links("consume-produce", "orders", "bills").Many(1)[0].Deliver("consumer-1").Do("charge", "book", "mail")
			d.Forward("bills/0", 0)
		}),
		example("a row without its event", history.PropDualWriteTear, history.LabelHalfMissing, func(s *Story) {
			s.Links("dual-write", "ledger", "booked").Many(1)[0].Deliver("consumer-1").Do("charge", "book", "mail").Commit()
		}),
		example("an event without its row", history.PropDualWriteTear, history.LabelHalfMissing, func(s *Story) {
			i := s.Links("dual-write", "ledger", "booked").Offer("order-1", "anna").Doubt()
			i.Append("booked/0", 0)
			i.Held("parked")
		}),
		example("money that is gone", history.PropMoneyTotal, history.LabelMiscounted, func(s *Story) {
			s.Balances("opening", "anna=10,bert=10").Balances("read", "anna=5,bert=10")
		}),
		example("more was paid than there was", history.PropMoneyNegative, history.LabelMiscounted, func(s *Story) {
			s.Balances("opening", "anna=10,bert=10").Balances("read", "anna=-5,bert=25")
		}),
		example("an account out of nowhere", history.PropMoneyUnknown, history.LabelMiscounted, func(s *Story) {
			s.Balances("opening", "anna=10,bert=10").Balances("read", "anna=10,bert=10,carl=0")
		}),
		example("an account that is gone", history.PropMoneyMissing, history.LabelMiscounted, func(s *Story) {
			s.Balances("opening", "anna=10,bert=10").Balances("read", "anna=20")
		}),
	}
}

// nearEffects look like one of the planted and are none.
func nearEffects() []Example {
	done := []string{"charge", "book", "mail"}
	return []Example{
		example("charged again with the same amount, one of them refunded", history.PropDivergentDuplicate, "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.Call("charge").ApplyAs(10).Reply(history.Acked)
			d.Call("charge").ApplyAs(10).Reply(history.Acked)
			d.Call("charge").Reverse().Reply(history.Acked).Do("book", "mail").Commit()
		}),
		unjudged(example("charged again with an unknown amount, one of them refunded", history.PropDivergentDuplicate, "", func(s *Story) {
			d := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			d.Call("charge").ApplyAs(10).Reply(history.Acked)
			d.Do("charge").Call("charge").Reverse().Reply(history.Acked).Do("book", "mail").Commit()
		})),
		unjudged(example("another event has another amount", history.PropDivergentDuplicate, "", func(s *Story) {
			for i, r := range s.Many(2) {
				r.Deliver("consumer-1").Call("charge").ApplyAs(uint64(10+i)).Reply(history.Acked).Do("book", "mail").Commit()
			}
		})),
		example("one key, one answer twice, and another service's", history.PropDivergentAnswer, "", func(s *Story) {
			s.Answer("payments", "order-1/charge", 10).Answer("payments", "order-1/charge", 10).Answer("bank", "order-1/charge", 12)
			s.Answer("payments", "order-2/charge", 12).Answer("payments", "", 1).Answer("payments", "", 2)
		}),
		with(history.PropRedelivery, example("suppressed first, done by another", history.PropFalseDedup, "", func(s *Story) {
			r := s.Many(1)[0]
			r.Deliver("consumer-1").Suppress("")
			r.Deliver("consumer-2").Do(done...).Commit()
		})),
		example("suppressed after it was reversed", history.PropFalseDedup, "", func(s *Story) {
			i := s.Offer("order-1", "anna").Accept()
			d := i.Append("orders/0", 0).Deliver("consumer-1").Do("charge")
			d.Call("charge").Reverse().Reply(history.Acked).Suppress("charge").Commit()
			i.GiveUp()
		}),
		unjudged(example("suppressed, and it waits with a person", history.PropFalseDedup, "", func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Do("charge", "book").Suppress("mail").Park().Commit()
		})),
		unjudged(example("a stage without effects is suppressed", history.PropFalseDedup, "", func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Suppress("enrich").Do(done...).Commit()
		})),
		example("charged, then parked, as the booking failed", history.PropAccountedTwice, "", func(s *Story) {
			s.Many(1)[0].Deliver("consumer-1").Do("charge").Call("book").Reply(history.Failed).Park().Commit()
		}),
		example("parked, told, and never done", history.PropAccountedTwice, "", func(s *Story) {
			i := s.Offer("order-1", "anna").Accept()
			i.Append("orders/0", 0).Deliver("consumer-1").Park().Commit()
			i.GiveUp()
		}),
		unjudged(example("mailed in order, booked for two customers in any", history.PropInversion, "", func(s *Story) {
			a := s.Offer("order-1", "anna").Accept().Append("orders/0", 0).Deliver("consumer-1")
			b := s.Offer("order-2", "bert").Accept().Append("orders/0", 1).Deliver("consumer-1")
			b.Do(done...)
			a.Do(done...).Commit()
			b.Commit()
		})),
		example("mailed again in the wrong order, first in the right one, and called back", history.PropInversion, "", func(s *Story) {
			r := s.Many(2)
			a, b := r[0].Deliver("consumer-1").Do(done...), r[1].Deliver("consumer-1").Do(done...)
			a.Do("mail").Call("mail").Reverse()
			a.Commit()
			b.Commit()
		}),
		example("an older order's booking stays, for the newer was taken back", history.PropStaleOverwrite, "", func(s *Story) {
			r := s.Many(2)
			r[0].Deliver("consumer-1").Do(done...).Commit()
			d := r[1].Deliver("consumer-1").Do("charge", "book", "mail")
			d.Call("book").Reverse()
			d.Call("charge").Reverse()
			d.Park().Commit()
			s.Final("ledger-1", "anna", "order-1", 7).Reference("anna", 7)
		}),
		example("each key ends with its newest state", history.PropStaleOverwrite, "", func(s *Story) {
			for _, r := range s.Many(2) {
				r.Deliver("consumer-1").Do(done...).Commit()
			}
			s.Final("ledger-1", "anna", "order-2", 7).Final("ledger-1", "bert", "", 8)
		}),
		example("folds of every sort, of two keys", history.PropWrongFold, "", func(s *Story) {
			s.Input("anna", 0, "5").Input("bert", 1, "9").Input("anna", 2, "-2").Output("sum", "anna", 1, "5").Output("sum", "anna", 2, "3").
				Output("count", "anna", 2, "2").Output("min", "anna", 2, "-2").Output("max", "anna", 2, "5").Output("last", "anna", 9, "-2").Output("sum", "carl", 9, "0")
		}),
		example("records without a value, of which one key is counted and the other summed", history.PropWrongFold, "", func(s *Story) {
			s.Input("anna", 0, "").Input("bert", 1, "3").Input("bert", 2, "").Input("anna", 3, "").Output("count", "anna", 3, "2").Output("sum", "bert", 2, "3")
		}),
		example("an input that took the place of another", history.PropWrongFold, "", func(s *Story) {
			s.Input("anna", 0, "5").Input("anna", 1, "100").Restart("broker-1", "power-loss", 2, 1).Input("anna", 1, "2").Output("sum", "anna", 1, "7")
		}),
		unjudged(example("a sum beyond what can be counted", history.PropWrongFold, "", func(s *Story) {
			s.Input("anna", 0, "9223372036854775807").Input("anna", 1, "1").Output("sum", "anna", 1, "1")
		})),
		example("position and output together, and a record that nobody has read", history.PropConsumeProduceTear, "", func(s *Story) {
			r := s.Links("consume-produce", "orders", "bills").Many(2)
			d := r[0].Deliver("consumer-1").Do(done...)
			d.Forward("bills/0", 0)
			d.Commit()
			r[1].i.Held("parked")
		}),
		example("a record that was lost, and another took its place", history.PropConsumeProduceTear, "", func(s *Story) {
			s.Links("consume-produce", "orders", "bills")
			s.Foreign("orders/0", 0).Restart("broker-1", "power-loss", 1, 0)
			d := s.Many(1)[0].Deliver("consumer-1").Do(done...)
			d.Forward("bills/0", 0)
			d.Commit()
		}),
		unjudged(example("an output on the way when the run was cut short", history.PropConsumeProduceTear, "", func(s *Story) {
			d := s.Links("consume-produce", "orders", "bills").Many(1)[0].Deliver("consumer-1").Do(done...)
			d.Forward("bills/0", 0)
			s.RunEnds("limit drain")
		})),
		example("a row and its event, and one that was taken back after its event had gone out", history.PropDualWriteTear, "", func(s *Story) {
			s.Links("dual-write", "ledger", "booked")
			for i, r := range s.Many(2) {
				d := r.Deliver("consumer-1").Do(done...)
				d.Forward("booked/0", int64(i))
				if i > 0 {
					d.Call("book").Reverse().Reply(history.Acked).Park()
				}
				d.Commit()
			}
		}),
		unjudged(example("a row that was taken back, and no event of it", history.PropDualWriteTear, "", func(s *Story) {
			d := s.Links("dual-write", "ledger", "booked").Many(1)[0].Deliver("consumer-1").Do(done...)
			d.Call("book").Reverse().Reply(history.Acked).Park().Commit()
		})),
		example("balances that move and add up", history.PropMoneyTotal, "", func(s *Story) {
			s.Balances("read", "anna=1").Balances("opening", "anna=10,bert=10").Balances("read", "bert=0,anna=20").Balances("opening", "anna=1").Balances("read", "anna=1")
		}),
		example("an account with nothing left", history.PropMoneyNegative, "", func(s *Story) {
			s.Balances("opening", "anna=10,bert=10").Balances("read", "anna=0,bert=20")
		}),
		example("an account that was opened later", history.PropMoneyUnknown, "", func(s *Story) {
			s.Balances("opening", "anna=10").Balances("opening", "anna=10,bert=5").Balances("read", "anna=8,bert=7")
		}),
		example("an account that was closed when the bank opened anew", history.PropMoneyMissing, "", func(s *Story) {
			s.Balances("opening", "anna=10,bert=10").Balances("read", "anna=5,bert=15").Balances("opening", "anna=5").Balances("read", "anna=5")
		}),
		unjudged(example("balances that nobody can read", history.PropMoneyTotal, "", func(s *Story) {
			s.Balances("opening", "anna=10").Balances("read", "anna=ten").Balances("read", "anna=10,anna=0")
		})),
	}
}
