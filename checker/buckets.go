package checker

import (
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// Each offered intent ends in exactly one bucket. It is decided by its critical and state effects, by all its
// required effects only if it has none of these, after the drain. The first that applies:
//
//	duplicated      a deciding effect has an excess
//	partial         some required deciding effects stand, some are missing, and it is not parked
//	late            none is missing, the last was first applied after intended arrival + deadline
//	done            none is missing
//	refused         the producer was told no; or the flow ended in a declared abort: every effect that took place
//	                was reversed and a give-up fact says so
//	parked          a record waits where a person finds it; one that an operator has published again does not
//	stuck           a store holds it where a live component would take it up
//	absent_unknown  the producer never learned what became of it, and no log has it: none took it, or the one that did has cut it off
//	lost_known      a give-up fact tells an application or an operator
//	lost_silent     nothing tells anybody
//
// degraded is reserved: no fact declares a default that was served. A missing notify or derived effect of an
// intent with critical or state effects does not change its bucket. Producers may speak several times of one
// intent (their own retries): one success is accepted, else one doubt is uncertain, else one refusal is refused.

// bucketOf decides the bucket of an offered intent.
func (l *ledger) bucketOf(a *account) history.Bucket {
	sum := l.weigh(a)
	switch {
	case sum.excess > 0:
		return history.Duplicated
	case sum.missing == 0 && l.late(a):
		return history.Late
	case sum.missing == 0:
		return history.Done
	case sum.standing > 0 && !a.waits():
		return history.Partial
	case a.turnedAway() || sum.reversed > 0 && sum.standing == 0 && a.gaveUp != 0:
		return history.RefusedB
	case a.waits():
		return history.ParkedB
	case a.held != 0:
		return history.StuckB
	case l.unknown(a):
		return history.AbsentUnknown
	case a.gaveUp != 0:
		return history.LostKnown
	}
	return history.LostSilent
}

// weight sums up the deciding effects of an intent. Extra effects, which nothing requires, can only exceed.
type weight struct{ excess, missing, standing, reversed int64 }

func (l *ledger) weigh(a *account) weight {
	var w weight
	for i := range a.slots {
		s := &a.slots[i]
		e := &l.effects[s.effect]
		if !e.decides {
			continue
		}
		w.excess += s.excess()
		w.reversed += int64(s.reversed)
		if !e.required {
			continue
		}
		if s.missing() {
			w.missing++
		} else {
			w.standing++
		}
	}
	return w
}

// turnedAway says that the producer was told no and nothing else.
func (a *account) turnedAway() bool { return a.refused != 0 && a.accepted == 0 && a.uncertain == 0 }

// unknown says that nobody was told anything definite and no log has the event. What a leader took and its successor never had was
// promised to nobody.
func (l *ledger) unknown(a *account) bool {
	switch {
	case a.accepted != 0:
		return false
	case a.appended == 0:
		return a.refused == 0 || a.uncertain != 0
	}
	kept := func(id int64) bool { return !l.truncated(l.at(id)) }
	return a.uncertain != 0 && !slices.ContainsFunc(l.lastRecords(a), kept)
}

// late says that the last deciding effect came after the deadline.
func (l *ledger) late(a *account) bool {
	d := l.h.Header.Deadline
	if d <= 0 {
		return false
	}
	last, ok := l.completed(a)
	return ok && last > a.arrival+d
}

// completed is when the last required deciding effect was first applied; ok is false if there is none.
func (l *ledger) completed(a *account) (last int64, ok bool) {
	for i := range a.slots {
		s := &a.slots[i]
		if e := &l.effects[s.effect]; e.decides && e.required && s.first != 0 {
			last, ok = max(last, l.at(s.first).Time), true
		}
	}
	return last, ok
}

// totals are the sums of a run that a row prints.
type totals struct {
	offered, accepted        int64
	buckets                  [history.BucketCount]int64
	excess                   [history.ClassCount]int64
	transient                int64
	suppressed, redelivered  int64
	calm, inFault, afterward history.Latencies
	recovery                 int64
}

// totals adds the accounts up.
func (l *ledger) totals() totals {
	var t totals
	window := l.faultWindow()
	t.recovery = -1
	if window.any {
		t.recovery = 0
	}
	for i := range l.accounts {
		a := &l.accounts[i]
		t.suppressed += a.suppressN
		t.redelivered += a.redelivered
		if a.offered == 0 {
			continue
		}
		t.offered++
		if a.accepted != 0 {
			t.accepted++
		}
		t.buckets[l.bucketOf(a)]++
		for j := range a.slots {
			s := &a.slots[j]
			t.excess[l.effects[s.effect].class] += s.excess()
			t.transient += s.transient()
		}
		if last, ok := l.completed(a); ok && l.weigh(a).missing == 0 {
			t.time(window, a.arrival, last)
		}
	}
	return t
}

// time counts a latency in its part of the run. Recovery is how long after the last fault the intents that had
// arrived by its end were still becoming complete.
func (t *totals) time(w window, arrival, last int64) {
	bucket := history.LatencyBucket(last - arrival)
	switch {
	case !w.any || arrival < w.begin:
		t.calm[bucket]++
	case arrival <= w.end:
		t.inFault[bucket]++
	default:
		t.afterward[bucket]++
	}
	if w.any && arrival <= w.end {
		t.recovery = max(t.recovery, last-w.end)
	}
}

// window spans the faults of a run.
type window struct {
	any        bool
	begin, end int64
}

// faultWindow reaches from the first fault's beginning to the last one's end. A fault without an end fact ends
// at its stated end, or at once when it states none.
func (l *ledger) faultWindow() window {
	var w window
	ended := map[int64]bool{}
	for _, id := range l.faultEnds {
		f := l.at(id)
		ended[f.Cause] = true
		w.end = max(w.end, f.Time)
	}
	for i, id := range l.faults {
		f := l.at(id)
		if i == 0 {
			w.any, w.begin = true, f.Time
		}
		w.end = max(w.end, f.Time)
		if !ended[id] {
			w.end = max(w.end, f.Until)
		}
	}
	return w
}
