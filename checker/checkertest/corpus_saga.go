package checkertest

import "github.com/twiceless/twiceless/sim/history"

// plantedSagas are one thing wrong with a saga, each.
func plantedSagas() []Example {
	const steps = "reserve,charge,ship"
	return []Example{
		example("told completed, never shipped", history.PropSagaPartial, history.LabelStepMissing, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").End("completed")
		}),
		example("told compensated, still charged", history.PropSagaPartial, history.LabelStepLeft, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("reserve").End("compensated")
		}),
		example("told both", history.PropSagaTwoEnds, history.LabelEndedTwoWays, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge", "ship").End("completed").End("compensated")
		}),
		example("told completed, and the charge was undone", history.PropSagaTwoEnds, history.LabelEndedTwoWays, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge", "ship").Undo("charge").End("completed")
		}),
		example("a step again after its answer was lost", history.PropSagaDuplicateStep, history.LabelReplyLost, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").DoUnheard("charge").Do("charge", "ship").End("completed")
		}),
		example("a refund again after its answer was lost", history.PropSagaDuplicateReversal, history.LabelReplyLost, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").UndoUnheard("charge").Undo("charge", "reserve").End("compensated")
		}),
		example("a refund of what was never charged", history.PropSagaEmptyReversal, history.LabelNothingToReverse, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").Undo("charge", "reserve").End("compensated")
		}),
		example("a charge that arrives after its refund found nothing", history.PropSagaDangling, history.LabelLateStep, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").Asks("charge").UndoNothing("charge").Undo("reserve").Arrives("charge").End("compensated")
		}),
		example("a charge that arrives after the end", history.PropSagaDangling, history.LabelLateStep, func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").Undo("reserve").End("compensated").Do("charge")
		}),
		example("undone in the order in which it was done", history.PropSagaReversalOrder, history.LabelReordered, func(s *Story) {
			s.SagaInReverse("trip-1", steps).Do("reserve", "charge").Undo("reserve", "charge").End("compensated")
		}),
		example("turned back behind the pivot", history.PropSagaPivot, history.LabelPastPivot, func(s *Story) {
			s.Saga("trip-1", steps, "charge").Do("reserve", "charge").Undo("charge", "reserve").End("compensated")
		}),
		example("turned back by an operator behind the pivot", history.PropSagaPivot, history.LabelPastPivot, func(s *Story) {
			s.Saga("trip-1", steps, "charge").Do("reserve", "charge", "ship").Undo("ship").End("needs-operator")
		}),
		example("acted on what was undone afterwards", history.PropSagaDirtyRead, history.LabelReversedAfterRead, func(s *Story) {
			first := s.Saga("trip-1", steps, "").Do("reserve")
			s.Saga("trip-2", steps, "").Reads("reserve", "trip-1", "reserve").Do("reserve", "charge", "ship").End("completed")
			first.Undo("reserve").End("compensated")
		}),
		example("a seat that nobody gives back", history.PropReservationLeaked, history.LabelNeverSettled, func(s *Story) {
			s.Reservation("made", "seat-1").Reservation("made", "seat-2").Reservation("confirmed", "seat-1")
		}),
		example("a seat taken again after it was given back", history.PropReservationLeaked, history.LabelNeverSettled, func(s *Story) {
			s.Reservation("made", "seat-1").Reservation("released", "seat-1").Reservation("made", "seat-1")
		}),
	}
}

// plantedWorkflows are one thing wrong with a durable execution, each.
func plantedWorkflows() []Example {
	return []Example{
		example("the code goes another way when it runs again", history.PropReplayDivergence, history.LabelOtherCommand, func(s *Story) {
			s.Flow("trip-1", 1).Command(0, "reserve").Command(1, "charge").Command(0, "reserve").Command(1, "mail").End()
		}),
		example("an activity that starts twice against its promise", history.PropActivityAtMostOnce, history.LabelReplyLost, func(s *Story) {
			s.Flow("trip-1", 1).CommandOnce(0, "charge").Activity("charge", history.Indeterminate).Activity("charge", history.Acked).End()
		}),
		example("one id twice at a time", history.PropDoubleStart, history.LabelRepeated, func(s *Story) {
			s.Flow("trip-1", 1)
			s.Flow("trip-1", 2).End()
		}),
		example("a signal that never arrives", history.PropSignalLost, history.LabelNeverCame, func(s *Story) {
			s.Flow("trip-1", 1).Signal("sent", "shop-1", "a").Signal("sent", "shop-1", "b").Signal("received", "worker-1", "b").End()
		}),
		example("a signal that arrives twice", history.PropSignalDuplicated, history.LabelRepeated, func(s *Story) {
			s.Flow("trip-1", 1).Signal("sent", "shop-1", "a").Signal("received", "worker-1", "a").Signal("received", "worker-1", "a").End()
		}),
		example("signals that cross", history.PropSignalReordered, history.LabelReordered, func(s *Story) {
			s.Flow("trip-1", 1).Signal("sent", "shop-1", "a").Signal("sent", "shop-1", "b").
				Signal("received", "worker-1", "b").Signal("received", "worker-1", "a").End()
		}),
		example("a timer before its time", history.PropTimerEarly, history.LabelTooEarly, func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 100).Wait(50).Fires("reminder").End()
		}),
		example("a timer that is forgotten", history.PropTimerNever, history.LabelNeverCame, func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 100).Wait(200).Command(0, "mail")
		}),
		example("a timer that fires twice", history.PropTimerTwice, history.LabelRepeated, func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 100).Wait(100).Fires("reminder").Fires("reminder").End()
		}),
	}
}

