package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// livelock judges the end of a run that has not finished its work, from the last fact that moved the ledger on:
//
//	progress is flat and activity is not:  at least livelockActs deliveries, calls and rebalances lie in each half of that time
//
// so that trying goes on; a burst of retries that has died down is a stuck run and no livelock. It is a storm of rebalances
// or of retries, or an overload that feeds on its own repetitions. The time without progress must be Header.Heal, or the
// run itself must have given up on it (stuck). What moves the ledger is in drained.go; a call that was acknowledged is none.
//
// Cost: linear in the facts since the last progress and, if there are any, in records. Noted. Exercised: the run, once it has settled
// with or without work left. Undecided: work is left and it has not settled.
func livelock() Checker {
	return overLedger(Checker{
		Name:       "livelock",
		Doc:        "after the last fault nobody keeps trying while nothing is finished",
		Properties: []history.Property{history.PropLivelock},
		Weight:     history.Noted,
	}, judgeLivelock)
}

// livelockActs is how much must be tried in each half of the time without progress.
const livelockActs = 4

func judgeLivelock(l *ledger) Report {
	r := newReport()
	e := l.ending()
	if !e.judged {
		return r
	}
	left, _, _ := l.leftovers()
	if len(left) > 0 && !e.settled {
		r.Undecided[history.PropLivelock]++
		return r
	}
	r.Exercised[history.PropLivelock]++
	from := e.healed
	last := l.lastMove()
	if last != 0 {
		from = max(from, l.at(last).Time)
	}
	if len(left) == 0 || !e.stuck && e.end-from < l.h.Header.Heal {
		return r
	}
	middle := l.since(from + (e.end-from)/2)
	first, firstActs := l.activity(l.since(from), middle)
	second, secondActs := l.activity(middle, e.last+1)
	if firstActs >= livelockActs && secondActs >= livelockActs {
		r.note(history.PropLivelock, func() history.Finding {
			var ev evidence
			ev.add(last, first, second, e.last)
			return history.Finding{Property: history.PropLivelock, Label: history.LabelWithoutProgress, Evidence: ev.sorted(),
				Detail: fmt.Sprintf("%d deliveries, calls and rebalances in %d ms, and nothing was finished", firstActs+secondActs, (e.end-from)/1e6)}
		})
	}
	return r
}

// activity counts what is tried between two facts, and is the first of it.
func (l *ledger) activity(from, to int64) (first int64, n int) {
	for id := from; id < to; id++ {
		switch l.at(id).Kind {
		case history.KindDelivered, history.KindCalled, history.KindGeneration:
			once(&first, id)
			n++
		}
	}
	return first, n
}
