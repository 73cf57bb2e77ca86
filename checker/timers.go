package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// timers judges, for each timer that a workflow set, by global time:
//
//	timer-early  it fired before it was due
//	timer-never  it was due before the history ended, the workflow has not ended, and it was neither fired nor cancelled
//	timer-twice  it fired twice
//
// A timer that is set again under its name is a new one from there on. Fired after it was cancelled is not judged: the two may
// have crossed. Clocks that are off make timers early by as much; that is what the property shows.
//
// Cost: linear in the facts of timers. Noted. Exercised: timers that fired, for the first and the last; for the second those of workflows that go
// on and that were fired, or due. Undecided: those due in a run that was cut short. A timer that is due after the end exercises nothing.
func timers() Checker {
	return overLedger(Checker{
		Name:       "timers",
		Doc:        "a timer fires once, and not before it is due",
		Properties: []history.Property{history.PropTimerEarly, history.PropTimerNever, history.PropTimerTwice},
		Weight:     history.Noted,
	}, judgeTimers)
}

// What happens to a timer.
const (
	timerSet       = "set"
	timerFired     = "fired"
	timerCancelled = "cancelled"
)

// timer is one setting of it.
type timer struct {
	set              *history.Fact
	fired, cancelled int64
	twice            bool
}

func judgeTimers(l *ledger) Report {
	r := newReport()
	type name struct{ workflow, timer string }
	now := map[name]*timer{}
	var order []*timer
	for f := range l.kinds(history.KindTimer) {
		at := name{f.Event, f.Key}
		t := now[at]
		switch {
		case f.Op == timerSet:
			t = &timer{set: f}
			now[at] = t
			order = append(order, t)
		case t == nil:
		case f.Op == timerCancelled:
			once(&t.cancelled, f.ID)
		case f.Op == timerFired:
			t.fire(&r, f)
		}
	}
	ends := l.workflowEnds()
	for _, t := range order {
		l.judgeNever(&r, t, ends[t.set.Event] != 0)
	}
	return r
}

// fire judges one firing.
func (t *timer) fire(r *Report, f *history.Fact) {
	if t.fired != 0 {
		if !t.twice {
			t.twice = true
			r.note(history.PropTimerTwice, func() history.Finding {
				return timerFinding(history.PropTimerTwice, f, history.LabelRepeated, "fired twice", t.set.ID, t.fired, f.ID)
			})
		}
		return
	}
	t.fired = f.ID
	r.Exercised[history.PropTimerEarly]++
	r.Exercised[history.PropTimerTwice]++
	if f.Time < t.set.Until {
		r.note(history.PropTimerEarly, func() history.Finding {
			return timerFinding(history.PropTimerEarly, f, history.LabelTooEarly, fmt.Sprintf("fired %d ns before it was due", t.set.Until-f.Time), t.set.ID, f.ID)
		})
	}
}

func (l *ledger) judgeNever(r *Report, t *timer, ended bool) {
	end := l.at(int64(l.h.Len()))
	switch {
	case t.fired != 0:
		r.Exercised[history.PropTimerNever]++
	case ended, t.cancelled != 0, t.set.Until >= end.Time:
	case l.cutShort():
		r.Undecided[history.PropTimerNever]++
	default:
		r.Exercised[history.PropTimerNever]++
		r.note(history.PropTimerNever, func() history.Finding {
			return timerFinding(history.PropTimerNever, t.set, history.LabelNeverCame, "was due and never fired", t.set.ID, end.ID)
		})
	}
}

func timerFinding(p history.Property, f *history.Fact, label history.Label, text string, ids ...int64) history.Finding {
	return workflowFinding(p, f, label, fmt.Sprintf("timer %s of %s %s", f.Key, f.Event, text), ids...)
}