// nearSagas look like one of the planted and are none.
func nearSagas() []Example {
	const steps = "reserve,charge,ship?"
	return []Example{
		example("completed without an optional step", history.PropSagaPartial, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").End("completed")
		}),
		unjudged(example("compensated in any order, as none is promised", history.PropSagaReversalOrder, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("reserve", "charge").End("compensated")
		})),
		example("told compensated twice", history.PropSagaTwoEnds, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("charge", "reserve").End("compensated").End("compensated")
		}),
		example("the last refund comes after the word", history.PropSagaPartial, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("charge").End("compensated").Undo("reserve")
		}),
		unjudged(example("nobody has told an end yet", history.PropSagaPartial, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve")
		})),
		example("half done, and a person is told", history.PropSagaPartial, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("charge").End("needs-operator")
		}),
		example("charged again after a refund", history.PropSagaDuplicateStep, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("charge").Do("charge").End("completed")
		}),
		example("charged once more than needed, and one of them refunded, before the end was told", history.PropSagaTwoEnds, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("charge").Do("charge", "ship").End("completed")
		}),
		example("a refund that finds nothing and changes nothing", history.PropSagaEmptyReversal, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").UndoNothing("charge").Undo("reserve").End("compensated")
		}),
		example("a refund again that changes nothing", history.PropSagaDuplicateReversal, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve", "charge").Undo("charge").UndoNothing("charge").Undo("reserve").End("compensated")
		}),
		example("a charge that arrives too late and is refunded", history.PropSagaDangling, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").Asks("charge").UndoNothing("charge").Undo("reserve").End("compensated").Arrives("charge").Undo("charge")
		}),
		example("charged again, asked for after the refund", history.PropSagaDangling, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").UndoNothing("charge").Asks("charge").Arrives("charge").End("completed")
		}),
		example("undone in reverse, as promised", history.PropSagaReversalOrder, "", func(s *Story) {
			s.SagaInReverse("trip-1", steps).Do("reserve", "charge").Undo("charge", "reserve").End("compensated")
		}),
		example("undone and done again before the pivot, which was reached", history.PropSagaPivot, "", func(s *Story) {
			s.Saga("trip-1", steps, "charge").Do("reserve").Undo("reserve").Do("reserve", "charge").End("completed")
		}),
		example("the last step failed behind the pivot, and nothing is undone", history.PropSagaPivot, "", func(s *Story) {
			s.Saga("trip-1", steps, "charge").Do("reserve", "charge").UndoNothing("ship").End("needs-operator")
		}),
		unjudged(example("undone before the pivot", history.PropSagaPivot, "", func(s *Story) {
			s.Saga("trip-1", steps, "ship").Do("reserve", "charge").Undo("charge", "reserve").End("compensated")
		})),
		example("acted on what had been undone before", history.PropSagaDirtyRead, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").Undo("reserve").End("compensated")
			s.Saga("trip-2", steps, "").Reads("reserve", "trip-1", "reserve").Do("reserve", "charge").End("completed")
		}),
		unjudged(example("acted on its own writes, and undid them", history.PropSagaDirtyRead, "", func(s *Story) {
			s.Saga("trip-1", steps, "").Do("reserve").Reads("charge", "trip-1", "reserve").Do("charge").Undo("charge", "reserve").End("compensated")
		})),
		example("seats confirmed, released, and taken again by another", history.PropReservationLeaked, "", func(s *Story) {
			s.Reservation("made", "seat-1").Reservation("confirmed", "seat-1").Reservation("made", "seat-2").Reservation("released", "seat-2")
			s.Reservation("made", "seat-2").Reservation("confirmed", "seat-2").Reservation("confirmed", "seat-2")
		}),
		unjudged(example("a seat held when the run was cut short", history.PropReservationLeaked, "", func(s *Story) {
			s.Reservation("made", "seat-1").RunEnds("limit drain")
		})),
	}
}

