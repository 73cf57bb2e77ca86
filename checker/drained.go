package checker

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// drained judges one run:
//
//	within Header.Heal after the last fault all work has come to its end, and at the end nothing is left:
//	∀ group, partition: lag = 0;  ∀ offered e: no store holds e unfinished;  ∀ saga: it has ended
//
// Work is what moves the ledger: an application, a compensation, a position, a dead letter, an answer to the producer. How
// long it took is TimeToDrain. What is left for a reason that has a name of its own, a partition that is stuck, a livelock, a poison
// loop, starvation, an event that nobody sees, is noted there and not here. Assumes what ending.go does. A false alarm in favour of the run is ruled out by a second
// look: a run that says of itself that it is quiescent, while the facts show records behind a position, is undecided.
//
// Cost: linear in deliveries and records. Noted. Exercised: the run, once; undecided: it ended before it was settled, or
// contradicts itself.
func drained() Checker {
	return overLedger(Checker{
		Name:       "drained",
		Doc:        "after the last fault all work comes to its end in time",
		Properties: []history.Property{history.PropDrained},
		Weight:     history.Noted,
	}, judgeDrained)
}

func judgeDrained(l *ledger) Report {
	r := newReport()
	e := l.ending()
	if !e.judged {
		return r
	}
	left, lag, ev := l.leftovers()
	late := l.lateWork(&e)
	switch {
	case late != 0:
		ev.add(late)
		left = append([]string{fmt.Sprintf("work came to its end %d ms after the last fault", (l.at(late).Time-e.healed)/1e6)}, left...)
	case !e.settled && len(left) > 0, e.settled && !e.stuck && lag && l.stopReason() != "" && !l.cutShort():
		r.Undecided[history.PropDrained]++
		return r
	}
	r.Exercised[history.PropDrained]++
	if len(left) > 0 && !l.namedOtherwise() {
		label := history.LabelNothingMoves
		if late != 0 {
			label = history.LabelTooLate
		}
		r.note(history.PropDrained, func() history.Finding {
			ev.add(e.began, e.last)
			return history.Finding{Property: history.PropDrained, Label: label, Evidence: ev.sorted(),
				Detail: "the run has not drained: " + strings.Join(left, ", ")}
		})
	}
	return r
}

// namedOtherwise says whether a sharper property is violated.
func (l *ledger) namedOtherwise() bool {
	for _, judge := range []func(*ledger) Report{judgeStuckPartition, judgeLivelock, judgePoison, judgeStarvation, judgeVisibility} {
		if r := judge(l); len(r.Seen) > 0 {
			return true
		}
	}
	return false
}

// leftovers are what is not at its end, in words, and whether a group lags.
func (l *ledger) leftovers() (left []string, lag bool, ev evidence) {
	records, held, sagas := int64(0), 0, 0
	for _, b := range l.backlogs() {
		if n := b.lag(); n > 0 {
			records += n
			ev.add(b.appended, b.moved)
		}
	}
	for i := range l.accounts {
		if a := &l.accounts[i]; a.held != 0 && l.fateOf(a) == fateStuck {
			if held++; held <= maxEvidence {
				ev.add(a.offered, a.held)
			}
		}
	}
	for _, s := range l.sagas() {
		if len(s.ended) == 0 {
			if sagas++; sagas <= maxEvidence {
				ev.add(s.began)
			}
		}
	}
	tell := func(n int64, what string) {
		if n > 0 {
			left = append(left, fmt.Sprintf("%d %s", n, what))
		}
	}
	tell(records, "records are not read")
	tell(int64(held), "events are held in a store")
	tell(int64(sagas), "sagas have not ended")
	return left, records > 0, ev
}

// moves says whether a fact moves the ledger.
func moves(k history.Kind) bool {
	switch k {
	case history.KindApplied, history.KindReversed, history.KindCommitted, history.KindSettled, history.KindParked, history.KindDropped, history.KindGaveUp,
		history.KindAccepted, history.KindRefused, history.KindUncertain, history.KindSagaEnded:
		return true
	}
	return false
}

// lateWork is the first fact that moves the ledger later than the limit, 0 = none.
func (l *ledger) lateWork(e *ending) int64 {
	if e.late == 0 {
		return 0
	}
	for id := l.since(e.late); id <= e.last; id++ {
		if moves(l.at(id).Kind) {
			return id
		}
	}
	return 0
}

// lastMove is the last fact that moves the ledger, 0 = none.
func (l *ledger) lastMove() int64 {
	for id := int64(l.h.Len()); id > 0; id-- {
		if moves(l.at(id).Kind) {
			return id
		}
	}
	return 0
}

// TimeToDrain is how long after the last fault, ns, the ledger was still moving; 0 if nothing moved any more. ok is false if
// the run did not drain, ended before it was settled, or states no limit.
func TimeToDrain(h *history.History) (ns int64, ok bool) {
	l := newLedger(h)
	e := l.ending()
	if left, _, _ := l.leftovers(); !e.judged || !e.settled || len(left) > 0 {
		return 0, false
	}
	if last := l.lastMove(); last != 0 {
		ns = max(0, l.at(last).Time-e.healed)
	}
	return ns, true
}
