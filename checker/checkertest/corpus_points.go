package checkertest

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// Stories in which the dedup store says when each operation took effect.

func plantedPoints() []Example {
	return []Example{
		example("pending, and the only other claim never took effect", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Ends(history.Indeterminate)
			s.Dedup("claim", "order-1", "charge", "b").Decides("pending").Gives("pending")
		}),
		example("granted twice, one after the other", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Gives("granted")
			s.Dedup("claim", "order-1", "charge", "b").Decides("granted").Gives("granted")
		}),
		example("granted to one who never heard of it, and to another", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Ends(history.Indeterminate)
			s.Dedup("claim", "order-1", "charge", "b").Decides("granted").Gives("granted")
		}),
		example("done, which nobody heard of, and forgotten", history.PropLinearizable, history.LabelDedupRecordLost, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Gives("granted")
			s.Dedup("done", "order-1", "charge", "a").Decides("ok").Ends(history.Indeterminate)
			s.Dedup("claim", "order-1", "charge", "b").Decides("granted").Gives("granted")
		}),
		example("the store decides pending, and its caller hears granted", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Gives("granted")
			s.Dedup("claim", "order-1", "charge", "b").Decides("pending").Gives("granted")
		}),
		example("pending before anybody asked, and decided again later", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			a := s.Dedup("claim", "order-1", "charge", "a").Decides("pending")
			s.Dedup("claim", "order-1", "charge", "b").Decides("granted").Gives("granted")
			a.Decides("pending")
		}),
		example("pending before anybody asked, and heard again later", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			a := s.Dedup("claim", "order-1", "charge", "a")
			a.Gives("pending")
			s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
			a.Gives("pending")
		}),
		example("mine, among many claims and releases that nobody heard of", history.PropLinearizable, history.LabelUnexplained, func(s *Story) {
			unheard(s)
			s.Dedup("claim", "order-1", "charge", "a").Decides("mine").Gives("mine")
		}),
	}
}

func nearPoints() []Example {
	return []Example{
		example("pending, and nobody heard that the other claim was granted", history.PropLinearizable, "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Ends(history.Indeterminate)
			s.Dedup("claim", "order-1", "charge", "b").Decides("pending").Gives("pending")
		}),
		example("pending, for the other claim was granted although its caller was told that it failed", history.PropLinearizable, "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Ends(history.Failed)
			s.Dedup("claim", "order-1", "charge", "b").Decides("pending").Gives("pending")
		}),
		example("granted to the one who asked last", history.PropLinearizable, "", func(s *Story) {
			a, b := s.Dedup("claim", "order-1", "charge", "a"), s.Dedup("claim", "order-1", "charge", "b")
			b.Decides("granted")
			a.Decides("pending").Gives("pending")
			b.Gives("granted")
		}),
		example("granted after its caller had given up, when a restart found it on the disk", history.PropLinearizable, "", func(s *Story) {
			a := s.Dedup("claim", "order-1", "charge", "a")
			a.Ends(history.Indeterminate)
			s.Restart("dedup-1", "kill", 1, 1)
			a.Decides("granted")
			s.Dedup("claim", "order-1", "charge", "b").Decides("pending").Gives("pending")
		}),
		example("a copy that was late answers pending, and its caller cannot tell", history.PropLinearizable, "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Gives("granted")
			late, release := s.Dedup("claim", "order-1", "charge", "b"), s.Dedup("release", "order-1", "charge", "a")
			release.Decides("ok")
			late.Decides("pending")
			release.Gives("ok")
			late.Gives("pending")
		}),
		example("an answer whose point is not stated, so that no point is believed", history.PropLinearizable, "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Ends(history.Indeterminate)
			s.Dedup("claim", "order-1", "charge", "b").Decides("pending").Gives("pending")
			s.Dedup("claim", "order-1", "charge", "c").Gives("pending")
		}),
		example("a point after the answer, which is none", history.PropLinearizable, "", func(s *Story) {
			s.Dedup("claim", "order-1", "charge", "a").Ends(history.Indeterminate)
			b := s.Dedup("claim", "order-1", "charge", "b")
			b.Gives("pending")
			b.Decides("pending")
		}),
		example("mine, among many claims and releases that nobody heard of, one of which was its own", history.PropLinearizable, "", func(s *Story) {
			unheard(s)
			s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Ends(history.Indeterminate)
			s.Dedup("claim", "order-1", "charge", "a").Decides("mine").Gives("mine")
		}),
	}
}

// unheard lets many claim and give back what others hold; nobody hears of it, and it ends with nobody. What callers saw
// leaves more orders than any search can try.
func unheard(s *Story) {
	for i := range 14 {
		token := fmt.Sprint("lost-", i)
		s.Dedup("claim", "order-1", "charge", token).Decides("granted").Ends(history.Indeterminate)
		s.Dedup("release", "order-1", "charge", token).Decides("ok").Ends(history.Indeterminate)
	}
}
