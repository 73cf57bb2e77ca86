package sim

import "fmt"

// Divergence is the first difference of two runs that should be equal.
type Divergence struct {
	What   string        // event, draws, facts, end or start
	A, B   EventRecord   // the first differing event of each; with draws and facts it is the event that made them
	Common []EventRecord // the last events before it, the same in both
}

// commonKept is how many common events a divergence shows.
const commonKept = 10

// String is a small report: the common events, then both sides.
func (d Divergence) String() string {
	s := ""
	for _, r := range d.Common {
		s += "  both " + r.String() + "\n"
	}
	return s + fmt.Sprintf("  A    %v\n  B    %v\n(first difference: %s)", d.A, d.B, d.What)
}

// Diverge steps two fresh worlds, built from one case, in lockstep to the horizon. It reports the first event in
// which they differ, in itself, in its draws or in its facts; ok is false when there is none. How non-determinism
// is explained: a differing digest only says that there is some.
func Diverge(a, b *World, horizon Time) (at Divergence, ok bool) {
	var common []EventRecord
	for {
		if what := difference(a, b); what != "" {
			return Divergence{What: what, A: a.Last(), B: b.Last(), Common: common}, true
		}
		if a.executed > 0 {
			common = append(common, a.Last())
			common = common[max(0, len(common)-commonKept):]
		}
		goesA, goesB := a.next(horizon), b.next(horizon)
		if goesA != goesB || !goesA && *a.stop != *b.stop {
			return Divergence{What: "end", A: a.ahead(goesA), B: b.ahead(goesB), Common: common}, true
		}
		if !goesA {
			return Divergence{}, false
		}
		a.Step()
		b.Step()
	}
}

// difference names what differs after the present event, the most telling first.
func difference(a, b *World) string {
	switch {
	case a.executed != b.executed || a.executed == 0 && a.Digest() != b.Digest():
		return "start"
	case a.digest != b.digest:
		return "event"
	case a.draws != b.draws:
		return "draws"
	case a.History.Digest() != b.History.Digest():
		return "facts"
	}
	return ""
}

// ahead executes one more event of the world that goes on where the other has ended.
func (w *World) ahead(goes bool) EventRecord {
	if !goes {
		return EventRecord{Time: w.now, Kind: "end: " + w.stop.String(), Digest: w.digest}
	}
	w.Step()
	return w.Last()
}