// nearWorkflows look like one of the planted and are none.
func nearWorkflows() []Example {
	return []Example{
		example("a replay that stops half way", history.PropReplayDivergence, "", func(s *Story) {
			s.Flow("trip-1", 1).Command(0, "reserve").Command(1, "charge").Command(0, "reserve").End()
		}),
		unjudged(example("another run goes another way", history.PropReplayDivergence, "", func(s *Story) {
			s.Flow("trip-1", 1).Command(0, "reserve").End()
			s.Flow("trip-1", 2).Command(0, "charge").End()
		})),
		unjudged(example("another workflow goes another way", history.PropReplayDivergence, "", func(s *Story) {
			s.Flow("trip-1", 1).Command(0, "reserve").End()
			s.Flow("trip-2", 1).Command(0, "charge").End()
		})),
		example("an activity that was asked for twice", history.PropActivityAtMostOnce, "", func(s *Story) {
			s.Flow("trip-1", 1).CommandOnce(0, "charge").Activity("charge", history.Acked).CommandOnce(1, "charge").Activity("charge", history.Acked).End()
		}),
		unjudged(example("an activity that may start again", history.PropActivityAtMostOnce, "", func(s *Story) {
			s.Flow("trip-1", 1).Command(0, "charge").Activity("charge", history.Indeterminate).Activity("charge", history.Acked).End()
		})),
		example("the next run starts when the one before has ended", history.PropDoubleStart, "", func(s *Story) {
			s.Flow("trip-1", 1).End()
			s.Flow("trip-1", 2).End()
		}),
		example("two workflows at a time", history.PropDoubleStart, "", func(s *Story) {
			a := s.Flow("trip-1", 1)
			s.Flow("trip-2", 1).End()
			a.End()
		}),
		example("a signal sent again after a later one, which is one and comes first", history.PropSignalReordered, "", func(s *Story) {
			s.Flow("trip-1", 1).Signal("sent", "shop-1", "a").Signal("sent", "shop-1", "b").Signal("sent", "shop-1", "a").
				Signal("received", "worker-1", "a").Signal("received", "worker-1", "b").End()
		}),
		unjudged(example("two senders cross", history.PropSignalReordered, "", func(s *Story) {
			s.Flow("trip-1", 1).Signal("sent", "shop-1", "a").Signal("sent", "bank-1", "b").
				Signal("received", "worker-1", "b").Signal("received", "worker-1", "a").End()
		})),
		example("a signal sent twice is one", history.PropSignalLost, "", func(s *Story) {
			s.Flow("trip-1", 1).Signal("sent", "shop-1", "a").Signal("sent", "shop-1", "a").Signal("received", "worker-1", "a").End()
		}),
		unjudged(example("a signal to a workflow that has ended", history.PropSignalLost, "", func(s *Story) {
			s.Flow("trip-1", 1).End().Signal("sent", "shop-1", "a")
		})),
		example("signals of two workflows", history.PropSignalDuplicated, "", func(s *Story) {
			a, b := s.Flow("trip-1", 1), s.Flow("trip-2", 1)
			a.Signal("sent", "shop-1", "a")
			b.Signal("sent", "shop-1", "a").Signal("received", "worker-1", "a")
			a.Signal("received", "worker-1", "a")
		}),
		example("a timer at its time", history.PropTimerEarly, "", func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 10).Wait(8).Fires("reminder").End()
		}),
		example("a timer that fires long after its time", history.PropTimerNever, "", func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 10).Wait(200).Fires("reminder")
		}),
		unjudged(example("a timer that is cancelled", history.PropTimerNever, "", func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 10).Cancels("reminder").Wait(100).Command(0, "mail")
		})),
		unjudged(example("a timer that is not due yet", history.PropTimerNever, "", func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 1000).Wait(100).Command(0, "mail")
		})),
		unjudged(example("a timer of a workflow that has ended", history.PropTimerNever, "", func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 10).End().Wait(100)
			s.Flow("trip-2", 1).End()
		})),
		example("a timer that is set again", history.PropTimerTwice, "", func(s *Story) {
			s.Flow("trip-1", 1).Timer("reminder", 10).Wait(20).Fires("reminder").Timer("reminder", 10).Wait(20).Fires("reminder").End()
		}),
	}
}
